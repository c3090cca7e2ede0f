/**
 * A datagram (WIRE-3.6 section 3): `version u16   flags u8`, then one message, or a list of them:
 *
 *     dest address   src address   cluster short-string   count int   count * message
 */

import { CodecError, TruncatedError } from '../../bytes/errors.ts';
import { MAX_BUNDLE_MESSAGES } from '../../bytes/limits.ts';
import { ByteReader } from '../../bytes/reader.ts';
import { ByteWriter } from '../../bytes/writer.ts';
import type { DecodeCache } from '../decode-cache.ts';
import type { BundleDatagram, Datagram, Message } from '../message.ts';
import { unknownTail } from '../unknown-header.ts';
import type { DecodeOptions } from '../unknown-header.ts';
import { addressSize, readAddressBy, writeAddress } from './address.ts';
import { messageSize, MIN_MESSAGE_BYTES, readMessage, writeMessage } from './message.ts';
import { readShortString, shortStringSize, writeShortString } from './primitives.ts';

export const DatagramFlag = { LIST: 1, MULTICAST: 2 } as const;
const PREFIX_BYTES = 3;

/** @throws {CodecError} whatever is wrong with the bytes */
export function decodeDatagram(bytes: Uint8Array, options?: DecodeOptions): Datagram {
  const opaque = options?.unknownHeaders === 'opaque';
  const cache = options?.cache;
  const reader = new ByteReader(bytes);
  const version = reader.u16('version');
  const at = reader.offset;
  const flags = reader.u8('flags');
  if (flags > 3) throw new CodecError('ERR_VALUE', at, 'flags', `0x${flags.toString(16)} has unknown bits`);
  const multicast = (flags & DatagramFlag.MULTICAST) !== 0;
  const datagram: Datagram =
    (flags & DatagramFlag.LIST) === 0
      ? { kind: 'single', version, multicast, message: readMessage(reader, opaque, cache) }
      : readBundle(reader, version, multicast, opaque, cache);
  reader.finish('datagram');
  return datagram;
}

function readBundle(
  reader: ByteReader,
  version: number,
  multicast: boolean,
  opaque: boolean,
  cache: DecodeCache | undefined,
): BundleDatagram {
  const dest = readAddressBy(cache, reader, 'bundle.dest');
  const src = readAddressBy(cache, reader, 'bundle.src');
  const cluster = readShortString(reader, 'bundle.cluster');
  const at = reader.offset;
  const count = reader.u32('bundle.count');
  if (count > MAX_BUNDLE_MESSAGES) {
    throw new CodecError(
      'ERR_LIMIT',
      at,
      'bundle.count',
      `${count} is over the limit of ${MAX_BUNDLE_MESSAGES}`,
    );
  }
  if (count * MIN_MESSAGE_BYTES > reader.remaining) {
    throw new TruncatedError(reader.offset, 'bundle.messages', count * MIN_MESSAGE_BYTES, reader.remaining);
  }
  const messages: Message[] = [];
  for (let i = 0; i < count; i++) {
    const message = readMessage(reader, opaque, cache);
    messages.push(message);
    if (i < count - 1 && opaque && unknownTail(message.headers) !== null) {
      return { kind: 'bundle', version, multicast, dest, src, cluster, messages, unparsed: count - 1 - i };
    }
  }
  return { kind: 'bundle', version, multicast, dest, src, cluster, messages };
}

export function datagramSize(datagram: Datagram): number {
  if (datagram.kind === 'single') return PREFIX_BYTES + messageSize(datagram.message);
  let size = PREFIX_BYTES + addressSize(datagram.dest) + addressSize(datagram.src);
  size += shortStringSize(datagram.cluster) + 4;
  for (const message of datagram.messages) size += messageSize(message);
  return size;
}

/** @throws {CodecError} `ERR_VALUE` for a value that the wire cannot carry */
export function encodeDatagram(datagram: Datagram): Buffer {
  const writer = new ByteWriter(datagramSize(datagram));
  writer.u16(datagram.version);
  writer.u8(
    (datagram.kind === 'bundle' ? DatagramFlag.LIST : 0) | (datagram.multicast ? DatagramFlag.MULTICAST : 0),
  );
  if (datagram.kind === 'single') {
    writeMessage(writer, datagram.message);
    return writer.finish();
  }
  writeAddress(writer, datagram.dest, 'bundle.dest');
  writeAddress(writer, datagram.src, 'bundle.src');
  writeShortString(writer, datagram.cluster, 'bundle.cluster');
  const { messages, unparsed = 0 } = datagram;
  writer.u32(messages.length + unparsed);
  for (const [i, message] of messages.entries()) {
    writeMessage(writer, message);
    if (unknownTail(message.headers) !== null && i < messages.length - 1) {
      throw new CodecError(
        'ERR_VALUE',
        writer.offset,
        'bundle.messages',
        'messages behind an unknown header',
      );
    }
  }
  return writer.finish();
}
