/** A datagram on its way. */
export interface Flight {
  readonly atMs: number;
  readonly bytes: Buffer;
  /** Its sender. */
  readonly host: string;
  readonly port: number;
  /** `host:port` of where it goes. */
  readonly place: string;
}

/** Datagrams on their way, the next to arrive first; those of one time in the order in which they were sent. */
export class FlightQueue {
  /** A binary heap. */
  readonly #heap: { readonly flight: Flight; readonly order: number }[] = [];
  #order = 0;

  /** Infinity: none. */
  get nextMs(): number {
    return this.#heap[0]?.flight.atMs ?? Infinity;
  }

  add(flight: Flight): void {
    const heap = this.#heap;
    let at = heap.push({ flight, order: this.#order++ }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** The next one that has arrived by `nowMs`, or null. */
  take(nowMs: number): Flight | null {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.flight.atMs > nowMs) return null;
    const last = heap.pop();
    if (heap.length > 0 && last !== undefined) {
      heap[0] = last;
      this.#sink();
    }
    return first.flight;
  }

  #sink(): void {
    const { length } = this.#heap;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < length && this.#isBefore(left, least)) least = left;
      if (right < length && this.#isBefore(right, least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return false;
    const byTime = one.flight.atMs - other.flight.atMs;
    return byTime < 0 || (byTime === 0 && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
