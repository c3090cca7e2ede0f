import type { MemberId } from './member-id.ts';
import type { PeerOutcomes } from './outcomes.ts';
import { GUARANTEED_BYTES, GUARANTEED_MESSAGES, type PendingTotal, type QueueLimits } from './send-limits.ts';

/** A member of the view as the sending side sees it: what is pending for it, and whether there is room for more. */
export class Recipient {
  readonly outcomes: PeerOutcomes;
  /** It is this member. */
  readonly isSelf: boolean;
  readonly #limits: QueueLimits;
  readonly #total: PendingTotal;
  #waiting: ((ready: boolean) => void)[] | null = null;
  pendingBytes = 0;
  /** `send` said `writable: false` for it. */
  awaitsRoom = false;
  /** A message was refused: so are all ordinary ones until there is room, lest smaller ones overtake it. */
  refuses = false;

  constructor(outcomes: PeerOutcomes, isSelf: boolean, limits: QueueLimits, total: PendingTotal) {
    this.outcomes = outcomes;
    this.isSelf = isSelf;
    this.#limits = limits;
    this.#total = total;
  }

  /** As the newest view has it. */
  get member(): MemberId {
    return this.outcomes.member;
  }

  /** False: it is to be refused. High-priority messages have their own reserve, and nothing that they overtake. */
  checkRoom(cost: number, highPriority: boolean): boolean {
    if (highPriority) {
      if (this.#admits(cost, true)) return true;
      this.awaitsRoom = true;
      return false;
    }
    if (!this.refuses && this.#admits(cost, false)) return true;
    this.refuse();
    return false;
  }

  refuse(): void {
    this.refuses = true;
    this.awaitsRoom = true;
  }

  accept(cost: number): void {
    this.pendingBytes += cost;
    this.#total.add(cost);
    this.outcomes.accept();
  }

  /** It acknowledged so many. The total is told by the caller, once its own state is in order. */
  settle(bytes: number, messages: number): void {
    this.pendingBytes -= bytes;
    this.outcomes.deliver(messages);
  }

  /** True: the caller has to wait, and `awaitsRoom`. */
  checkMark(): boolean {
    const { highWaterBytes, highWaterMessages } = this.#limits;
    const isPast = this.pendingBytes > highWaterBytes || this.outcomes.pending > highWaterMessages;
    if (!isPast && !this.refuses && !this.#feelsTotal()) return false;
    this.awaitsRoom = true;
    return true;
  }

  /** Less than half of what made the caller wait. */
  get hasRoom(): boolean {
    const { highWaterBytes, highWaterMessages } = this.#limits;
    const { pending } = this.outcomes;
    if (this.pendingBytes > highWaterBytes / 2 || pending > highWaterMessages / 2) return false;
    return !this.#total.isAwaited || this.#isWithinGuaranteed(0);
  }

  /** Resolves by `announce`. */
  wait(): Promise<boolean> {
    return new Promise((resolve) => {
      (this.#waiting ??= []).push(resolve);
    });
  }

  /** Nobody has to wait any more. @param ready false: it is of no use either */
  announce(ready: boolean): void {
    this.awaitsRoom = false;
    this.refuses = false;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) for (const resolve of waiting) resolve(ready);
  }

  #admits(cost: number, highPriority: boolean): boolean {
    const { hardLimitBytes, hardLimitMessages, highPriorityShare } = this.#limits;
    const { pending } = this.outcomes;
    const share = highPriority ? 1 + highPriorityShare : 1;
    // one message is always taken, however large
    if (
      pending > 0 &&
      (this.pendingBytes + cost > hardLimitBytes * share || pending >= hardLimitMessages * share)
    )
      return false;
    if (this.#total.admits(cost, highPriority) || this.#isWithinGuaranteed(cost)) return true;
    this.#total.await();
    return false;
  }

  #feelsTotal(): boolean {
    if (!this.#total.isPastMark || this.#isWithinGuaranteed(0)) return false;
    this.#total.await();
    return true;
  }

  #isWithinGuaranteed(cost: number): boolean {
    return this.pendingBytes + cost <= GUARANTEED_BYTES && this.outcomes.pending < GUARANTEED_MESSAGES;
  }
}
