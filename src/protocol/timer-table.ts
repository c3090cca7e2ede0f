/** The deadlines of one core: a name to a time. A timeout that comes too early or for nothing is a no-op. */
export class TimerTable<Name extends string> {
  readonly #deadlines = new Map<Name, number>();

  set(name: Name, deadlineMs: number): void {
    this.#deadlines.set(name, deadlineMs);
  }

  clear(name: Name): void {
    this.#deadlines.delete(name);
  }

  isSet(name: Name): boolean {
    return this.#deadlines.has(name);
  }

  /** True, and the timer is cleared, if it was due. */
  expire(name: Name, nowMs: number): boolean {
    const deadline = this.#deadlines.get(name);
    if (deadline === undefined || deadline > nowMs) return false;
    this.#deadlines.delete(name);
    return true;
  }

  /** The earliest deadline, or Infinity. */
  next(): number {
    let earliest = Infinity;
    for (const deadline of this.#deadlines.values()) if (deadline < earliest) earliest = deadline;
    return earliest;
  }
}
