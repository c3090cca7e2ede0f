/** Timers are of milliseconds, a peer's garbage collection of tens: what is asked sooner is asked in vain. */
const LEAST_TIMEOUT_MS = 10;

/** Until there is a sample. */
const FIRST_TIMEOUT_MS = 100;

/** Past it the ticks of UNICAST3 do the same work. */
const MOST_TIMEOUT_MS = 500;

/** How long a peer takes to acknowledge what it acknowledges at once, smoothed as TCP does (RFC 6298). */
export class RoundTrip {
  #smoothedMs = 0;
  #deviationMs = 0;

  sample(ms: number): void {
    if (this.#smoothedMs === 0) {
      this.#smoothedMs = ms;
      this.#deviationMs = ms / 2;
    } else {
      this.#deviationMs += (Math.abs(this.#smoothedMs - ms) - this.#deviationMs) / 4;
      this.#smoothedMs += (ms - this.#smoothedMs) / 8;
    }
  }

  /** Without an answer for so long, something was lost, or the peer stands still. */
  get timeoutMs(): number {
    if (this.#smoothedMs === 0) return FIRST_TIMEOUT_MS;
    const timeoutMs = this.#smoothedMs + 4 * this.#deviationMs;
    return Math.min(MOST_TIMEOUT_MS, Math.max(LEAST_TIMEOUT_MS, timeoutMs));
  }

  /** What was sent so long ago and is passed by later datagrams was not merely overtaken. */
  get overtakenMs(): number {
    return this.#smoothedMs === 0 ? FIRST_TIMEOUT_MS : Math.max(2, 2 * this.#smoothedMs);
  }
}
