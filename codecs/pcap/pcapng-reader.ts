import { TruncatedError } from '../bytes/errors.ts';

/** Reads the fields of one pcapng block in its section's byte order, checked against the block's end. */
export class BlockReader {
  readonly buffer: Buffer;
  offset: number;
  readonly end: number;
  readonly #littleEndian: boolean;
  /** What turns an offset in the buffer into one in the file. */
  readonly #shift: number;

  /** @param position position in the file of the byte at `start` */
  constructor(buffer: Buffer, start: number, end: number, position: number, littleEndian: boolean) {
    this.buffer = buffer;
    this.offset = start;
    this.end = end;
    this.#shift = position - start;
    this.#littleEndian = littleEndian;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** Position in the file of the next byte. */
  get position(): number {
    return this.offset + this.#shift;
  }

  u16(field: string): number {
    const at = this.#take(2, field);
    return this.#littleEndian ? this.buffer.readUInt16LE(at) : this.buffer.readUInt16BE(at);
  }

  u32(field: string): number {
    const at = this.#take(4, field);
    return this.#littleEndian ? this.buffer.readUInt32LE(at) : this.buffer.readUInt32BE(at);
  }

  i64(field: string): bigint {
    const at = this.#take(8, field);
    return this.#littleEndian ? this.buffer.readBigInt64LE(at) : this.buffer.readBigInt64BE(at);
  }

  u8(field: string): number {
    return this.buffer[this.#take(1, field)] as number;
  }

  /** A view. */
  bytes(length: number, field: string): Buffer {
    const at = this.#take(length, field);
    return this.buffer.subarray(at, at + length);
  }

  #take(length: number, field: string): number {
    const at = this.offset;
    if (length > this.end - at) throw new TruncatedError(this.position, field, length, this.end - at);
    this.offset = at + length;
    return at;
  }
}
