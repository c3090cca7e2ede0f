import type { DatagramSocket, Environment, Timer } from '../protocol/environment.ts';
import { LocalProtocolError } from '../protocol/errors.ts';
import { seededRng, type Rng } from '../protocol/rng.ts';

/** Probabilities 0..1, for each datagram and each direction. */
export interface FaultOptions {
  readonly loss?: number;
  readonly duplicate?: number;
  /** A reordered datagram is held back for 1..30 ms, so that later ones pass it. */
  readonly reorder?: number;
  /** Default: drawn from the environment's randomness. */
  readonly seed?: number;
}

const MIN_DELAY_MS = 1;
const MAX_DELAY_MS = 30;

/** Held back at once; at 100,000 datagrams a second and all of them reordered, 30 ms hold 3,000. */
const MAX_HELD_BACK = 4_096;

interface HeldBack {
  readonly dueMs: number;
  readonly outgoing: boolean;
  readonly bytes: Uint8Array;
  readonly host: string;
  readonly port: number;
}

export interface FaultCounters {
  lost: number;
  duplicated: number;
  reordered: number;
}

/** Loses, repeats and reorders the datagrams of another socket, in both directions. For rehearsals and tests. */
export class FaultyDatagramSocket implements DatagramSocket {
  onDatagram: (bytes: Uint8Array, host: string, port: number) => void = () => undefined;
  readonly counters: FaultCounters = { lost: 0, duplicated: 0, reordered: 0 };
  readonly inner: DatagramSocket;
  readonly #clock: Pick<Environment, 'nowMs'>;
  readonly #timer: Timer;
  readonly #rng: Rng;
  readonly #loss: number;
  readonly #duplicate: number;
  readonly #reorder: number;
  #heldBack: HeldBack[] = [];
  #nextReleaseMs = Infinity;
  #closed = false;

  /** @throws {LocalProtocolError} `ERR_FAULTS` if a probability is not in 0..1 */
  constructor(inner: DatagramSocket, environment: Environment, options: FaultOptions) {
    this.inner = inner;
    this.#clock = environment;
    this.#timer = environment.createTimer(() => this.#release());
    this.#rng = seededRng(options.seed ?? Math.floor(environment.rng.next() * 0x1_0000_0000));
    this.#loss = probability('loss', options.loss);
    this.#duplicate = probability('duplicate', options.duplicate);
    this.#reorder = probability('reorder', options.reorder);
    inner.onDatagram = (bytes, host, port) => this.#pass(false, bytes, host, port);
  }

  send(bytes: Uint8Array, host: string, port: number): void {
    this.#pass(true, bytes, host, port);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#timer.clear();
    this.#heldBack = [];
    return this.inner.close();
  }

  #pass(outgoing: boolean, bytes: Uint8Array, host: string, port: number): void {
    if (this.#closed) return;
    if (this.#rng.next() < this.#loss) {
      this.counters.lost++;
      return;
    }
    if (this.#rng.next() < this.#duplicate) {
      this.counters.duplicated++;
      this.#holdBack(outgoing, bytes, host, port);
    }
    if (this.#rng.next() < this.#reorder) {
      this.counters.reordered++;
      this.#holdBack(outgoing, bytes, host, port);
    } else {
      this.#deliver(outgoing, bytes, host, port);
    }
  }

  #holdBack(outgoing: boolean, bytes: Uint8Array, host: string, port: number): void {
    if (this.#heldBack.length >= MAX_HELD_BACK) {
      this.#deliver(outgoing, bytes, host, port);
      return;
    }
    const delayMs = MIN_DELAY_MS + this.#rng.next() * (MAX_DELAY_MS - MIN_DELAY_MS);
    const dueMs = this.#clock.nowMs() + delayMs;
    this.#heldBack.push({ dueMs, outgoing, bytes, host, port });
    if (dueMs < this.#nextReleaseMs) this.#rearm(dueMs);
  }

  #release(): void {
    const now = this.#clock.nowMs();
    const due = this.#heldBack.filter((datagram) => datagram.dueMs <= now);
    this.#heldBack = this.#heldBack.filter((datagram) => datagram.dueMs > now);
    this.#rearm(this.#heldBack.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Infinity));
    due.sort((a, b) => a.dueMs - b.dueMs);
    for (const { outgoing, bytes, host, port } of due) this.#deliver(outgoing, bytes, host, port);
  }

  #rearm(dueMs: number): void {
    this.#nextReleaseMs = dueMs;
    if (dueMs === Infinity) this.#timer.clear();
    else this.#timer.set(dueMs);
  }

  #deliver(outgoing: boolean, bytes: Uint8Array, host: string, port: number): void {
    if (this.#closed) return;
    if (outgoing) this.inner.send(bytes, host, port);
    else this.onDatagram(bytes, host, port);
  }
}

function probability(name: string, value = 0): number {
  if (value >= 0 && value <= 1) return value;
  throw new LocalProtocolError('ERR_FAULTS', `${name} must be a probability from 0 to 1, not ${value}`);
}
