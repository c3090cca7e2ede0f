/**
 * A member's credentials (GEODE-WIRE sections 1 and 10): null, or Properties:
 *
 *     29                                            null
 *     0b   array length   (key object, value object)*       objects: string, 2e byte[], 29 null
 *
 * Whatever else an authenticator of the cluster's own puts there stays opaque.
 */

import { CodecError, TruncatedError } from '../bytes/errors.ts';
import { MAX_PROPERTIES } from '../bytes/limits.ts';
import { ByteReader } from '../bytes/reader.ts';
import { DsCode } from './ids.ts';
import {
  readByteArray,
  requireLength,
  skipNull,
  writeArrayLength,
  writeByteArray,
  writeNull,
} from './primitives.ts';
import type { ByteSink } from './sink.ts';
import { readString, writeString } from './strings.ts';

export type PropertyValue = string | Uint8Array | null;

export type Credentials =
  | {
      readonly kind: 'properties';
      /** In wire order, which is that of a Java hash table. */
      readonly entries: readonly (readonly [key: PropertyValue, value: PropertyValue])[];
    }
  | { readonly kind: 'opaque'; readonly bytes: Uint8Array };

/** @param after bytes of the message that follow them: what is opaque has no length of its own */
export function readCredentials(reader: ByteReader, after: number, field: string): Credentials | null {
  if (skipNull(reader)) return null;
  const start = reader.offset;
  const end = reader.end - after;
  if (end <= start) throw new TruncatedError(start, field, after + 1, reader.remaining);
  const inside = new ByteReader(reader.buffer, start, end);
  const entries = readProperties(inside, field);
  if (entries !== null) {
    inside.finish(field);
    reader.offset = end;
    return { kind: 'properties', entries };
  }
  return { kind: 'opaque', bytes: reader.bytes(end - start, field) };
}

/** Null: it has objects of other classes. */
function readProperties(reader: ByteReader, field: string): [PropertyValue, PropertyValue][] | null {
  if (reader.u8(field) !== DsCode.PROPERTIES) return null;
  const count = requireLength(reader, MAX_PROPERTIES, field);
  const entries: [PropertyValue, PropertyValue][] = [];
  for (let i = 0; i < count; i++) {
    const key = readValue(reader, field);
    const value = key === undefined ? undefined : readValue(reader, field);
    if (key === undefined || value === undefined) return null;
    entries.push([key, value]);
  }
  return entries;
}

function readValue(reader: ByteReader, field: string): PropertyValue | undefined {
  const code = reader.u8(field);
  switch (code) {
    case DsCode.NULL:
      return null;
    case DsCode.BYTE_ARRAY: {
      const at = reader.offset;
      const bytes = readByteArray(reader, field);
      if (bytes === null) throw new CodecError('ERR_VALUE', at, field, 'a null byte[]');
      return bytes;
    }
    case DsCode.STRING:
    case DsCode.STRING_BYTES:
    case DsCode.HUGE_STRING:
    case DsCode.HUGE_STRING_BYTES:
    case DsCode.NULL_STRING:
      reader.offset--;
      return readString(reader, field);
    default:
      return undefined;
  }
}

export function writeCredentials(sink: ByteSink, credentials: Credentials | null): void {
  if (credentials === null) {
    writeNull(sink);
    return;
  }
  if (credentials.kind === 'opaque') {
    sink.bytes(credentials.bytes);
    return;
  }
  sink.u8(DsCode.PROPERTIES);
  writeArrayLength(sink, credentials.entries.length, 'credentials');
  for (const entry of credentials.entries) for (const value of entry) writeValue(sink, value);
}

function writeValue(sink: ByteSink, value: PropertyValue): void {
  if (value === null) {
    writeNull(sink);
  } else if (typeof value === 'string') {
    writeString(sink, value, 'credentials');
  } else {
    sink.u8(DsCode.BYTE_ARRAY);
    writeByteArray(sink, value, 'credentials');
  }
}
