/**
 * Arrays and object headers (GEODE-WIRE section 1).
 *
 *     array length   n u8, 0..252   |   fe  n u16   |   fd  n int   |   ff null
 *     byte[]         array length, bytes
 *     int[]          array length, int each
 *     InetAddress    byte[] of 4 or 16; null = ff
 *     DSFID header   01  id i8   |   02  id i16   |   03  id int   |   29 null object
 */

import { CodecError } from '../bytes/errors.ts';
import { ipLength, readIp, writeIp } from '../bytes/ip.ts';
import type { ByteReader } from '../bytes/reader.ts';
import { DsCode } from './ids.ts';
import type { ByteSink } from './sink.ts';

const MAX_BYTE_LENGTH = 252;
const ArrayLength = { INT: 0xfd, SHORT: 0xfe, NULL: 0xff } as const;

/** Null: a null array. `limit` is for what is looped or allocated by; bytes are limited by what is there. */
export function readArrayLength(reader: ByteReader, limit: number, field: string): number | null {
  const at = reader.offset;
  const code = reader.u8(field);
  if (code === ArrayLength.NULL) return null;
  let length: number = code;
  if (code === ArrayLength.SHORT) length = reader.u16(field);
  else if (code === ArrayLength.INT) length = reader.i32(field);
  if (length < 0) throw new CodecError('ERR_VALUE', at, field, `length ${length}`);
  if (length > limit) {
    throw new CodecError('ERR_LIMIT', at, field, `${length} is over the limit of ${limit}`);
  }
  return length;
}

export function writeArrayLength(sink: ByteSink, length: number | null, field: string): void {
  if (length === null) {
    sink.u8(ArrayLength.NULL);
  } else if (length <= MAX_BYTE_LENGTH) {
    sink.u8(length);
  } else if (length <= 0xffff) {
    sink.u8(ArrayLength.SHORT);
    sink.u16(length);
  } else {
    sink.u8(ArrayLength.INT);
    sink.i32(length, field);
  }
}

/** A count that stands as a plain int before a list. */
export function readCount(reader: ByteReader, limit: number, field: string): number {
  const at = reader.offset;
  const count = reader.i32(field);
  if (count < 0) throw new CodecError('ERR_VALUE', at, field, `count ${count}`);
  if (count > limit) throw new CodecError('ERR_LIMIT', at, field, `${count} is over the limit of ${limit}`);
  return count;
}

/** A view of the input. */
export function readByteArray(reader: ByteReader, field: string): Buffer | null {
  const length = readArrayLength(reader, Infinity, field);
  return length === null ? null : reader.bytes(length, field);
}

export function writeByteArray(sink: ByteSink, value: Uint8Array | null, field: string): void {
  writeArrayLength(sink, value?.length ?? null, field);
  if (value !== null) sink.bytes(value);
}

export function readIntArray(reader: ByteReader, limit: number, field: string): number[] {
  const length = requireLength(reader, limit, field);
  const values: number[] = [];
  for (let i = 0; i < length; i++) values.push(reader.i32(field));
  return values;
}

export function writeIntArray(sink: ByteSink, values: readonly number[], field: string): void {
  writeArrayLength(sink, values.length, field);
  for (const value of values) sink.i32(value, field);
}

/** An array length where null makes no sense. */
export function requireLength(reader: ByteReader, limit: number, field: string): number {
  const at = reader.offset;
  const length = readArrayLength(reader, limit, field);
  if (length === null) throw new CodecError('ERR_VALUE', at, field, 'is null');
  return length;
}

/** An IP literal; '' for a null address. */
export function readInetAddress(reader: ByteReader, field: string): string {
  const at = reader.offset;
  const length = readArrayLength(reader, 16, field);
  if (length === null) return '';
  if (length === 0) throw new CodecError('ERR_VALUE', at, field, 'an address of no bytes');
  return readIp(reader, length, field);
}

export function writeInetAddress(sink: ByteSink, host: string, field: string): void {
  const length = ipLength(host);
  writeArrayLength(sink, length === 0 ? null : length, field);
  writeIp(sink, host, field);
}

/** The class id of an object of a fixed class; null for a null object. */
export function readDsfid(reader: ByteReader, field: string): number | null {
  const at = reader.offset;
  const code = reader.u8(field);
  switch (code) {
    case DsCode.NULL:
      return null;
    case DsCode.DS_FIXED_ID_BYTE:
      return reader.i8(field);
    case DsCode.DS_FIXED_ID_SHORT:
      return reader.i16(field);
    case DsCode.DS_FIXED_ID_INT:
      return reader.i32(field);
    default:
      throw new CodecError('ERR_VALUE', at, field, `code ${code} is no object of a fixed class`);
  }
}

export function writeDsfid(sink: ByteSink, dsfid: number, field: string): void {
  if (dsfid >= -0x80 && dsfid <= 0x7f) {
    sink.u8(DsCode.DS_FIXED_ID_BYTE);
    sink.u8(dsfid & 0xff, field);
  } else if (dsfid >= -0x8000 && dsfid <= 0x7fff) {
    sink.u8(DsCode.DS_FIXED_ID_SHORT);
    sink.i16(dsfid, field);
  } else {
    sink.u8(DsCode.DS_FIXED_ID_INT);
    sink.i32(dsfid, field);
  }
}

export function writeNull(sink: ByteSink): void {
  sink.u8(DsCode.NULL);
}

/** True, and the byte taken, if a null object is next. */
export function skipNull(reader: ByteReader): boolean {
  if (reader.remaining === 0 || reader.buffer[reader.offset] !== DsCode.NULL) return false;
  reader.offset++;
  return true;
}
