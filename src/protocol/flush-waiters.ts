import type { Environment, Timer } from './environment.ts';
import type { OutcomeLedger } from './outcomes.ts';

/** Callers of `Messenger.flush`. */
export class FlushWaiters {
  readonly #environment: Environment;
  readonly #ledger: OutcomeLedger;
  readonly #waiting = new Set<{ readonly resolve: (settled: boolean) => void; readonly timer: Timer }>();

  /** Takes the ledger's `onSettled`. */
  constructor(environment: Environment, ledger: OutcomeLedger) {
    this.#environment = environment;
    this.#ledger = ledger;
    ledger.onSettled = () => this.#release();
  }

  /** Resolves to true once nothing is pending, to false after `timeoutMs`. */
  wait(timeoutMs: number): Promise<boolean> {
    if (this.#ledger.pending === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = this.#environment.createTimer(() => {
        this.#waiting.delete(waiter);
        resolve(false);
      });
      const waiter = { resolve, timer };
      this.#waiting.add(waiter);
      timer.set(this.#environment.nowMs() + timeoutMs);
    });
  }

  #release(): void {
    for (const waiter of this.#waiting) {
      waiter.timer.clear();
      waiter.resolve(true);
    }
    this.#waiting.clear();
  }
}
