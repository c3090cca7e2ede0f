/**
 * A datagram of 2.12 (WIRE-3.6 section 15): `version u16   flags u8`, then one message, or a list of them:
 *
 *     dest address   src address   { 01   message }*   00
 *
 * Messages of a list keep their TP headers; there is neither a cluster name nor a count.
 */

import { CodecError } from '../../bytes/errors.ts';
import { MAX_BUNDLE_MESSAGES } from '../../bytes/limits.ts';
import { ByteReader } from '../../bytes/reader.ts';
import { ByteWriter } from '../../bytes/writer.ts';
import { Flag } from '../message.ts';
import { unknownTail } from '../unknown-header.ts';
import type { DecodeOptions } from '../unknown-header.ts';
import { addressSize, readAddress, writeAddress } from './address.ts';
import type { BundleDatagram212, Datagram212, Message212 } from './headers.ts';
import { messageSize, readMessage, writeMessage } from './message.ts';

/** OOB repeats the flag of the message; a list never has it. */
const DatagramFlag = { LIST: 1, MULTICAST: 2, OOB: 4 } as const;
const PREFIX_BYTES = 3;

/** @throws {CodecError} whatever is wrong with the bytes */
export function decodeDatagram(bytes: Uint8Array, options?: DecodeOptions): Datagram212 {
  const opaque = options?.unknownHeaders === 'opaque';
  const reader = new ByteReader(bytes);
  const version = reader.u16('version');
  const at = reader.offset;
  const flags = reader.u8('flags');
  const multicast = (flags & DatagramFlag.MULTICAST) !== 0;
  const datagram: Datagram212 =
    (flags & DatagramFlag.LIST) === 0
      ? { kind: 'single', version, multicast, message: readMessage(reader, opaque) }
      : readBundle(reader, version, multicast, opaque);
  if (flags !== flagsOf(datagram)) {
    throw new CodecError('ERR_VALUE', at, 'flags', `0x${flags.toString(16)} is not what it should be`);
  }
  reader.finish('datagram');
  return datagram;
}

function readBundle(
  reader: ByteReader,
  version: number,
  multicast: boolean,
  opaque: boolean,
): BundleDatagram212 {
  const dest = readAddress(reader, 'bundle.dest');
  const src = readAddress(reader, 'bundle.src');
  const messages: Message212[] = [];
  let more = reader.bool('bundle.more');
  while (more) {
    reader.checkLimit(messages.length + 1, MAX_BUNDLE_MESSAGES, 'bundle.messages');
    const message = readMessage(reader, opaque);
    messages.push(message);
    more = unknownTail(message.headers) === null && reader.bool('bundle.more');
  }
  return { kind: 'bundle', version, multicast, dest, src, cluster: null, messages };
}

function flagsOf(datagram: Datagram212): number {
  const multicast = datagram.multicast ? DatagramFlag.MULTICAST : 0;
  if (datagram.kind === 'bundle') return multicast | DatagramFlag.LIST;
  return multicast | ((datagram.message.flags & Flag.OOB) === 0 ? 0 : DatagramFlag.OOB);
}

export function datagramSize(datagram: Datagram212): number {
  if (datagram.kind === 'single') return PREFIX_BYTES + messageSize(datagram.message);
  const { dest, src, messages } = datagram;
  let size = PREFIX_BYTES + addressSize(dest) + addressSize(src) + (endsOpen(datagram) ? 0 : 1);
  for (const message of messages) size += 1 + messageSize(message);
  return size;
}

/** An unknown header has taken the end of the list too. */
function endsOpen(datagram: BundleDatagram212): boolean {
  const last = datagram.messages.at(-1);
  return last !== undefined && unknownTail(last.headers) !== null;
}

/** @throws {CodecError} `ERR_VALUE` for a value that the wire cannot carry */
export function encodeDatagram(datagram: Datagram212): Buffer {
  const writer = new ByteWriter(datagramSize(datagram));
  writer.u16(datagram.version);
  writer.u8(flagsOf(datagram));
  if (datagram.kind === 'single') {
    writeMessage(writer, datagram.message);
    return writer.finish();
  }
  if (datagram.cluster !== null) {
    throw new CodecError('ERR_VALUE', writer.offset, 'bundle.cluster', 'a list of 2.12 has none');
  }
  writeAddress(writer, datagram.dest, 'bundle.dest');
  writeAddress(writer, datagram.src, 'bundle.src');
  const { messages } = datagram;
  for (const [i, message] of messages.entries()) {
    writer.bool(true);
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
  if (!endsOpen(datagram)) writer.bool(false);
  return writer.finish();
}
