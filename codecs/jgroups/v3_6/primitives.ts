/**
 * JGroups' compressed numbers and short names (WIRE-3.6 section 1). A compressed long is a length byte, then that
 * many bytes, the least significant first.
 */

import { CodecError } from '../../bytes/errors.ts';
import { MAX_SEQNO } from '../../bytes/limits.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';

/** @throws {CodecError} `ERR_LIMIT` over 2^53-1, which a Java peer could only reach by sending a negative long */
export function readCompressedLong(reader: ByteReader, field: string): number {
  const at = reader.offset;
  const length = reader.u8(field);
  if (length > 8) throw new CodecError('ERR_VALUE', at, field, `a long has no ${length} bytes`);
  const value = reader.littleEndian(length, field);
  if (value > MAX_SEQNO) throw new CodecError('ERR_LIMIT', at, field, 'is outside 0..2^53-1');
  return value;
}

export function compressedLongSize(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 1; rest = Math.floor(rest / 256)) length++;
  return length;
}

export function writeCompressedLong(writer: ByteWriter, value: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new CodecError('ERR_VALUE', writer.offset, field, `${value} is outside 0..2^53-1`);
  }
  writer.u8(compressedLongSize(value) - 1);
  for (let rest = value; rest >= 1; rest = Math.floor(rest / 256)) writer.u8(rest % 256);
}

/** A compressed long that may be negative, which takes all eight bytes. */
export function readSignedCompressedLong(reader: ByteReader, field: string): number {
  const at = reader.offset;
  if (reader.remaining === 0 || reader.buffer[at] !== 8) return readCompressedLong(reader, field);
  reader.offset = at + 1;
  const value = Number(reader.bytes(8, field).readBigInt64LE(0));
  if (!Number.isSafeInteger(value)) throw new CodecError('ERR_LIMIT', at, field, 'is outside +-2^53-1');
  return value;
}

export function signedCompressedLongSize(value: number): number {
  return value < 0 ? 9 : compressedLongSize(value);
}

export function writeSignedCompressedLong(writer: ByteWriter, value: number, field: string): void {
  if (!Number.isSafeInteger(value) || value >= 0) {
    writeCompressedLong(writer, value, field);
    return;
  }
  writer.u8(8);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  writer.bytes(bytes);
}

/** A name with a short as its length, -1 for null. Latin-1, so that any bytes come back as they were. */
export function readShortString(reader: ByteReader, field: string): string | null {
  const at = reader.offset;
  const length = reader.i16(field);
  if (length === -1) return null;
  if (length < 0) throw new CodecError('ERR_VALUE', at, field, `length ${length}`);
  return reader.latin1(length, field);
}

export function shortStringSize(value: string | null): number {
  return 2 + (value?.length ?? 0);
}

export function writeShortString(writer: ByteWriter, value: string | null, field: string): void {
  if (value === null) {
    writer.i16(-1);
    return;
  }
  if (value.length > 0x7fff)
    throw new CodecError('ERR_VALUE', writer.offset, field, `${value.length} characters`);
  if (/[^\x00-\xff]/.test(value))
    throw new CodecError('ERR_VALUE', writer.offset, field, `'${value}' is not Latin-1`);
  writer.i16(value.length);
  writer.bytes(Buffer.from(value, 'latin1'));
}
