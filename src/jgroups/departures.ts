/** Members that left and are remembered; past it the one that left first is forgotten. */
const MAX_DEPARTED = 1_000;

/** What is remembered of a member that left, lest its messages are delivered again if it comes back. */
export interface Departure {
  /** The last seqno of its group messages that was delivered here. */
  readonly delivered: number;
  readonly atMs: number;
}

export class Departures {
  readonly #departed = new Map<string, Departure>();

  add(member: string, departure: Departure): void {
    this.#departed.delete(member); // so that the order is that of age
    this.#departed.set(member, departure);
    if (this.#departed.size <= MAX_DEPARTED) return;
    for (const oldest of this.#departed.keys()) {
      this.#departed.delete(oldest);
      return;
    }
  }

  /** Null: it was never here, or so many left since. */
  take(member: string): Departure | null {
    const departure = this.#departed.get(member) ?? null;
    this.#departed.delete(member);
    return departure;
  }
}
