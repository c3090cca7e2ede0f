/**
 * One member of a benchmark as a process of its own, steered by lines on standard input, telling what happens by one
 * JSON object a line. scripts/bench/java/BenchPeer.java has the same commands, so that the JVM does the same work.
 */

import { createInterface } from 'node:readline';

import { Expectation, stampedPayloads } from './stamped-payload.ts';

/** What carries the messages. */
export interface Engine {
  /** @returns what the others need to reach it; `members` if it is several of them */
  start(): Promise<Endpoint & { members?: readonly Endpoint[] }>;
  /** @param members `<host>:<port>:<viewId>:<uuid>` each */
  installView(id: number, members: readonly string[]): void | Promise<void>;
  /** As many messages as fast as they are taken, to each recipient; resolves when the last one was. */
  send(job: SendJob): Promise<void>;
  sendOne(payload: Buffer, to: string): void;
  /** True once all is acknowledged. */
  drain(timeoutMs: number): Promise<boolean>;
  /** `to` is the index of its recipient, if the engine is several members. */
  onMessage: (payload: Uint8Array, from: string, to?: number) => void;
  /** Commands of this engine only; null: it does not know it. */
  execute?(words: readonly string[]): Promise<Readonly<Record<string, unknown>> | null>;
}

export interface Endpoint {
  readonly uuid: string;
  readonly port: number;
  /** Of a process that does the work, if it is another one. */
  readonly pid?: number;
}

export interface SendJob {
  readonly count: number;
  readonly payloads: readonly Buffer[];
  readonly bundle: boolean;
  readonly to: readonly string[];
}

/** The system's monotonic clock, which all processes and JVMs share (System.nanoTime). */
export function nowNs(): number {
  return Number(process.hrtime.bigint());
}

/** Arguments of the form key=value. */
export function workerArguments(): Map<string, string> {
  return new Map(
    process.argv.slice(2).map((word): [string, string] => {
      const at = word.indexOf('=');
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

/** Runs until standard input ends. */
export async function runWorker(engine: Engine): Promise<void> {
  const worker = new Worker(engine);
  const up = await engine.start();
  worker.members = up.members?.length ?? 1;
  emit('up', { ...up });
  for await (const line of createInterface({ input: process.stdin })) {
    const words = line.trim().split(/ +/);
    if (words[0] === 'quit') break;
    worker
      .execute(words)
      .catch((error: unknown) => emit('error', { command: words[0], message: String(error) }));
  }
  process.exit(0);
}

function emit(ev: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ ev, ...fields })}\n`);
}

class Worker {
  readonly #engine: Engine;
  /** In this process. */
  members = 1;
  /** One for each of the members. */
  #expected: Expectation[] = [];
  #pinger: Pinger | null = null;
  #echoing = false;
  #discarding = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.onMessage = (payload, from, to = 0) => {
      if (this.#echoing) engine.sendOne(Buffer.from(payload), from);
      else if (this.#pinger !== null) this.#pinger.handle(payload);
      else if (to < this.#expected.length) (this.#expected[to] as Expectation).handle(payload);
      else if (!this.#discarding) fault('a message that nobody expects');
    };
  }

  async execute(words: readonly string[]): Promise<void> {
    const number = (at: number): number => Number(words[at]);
    switch (words[0]) {
      case 'view': // <viewId> <member> ...
        await this.#engine.installView(number(1), words.slice(2));
        {
          emit('view');
          return;
        }
      case 'expect': // <count> <sizeBytes> <ring>
        this.#expect(number(1), number(2), number(3));
        {
          emit('expecting');
          return;
        }
      case 'progress': {
        const received = this.#expected.reduce((sum, one) => sum + one.received, this.#pinger?.done ?? 0);
        emit('progress', { received });
        return;
      }
      case 'discard': // from now on
        this.#discarding = true;
        this.#expected = [];
        {
          emit('discarding');
          return;
        }
      case 'send': // <count> <sizeBytes> <ring> <dont-bundle|bundle> <uuid>,...
        return this.#send(
          number(1),
          number(2),
          number(3),
          words[4] === 'bundle',
          (words[5] ?? '').split(','),
        );
      case 'ping': // <count> <sizeBytes> <uuid>
        this.#ping(number(1), number(2), words[3] ?? '');
        return;
      case 'echo': // on | off
        this.#echoing = words[1] === 'on';
        {
          emit('echoing');
          return;
        }
      case 'drain': {
        // <timeoutMs>
        emit('drained', { ok: await this.#engine.drain(number(1)) });
        return;
      }
      default: {
        const answer = (await this.#engine.execute?.(words)) ?? null;
        if (answer === null) throw new Error('no such command');
        emit(words[0] ?? '', answer);
        return;
      }
    }
  }

  #expect(count: number, sizeBytes: number, ring: number): void {
    let waiting = this.members;
    const done = (): void => {
      if (--waiting === 0) emit('received', { count, lastNs: nowNs() });
    };
    this.#expected = Array.from(
      { length: this.members },
      () => new Expectation({ count, sizeBytes, ring }, done, fault),
    );
  }

  async #send(count: number, sizeBytes: number, ring: number, bundle: boolean, to: string[]): Promise<void> {
    const payloads = stampedPayloads(sizeBytes, ring);
    const startNs = nowNs();
    await this.#engine.send({ count, payloads, bundle, to });
    emit('sent', { startNs, endNs: nowNs() });
  }

  #ping(count: number, sizeBytes: number, to: string): void {
    const payloads = stampedPayloads(sizeBytes, 2);
    const send = (payload: Buffer): void => this.#engine.sendOne(payload, to);
    this.#pinger = new Pinger(count, payloads, send, (sorted) => {
      this.#pinger = null;
      const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN;
      emit('pinged', { p50Ns: at(0.5), p99Ns: at(0.99) });
    });
    this.#pinger.next();
  }
}

function fault(message: string): void {
  emit('fault', { message });
}

/** One message at a time, there and back. */
class Pinger {
  readonly #times: Float64Array;
  readonly #payloads: readonly Buffer[];
  readonly #send: (payload: Buffer) => void;
  readonly #onDone: (sorted: Float64Array) => void;
  done = 0;
  #sentNs = 0n;

  constructor(
    count: number,
    payloads: readonly Buffer[],
    send: (payload: Buffer) => void,
    onDone: (sorted: Float64Array) => void,
  ) {
    this.#times = new Float64Array(count);
    this.#payloads = payloads;
    this.#send = send;
    this.#onDone = onDone;
  }

  next(): void {
    this.#sentNs = process.hrtime.bigint();
    this.#send(this.#payloads[this.done & 1] as Buffer);
  }

  handle(payload: Uint8Array): void {
    this.#times[this.done] = Number(process.hrtime.bigint() - this.#sentNs);
    if (payload[3] !== (this.done & 1)) fault(`echo ${this.done} has stamp ${payload[3]}`);
    if (++this.done < this.#times.length) this.next();
    else this.#onDone(this.#times.sort());
  }
}
