import { DataFlag } from '../../codecs/tcp/v1/data.ts';
import { RemoteProtocolError } from '../protocol/errors.ts';
import type { TcpCounters } from './context.ts';
import { Fifo } from '../protocol/fifo.ts';

/** A DATA frame to transmit. */
export interface OutgoingFrame {
  readonly seqno: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  /** Payload bytes of the message that its acknowledgement completes; null unless it is the last of its message. */
  readonly completes: number | null;
  /** Told when it is acknowledged. */
  readonly acknowledged: OnAcknowledged | null;
}

/** Must call nobody back: the window is in the middle of its work. */
export type OnAcknowledged = () => void;

/** Messages that an ack completed, and the bytes of their payloads. */
export interface Acknowledged {
  readonly messages: number;
  readonly bytes: number;
}

interface QueuedMessage {
  readonly payload: Uint8Array;
  readonly unordered: boolean;
  readonly acknowledged: OnAcknowledged | null;
  /** Bytes that were cut into frames already. */
  cut: number;
}

/**
 * What one recipient has been promised: messages that wait, and frames that were sent and are not acknowledged.
 * A frame gets its seqno when it is first sent, which is what lets high-priority messages pass those that wait.
 */
export class SendWindow {
  readonly #peer: string;
  readonly #counters: Pick<TcpCounters, 'retransmissions'>;
  readonly #urgent = new Fifo<QueuedMessage>();
  readonly #queue = new Fifo<QueuedMessage>();
  /** In order of seqno, without gaps, from `#ackedSeqno + 1` to `#lastSeqno`. */
  readonly #sent = new Fifo<OutgoingFrame>();
  /** Index in `#sent` of the next frame that this connection has to send again. */
  #resend = 0;
  #lastSeqno = 0;
  #ackedSeqno = 0;

  /** @param peer `host:port`, for errors */
  constructor(peer: string, counters: Pick<TcpCounters, 'retransmissions'>) {
    this.#peer = peer;
    this.#counters = counters;
  }

  get isEmpty(): boolean {
    return this.#sent.length + this.#queue.length + this.#urgent.length === 0;
  }

  /** Frames were sent and not acknowledged. */
  get isWaiting(): boolean {
    return this.#sent.length > 0;
  }

  /** The lowest seqno that is not acknowledged, for HELLO. */
  get nextSeqno(): number {
    return this.#ackedSeqno + 1;
  }

  /**
   * @param highPriority passes those that wait; implies `unordered`
   * @param acknowledged told when the whole message is
   */
  push(
    payload: Uint8Array,
    unordered: boolean,
    highPriority: boolean,
    acknowledged: OnAcknowledged | null = null,
  ): void {
    const message = { payload, unordered: unordered || highPriority, acknowledged, cut: 0 };
    (highPriority ? this.#urgent : this.#queue).push(message);
  }

  /** The next frame for the connection: what has to be sent again first, then new ones. */
  pollFrame(fragmentBytes: number): OutgoingFrame | null {
    const again = this.#sent.at(this.#resend);
    if (again !== undefined) {
      this.#resend++;
      this.#counters.retransmissions++;
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
   * Everything up to `seqno` has arrived. Returns which messages that completes.
   * @throws {RemoteProtocolError} `ERR_ACK` for a frame that was never sent
   */
  handleAck(seqno: number): Acknowledged {
    if (seqno > this.#lastSeqno) {
      const text = `acknowledges seqno ${seqno}, the last one sent is ${this.#lastSeqno}`;
      throw new RemoteProtocolError('ERR_ACK', this.#peer, text);
    }
    let messages = 0;
    let bytes = 0;
    while (this.#ackedSeqno < seqno) {
      const frame = this.#sent.shift();
      this.#ackedSeqno++;
      if (this.#resend > 0) this.#resend--;
      if (frame === undefined || frame.completes === null) continue;
      bytes += frame.completes;
      messages++;
      if (frame.acknowledged !== null) frame.acknowledged();
    }
    return { messages, bytes };
  }

  /**
   * A new connection begins; the recipient has everything up to `lastSeqno` and gets the rest again.
   * @throws {RemoteProtocolError} `ERR_ACK` if it cannot have that, or once had more
   */
  handleResume(lastSeqno: number): Acknowledged {
    if (lastSeqno < this.#ackedSeqno) {
      const text = `resumes at seqno ${lastSeqno} but acknowledged ${this.#ackedSeqno}`;
      throw new RemoteProtocolError('ERR_ACK', this.#peer, text);
    }
    const acknowledged = this.handleAck(lastSeqno);
    this.#resend = 0;
    return acknowledged;
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
      completes: last ? payload.length : null,
      acknowledged: last ? message.acknowledged : null,
    };
  }
}
