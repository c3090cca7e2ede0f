/**
 * Java's `writeUTF` (WIRE-3.6 section 1): a u16 with the number of bytes, then each UTF-16 unit in 1 to 3 bytes.
 * U+0000 takes two bytes, a character outside the BMP is a pair of surrogates of three bytes each.
 */

import { CodecError } from '../bytes/errors.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';

export function readUtf(reader: ByteReader, field: string): string {
  const at = reader.offset;
  const bytes = reader.bytes(reader.u16(field), field);
  const units: number[] = [];
  for (let i = 0; i < bytes.length;) {
    const unit = unitAt(bytes, i);
    if (unit < 0) throw new CodecError('ERR_VALUE', at + 2 + i, field, 'is no modified UTF-8');
    units.push(unit);
    i += (bytes[i] as number) < 0x80 ? 1 : (bytes[i] as number) < 0xe0 ? 2 : 3;
  }
  // in pieces, for a call has only so many arguments
  let text = '';
  for (let i = 0; i < units.length; i += 4096) text += String.fromCharCode(...units.slice(i, i + 4096));
  return text;
}

/** The UTF-16 unit that begins at `i`, or -1. */
function unitAt(bytes: Buffer, i: number): number {
  const first = bytes[i] as number;
  if (first < 0x80) return first;
  const second = continuation(bytes, i + 1);
  if ((first & 0xe0) === 0xc0) return second < 0 ? -1 : ((first & 0x1f) << 6) | second;
  if ((first & 0xf0) !== 0xe0) return -1;
  const third = continuation(bytes, i + 2);
  return second < 0 || third < 0 ? -1 : ((first & 0x0f) << 12) | (second << 6) | third;
}

function continuation(bytes: Buffer, i: number): number {
  const byte = bytes[i];
  return byte === undefined || (byte & 0xc0) !== 0x80 ? -1 : byte & 0x3f;
}

export function utfSize(text: string): number {
  let size = 2;
  for (let i = 0; i < text.length; i++) size += unitSize(text.charCodeAt(i));
  return size;
}

function unitSize(unit: number): 1 | 2 | 3 {
  if (unit > 0 && unit < 0x80) return 1;
  return unit < 0x800 ? 2 : 3;
}

/** @throws {CodecError} `ERR_VALUE` for a text of more than 65535 bytes */
export function writeUtf(writer: ByteWriter, text: string, field: string): void {
  writer.u16(utfSize(text) - 2, field);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    switch (unitSize(unit)) {
      case 1:
        writer.u8(unit);
        break;
      case 2:
        writer.u8(0xc0 | (unit >> 6));
        writer.u8(0x80 | (unit & 0x3f));
        break;
      case 3:
        writer.u8(0xe0 | (unit >> 12));
        writer.u8(0x80 | ((unit >> 6) & 0x3f));
        writer.u8(0x80 | (unit & 0x3f));
    }
  }
}

/** A text that may be absent: `00`, or `01` and the text. */
export function readOptionalUtf(reader: ByteReader, field: string): string | null {
  return reader.bool(field) ? readUtf(reader, field) : null;
}

export function optionalUtfSize(text: string | null): number {
  return text === null ? 1 : 1 + utfSize(text);
}

export function writeOptionalUtf(writer: ByteWriter, text: string | null, field: string): void {
  writer.bool(text !== null);
  if (text !== null) writeUtf(writer, text, field);
}
