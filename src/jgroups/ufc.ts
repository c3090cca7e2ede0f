import { CodecError } from '../../codecs/bytes/errors.ts';
import { ByteReader } from '../../codecs/bytes/reader.ts';
import { ByteWriter } from '../../codecs/bytes/writer.ts';
import { type Address, addressKey, type FcHeader, Flag } from '../../codecs/jgroups/message.ts';
import type { JGroupsConfig } from './config.ts';
import type { JGroupsCounters } from './counters.ts';
import { headerOf, type InMessage, type OutMessage, Protocol } from './protocol.ts';

const CREDIT_FLAGS = Flag.OOB | Flag.DONT_BUNDLE | Flag.INTERNAL;

/** What we may send to one member. */
interface SendCredit {
  left: number;
  /** Messages that wait for credits, oldest first. */
  readonly queue: OutMessage[];
  /** When to ask for credits; meaningful while the queue is not empty. */
  requestAtMs: number;
}

/**
 * Flow control of unicasts by credits (WIRE-3.6 section 9). Where JGroups blocks the calling thread, messages wait
 * here in a queue per member, so that a slow member delays no other; the messenger bounds the queue.
 */
export class UFC extends Protocol {
  readonly #config: JGroupsConfig;
  readonly #counters: JGroupsCounters;
  readonly #complain: (from: string, what: string) => void;
  readonly #minCredits: number;
  readonly #sent = new Map<string, SendCredit>();
  /** Those of `#sent` that have a queue: deadlines are looked up for every message, blocked members are rare. */
  readonly #blocked = new Set<SendCredit>();
  /** Bytes that each member may still send to us before we give it new credits. */
  readonly #received = new Map<string, number>();

  constructor(
    config: JGroupsConfig,
    counters: JGroupsCounters,
    complain: (from: string, what: string) => void,
  ) {
    super();
    this.#config = config;
    this.#counters = counters;
    this.#complain = complain;
    this.#minCredits = config.maxCredits * config.minThreshold;
  }

  down(message: OutMessage, nowMs: number): void {
    const credit = this.#sent.get(addressKey(message.dest));
    if (credit === undefined || this.#mayPass(credit, message)) {
      this.below.down(message, nowMs);
      return;
    }
    if (credit.queue.length === 0) {
      this.#counters.blocked++;
      credit.requestAtMs = nowMs + this.#config.maxBlockTimeMs;
      this.#blocked.add(credit);
    }
    credit.queue.push(message);
  }

  up(message: InMessage, nowMs: number): void {
    const header = headerOf(message, 'UFC');
    if (header !== undefined) {
      this.#handleCredit(message, header, nowMs);
      return;
    }
    this.above.up(message, nowMs);
    const cost = creditCost(message);
    if (cost > 0) this.#consume(message, cost, nowMs);
  }

  /** Members that left need no credits; what waited for them is dropped: the messenger has said `memberLeft`. */
  installView(members: ReadonlySet<string>): void {
    const { maxCredits } = this.#config;
    for (const [member, credit] of this.#sent) {
      if (members.has(member)) continue;
      this.#sent.delete(member);
      this.#blocked.delete(credit);
      this.#received.delete(member);
    }
    for (const member of members) {
      if (this.#sent.has(member)) continue;
      this.#sent.set(member, { left: maxCredits, queue: [], requestAtMs: 0 });
      this.#received.set(member, maxCredits);
    }
  }

  override handleTimeout(nowMs: number): void {
    for (const credit of this.#blocked) {
      const first = credit.queue[0];
      if (first === undefined || credit.requestAtMs > nowMs) continue;
      credit.requestAtMs = nowMs + this.#config.maxBlockTimeMs;
      this.#counters.creditRequestsSent++;
      this.#sendCredits(first.dest, 'CREDIT_REQUEST', this.#config.maxCredits - credit.left, nowMs);
    }
  }

  override nextDeadlineMs(): number {
    let next = Infinity;
    for (const credit of this.#blocked) next = Math.min(next, credit.requestAtMs);
    return next;
  }

  /**
   * What costs nothing needs no credits. But where JGroups' sender would still be blocked in the send before, one
   * that has an order keeps it.
   */
  #mayPass(credit: SendCredit, message: OutMessage): boolean {
    const cost = creditCost(message);
    if (credit.queue.length > 0) return cost === 0 && (message.flags & Flag.OOB) !== 0;
    return this.#take(credit, cost);
  }

  /** A message larger than all credits goes when they are full; JGroups' sender would wait for ever. */
  #take(credit: SendCredit, length: number): boolean {
    if (length > credit.left && credit.left < this.#config.maxCredits) return false;
    credit.left = Math.max(0, credit.left - length);
    return true;
  }

  #handleCredit(message: InMessage, header: FcHeader, nowMs: number): void {
    const amount = readCredits(message.payload);
    if (amount === null) {
      this.#counters.malformed++;
      this.#complain(message.from, `its ${header.type} has no amount of credits; dropped`);
      return;
    }
    if (header.type === 'REPLENISH') {
      this.#replenish(message.from, amount, nowMs);
      return;
    }
    const left = this.#received.get(message.from);
    if (left === undefined || amount === 0) return;
    this.#received.set(message.from, Math.min(this.#config.maxCredits, left + amount));
    this.#counters.replenishesSent++;
    this.#sendCredits(message.src, 'REPLENISH', amount, nowMs);
  }

  #replenish(member: string, amount: number, nowMs: number): void {
    const credit = this.#sent.get(member);
    if (credit === undefined) return;
    credit.left = Math.min(this.#config.maxCredits, credit.left + amount);
    let passed = 0;
    for (const message of credit.queue) {
      if (!this.#take(credit, creditCost(message))) break;
      passed++;
      this.below.down(message, nowMs);
    }
    credit.queue.splice(0, passed);
    if (credit.queue.length === 0) this.#blocked.delete(credit);
    if (passed > 0) credit.requestAtMs = nowMs + this.#config.maxBlockTimeMs;
  }

  #consume(message: InMessage, length: number, nowMs: number): void {
    const before = this.#received.get(message.from);
    if (before === undefined) return;
    const left = Math.max(0, before - length);
    if (left > this.#minCredits) {
      this.#received.set(message.from, left);
      return;
    }
    this.#received.set(message.from, this.#config.maxCredits);
    this.#counters.replenishesSent++;
    this.#sendCredits(message.src, 'REPLENISH', this.#config.maxCredits - left, nowMs);
  }

  #sendCredits(dest: Address, type: FcHeader['type'], amount: number, nowMs: number): void {
    const writer = new ByteWriter(8);
    writer.safeU64(amount);
    const header: FcHeader = { protocol: 'UFC', type };
    this.below.down(
      {
        dest,
        flags: CREDIT_FLAGS,
        headers: [header],
        payload: writer.finish(),
        completes: 0,
        pendingBytes: 0,
      },
      nowMs,
    );
  }
}

/** Only payload counts, headers do not. */
function creditCost(message: { readonly flags: number; readonly payload: Uint8Array | null }): number {
  return (message.flags & Flag.NO_FC) !== 0 ? 0 : (message.payload?.length ?? 0);
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
