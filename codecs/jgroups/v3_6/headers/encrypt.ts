/**
 * The headers of encrypted messages; their payload stays opaque.
 *
 *     SYM_ENCRYPT, ASYM_ENCRYPT   type u8   key version buffer?   signature buffer?   (JGroups 3.6.14, EncryptHeader)
 *     ENCRYPT                     type u8 (8: headers too)   key version short + bytes   (JGroups 3.6.9, the same magic)
 */

import { CodecError } from '../../../bytes/errors.ts';
import type { EncryptHeader, OldEncryptHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { optionalBytesSize, readOptionalBytes, writeOptionalBytes } from '../fields.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({
  ENCRYPT: 1,
  SECRET_KEY_REQ: 2,
  SECRET_KEY_RSP: 4,
  NEW_KEYSERVER: 8,
  NEW_KEYSERVER_ACK: 16,
});

function encrypting(protocol: EncryptHeader['protocol']): HeaderCodec<EncryptHeader> {
  return {
    protocolId: ProtocolId[protocol],
    magic: Magic.ENCRYPT,
    decode(reader) {
      const at = reader.offset;
      return {
        protocol,
        type: types.name(reader.u8('ENCRYPT.type'), at, 'ENCRYPT.type'),
        version: readOptionalBytes(reader, 'ENCRYPT.version'),
        signature: readOptionalBytes(reader, 'ENCRYPT.signature'),
      };
    },
    size: (header) => 1 + optionalBytesSize(header.version) + optionalBytesSize(header.signature),
    encode(writer, header) {
      writer.u8(types.codes[header.type]);
      writeOptionalBytes(writer, header.version, 'ENCRYPT.version');
      writeOptionalBytes(writer, header.signature, 'ENCRYPT.signature');
    },
  };
}

export const symEncrypt = encrypting('SYM_ENCRYPT');
export const asymEncrypt = encrypting('ASYM_ENCRYPT');

const oldTypes = typeTable({ ENCRYPT: 1, KEY_REQUEST: 2, SECRETKEY: 4 });
const ENCRYPT_ENTIRE_MSG = 8;

export const encrypt: HeaderCodec<OldEncryptHeader> = {
  protocolId: ProtocolId.ENCRYPT,
  magic: Magic.ENCRYPT,
  decode(reader) {
    const at = reader.offset;
    const code = reader.u8('ENCRYPT.type');
    const type = oldTypes.name(code & ~ENCRYPT_ENTIRE_MSG, at, 'ENCRYPT.type');
    const lengthAt = reader.offset;
    const length = reader.i16('ENCRYPT.version');
    if (length < 0) throw new CodecError('ERR_VALUE', lengthAt, 'ENCRYPT.version', `length ${length}`);
    const version = reader.hex(length, 'ENCRYPT.version');
    return { protocol: 'ENCRYPT', type, entireMessage: (code & ENCRYPT_ENTIRE_MSG) !== 0, version };
  },
  size: (header) => 3 + header.version.length / 2,
  encode(writer, header) {
    writer.u8(oldTypes.codes[header.type] | (header.entireMessage ? ENCRYPT_ENTIRE_MSG : 0));
    writer.i16(header.version.length / 2, 'ENCRYPT.version');
    writer.hex(header.version, 'ENCRYPT.version');
  },
};
