import { CodecError } from '../../codecs/bytes/errors.ts';
import { type Address, addressKey, Flag, type Unicast3Header } from '../../codecs/jgroups/message.ts';
import { decodeSeqnoList, encodeSeqnoList } from '../../codecs/jgroups/v3_6/seqno-list.ts';
import type { UdpPeerStats } from '../protocol/messenger.ts';
import type { JGroupsConfig } from './config.ts';
import { AckClock } from './ack-clock.ts';
import { ClosedConnections, isOlder, MAX_CONN_ID, STALE_MS } from './connection-id.ts';
import type { ProtocolContext } from './context.ts';
import type { JGroupsCounters } from './counters.ts';
import { DELIVERED } from './inbound-window.ts';
import {
  controlMessage,
  type GroupView,
  headerOf,
  type InMessage,
  type OutMessage,
  Protocol,
} from './protocol.ts';
import { ResendQueue } from './resend-queue.ts';
import { type Acknowledged, SendConnection } from './send-connection.ts';
import { NOBODY_WAITED_FOR, type Wait, type Waits } from './stall-watch.ts';
import { ReceiveConnection } from './unicast3-peer.ts';

/**
 * Senders that are no members may still open connections (they join, or their view is ahead of ours); more than
 * this many at once are refused, so that forged addresses do not fill memory.
 */
const MAX_STRANGERS = 1_000;

/**
 * Reliable, ordered unicast (WIRE-3.6 section 5, checked against JGroups' UNICAST3): numbered messages, cumulative
 * acks at the next tick, gaps asked for by the receiver at the second tick that sees them.
 */
