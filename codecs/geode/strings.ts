/**
 * Strings (GEODE-WIRE section 1): a code, then by the code
 *
 *     45                   null
 *     57  n u16   bytes    every character in 01..7f; read as Latin-1
 *     2a  n u16   bytes    else: Java's modified UTF-8, n bytes: UTF-16 units one by one, NUL in two bytes
 *     58  n int   bytes    as 57, longer than 65535
 *     59  n int   chars    as 2a, longer than 65535 bytes: n UTF-16 units, big-endian
 */

import { CodecError } from '../bytes/errors.ts';
import type { ByteReader } from '../bytes/reader.ts';
import { DsCode } from './ids.ts';
import { readArrayLength, writeArrayLength } from './primitives.ts';
import type { ByteSink } from './sink.ts';

export function readString(reader: ByteReader, field: string): string | null {
  const at = reader.offset;
  const code = reader.u8(field);
  switch (code) {
    case DsCode.NULL_STRING:
      return null;
    case DsCode.STRING_BYTES:
      return reader.bytes(reader.u16(field), field).toString('latin1');
    case DsCode.STRING:
      return readModifiedUtf8(reader, reader.u16(field), field);
    case DsCode.HUGE_STRING_BYTES:
      return reader.bytes(readLength(reader, field), field).toString('latin1');
    case DsCode.HUGE_STRING:
      // swap16 works in place, and the bytes belong to the input
      return Buffer.from(reader.bytes(2 * readLength(reader, field), field))
        .swap16()
        .toString('utf16le');
    default:
      throw new CodecError('ERR_VALUE', at, field, `code ${code} is no string`);
  }
}

/** A string where null makes no sense. */
export function requireString(reader: ByteReader, field: string): string {
  const at = reader.offset;
  const value = readString(reader, field);
  if (value === null) throw new CodecError('ERR_VALUE', at, field, 'is null');
  return value;
}

function readLength(reader: ByteReader, field: string): number {
  const at = reader.offset;
  const length = reader.i32(field);
  if (length < 0) throw new CodecError('ERR_VALUE', at, field, `length ${length}`);
  return length;
}

function readModifiedUtf8(reader: ByteReader, length: number, field: string): string {
  const start = reader.offset;
  const bytes = reader.bytes(length, field);
  const units = Buffer.allocUnsafe(2 * length);
  let used = 0;
  let i = 0;
  while (i < length) {
    const lead = bytes[i] as number;
    const width = lead < 0x80 ? 1 : lead >> 5 === 0b110 ? 2 : lead >> 4 === 0b1110 ? 3 : 0;
    if (width === 0 || i + width > length) throw badUtf8(start + i, field);
    let unit = width === 1 ? lead : lead & (width === 2 ? 0x1f : 0x0f);
    for (let k = 1; k < width; k++) {
      const next = bytes[i + k] as number;
      if (next >> 6 !== 0b10) throw badUtf8(start + i + k, field);
      unit = (unit << 6) | (next & 0x3f);
    }
    used = units.writeUInt16LE(unit, used);
    i += width;
  }
  return units.toString('utf16le', 0, used);
}

function badUtf8(offset: number, field: string): CodecError {
  return new CodecError('ERR_VALUE', offset, field, 'is no modified UTF-8');
}

export function writeString(sink: ByteSink, value: string | null, field: string): void {
  if (value === null) {
    sink.u8(DsCode.NULL_STRING);
    return;
  }
  const bytes = modifiedUtf8Length(value);
  const plain = bytes === value.length;
  if (plain && bytes <= 0xffff) {
    sink.u8(DsCode.STRING_BYTES);
    sink.u16(bytes);
    sink.bytes(Buffer.from(value, 'latin1'));
  } else if (plain) {
    sink.u8(DsCode.HUGE_STRING_BYTES);
    sink.i32(bytes, field);
    sink.bytes(Buffer.from(value, 'latin1'));
  } else if (bytes <= 0xffff) {
    sink.u8(DsCode.STRING);
    sink.u16(bytes);
    sink.bytes(modifiedUtf8(value, bytes));
  } else {
    sink.u8(DsCode.HUGE_STRING);
    sink.i32(value.length, field);
    sink.bytes(Buffer.from(value, 'utf16le').swap16());
  }
}

/** 1 for 01..7f, so that a string of nothing else has as many bytes as characters; NUL takes 2. */
function unitLength(unit: number): 1 | 2 | 3 {
  if (unit > 0 && unit < 0x80) return 1;
  return unit < 0x800 ? 2 : 3;
}

function modifiedUtf8Length(value: string): number {
  let length = 0;
  for (let i = 0; i < value.length; i++) length += unitLength(value.charCodeAt(i));
  return length;
}

function modifiedUtf8(value: string, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    switch (unitLength(unit)) {
      case 1:
        bytes[at++] = unit;
        break;
      case 2:
        bytes[at++] = 0xc0 | (unit >> 6);
        bytes[at++] = 0x80 | (unit & 0x3f);
        break;
      case 3:
        bytes[at++] = 0xe0 | (unit >> 12);
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
        bytes[at++] = 0x80 | (unit & 0x3f);
    }
  }
  return bytes;
}

/** String[]: array length, strings. */
export function readStringArray(reader: ByteReader, limit: number, field: string): (string | null)[] | null {
  const length = readArrayLength(reader, limit, field);
  if (length === null) return null;
  const values: (string | null)[] = [];
  for (let i = 0; i < length; i++) values.push(readString(reader, field));
  return values;
}

export function writeStringArray(
  sink: ByteSink,
  values: readonly (string | null)[] | null,
  field: string,
): void {
  writeArrayLength(sink, values?.length ?? null, field);
  for (const value of values ?? []) writeString(sink, value, field);
}
