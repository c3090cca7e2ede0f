/** Which fragmented messages came whole (WIRE-3.6 section 8). */
import { MAX_FRAGMENTED, MAX_FRAGMENTS } from './limits.ts';

export interface Fragmented {
  readonly id: number;
  readonly total: number;
  readonly seen: Set<number>;
  readonly since: number;
  last: number;
}

export class FragmentTracker {
  readonly #open = new Map<number, Fragmented>();
  complete = 0;
  #dropped = 0;

  get incomplete(): number {
    return this.#dropped + this.#open.size;
  }

  /** @returns whether it completed the message; the oldest incomplete one has to go when there are too many */
  add(id: number, fragment: number, total: number, ts: number): boolean {
    let message = this.#open.get(id);
    // an id that comes again with another number of fragments is that of another message
    if (message?.total !== total) {
      if (message !== undefined) this.#dropped++;
      message = { id, total, seen: new Set(), since: ts, last: ts };
      this.#open.set(id, message);
      if (this.#open.size > MAX_FRAGMENTED) this.#dropOldest();
    }
    message.last = ts;
    if (message.seen.size < MAX_FRAGMENTS) message.seen.add(fragment);
    if (message.seen.size < total) return false;
    this.#open.delete(id);
    this.complete++;
    return true;
  }

  pending(): Iterable<Fragmented> {
    return this.#open.values();
  }

  /** Too many fragments to be told apart: nothing can be said of such a message. */
  static isTraceable(message: Fragmented): boolean {
    return message.total <= MAX_FRAGMENTS;
  }

  #dropOldest(): void {
    for (const id of this.#open.keys()) {
      this.#open.delete(id);
      this.#dropped++;
      return;
    }
  }
}
