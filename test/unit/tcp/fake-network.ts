import type {
  Environment,
  PortPair,
  Stream,
  StreamListener,
  Timer,
} from '../../../src/protocol/environment.ts';
import { TransportError } from '../../../src/protocol/errors.ts';
import { type Rng, seededRng } from '../../../src/protocol/rng.ts';

/** What is to happen to a connection. Forward: from the side that opened it. */
export interface LinkPlan {
  /** Refused at once. */
  refuse?: boolean;
  /** Reset after so many bytes arrived: what is behind them is lost. */
  cutForwardAt?: number;
  cutBackwardAt?: number;
  /** Nothing more arrives after so many bytes, and nobody is told. */
  stallForwardAt?: number;
  stallBackwardAt?: number;
  /** Bytes per delivery; default: as written. */
  chunkBytes?: number;
  /** Bytes under way above which `write` says false; default 64 KiB. */
  bufferBytes?: number;
  latencyMs?: number;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const nothing = (): void => undefined;

/** Virtual time and in-memory streams between the messengers of one test. */
export class FakeNetwork {
  nowMs = 0;
  readonly rng: Rng;
  readonly lines: string[] = [];
  readonly listeners = new Map<string, FakeListener>();
  /** Called for each connection, in order. */
  plan: (index: number, port: number) => LinkPlan = () => ({});
  connections = 0;
  readonly #events: Event[] = [];
  #order = 0;
  #nextPort = 41_000;

  constructor(seed = 1) {
    this.rng = seededRng(seed);
  }

  environment(): Environment {
    const log =
      (level: string) =>
      (line: string): void =>
        void this.lines.push(`${level} ${line}`);
    return {
      nowMs: () => this.nowMs,
      createTimer: (callback) => new FakeTimer(this, callback),
      rng: this.rng,
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      bind: ({ host, ports }) => Promise.resolve(this.listen(host, ports[0])),
    };
  }

  listen(host: string, port: number): PortPair {
    const chosen = port === 0 ? this.#nextPort++ : port;
    const listener = new FakeListener(this, `${host}:${chosen}`);
    this.listeners.set(listener.address, listener);
    return { host, port: chosen, udp: null, tcp: listener };
  }

  at(atMs: number, run: () => void): void {
    const event = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, run };
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1] as Event).atMs > event.atMs) index--;
    this.#events.splice(index, 0, event);
  }

  /** The machine stands still: nothing happens meanwhile, and what was due is late. */
  suspend(ms: number): void {
    this.nowMs += ms;
  }

  /** Runs everything that is due within so many milliseconds. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let steps = 0; this.#events[0] !== undefined && this.#events[0].atMs <= endMs; steps++) {
      if (steps > 1_000_000) throw new Error('the clock does not get on: somebody spins');
      const event = this.#events.shift() as Event;
      this.nowMs = Math.max(this.nowMs, event.atMs);
      event.run();
    }
    this.nowMs = endMs;
  }
}

class FakeTimer implements Timer {
  readonly #network: FakeNetwork;
  readonly #callback: () => void;
  #deadlineMs = Infinity;

  constructor(network: FakeNetwork, callback: () => void) {
    this.#network = network;
    this.#callback = callback;
  }

  set(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    if (deadlineMs === Infinity) return;
    this.#network.at(deadlineMs, () => {
      if (this.#deadlineMs !== deadlineMs) return;
      this.#deadlineMs = Infinity;
      this.#callback();
    });
  }

  clear(): void {
    this.#deadlineMs = Infinity;
  }
}

export class FakeListener implements StreamListener {
  admits: (host: string) => boolean = () => true;
  onConnection: (stream: Stream) => void = nothing;
  readonly address: string;
  readonly streams = new Set<FakeStream>();
  closed = false;
  readonly #network: FakeNetwork;

  constructor(network: FakeNetwork, address: string) {
    this.#network = network;
    this.address = address;
  }

  connect(host: string, port: number): FakeStream {
    const network = this.#network;
    const plan = network.plan(network.connections++, port);
    const near = new FakeStream(network, this, `${host}:${port}`, plan);
    const latencyMs = plan.latencyMs ?? 1;
    network.at(network.nowMs + latencyMs, () => {
      if (near.dead) return;
      const listener = network.listeners.get(`${host}:${port}`);
      if (listener === undefined || plan.refuse === true) {
        near.fail(new TransportError('ECONNREFUSED', `connect ECONNREFUSED ${host}:${port}`));
        return;
      }
      const from = this.address.replace(/:\d+$/, '');
      const far = new FakeStream(network, listener, `${from}:60000`, plan);
      near.join(far, plan.cutForwardAt, plan.stallForwardAt);
      far.join(near, plan.cutBackwardAt, plan.stallBackwardAt);
      if (!listener.admits(from)) {
        near.onOpen();
        far.reset();
        return;
      }
      listener.onConnection(far);
      near.onOpen();
    });
    return near;
  }

  close(): Promise<void> {
    this.closed = true;
    if (this.#network.listeners.get(this.address) === this) this.#network.listeners.delete(this.address);
    for (const stream of [...this.streams]) stream.destroy();
    return Promise.resolve();
  }

  /** As if the process had died: connections are reset, or, `silently`, just stay there. */
  crash(silently = false): void {
    this.#network.listeners.delete(this.address);
    for (const stream of [...this.streams]) {
      if (silently) stream.dead = true;
      else stream.reset();
    }
  }
}

