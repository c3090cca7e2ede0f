/**
 * Two members and a relay between them that resets their connection under load. All three are in one process, so that
 * one clock knows when the reset was, and when the first message came over the next connection.
 */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import { seededRng } from '../../../src/protocol/rng.ts';
import { createView } from '../../../src/protocol/view.ts';
import { TcpMessenger, type TcpMessengerOptions } from '../../../src/tcp/tcp-messenger.ts';
import { type Engine, runWorker, workerArguments } from '../harness/worker.ts';

const SIZE_BYTES = 1024;
/** Each millisecond. */
const BURST = 20;
/** Time under load between two resets, at least; as much again is left to chance. */
const CALM_MS = 10;
const SEED = 1_000;
const FLUSH_TIMEOUT_MS = 30_000;

class ReconnectEngine implements Engine {
  onMessage: Engine['onMessage'] = () => undefined;
  readonly #sender: TcpMessenger;
  readonly #receiver: TcpMessenger;
  readonly #relay = new Relay();
  readonly #rng = seededRng(SEED);
  #sent = 0;
  #received = 0;
  #fault: string | null = null;
  #isLoading = false;
  /** Told of each message. */
  #onReceived: () => void = () => undefined;

  constructor(options: Partial<TcpMessengerOptions>) {
    const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }; // each reset is worth a warning
    const create = (name: string): TcpMessenger =>
      new TcpMessenger({
        environment: createNodeEnvironment({ logger }),
        cluster: 'AG',
        member: { name, version: 200 },
        host: '127.0.0.1',
        ports: [0, 0],
        ...options,
      });
    this.#sender = create('sender');
    this.#receiver = create('receiver');
    this.#receiver.setDefaultHandler(({ payload }) => this.#check(payload));
  }

  async start(): Promise<{ uuid: string; port: number }> {
    const [sender, receiver] = [await this.#sender.start(), await this.#receiver.start()];
    const port = await this.#relay.start(receiver.port);
    this.#sender.installView(createView(1, [sender, { ...receiver, port }]));
    this.#receiver.installView(createView(1, [sender, receiver]));
    return { uuid: receiver.uuid, port };
  }

  installView(): void {
    throw new Error('it has a view of its own');
  }

  send(): Promise<void> {
    return Promise.reject(new Error('it sends by itself'));
  }

  sendOne(): void {
    throw new Error('it sends by itself');
  }

  drain(timeoutMs: number): Promise<boolean> {
    return this.#sender.flush(timeoutMs);
  }

  async execute([command, count]: readonly string[]): Promise<Readonly<Record<string, unknown>> | null> {
    if (command !== 'resets') return null;
    this.#isLoading = true;
    const load = this.#load();
    const times: number[] = [];
    await this.#next(() => true);
    for (let i = 0; i < Number(count); i++) {
      await setTimeout(CALM_MS * (1 + this.#rng.next()));
      times.push(await this.#reset());
    }
    this.#isLoading = false;
    await load;
    if (!(await this.drain(FLUSH_TIMEOUT_MS))) throw new Error('not all is acknowledged');
    if (this.#fault !== null) throw new Error(this.#fault);
    if (this.#received !== this.#sent) throw new Error(`${this.#received} of ${this.#sent} messages came`);
    times.sort((a, b) => a - b);
    const at = (share: number): number =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), messages: this.#sent };
  }

  async #load(): Promise<void> {
    const to = this.#sender.stats().peers.map(({ member }) => member);
    const recipients = to.filter(({ uuid }) => uuid !== this.#sender.memberId.uuid);
    while (this.#isLoading) {
      for (let i = 0; i < BURST; i++) {
        const payload = Buffer.alloc(SIZE_BYTES);
        payload.writeUInt32BE(this.#sent, 0);
        const { refused } = this.#sender.send({ recipients, payload });
        if (refused.length === 0) this.#sent++;
      }
      await setTimeout(1);
    }
  }

  /** @returns milliseconds until the first message over the next connection */
  async #reset(): Promise<number> {
    const before = this.#handshakes();
    const startMs = performance.now();
    this.#relay.reset();
    await this.#next(() => this.#handshakes() > before);
    return performance.now() - startMs;
  }

  #handshakes(): number {
    return this.#receiver.stats().stacks.tcp?.counters['handshakes'] ?? NaN;
  }

  /** Resolves at a message for which it holds. */
  #next(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onReceived = () => {
        if (!holds()) return;
        this.#onReceived = nothing;
        resolve();
      };
    });
  }

  #check(payload: Uint8Array): void {
    const at = Buffer.from(payload.buffer, payload.byteOffset, payload.length).readUInt32BE(0);
    if (at !== this.#received) this.#fault ??= `message ${at} came as number ${this.#received}`;
    this.#received++;
    this.#onReceived();
  }
}

function nothing(): void {
  // of no interest
}

/** Hands bytes on until it is told to reset both ends of all its connections. */
class Relay {
  readonly #sockets = new Set<Socket>();

  async start(targetPort: number): Promise<number> {
    const server = createServer({ noDelay: true }, (near) => {
      const far = connect({ host: '127.0.0.1', port: targetPort, noDelay: true });
      this.#join(near, far);
      this.#join(far, near);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      if (!to.destroyed) to.write(bytes);
    });
    from.on('error', nothing);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

const args = workerArguments();
const options = JSON.parse(args.get('options') ?? '{}') as Partial<TcpMessengerOptions>;
await runWorker(new ReconnectEngine(options));
