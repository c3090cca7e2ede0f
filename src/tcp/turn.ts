/** Something that has gathered output and writes it at the end of the turn. */
export interface Flushable {
  /** Owned by `Turn`. */
  queued: boolean;
  flush(): void;
}

/**
 * One turn of the event loop's work for a messenger: whatever its events want written is gathered and goes out
 * once, when the outermost of them ends. Outside of an event (a `send` by the application) `wake` is called once,
 * for a turn to be made soon.
 */
export class Turn {
  readonly #wake: () => void;
  #dirty: Flushable[] = [];
  #depth = 0;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  add(item: Flushable): void {
    if (item.queued) return;
    item.queued = true;
    this.#dirty.push(item);
    if (this.#depth === 0 && this.#dirty.length === 1) this.#wake();
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
      while (this.#dirty.length > 0) {
        const items = this.#dirty;
        this.#dirty = [];
        for (const item of items) {
          item.queued = false;
          item.flush();
        }
      }
    } finally {
      this.#depth = 0;
    }
  }
}
