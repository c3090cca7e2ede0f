import { type Address, addressKey, Flag } from '../../codecs/jgroups/message.ts';
import { SendWindow } from '../protocol/seqno-window.ts';
import type { AckClock } from './ack-clock.ts';
import { DATAGRAM_ROOM } from './bundler.ts';
import type { ProtocolContext } from './context.ts';
import { Pacer, type PacerVerdict } from './pacer.ts';
import { bundledBytes, hasNoOrder, type OutMessage, type Protocol } from './protocol.ts';
import { SendQueue } from './send-queue.ts';
import { Connection } from './unicast3-peer.ts';

/** A receiver that only acknowledges longer lists at once would need too many fillers. */
const MAX_ACK_THRESHOLD = 100;

/** After so many ticks without anything to send pacing begins anew, as TCP does after a pause (RFC 2861). */
const MAX_IDLE_TICKS = 20;

/** A larger message is sent alone, and fillers after it, rather than copied into a list with them. */
const LARGE_BYTES = 16 * 1024;

const NOTHING: readonly number[] = [];

/** Of all connections that have not had anything waiting for a while. */
const NOTHING_QUEUED = new SendQueue();

/** What the acks of one call brought about. */
export interface Acknowledged {
  messages: number;
  bytes: number;
}

/**
 * What we send to one peer under one connection id (WIRE-3.6 section 5).
 *
 * Messages that have an order wait in a queue while more than a window of bytes is under way, and leave as acks come
 * in, several to a datagram, which is what makes acks come at once (`ack-clock.ts`). Seqnos are given out when messages
 * leave, so that what passes the queue leaves no gap.
 */
export class SendConnection extends Connection {
  readonly window = new SendWindow<OutMessage>();
  /** Deadline for a peer that was no member when the connection was made; null once it was one. */
  giveUpAtMs: number | null = null;
  /** Up to here messages ended as `memberLeft`, though they are still resent while the connection closes. */
  settledSeqno = 0;
  /** Acks that told of messages of the application. */
  payloadAcks = 0;
  /** It is in the list of those to flush; kept by who has that list. */
  isScheduled = false;
  readonly #below: Pick<Protocol, 'down' | 'downBatch'>;
  readonly #context: ProtocolContext;
  /** Whether what is under way is bounded, and what is to be sent again, by what was acknowledged. */
  readonly isPaced: boolean;
  /** Null: messages leave as they come, or none has for a while. */
  #pacer: Pacer | null = null;
  #idleTicks = 0;
  readonly #clock: AckClock;
  #queue = NOTHING_QUEUED;
  /** Nothing can leave until an ack comes, or a timeout. */
  #isBlocked = false;
  /** The queue was blocked since it was empty last: the end of a burst is to be acknowledged at once like the rest. */
  #isBurst = false;
  /** Asked for by the receiver, and still to be sent again. */
  #owed: readonly number[] = NOTHING;
  /** What the last tick saw: if it still is so, the last message may have been lost. */
  #tickAcked = 0;
  #tickHighest = 0;
  #lastTimestamp: number | null = null;

  constructor(
    peer: Address,
    connId: number,
    below: Pick<Protocol, 'down' | 'downBatch'>,
    context: ProtocolContext,
    clock: AckClock,
    nowMs: number,
  ) {
    super(peer, connId, nowMs);
    this.#below = below;
    this.#context = context;
    this.#clock = clock;
    const { initialWindowBytes, ackThreshold } = context.config;
    this.isPaced = initialWindowBytes > 0 && ackThreshold <= MAX_ACK_THRESHOLD;
  }

  #createPacer(): Pacer {
    const { initialWindowBytes, maxWindowBytes } = this.#context.config;
    return (this.#pacer = new Pacer(initialWindowBytes, maxWindowBytes));
  }

  /** Messages that wait for their turn. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Messages that are to leave at the end of the turn. */
  get wantsFlush(): boolean {
    return this.#queue.length > 0 && !this.#isBlocked;
  }

  /** Infinity: nothing to do but at ticks. */
  get timeoutAtMs(): number {
    return this.#pacer?.timeoutAtMs ?? Infinity;
  }

  // --- sending ---------------------------------------------------------------------------------------------

