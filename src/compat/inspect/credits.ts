/** When a sender ran out of flow control credits, and for how long (WIRE-3.6 section 9). */
import { SpanSum } from './span.ts';

export interface Stall {
  /** When the sender asked for credits: it had been blocked before, for up to its max_block_time. */
  readonly since: number;
  readonly n: number;
  /** The last message before, which is when it can have blocked at the earliest; null: none was seen. */
  readonly lastSent: number | null;
  requests: number;
}

export class CreditTracker {
  /** By protocol: UFC, MFC. */
  readonly #open = new Map<string, Stall>();
  readonly waits = new SpanSum();
  replenishes = 0;

  get open(): number {
    return this.#open.size;
  }

  request(protocol: string, ts: number, n: number, lastSent: number | null): void {
    const stall = this.#open.get(protocol);
    if (stall === undefined) this.#open.set(protocol, { since: ts, n, lastSent, requests: 1 });
    else stall.requests++;
  }

  /** @returns the stall that these credits end */
  replenish(protocol: string, ts: number): Stall | null {
    this.replenishes++;
    const stall = this.#open.get(protocol);
    if (stall === undefined) return null;
    this.#open.delete(protocol);
    this.waits.add(ts - stall.since);
    return stall;
  }

  pending(): Iterable<readonly [string, Stall]> {
    return this.#open;
  }
}
