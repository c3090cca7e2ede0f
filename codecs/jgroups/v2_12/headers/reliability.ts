/**
 * The headers of 2.12's retransmission (WIRE-3.6 section 15): a type byte, then
 *
 *     UNICAST  0 DATA              seqno long   conn_id short   first bool
 *              1 ACK               seqno long
 *              2 SEND_FIRST_SEQNO  nothing
 *     NAKACK   1 MSG               seqno long
 *              2 XMIT_REQ          bool + { low long   high long }   sender address
 *              3 XMIT_RSP          seqno long
 */

import type { ByteReader } from '../../../bytes/reader.ts';
import { typeTable } from '../../type-table.ts';
import type { HeaderCodec } from '../../v3_6/headers/header-codec.ts';
import { addressSize, readAddress, writeAddress } from '../address.ts';
import type { NakackHeader212, UnicastHeader212 } from '../headers.ts';
import { Magic, ProtocolId } from '../ids.ts';
import { readLong, writeLong } from '../primitives.ts';

const unicastTypes = typeTable({ DATA: 0, ACK: 1, SEND_FIRST_SEQNO: 2 });

function decodeUnicast(reader: ByteReader): UnicastHeader212 {
  const protocol = 'UNICAST';
  const at = reader.offset;
  const type = unicastTypes.name(reader.u8('UNICAST.type'), at, 'UNICAST.type');
  switch (type) {
    case 'DATA':
      return {
        protocol,
        type,
        seqno: readLong(reader, 'UNICAST.seqno'),
        connId: reader.i16('UNICAST.conn_id'),
        first: reader.bool('UNICAST.first'),
      };
    case 'ACK':
      return { protocol, type, seqno: readLong(reader, 'UNICAST.seqno') };
    case 'SEND_FIRST_SEQNO':
      return { protocol, type };
  }
}

export const unicast: HeaderCodec<UnicastHeader212> = {
  protocolId: ProtocolId.UNICAST,
  magic: Magic.UNICAST,
  decode: decodeUnicast,
  size: ({ type }) => (type === 'DATA' ? 12 : type === 'ACK' ? 9 : 1),
  encode(writer, header) {
    writer.u8(unicastTypes.codes[header.type]);
    if (header.type === 'SEND_FIRST_SEQNO') return;
    writeLong(writer, header.seqno, 'UNICAST.seqno');
    if (header.type === 'ACK') return;
    writer.i16(header.connId, 'UNICAST.conn_id');
    writer.bool(header.first);
  },
};

const nakackTypes = typeTable({ MSG: 1, XMIT_REQ: 2, XMIT_RSP: 3 });

export const nakack: HeaderCodec<NakackHeader212> = {
  protocolId: ProtocolId.NAKACK,
  magic: Magic.NAKACK,
  decode(reader) {
    const protocol = 'NAKACK';
    const at = reader.offset;
    const type = nakackTypes.name(reader.u8('NAKACK.type'), at, 'NAKACK.type');
    if (type !== 'XMIT_REQ') return { protocol, type, seqno: readLong(reader, 'NAKACK.seqno') };
    const ranged = reader.bool('NAKACK.range');
    const low = ranged ? readLong(reader, 'NAKACK.range.low') : null;
    const high = ranged ? readLong(reader, 'NAKACK.range.high') : null;
    return { protocol, type, low, high, sender: readAddress(reader, 'NAKACK.sender') };
  },
  size(header) {
    if (header.type !== 'XMIT_REQ') return 9;
    return 2 + (header.low === null ? 0 : 16) + addressSize(header.sender);
  },
  encode(writer, header) {
    writer.u8(nakackTypes.codes[header.type]);
    if (header.type !== 'XMIT_REQ') {
      writeLong(writer, header.seqno, 'NAKACK.seqno');
      return;
    }
    const { low, high, sender } = header;
    writer.bool(low !== null);
    if (low !== null) {
      writeLong(writer, low, 'NAKACK.range.low');
      writeLong(writer, high ?? Number.NaN, 'NAKACK.range.high');
    }
    writeAddress(writer, sender, 'NAKACK.sender');
  },
};
