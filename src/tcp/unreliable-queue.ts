import { MAX_FRAME_BYTES } from '../../codecs/tcp/v1/limits.ts';
import type { TcpCounters } from './context.ts';
import { Fifo } from '../protocol/fifo.ts';
import { UNRELIABLE_MAX_AGE_MS, UNRELIABLE_QUEUE_BYTES } from './limits.ts';

/** What an UNRELIABLE frame's length field counts beside the payload: type and flags. */
const UNRELIABLE_OVERHEAD_BYTES = 2;

/** Largest payload of an unreliable message: it goes in one frame. */
export const MAX_UNRELIABLE_BYTES = MAX_FRAME_BYTES - UNRELIABLE_OVERHEAD_BYTES;

/** Messages of the at-most-once class that wait for the connection. They are better lost than late. */
export class UnreliableQueue {
  readonly #counters: TcpCounters;
  readonly #queue = new Fifo<{ readonly payload: Uint8Array; readonly sinceMs: number }>();
  #bytes = 0;
  /** Largest frame that the recipient takes. */
  maxBytes = MAX_FRAME_BYTES;

  constructor(counters: TcpCounters) {
    this.#counters = counters;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Drops it if there is no room. */
  push(payload: Uint8Array, nowMs: number): void {
    this.#dropOld(nowMs);
    if (this.#queue.length > 0 && this.#bytes + payload.length > UNRELIABLE_QUEUE_BYTES) {
      this.#counters.unreliableDropped++;
      return;
    }
    this.#queue.push({ payload, sinceMs: nowMs });
    this.#bytes += payload.length;
  }

  poll(nowMs: number): Uint8Array | null {
    for (;;) {
      this.#dropOld(nowMs);
      const next = this.#shift();
      if (next === null) return null;
      if (next.length + UNRELIABLE_OVERHEAD_BYTES <= this.maxBytes) {
        this.#counters.unreliableSent++;
        return next;
      }
      this.#counters.unreliableDropped++;
    }
  }

  /** Drops all. */
  clear(): void {
    while (this.#shift() !== null) this.#counters.unreliableDropped++;
  }

  #dropOld(nowMs: number): void {
    for (let head = this.#queue.at(0); head !== undefined; head = this.#queue.at(0)) {
      if (nowMs - head.sinceMs <= UNRELIABLE_MAX_AGE_MS) return;
      this.#shift();
      this.#counters.unreliableDropped++;
    }
  }

  #shift(): Uint8Array | null {
    const item = this.#queue.shift();
    if (item === undefined) return null;
    this.#bytes -= item.payload.length;
    return item.payload;
  }
}
