/**
 * What flow control lets one member send, by the rules of the wire (WIRE-3.6 section 9): each member of the view starts
 * with `maxCredits`, a message takes its bytes, a replenishment gives some back. For one that sends to several members
 * at once each of them counts.
 *
 * The sender counts no more than `maxCredits`. Here they add up: what it sends passes flow control before it waits for
 * acks, so credits may come for what we have not seen yet.
 */
export class CreditCheck {
  readonly #maxCredits: number;
  readonly #left = new Map<string, number>();

  constructor(maxCredits: number) {
    this.#maxCredits = maxCredits;
  }

  installView(others: ReadonlySet<string>): void {
    for (const member of this.#left.keys()) if (!others.has(member)) this.#left.delete(member);
    for (const member of others) if (!this.#left.has(member)) this.#left.set(member, this.#maxCredits);
  }

  replenish(member: string, amount: number): void {
    const left = this.#left.get(member);
    if (left !== undefined) this.#left.set(member, left + amount);
  }

  /**
   * @param member null: to all
   * @returns of whom there were too few credits for the message, or null; one larger than all credits takes them all
   */
  take(member: string | null, bytes: number): string | null {
    let debtor: string | null = null;
    for (const key of member === null ? this.#left.keys() : [member]) {
      const left = this.#left.get(key);
      if (left === undefined) continue;
      if (bytes > left && left < this.#maxCredits) debtor ??= key;
      this.#left.set(key, Math.max(0, left - bytes));
    }
    return debtor;
  }
}
