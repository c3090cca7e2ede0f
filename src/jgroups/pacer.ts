import { CongestionWindow } from './congestion-window.ts';
import { Flights } from './flights.ts';
import { RoundTrip } from './round-trip.ts';

/**
 * What a kernel books on a receive buffer for a datagram beside its bytes: Linux counts 2,304 for one of 1.1 KB,
 * 768 for one of 200 bytes, and twice of what was asked for as the size of the buffer.
 */
const DATAGRAM_BYTES = 640;

/**
 * An ack that brings nothing new comes when something was lost or overtaken, but also from the tick of a receiver that
 * stands still otherwise. The third one counts; after one the receiver is asked, and if its answer brings nothing new
 * either that is as good.
 */
const MANY_EMPTY_ACKS = 3;

/**
 * What is to be done. `lost`: send the first unacknowledged message again. `probe`: ask the receiver how far it is.
 */
export type PacerVerdict = 'none' | 'lost' | 'probe';

/** For how long after a timeout without any answer the next one may be put off. */
const MOST_BACKOFF_MS = 500;

/**
 * When a sender may send, by the acks of one receiver. It knows seqnos, bytes (`bundledBytes`) and times, no messages.
 *
 * A receiver acknowledges a datagram of several messages at once, single ones at its next tick (WIRE-3.6 section 5).
 * The former are clocked here: they tell how far the receiver is, how long it takes, and what was lost.
 */
export class Pacer {
  readonly #initialBytes: number;
  readonly #window: CongestionWindow;
  readonly #roundTrip = new RoundTrip();
  readonly #flights = new Flights();
  #acked = 0;
  /** All up to here is to be acknowledged at once; what comes after may take until a tick. */
  #clockedSeqno = 0;
  #highest = 0;
  #emptyAcks = 0;
  /** While what was lost is sent again: all that was under way when that began. */
  #recoverSeqno = 0;
  #timeoutAtMs = Infinity;
  #backoff = 1;
  /** The receiver was asked how far it is, and nothing came since. */
  #hasProbed = false;
  /** Acks without news that are due, for what was sent had been sent before or was empty; until more is acknowledged. */
  #spareAcks = 0;
  #spareUntilSeqno = 0;

  constructor(initialBytes: number, maxBytes: number) {
    this.#initialBytes = initialBytes;
    this.#window = new CongestionWindow(initialBytes, maxBytes);
  }

  /** Nothing is under way and nothing was learned: a new one would do as well. */
  get isFresh(): boolean {
    const isUnasked = this.#clockedSeqno === 0 && this.#emptyAcks === 0 && this.#spareAcks === 0;
    const isUnhurt = this.#recoverSeqno === 0 && this.#timeoutAtMs === Infinity;
    return isUnasked && isUnhurt && this.#flights.bytes === 0 && this.windowBytes === this.#initialBytes;
  }

  get windowBytes(): number {
    return this.#window.bytes;
  }

  get inFlightBytes(): number {
    return this.#flights.bytes;
  }

  /** An ack is due at once. */
  get awaitsAck(): boolean {
    return this.#clockedSeqno > this.#acked;
  }

  /** Infinity: none. */
  get timeoutAtMs(): number {
    return this.#timeoutAtMs;
  }

  bundleBytes(maxBundleSize: number): number {
    return this.#window.bundleBytes(maxBundleSize);
  }

  // --- sending ---------------------------------------------------------------------------------------------

  /** Whether a message may go out at once in a datagram of its own. */
  mayGoAlone(bytes: number): boolean {
    return this.#flights.bytes + bytes + DATAGRAM_BYTES <= this.#aloneBytes;
  }

  /** Whether it should be acknowledged at once, for much is under way of which nothing will be heard until a tick. */
  wantsClock(bytes: number): boolean {
    return this.#flights.unclockedBytes + bytes > this.#aloneBytes / 2;
  }

  /** The same for what leaves when there is room in the window: some is acknowledged while the rest follows. */
  wantsClockBetween(bytes: number): boolean {
    const share = this.#window.bytes / 4;
    return this.#flights.unclockedBytes + bytes >= share && this.#flights.bytes + bytes > 2 * share;
  }

  /** Whether so much more may be under way. Always if no ack is due that would make room. */
  hasRoom(bytes: number): boolean {
    return !this.awaitsAck || this.#flights.bytes + bytes + DATAGRAM_BYTES <= this.#window.bytes;
  }

  /** Singles cost more than their bytes, at both ends: they get no more room than at the beginning. */
  get #aloneBytes(): number {
    return Math.min(this.#initialBytes, this.#window.bytes);
  }

  /** A message went out in a datagram of its own. */
  sentAlone(seqno: number, bytes: number, nowMs: number): void {
    this.#highest = seqno;
    this.#flights.add(seqno, bytes + DATAGRAM_BYTES, false, false, nowMs);
  }

