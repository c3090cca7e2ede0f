/**
 * What a message to all costs for each recipient, over streams in memory: `npx tsx scripts/bench/broadcast.ts`. The cost
 * should be flat from 3 to 300 recipients: CPU time per recipient and message, medians of several rounds.
 */
import { encodeFrame } from '../../codecs/tcp/v1/frame.ts';
import { FrameDecoder } from '../../codecs/tcp/v1/frame-decoder.ts';
import type { Environment, Stream } from '../../src/protocol/environment.ts';
import { createMemberId } from '../../src/protocol/member-id.ts';
import { seededRng } from '../../src/protocol/rng.ts';
import { createView } from '../../src/protocol/view.ts';
import { TcpMessenger } from '../../src/tcp/tcp-messenger.ts';

const ROUNDS = 9;
const DELIVERIES = 60_000;
const nothing = (): void => undefined;

/** A peer that welcomes whoever it is meant to be, and acknowledges all it has got when asked to. */
class Sink implements Stream {
  readonly remoteHost = '10.0.0.2';
  readonly remotePort: number;
  onOpen = nothing;
  onData: (bytes: Uint8Array) => void = nothing;
  onDrain = nothing;
  onClose: (error: Error | null) => void = nothing;
  readonly #decoder = new FrameDecoder(true);
  #messages = 0;
  #isWelcome = false;
  #bytes = 0;

  constructor(port: number) {
    this.remotePort = port;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isWelcome) this.#bytes += bytes.length;
    else this.#decoder.push(bytes);
    return true;
  }

  welcome(): void {
    const hello = this.#decoder.next();
    if (hello?.type !== 'HELLO') throw new Error('expected HELLO');
    const acceptor = { ...hello.sender, uuid: hello.recipientUuid };
    const limits = { lastSeqno: 0, maxFrameBytes: 1024 * 1024, extensions: new Uint8Array(0) };
    this.#isWelcome = true;
    this.onData(encodeFrame({ type: 'WELCOME', version: 1, features: 0, acceptor, ...limits }));
  }

  acknowledge(messages: number): number {
    this.#messages += messages;
    this.onData(encodeFrame({ type: 'ACK', seqno: this.#messages }));
    return this.#bytes;
  }

  end(): void {
    this.onClose(null);
  }

  destroy(): void {
    this.onClose(null);
  }
}

async function measure(recipients: number, payloadBytes: number): Promise<number> {
  const sinks: Sink[] = [];
  const due: (() => void)[] = [];
  const connect = (_host: string, port: number): Stream => {
    const sink = new Sink(port);
    sinks.push(sink);
    return sink;
  };
  const environment: Environment = {
    nowMs: () => 0,
    createTimer: (callback) => ({
      set: (atMs) => (atMs <= 0 ? due.push(callback) : undefined),
      clear: nothing,
    }),
    rng: seededRng(1),
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    bind: () => {
      const tcp = { admits: () => true, onConnection: nothing, connect, close: () => Promise.resolve() };
      return Promise.resolve({ host: '10.0.0.1', port: 1, udp: null, tcp });
    },
  };
  const turn = (): void => {
    for (const run of due.splice(0)) run();
  };
  const member = { version: 200 };
  const messenger = new TcpMessenger({ environment, cluster: 'c', host: '10.0.0.1', ports: [1, 1], member });
  const self = await messenger.start();
  const others = Array.from({ length: recipients }, (_, port) => {
    const uuid = port.toString(16).padStart(32, '0');
    return createMemberId({ host: '10.0.0.2', port, uuid, version: 200 });
  });
  messenger.installView(createView(1, [self, ...others]));
  const payload = Buffer.alloc(payloadBytes, 1);
  const batch = 20;
  const send = (): void => {
    for (let i = 0; i < batch; i++) messenger.send({ recipients: 'all', payload });
    turn();
  };
  send();
  for (const sink of sinks) sink.onOpen();
  for (const sink of sinks) sink.welcome();
  turn();
  for (const sink of sinks) sink.acknowledge(batch);
  turn();
  const batches = Math.ceil(DELIVERIES / (batch * recipients));
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < batches; i++) {
      send();
      for (const sink of sinks) sink.acknowledge(batch);
      turn();
    }
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / (batches * batch * recipients));
  }
  if (messenger.stats().totals.pending > 0) throw new Error('not all was acknowledged');
  await messenger.stop();
  return costs.sort((x, y) => x - y)[ROUNDS >> 1] ?? NaN;
}

await measure(30, 1024); // warms up
for (const payloadBytes of [100, 1024, 32 * 1024]) {
  for (const recipients of [3, 30, 300]) {
    const cost = await measure(recipients, payloadBytes);
    process.stdout.write(`${payloadBytes} B to ${recipients}: ${cost.toFixed(3)} us of CPU a recipient\n`);
  }
}
