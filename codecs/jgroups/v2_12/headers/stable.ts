/** STABLE's header: `type int   bool + Digest`, and no payload (WIRE-3.6 section 15). */

import { typeTable } from '../../type-table.ts';
import type { HeaderCodec } from '../../v3_6/headers/header-codec.ts';
import { digestSize, optionalSize, readDigest, readOptional, writeDigest, writeOptional } from '../group.ts';
import type { StableHeader212 } from '../headers.ts';
import { Magic36, ProtocolId36 } from '../ids.ts';

const types = typeTable({ STABLE_GOSSIP: 1, STABILITY: 2 });

export const stable: HeaderCodec<StableHeader212> = {
  protocolId: ProtocolId36.STABLE,
  magic: Magic36.STABLE,
  decode(reader) {
    const at = reader.offset;
    const type = types.name(reader.i32('STABLE.type'), at, 'STABLE.type');
    return { protocol: 'STABLE', type, digest: readOptional(reader, 'STABLE.digest', readDigest) };
  },
  size: (header) => 4 + optionalSize(header.digest, digestSize),
  encode(writer, header) {
    writer.i32(types.codes[header.type]);
    writeOptional(writer, header.digest, 'STABLE.digest', writeDigest);
  },
};