  /** @param last seqno of the last message that was sent */
  sentList(last: number, bytes: number, isClocked: boolean, nowMs: number): void {
    this.#highest = last;
    this.#flights.add(last, bytes + DATAGRAM_BYTES, true, isClocked, nowMs);
    if (isClocked) this.clock(nowMs);
  }

  /** What was sent up to now is to be acknowledged at once. */
  clock(nowMs: number): void {
    if (!this.awaitsAck) this.#timeoutAtMs = nowMs + this.#roundTrip.timeoutMs * this.#backoff;
    this.#clockedSeqno = this.#highest;
  }

  /** The last message that was under way with the first unacknowledged one, in the same datagram or not. */
  oldest(): { readonly last: number; readonly isList: boolean } | undefined {
    return this.#flights.oldest;
  }

  /** The first unacknowledged message, or its datagram, went out again, and is to be acknowledged at once. */
  resentOldest(nowMs: number): void {
    this.#flights.resend(nowMs);
    this.resentRequested(nowMs);
  }

  /** What the receiver asked for was sent again, and is to be acknowledged at once. */
  resentRequested(nowMs: number): void {
    this.#expectSpareAck();
    this.clock(nowMs);
  }

  #expectSpareAck(): void {
    this.#spareAcks++;
    this.#spareUntilSeqno = this.#highest;
  }

  /** The connection is closing: nobody is asked any more. */
  stop(): void {
    this.#clockedSeqno = this.#acked;
    this.#timeoutAtMs = Infinity;
  }

  // --- what comes back -------------------------------------------------------------------------------------

  /** @param isLimited more could have been sent had there been room */
  handleAck(acked: number, isLimited: boolean, nowMs: number): PacerVerdict {
    if (acked <= this.#acked) return this.#handleEmptyAck(nowMs);
    this.#acked = acked;
    const before = this.#flights.bytes;
    const sentAtMs = this.#flights.acknowledge(acked);
    if (sentAtMs >= 0) this.#roundTrip.sample(Math.max(0.01, nowMs - sentAtMs));
    this.#emptyAcks = 0;
    if (acked > this.#spareUntilSeqno) this.#spareAcks = 0;
    this.#backoff = 1;
    this.#hasProbed = false;
    this.#timeoutAtMs = this.awaitsAck ? nowMs + this.#roundTrip.timeoutMs : Infinity;
    if (acked < this.#recoverSeqno) return 'lost'; // what was sent later than the lost one got there, this did not
    const bytes = before - this.#flights.bytes;
    if (isLimited) this.#window.handleAck(bytes, nowMs);
    return 'none';
  }

  #handleEmptyAck(nowMs: number): PacerVerdict {
    const { oldest } = this.#flights;
    if (oldest === undefined) return 'none';
    if (this.#hasProbed) {
      this.#hasProbed = false;
      this.#spareAcks--;
      return this.#recover(nowMs);
    }
    if (this.#isRecovering) return 'none';
    if (this.#spareAcks > 0) {
      this.#spareAcks--;
      return 'none';
    }
    this.#emptyAcks++;
    if (this.#emptyAcks >= MANY_EMPTY_ACKS) return this.#recover(nowMs);
    const askAtMs = oldest.sentAtMs + this.#roundTrip.overtakenMs;
    if (nowMs >= askAtMs) return this.#probe(nowMs);
    this.#timeoutAtMs = Math.min(this.#timeoutAtMs, askAtMs);
    return 'none';
  }

  get #isRecovering(): boolean {
    return this.#recoverSeqno > this.#acked;
  }

  #recover(nowMs: number): 'lost' {
    this.handleLoss(nowMs);
    this.#emptyAcks = 0;
    this.#timeoutAtMs = nowMs + this.#roundTrip.timeoutMs * this.#backoff;
    return 'lost';
  }

  #probe(nowMs: number): 'probe' {
    this.#hasProbed = true;
    this.#expectSpareAck();
    this.#timeoutAtMs = nowMs + Math.min(MOST_BACKOFF_MS, this.#roundTrip.timeoutMs * this.#backoff);
    return 'probe';
  }

  /** The receiver misses something. */
  handleLoss(nowMs: number): void {
    if (this.#isRecovering) return;
    this.#recoverSeqno = this.#highest;
    this.#window.handleLoss(nowMs);
  }

  handleTimeout(nowMs: number): PacerVerdict {
    if (nowMs < this.#timeoutAtMs) return 'none';
    if (!this.awaitsAck && this.#emptyAcks === 0) {
      this.#timeoutAtMs = Infinity;
      return 'none';
    }
    if (this.#emptyAcks === 0) this.#backoff *= 2;
    this.#emptyAcks = 0;
    return this.#probe(nowMs);
  }
}
