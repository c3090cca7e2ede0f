/**
 * Windows of numbered items, as every reliable protocol here has them: one that waits for acknowledgements, one
 * that puts arrivals in order. Semantics are those of JGroups' `util/Table`. Seqnos are whole numbers below 2^53.
 */

/** Items sent and not yet acknowledged: a contiguous range of seqnos. */
export class SendWindow<T> {
  /** Slots before `#head` are free; they are given back when they are half of the array. */
  /** Null: nothing was sent, or an idle peer gave it back. */
  #items: (T | undefined)[] | null = null;
  #head = 0;
  #acked: number;

  /** @param first seqno of the first item */
  constructor(first = 1) {
    this.#acked = first - 1;
  }

  /** Everything up to here is acknowledged. */
  get acked(): number {
    return this.#acked;
  }

  /** The highest seqno given out; equals `acked` if nothing is outstanding. */
  get highest(): number {
    return this.#acked + this.size;
  }

  get size(): number {
    return this.#items === null ? 0 : this.#items.length - this.#head;
  }

  /** The seqno that the next `push` will use. */
  get next(): number {
    return this.highest + 1;
  }

  push(item: T): void {
    (this.#items ??= []).push(item);
  }

  /** Undefined if the seqno is acknowledged or was not given out yet. */
  at(seqno: number): T | undefined {
    if (seqno <= this.#acked) return undefined;
    return this.#items?.[this.#head + seqno - this.#acked - 1];
  }

  /** Forgets all up to `seqno` (at most up to `highest`), handing each item to `acknowledged` in order. */
  acknowledge(seqno: number, acknowledged: (item: T, seqno: number) => void): void {
    const items = this.#items;
    if (items === null) return;
    const last = Math.min(seqno, this.highest);
    while (this.#acked < last) {
      const item = items[this.#head] as T;
      items[this.#head++] = undefined;
      this.#acked++;
      acknowledged(item, this.#acked);
    }
    if (this.#head === items.length) {
      this.#items = null; // an idle peer has no array
      this.#head = 0;
    } else if (this.#head > 64 && this.#head * 2 > items.length) {
      items.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

/** Items received, given out in order and once. */
export class ReceiveWindow<T> {
  /** The item after the last one given out, where most arrive. */
  #next: T | undefined;
  /** Later ones; null while there are none, as with most peers. */
  #later: Map<number, T> | null = null;
  readonly #maxAhead: number;
  #delivered: number;
  #highest: number;

  /**
   * @param first the seqno that is expected first
   * @param maxAhead how far ahead of what was given out a seqno may be; a bound on memory
   */
  constructor(first: number, maxAhead: number) {
    this.#delivered = first - 1;
    this.#highest = first - 1;
    this.#maxAhead = maxAhead;
  }

  /** Highest seqno that was given out; there is no gap below it. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Highest seqno that was received. */
  get highest(): number {
    return this.#highest;
  }

  get waiting(): number {
    return (this.#next === undefined ? 0 : 1) + (this.#later?.size ?? 0);
  }

  /** What waits under this seqno. */
  at(seqno: number): T | undefined {
    return seqno === this.#delivered + 1 ? this.#next : this.#later?.get(seqno);
  }

  /** How many seqnos are missing up to the highest. */
  get gaps(): number {
    return this.#highest - this.#delivered - this.waiting;
  }

  get hasGap(): boolean {
    return this.gaps > 0;
  }

  /** `duplicate`: given out or stored already. `beyond`: further ahead than the window reaches; not stored. */
  add(seqno: number, item: T): 'added' | 'duplicate' | 'beyond' {
    if (seqno <= this.#delivered || this.at(seqno) !== undefined) return 'duplicate';
    if (seqno - this.#delivered > this.#maxAhead) return 'beyond';
    if (seqno > this.#highest) this.#highest = seqno;
    if (seqno === this.#delivered + 1) this.#next = item;
    else (this.#later ??= new Map<number, T>()).set(seqno, item);
    return 'added';
  }

  /** The next item in order, once; undefined while it is missing. */
  next(): T | undefined {
    const item = this.#next;
    if (item === undefined) return undefined;
    this.#delivered++;
    this.#next = this.#takeLater(this.#delivered + 1);
    return item;
  }

  #takeLater(seqno: number): T | undefined {
    const item = this.#later?.get(seqno);
    if (item === undefined) return undefined;
    this.#later?.delete(seqno);
    if (this.#later?.size === 0) this.#later = null;
    return item;
  }

  /** Gives up what is missing below `seqno`, handing what waits there to `dropped`. */
  skipTo(seqno: number, dropped: (item: T) => void = () => undefined): void {
    if (seqno - 1 <= this.#delivered) return;
    if (this.#next !== undefined) dropped(this.#next);
    for (const [waiting, item] of this.#later ?? []) {
      if (waiting >= seqno) continue;
      this.#later?.delete(waiting);
      dropped(item);
    }
    this.#delivered = seqno - 1;
    this.#next = this.#takeLater(seqno);
    this.#highest = Math.max(this.#highest, this.#delivered);
  }

  /** Seqnos between what was given out and the highest received that are not there, ascending. */
  missing(limit: number): number[] {
    const missing: number[] = [];
    if (!this.hasGap) return missing;
    const end = Math.min(this.#highest, this.#delivered + 1 + limit);
    for (let seqno = this.#delivered + 1; seqno < end; seqno++)
      if (this.at(seqno) === undefined) missing.push(seqno);
    return missing;
  }
}
