import type { Address } from '../../codecs/jgroups/message.ts';
import { SendWindow } from '../protocol/seqno-window.ts';
import { InboundWindow } from './inbound-window.ts';
import type { OutMessage } from './protocol.ts';

/** JGroups' states OPEN and CLOSING: a closing connection still works, and is removed after connCloseTimeoutMs. */
abstract class Connection {
  readonly peer: Address;
  readonly connId: number;
  /** Of the last use or change of state; expiry and closing count from it. */
  touchedMs: number;
  #closing = false;

  constructor(peer: Address, connId: number, nowMs: number) {
    this.peer = peer;
    this.connId = connId;
    this.touchedMs = nowMs;
  }

  get closing(): boolean {
    return this.#closing;
  }

  close(nowMs: number): void {
    if (this.#closing) return;
    this.#closing = true;
    this.touchedMs = nowMs;
  }

  /** Used, or its peer is a member again. */
  open(nowMs: number): void {
    this.#closing = false;
    this.touchedMs = nowMs;
  }
}

/** What we send to one peer under one connection id. */
export class SendConnection extends Connection {
  readonly window = new SendWindow<OutMessage>();
  /** Deadline for a peer that was no member when the connection was made; Infinity once it was one. */
  giveUpAtMs = Infinity;
  /** Up to here messages ended as `memberLeft`, though they are still resent while the connection closes. */
  settledSeqno = 0;
  /** What the last tick saw: if it still is so, the last message may have been lost. */
  #tickAcked = 0;
  #tickHighest = 0;
  #lastTimestamp: number | null = null;

  /** Answers that were overtaken by a newer one are ignored (WIRE-3.6 section 5). */
  acceptTimestamp(timestamp: number): boolean {
    if (this.#lastTimestamp !== null && timestamp <= this.#lastTimestamp) return false;
    this.#lastTimestamp = timestamp;
    return true;
  }

  /** The peer left the view. */
  depart(nowMs: number): void {
    this.settledSeqno = this.window.highest;
    this.close(nowMs);
  }

  /** Once a tick: the last message, if neither it nor an ack moved since the tick before. */
  lastIfStuck(): OutMessage | undefined {
    const { acked, highest } = this.window;
    const stuck = acked < highest && acked === this.#tickAcked && highest === this.#tickHighest;
    this.#tickAcked = acked;
    this.#tickHighest = highest;
    return stuck ? this.window.at(highest) : undefined;
  }
}

/** What one peer sends us under one connection id. */
export class ReceiveConnection extends Connection {
  readonly window: InboundWindow;
  ackPending = false;

  constructor(peer: Address, connId: number, first: number, nowMs: number) {
    super(peer, connId, nowMs);
    this.window = new InboundWindow(first);
  }
}
