/**
 * NAKACK2's header (WIRE-3.6 section 6): a type byte, then
 *
 *     1 MSG            seqno cvlong
 *     2 XMIT_REQ       address of the original sender; the payload is a SeqnoList
 *     3 XMIT_RSP       seqno cvlong
 *     4 HIGHEST_SEQNO  seqno cvlong
 */

import type { Nakack2Header } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { addressSize, writeAddress } from '../address.ts';
import { readMember } from '../fields.ts';
import { Magic, ProtocolId } from '../ids.ts';
import { compressedLongSize, readCompressedLong, writeCompressedLong } from '../primitives.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({ MSG: 1, XMIT_REQ: 2, XMIT_RSP: 3, HIGHEST_SEQNO: 4 });

const protocol = 'NAKACK2';

export const nakack2: HeaderCodec<Nakack2Header> = {
  protocolId: ProtocolId.NAKACK2,
  magic: Magic.NAKACK2,
  decode(reader) {
    const at = reader.offset;
    const type = types.name(reader.u8('NAKACK2.type'), at, 'NAKACK2.type');
    if (type === 'XMIT_REQ') return { protocol, type, sender: readMember(reader, 'NAKACK2.sender') };
    return { protocol, type, seqno: readCompressedLong(reader, 'NAKACK2.seqno') };
  },
  size(header) {
    return 1 + (header.type === 'XMIT_REQ' ? addressSize(header.sender) : compressedLongSize(header.seqno));
  },
  encode(writer, header) {
    writer.u8(types.codes[header.type]);
    if (header.type === 'XMIT_REQ') writeAddress(writer, header.sender, 'NAKACK2.sender');
    else writeCompressedLong(writer, header.seqno, 'NAKACK2.seqno');
  },
};
