import type { Address } from '../../codecs/jgroups/message.ts';
import { SendWindow } from '../protocol/seqno-window.ts';
import { InboundWindow } from './inbound-window.ts';
import type { InMessage, OutMessage } from './protocol.ts';

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

  /** The peer left the view. Should another process come back under its uuid, that counts timestamps from 1 again. */
  depart(nowMs: number): void {
    this.settledSeqno = this.window.highest;
    this.#lastTimestamp = null;
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
  /** The peer has left the view since the connection was made, and may be back. */
  hasLeft = false;
  readonly #first: number;
  readonly #firstPrint: number;

  /** @param message the one that made it, with seqno `first` */
  constructor(message: InMessage, connId: number, first: number, nowMs: number) {
    super(message.src, connId, nowMs);
    this.window = new InboundWindow(first);
    this.#first = first;
    this.#firstPrint = fingerprint(message);
  }

  /** The peer left the view. */
  depart(nowMs: number): void {
    this.hasLeft = true;
    this.close(nowMs);
  }

  /** Whether a first message with this connection's id says something else than the one that made the connection. */
  isContradictedBy(message: InMessage, seqno: number): boolean {
    return seqno === this.#first && fingerprint(message) !== this.#firstPrint;
  }
}

/** Payload bytes that a fingerprint looks at. */
const PRINTED_BYTES = 512;

/** FNV-1a, 32 bits. Only first messages have one. */
function fingerprint({ flags, payload }: InMessage): number {
  const bytes = payload ?? new Uint8Array(0);
  let print = Math.imul(0x811c9dc5 ^ flags, 0x01000193) ^ bytes.length;
  const end = Math.min(bytes.length, PRINTED_BYTES);
  for (let i = 0; i < end; i++) print = Math.imul(print ^ (bytes[i] as number), 0x01000193);
  return print;
}
