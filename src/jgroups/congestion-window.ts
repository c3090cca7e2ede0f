/** Never less: two bundles of 8 KiB, so that one is under way while the other is acknowledged. */
const LEAST_BYTES = 16 * 1024;
const LEAST_BUNDLE_BYTES = 8 * 1024;

/**
 * What may wait at the receiver, as far as round trips tell, before the window grows no faster than by trying: half
 * of the smallest receive buffer that members have (64 KiB, Geode's default).
 */
const QUEUED_BYTES = 32 * 1024;

/** Growth where round trips speak against it, compared with growth where they do not. */
const TRYING = 1 / 64;

/** For so long after a loss the window stays below the size at which something was lost. */
const CEILING_MS = 10_000;

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

  /** Two of them fill the window. */
  bundleBytes(maxBundleSize: number): number {
    return Math.min(maxBundleSize, Math.max(LEAST_BUNDLE_BYTES, this.#bytes / 2));
  }

  /**
   * Bytes were acknowledged, and more could have been sent had the window been larger.
   * @param roundTripMs as just measured, or as it was last
   * @param shortestMs Infinity: not known
   */
  handleAck(bytes: number, roundTripMs: number, shortestMs: number, nowMs: number): void {
    if (nowMs >= this.#ceilingEndMs) this.#ceiling = Infinity;
    const queued = shortestMs < roundTripMs ? this.#bytes * (1 - shortestMs / roundTripMs) : 0;
    const isFree = queued < QUEUED_BYTES;
    if (!isFree && this.#threshold === Infinity) this.#threshold = this.#bytes;
    const linear = (this.bundleBytes(64_000) * bytes) / this.#bytes;
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
