import { CodecError } from './errors.ts';

/**
 * Writes Java's primitives, big-endian, into a buffer of known size: the codecs' `size` functions give it.
 * A value that the wire cannot carry and a write past the end throw a CodecError.
 */
export class ByteWriter {
  readonly buffer: Buffer;
  offset = 0;

  /** @param size exact number of bytes that will be written */
  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  u8(value: number, field = 'byte'): void {
    this.#check(value, 0, 0xff, field);
    this.buffer[this.#advance(1)] = value;
  }

  bool(value: boolean): void {
    this.buffer[this.#advance(1)] = value ? 1 : 0;
  }

  u16(value: number, field = 'unsigned short'): void {
    this.#check(value, 0, 0xffff, field);
    this.#put16(value);
  }

  i16(value: number, field = 'short'): void {
    this.#check(value, -0x8000, 0x7fff, field);
    this.#put16(value);
  }

  u32(value: number, field = 'unsigned int'): void {
    this.#check(value, 0, 0xffff_ffff, field);
    this.#put32(value);
  }

  i32(value: number, field = 'int'): void {
    this.#check(value, -0x8000_0000, 0x7fff_ffff, field);
    this.#put32(value);
  }

  i64(value: bigint, field = 'long'): void {
    if (value < -(2n ** 63n) || value >= 2n ** 63n) {
      throw new CodecError('ERR_VALUE', this.offset, field, `${value} does not fit`);
    }
    this.buffer.writeBigInt64BE(value, this.#advance(8));
  }

  /** A whole number in 0..2^53-1 as 64 bits. */
  safeU64(value: number, field = 'long'): void {
    this.#check(value, 0, Number.MAX_SAFE_INTEGER, field);
    const at = this.#advance(8);
    this.buffer.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
    this.buffer.writeUInt32BE(value >>> 0, at + 4);
  }

  bytes(value: Uint8Array): void {
    this.buffer.set(value, this.#advance(value.length));
  }

  /** Hex digits, two a byte. */
  hex(value: string, field = 'hex'): void {
    const length = value.length >> 1;
    const at = this.#advance(length);
    // node stops at the first character that is no hex digit
    if (this.buffer.write(value, at, length, 'hex') === length && value.length % 2 === 0) return;
    throw new CodecError('ERR_VALUE', at, field, `'${value}' is no hex`);
  }

  /** The buffer, once it is exactly full. */
  finish(): Buffer {
    if (this.offset !== this.buffer.length) {
      throw new CodecError('ERR_VALUE', this.offset, 'size', `sized for ${this.buffer.length} bytes`);
    }
    return this.buffer;
  }

  /** The two lowest bytes; what does not fit was refused before. Buffer's own methods would check it once more. */
  #put16(value: number): void {
    const at = this.#advance(2);
    this.buffer[at] = value >> 8;
    this.buffer[at + 1] = value;
  }

  #put32(value: number): void {
    const at = this.#advance(4);
    this.buffer[at] = value >> 24;
    this.buffer[at + 1] = value >> 16;
    this.buffer[at + 2] = value >> 8;
    this.buffer[at + 3] = value;
  }

  #check(value: number, min: number, max: number, field: string): void {
    if (Number.isInteger(value) && value >= min && value <= max) return;
    throw new CodecError('ERR_VALUE', this.offset, field, `${value} is outside ${min}..${max}`);
  }

  #advance(length: number): number {
    const at = this.offset;
    if (at + length > this.buffer.length) {
      throw new CodecError('ERR_VALUE', at, 'size', `sized for ${this.buffer.length} bytes`);
    }
    this.offset = at + length;
    return at;
  }
}
