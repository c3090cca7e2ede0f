/** VERIFY_SUSPECT's header: `type short   from address` (WIRE-3.6 section 12). */

import type { AddressCodec } from '../../address-codec.ts';
import type { VerifySuspectHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({ ARE_YOU_DEAD: 1, I_AM_NOT_DEAD: 2 });

/** The same in every version, but for the address. */
export function verifySuspect(wire: AddressCodec): HeaderCodec<VerifySuspectHeader> {
  return {
    protocolId: ProtocolId.VERIFY_SUSPECT,
    magic: Magic.VERIFY_SUSPECT,
    decode(reader) {
      const at = reader.offset;
      const type = types.name(reader.i16('VERIFY_SUSPECT.type'), at, 'VERIFY_SUSPECT.type');
      return { protocol: 'VERIFY_SUSPECT', type, from: wire.readAddress(reader, 'VERIFY_SUSPECT.from') };
    },
    size: (header) => 2 + wire.addressSize(header.from),
    encode(writer, header) {
      writer.i16(types.codes[header.type]);
      wire.writeAddress(writer, header.from, 'VERIFY_SUSPECT.from');
    },
  };
}
