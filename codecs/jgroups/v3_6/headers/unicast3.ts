/**
 * UNICAST3's header (WIRE-3.6 section 5): a type byte, then
 *
 *     0 DATA              seqno cvlong   conn_id short   first bool
 *     1 ACK               seqno cvlong   conn_id short   timestamp cvlong
 *     2 SEND_FIRST_SEQNO  timestamp cvlong
 *     3 XMIT_REQ          nothing; the payload is a SeqnoList
 *     4 CLOSE             conn_id short
 */

import { CodecError } from '../../../bytes/errors.ts';
import type { ByteReader } from '../../../bytes/reader.ts';
import type { Unicast3Header } from '../../message.ts';
import { Magic, ProtocolId } from '../ids.ts';
import { compressedLongSize, readCompressedLong, writeCompressedLong } from '../primitives.ts';
import type { HeaderCodec } from './header-codec.ts';

const Type = { DATA: 0, ACK: 1, SEND_FIRST_SEQNO: 2, XMIT_REQ: 3, CLOSE: 4 } as const;

const protocol = 'UNICAST3';

function decode(reader: ByteReader): Unicast3Header {
  const at = reader.offset;
  const type = reader.u8('UNICAST3.type');
  switch (type) {
    case Type.DATA:
      return {
        protocol,
        type: 'DATA',
        seqno: readCompressedLong(reader, 'UNICAST3.seqno'),
        connId: reader.i16('UNICAST3.conn_id'),
        first: reader.bool('UNICAST3.first'),
      };
    case Type.ACK:
      return {
        protocol,
        type: 'ACK',
        seqno: readCompressedLong(reader, 'UNICAST3.seqno'),
        connId: reader.i16('UNICAST3.conn_id'),
        timestamp: readCompressedLong(reader, 'UNICAST3.timestamp'),
      };
    case Type.SEND_FIRST_SEQNO:
      return {
        protocol,
        type: 'SEND_FIRST_SEQNO',
        timestamp: readCompressedLong(reader, 'UNICAST3.timestamp'),
      };
    case Type.XMIT_REQ:
      return { protocol, type: 'XMIT_REQ' };
    case Type.CLOSE:
      return { protocol, type: 'CLOSE', connId: reader.i16('UNICAST3.conn_id') };
    default:
      throw new CodecError('ERR_VALUE', at, 'UNICAST3.type', `type ${type} is unknown`);
  }
}

export const unicast3: HeaderCodec<Unicast3Header> = {
  protocolId: ProtocolId.UNICAST3,
  magic: Magic.UNICAST3,
  decode,
  size(header) {
    switch (header.type) {
      case 'DATA':
        return 4 + compressedLongSize(header.seqno);
      case 'ACK':
        return 3 + compressedLongSize(header.seqno) + compressedLongSize(header.timestamp);
      case 'SEND_FIRST_SEQNO':
        return 1 + compressedLongSize(header.timestamp);
      case 'XMIT_REQ':
        return 1;
      case 'CLOSE':
        return 3;
    }
  },
  encode(writer, header) {
    writer.u8(Type[header.type]);
    switch (header.type) {
      case 'DATA':
        writeCompressedLong(writer, header.seqno, 'UNICAST3.seqno');
        writer.i16(header.connId, 'UNICAST3.conn_id');
        writer.bool(header.first);
        return;
      case 'ACK':
        writeCompressedLong(writer, header.seqno, 'UNICAST3.seqno');
        writer.i16(header.connId, 'UNICAST3.conn_id');
        writeCompressedLong(writer, header.timestamp, 'UNICAST3.timestamp');
        return;
      case 'SEND_FIRST_SEQNO':
        writeCompressedLong(writer, header.timestamp, 'UNICAST3.timestamp');
        return;
      case 'XMIT_REQ':
        return;
      case 'CLOSE':
        writer.i16(header.connId, 'UNICAST3.conn_id');
    }
  },
};
