/** TpHeader: `cluster short length (-1 null) + bytes` (WIRE-3.6 section 4). */

import type { ByteReader } from '../../../bytes/reader.ts';
import type { TpHeader } from '../../message.ts';
import { Magic, ProtocolId } from '../ids.ts';
import { readShortString, shortStringSize, writeShortString } from '../primitives.ts';
import type { HeaderCodec } from './header-codec.ts';

export const tp: HeaderCodec<TpHeader> = {
  protocolId: ProtocolId.TP,
  magic: Magic.TP,
  decode: (reader) => ({ protocol: 'TP', cluster: readShortString(reader, 'TP.cluster') }),
  size: (header) => shortStringSize(header.cluster),
  encode: (writer, header) => writeShortString(writer, header.cluster, 'TP.cluster'),
};

/** Protocol id, class magic, length. */
const PREFIX_BYTES = 6;

/** `known`, if the whole header that is next is the same; else null, and nothing is read. */
export function readKnownTp(reader: ByteReader, known: TpHeader): TpHeader | null {
  const { buffer, offset, end } = reader;
  const { cluster } = known;
  if (cluster === null || end - offset < PREFIX_BYTES + cluster.length) return null;
  if (u16(buffer, offset) !== ProtocolId.TP || u16(buffer, offset + 2) !== Magic.TP) return null;
  if (u16(buffer, offset + 4) !== cluster.length) return null;
  const start = offset + PREFIX_BYTES;
  for (let i = 0; i < cluster.length; i++) if (buffer[start + i] !== cluster.charCodeAt(i)) return null;
  reader.offset = start + cluster.length;
  return known;
}

function u16(buffer: Uint8Array, at: number): number {
  return ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
}
