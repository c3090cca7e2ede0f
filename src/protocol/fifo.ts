/** Room at first: most queues hold a message or two at a time. */
const FIRST_ITEMS = 4;

/** An array that has grown beyond is not kept for an empty queue. */
const KEPT_ITEMS = 64;

/** A queue in an array whose used-up head is cut off now and then: `Array.shift` moves all of a long one. */
export class Fifo<T> {
  /** Null until there is an item: most queues of an idle member never have one. */
  #items: (T | undefined)[] | null = null;
  #head = 0;
  /** Behind the last item; the array may go on, for V8 takes long to shorten one. */
  #end = 0;

  get length(): number {
    return this.#end - this.#head;
  }

  push(item: T): void {
    (this.#items ??= new Array<T | undefined>(FIRST_ITEMS))[this.#end++] = item;
  }

  /** The item `index` places behind the head. */
  at(index: number): T | undefined {
    return this.#items?.[this.#head + index];
  }

  shift(): T | undefined {
    const items = this.#items;
    if (items === null || this.#head === this.#end) return undefined;
    const item = items[this.#head];
    items[this.#head++] = undefined;
    if (this.#head === this.#end) {
      if (items.length > KEPT_ITEMS) this.#items = null;
      this.#head = this.#end = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#end) {
      this.#items = items.slice(this.#head, this.#end);
      this.#end -= this.#head;
      this.#head = 0;
    }
    return item;
  }
}
