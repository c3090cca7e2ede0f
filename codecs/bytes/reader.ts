import { CodecError, TruncatedError } from './errors.ts';

/**
 * Reads Java's primitives, big-endian, from a slice of a buffer. Every read names its field and is checked
 * against the end; nothing is copied: `bytes()` returns a view of the input. Numbers are put together here, for
 * Buffer's methods check once more what `#take` has.
 */
export class ByteReader {
  readonly buffer: Buffer;
  /** Offset of the next byte, in the underlying buffer. */
  offset: number;
  /** First offset that may not be read. */
  readonly end: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** Claims `length` bytes and returns the offset of the first. */
  #take(length: number, field: string): number {
    const start = this.offset;
    if (length > this.end - start) throw new TruncatedError(start, field, length, this.end - start);
    this.offset = start + length;
    return start;
  }

  u8(field: string): number {
    return this.buffer[this.#take(1, field)] as number;
  }

  i8(field: string): number {
    return this.buffer.readInt8(this.#take(1, field));
  }

  /** A Java boolean: any byte but 0 is true in Java, only 0 and 1 are ever written. */
  bool(field: string): boolean {
    const at = this.offset;
    const value = this.u8(field);
    if (value > 1) throw new CodecError('ERR_VALUE', at, field, `${value} is no boolean`);
    return value === 1;
  }

  u16(field: string): number {
    const at = this.#take(2, field);
    const { buffer } = this;
    return ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
  }

  i16(field: string): number {
    return (this.u16(field) << 16) >> 16;
  }

  u32(field: string): number {
    return this.i32(field) >>> 0;
  }

  i32(field: string): number {
    return i32At(this.buffer, this.#take(4, field));
  }

  i64(field: string): bigint {
    return this.buffer.readBigInt64BE(this.#take(8, field));
  }

  /** A 64-bit integer that must lie in 0..2^53-1 (seqnos, credits, counters). */
  safeU64(field: string): number {
    const at = this.#take(8, field);
    const high = this.buffer.readInt32BE(at);
    if (high < 0 || high > 0x1fffff) throw new CodecError('ERR_LIMIT', at, field, 'is outside 0..2^53-1');
    return high * 0x1_0000_0000 + this.buffer.readUInt32BE(at + 4);
  }

  /** A view of the next `length` bytes. */
  bytes(length: number, field: string): Buffer {
    const start = this.#take(length, field);
    return this.buffer.subarray(start, start + length);
  }

  /** The next `length` bytes, the least significant first, as one number; exact up to 2^53-1. */
  littleEndian(length: number, field: string): number {
    const start = this.#take(length, field);
    let value = 0;
    for (let at = start + length - 1; at >= start; at--) value = value * 256 + (this.buffer[at] as number);
    return value;
  }

  /** A character for each of the next `length` bytes. */
  latin1(length: number, field: string): string {
    const start = this.#take(length, field);
    return this.buffer.toString('latin1', start, start + length);
  }

  /** The next `length` bytes as lower-case hex. */
  hex(length: number, field: string): string {
    const start = this.#take(length, field);
    return this.buffer.toString('hex', start, start + length);
  }

  /** A count or length that the caller is about to loop or allocate by: checked against its limit first. */
  checkLimit(value: number, limit: number, field: string): number {
    if (value > limit) {
      throw new CodecError('ERR_LIMIT', this.offset, field, `${value} is over the limit of ${limit}`);
    }
    return value;
  }

  /** Throws if bytes are left over. */
  finish(field: string): void {
    if (this.offset !== this.end) {
      throw new CodecError(
        'ERR_TRAILING_BYTES',
        this.offset,
        field,
        `${this.end - this.offset} bytes are left over`,
      );
    }
  }
}

/** Four bytes that the caller knows to be there. */
export function i32At(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}
