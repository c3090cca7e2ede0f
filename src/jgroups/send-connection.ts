import { type Address, addressKey, Flag } from '../../codecs/jgroups/message.ts';
import { Fifo } from '../protocol/fifo.ts';
import { SendWindow } from '../protocol/seqno-window.ts';
import { DATAGRAM_ROOM } from './bundler.ts';
import type { ProtocolContext } from './context.ts';
import { MESSAGE_BYTES, Pacer } from './pacer.ts';
import type { OutMessage, Protocol } from './protocol.ts';
import { Connection } from './unicast3-peer.ts';

/** A receiver that only acknowledges longer lists at once would need too many fillers. */
const MAX_ACK_THRESHOLD = 100;

/** What the acks of one call brought about. */
export interface Acknowledged {
  messages: number;
  bytes: number;
}

/**
 * What we send to one peer under one connection id (WIRE-3.6 section 5).
 *
 * Messages that have an order wait in a queue while more than a window of bytes is under way, and leave as acks come
 * in, several to a datagram: a receiver acknowledges a list of `ackThreshold` messages at once, single ones only at
 * its tick. A list with fewer gets fillers: DATA under the seqno that was acknowledged last, without a payload, which
 * a receiver takes for a late duplicate, and counts. Seqnos are given out when messages leave, so that what passes
 * the queue leaves no gap.
 */
export class SendConnection extends Connection {
  readonly window = new SendWindow<OutMessage>();
  /** Deadline for a peer that was no member when the connection was made; Infinity once it was one. */
  giveUpAtMs = Infinity;
  /** Up to here messages ended as `memberLeft`, though they are still resent while the connection closes. */
  settledSeqno = 0;
  /** It is in the list of those to flush; kept by who has that list. */
  isScheduled = false;
  readonly #below: Pick<Protocol, 'down' | 'downBatch'>;
  readonly #context: ProtocolContext;
  /** Null: messages leave as they come. */
  readonly #pacer: Pacer | null;
  readonly #queue = new Fifo<OutMessage>();
  /** Of the messages in the queue, as they would be counted in a bundle. */
  #queuedBytes = 0;
  /** Nothing can leave until an ack comes, or a timeout. */
  #isBlocked = false;
  /** Asked for by the receiver, and still to be sent again. */
  #owed: number[] = [];
  /** What the last tick saw: if it still is so, the last message may have been lost. */
  #tickAcked = 0;
  #tickHighest = 0;
  #lastTimestamp: number | null = null;

  constructor(
    peer: Address,
    connId: number,
    below: Pick<Protocol, 'down' | 'downBatch'>,
    context: ProtocolContext,
    nowMs: number,
  ) {
    super(peer, connId, nowMs);
    this.#below = below;
    this.#context = context;
    const { initialWindowBytes, maxWindowBytes, ackThreshold } = context.config;
    const isPaced = initialWindowBytes > 0 && ackThreshold <= MAX_ACK_THRESHOLD;
    this.#pacer = isPaced ? new Pacer(initialWindowBytes, maxWindowBytes) : null;
  }

  /** What is to be sent again is bounded by what was acknowledged. */
  get isPaced(): boolean {
    return this.#pacer !== null;
  }

  /** Messages that wait for their turn. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Bytes that may be under way; Infinity: not bounded. */
  get windowBytes(): number {
    return this.#pacer?.windowBytes ?? Infinity;
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
    const pacer = this.#pacer;
    if (pacer === null || hasNoOrder(message)) {
      this.#sendAlone(message, nowMs);
      return;
    }
    const bytes = payloadBytes(message);
    const isAlone = !this.#context.config.ignoreDontBundle && (message.flags & Flag.DONT_BUNDLE) !== 0;
    if (isAlone && this.#queue.length === 0 && pacer.mayGoAlone(bytes)) {
      if (pacer.wantsClock(bytes)) this.#sendList([message], bytes + MESSAGE_BYTES, nowMs);
      else this.#sendAlone(message, nowMs);
      return;
    }
    if (this.#queue.length === 0) this.#isBlocked = false;
    this.#queue.push(message);
    this.#queuedBytes += bytes + MESSAGE_BYTES;
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
      if (!all && this.#queuedBytes < bundleBytes) return;
      if (!pacer.hasRoom(Math.min(this.#queuedBytes, bundleBytes))) {
        this.#context.counters.paced++;
        this.#isBlocked = true;
        return;
      }
      this.#sendBundle(pacer, bundleBytes, nowMs);
    }
  }

  #sendBundle(pacer: Pacer, bundleBytes: number, nowMs: number): void {
    const most = Math.min(bundleBytes, this.#context.config.maxBundleSize - DATAGRAM_ROOM);
    const messages: OutMessage[] = [];
    let total = 0;
    for (let next = this.#queue.at(0); next !== undefined; next = this.#queue.at(0)) {
      const bytes = payloadBytes(next) + MESSAGE_BYTES;
      if (messages.length > 0 && total + bytes > most) break;
      total += bytes;
      messages.push(next);
      this.#queue.shift();
    }
    this.#queuedBytes -= total;
    const [first] = messages;
    const isFew = messages.length < this.#context.config.ackThreshold;
    const isClocked = !isFew || !pacer.awaitsAck || pacer.wantsClock(total);
    if (isClocked || messages.length > 1) this.#sendList(messages, total, nowMs, isClocked);
    else if (first !== undefined) this.#sendAlone(first, nowMs);
  }

  #sendAlone(message: OutMessage, nowMs: number): void {
    const seqno = this.#number(message);
    this.#pacer?.sentAlone(seqno, payloadBytes(message), nowMs);
    this.#below.down(message, nowMs);
  }

  /** @param isClocked to be acknowledged at once */
  #sendList(messages: OutMessage[], bytes: number, nowMs: number, isClocked = true): void {
    for (const message of messages) this.#number(message);
    this.#pacer?.sentList(this.window.highest, bytes, isClocked, nowMs);
    if (isClocked) this.#transmitClocked(messages, bytes, nowMs);
    else this.#below.downBatch(messages, nowMs);
  }

  #number(message: OutMessage): number {
    const seqno = this.window.next;
    const { connId } = this;
    message.headers.push({ protocol: 'UNICAST3', type: 'DATA', seqno, connId, first: seqno === 1 });
    this.window.push(message);
    return seqno;
  }

