/** Where messengers say what an operator should know. Winston's loggers fit. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Keys remembered at once; all that are more than this share one line in each interval. */
const MAX_KEYS = 1_000;
const OTHERS = '';

/**
 * Lets one line per key through in each interval and counts the rest, so that a peer which sends rubbish fills
 * neither the log nor memory.
 */
export class RateLimitedLog {
  readonly #logger: Logger;
  readonly #intervalMs: number;
  readonly #last = new Map<string, { sinceMs: number; suppressed: number }>();
  #forgotMs = -Infinity;

  constructor(logger: Logger, intervalMs = 10_000) {
    this.#logger = logger;
    this.#intervalMs = intervalMs;
  }

  /** @param key what is limited: kind of complaint and who caused it */
  warn(key: string, nowMs: number, message: () => string): void {
    this.#limit('warn', key, nowMs, message);
  }

  /** As `warn`, for what is expected to happen. */
  info(key: string, nowMs: number, message: () => string): void {
    this.#limit('info', key, nowMs, message);
  }

  #limit(level: 'warn' | 'info', key: string, nowMs: number, message: () => string): void {
    if (!this.#last.has(key) && this.#last.size >= MAX_KEYS) this.#forget(nowMs);
    const own = this.#last.has(key) || this.#last.size < MAX_KEYS ? key : OTHERS;
    const last = this.#last.get(own);
    if (last !== undefined && nowMs - last.sinceMs < this.#intervalMs) {
      last.suppressed++;
      return;
    }
    const suppressed =
      last === undefined || last.suppressed === 0 ? '' : ` (${last.suppressed} more like this since)`;
    this.#last.set(own, { sinceMs: nowMs, suppressed: 0 });
    this.#logger[level](message() + suppressed);
  }

  /** Makes room; not more often than once in an interval, for it looks at all keys. */
  #forget(nowMs: number): void {
    if (nowMs - this.#forgotMs < this.#intervalMs) return;
    this.#forgotMs = nowMs;
    for (const [key, { sinceMs }] of this.#last)
      if (nowMs - sinceMs >= this.#intervalMs) this.#last.delete(key);
  }
}
