/** One direction of a connection of our own TCP wire, as a capture shows it: also from its middle, and with gaps. */

import { CodecError } from '../../codecs/bytes/errors.ts';
import { ChunkQueue } from '../../codecs/pcap/chunk-queue.ts';
import { decodeFrame } from '../../codecs/tcp/v1/frame.ts';
import type { Frame } from '../../codecs/tcp/v1/frame.ts';
import { FrameType } from '../../codecs/tcp/v1/frame-types.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, PREAMBLE } from '../../codecs/tcp/v1/limits.ts';

/** Length, type and what tells frames of a type from chance. */
const LOOK_BYTES = FRAME_HEADER_BYTES + 9;

/** A frame that is found in the middle of a stream is believed if so many follow it. */
const FOLLOWERS = 2;

/** A stream that has had no frame in this many bytes is something else: no frame is so long. */
const MAX_SEARCHED_BYTES = 4 * MAX_FRAME_BYTES;

export type RollgateItem =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** A frame that breaks its format; its offset counts from the start of the stream. */
  | { readonly kind: 'error'; readonly offset: number; readonly error: CodecError }
  /** Bytes before the next frame whose beginning was found. */
  | { readonly kind: 'skipped'; readonly length: number }
  /** No frame in all that was seen, nothing more comes. */
  | { readonly kind: 'foreign' };

export class RollgateFrames {
  readonly #queue = new ChunkQueue();
  #state: 'preamble' | 'frames' | 'search' | 'foreign';
  #missing = 0;
  #searched = 0;
  /** Bytes that have to be there before another look is worth the copy. */
  #enough = 0;
  #recognised: boolean;

  /** @param start `preamble`: the connector's first bytes; `frames`: at a frame; `search`: anywhere */
  constructor(start: 'preamble' | 'frames' | 'search') {
    this.#state = start;
    this.#recognised = start !== 'search';
  }

  /** It has had a frame, or began as this wire does. */
  get recognised(): boolean {
    return this.#recognised;
  }

