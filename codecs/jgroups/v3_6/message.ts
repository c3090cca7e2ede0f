/**
 * A message (WIRE-3.6 section 4):
 *
 *     leading u8 (1 dest, 2 src, 4 payload)   flags u16   [dest]  [src]
 *     nhdrs u16   headers   [length int   payload]
 */

import { CodecError } from '../../bytes/errors.ts';
import { MAX_HEADERS } from '../../bytes/limits.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import type { DecodeCache } from '../decode-cache.ts';
import type { Header, Message } from '../message.ts';
import { readHeadersOrRest, unknownTail, writableUnknownTail } from '../unknown-header.ts';
import { addressSize, readAddressBy, writeAddress } from './address.ts';
import { headerSize, readHeader, writeHeader } from './headers/index.ts';
import { readKnownTp } from './headers/tp.ts';

export const Leading = { DEST: 1, SRC: 2, PAYLOAD: 4 } as const;

/** Leading byte, flags and number of headers: a message of nothing else. */
export const MIN_MESSAGE_BYTES = 5;

/** @param opaque whether an unknown header takes the rest of the bytes, rather than being an error */
export function readMessage(reader: ByteReader, opaque = false, cache?: DecodeCache): Message {
  const at = reader.offset;
  const leading = reader.u8('message.leading');
  if (leading > 7)
    throw new CodecError('ERR_VALUE', at, 'message.leading', `0x${leading.toString(16)} has unknown bits`);
  const flags = reader.u16('message.flags');
  const dest = (leading & Leading.DEST) === 0 ? null : readAddressBy(cache, reader, 'message.dest');
  const src = (leading & Leading.SRC) === 0 ? null : readAddressBy(cache, reader, 'message.src');
  const count = reader.checkLimit(reader.u16('message.nhdrs'), MAX_HEADERS, 'message.nhdrs');
  const hasPayload = (leading & Leading.PAYLOAD) !== 0;
  const headers = opaque
    ? readHeadersOrRest(reader, count, hasPayload, readHeader)
    : readHeaders(reader, count, cache);
  const payload = hasPayload && unknownTail(headers) === null ? readPayload(reader) : null;
  return { dest, src, flags, headers, payload };
}

function readHeaders(reader: ByteReader, count: number, cache: DecodeCache | undefined): Header[] {
  const headers: Header[] = [];
  for (let i = 0; i < count; i++) {
    const known = cache === undefined || cache.tp === null ? null : readKnownTp(reader, cache.tp);
    const header = known ?? readHeader(reader);
    headers.push(header);
    if (cache !== undefined && known === null && header.protocol === 'TP') cache.tp = header;
  }
  return headers;
}

function readPayload(reader: ByteReader): Buffer {
  const at = reader.offset;
  const length = reader.i32('message.length');
  if (length < 0) throw new CodecError('ERR_VALUE', at, 'message.length', `length ${length}`);
  return reader.bytes(length, 'message.payload');
}

export function messageSize(message: Message): number {
  let size = MIN_MESSAGE_BYTES;
  if (message.dest !== null) size += addressSize(message.dest);
  if (message.src !== null) size += addressSize(message.src);
  for (const header of message.headers) size += headerSize(header);
  if (message.payload !== null) size += 4 + message.payload.length;
  return size;
}

export function writeMessage(writer: ByteWriter, message: Message): void {
  const { dest, src, headers, payload } = message;
  const unknown = writableUnknownTail(headers, payload, writer.offset);
  const hasPayload = payload !== null || unknown?.hasPayload === true;
  writer.u8(
    (dest === null ? 0 : Leading.DEST) |
      (src === null ? 0 : Leading.SRC) |
      (hasPayload ? Leading.PAYLOAD : 0),
  );
  writer.u16(message.flags, 'message.flags');
  if (dest !== null) writeAddress(writer, dest, 'message.dest');
  if (src !== null) writeAddress(writer, src, 'message.src');
  writer.u16(headers.length + (unknown?.remainingHeaders ?? 0), 'message.nhdrs');
  for (const header of headers) writeHeader(writer, header);
  if (payload !== null) {
    writer.i32(payload.length);
    writer.bytes(payload);
  }
}
