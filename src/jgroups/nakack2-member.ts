import type { Address, SeqnoPair } from '../../codecs/jgroups/message.ts';
import { STALE_MS } from './connection-id.ts';
import type { Departure } from './departures.ts';
import { DELIVERED, InboundWindow, MAX_AHEAD } from './inbound-window.ts';
import type { InMessage } from './protocol.ts';

/**
 * How far before the first message that it hears of a joiner without a digest looks for older ones. A request for so
 * many is of 8 KiB; the sender has none that it sent before the last one that was stable in the view before.
 */
const MAX_BACKFILL = 65_536;

/**
 * Requests that the sender answered without having anything older. Each answer is a datagram that can be lost: at
 * 20 % loss all ten are with a probability of 1 in 10 million.
 */
const BACKFILL_ROUNDS = 10;

/** Requests without an answer until the message that shows whether there is one is taken to be gone itself. */
const MAX_UNANSWERED = 5;

/**
 * How often the last message that a sender told of is asked for, if neither it nor a later one comes. JGroups asks
 * once; if that or the answer is lost, the sender's next word may be minutes away (its stacks gossip every 50 s).
 */
const MAX_ASKS_FOR_LAST = 10;

/**
 * What we have of one member's group messages.
 *
 * Where they start for a joiner is told by a digest. Without one JGroups starts at seqno 1, and waits for ever if the
 * sender has no longer got that. But all that the sender sent since it installed the view with us is still there, for
 * nothing becomes stable without us; so is everything between that and the oldest message that it has. So we ask for
 * whatever is before the newest message that we have, down to 1, together with that message itself, the probe: once the
 * sender has answered often enough and nothing older came, what is still missing is gone, and we start behind it. What
 * we have from before (by IP multicast a joiner hears the group before it is in the view, and then with gaps that
 * nobody fills) is thrown away. Nothing of that view is lost; what the sender sent shortly before may be delivered too.
 *
 * The same rule helps a joiner whose digest is older than what has become stable: Geode's coordinators do not hold up
 * stability after they gave a digest out, as JGroups' GMS and we do.
 */
export class MemberWindow {
  readonly sender: Address;
  readonly #maxXmitReqSize: number;
  /** Null: nothing was heard of it, and where it starts is not known. */
  #window: InboundWindow | null;
  #isStartKnown: boolean;
  /** Something was delivered in order: from here on every message comes. */
  #isCertain = false;
  #departure: Departure | null;
  /** Of those that are not thrown away when delivered. */
  readonly #kept: Map<number, InMessage> | null;
  /** While the start is not certain: a message that we have, and ask for to see that the sender answers. */
  #probe = 0;
  #isAnswered = false;
  #foundOlder = false;
  #hasAsked = false;
  #rounds = 0;
  #unanswered = 0;
  #givenUp = 0;
  /** The highest seqno that the sender told of. */
  #told = 0;
  #asksLeft = 0;
  /** Since the last tick: it was asked for right then. */
  #hasHeard = false;

  /**
   * @param highestDelivered by a digest; null: not known
   * @param departure of an earlier time in the view
   */
  constructor(
    sender: Address,
    highestDelivered: number | null,
    departure: Departure | null,
    config: { readonly maxXmitReqSize: number; readonly discardDeliveredMsgs: boolean },
  ) {
    this.sender = sender;
    this.#maxXmitReqSize = config.maxXmitReqSize;
    this.#kept = config.discardDeliveredMsgs ? null : new Map<number, InMessage>();
    this.#isStartKnown = highestDelivered !== null;
    this.#departure = departure;
    const start = Math.max(highestDelivered ?? 0, departure?.delivered ?? 0);
    this.#window = highestDelivered === null ? null : new InboundWindow(start + 1);
  }

  /** By a digest, or by what was delivered. */
  get isStartKnown(): boolean {
    return this.#isStartKnown;
  }

  get delivered(): number {
    return this.#isStartKnown ? (this.#window?.delivered ?? 0) : (this.#departure?.delivered ?? 0);
  }

  get highest(): number {
    return this.#window?.highest ?? 0;
  }

  get gaps(): number {
    return this.#window?.gaps ?? 0;
  }

  /** For a digest. While the start is not known nothing may become stable. */
  get pair(): SeqnoPair {
    const highestDelivered = this.#isStartKnown ? this.delivered : 0;
    return { highestDelivered, highestReceived: Math.max(this.highest, highestDelivered) };
  }

