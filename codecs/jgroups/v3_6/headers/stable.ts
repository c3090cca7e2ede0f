/** STABLE's header: `type u8   ViewId?`; the payload is a digest (WIRE-3.6 section 7). */

import type { StableHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { Magic, ProtocolId } from '../ids.ts';
import { optionalViewIdSize, readOptionalViewId, writeOptionalViewId } from '../view.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({ STABLE_GOSSIP: 1, STABILITY: 2 });

export const stable: HeaderCodec<StableHeader> = {
  protocolId: ProtocolId.STABLE,
  magic: Magic.STABLE,
  decode(reader) {
    const at = reader.offset;
    const type = types.name(reader.u8('STABLE.type'), at, 'STABLE.type');
    return { protocol: 'STABLE', type, viewId: readOptionalViewId(reader, 'STABLE.view-id') };
  },
  size: (header) => 1 + optionalViewIdSize(header.viewId),
  encode(writer, header) {
    writer.u8(types.codes[header.type]);
    writeOptionalViewId(writer, header.viewId, 'STABLE.view-id');
  },
};
