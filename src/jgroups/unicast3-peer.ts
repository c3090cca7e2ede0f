import type { Address } from '../../codecs/jgroups/message.ts';
import { ReceiveWindow, SendWindow } from '../protocol/seqno-window.ts';
import type { InMessage, OutMessage } from './protocol.ts';

/**
 * How far ahead of a gap UNICAST3 stores messages. A sender can have 0.5 to 1 s of traffic in flight before the
 * gap is asked for; at 200,000 messages a second that is 200,000. Beyond it messages are dropped and asked for later.
 */
const MAX_AHEAD = 262_144;

/**
 * Payload bytes of one sender that wait behind a gap, with an overhead for each message. Flow control allows
 * `maxCredits` (1 MiB) of them; who sends past it is not heard until the gap is closed.
 */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MESSAGE_OVERHEAD_BYTES = 256;

/** Stands in the window for an OOB message, which was delivered on arrival. */
export const DELIVERED = Symbol('delivered');

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
  readonly window: ReceiveWindow<InMessage | typeof DELIVERED>;
  ackPending = false;
  /** Of the messages in the window. */
  #waitingBytes = 0;
  /** The highest gap that the last tick saw; null: none. Gaps are asked for at the second tick that sees them. */
  #rememberedGap: number | null = null;

  constructor(peer: Address, connId: number, first: number, nowMs: number) {
    super(peer, connId, nowMs);
    this.window = new ReceiveWindow(first, MAX_AHEAD);
  }

  /** As `ReceiveWindow.add`, with a bound on bytes. The message that all others wait for is always taken. */
  add(seqno: number, item: InMessage | typeof DELIVERED): 'added' | 'duplicate' | 'beyond' {
    const bytes = storedBytes(item);
    const isNext = seqno <= this.window.delivered + 1;
    if (!isNext && this.#waitingBytes + bytes > MAX_WAITING_BYTES) return 'beyond';
    const outcome = this.window.add(seqno, item);
    if (outcome === 'added') this.#waitingBytes += bytes;
    return outcome;
  }

  /** The next message in order, once; OOB ones are passed over. */
  next(): InMessage | undefined {
    for (;;) {
      const item = this.window.next();
      if (item === undefined) return undefined;
      this.#waitingBytes -= storedBytes(item);
      if (item !== DELIVERED) return item;
    }
  }

  /** Once a tick: the seqnos to ask for now. */
  gapsToRequest(limit: number): number[] {
    const missing = this.window.missing(limit);
    const highest = missing.at(-1);
    const remembered = this.#rememberedGap;
    if (highest === undefined) {
      this.#rememberedGap = null;
      return missing;
    }
    if (remembered === null || highest > remembered) this.#rememberedGap = highest;
    if (remembered === null) return [];
    return missing.filter((seqno) => seqno <= remembered);
  }
}

function storedBytes(item: InMessage | typeof DELIVERED): number {
  return item === DELIVERED ? 0 : MESSAGE_OVERHEAD_BYTES + (item.payload?.length ?? 0);
}
