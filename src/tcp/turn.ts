/** Something that has gathered output and writes it at the end of the turn. */
export interface Flushable {
  /** Owned by `Turn`. */
  queued: boolean;
  flush(): void;
}

/** An array that has grown beyond, in a turn with very many recipients, is not kept. */
const MAX_KEPT_ITEMS = 1_024;

/**
 * One turn of the event loop's work for a messenger: whatever its events want written is gathered and goes out
 * once, when the outermost of them ends. Outside of an event (a `send` by the application) `wake` is called once,
 * for a turn to be made soon.
 */
export class Turn {
  readonly #wake: () => void;
  /** Reused, for there is a turn for each message of light traffic; those before `#next` are flushed. */
  #dirty: (Flushable | undefined)[] = [];
  #next = 0;
  #count = 0;
  #depth = 0;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  add(item: Flushable): void {
    if (item.queued) return;
    item.queued = true;
    this.#dirty[this.#count++] = item;
    if (this.#depth === 0 && this.#count === 1) this.#wake();
  }

  enter(): void {
    this.#depth++;
  }

  /** Flushing may add items again: they are flushed in the same turn. */
  leave(): void {
    if (this.#depth > 1) {
      this.#depth--;
      return;
    }
    try {
      while (this.#next < this.#count) {
        const item = this.#dirty[this.#next] as Flushable;
        this.#dirty[this.#next++] = undefined;
        item.queued = false;
        item.flush();
      }
      this.#next = 0;
      this.#count = 0;
      if (this.#dirty.length > MAX_KEPT_ITEMS) this.#dirty = [];
    } finally {
      this.#depth = 0;
    }
  }
}
