import { type Address, addressKey } from '../../codecs/jgroups/message.ts';
import type { ProtocolContext } from './context.ts';
import { type Credit, creditCost, FlowControl, IN_ORDER_FLAGS, mayPassQueue } from './flow-control.ts';
import type { OutMessage } from './protocol.ts';
import { NOBODY_WAITED_FOR, type Wait, type Waits } from './stall-watch.ts';

interface MemberCredit extends Credit {
  readonly member: Address;
  /** It was asked for credits because it gives none by itself, and has not answered. */
  asked: boolean;
}

/**
 * Flow control of group messages: one queue, for each message goes to all. It moves as the slowest member gives
 * credits; one that gives none at all holds up the group's messages, not the unicasts, until the view drops it.
 */
export class MFC extends FlowControl<MemberCredit> {
  /** Messages that wait for credits, oldest first. */
  #queue: OutMessage[] = [];
  #requestAtMs = Infinity;

  constructor(context: ProtocolContext) {
    super('MFC', context);
  }

  down(message: OutMessage, nowMs: number): void {
    if (message.dest !== null || this.#mayPass(message)) {
      this.below.down(message, nowMs);
      return;
    }
    this.#queue.push(message);
    if (this.#queue.length > 1) return;
    this.context.counters.blocked++;
    this.#requestAtMs = nowMs + this.context.config.maxBlockTimeMs;
    this.#askStalled(message, nowMs);
  }

  #askStalled(first: OutMessage, nowMs: number): void {
    const needed = creditCost(first);
    for (const credit of this.credits.values()) {
      if (credit.asked || credit.left >= needed || !this.isStalled(credit.left)) continue;
      credit.asked = true;
      this.requestCredits(credit.member, credit.left, nowMs, IN_ORDER_FLAGS);
    }
  }

  #mayPass(message: OutMessage): boolean {
    return this.#queue.length > 0 ? mayPassQueue(message) : this.#take(creditCost(message));
  }

  /** Of every member or of none. A message larger than all credits goes when a member's are full. */
  #take(length: number): boolean {
    if (length === 0) return true;
    const { maxCredits } = this.context.config;
    for (const { left } of this.credits.values()) if (length > left && left < maxCredits) return false;
    for (const credit of this.credits.values()) credit.left = Math.max(0, credit.left - length);
    return true;
  }

  /**
   * Members whose credits the first message waits for.
   * @param progress another number whenever all members took something all the same
   */
  waits(progress: number): Waits {
    const [first] = this.#queue;
    if (first === undefined) return NOBODY_WAITED_FOR;
    const needed = Math.min(creditCost(first), this.context.config.maxCredits);
    const waits = new Map<string, Wait>();
    for (const [key, { left, grants }] of this.credits) {
      if (left < needed) waits.set(key, { messages: this.#queue.length, mark: grants + progress });
    }
    return waits;
  }

  /** Bytes that the member still takes; null: it is no member. */
  creditsOf(member: string): number | null {
    return this.credits.get(member)?.left ?? null;
  }

  /** What we send to ourselves costs nothing. */
  protected createCredit(member: Address, maxCredits: number): MemberCredit | null {
    if (addressKey(member) === this.context.selfKey) return null;
    return { left: maxCredits, received: maxCredits, grants: 0, member, asked: false };
  }

  protected dropCredit(): void {
    // `viewInstalled` looks at who is left
  }

  /** The slowest may have left. */
  override viewInstalled(nowMs: number): void {
    this.#drain(nowMs);
  }

  protected replenish(credit: MemberCredit, amount: number, nowMs: number): void {
    credit.left = Math.min(this.context.config.maxCredits, credit.left + amount);
    credit.asked = false;
    this.#drain(nowMs);
  }

  #drain(nowMs: number): void {
    let passed = 0;
    for (const message of this.#queue) {
      if (!this.#take(creditCost(message))) break;
      passed++;
      this.below.down(message, nowMs);
    }
    if (passed > 0) this.#queue = this.#queue.slice(passed);
    const [first] = this.#queue;
    if (first === undefined) this.#requestAtMs = Infinity;
    else if (passed > 0) this.#requestAtMs = nowMs + this.context.config.maxBlockTimeMs;
    if (first !== undefined) this.#askStalled(first, nowMs);
  }

  override nextDeadlineMs(): number {
    return this.#requestAtMs;
  }

  /** Asks those for credits that the first message waits for, and those that have few, as JGroups does. */
  override handleTimeout(nowMs: number): void {
    const [first] = this.#queue;
    if (first === undefined || this.#requestAtMs > nowMs) return;
    this.#requestAtMs = nowMs + this.context.config.maxBlockTimeMs;
    const needed = Math.min(creditCost(first), this.context.config.maxCredits);
    for (const { member, left } of this.credits.values()) {
      if (left < needed || left <= this.minCredits) this.requestCredits(member, left, nowMs);
    }
  }
}
