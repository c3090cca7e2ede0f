import { performance } from 'node:perf_hooks';

import type { Timer } from '../protocol/environment.ts';

/** setTimeout takes a signed 32-bit number of milliseconds and treats a larger one as 1. */
const MAX_TIMEOUT_MS = 0x7fff_ffff;

/**
 * A timeout that fires so late was held up: the process was stopped, or its loop was busy. What peers sent meanwhile is
 * read first, or they would be taken for silent.
 */
const LATE_MS = 100;

/**
 * One-shot timer that can be moved for each message at no cost: a later deadline only changes a number, and the
 * timeout that fires too early is armed again for the rest.
 */
export class NodeTimer implements Timer {
  readonly #callback: () => void;
  #deadlineMs = Infinity;
  #timeout: NodeJS.Timeout | null = null;
  /** For what is due already: a timeout takes a millisecond at least. */
  #immediate: NodeJS.Immediate | null = null;
  /** When the armed timeout fires. */
  #firesAtMs = Infinity;

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  /** @param deadlineMs on the clock of `performance.now()`; Infinity clears the timer */
  set(deadlineMs: number): void {
    if (deadlineMs === Infinity) {
      this.clear();
      return;
    }
    this.#deadlineMs = deadlineMs;
    if (deadlineMs <= performance.now()) this.#immediate ??= setImmediate(this.#fire);
    else if (this.#timeout === null || deadlineMs < this.#firesAtMs) this.#arm();
  }

  clear(): void {
    this.#deadlineMs = Infinity;
    this.#disarm();
  }

  #disarm(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timeout = null;
    this.#immediate = null;
  }

  #arm(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    const now = performance.now();
    const delay = Math.min(Math.max(0, Math.ceil(this.#deadlineMs - now)), MAX_TIMEOUT_MS);
    this.#firesAtMs = now + delay;
    this.#timeout = setTimeout(this.#handleTimeout, delay);
  }

  readonly #handleTimeout = (): void => {
    this.#timeout = null;
    // sockets are read between timeouts and immediates
    if (performance.now() >= this.#firesAtMs + LATE_MS) this.#immediate ??= setImmediate(this.#fire);
    else this.#fire();
  };

  readonly #fire = (): void => {
    this.#disarm();
    // Node's timers run on a cached, whole-millisecond clock and may fire a fraction early.
    if (performance.now() < this.#deadlineMs) {
      if (this.#deadlineMs !== Infinity) this.#arm();
      return;
    }
    this.#deadlineMs = Infinity;
    this.#callback();
  };
}
