/**
 * A message of 2.12 (WIRE-3.6 section 15): flags are one byte, and the payload stands before the headers.
 *
 *     leading u8 (1 dest, 2 src, 4 payload)   flags u8   [dest]  [src]   [length int   payload]   nhdrs u16   headers
 */

import { CodecError } from '../../bytes/errors.ts';
import { MAX_HEADERS } from '../../bytes/limits.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import { readHeadersOrRest, writableUnknownTail } from '../unknown-header.ts';
import { addressSize, readAddress, writeAddress } from './address.ts';
import { headerSize, readHeader, writeHeader } from './headers/index.ts';
import type { Header212, Message212 } from './headers.ts';

const Leading = { DEST: 1, SRC: 2, PAYLOAD: 4 } as const;

/** @param opaque whether an unknown header takes the rest of the bytes, rather than being an error */
export function readMessage(reader: ByteReader, opaque: boolean): Message212 {
  const at = reader.offset;
  const leading = reader.u8('message.leading');
  if (leading > 7) {
    throw new CodecError('ERR_VALUE', at, 'message.leading', `0x${leading.toString(16)} has unknown bits`);
  }
  const flags = reader.u8('message.flags');
  const dest = (leading & Leading.DEST) === 0 ? null : readAddress(reader, 'message.dest');
  const src = (leading & Leading.SRC) === 0 ? null : readAddress(reader, 'message.src');
  const payload = (leading & Leading.PAYLOAD) === 0 ? null : readPayload(reader);
  const count = reader.checkLimit(reader.u16('message.nhdrs'), MAX_HEADERS, 'message.nhdrs');
  if (opaque) {
    return { dest, src, flags, headers: readHeadersOrRest(reader, count, false, readHeader), payload };
  }
  const headers: Header212[] = [];
  for (let i = 0; i < count; i++) headers.push(readHeader(reader));
  return { dest, src, flags, headers, payload };
}

function readPayload(reader: ByteReader): Buffer {
  const at = reader.offset;
  const length = reader.i32('message.length');
  if (length < 0) throw new CodecError('ERR_VALUE', at, 'message.length', `length ${length}`);
  return reader.bytes(length, 'message.payload');
}

export function messageSize(message: Message212): number {
  let size = 4;
  if (message.dest !== null) size += addressSize(message.dest);
  if (message.src !== null) size += addressSize(message.src);
  if (message.payload !== null) size += 4 + message.payload.length;
  for (const header of message.headers) size += headerSize(header);
  return size;
}

export function writeMessage(writer: ByteWriter, message: Message212): void {
  const { dest, src, headers, payload } = message;
  // the payload stands before the headers
  const unknown = writableUnknownTail(headers, null, writer.offset);
  writer.u8(
    (dest === null ? 0 : Leading.DEST) |
      (src === null ? 0 : Leading.SRC) |
      (payload === null ? 0 : Leading.PAYLOAD),
  );
  writer.u8(message.flags, 'message.flags');
  if (dest !== null) writeAddress(writer, dest, 'message.dest');
  if (src !== null) writeAddress(writer, src, 'message.src');
  if (payload !== null) {
    writer.i32(payload.length);
    writer.bytes(payload);
  }
  writer.u16(headers.length + (unknown?.remainingHeaders ?? 0), 'message.nhdrs');
  for (const header of headers) writeHeader(writer, header);
}
