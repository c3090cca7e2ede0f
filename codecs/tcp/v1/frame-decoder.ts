import { CodecError } from '../../bytes/errors.ts';
import { readWholeData } from './data.ts';
import { decodeFrame } from './frame.ts';
import type { Frame } from './frame.ts';
import { MAX_FRAME_BYTES, MAX_HANDSHAKE_FRAME_BYTES, PREAMBLE } from './limits.ts';

const NOTHING = Buffer.alloc(0);

/** First allocation for a frame that comes in pieces, and for one whose length field does. */
const INITIAL_PARTIAL_BYTES = 4096;
const INITIAL_LENGTH_BYTES = 32;

/**
 * A buffer has room for so many times the bytes that have arrived, at most: of a fragment of a large message a fourth
 * is mostly in the first chunk, so that it is copied once.
 */
const GROWTH = 4;

/**
 * Cuts a stream into frames, however it is chunked. A frame that lies whole in a chunk is decoded in place; one
 * that does not is put together in a buffer of its own, which grows with what has arrived and not with what the
 * length field promises.
 */
export class FrameDecoder {
  #input: Buffer = NOTHING;
  #at = 0;
  /** The beginning of a frame whose end has not arrived yet. */
  #partial: Buffer = NOTHING;
  #have = 0;
  #preambleLeft: number;
  /** Largest length field that is accepted; raise it once the handshake is done. */
  maxFrameBytes = MAX_HANDSHAKE_FRAME_BYTES;

  /** @param preamble true on the accepting side, where the stream starts with it */
  constructor(preamble: boolean) {
    this.#preambleLeft = preamble ? PREAMBLE.length : 0;
  }

  allowLargeFrames(): void {
    this.maxFrameBytes = MAX_FRAME_BYTES;
  }

  /** Takes the next chunk, which must not change later. */
  push(bytes: Uint8Array): void {
    const chunk = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // a rest: only if next() was not drained
    this.#input =
      this.#at === this.#input.length ? chunk : Buffer.concat([this.#input.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /**
   * The next frame, or null until more bytes are pushed. After an error the stream is of no use any more.
   * @throws {CodecError} for what does not follow the wire format; its offset is within the frame
   */
  next(): Frame | null {
    if (this.#preambleLeft > 0 && !this.#readPreamble()) return null;
    if (this.#have > 0) return this.#nextFromPieces();
    const available = this.#input.length - this.#at;
    if (available >= 4) {
      const size = 4 + this.#checkLength(this.#input.readUInt32BE(this.#at));
      if (available >= size) {
        const start = this.#at;
        this.#at += size;
        return (
          readWholeData(this.#input, start, this.#at) ?? decodeFrame(this.#input.subarray(start, this.#at))
        );
      }
    }
    if (available > 0) return this.#nextFromPieces();
    this.#input = NOTHING; // an idle connection holds on to no chunk
    this.#at = 0;
    return null;
  }

  #readPreamble(): boolean {
    while (this.#preambleLeft > 0) {
      const byte = this.#input[this.#at];
      if (byte === undefined) return false;
      const offset = PREAMBLE.length - this.#preambleLeft;
      if (byte !== PREAMBLE[offset]) {
        const detail = `0x${byte.toString(16)} is not how a rollgate peer starts`;
        throw new CodecError('ERR_VALUE', offset, 'preamble', detail);
      }
      this.#at++;
      this.#preambleLeft--;
    }
    return true;
  }

  #nextFromPieces(): Frame | null {
    // its length is mostly whole: then a buffer of its size is made at once, which for a small one is cheap
    const isWhole = this.#have === 0 && this.#input.length - this.#at >= 4;
    if (!isWhole && !this.#collect(4)) return null;
    const length = isWhole ? this.#input.readUInt32BE(this.#at) : this.#partial.readUInt32BE(0);
    const size = 4 + this.#checkLength(length);
    if (!this.#collect(size)) return null;
    const frame = this.#partial.subarray(0, size);
    this.#partial = NOTHING; // the frame's payload is a view of it
    this.#have = 0;
    return readWholeData(frame, 0, size) ?? decodeFrame(frame);
  }

  /** Moves input to the partial frame until that has `size` bytes. */
  #collect(size: number): boolean {
    const count = Math.min(size - this.#have, this.#input.length - this.#at);
    if (count > 0) {
      const need = this.#have + count;
      if (need > this.#partial.length) this.#grow(need, size);
      this.#input.copy(this.#partial, this.#have, this.#at, this.#at + count);
      this.#at += count;
      this.#have = need;
    }
    return this.#have >= size;
  }

  #grow(need: number, frameSize: number): void {
    const most = Math.max(need, frameSize > 4 ? frameSize : INITIAL_LENGTH_BYTES);
    const wanted = Math.max(GROWTH * need, INITIAL_PARTIAL_BYTES);
    const grown = Buffer.allocUnsafe(Math.min(wanted, most));
    this.#partial.copy(grown, 0, 0, this.#have);
    this.#partial = grown;
  }

  #checkLength(length: number): number {
    if (length > this.maxFrameBytes)
      throw new CodecError('ERR_LIMIT', 0, 'length', `${length} is over the limit of ${this.maxFrameBytes}`);
    if (length === 0) throw new CodecError('ERR_VALUE', 0, 'length', 'a frame has at least its type');
    return length;
  }
}
