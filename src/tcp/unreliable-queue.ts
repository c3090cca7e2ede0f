import { MAX_FRAME_BYTES } from '../../codecs/tcp/v1/limits.ts';
import type { TcpCounters } from './context.ts';
import { UNRELIABLE_MAX_AGE_MS, UNRELIABLE_QUEUE_BYTES, UNRELIABLE_QUEUE_MESSAGES } from './limits.ts';
import { Fifo } from '../protocol/fifo.ts';

/** What an UNRELIABLE frame's length field counts beside the payload: type and flags. */
const UNRELIABLE_OVERHEAD_BYTES = 2;

/** Largest payload of an unreliable message: it goes in one frame. */
export const MAX_UNRELIABLE_BYTES = MAX_FRAME_BYTES - UNRELIABLE_OVERHEAD_BYTES;

interface Waiting {
  readonly payload: Uint8Array;
  /** It may be written until then. */
  readonly untilMs: number;
}

/**
 * Messages of the at-most-once class that wait for the connection. They are better lost than late: each is dropped
 * once it is older than its sender allows, also one that waits behind others which may grow older.
 */
export class UnreliableQueue {
  readonly #counters: TcpCounters;
  #queue = new Fifo<Waiting>();
  #bytes = 0;
  /** No message in the queue is too old before that. */
  #oldestUntilMs = Infinity;
  /** Largest frame that the recipient takes. */
  maxBytes = MAX_FRAME_BYTES;

  constructor(counters: TcpCounters) {
    this.#counters = counters;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Drops it if there is no room. */
  push(payload: Uint8Array, nowMs: number, maxAgeMs = UNRELIABLE_MAX_AGE_MS): void {
    if (!this.#hasRoom(payload)) {
      this.dropOld(nowMs);
      if (!this.#hasRoom(payload)) {
        this.#counters.unreliableDropped++;
        return;
      }
    }
    const untilMs = nowMs + maxAgeMs;
    this.#queue.push({ payload, untilMs });
    this.#bytes += payload.length;
    this.#oldestUntilMs = Math.min(this.#oldestUntilMs, untilMs);
  }

  poll(nowMs: number): Uint8Array | null {
    for (;;) {
      const next = this.#shift();
      if (next === null) return null;
      if (nowMs <= next.untilMs && next.payload.length + UNRELIABLE_OVERHEAD_BYTES <= this.maxBytes) {
        this.#counters.unreliableSent++;
        return next.payload;
      }
      this.#counters.unreliableDropped++;
    }
  }

  /** Drops all. */
  clear(): void {
    while (this.#shift() !== null) this.#counters.unreliableDropped++;
  }

  /** Drops what is too old by now. */
  dropOld(nowMs: number): void {
    if (nowMs <= this.#oldestUntilMs) return;
    const before = this.#queue;
    this.#queue = new Fifo();
    this.#bytes = 0;
    this.#oldestUntilMs = Infinity;
    for (let item = before.shift(); item !== undefined; item = before.shift()) {
      if (nowMs > item.untilMs) {
        this.#counters.unreliableDropped++;
        continue;
      }
      this.#queue.push(item);
      this.#bytes += item.payload.length;
      this.#oldestUntilMs = Math.min(this.#oldestUntilMs, item.untilMs);
    }
  }

  /** One is always taken, however large. */
  #hasRoom(payload: Uint8Array): boolean {
    const { length } = this.#queue;
    if (length === 0) return true;
    return length < UNRELIABLE_QUEUE_MESSAGES && this.#bytes + payload.length <= UNRELIABLE_QUEUE_BYTES;
  }

  #shift(): Waiting | null {
    const item = this.#queue.shift();
    if (item === undefined) return null;
    this.#bytes -= item.payload.length;
    if (this.#queue.length === 0) this.#oldestUntilMs = Infinity;
    return item;
  }
}
