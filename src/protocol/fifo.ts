/** A queue in an array whose used-up head is cut off now and then: `Array.shift` moves all of a long one. */
export class Fifo<T> {
  /** Null until there is an item: most queues of an idle member never have one. */
  #items: (T | undefined)[] | null = null;
  #head = 0;

  get length(): number {
    return this.#items === null ? 0 : this.#items.length - this.#head;
  }

  push(item: T): void {
    (this.#items ??= []).push(item);
  }

  /** The item `index` places behind the head. */
  at(index: number): T | undefined {
    return this.#items?.[this.#head + index];
  }

  shift(): T | undefined {
    const items = this.#items;
    if (items === null || this.#head === items.length) return undefined;
    const item = items[this.#head];
    items[this.#head++] = undefined;
    if (this.#head === items.length) {
      items.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
