import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';

/** A plain 8-byte long: 2.12 compresses nothing. It may be negative: seqnos that are not known are -1. */
export function readLong(reader: ByteReader, field: string): number {
  const at = reader.offset;
  const high = reader.i32(field);
  const value = high * 0x1_0000_0000 + reader.u32(field);
  if (Number.isSafeInteger(value)) return value;
  throw new CodecError('ERR_LIMIT', at, field, 'is outside +-2^53-1');
}

export function writeLong(writer: ByteWriter, value: number, field: string): void {
  if (!Number.isSafeInteger(value)) {
    throw new CodecError('ERR_VALUE', writer.offset, field, `${value} is outside +-2^53-1`);
  }
  writer.i32(Math.floor(value / 0x1_0000_0000));
  writer.u32(value >>> 0);
}
