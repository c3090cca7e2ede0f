/** What to do with a header of a class that is not known: its length is not known either, so the rest stays bytes. */

import { CodecError } from '../bytes/errors.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { DecodeCache } from './decode-cache.ts';
import type { UnknownHeader } from './headers.ts';

export interface DecodeOptions {
  /**
   * `throw` (the default): a datagram with an unknown header is `ERR_UNKNOWN_HEADER`. `opaque`: the header becomes
   * the last of its message, of protocol `UNKNOWN`, and holds the rest of the datagram; nothing behind it is parsed.
   */
  readonly unknownHeaders?: 'throw' | 'opaque';
  /** Of a caller that decodes many datagrams of the same peers; what is decoded is equal with it and without. */
  readonly cache?: DecodeCache;
}

/** Reads `count` headers, but no further than an unknown one, which takes all that is left. */
export function readHeadersOrRest<H>(
  reader: ByteReader,
  count: number,
  hasPayload: boolean,
  readHeader: (reader: ByteReader) => H,
): (H | UnknownHeader)[] {
  const headers: (H | UnknownHeader)[] = [];
  for (let i = 0; i < count; i++) {
    const at = reader.offset;
    try {
      headers.push(readHeader(reader));
    } catch (error) {
      if (!(error instanceof CodecError) || error.code !== 'ERR_UNKNOWN_HEADER') throw error;
      reader.offset = at;
      headers.push(readUnknown(reader, count - i - 1, hasPayload));
      return headers;
    }
  }
  return headers;
}

function readUnknown(reader: ByteReader, remainingHeaders: number, hasPayload: boolean): UnknownHeader {
  return {
    protocol: 'UNKNOWN',
    protocolId: reader.u16('header.protocol-id'),
    magic: reader.u16('header.class-magic'),
    remainingHeaders,
    hasPayload,
    rest: reader.bytes(reader.remaining, 'header.rest'),
  };
}

/** The unknown header that a message ends with, or null. */
export function unknownTail(headers: readonly { readonly protocol: string }[]): UnknownHeader | null {
  const last = headers[headers.length - 1];
  return last?.protocol === 'UNKNOWN' ? (last as UnknownHeader) : null;
}

/**
 * As `unknownTail`, for a message that is about to be written.
 * @throws {CodecError} `ERR_VALUE` if anything would have to be written behind an unknown header
 */
export function writableUnknownTail(
  headers: readonly { readonly protocol: string }[],
  payload: Uint8Array | null,
  offset: number,
): UnknownHeader | null {
  for (let i = 0; i < headers.length - 1; i++) {
    if (headers[i]?.protocol !== 'UNKNOWN') continue;
    throw new CodecError('ERR_VALUE', offset, 'message.headers', 'an unknown header is not the last one');
  }
  const unknown = unknownTail(headers);
  if (unknown !== null && payload !== null) {
    throw new CodecError('ERR_VALUE', offset, 'message.payload', 'a payload behind an unknown header');
  }
  return unknown;
}
