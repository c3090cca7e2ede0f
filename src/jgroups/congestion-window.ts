/** Never less: half of the smallest receive buffer that members have, which is Geode's default. */
const LEAST_BYTES = 32 * 1024;

/**
 * Two bundles fill the window: one is under way while the other is acknowledged, and a larger one costs less a message.
 * Where something was lost lately four do: the acks of three tell at once that the first is missing, else a timer must.
 */
const BUNDLES = 2;
const BUNDLES_AFTER_LOSS = 4;

/**
 * What may wait at the receiver, as far as round trips tell, before the window grows no faster than by trying: half
 * of the smallest receive buffer that members have (64 KiB, Geode's default).
 */
const QUEUED_BYTES = 32 * 1024;

/** By so much it grows in a round trip, once it does not double any more. */
const GROWTH_BYTES = 16 * 1024;

/** Growth where round trips speak against it, compared with growth where they do not. */
const TRYING = 1 / 64;

/** For so long after a loss the window stays below the size at which something was lost. */
const CEILING_MS = 5_000;

/**
 * How much may be under way to one receiver. As in TCP it doubles with each round trip at first and grows by a bundle
 * after, and shrinks when something was lost. Unlike in TCP a loss is to be rare: a receive buffer of 64 KiB holds two
 * bundles. So longer round trips, which say that bundles wait there, slow it down before (as in TCP Vegas).
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

  /**
   * Bytes were acknowledged, and more could have been sent had the window been larger.
   * @param roundTripMs as just measured, or as it was last
   * @param shortestMs Infinity: not known
   */
  handleAck(bytes: number, roundTripMs: number, shortestMs: number, nowMs: number): void {
    if (nowMs >= this.#ceilingEndMs) this.#ceiling = Infinity;
    const queued = shortestMs < roundTripMs ? this.#bytes * (1 - shortestMs / roundTripMs) : 0;
    const isFree = queued < QUEUED_BYTES || process.env['PURE'] === '1';
    if (!isFree && this.#threshold === Infinity) this.#threshold = this.#bytes;
    const linear = (GROWTH_BYTES * bytes) / this.#bytes;
    const growth = this.#bytes < this.#threshold ? bytes : linear * (isFree ? 1 : TRYING);
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