  send(message: OutMessage, nowMs: number): void {
    const pacer = this.isPaced ? (this.#pacer ?? this.#createPacer()) : null;
    if (pacer === null || hasNoOrder(message)) {
      this.#sendAlone(message, nowMs);
      return;
    }
    const bytes = bundledBytes(message);
    const isAlone = !this.#context.config.ignoreDontBundle && (message.flags & Flag.DONT_BUNDLE) !== 0;
    if (isAlone && this.#queue.length === 0 && pacer.mayGoAlone(bytes)) {
      this.#sendAlone(message, nowMs, pacer.wantsClock(bytes));
      return;
    }
    if (this.#queue === NOTHING_QUEUED) this.#queue = new SendQueue();
    this.#queue.push(message);
    if (!this.#isBlocked) this.#sendBundles(pacer, false, nowMs);
  }

  /** End of the turn: what is there leaves, if there is room. */
  flush(nowMs: number): void {
    if (this.#pacer !== null) this.#sendBundles(this.#pacer, true, nowMs);
  }

  /** @param all not only what fills a bundle */
  #sendBundles(pacer: Pacer, all: boolean, nowMs: number): void {
    const { maxBundleSize } = this.#context.config;
    this.#isBlocked = false;
    while (this.#queue.length > 0) {
      const bundleBytes = pacer.bundleBytes(maxBundleSize);
      if (!all && this.#queue.bytes < bundleBytes) return;
      if (!pacer.hasRoom(Math.min(this.#queue.bytes, bundleBytes))) {
        this.#context.counters.paced++;
        this.#isBlocked = this.#isBurst = true;
        return;
      }
      this.#sendBundle(pacer, bundleBytes, nowMs);
    }
    this.#isBurst = false;
  }

  #sendBundle(pacer: Pacer, bundleBytes: number, nowMs: number): void {
    const { ackThreshold, maxBundleSize } = this.#context.config;
    const messages = this.#queue.take(Math.min(bundleBytes, maxBundleSize - DATAGRAM_ROOM));
    const [first] = messages;
    if (first === undefined) return;
    const isLast = this.#isBurst && this.#queue.length === 0;
    const bytes = total(messages);
    if (messages.length > 1) {
      const isClocked = isLast || messages.length >= ackThreshold || pacer.wantsClockBetween(bytes);
      this.#sendList(messages, bytes, isClocked, nowMs);
    } else this.#sendAlone(first, nowMs, isLast || pacer.wantsClockBetween(bytes));
  }

  /** @param isClocked to be acknowledged at once */
  #sendAlone(message: OutMessage, nowMs: number, isClocked = false): void {
    const pacer = this.#pacer;
    const bytes = bundledBytes(message);
    const isLarge = bytes > LARGE_BYTES;
    if (isClocked && !isLarge) {
      this.#sendList([message], bytes, true, nowMs);
      return;
    }
    const seqno = this.#number(message);
    pacer?.sentAlone(seqno, bytes, nowMs);
    this.#below.down(message, nowMs);
    if (!isClocked) return;
    pacer?.sentList(seqno, 0, true, nowMs);
    this.#clock.ask(this, this.window.acked, nowMs);
  }

  /** @param isClocked to be acknowledged at once */
  #sendList(messages: OutMessage[], bytes: number, isClocked: boolean, nowMs: number): void {
    for (const message of messages) this.#number(message);
    this.#pacer?.sentList(this.window.highest, bytes, isClocked, nowMs);
    if (isClocked) this.#clock.send(this, messages, this.window.acked, nowMs);
    else this.#below.downBatch(messages, nowMs);
  }

  #number(message: OutMessage): number {
    const seqno = this.window.next;
    const { connId } = this;
    message.headers.push({ protocol: 'UNICAST3', type: 'DATA', seqno, connId, first: seqno === 1 });
    this.window.push(message);
    return seqno;
  }

  // --- what comes back -------------------------------------------------------------------------------------

  /** Answers that were overtaken by a newer one are ignored (WIRE-3.6 section 5). */
  acceptTimestamp(timestamp: number): boolean {
    if (this.#lastTimestamp !== null && timestamp <= this.#lastTimestamp) return false;
    this.#lastTimestamp = timestamp;
    return true;
  }

  /** What it says is to be told before `proceed` is called. */
  handleAck(seqno: number, told: Acknowledged, nowMs: number): PacerVerdict {
    this.window.acknowledge(seqno, (message, acknowledged) => {
      if (acknowledged <= this.settledSeqno) return;
      told.messages += message.completes;
      told.bytes += message.pendingBytes;
    });
    const isLimited = this.#queue.length > 0;
    const verdict = this.#pacer?.handleAck(this.window.acked, isLimited, nowMs) ?? 'none';
    if (!isLimited && this.#pacer?.isFresh === true) this.#forgetPace();
    return verdict;
  }

  /** The first message that was not acknowledged, and all that was in one datagram with it. */
  resendLost(nowMs: number): void {
    const oldest = this.#pacer?.oldest();
    if (this.#pacer === null || oldest === undefined) return;
    const first = this.window.acked + 1;
    const messages: OutMessage[] = [];
    for (let seqno = first; seqno <= (oldest.isList ? oldest.last : first); seqno++) {
      const message = this.window.at(seqno);
      if (message !== undefined) messages.push(message);
    }
    this.#resendClocked(messages, nowMs);
    this.#pacer.resentOldest(nowMs);
  }

  #resendClocked(messages: OutMessage[], nowMs: number): void {
    if (messages.length === 0) return;
    this.#countResends(messages.length);
    this.#clock.send(this, messages, this.window.acked, nowMs);
  }

  /** The lowest message that is not acknowledged, marked as the first: the peer starts its window there. */
  resendFirst(nowMs: number): void {
    const message = this.window.at(this.window.acked + 1);
    if (message === undefined) return;
    this.#countResends(1);
    const headers = message.headers.map((header) =>
      header.protocol === 'UNICAST3' && header.type === 'DATA' ? { ...header, first: true } : header,
    );
    this.#below.down({ ...message, headers }, nowMs);
  }

  /**
   * The receiver asks for these. A few are sent one by one, as JGroups does; many would overrun its buffer again, and
   * leave as new ones do: in bundles, as acks come in.
   */
  resendRequested(seqnos: readonly number[], nowMs: number): void {
    const pacer = this.#pacer;
    let bytes = 0;
    const known: number[] = [];
    for (const seqno of seqnos) {
      const message = this.window.at(seqno);
      if (message === undefined) continue;
      known.push(seqno);
      bytes += bundledBytes(message);
    }
    if (known.length === 0) return;
    pacer?.handleLoss(nowMs);
    if (pacer === null || bytes <= pacer.bundleBytes(this.#context.config.maxBundleSize)) {
      for (const seqno of known) this.resend(this.window.at(seqno), nowMs);
      return;
    }
    this.#owed = known;
    this.#resendOwed(nowMs);
    this.#resendOwed(nowMs);
  }

  resend(message: OutMessage | undefined, nowMs: number): void {
    if (message === undefined) return;
    this.#countResends(1);
    this.#below.down(message, nowMs);
  }

  #countResends(messages: number): void {
    this.#context.counters.retransmitted += messages;
    this.#context.peers.of(addressKey(this.peer)).retransmitted += messages;
  }

  /** One bundle of what the receiver asked for. */
  #resendOwed(nowMs: number): void {
    if (this.#owed.length === 0 || this.#pacer === null) return;
    const { maxBundleSize } = this.#context.config;
    const most = Math.min(this.#pacer.bundleBytes(maxBundleSize), maxBundleSize - DATAGRAM_ROOM);
    const messages: OutMessage[] = [];
    let bytes = 0;
    let taken = 0;
    for (; taken < this.#owed.length; taken++) {
      const message = this.window.at(this.#owed[taken] as number);
      if (message === undefined) continue; // acknowledged since
      const size = bundledBytes(message);
      if (messages.length > 0 && bytes + size > most) break;
      messages.push(message);
      bytes += size;
    }
    this.#owed = taken < this.#owed.length ? this.#owed.slice(taken) : NOTHING;
    if (messages.length === 0) return;
    this.#resendClocked(messages, nowMs);
    this.#pacer.resentRequested(nowMs);
  }

  /** After an ack or a timeout: what is to be sent again, and what there is room for now. */
  proceed(verdict: PacerVerdict, nowMs: number): void {
    // who never acknowledged anything may have no connection, which only the first message makes
    const isLost = verdict === 'lost' || (verdict === 'probe' && this.window.acked === 0);
    if (verdict === 'probe' && !isLost) this.#clock.ask(this, this.window.acked, nowMs);
    else if (this.#owed.length > 0) this.#resendOwed(nowMs);
    else if (isLost) this.resendLost(nowMs);
    this.flush(nowMs);
  }

  // --- time ------------------------------------------------------------------------------------------------

  handleTimeout(nowMs: number): void {
    const verdict = this.#pacer?.handleTimeout(nowMs) ?? 'none';
    if (verdict !== 'none') this.proceed(verdict, nowMs);
  }

  /** What was learned of the way to a receiver is no longer true after a while, and takes room. */
  #rest(isIdle: boolean): void {
    this.#idleTicks = isIdle ? this.#idleTicks + 1 : 0;
    if (this.#idleTicks >= MAX_IDLE_TICKS) this.#forgetPace();
  }

  /** Nothing waits or is under way: thousands of idle peers are to take little. */
  #forgetPace(): void {
    this.#pacer = null;
    this.#queue = NOTHING_QUEUED;
  }

  /** Once a tick: the last message, if neither it nor an ack moved since the tick before. */
  lastIfStuck(): OutMessage | undefined {
    const { acked, highest } = this.window;
    const stuck = acked < highest && acked === this.#tickAcked && highest === this.#tickHighest;
    this.#rest(acked === highest && highest === this.#tickHighest && this.#queue.length === 0);
    this.#tickAcked = acked;
    this.#tickHighest = highest;
    return stuck ? this.window.at(highest) : undefined;
  }

  /**
   * The peer left the view. What had not left by then is not sent any more. Should another process come back under
   * its uuid, that counts timestamps from 1 again.
   */
  depart(nowMs: number): void {
    this.#lastTimestamp = null;
    this.settledSeqno = this.window.highest;
    this.#queue = NOTHING_QUEUED;
    this.#isBlocked = this.#isBurst = false;
    this.#owed = NOTHING;
    this.close(nowMs);
  }

  /** Ticks go on resending the last message; nobody is asked for acks any more. */
  override close(nowMs: number): void {
    this.#pacer?.stop();
    super.close(nowMs);
  }
}

function total(messages: readonly OutMessage[]): number {
  let bytes = 0;
  for (const message of messages) bytes += bundledBytes(message);
  return bytes;
}