export class UNICAST3 extends Protocol {
  readonly #config: JGroupsConfig;
  readonly #counters: JGroupsCounters;
  readonly #context: ProtocolContext;
  readonly #send = new Map<string, SendConnection>();
  readonly #receive = new Map<string, ReceiveConnection>();
  readonly #closed = new ClosedConnections();
  /** Made when there is something below. */
  #clock: AckClock | null = null;
  readonly #firstSeqnoAskedMs = new Map<string, number>();
  /** Of connections that are not paced. */
  readonly #resends = new ResendQueue((message, nowMs) => {
    if (message.dest !== null) this.#send.get(addressKey(message.dest))?.resend(message, nowMs);
  });
  #members: ReadonlySet<string> = new Set();
  #nextConnId = 0;
  /** Shared by ACK and SEND_FIRST_SEQNO. */
  #timestamp = 0;
  #nextTickMs: number;
  /** Have messages that are to leave at the end of the turn. */
  #unflushed: SendConnection[] = [];
  #flushAtMs = Infinity;
  /** Lists of theirs are to be acknowledged at the end of the turn: one ack for all that one turn brings. */
  #owedAcks: ReceiveConnection[] = [];
  #ackAtMs = Infinity;
  /** The earliest timeout of a connection, or earlier. */
  #timeoutAtMs = Infinity;

  constructor(context: ProtocolContext) {
    super();
    this.#config = context.config;
    this.#counters = context.counters;
    this.#context = context;
    this.#nextTickMs = context.startMs + context.config.xmitIntervalMs;
  }

  // --- down: number it, keep it until it is acknowledged ---------------------------------------------------

  down(message: OutMessage, nowMs: number): void {
    if (message.dest !== null && (message.flags & Flag.NO_RELIABILITY) === 0) {
      const connection = this.#sendConnection(message.dest, nowMs);
      connection.send(message, nowMs);
      this.#schedule(connection, nowMs);
    } else this.below.down(message, nowMs);
  }

  /** End of the turn. */
  flush(nowMs: number): void {
    if (this.#flushAtMs === Infinity) return;
    const connections = this.#unflushed;
    this.#unflushed = [];
    this.#flushAtMs = Infinity;
    for (const connection of connections) {
      connection.isScheduled = false;
      connection.flush(nowMs);
      this.#schedule(connection, nowMs);
    }
  }

  #schedule(connection: SendConnection, nowMs: number): void {
    if (connection.timeoutAtMs < this.#timeoutAtMs) this.#timeoutAtMs = connection.timeoutAtMs;
    if (!connection.wantsFlush || connection.isScheduled) return;
    connection.isScheduled = true;
    this.#unflushed.push(connection);
    this.#flushAtMs = Math.min(this.#flushAtMs, nowMs);
  }

  #sendConnection(dest: Address, nowMs: number): SendConnection {
    const key = addressKey(dest);
    let connection = this.#send.get(key);
    if (connection === undefined) {
      connection = new SendConnection(
        dest,
        this.#nextConnId,
        this.below,
        this.#context,
        this.#ackClock(),
        nowMs,
      );
      this.#nextConnId = this.#nextConnId >= MAX_CONN_ID ? 0 : this.#nextConnId + 1;
      if (!this.#members.has(key)) connection.giveUpAtMs = nowMs + this.#config.maxRetransmitTimeMs;
      this.#send.set(key, connection);
    }
    connection.open(nowMs);
    return connection;
  }

  #ackClock(): AckClock {
    return (this.#clock ??= new AckClock(this.below, this.#context));
  }

  // --- up --------------------------------------------------------------------------------------------------

  up(message: InMessage, nowMs: number): void {
    const header = headerOf(message, 'UNICAST3');
    if (header === undefined || (message.flags & Flag.NO_RELIABILITY) !== 0) this.above.up(message, nowMs);
    else if (header.type === 'DATA') this.#handleData(message, header, nowMs);
    else this.#handleControl(message, header, nowMs);
  }

  /** The messages of one datagram that share OOB and INTERNAL: enough of them are acknowledged at once. */
  override upBatch(messages: readonly InMessage[], nowMs: number): void {
    let connection: ReceiveConnection | undefined;
    let count = 0;
    for (const message of messages) {
      const header = headerOf(message, 'UNICAST3');
      this.up(message, nowMs);
      if (header?.type !== 'DATA') continue;
      connection = this.#receive.get(message.from);
      if (connection?.connId === header.connId) count++;
    }
    if (connection !== undefined && count >= this.#config.ackThreshold)
      this.#acknowledgeSoon(connection, nowMs);
  }

  /** A gap is told at once: from acks that bring nothing new a sender learns of a loss. */
  #acknowledgeSoon(connection: ReceiveConnection, nowMs: number): void {
    if (connection.window.hasGap) {
      this.#sendAck(connection, nowMs);
    } else if (this.#owedAcks.at(-1) !== connection) {
      this.#owedAcks.push(connection);
      this.#ackAtMs = Math.min(this.#ackAtMs, nowMs);
    }
  }

  #sendOwedAcks(nowMs: number): void {
    const connections = this.#owedAcks;
    this.#owedAcks = [];
    this.#ackAtMs = Infinity;
    for (const connection of connections) if (connection.ackPending) this.#sendAck(connection, nowMs);
  }

  #handleData(message: InMessage, header: Unicast3Header & { type: 'DATA' }, nowMs: number): void {
    const connection = this.#receiveConnection(message, header, nowMs);
    if (connection === null) return;
    connection.open(nowMs);
    const oob = (message.flags & Flag.OOB) !== 0;
    const outcome = connection.window.add(header.seqno, oob ? DELIVERED : message);
    if (outcome === 'beyond') {
      this.#counters.beyondWindow++;
      return;
    }
    // a duplicate says that our ack was lost
    connection.ackPending = true;
    if (outcome === 'duplicate') {
      if (isFiller(message)) return;
      this.#counters.duplicates++;
      this.#context.peers.of(message.from).duplicates++;
      return;
    }
    if (oob) this.above.up(message, nowMs);
    const { window } = connection;
    for (let next = window.next(); next !== undefined; next = window.next()) this.above.up(next, nowMs);
  }

  /** Null: the message is dropped, and its sender asked for the first one that it still has. */
  #receiveConnection(
    message: InMessage,
    header: Unicast3Header & { type: 'DATA' },
    nowMs: number,
  ): ReceiveConnection | null {
    const { from } = message;
    const connection = this.#receive.get(from);
    const isSameId = connection?.connId === header.connId;
    const isRestart = isSameId && header.first && connection.isContradictedBy(message, header.seqno);
    if (isSameId && !isRestart) return connection;
    if (!header.first) {
      this.#counters.noConnection++;
      this.#askForFirstSeqno(message.src, from, nowMs);
      return null;
    }
    if (header.seqno < 1) {
      this.#counters.rejected++;
      this.#context.peers.of(from).malformed++;
      this.#context.complain(from, `its message has seqno ${header.seqno}, the first is 1; dropped`);
      return null;
    }
    const isStale = isRestart
      ? !connection.hasLeft && nowMs - connection.touchedMs < STALE_MS
      : this.#isStale(connection, from, header.connId, nowMs);
    if (isStale) {
      this.#counters.staleConnections++;
      return null;
    }
    if (connection === undefined && !this.#members.has(from) && this.#strangers() >= MAX_STRANGERS) {
      this.#counters.rejected++;
      this.#context.complain(
        from,
        `is no member, and ${MAX_STRANGERS} others that are none have connections already`,
      );
      return null;
    }
    // one object for both directions, the view's mostly: thousands of idle peers are to take little
    const peer = this.#send.get(from)?.peer ?? message.src;
    const fresh = new ReceiveConnection(peer, message, header.connId, header.seqno, nowMs);
    this.#receive.set(from, fresh);
    return fresh;
  }

  /**
   * A first message that was held back on its way until its connection was replaced or closed. JGroups would start a
   * new window by it, deliver it again, and lose the window in use.
   */
  #isStale(connection: ReceiveConnection | undefined, from: string, connId: number, nowMs: number): boolean {
    if (connection === undefined) return this.#closed.isStale(from, connId, nowMs);
    return isOlder(connId, connection.connId) && nowMs - connection.touchedMs < STALE_MS;
  }

  #strangers(): number {
    return this.#receive.size < MAX_STRANGERS // which spares a look at each
      ? this.#receive.size
      : [...this.#receive.keys()].filter((key) => !this.#members.has(key)).length;
  }

  #askForFirstSeqno(sender: Address, from: string, nowMs: number): void {
    const askedMs = this.#firstSeqnoAskedMs.get(from);
    if (askedMs !== undefined && nowMs - askedMs < this.#config.syncMinIntervalMs) return;
    if (askedMs === undefined && this.#firstSeqnoAskedMs.size >= MAX_STRANGERS) return;
    this.#firstSeqnoAskedMs.set(from, nowMs);
    this.#counters.firstSeqnoRequestsSent++;
    this.#sendControl(
      sender,
      { protocol: 'UNICAST3', type: 'SEND_FIRST_SEQNO', timestamp: ++this.#timestamp },
      nowMs,
    );
  }

  #handleControl(message: InMessage, header: Unicast3Header, nowMs: number): void {
    const connection = this.#send.get(message.from);
    switch (header.type) {
      case 'ACK':
        if (connection?.connId !== header.connId || !connection.acceptTimestamp(header.timestamp)) return;
        this.#counters.acksReceived++;
        this.#acknowledge(message.from, connection, header.seqno, nowMs);
        return;
      case 'SEND_FIRST_SEQNO':
        if (connection?.acceptTimestamp(header.timestamp) === true) connection.resendFirst(nowMs);
        return;
      case 'XMIT_REQ':
        this.#counters.xmitRequestsReceived++;
        if (connection !== undefined) this.#resendRequested(connection, message, nowMs);
        return;
      case 'CLOSE':
        if (this.#receive.get(message.from)?.connId !== header.connId) return;
        this.#receive.delete(message.from);
        this.#closed.add(message.from, header.connId, nowMs);
        return;
      case 'DATA':
    }
  }

  #acknowledge(from: string, connection: SendConnection, seqno: number, nowMs: number): void {
    const told: Acknowledged = { messages: 0, bytes: 0 };
    const verdict = connection.handleAck(seqno, told, nowMs);
    if (told.messages > 0 || told.bytes > 0) {
      connection.payloadAcks++;
      this.#context.acknowledged(from, told.messages, told.bytes);
    }
    if (this.#send.get(from) !== connection) return; // a handler may do anything
    connection.proceed(verdict, nowMs);
    this.#schedule(connection, nowMs);
  }

  #resendRequested(connection: SendConnection, request: InMessage, nowMs: number): void {
    let seqnos: number[];
    try {
      seqnos = decodeSeqnoList(request.payload ?? new Uint8Array(0));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#context.malformed(request.from, `its retransmission request is malformed: ${error.message}`);
      return;
    }
    if (connection.isPaced) {
      connection.resendRequested(seqnos, nowMs);
      this.#schedule(connection, nowMs);
      return;
    }
    const { from } = request;
    const find = (seqno: number): OutMessage | undefined =>
      this.#send.get(from) === connection ? connection.window.at(seqno) : undefined;
    this.#resends.add(from, seqnos, find, nowMs);
  }

  // --- time ------------------------------------------------------------------------------------------------

  override nextDeadlineMs(): number {
    const dueMs = Math.min(this.#timeoutAtMs, this.#resends.nextDeadlineMs());
    return Math.min(this.#nextTickMs, dueMs, this.#flushAtMs, this.#ackAtMs);
  }

  override handleTimeout(nowMs: number): void {
    if (nowMs >= this.#ackAtMs) this.#sendOwedAcks(nowMs);
    if (nowMs >= this.#timeoutAtMs) this.#handleTimeouts(nowMs);
    this.#resends.handleTimeout(nowMs);
    if (nowMs < this.#nextTickMs) return;
    this.#nextTickMs = nowMs + this.#config.xmitIntervalMs;
    this.sendPendingAcks(nowMs);
    this.#requestGaps(nowMs);
    for (const connection of this.#send.values()) connection.resend(connection.lastIfStuck(), nowMs);
    this.#expire(nowMs);
  }

  #handleTimeouts(nowMs: number): void {
    this.#timeoutAtMs = Infinity;
    for (const connection of this.#send.values()) {
      if (connection.timeoutAtMs === Infinity) continue;
      connection.handleTimeout(nowMs);
      this.#schedule(connection, nowMs);
    }
  }

  sendPendingAcks(nowMs: number): void {
    for (const connection of this.#receive.values())
      if (connection.ackPending) this.#sendAck(connection, nowMs);
  }

  #sendAck(connection: ReceiveConnection, nowMs: number): void {
    connection.ackPending = false;
    this.#counters.acksSent++;
    const { connId, window } = connection;
    const timestamp = ++this.#timestamp;
    this.#sendControl(
      connection.peer,
      { protocol: 'UNICAST3', type: 'ACK', seqno: window.delivered, connId, timestamp },
      nowMs,
    );
  }

  #requestGaps(nowMs: number): void {
    for (const connection of this.#receive.values()) {
      const missing = connection.window.gapsToRequest(this.#config.maxXmitReqSize);
      if (missing.length === 0) continue;
      this.#counters.xmitRequestsSent++;
      this.#context.peers.of(addressKey(connection.peer)).requested += missing.length;
      const end = Math.min(connection.window.highest, (missing[0] as number) + this.#config.maxXmitReqSize);
      const payload = encodeSeqnoList(missing, end);
      this.#sendControl(connection.peer, { protocol: 'UNICAST3', type: 'XMIT_REQ' }, nowMs, payload);
    }
  }

  #expire(nowMs: number): void {
    const { connExpiryTimeoutMs, connCloseTimeoutMs } = this.#config;
    const isIdle = (touchedMs: number): boolean =>
      connExpiryTimeoutMs > 0 && nowMs - touchedMs >= connExpiryTimeoutMs;
    for (const [key, connection] of this.#send) {
      // unlike JGroups' idle connections: retries to a member go on until the view drops it (README, the contract)
      const awaitsAck = connection.window.size + connection.queued > 0 && this.#members.has(key);
      const { giveUpAtMs } = connection;
      const isGivenUp = giveUpAtMs !== null && nowMs >= giveUpAtMs;
      if ((isIdle(connection.touchedMs) && !awaitsAck) || isGivenUp) connection.close(nowMs);
      if (connection.closing && nowMs - connection.touchedMs >= connCloseTimeoutMs)
        this.#removeSend(key, connection, nowMs);
    }
    for (const [key, connection] of this.#receive) {
      if (isIdle(connection.touchedMs)) connection.close(nowMs);
      if (!connection.closing || nowMs - connection.touchedMs < connCloseTimeoutMs) continue;
      if (connection.ackPending) this.#sendAck(connection, nowMs);
      this.#receive.delete(key);
    }
    this.#closed.expire(nowMs);
    for (const [key, askedMs] of this.#firstSeqnoAskedMs) {
      if (nowMs - askedMs >= this.#config.syncMinIntervalMs) this.#firstSeqnoAskedMs.delete(key);
    }
  }

  #removeSend(key: string, connection: SendConnection, nowMs: number): void {
    this.#send.delete(key);
    const counters = this.#context.peers.of(key);
    counters.sentBefore += connection.window.highest;
    counters.ackedBefore += connection.window.acked;
    if (!this.#members.has(key)) return;
    this.#sendControl(
      connection.peer,
      { protocol: 'UNICAST3', type: 'CLOSE', connId: connection.connId },
      nowMs,
    );
  }

  /** Members that have not acknowledged all. */
  waits(): Waits {
    let waits: Map<string, Wait> | null = null;
    for (const [key, { window, queued }] of this.#send) {
      const messages = window.size + queued;
      if (messages === 0 || !this.#members.has(key)) continue;
      (waits ??= new Map<string, Wait>()).set(key, { messages, mark: window.acked });
    }
    return waits ?? NOBODY_WAITED_FOR;
  }

  /** Another number whenever the peer has acknowledged something of the application's. */
  payloadAcks(key: string): number {
    return this.#send.get(key)?.payloadAcks ?? 0;
  }

  peerStats(key: string): Pick<UdpPeerStats, 'sent' | 'acked' | 'window' | 'queue' | 'gaps'> {
    const connection = this.#send.get(key);
    const send = connection?.window;
    const { sentBefore, ackedBefore } = this.#context.peers.find(key);
    return {
      sent: sentBefore + (send?.highest ?? 0),
      acked: ackedBefore + (send?.acked ?? 0),
      window: send?.size ?? 0,
      queue: connection?.queued ?? 0,
      gaps: this.#receive.get(key)?.window.gaps ?? 0,
    };
  }

  // --- views -----------------------------------------------------------------------------------------------

  installView({ keys: members, members: addresses }: GroupView, nowMs: number): void {
    this.#members = members;
    this.#meet(addresses);
    for (const [key, connection] of this.#send) {
      if (!members.has(key)) connection.depart(nowMs);
      else {
        connection.giveUpAtMs = null;
        if (connection.closing) connection.open(nowMs);
      }
    }
    for (const [key, connection] of this.#receive) {
      if (!members.has(key)) connection.depart(nowMs);
      else if (connection.closing) connection.open(nowMs);
    }
  }

  #meet(view: readonly Address[]): void {
    let haveMet = false;
    for (const member of view) {
      const key = addressKey(member);
      const send = this.#send.get(key);
      const receive = this.#receive.get(key);
      // another process came back under the uuid of one that had left: its address tells of a later view
      if (send?.closing === true && isAnother(send.peer, member)) this.#send.delete(key);
      else send?.meet(member);
      if (receive?.closing === true && isAnother(receive.peer, member)) this.#receive.delete(key);
      else if (receive?.meet(member) === true) haveMet = true;
    }
    if (haveMet) this.#rekeyReceive();
  }

  /** The keys of messages that came before the view are not kept beside the view's. */
  #rekeyReceive(): void {
    const connections = [...this.#receive.values()];
    this.#receive.clear();
    for (const connection of connections) this.#receive.set(addressKey(connection.peer), connection);
  }

  #sendControl(
    dest: Address,
    header: Unicast3Header,
    nowMs: number,
    payload: Uint8Array | null = null,
  ): void {
    this.below.down(controlMessage(dest, controlFlags(header.type), header, payload), nowMs);
  }
}

/** Sent by stacks like ours to have a list acknowledged at once (`SendConnection`): a duplicate by intention. */
function isFiller({ headers, payload }: InMessage): boolean {
  return payload === null && headers.length === 1;
}

/** Of two addresses with one uuid; one that has not joined tells -1 for its view. */
function isAnother(before: Address, now: Address): boolean {
  if (before.kind !== 'geode' || now.kind !== 'geode') return false;
  return before.viewId >= 0 && now.viewId >= 0 && before.viewId !== now.viewId;
}

/** WIRE-3.6 section 5. */
function controlFlags(type: Unicast3Header['type']): number {
  if (type === 'XMIT_REQ') return Flag.OOB | Flag.INTERNAL;
  return type === 'SEND_FIRST_SEQNO' ? Flag.OOB : Flag.INTERNAL;
}
