/** MERGE3's header: `type u8   ViewId?   logical name string?   physical address` (WIRE-3.6 section 12). */

import type { Merge3Header } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { optionalUtfSize, readOptionalUtf, writeOptionalUtf } from '../../utf.ts';
import { addressSize, readAddress, writeAddress } from '../address.ts';
import { Magic, ProtocolId } from '../ids.ts';
import { optionalViewIdSize, readOptionalViewId, writeOptionalViewId } from '../view.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({ INFO: 0, VIEW_REQ: 1, VIEW_RSP: 2 });

export const merge3: HeaderCodec<Merge3Header> = {
  protocolId: ProtocolId.MERGE3,
  magic: Magic.MERGE3,
  decode(reader) {
    const at = reader.offset;
    return {
      protocol: 'MERGE3',
      type: types.name(reader.u8('MERGE3.type'), at, 'MERGE3.type'),
      viewId: readOptionalViewId(reader, 'MERGE3.view-id'),
      logicalName: readOptionalUtf(reader, 'MERGE3.logical-name'),
      physicalAddress: readAddress(reader, 'MERGE3.physical-addr'),
    };
  },
  size({ viewId, logicalName, physicalAddress }) {
    return 1 + optionalViewIdSize(viewId) + optionalUtfSize(logicalName) + addressSize(physicalAddress);
  },
  encode(writer, { type, viewId, logicalName, physicalAddress }) {
    writer.u8(types.codes[type]);
    writeOptionalViewId(writer, viewId, 'MERGE3.view-id');
    writeOptionalUtf(writer, logicalName, 'MERGE3.logical-name');
    writeAddress(writer, physicalAddress, 'MERGE3.physical-addr');
  },
};
