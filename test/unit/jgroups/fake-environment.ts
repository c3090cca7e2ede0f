import type {
  BindOptions,
  DatagramSocket,
  Environment,
  PortPair,
  Timer,
} from '../../../src/protocol/environment.ts';
import type { Logger } from '../../../src/protocol/logger.ts';
import { type Rng, seededRng } from '../../../src/protocol/rng.ts';

/** One clock and one network for all members of a test. */
export class FakeNetwork {
  nowMs = 0;
  readonly sockets = new Map<number, FakeSocket>();
  readonly timers = new Set<FakeTimer>();
  #inFlight: (() => void)[] = [];
  #nextPort = 41_001;

  takePort(): number {
    return this.#nextPort++;
  }

  carry(bytes: Uint8Array, toPort: number, fromPort: number): void {
    this.#inFlight.push(() => this.sockets.get(toPort)?.onDatagram(bytes, '127.0.0.1', fromPort));
  }

  settle(): void {
    while (this.#inFlight.length > 0) {
      const batch = this.#inFlight;
      this.#inFlight = [];
      for (const deliver of batch) deliver();
    }
  }

  /** Lets time pass, with a stop at every timer. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    this.settle();
    for (;;) {
      const due = [...this.timers].toSorted((a, b) => a.deadlineMs - b.deadlineMs)[0];
      if (due === undefined || due.deadlineMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, due.deadlineMs);
      due.fire();
      this.settle();
    }
    this.nowMs = endMs;
  }
}

class FakeTimer implements Timer {
  readonly #network: FakeNetwork;
  readonly #callback: () => void;
  deadlineMs = Infinity;

  constructor(network: FakeNetwork, callback: () => void) {
    this.#network = network;
    this.#callback = callback;
  }

  set(deadlineMs: number): void {
    this.deadlineMs = deadlineMs;
    this.#network.timers.add(this);
  }

  clear(): void {
    this.#network.timers.delete(this);
  }

  fire(): void {
    this.clear();
    this.#callback();
  }
}

export class FakeSocket implements DatagramSocket {
  onDatagram: (bytes: Uint8Array, host: string, port: number) => void = () => undefined;
  readonly port: number;
  readonly sent: Buffer[] = [];
  readonly #network: FakeNetwork;

  constructor(network: FakeNetwork, port: number) {
    this.#network = network;
    this.port = port;
    network.sockets.set(port, this);
  }

  send(bytes: Uint8Array, _host: string, port: number): void {
    this.sent.push(Buffer.from(bytes));
    this.#network.carry(bytes, port, this.port);
  }

  close(): Promise<void> {
    this.#network.sockets.delete(this.port);
    return Promise.resolve();
  }
}

export class FakeEnvironment implements Environment {
  readonly lines: string[] = [];
  readonly logger: Logger;
  readonly rng: Rng;
  readonly #network: FakeNetwork;

  constructor(network: FakeNetwork, seed: number) {
    this.#network = network;
    this.rng = seededRng(seed);
    const log = (line: string): void => void this.lines.push(line);
    this.logger = { debug: log, info: log, warn: log, error: log };
  }

  nowMs(): number {
    return this.#network.nowMs;
  }

  createTimer(callback: () => void): Timer {
    return new FakeTimer(this.#network, callback);
  }

  bind(options: BindOptions): Promise<PortPair> {
    const port = this.#network.takePort();
    const udp = new FakeSocket(this.#network, port);
    return Promise.resolve({ host: options.host, port, udp, tcp: null });
  }
}
