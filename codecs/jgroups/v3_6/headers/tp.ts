/** TpHeader: `cluster short length (-1 null) + bytes` (WIRE-3.6 section 4). */

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
