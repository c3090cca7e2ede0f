import { LocalProtocolError } from './errors.ts';

/** Bounds of what is pending, for one recipient and in all. Given as options; what is left out has a default. */
export interface LimitOptions {
  /** Messages pending for a recipient above which `send` says `writable: false`. Default 16,384. */
  readonly highWaterMessages?: number;
  /** Messages pending for a recipient above which `send` refuses. Default 65,536. */
  readonly hardLimitMessages?: number;
  /**
   * Bytes pending for all recipients together above which `send` refuses; past half of it, it says `writable: false`.
   * A recipient with less than 64 KiB and 64 messages pending is served all the same: others' being stuck is not its
   * fault. A payload counts once for each recipient. Default 256 MiB.
   */
  readonly totalBytes?: number;
  /** The same in messages. Default 524,288. */
  readonly totalMessages?: number;
  /** What high-priority messages may take beyond each limit, as a share of it, from 0 to 1. Default 1/8. */
  readonly highPriorityShare?: number;
}

/**
 * Room for four seconds of 1 KiB messages at 1,000 a second, per recipient. Both stacks hear of deliveries within
 * milliseconds when there is much to send, so more would not make them faster.
 */
export const DEFAULT_HIGH_WATER_BYTES = 4 * 1024 * 1024;

/** Four times the mark at which callers were asked to stop: who ignores that for so long is not going to stop. */
export const DEFAULT_HARD_LIMIT_BYTES = 16 * 1024 * 1024;

/** Reached before the mark in bytes by messages of less than 192 bytes, of which the bookkeeping is the larger part. */
export const DEFAULT_HIGH_WATER_MESSAGES = 16_384;

/** Four times the mark, as with bytes. */
export const DEFAULT_HARD_LIMIT_MESSAGES = 65_536;

/** Sixteen recipients at their hard limit: more of a cluster than that being stuck is no case for more memory. */
export const DEFAULT_TOTAL_BYTES = 256 * 1024 * 1024;

/** Eight recipients at their hard limit. */
export const DEFAULT_TOTAL_MESSAGES = 524_288;

/** High-priority messages are few and small: Geode's are those of membership. */
export const DEFAULT_HIGH_PRIORITY_SHARE = 1 / 8;

/** What one message pending costs beside its payload, so that a flood of empty ones is bounded as well. */
export const MESSAGE_OVERHEAD_BYTES = 64;

/** With no more pending than this a recipient does not feel the limit on all: about one write to its socket. */
export const GUARANTEED_BYTES = 64 * 1024;
export const GUARANTEED_MESSAGES = 64;

export interface QueueLimits {
  readonly highWaterBytes: number;
  readonly hardLimitBytes: number;
  readonly highWaterMessages: number;
  readonly hardLimitMessages: number;
  readonly highPriorityShare: number;
}

export interface LimitSettings {
  readonly highWaterBytes?: number;
  readonly hardLimitBytes?: number;
  readonly limits?: LimitOptions;
}

/** @throws {LocalProtocolError} `ERR_OPTIONS` if a limit is not positive or the marks are the wrong way round */
export function queueLimits({ limits = {}, ...bytes }: LimitSettings): QueueLimits {
  const highWaterBytes = bytes.highWaterBytes ?? DEFAULT_HIGH_WATER_BYTES;
  const hardLimitBytes = bytes.hardLimitBytes ?? Math.max(DEFAULT_HARD_LIMIT_BYTES, highWaterBytes);
  const hardLimitMessages =
    limits.hardLimitMessages ?? Math.max(DEFAULT_HARD_LIMIT_MESSAGES, limits.highWaterMessages ?? 0);
  const highWaterMessages =
    limits.highWaterMessages ?? Math.min(DEFAULT_HIGH_WATER_MESSAGES, hardLimitMessages);
  checkMarks('Bytes', highWaterBytes, hardLimitBytes);
  checkMarks('Messages', highWaterMessages, hardLimitMessages);
  return {
    highWaterBytes,
    hardLimitBytes,
    highWaterMessages,
    hardLimitMessages,
    highPriorityShare: highPriorityShare(limits),
  };
}

function checkMarks(unit: string, highWater: number, hardLimit: number): void {
  if (highWater > 0 && hardLimit >= highWater) return;
  throw new LocalProtocolError(
    'ERR_OPTIONS',
    `highWater${unit} ${highWater} must be positive and at most hardLimit${unit} ${hardLimit}`,
  );
}

function highPriorityShare({ highPriorityShare: share = DEFAULT_HIGH_PRIORITY_SHARE }: LimitOptions): number {
  if (share >= 0 && share <= 1) return share;
  throw new LocalProtocolError('ERR_OPTIONS', `limits.highPriorityShare ${share} is not in 0..1`);
}

/**
 * What is pending for all recipients together. A member's two stacks share one, so that the limit is the member's.
 */
export class PendingTotal {
  bytes = 0;
  messages = 0;
  readonly #bytesLimit: number;
  readonly #messagesLimit: number;
  readonly #share: number;
  readonly #listeners: (() => void)[] = [];
  /** Somebody was told to wait for its sake, and it has not fallen to half of the mark since. */
  #isAwaited = false;

  /** @throws {LocalProtocolError} `ERR_OPTIONS` if a limit is not positive */
  constructor(limits: LimitOptions = {}) {
    this.#bytesLimit = limits.totalBytes ?? DEFAULT_TOTAL_BYTES;
    this.#messagesLimit = limits.totalMessages ?? DEFAULT_TOTAL_MESSAGES;
    this.#share = highPriorityShare(limits);
    if (this.#bytesLimit > 0 && this.#messagesLimit > 0) return;
    const text = `limits.totalBytes ${this.#bytesLimit} and limits.totalMessages ${this.#messagesLimit}`;
    throw new LocalProtocolError('ERR_OPTIONS', `${text} must be positive`);
  }

  /** Called whenever there is room again for those that were told to wait. */
  onRoom(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether that much more goes in; one message always does. */
  admits(cost: number, highPriority: boolean): boolean {
    if (this.messages === 0) return true;
    const share = highPriority ? 1 + this.#share : 1;
    return this.bytes + cost <= this.#bytesLimit * share && this.messages < this.#messagesLimit * share;
  }

  get isPastMark(): boolean {
    return this.bytes > this.#bytesLimit / 2 || this.messages > this.#messagesLimit / 2;
  }

  get isAwaited(): boolean {
    return this.#isAwaited;
  }

  await(): void {
    this.#isAwaited = true;
  }

  add(bytes: number): void {
    this.bytes += bytes;
    this.messages++;
  }

  remove(bytes: number, messages: number): void {
    this.bytes -= bytes;
    this.messages -= messages;
    if (!this.#isAwaited) return;
    if (this.bytes > this.#bytesLimit / 4 || this.messages > this.#messagesLimit / 4) return;
    this.#isAwaited = false;
    for (const listener of this.#listeners) listener();
  }
}
