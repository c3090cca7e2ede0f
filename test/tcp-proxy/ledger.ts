/** What the recipient of a stream of messages must not see. */
export type Breach = 'lost' | 'repeated' | 'out of order' | 'damaged';

/** Both ends of one direction: every accepted message comes once, ordered ones in order. Numbers start at 1. */
export class Ledger {
  readonly #outstanding = new Set<number>();
  readonly #name: string;
  readonly #isOrdered: boolean;
  #sent = 0;
  #lastDelivered = 0;
  delivered = 0;
  /** The first few things that were wrong. */
  readonly breaches: string[] = [];

  constructor(name: string, isOrdered: boolean) {
    this.#name = name;
    this.#isOrdered = isOrdered;
  }

  get sent(): number {
    return this.#sent;
  }

  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** The number of the next message, which is taken as accepted. */
  accept(): number {
    this.#sent++;
    this.#outstanding.add(this.#sent);
    return this.#sent;
  }

  /** The number that was given out last was not accepted after all. */
  refuse(): void {
    this.#outstanding.delete(this.#sent);
    this.#sent--;
  }

  deliver(number: number): void {
    this.delivered++;
    if (!this.#outstanding.delete(number)) this.breach('repeated', number);
    if (this.#isOrdered && number !== this.#lastDelivered + 1) this.breach('out of order', number);
    this.#lastDelivered = number;
  }

  breach(what: Breach, number: number): void {
    if (this.breaches.length < 5) {
      this.breaches.push(`${this.#name}: message ${number} ${what}, after ${this.#lastDelivered}`);
    }
  }

  /** Nothing more will come. */
  close(): void {
    for (const number of this.#outstanding) this.breach('lost', number);
  }
}
