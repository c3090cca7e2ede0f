import type { Outcome } from './scenario.ts';

/** An outcome that can be handed from one process to another. */
export interface Line extends Omit<Outcome, 'failure'> {
  readonly subject: string;
  /** Null: the contract held. */
  readonly failure: string | null;
}

/** What many seeds came to. */
export class Totals {
  passed = 0;
  failed = 0;
  #virtualMs = 0;
  #sent = 0;
  #delivered = 0;
  readonly #subjects = new Map<string, number>();
  readonly #kinds = new Map<string, number>();
  readonly #network: Record<string, number> = {};

  add({ subject, kind, failure, virtualMs, sent, delivered, network }: Line): void {
    if (failure === null) this.passed++;
    else this.failed++;
    this.#virtualMs += virtualMs;
    this.#sent += sent;
    this.#delivered += delivered;
    this.#subjects.set(subject, (this.#subjects.get(subject) ?? 0) + 1);
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    for (const [name, count] of Object.entries(network))
      this.#network[name] = (this.#network[name] ?? 0) + count;
  }

  describe(realMs: number): string {
    const list = (counts: Iterable<readonly [string, number]>): string =>
      [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
    const rate = ((this.passed + this.failed) / (realMs / 1_000)).toFixed(1);
    return [
      `subjects: ${list(this.#subjects)}`,
      `scenarios: ${list(this.#kinds)}`,
      `network: ${list(Object.entries(this.#network))}`,
      `${this.passed} seeds passed, ${this.failed} failed (${rate} a second; ${Math.round(this.#virtualMs / 1_000)} ` +
        `virtual seconds, ${this.#sent} messages accepted, ${this.#delivered} delivered)`,
    ].join('\n');
  }
}
