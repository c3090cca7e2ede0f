import { DataFlag } from '../../codecs/tcp/v1/data.ts';
import { RemoteProtocolError } from '../protocol/errors.ts';
import { MESSAGE_OVERHEAD_BYTES } from '../protocol/messenger-options.ts';
import type { QueueLimits } from '../protocol/messenger-options.ts';
import { Fifo } from './fifo.ts';
import { HIGH_PRIORITY_RESERVE_BYTES, LOW_WATER_PART } from './limits.ts';

/** A DATA frame to transmit. */
export interface OutgoingFrame {
  readonly seqno: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  /** Pending bytes that its acknowledgement frees: those of the whole message with its last frame, else 0. */
  readonly releasedBytes: number;
}

interface QueuedMessage {
  readonly payload: Uint8Array;
  readonly unordered: boolean;
  /** Bytes that were cut into frames already. */
  cut: number;
}

/**
 * What one recipient has been promised: messages that wait, and frames that were sent and are not acknowledged.
 * A frame gets its seqno when it is first sent, which is what lets high-priority messages pass those that wait.
 */
export class SendWindow {
  readonly #limits: QueueLimits;
  readonly #peer: string;
  readonly #urgent = new Fifo<QueuedMessage>();
  readonly #queue = new Fifo<QueuedMessage>();
  /** In order of seqno, without gaps, from `#ackedSeqno + 1` to `#lastSeqno`. */
  readonly #sent = new Fifo<OutgoingFrame>();
  /** Index in `#sent` of the next frame that this connection has to send again. */
  #resend = 0;
  #lastSeqno = 0;
  #ackedSeqno = 0;
  #pendingBytes = 0;
  #blocked = false;

  /** Frames that were sent more than once. */
  retransmissions = 0;

  /** @param peer `host:port`, for errors */
  constructor(limits: QueueLimits, peer: string) {
    this.#limits = limits;
    this.#peer = peer;
  }

  /** Payloads that are not acknowledged, plus `MESSAGE_OVERHEAD_BYTES` each. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get aboveHighWater(): boolean {
    return this.#pendingBytes > this.#limits.highWaterBytes;
  }

  get isEmpty(): boolean {
    return this.#pendingBytes === 0;
  }

  /** Frames were sent and not acknowledged. */
  get isWaiting(): boolean {
    return this.#sent.length > 0;
  }

  /** The lowest seqno that is not acknowledged, for HELLO. */
  get nextSeqno(): number {
    return this.#ackedSeqno + 1;
  }

  /** False: refused, the queue is at its hard limit. A message larger than the limit passes if it is alone. */
  accept(payload: Uint8Array, unordered: boolean, highPriority: boolean): boolean {
    const bytes = payload.length + MESSAGE_OVERHEAD_BYTES;
    const limit = this.#limits.hardLimitBytes + (highPriority ? HIGH_PRIORITY_RESERVE_BYTES : 0);
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > limit) {
      this.#blocked = true;
      return false;
    }
    this.#pendingBytes += bytes;
    if (this.aboveHighWater) this.#blocked = true;
    (highPriority ? this.#urgent : this.#queue).push({
      payload,
      unordered: unordered || highPriority,
      cut: 0,
    });
    return true;
  }

  /** The next frame for the connection: what has to be sent again first, then new ones. */
  pollFrame(fragmentBytes: number): OutgoingFrame | null {
    const again = this.#sent.at(this.#resend);
    if (again !== undefined) {
      this.#resend++;
      this.retransmissions++;
      return again;
    }
    const queue = this.#nextQueue();
    const message = queue.at(0);
    if (message === undefined) return null;
    const frame = this.#cut(message, fragmentBytes);
    if ((frame.flags & DataFlag.MORE) === 0) queue.shift();
    this.#sent.push(frame);
    this.#resend++;
    return frame;
  }

  /**
   * Everything up to `seqno` has arrived. Returns how many messages that completes.
   * @throws {RemoteProtocolError} `ERR_ACK` for a frame that was never sent
   */
  handleAck(seqno: number): number {
    if (seqno > this.#lastSeqno) {
      const text = `acknowledges seqno ${seqno}, the last one sent is ${this.#lastSeqno}`;
      throw new RemoteProtocolError('ERR_ACK', this.#peer, text);
    }
    let messages = 0;
    while (this.#ackedSeqno < seqno) {
      const frame = this.#sent.shift();
      this.#ackedSeqno++;
      if (this.#resend > 0) this.#resend--;
      if (frame === undefined || frame.releasedBytes === 0) continue;
      this.#pendingBytes -= frame.releasedBytes;
      messages++;
    }
    return messages;
  }

  /**
   * A new connection begins; the recipient has everything up to `lastSeqno` and gets the rest again.
   * @throws {RemoteProtocolError} `ERR_ACK` if it cannot have that, or once had more
   */
  handleResume(lastSeqno: number): number {
    if (lastSeqno < this.#ackedSeqno) {
      const text = `resumes at seqno ${lastSeqno} but acknowledged ${this.#ackedSeqno}`;
      throw new RemoteProtocolError('ERR_ACK', this.#peer, text);
    }
    const messages = this.handleAck(lastSeqno);
    this.#resend = 0;
    return messages;
  }

  /** True once after callers were told to stop, when there is room again. */
  takeWritable(): boolean {
    if (!this.#blocked || this.#pendingBytes > this.#limits.highWaterBytes * LOW_WATER_PART) return false;
    this.#blocked = false;
    return true;
  }

  /** Urgent ones first, but not between the fragments of another unordered message: those would get mixed up. */
  #nextQueue(): Fifo<QueuedMessage> {
    if (this.#urgent.length === 0) return this.#queue;
    const head = this.#queue.at(0);
    return head !== undefined && head.cut > 0 && head.unordered ? this.#queue : this.#urgent;
  }

  #cut(message: QueuedMessage, fragmentBytes: number): OutgoingFrame {
    const { payload } = message;
    const start = message.cut;
    const end = Math.min(payload.length, start + fragmentBytes);
    const last = end === payload.length;
    message.cut = end;
    return {
      seqno: ++this.#lastSeqno,
      flags: (message.unordered ? DataFlag.UNORDERED : 0) | (last ? 0 : DataFlag.MORE),
      payload: last && start === 0 ? payload : payload.subarray(start, end),
      releasedBytes: last ? payload.length + MESSAGE_OVERHEAD_BYTES : 0,
    };
  }
}
