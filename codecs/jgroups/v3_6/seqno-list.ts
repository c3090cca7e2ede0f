/**
 * SeqnoList, the payload of XMIT_REQ (WIRE-3.6 section 6a):
 *
 *     01 (present)   size int   offset long   ceil(size/64) words, 8 bytes each
 *
 * Bit i of word w, the lowest bit first, asks for seqno offset + 64 w + i.
 */

import { CodecError } from '../../bytes/errors.ts';
import { MAX_SEQNO, MAX_SEQNO_LIST_BITS } from '../../bytes/limits.ts';
import { ByteReader } from '../../bytes/reader.ts';
import { ByteWriter } from '../../bytes/writer.ts';

/**
 * @param missing at least one seqno, ascending
 * @param end exclusive end of the range that the bitmap spans: the receiver's highest received seqno
 */
export function encodeSeqnoList(missing: readonly number[], end: number): Buffer {
  const offset = missing[0];
  const last = missing.at(-1);
  if (offset === undefined || last === undefined || last >= end) {
    throw new CodecError('ERR_VALUE', 0, 'SeqnoList', `no list of ${missing.length} seqnos below ${end}`);
  }
  const size = end - offset;
  if (size > MAX_SEQNO_LIST_BITS) throw new CodecError('ERR_LIMIT', 0, 'SeqnoList.size', `${size} seqnos`);
  const words = Math.ceil(size / 64);
  const writer = new ByteWriter(13 + 8 * words);
  writer.u8(1);
  writer.i32(size);
  writer.safeU64(offset);
  const bits = writer.buffer.fill(0, writer.offset);
  for (const seqno of missing) {
    const bit = seqno - offset;
    // a word is big-endian, so its lowest bits are in its last byte
    const at = writer.offset + (bit >> 6) * 8 + 7 - ((bit & 63) >> 3);
    bits[at] = (bits[at] as number) | (1 << (bit & 7));
  }
  return bits;
}

/** The seqnos asked for, ascending. An absent list is empty. */
export function decodeSeqnoList(bytes: Uint8Array): number[] {
  const reader = new ByteReader(bytes);
  const seqnos: number[] = [];
  if (!reader.bool('SeqnoList.present')) {
    reader.finish('SeqnoList');
    return seqnos;
  }
  const at = reader.offset;
  const size = reader.i32('SeqnoList.size');
  if (size < 1 || size > MAX_SEQNO_LIST_BITS)
    throw new CodecError('ERR_LIMIT', at, 'SeqnoList.size', `${size} seqnos`);
  const offset = reader.safeU64('SeqnoList.offset');
  if (offset + size - 1 > MAX_SEQNO)
    throw new CodecError('ERR_LIMIT', at, 'SeqnoList.offset', 'reaches past 2^53-1');
  const words = reader.bytes(Math.ceil(size / 64) * 8, 'SeqnoList.words');
  reader.finish('SeqnoList');
  for (let bit = 0; bit < size; bit++) {
    const byte = words[(bit >> 6) * 8 + 7 - ((bit & 63) >> 3)] as number;
    if ((byte & (1 << (bit & 7))) !== 0) seqnos.push(offset + bit);
  }
  return seqnos;
}
