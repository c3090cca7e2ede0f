import { DataFlag } from '../../codecs/tcp/v1/data.ts';
import type { Data } from '../../codecs/tcp/v1/data.ts';
import { MAX_MESSAGE_BYTES } from '../../codecs/tcp/v1/limits.ts';
import { RemoteProtocolError } from '../protocol/errors.ts';
import { ACK_DELAY_GROWTH, ACK_EVERY_BYTES, ACK_EVERY_FRAMES } from './limits.ts';

/**
 * What was received of one session of a sender. It outlives connections: a frame that comes again on the next one
 * is dropped, half a message is completed there.
 */
export class ReceiveWindow {
  readonly session: string;
  readonly connId: number;
  readonly #peer: string;
  /** What it began with. */
  readonly #initialSeqno: number;
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
    this.#initialSeqno = lastSeqno;
    this.#lastSeqno = lastSeqno;
    this.#peer = peer;
  }

  /** Highest seqno that was received; all below it were, too. */
  get lastSeqno(): number {
    return this.#lastSeqno;
  }

  /** Whether any frame was received. */
  get hasReceived(): boolean {
    return this.#lastSeqno !== this.#initialSeqno;
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

/** A fragment from this size on is kept as it came; smaller ones are copied together. */
const MIN_PIECE_BYTES = 16 * 1024;

/** The buffer of a fragment may have so much more than the fragment; else it would be kept for little. */
const MAX_WASTE = 2;

/** The first buffer for small fragments. */
const MIN_TAIL_BYTES = 4096;

/**
 * Fragments of one message, joined when it is complete: its length is not known before. It grows with what arrives,
 * and takes no more than twice of that.
 */
class Assembly {
  #pieces: Uint8Array[] = [];
  /** The last piece, if there is room in it for more; what it has counts as a piece when it is full. */
  #tail: Buffer | null = null;
  #tailUsed = 0;
  bytes = 0;

  add(fragment: Uint8Array): void {
    this.bytes += fragment.length;
    const isOwn = fragment.buffer.byteLength <= MAX_WASTE * fragment.length;
    if (fragment.length >= MIN_PIECE_BYTES && isOwn) {
      this.#closeTail();
      this.#pieces.push(fragment);
    } else this.#copy(fragment);
  }

  take(): Uint8Array {
    this.#closeTail();
    const pieces = this.#pieces;
    const { bytes } = this;
    this.#pieces = [];
    this.bytes = 0;
    return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces, bytes);
  }

  #copy(fragment: Uint8Array): void {
    if (this.#tail === null || this.#tail.length - this.#tailUsed < fragment.length) {
      this.#closeTail();
      // so that many small fragments make few pieces; no more, for a large one may close it at once
      const wanted = Math.max(MIN_TAIL_BYTES, Math.min(this.bytes, MIN_PIECE_BYTES));
      this.#tail = Buffer.allocUnsafe(Math.max(fragment.length, wanted));
    }
    this.#tail.set(fragment, this.#tailUsed);
    this.#tailUsed += fragment.length;
  }

  #closeTail(): void {
    if (this.#tail === null) return;
    this.#pieces.push(this.#tail.subarray(0, this.#tailUsed));
    this.#tail = null;
    this.#tailUsed = 0;
  }
}

/**
 * When to acknowledge: after some frames or bytes at once, else when no more came for the delay, so that one ack serves
 * many. While more keep coming it waits a few delays: an ack, and a timer that is never far, cost more than a message
 * and its answer do (docs/bench-notes.md, "Round trip").
 */
export class AckSchedule {
  readonly #delayMs: number;
  #frames = 0;
  #bytes = 0;
  /** Of the first frame that is not acknowledged, and of the last. */
  #firstMs = 0;
  #lastMs = 0;
  #deadlineMs = Infinity;
  #isDue = false;
  /** More frames kept coming when the last ack was due: so they will. */
  #isBusy = false;

  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** Infinity: nothing to acknowledge. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** An ack is to go out now. */
  get isDue(): boolean {
    return this.#isDue;
  }

  handleFrame(payloadBytes: number, nowMs: number): void {
    this.#frames++;
    this.#bytes += payloadBytes;
    this.#lastMs = nowMs;
    if (this.#deadlineMs === Infinity) {
      this.#firstMs = nowMs;
      this.#deadlineMs = this.#isBusy ? this.#latestMs : nowMs + this.#delayMs;
      this.#isDue = this.#delayMs === 0;
    }
    if (this.#frames < ACK_EVERY_FRAMES && this.#bytes < ACK_EVERY_BYTES) return;
    this.#isBusy = true;
    this.#deadlineMs = nowMs;
    this.#isDue = true;
  }

  /** True: an ack is due. A timeout that comes too early is a no-op. */
  handleTimeout(nowMs: number): boolean {
    if (nowMs < this.#deadlineMs) return this.#isDue;
    this.#isBusy = nowMs < this.#lastMs + this.#delayMs;
    if (this.#isBusy && nowMs < this.#latestMs) this.#deadlineMs = this.#latestMs;
    else this.#isDue = true;
    return this.#isDue;
  }

  /** An ack went out. */
  reset(): void {
    this.#frames = 0;
    this.#bytes = 0;
    this.#deadlineMs = Infinity;
    this.#isDue = false;
  }

  get #latestMs(): number {
    return this.#firstMs + ACK_DELAY_GROWTH * this.#delayMs;
  }
}
