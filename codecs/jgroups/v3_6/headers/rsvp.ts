/** RSVP's header: `type u8   id short` (JGroups 3.6.14, RSVP.RsvpHeader). */

import type { RsvpHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({ REQ: 1, REQ_ONLY: 2, RSP: 3 });

export const rsvp: HeaderCodec<RsvpHeader> = {
  protocolId: ProtocolId.RSVP,
  magic: Magic.RSVP,
  decode(reader) {
    const at = reader.offset;
    const type = types.name(reader.u8('RSVP.type'), at, 'RSVP.type');
    return { protocol: 'RSVP', type, id: reader.i16('RSVP.id') };
  },
  size: () => 3,
  encode(writer, header) {
    writer.u8(types.codes[header.type]);
    writer.i16(header.id, 'RSVP.id');
  },
};