  push(bytes: Uint8Array, out: RollgateItem[]): void {
    this.#queue.push(bytes);
    while (this.#step(out));
  }

  /** `length` bytes of the stream are missing between what was pushed and what will be. */
  gap(length: number, out: RollgateItem[]): void {
    const left = this.#queue.skip(this.#queue.available);
    this.#missing += length;
    if (this.#state === 'foreign') return;
    this.#state = 'search';
    this.#searched += left;
    if (this.#recognised) this.#flush(out);
  }

  /** After the last byte. */
  end(out: RollgateItem[]): void {
    while (this.#state === 'search' && this.#find(true) && this.#takeFrames(out));
    this.#searched += this.#queue.skip(this.#queue.available);
    if (this.#state === 'foreign') return;
    if (this.#recognised) this.#flush(out);
    else out.push({ kind: 'foreign' });
  }

  #takeFrames(out: RollgateItem[]): boolean {
    while (this.#step(out));
    return this.#queue.available > 0;
  }

  #step(out: RollgateItem[]): boolean {
    switch (this.#state) {
      case 'preamble':
        if (!this.#queue.ensure(PREAMBLE.length)) return false;
        this.#queue.skip(PREAMBLE.length);
        this.#state = 'frames';
        return true;
      case 'frames':
        return this.#cut(out);
      case 'search':
        if (this.#find(false)) return true;
        if (!this.#recognised && this.#searched > MAX_SEARCHED_BYTES) {
          out.push({ kind: 'foreign' });
          this.#state = 'foreign';
        }
        return false;
      case 'foreign':
        this.#queue.skip(this.#queue.available);
        return false;
    }
  }

  #cut(out: RollgateItem[]): boolean {
    const queue = this.#queue;
    if (!queue.ensure(FRAME_HEADER_BYTES)) return false;
    const at = queue.position + this.#missing;
    const length = queue.buffer.readUInt32BE(queue.offset);
    if (length === 0 || length > MAX_FRAME_BYTES) {
      const error = new CodecError('ERR_LIMIT', 0, 'length', `${length} is outside 1..${MAX_FRAME_BYTES}`);
      out.push({ kind: 'error', offset: at, error });
      this.#state = 'search';
      return true;
    }
    if (!queue.ensure(4 + length)) return false;
    this.#flush(out);
    const bytes = queue.buffer.subarray(queue.offset, queue.offset + 4 + length);
    queue.skip(4 + length);
    this.#recognised = true;
    try {
      out.push({ kind: 'frame', frame: decodeFrame(bytes) });
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      out.push({ kind: 'error', offset: at, error });
    }
    return true;
  }

  /** Goes on to the next frame; false if there is none in the bytes that are there. */
  #find(ended: boolean): boolean {
    const queue = this.#queue;
    if (!ended && queue.available < this.#enough) return false;
    this.#enough = 0;
    // one contiguous piece to look at: it is never more than a few frames, for what was looked at is dropped
    queue.ensure(queue.available);
    const { buffer } = queue;
    let at = queue.offset;
    for (; at < buffer.length; at++) {
      const verdict = beginsFrames(buffer, at, ended);
      if (verdict === 'no') continue;
      this.#searched += queue.skip(at - queue.offset);
      if (verdict === 'open') {
        this.#enough = 2 * queue.available;
        return false;
      }
      this.#state = 'frames';
      return true;
    }
    this.#searched += queue.skip(queue.available);
    return false;
  }

  #flush(out: RollgateItem[]): void {
    if (this.#searched > 0) out.push({ kind: 'skipped', length: this.#searched });
    this.#searched = 0;
  }
}

/** `open`: more bytes have to come. */
function beginsFrames(buffer: Buffer, start: number, ended: boolean): 'yes' | 'no' | 'open' {
  let at = start;
  for (let frames = 0; frames <= FOLLOWERS; frames++) {
    if (ended && at === buffer.length && frames > 0) return 'yes';
    if (at + FRAME_HEADER_BYTES > buffer.length) {
      const isHopeless = ended || (at < buffer.length && buffer[at] !== 0);
      return isHopeless ? 'no' : 'open';
    }
    const length = plausibleLength(buffer, at);
    if (length === 0) return 'no';
    at += 4 + length;
  }
  return 'yes';
}

/** The length of what looks like a frame of an established connection; 0 if it does not. */
export function plausibleLength(buffer: Buffer, at: number): number {
  if (buffer[at] !== 0 || at + FRAME_HEADER_BYTES > buffer.length) return 0;
  const length = buffer.readUInt32BE(at);
  if (length > MAX_FRAME_BYTES) return 0;
  switch (buffer[at + 4]) {
    case FrameType.DATA:
      return length >= 10 && isSeqno(buffer, at) && isAtMost(buffer, at + LOOK_BYTES - 1, 3) ? length : 0;
    case FrameType.UNRELIABLE:
      return length >= 2 && isAtMost(buffer, at + FRAME_HEADER_BYTES, 0) ? length : 0;
    case FrameType.ACK:
      return length === 9 && isSeqno(buffer, at) ? length : 0;
    case FrameType.PING:
    case FrameType.PONG:
      return length === 9 ? length : 0;
    case FrameType.GOODBYE:
      return length >= 5 && length <= 2048 ? length : 0;
    default:
      return 0;
  }
}

/** Below 2^48, which nobody will reach: two zero bytes more that chance has to hit. */
function isSeqno(buffer: Buffer, at: number): boolean {
  return isAtMost(buffer, at + FRAME_HEADER_BYTES, 0) && isAtMost(buffer, at + FRAME_HEADER_BYTES + 1, 0);
}

/** True also where the byte is not there yet. */
function isAtMost(buffer: Buffer, at: number, limit: number): boolean {
  const byte = buffer[at];
  return byte === undefined || byte <= limit;
}