export class FakeStream implements Stream {
  onOpen: () => void = nothing;
  onData: (bytes: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onClose: (error: Error | null) => void = nothing;
  readonly remoteHost: string;
  readonly remotePort: number;
  /** Neither hears nor tells anything any more. */
  dead = false;
  /** Nothing is read: bytes pile up. */
  paused = false;
  readonly #network: FakeNetwork;
  readonly #listener: FakeListener;
  readonly #plan: LinkPlan;
  #peer: FakeStream | null = null;
  #cutAt = Infinity;
  #stallAt = Infinity;
  #arrived = 0;
  #underWay = 0;
  #blocked = false;
  #ended = false;
  #waiting: Uint8Array[] = [];
  #tailMs = 0;

  constructor(network: FakeNetwork, listener: FakeListener, remote: string, plan: LinkPlan) {
    this.#network = network;
    this.#listener = listener;
    this.#plan = plan;
    const colon = remote.lastIndexOf(':');
    this.remoteHost = remote.slice(0, colon);
    this.remotePort = Number(remote.slice(colon + 1));
    listener.streams.add(this);
  }

  /** The limits are those of the bytes from here to `peer`. */
  join(peer: FakeStream, cutAt = Infinity, stallAt = Infinity): void {
    this.#peer = peer;
    this.#cutAt = cutAt;
    this.#stallAt = stallAt;
  }

  write(bytes: Uint8Array): boolean {
    if (this.dead || this.#ended) return false;
    const size = this.#plan.chunkBytes ?? Math.max(1, bytes.length);
    for (let at = 0; at < bytes.length; at += size) this.#transmit(bytes.subarray(at, at + size));
    this.#blocked = this.#underWay > (this.#plan.bufferBytes ?? 64 * 1024);
    return !this.#blocked;
  }

  end(): void {
    if (this.dead || this.#ended) return;
    this.#ended = true;
    this.#later(() => this.#finish());
  }

  destroy(): void {
    if (this.dead) return;
    this.#die(null);
    this.#later(() => {
      if (this.#arrived < this.#stallAt) this.#peer?.fail(null);
    });
  }

  reset(): void {
    this.fail(new TransportError('ECONNRESET', 'read ECONNRESET'));
    this.#peer?.fail(new TransportError('ECONNRESET', 'read ECONNRESET'));
  }

  fail(error: Error | null): void {
    if (!this.dead) this.#die(error);
  }

  resume(): void {
    this.paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const bytes of waiting) this.#peer?.takeIn(bytes, this);
  }

  #transmit(bytes: Uint8Array): void {
    this.#underWay += bytes.length;
    this.#later(() => {
      const target = this.#peer;
      if (target === null || this.#arrived >= this.#stallAt) return;
      const left = Math.min(this.#cutAt, this.#stallAt) - this.#arrived;
      const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
      this.#arrived += part.length;
      if (target.paused) target.#waiting.push(part);
      else this.takeIn(part, target);
      if (this.#arrived >= this.#cutAt) this.reset();
    });
  }

  takeIn(bytes: Uint8Array, target: FakeStream): void {
    this.#underWay -= bytes.length;
    if (!target.dead && bytes.length > 0) target.onData(bytes);
    if (!this.#blocked || this.#underWay > 0 || this.dead) return;
    this.#blocked = false;
    this.onDrain();
  }

  #finish(): void {
    const stalled = this.#arrived >= this.#stallAt;
    if (!stalled) this.#peer?.fail(null);
    this.fail(null);
  }

  #die(error: Error | null): void {
    this.dead = true;
    this.#listener.streams.delete(this);
    this.#network.at(this.#network.nowMs, () => this.onClose(error));
  }

  /** In order. */
  #later(run: () => void): void {
    this.#tailMs = Math.max(this.#tailMs, this.#network.nowMs + (this.#plan.latencyMs ?? 1));
    this.#network.at(this.#tailMs, run);
  }
}
