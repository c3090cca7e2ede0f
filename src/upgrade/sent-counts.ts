import type { View } from '../protocol/view.ts';

/** True once what had to happen before has happened, and from then on. */
export type Condition = () => boolean;

/** How many messages went one way, and how many of them have arrived. */
export class SentCount {
  #accepted = 0;
  /** Of those: without order. They may pass others, so that they are acknowledged first. */
  #unordered = 0;
  #acknowledged = 0;
  #isGone = false;

  accept(isOrdered: boolean): void {
    this.#accepted++;
    if (!isOrdered) this.#unordered++;
  }

  acknowledge(messages: number): void {
    this.#acknowledged += messages;
  }

  get pending(): number {
    return this.#accepted - this.#acknowledged;
  }

  /** The recipient left the view: nothing is waited for any more. */
  depart(): void {
    this.#isGone = true;
  }

  /**
   * The recipient has, in any case, all that was accepted so far. Acknowledgements say how many, not which: of what
   * comes later all that may pass is taken to have come first.
   */
  settled(): Condition {
    const accepted = this.#accepted - this.#unordered;
    return () => this.#isGone || this.#acknowledged >= accepted + this.#unordered;
  }
}

/** Of all members of the view, by uuid. */
export class SentCounts {
  readonly #counts = new Map<string, SentCount>();

  of(uuid: string): SentCount {
    let count = this.#counts.get(uuid);
    if (count === undefined) this.#counts.set(uuid, (count = new SentCount()));
    return count;
  }

  /** Nothing for one that has left. */
  acknowledge(uuid: string, messages: number): void {
    this.#counts.get(uuid)?.acknowledge(messages);
  }

  /** All of them, unless they leave, have what was accepted so far. */
  settled(): Condition {
    const waiting = new Set([...this.#counts.values()].map((count) => count.settled()));
    return () => {
      for (const isSettled of waiting) {
        if (!isSettled()) return false;
        waiting.delete(isSettled);
      }
      return true;
    };
  }

  installView(view: View): void {
    for (const [uuid, count] of this.#counts) {
      if (view.find(uuid) !== null) continue;
      count.depart();
      this.#counts.delete(uuid);
    }
  }
}
