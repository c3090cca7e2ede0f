/** Never less: half of the smallest receive buffer that members have, which is Geode's default. */
const LEAST_BYTES = 32 * 1024;

/**
 * Two bundles fill the window: one is under way while the other is acknowledged, and a larger one costs less a message.
 * Where something was lost lately four do: the acks of three tell at once that the first is missing, else a timer must.
 */
const BUNDLES = 2;
const BUNDLES_AFTER_LOSS = 4;

/** By so much it grows in a round trip, once it does not double any more. */
const GROWTH_BYTES = 16 * 1024;

/** For so long after a loss the window stays below the size at which something was lost. */
const CEILING_MS = 5_000;

/**
 * How much may be under way to one receiver. As in TCP it doubles with each round trip at first, shrinks when something
 * was lost, and grows by a bundle a round trip after. A receive buffer of 64 KiB holds two bundles, so the first loss
 * comes soon there; acks that come at once find it in a round trip or two, and the size at which it came is kept off for
 * a while. Round trips are no guide as they are in TCP Vegas: where both processes share cores, at a garbage collection,
 * or with messages of 64 KiB, they vary more than a window that waits somewhere would make them.
 */
export class CongestionWindow {
  readonly #maxBytes: number;
  #bytes: number;
  /** Up to here it doubles. */
  #threshold = Infinity;
  #ceiling = Infinity;
  #ceilingEndMs = 0;

  constructor(initialBytes: number, maxBytes: number) {
    this.#bytes = initialBytes;
    this.#maxBytes = Math.max(initialBytes, maxBytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  bundleBytes(maxBundleSize: number): number {
    const bundles = this.#ceiling === Infinity ? BUNDLES : BUNDLES_AFTER_LOSS;
    return Math.min(maxBundleSize, this.#bytes / bundles);
  }

  /** Bytes were acknowledged, and more could have been sent had the window been larger. */
  handleAck(bytes: number, nowMs: number): void {
    if (nowMs >= this.#ceilingEndMs) this.#ceiling = Infinity;
    const growth = this.#bytes < this.#threshold ? bytes : (GROWTH_BYTES * bytes) / this.#bytes;
    const most = Math.max(this.#bytes, Math.min(this.#maxBytes, this.#ceiling));
    this.#bytes = Math.min(most, this.#bytes + growth);
  }

  /** Once for all that was under way together. */
  handleLoss(nowMs: number): void {
    this.#bytes = Math.max(LEAST_BYTES, this.#bytes * 0.7);
    this.#threshold = this.#bytes;
    this.#ceiling = this.#bytes;
    this.#ceilingEndMs = nowMs + CEILING_MS;
  }
}
