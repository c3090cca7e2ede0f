/** FD's header: `type u8   members address-list   from address` (WIRE-3.6 section 12). */

import type { AddressCodec } from '../../address-codec.ts';
import type { FdHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({ HEARTBEAT: 0, ACK: 1, SUSPECT: 2, UNSUSPECT: 3 });

/** The same in every version, but for the addresses. */
export function fd(wire: AddressCodec): HeaderCodec<FdHeader> {
  return {
    protocolId: ProtocolId.FD,
    magic: Magic.FD,
    decode(reader) {
      const at = reader.offset;
      const type = types.name(reader.u8('FD.type'), at, 'FD.type');
      const mbrs = wire.readAddresses(reader, 'FD.mbrs');
      return { protocol: 'FD', type, mbrs, from: wire.readAddress(reader, 'FD.from') };
    },
    size: (header) => 1 + wire.addressesSize(header.mbrs) + wire.addressSize(header.from),
    encode(writer, header) {
      writer.u8(types.codes[header.type]);
      wire.writeAddresses(writer, header.mbrs, 'FD.mbrs');
      wire.writeAddress(writer, header.from, 'FD.from');
    },
  };
}
