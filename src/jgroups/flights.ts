import { Fifo } from '../protocol/fifo.ts';

/** Messages that went out one by one are counted together up to this. */
const MAX_RUN_BYTES = 8 * 1024;

/** Messages that are under way together. */
interface Flight {
  last: number;
  bytes: number;
  sentAtMs: number;
  /** In one datagram; else one by one. */
  readonly isList: boolean;
  /** The receiver acknowledges it at once. */
  readonly isClocked: boolean;
  isResent: boolean;
}

/** What is under way on one connection, in the order of seqnos. */
export class Flights {
  readonly #flights = new Fifo<Flight>();
  #bytes = 0;
  /** Sent since the newest that is acknowledged at once. */
  #unclockedBytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get unclockedBytes(): number {
    return this.#unclockedBytes;
  }

  /** The oldest; undefined: nothing is under way. */
  get oldest(): Readonly<Flight> | undefined {
    return this.#flights.at(0);
  }

  /** @param last seqno of the last message */
  add(last: number, bytes: number, isList: boolean, isClocked: boolean, nowMs: number): void {
    this.#bytes += bytes;
    this.#unclockedBytes = isClocked ? 0 : this.#unclockedBytes + bytes;
    const newest = this.#flights.at(this.#flights.length - 1);
    const joins = newest !== undefined && !isList && !isClocked && isOpenRun(newest);
    if (joins) {
      newest.last = last;
      newest.bytes += bytes;
    } else this.#flights.push({ last, bytes, sentAtMs: nowMs, isList, isClocked, isResent: false });
  }

  /** @returns when the newest of them was sent that was acknowledged at once, and was sent once; -1: there is none */
  acknowledge(seqno: number): number {
    let sentAtMs = -1;
    for (let flight = this.oldest; flight !== undefined && flight.last <= seqno; flight = this.oldest) {
      this.#bytes -= flight.bytes;
      if (flight.isClocked && !flight.isResent) sentAtMs = flight.sentAtMs;
      this.#flights.shift();
    }
    if (this.#flights.length === 0) this.#bytes = this.#unclockedBytes = 0;
    return sentAtMs;
  }

  /** The oldest goes out again. */
  resend(nowMs: number): void {
    const oldest = this.#flights.at(0);
    if (oldest === undefined) return;
    oldest.sentAtMs = nowMs;
    oldest.isResent = true;
  }
}

function isOpenRun(flight: Flight): boolean {
  return !flight.isList && !flight.isClocked && !flight.isResent && flight.bytes < MAX_RUN_BYTES;
}
