import type { Rng } from '../protocol/rng.ts';

/**
 * How long to wait before the next attempt: doubles from the first wait to the longest, each drawn from its upper
 * half at random, so that the members which lost the same peer do not come back in step.
 */
export class Reconnect {
  readonly #minMs: number;
  readonly #maxMs: number;
  #attempts = 0;

  constructor(limits: { readonly backoffMinMs: number; readonly backoffMaxMs: number }) {
    this.#minMs = limits.backoffMinMs;
    this.#maxMs = limits.backoffMaxMs;
  }

  /** Failures since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  nextDelayMs(rng: Rng): number {
    const ceiling = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(this.#attempts, 32));
    this.#attempts++;
    return ceiling * (0.5 + 0.5 * rng.next());
  }

  /** The peer did something useful. A mere connection is none: it may break each time at once. */
  handleSuccess(): void {
    this.#attempts = 0;
  }
}
