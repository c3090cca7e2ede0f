import { type Address, addressKey } from '../../codecs/jgroups/message.ts';
import type { ProtocolContext } from './context.ts';
import { type Credit, creditCost, FlowControl, IN_ORDER_FLAGS, mayPassQueue } from './flow-control.ts';
import type { OutMessage } from './protocol.ts';
import { NOBODY_WAITED_FOR, type Wait, type Waits } from './stall-watch.ts';

interface MemberCredit extends Credit {
  /** Messages that wait for credits, oldest first; `NOTHING_WAITS` while there are none. */
  queue: OutMessage[];
  /** When to ask for credits; meaningful while the queue is not empty. */
  requestAtMs: number;
  /** When the first of the queue came to wait. */
  blockedAtMs: number;
  /** In all, but for the present time. */
  blockedMs: number;
}

/** One for all members, never pushed to: most never wait, and thousands of idle ones are to take little. */
const NOTHING_WAITS: OutMessage[] = [];

/** Flow control of unicasts: a queue per member, so that a slow one delays no other. */
export class UFC extends FlowControl<MemberCredit> {
  /** Those that have a queue: deadlines are looked up for every message, blocked members are rare. */
  readonly #blocked = new Set<MemberCredit>();

  constructor(context: ProtocolContext) {
    super('UFC', context);
  }

  down(message: OutMessage, nowMs: number): void {
    const credit = message.dest === null ? undefined : this.credits.get(addressKey(message.dest));
    if (credit === undefined || this.#mayPass(credit, message)) {
      this.below.down(message, nowMs);
      return;
    }
    if (credit.queue !== NOTHING_WAITS) {
      credit.queue.push(message);
      return;
    }
    credit.queue = [message];
    this.context.counters.blocked++;
    credit.blockedAtMs = nowMs;
    credit.requestAtMs = nowMs + this.context.config.maxBlockTimeMs;
    this.#blocked.add(credit);
    this.#askIfStalled(credit, nowMs);
  }

  #askIfStalled({ queue, left }: MemberCredit, nowMs: number): void {
    const dest = queue[0]?.dest ?? null;
    if (dest !== null && this.isStalled(left)) this.requestCredits(dest, left, nowMs, IN_ORDER_FLAGS);
  }

  protected createCredit(_member: Address, maxCredits: number): MemberCredit {
    return {
      left: maxCredits,
      received: maxCredits,
      grants: 0,
      queue: NOTHING_WAITS,
      requestAtMs: 0,
      blockedAtMs: 0,
      blockedMs: 0,
    };
  }

  /** What waited for credits goes with them: the messenger has said `memberLeft`. */
  protected dropCredit(credit: MemberCredit): void {
    this.#blocked.delete(credit);
  }

  /** `blockedMs` up to now. Null: it is no member. */
  peerStats(
    member: string,
    nowMs: number,
  ): { readonly credits: number; readonly queue: number; readonly blockedMs: number } | null {
    const credit = this.credits.get(member);
    if (credit === undefined) return null;
    const { left, queue, blockedAtMs, blockedMs } = credit;
    const waitingMs = queue.length > 0 ? nowMs - blockedAtMs : 0;
    return { credits: left, queue: queue.length, blockedMs: blockedMs + waitingMs };
  }

  /**
   * Members whose credits messages wait for.
   * @param progress another number for a member whenever it took something all the same
   */
  waits(progress: (member: string) => number): Waits {
    if (this.#blocked.size === 0) return NOBODY_WAITED_FOR;
    const waits = new Map<string, Wait>();
    for (const { queue, grants } of this.#blocked) {
      const dest = queue[0]?.dest ?? null;
      if (dest === null) continue;
      const key = addressKey(dest);
      waits.set(key, { messages: queue.length, mark: grants + progress(key) });
    }
    return waits;
  }

  override handleTimeout(nowMs: number): void {
    for (const credit of this.#blocked) {
      const dest = credit.queue[0]?.dest ?? null;
      if (dest === null || credit.requestAtMs > nowMs) continue;
      credit.requestAtMs = nowMs + this.context.config.maxBlockTimeMs;
      this.requestCredits(dest, credit.left, nowMs);
    }
  }

  override nextDeadlineMs(): number {
    let next = Infinity;
    for (const credit of this.#blocked) next = Math.min(next, credit.requestAtMs);
    return next;
  }

  #mayPass(credit: MemberCredit, message: OutMessage): boolean {
    if (credit.queue.length > 0) return mayPassQueue(message);
    return this.#take(credit, creditCost(message));
  }

  /** A message larger than all credits goes when they are full; JGroups' sender would wait for ever. */
  #take(credit: MemberCredit, length: number): boolean {
    if (length > credit.left && credit.left < this.context.config.maxCredits) return false;
    credit.left = Math.max(0, credit.left - length);
    return true;
  }

  protected replenish(credit: MemberCredit, amount: number, nowMs: number): void {
    const { maxCredits, maxBlockTimeMs } = this.context.config;
    credit.left = Math.min(maxCredits, credit.left + amount);
    let passed = 0;
    for (const message of credit.queue) {
      if (!this.#take(credit, creditCost(message))) break;
      passed++;
      this.below.down(message, nowMs);
    }
    if (passed < credit.queue.length) credit.queue.splice(0, passed);
    else credit.queue = NOTHING_WAITS;
    if (credit.queue.length === 0 && passed > 0) {
      this.#blocked.delete(credit);
      credit.blockedMs += nowMs - credit.blockedAtMs;
    }
    if (passed > 0) credit.requestAtMs = nowMs + maxBlockTimeMs;
    this.#askIfStalled(credit, nowMs);
  }
}
