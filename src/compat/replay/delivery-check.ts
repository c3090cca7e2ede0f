/** How two sequences differ; `delivered` and `expected` are their lengths, without what does not count. */
export interface DeliveryDifference {
  readonly delivered: number;
  readonly expected: number;
  readonly missing: number;
  readonly extra: number;
  /** Delivered after one that it should have come before. */
  readonly outOfOrder: number;
  /** The first few ids of each. */
  readonly missingIds: readonly string[];
  readonly extraIds: readonly string[];
}

interface Entry {
  readonly id: string;
  /** If it has no partner it is not counted. */
  readonly excusable: boolean;
}

const MAX_EXAMPLES = 3;

/**
 * Holds what a member delivers of one sender against what it should have delivered. Either side may be ahead; what
 * agrees is forgotten at once, so that memory holds only the difference.
 */
export class DeliveryCheck {
  #expected: Entry[] = [];
  #delivered: Entry[] = [];
  /** Entries before it agree. */
  #head = 0;
  /** Of messages without an order: expected less delivered, by id. */
  readonly #unordered = new Map<string, number>();
  readonly #excused = new Map<string, number>();
  #agreed = 0;

  expect(id: string, ordered: boolean, excusable = false): void {
    if (ordered) {
      this.#expected.push({ id, excusable });
      this.#settle();
    } else this.#count(id, 1, excusable);
  }

  deliver(id: string, ordered: boolean, excusable = false): void {
    if (ordered) {
      this.#delivered.push({ id, excusable });
      this.#settle();
    } else this.#count(id, -1, excusable);
  }

  #settle(): void {
    for (;;) {
      const expected = this.#expected[this.#head];
      if (expected === undefined || expected.id !== this.#delivered[this.#head]?.id) break;
      this.#head++;
      this.#agreed++;
    }
    if (this.#head < 1024 || this.#head * 2 < this.#expected.length) return;
    this.#expected = this.#expected.slice(this.#head);
    this.#delivered = this.#delivered.slice(this.#head);
    this.#head = 0;
  }

  #count(id: string, change: 1 | -1, excusable: boolean): void {
    const before = this.#unordered.get(id) ?? 0;
    const after = before + change;
    if (after === 0) this.#unordered.delete(id);
    else this.#unordered.set(id, after);
    if (Math.abs(after) < Math.abs(before)) this.#agreed++;
    if (excusable) this.#excused.set(id, (this.#excused.get(id) ?? 0) + change);
  }

  difference(): DeliveryDifference {
    const missing: string[] = [];
    const extra: string[] = [];
    const { common, outOfOrder } = this.#ordered(missing, extra);
    for (const [id, count] of this.#unordered) {
      const excused = this.#excused.get(id) ?? 0;
      const counted = count > 0 ? count - Math.max(0, excused) : count - Math.min(0, excused);
      for (let i = 0; i < Math.abs(counted); i++) (count > 0 ? missing : extra).push(id);
    }
    const matched = this.#agreed + common;
    return {
      delivered: matched + extra.length,
      expected: matched + missing.length,
      missing: missing.length,
      extra: extra.length,
      outOfOrder,
      missingIds: missing.slice(0, MAX_EXAMPLES),
      extraIds: extra.slice(0, MAX_EXAMPLES),
    };
  }

  /** From the first ordered message on that disagrees. */
  #ordered(missing: string[], extra: string[]): { common: number; outOfOrder: number } {
    const positions = new Map<string, number[]>();
    const expected = this.#expected.slice(this.#head);
    expected.forEach(({ id }, i) => {
      const list = positions.get(id);
      if (list === undefined) positions.set(id, [i]);
      else list.push(i);
    });
    const found = new Set<number>();
    let last = -1;
    let outOfOrder = 0;
    for (const { id, excusable } of this.#delivered.slice(this.#head)) {
      const position = positions.get(id)?.shift();
      if (position === undefined) {
        if (!excusable) extra.push(id);
        continue;
      }
      found.add(position);
      if (position < last) outOfOrder++;
      last = Math.max(last, position);
    }
    expected.forEach(({ id, excusable }, i) => {
      if (!found.has(i) && !excusable) missing.push(id);
    });
    return { common: found.size, outOfOrder };
  }
}
