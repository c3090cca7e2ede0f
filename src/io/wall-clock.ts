/** How far the system's clock may be from where it was expected before we take it that it was set. */
const MAX_DEVIATION_MS = 20;

const CHECK_INTERVAL_MS = 1_000;

/**
 * Microseconds since the epoch. `Date.now()` has milliseconds only: the monotonic clock counts on from it, and
 * follows when the system's clock is set or the machine was asleep.
 */
export class WallClock {
  #offsetMs = performance.timeOrigin;
  #nextCheckMs = 0;

  micros(): number {
    const monotonicMs = performance.now();
    if (monotonicMs >= this.#nextCheckMs) {
      this.#nextCheckMs = monotonicMs + CHECK_INTERVAL_MS;
      const offsetMs = Date.now() - monotonicMs;
      if (Math.abs(offsetMs - this.#offsetMs) > MAX_DEVIATION_MS) this.#offsetMs = offsetMs;
    }
    return Math.floor((this.#offsetMs + monotonicMs) * 1000);
  }
}
