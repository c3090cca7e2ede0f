import { CodecError } from '../../codecs/bytes/errors.ts';
import { ByteReader } from '../../codecs/bytes/reader.ts';
import { ByteWriter } from '../../codecs/bytes/writer.ts';
import { type Address, addressKey, type FcHeader, Flag } from '../../codecs/jgroups/message.ts';
import type { ProtocolContext } from './context.ts';
import { controlMessage, type GroupView, headerOf, type InMessage, Protocol } from './protocol.ts';

const CREDIT_FLAGS = Flag.OOB | Flag.DONT_BUNDLE | Flag.INTERNAL;

/** Of a request that waits its turn behind the messages sent before it. */
export const IN_ORDER_FLAGS = Flag.DONT_BUNDLE | Flag.INTERNAL;

/** Of one member, both ways. */
export interface Credit {
  /** Bytes that we may still send to it. */
  left: number;
  /** Bytes that it may still send to us before we give it new credits. */
  received: number;
  /** How often it gave us some. */
  grants: number;
}

/**
 * What UFC and MFC have in common (WIRE-3.6 section 9): a receiver counts what each sender used up, and gives new
 * credits when few are left or when it is asked. Where JGroups blocks the calling thread, messages wait in a queue
 * of the protocol that extends this one; the messenger bounds it.
 */
export abstract class FlowControl<C extends Credit> extends Protocol {
  protected readonly context: ProtocolContext;
  protected readonly minCredits: number;
  readonly #name: 'UFC' | 'MFC';
  /** Of the members of the view. One table for both ways: thousands of idle members are to take little. */
  protected readonly credits = new Map<string, C>();

  constructor(name: 'UFC' | 'MFC', context: ProtocolContext) {
    super();
    this.#name = name;
    this.context = context;
    const { maxCredits, minThreshold } = context.config;
    this.minCredits = maxCredits * minThreshold;
  }

  /** Null: none are needed for this member. */
  protected abstract createCredit(member: Address, maxCredits: number): C | null;
  /** The member is none any more. */
  protected abstract dropCredit(credit: C): void;
  /** The member gave us so many credits. */
  protected abstract replenish(credit: C, amount: number, nowMs: number): void;

  up(message: InMessage, nowMs: number): void {
    const header = headerOf(message, this.#name);
    if (header !== undefined) {
      this.#handleCredit(message, header, nowMs);
      return;
    }
    this.above.up(message, nowMs);
    if (message.toGroup !== (this.#name === 'MFC')) return;
    if (message.toGroup && message.from === this.context.selfKey) return; // looped back: it cost nothing
    const cost = creditCost(message);
    if (cost > 0) this.#consume(message, cost, nowMs);
  }

  installView({ keys, members }: GroupView, _nowMs: number): void {
    for (const [key, credit] of this.credits) {
      if (keys.has(key)) continue;
      this.credits.delete(key);
      this.dropCredit(credit);
    }
    for (const member of members) {
      const key = addressKey(member);
      if (this.credits.has(key)) continue;
      const credit = this.createCredit(member, this.context.config.maxCredits);
      if (credit !== null) this.credits.set(key, credit);
    }
  }

  #handleCredit(message: InMessage, header: FcHeader, nowMs: number): void {
    const { counters, config } = this.context;
    const amount = readCredits(message.payload);
    if (amount === null) {
      this.context.malformed(message.from, `its ${header.type} has no amount of credits; dropped`);
      return;
    }
    const credit = this.credits.get(message.from);
    if (credit === undefined) return;
    if (header.type === 'REPLENISH') {
      if (amount > 0) credit.grants++;
      this.replenish(credit, amount, nowMs);
      return;
    }
    if (amount === 0) return;
    credit.received = Math.min(config.maxCredits, credit.received + amount);
    counters.replenishesSent++;
    this.#sendCredits(message.src, 'REPLENISH', amount, nowMs);
  }

  #consume(message: InMessage, length: number, nowMs: number): void {
    const credit = this.credits.get(message.from);
    if (credit === undefined) return;
    const { maxCredits } = this.context.config;
    const left = Math.max(0, credit.received - length);
    if (left > this.minCredits) {
      credit.received = left;
      return;
    }
    credit.received = maxCredits;
    this.context.counters.replenishesSent++;
    this.#sendCredits(message.src, 'REPLENISH', maxCredits - left, nowMs);
  }

  /**
   * True: the receiver gives no credits by itself, for with all that it was sent it still has more than `minCredits`.
   * So it is with messages larger than that. JGroups' sender waits for `maxBlockTimeMs` each time; we ask at once.
   */
  protected isStalled(left: number): boolean {
    return left > this.minCredits && left < this.context.config.maxCredits;
  }

  /** @param flags OOB: it passes what was sent before; else the receiver answers when it has consumed all that */
  protected requestCredits(dest: Address, left: number, nowMs: number, flags: number = CREDIT_FLAGS): void {
    this.context.counters.creditRequestsSent++;
    this.#sendCredits(dest, 'CREDIT_REQUEST', this.context.config.maxCredits - left, nowMs, flags);
  }

  #sendCredits(
    dest: Address,
    type: FcHeader['type'],
    amount: number,
    nowMs: number,
    flags: number = CREDIT_FLAGS,
  ): void {
    const writer = new ByteWriter(8);
    writer.safeU64(amount);
    const header: FcHeader = { protocol: this.#name, type };
    this.below.down(controlMessage(dest, flags, header, writer.finish()), nowMs);
  }
}

/** Only payload counts, headers do not. */
export function creditCost(message: { readonly flags: number; readonly payload: Uint8Array | null }): number {
  return (message.flags & Flag.NO_FC) !== 0 ? 0 : (message.payload?.length ?? 0);
}

/**
 * What costs nothing needs no credits, and passes what waits for some if it has no order. Where JGroups' sender would
 * still be blocked in the send before, what has an order keeps it.
 */
export function mayPassQueue(message: {
  readonly flags: number;
  readonly payload: Uint8Array | null;
}): boolean {
  return creditCost(message) === 0 && (message.flags & Flag.OOB) !== 0;
}

/** The amount, an 8-byte long; null if there is none. Negative ones count as absent. */
function readCredits(payload: Uint8Array | null): number | null {
  if (payload === null) return null;
  try {
    return new ByteReader(payload).safeU64('credits');
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}
