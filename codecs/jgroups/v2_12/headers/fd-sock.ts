/**
 * FD_SOCK's header (WIRE-3.6 section 15): `type u8   mbr address   bool + IpAddress body
 * n int   n * { member address   bool + IpAddress body }   m int   m * address`. There is no payload.
 */

import type { ByteReader } from '../../../bytes/reader.ts';
import type { ByteWriter } from '../../../bytes/writer.ts';
import { typeTable } from '../../type-table.ts';
import type { HeaderCodec } from '../../v3_6/headers/header-codec.ts';
import type { SockEntry } from '../../view.ts';
import {
  addressSize,
  checkCount,
  ipAddressSize,
  readAddress,
  readAddressArray,
  readIpAddress,
  writeAddress,
  writeIpAddress,
} from '../address.ts';
import { optionalSize, readOptional, writeOptional } from '../group.ts';
import type { FdSockHeader212 } from '../headers.ts';
import { Magic36, ProtocolId36 } from '../ids.ts';

/** 3.6 put UNSUSPECT at 11 and so moved the others. */
const types = typeTable({ SUSPECT: 10, WHO_HAS_SOCK: 11, I_HAVE_SOCK: 12, GET_CACHE: 13, GET_CACHE_RSP: 14 });

const SOCK_ADDRESS = 'FD_SOCK.sock-addr';

function readCount(reader: ByteReader, field: string): number {
  const at = reader.offset;
  return checkCount(reader.i32(field), at, field);
}

function readEntry(reader: ByteReader): SockEntry {
  const mbr = readAddress(reader, 'FD_SOCK.cache.mbr');
  return { mbr, sockAddress: readOptional(reader, SOCK_ADDRESS, readIpAddress) };
}

function writeEntry(writer: ByteWriter, { mbr, sockAddress }: SockEntry): void {
  writeAddress(writer, mbr, 'FD_SOCK.cache.mbr');
  writeOptional(writer, sockAddress, SOCK_ADDRESS, writeIpAddress);
}

function decode(reader: ByteReader): FdSockHeader212 {
  const at = reader.offset;
  const type = types.name(reader.u8('FD_SOCK.type'), at, 'FD_SOCK.type');
  const mbr = readAddress(reader, 'FD_SOCK.mbr');
  const sockAddress = readOptional(reader, SOCK_ADDRESS, readIpAddress);
  const cache: SockEntry[] = [];
  for (let count = readCount(reader, 'FD_SOCK.cache'); count > 0; count--) cache.push(readEntry(reader));
  const mbrs = readAddressArray(reader, readCount(reader, 'FD_SOCK.mbrs'), 'FD_SOCK.mbrs');
  return { protocol: 'FD_SOCK', type, mbr, sockAddress, cache, mbrs };
}

export const fdSock: HeaderCodec<FdSockHeader212> = {
  protocolId: ProtocolId36.FD_SOCK,
  magic: Magic36.FD_SOCK,
  decode,
  size({ mbr, sockAddress, cache, mbrs }) {
    let size = 9 + addressSize(mbr) + optionalSize(sockAddress, ipAddressSize);
    for (const entry of cache)
      size += addressSize(entry.mbr) + optionalSize(entry.sockAddress, ipAddressSize);
    for (const member of mbrs) size += addressSize(member);
    return size;
  },
  encode(writer, { type, mbr, sockAddress, cache, mbrs }) {
    writer.u8(types.codes[type]);
    writeAddress(writer, mbr, 'FD_SOCK.mbr');
    writeOptional(writer, sockAddress, SOCK_ADDRESS, writeIpAddress);
    writer.i32(cache.length);
    for (const entry of cache) writeEntry(writer, entry);
    writer.i32(mbrs.length);
    for (const member of mbrs) writeAddress(writer, member, 'FD_SOCK.mbrs');
  },
};
