import { CodecError } from './errors.ts';

/**
 * Writes Java's primitives, big-endian, into a buffer of known size: the codecs' `size` functions give it.
 * A write past the end is our own mistake and throws.
 */
export class ByteWriter {
  readonly buffer: Buffer;
  offset = 0;

  /** @param size exact number of bytes that will be written */
  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  u8(value: number): void {
    this.buffer[this.#advance(1)] = value;
  }

  bool(value: boolean): void {
    this.buffer[this.#advance(1)] = value ? 1 : 0;
  }

  u16(value: number): void {
    this.buffer.writeUInt16BE(value, this.#advance(2));
  }

  i16(value: number): void {
    this.buffer.writeInt16BE(value, this.#advance(2));
  }

  u32(value: number): void {
    this.buffer.writeUInt32BE(value, this.#advance(4));
  }

  i32(value: number): void {
    this.buffer.writeInt32BE(value, this.#advance(4));
  }

  i64(value: bigint): void {
    this.buffer.writeBigInt64BE(value, this.#advance(8));
  }

  /** A whole number in 0..2^53-1 as 64 bits. */
  safeU64(value: number): void {
    const at = this.#advance(8);
    this.buffer.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
    this.buffer.writeUInt32BE(value >>> 0, at + 4);
  }

  bytes(value: Uint8Array): void {
    this.buffer.set(value, this.#advance(value.length));
  }

  /** Lower-case hex digits, two a byte. */
  hex(value: string): void {
    const length = value.length >> 1;
    this.buffer.write(value, this.#advance(length), length, 'hex');
  }

  /** The buffer, once it is exactly full. */
  finish(): Buffer {
    if (this.offset !== this.buffer.length) {
      throw new CodecError('ERR_VALUE', this.offset, 'size', `sized for ${this.buffer.length} bytes`);
    }
    return this.buffer;
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
