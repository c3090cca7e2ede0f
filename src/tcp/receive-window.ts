import { DataFlag } from '../../codecs/tcp/v1/data.ts';
import type { Data } from '../../codecs/tcp/v1/data.ts';
import { MAX_MESSAGE_BYTES } from '../../codecs/tcp/v1/limits.ts';
import { RemoteProtocolError } from '../protocol/errors.ts';
import { ACK_EVERY_BYTES, ACK_EVERY_FRAMES } from './limits.ts';

/**
 * What was received of one session of a sender. It outlives connections: a frame that comes again on the next one
 * is dropped, half a message is completed there.
 */
export class ReceiveWindow {
  readonly session: string;
  readonly connId: number;
  readonly #peer: string;
  #lastSeqno: number;
  readonly #ordered = new Assembly();
  readonly #unordered = new Assembly();

  /**
   * @param peer `host:port`, for errors
   * @param lastSeqno what the sender had acknowledged when we first heard of it
   */
  constructor(session: string, connId: number, lastSeqno: number, peer: string) {
    this.session = session;
    this.connId = connId;
    this.#lastSeqno = lastSeqno;
    this.#peer = peer;
  }

  /** Highest seqno that was received; all below it were, too. */
  get lastSeqno(): number {
    return this.#lastSeqno;
  }

  isDuplicate(frame: Data): boolean {
    return frame.seqno <= this.#lastSeqno;
  }

  /**
   * Takes the next frame; returns the message that it completes, or null.
   * @throws {RemoteProtocolError} `ERR_SEQNO` for a gap, `ERR_TOO_LARGE` for a message over the limit
   */
  handleData(frame: Data): Uint8Array | null {
    if (frame.seqno !== this.#lastSeqno + 1) {
      const text = `sends seqno ${frame.seqno} after ${this.#lastSeqno}`;
      throw new RemoteProtocolError('ERR_SEQNO', this.#peer, text);
    }
    const assembly = (frame.flags & DataFlag.UNORDERED) === 0 ? this.#ordered : this.#unordered;
    if (assembly.bytes + frame.payload.length > MAX_MESSAGE_BYTES) {
      const text = `sends a message of more than ${MAX_MESSAGE_BYTES} bytes`;
      throw new RemoteProtocolError('ERR_TOO_LARGE', this.#peer, text);
    }
    this.#lastSeqno = frame.seqno;
    if ((frame.flags & DataFlag.MORE) !== 0) {
      assembly.add(frame.payload);
      return null;
    }
    if (assembly.bytes === 0) return frame.payload;
    assembly.add(frame.payload);
    return assembly.take();
  }
}

const EMPTY = new Uint8Array(0);

/** Fragments of one message. Grows with what arrives; copies, for a fragment is a view of a larger buffer. */
class Assembly {
  #buffer = EMPTY;
  bytes = 0;

  add(fragment: Uint8Array): void {
    const need = this.bytes + fragment.length;
    if (need > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, Math.min(2 * need, MAX_MESSAGE_BYTES)));
      grown.set(this.#buffer.subarray(0, this.bytes));
      this.#buffer = grown;
    }
    this.#buffer.set(fragment, this.bytes);
    this.bytes = need;
  }

  take(): Uint8Array {
    const message = this.#buffer.subarray(0, this.bytes);
    this.#buffer = EMPTY;
    this.bytes = 0;
    return message;
  }
}

/** When to acknowledge: after some frames or bytes at once, else after a short delay, so that one ack serves many. */
export class AckSchedule {
  readonly #delayMs: number;
  #frames = 0;
  #bytes = 0;
  #deadlineMs = Infinity;

  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** Infinity: nothing to acknowledge. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  handleFrame(payloadBytes: number, nowMs: number): void {
    this.#frames++;
    this.#bytes += payloadBytes;
    if (this.#frames >= ACK_EVERY_FRAMES || this.#bytes >= ACK_EVERY_BYTES) this.#deadlineMs = nowMs;
    else if (this.#deadlineMs === Infinity) this.#deadlineMs = nowMs + this.#delayMs;
  }

  /** An ack went out. */
  reset(): void {
    this.#frames = 0;
    this.#bytes = 0;
    this.#deadlineMs = Infinity;
  }
}
