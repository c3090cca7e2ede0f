/**
 * FD_SOCK's header (WIRE-3.6 section 12): `type u8   mbr address   bool + IpAddress body   n int   n * address`.
 * The payload of GET_CACHE_RSP is a list of where members listen.
 */

import type { FdSockHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { addressSize, readAddress, writeAddress } from '../address.ts';
import {
  intAddressesSize,
  optionalIpSize,
  readIntAddresses,
  readOptionalIp,
  writeIntAddresses,
  writeOptionalIp,
} from '../fields.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({
  SUSPECT: 10,
  UNSUSPECT: 11,
  WHO_HAS_SOCK: 12,
  I_HAVE_SOCK: 13,
  GET_CACHE: 14,
  GET_CACHE_RSP: 15,
});

export const fdSock: HeaderCodec<FdSockHeader> = {
  protocolId: ProtocolId.FD_SOCK,
  magic: Magic.FD_SOCK,
  decode(reader) {
    const at = reader.offset;
    return {
      protocol: 'FD_SOCK',
      type: types.name(reader.u8('FD_SOCK.type'), at, 'FD_SOCK.type'),
      mbr: readAddress(reader, 'FD_SOCK.mbr'),
      sockAddress: readOptionalIp(reader, 'FD_SOCK.sock-addr'),
      mbrs: readIntAddresses(reader, 'FD_SOCK.mbrs'),
    };
  },
  size({ mbr, sockAddress, mbrs }) {
    return 1 + addressSize(mbr) + optionalIpSize(sockAddress) + intAddressesSize(mbrs);
  },
  encode(writer, { type, mbr, sockAddress, mbrs }) {
    writer.u8(types.codes[type]);
    writeAddress(writer, mbr, 'FD_SOCK.mbr');
    writeOptionalIp(writer, sockAddress, 'FD_SOCK.sock-addr');
    writeIntAddresses(writer, mbrs, 'FD_SOCK.mbrs');
  },
};