  /** @param isAnswer it was sent again, or may have been */
  add(
    seqno: number,
    message: InMessage,
    isOob: boolean,
    isAnswer: boolean,
    nowMs: number,
  ): 'added' | 'duplicate' | 'beyond' {
    if (this.#isRestart(seqno, isAnswer, nowMs)) this.#forget();
    const window = (this.#window ??= this.#startBefore(seqno));
    const outcome = window.add(seqno, isOob ? DELIVERED : message);
    if (outcome === 'added') {
      this.#keep(seqno, message);
      if (seqno < this.#probe) this.#foundOlder = true;
    } else if (isAnswer && seqno === this.#probe) this.#isAnswered = true;
    return outcome;
  }

  #startBefore(seqno: number): InboundWindow {
    const least = this.#departure?.delivered ?? 0;
    return new InboundWindow(Math.max(least, seqno - 1 - this.#maxBackfill) + 1);
  }

  /** So that the first request is for all up to the first message that we heard of. */
  get #maxBackfill(): number {
    return Math.min(MAX_BACKFILL, this.#maxXmitReqSize - 1);
  }

  /** A new message with an old number, from a member that came back so long ago that it cannot be a late datagram. */
  #isRestart(seqno: number, isAnswer: boolean, nowMs: number): boolean {
    if (this.#isStartKnown || this.#departure === null || isAnswer) return false;
    return seqno <= this.#departure.delivered && nowMs - this.#departure.atMs >= STALE_MS;
  }

  #forget(): void {
    this.#departure = null;
    this.#window = null;
    this.#probe = 0;
  }

  #keep(seqno: number, message: InMessage): void {
    if (this.#kept === null) return;
    this.#kept.set(seqno, message);
    if (this.#kept.size <= MAX_AHEAD) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }

  /** The next message in order, once. */
  next(): InMessage | undefined {
    const window = this.#window;
    if (window === null) return undefined;
    const before = window.delivered;
    const message = window.next();
    if (window.delivered > before) this.#isCertain = this.#isStartKnown = true;
    return message;
  }

  /** For whoever asks us for another one's message; undefined if we have it no more. */
  stored(seqno: number): InMessage | undefined {
    return this.#kept?.get(seqno) ?? this.#window?.stored(seqno);
  }

  /** The sender has sent up to this seqno. True: it must be asked for. */
  hear(seqno: number): boolean {
    if (seqno < 1) return false;
    this.#window ??= this.#startBefore(seqno);
    if (seqno <= this.#window.highest) return false;
    if (seqno > this.#told) this.#asksLeft = MAX_ASKS_FOR_LAST;
    this.#told = Math.max(this.#told, seqno);
    this.#hasHeard = true;
    return true;
  }

  /** Once a tick: the last message that the sender told of, if it is to be asked for again; else null. */
  lastToRequest(): number | null {
    const hasHeard = this.#hasHeard;
    this.#hasHeard = false;
    if (hasHeard || this.#asksLeft === 0 || this.#told <= this.highest) return null;
    this.#asksLeft--;
    return this.#told;
  }

  /** All members have everything up to here. */
  purge(seqno: number): void {
    if (this.#kept === null) return;
    const last = Math.min(seqno, this.delivered);
    for (const kept of this.#kept.keys()) if (kept <= last) this.#kept.delete(kept);
  }

  /** Once a tick: the seqnos to ask for now, ascending. */
  gapsToRequest(): number[] {
    const window = this.#window;
    if (window === null) return [];
    if (!this.#isCertain) this.#countRound(window);
    const missing = window.gapsToRequest(this.#maxXmitReqSize);
    if (this.#isCertain || missing.length === 0) return missing;
    // a sender that is as new as we are answers the first request, which is like JGroups'
    if (!this.#hasAsked) {
      this.#hasAsked = true;
      return missing;
    }
    const at = missing.findIndex((seqno) => seqno > this.#probe);
    return missing.toSpliced(at < 0 ? missing.length : at, 0, this.#probe);
  }

  /** Once: how many messages turned out to be gone. What comes after them is to be delivered now. */
  takeGivenUp(): number {
    const count = this.#givenUp;
    this.#givenUp = 0;
    return count;
  }

  #countRound(window: InboundWindow): void {
    if (this.#foundOlder) this.#rounds = 0;
    else if (this.#isAnswered) this.#rounds++;
    this.#unanswered = this.#foundOlder || this.#isAnswered ? 0 : this.#unanswered + 1;
    this.#foundOlder = this.#isAnswered = false;
    if (this.#probe <= window.delivered || this.#unanswered > MAX_UNANSWERED) this.#chooseProbe(window);
    if (this.#rounds >= BACKFILL_ROUNDS) this.#giveUp(window);
  }

  /** The newest that we have, among those that one request reaches. */
  #chooseProbe(window: InboundWindow): void {
    let newest = Math.min(window.highest, window.delivered + this.#maxXmitReqSize);
    while (newest > window.delivered && !window.has(newest)) newest--;
    this.#unanswered = 0;
    if (newest > window.delivered && newest === this.#probe) return;
    this.#probe = newest;
    this.#rounds = 0;
  }

  #giveUp(window: InboundWindow): void {
    let first = this.#probe;
    while (first - 1 > window.delivered && window.has(first - 1)) first--;
    this.#givenUp = first - 1 - window.delivered;
    window.skipTo(first);
    this.#isCertain = this.#isStartKnown = true;
  }
}