  /** In one datagram that is acknowledged at once, or, if it has no room for fillers, followed by one of them. */
  #transmitClocked(messages: OutMessage[], bytes: number, nowMs: number): void {
    const { ackThreshold, maxBundleSize } = this.#context.config;
    let count = 0;
    for (const message of messages) if (!hasNoOrder(message)) count++;
    const missing = ackThreshold - count;
    if (missing <= 0) this.#below.downBatch(messages, nowMs);
    else if (bytes + missing * MESSAGE_BYTES + DATAGRAM_ROOM <= maxBundleSize) {
      this.#below.downBatch(messages.concat(this.#fillers(missing)), nowMs);
    } else {
      this.#below.downBatch(messages, nowMs);
      this.#below.downBatch(this.#fillers(ackThreshold), nowMs);
    }
  }

  #fillers(count: number): OutMessage[] {
    const { connId, peer, window } = this;
    const seqno = window.acked;
    const filler: OutMessage = {
      dest: peer,
      flags: 0,
      headers: [{ protocol: 'UNICAST3', type: 'DATA', seqno, connId, first: false }],
      payload: null,
      completes: 0,
      pendingBytes: 0,
    };
    this.#context.counters.acksAskedFor++;
    return new Array<OutMessage>(count).fill(filler);
  }

  // --- what comes back -------------------------------------------------------------------------------------

  /** Answers that were overtaken by a newer one are ignored (WIRE-3.6 section 5). */
  acceptTimestamp(timestamp: number): boolean {
    if (this.#lastTimestamp !== null && timestamp <= this.#lastTimestamp) return false;
    this.#lastTimestamp = timestamp;
    return true;
  }

  /**
   * `told` is to be told before `flush` is called.
   * @returns whether something is to be sent again
   */
  handleAck(seqno: number, told: Acknowledged, nowMs: number): boolean {
    this.window.acknowledge(seqno, (message, acknowledged) => {
      if (acknowledged <= this.settledSeqno) return;
      told.messages += message.completes;
      told.bytes += message.pendingBytes;
    });
    const isLimited = this.#queue.length > 0;
    return this.#pacer?.handleAck(this.window.acked, isLimited, nowMs) === true;
  }

  /** The first message that was not acknowledged, and all that was in one datagram with it. */
  resendLost(nowMs: number): void {
    const oldest = this.#pacer?.oldest();
    if (this.#pacer === null || oldest === undefined) return;
    const first = this.window.acked + 1;
    this.#resendClocked(first, oldest.isList ? oldest.last : first, nowMs);
    this.#pacer.resentOldest(nowMs);
  }

  #resendClocked(first: number, last: number, nowMs: number): void {
    const messages: OutMessage[] = [];
    let bytes = 0;
    for (let seqno = first; seqno <= last; seqno++) {
      const message = this.window.at(seqno);
      if (message === undefined) continue;
      messages.push(message);
      bytes += payloadBytes(message) + MESSAGE_BYTES;
    }
    if (messages.length === 0) return;
    this.#countResends(messages.length);
    this.#transmitClocked(messages, bytes, nowMs);
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
      bytes += payloadBytes(message) + MESSAGE_BYTES;
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
      const size = payloadBytes(message) + MESSAGE_BYTES;
      if (messages.length > 0 && bytes + size > most) break;
      messages.push(message);
      bytes += size;
    }
    this.#owed = this.#owed.slice(taken);
    if (messages.length === 0) return;
    this.#countResends(messages.length);
    this.#transmitClocked(messages, bytes, nowMs);
    this.#pacer.resentRequested(nowMs);
  }

  /** After an ack or a timeout: what it made room for. */
  proceed(isLost: boolean, nowMs: number): void {
    if (this.#owed.length > 0) this.#resendOwed(nowMs);
    else if (isLost) this.resendLost(nowMs);
    this.flush(nowMs);
  }

  // --- time ------------------------------------------------------------------------------------------------

  handleTimeout(nowMs: number): void {
    const due = this.#pacer?.handleTimeout(nowMs) ?? 'none';
    if (due === 'none') return;
    // who never acknowledged anything may have no connection, which only the first message makes
    if (due === 'probe' && this.window.acked > 0)
      this.#below.downBatch(this.#fillers(this.#context.config.ackThreshold), nowMs);
    this.proceed(due === 'lost' || this.window.acked === 0, nowMs);
  }

  /** Once a tick: the last message, if neither it nor an ack moved since the tick before. */
  lastIfStuck(): OutMessage | undefined {
    const { acked, highest } = this.window;
    const stuck = acked < highest && acked === this.#tickAcked && highest === this.#tickHighest;
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
    while (this.#queue.shift() !== undefined);
    this.#queuedBytes = 0;
    this.#owed = [];
    this.#pacer?.stop();
    this.close(nowMs);
  }
}

/** OOB has none, and the stack's own messages must not wait: UFC's credits are what others wait for. */
function hasNoOrder(message: OutMessage): boolean {
  return (message.flags & (Flag.OOB | Flag.INTERNAL)) !== 0;
}

function payloadBytes(message: OutMessage): number {
  return message.payload?.length ?? 0;
}
