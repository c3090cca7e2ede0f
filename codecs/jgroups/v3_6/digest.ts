/**
 * Digests (WIRE-3.6 section 7): `members address-list   n * seqno pair`, or without the addresses `n short` and the
 * pairs, for the members of the view beside it in their order.
 *
 * A seqno pair (section 1) is a byte that holds two lengths, the high nibble that of the highest delivered seqno
 * and the low one that of its distance to the highest received, then both numbers, the least significant byte
 * first; a single 00 if both are zero.
 */

import { CodecError } from '../../bytes/errors.ts';
import { MAX_SEQNO } from '../../bytes/limits.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import type { Digest, SeqnoPair } from '../message.ts';
import { addressesSize, readCount, readMembers, writeAddresses } from './fields.ts';
import { compressedLongSize } from './primitives.ts';

export function readDigest(reader: ByteReader): Digest {
  const members = readMembers(reader, 'digest.members');
  return { members, seqnos: readPairs(reader, members.length) };
}

export function readDigestWithoutMembers(reader: ByteReader): Digest {
  return { members: null, seqnos: readPairs(reader, readCount(reader, 'digest.count')) };
}

function readPairs(reader: ByteReader, count: number): SeqnoPair[] {
  const pairs: SeqnoPair[] = [];
  for (let i = 0; i < count; i++) pairs.push(readSeqnoPair(reader));
  return pairs;
}

export function readSeqnoPair(reader: ByteReader): SeqnoPair {
  const at = reader.offset;
  const lengths = reader.u8('digest.seqnos');
  const highestDelivered = readLittleEndian(reader, lengths >> 4);
  const highestReceived = highestDelivered + readLittleEndian(reader, lengths & 0x0f);
  if (highestReceived > MAX_SEQNO) {
    throw new CodecError('ERR_LIMIT', at, 'digest.seqnos', 'are outside 0..2^53-1');
  }
  return { highestDelivered, highestReceived };
}

function readLittleEndian(reader: ByteReader, length: number): number {
  if (length > 8) {
    throw new CodecError('ERR_VALUE', reader.offset, 'digest.seqnos', `a long has no ${length} bytes`);
  }
  const bytes = reader.bytes(length, 'digest.seqnos');
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[i] as number);
  return value;
}

/** With or without its members, as the value has them. */
export function digestSize(digest: Digest): number {
  let size = digest.members === null ? 2 : addressesSize(digest.members);
  for (const { highestDelivered, highestReceived } of digest.seqnos) {
    size += seqnoPairSize(highestDelivered, highestReceived);
  }
  return size;
}

function seqnoPairSize(highestDelivered: number, highestReceived: number): number {
  if (highestReceived === 0) return 1;
  return 1 + longLength(highestDelivered) + longLength(highestReceived - highestDelivered);
}

/** Beside a number that is not zero, even zero takes a byte. */
function longLength(value: number): number {
  return Math.max(1, compressedLongSize(value) - 1);
}

/** @throws {CodecError} `ERR_VALUE` if there are not as many seqno pairs as members, or a pair falls */
export function writeDigest(writer: ByteWriter, digest: Digest): void {
  const { members, seqnos } = digest;
  if (members === null) {
    writer.i16(seqnos.length, 'digest.count');
  } else {
    if (members.length !== seqnos.length) {
      const detail = `${seqnos.length} seqno pairs for ${members.length} members`;
      throw new CodecError('ERR_VALUE', writer.offset, 'digest.seqnos', detail);
    }
    writeAddresses(writer, members, 'digest.members');
  }
  for (const pair of seqnos) writeSeqnoPair(writer, pair);
}

export function writeSeqnoPair(writer: ByteWriter, pair: SeqnoPair): void {
  const { highestDelivered, highestReceived } = pair;
  const distance = highestReceived - highestDelivered;
  if (!Number.isSafeInteger(highestReceived) || !(highestDelivered >= 0 && distance >= 0)) {
    const detail = `no pair of ${highestDelivered} and ${highestReceived}`;
    throw new CodecError('ERR_VALUE', writer.offset, 'digest.seqnos', detail);
  }
  if (highestReceived === 0) {
    writer.u8(0);
    return;
  }
  const deliveredLength = longLength(highestDelivered);
  const distanceLength = longLength(distance);
  writer.u8((deliveredLength << 4) | distanceLength);
  writeLittleEndian(writer, highestDelivered, deliveredLength);
  writeLittleEndian(writer, distance, distanceLength);
}

function writeLittleEndian(writer: ByteWriter, value: number, length: number): void {
  let rest = value;
  for (let i = 0; i < length; i++) {
    writer.u8(rest % 256);
    rest = Math.floor(rest / 256);
  }
}
