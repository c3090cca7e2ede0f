/**
 * The payload of FD_SOCK's GET_CACHE_RSP (WIRE-3.6 section 12): `n int   n * { member address   bool + IpAddress body }`
 */

import { CodecError } from '../../bytes/errors.ts';
import { MAX_ADDRESSES } from '../../bytes/limits.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import type { SockEntry } from '../message.ts';
import { addressSize, readAddress, writeAddress } from './address.ts';
import { optionalIpSize, readOptionalIp, writeOptionalIp } from './fields.ts';

export function readSockCache(reader: ByteReader): SockEntry[] {
  const at = reader.offset;
  const count = reader.i32('FD_SOCK.cache');
  if (count < 0) throw new CodecError('ERR_VALUE', at, 'FD_SOCK.cache', `count ${count}`);
  if (count > MAX_ADDRESSES) throw new CodecError('ERR_LIMIT', at, 'FD_SOCK.cache', `${count} entries`);
  const entries: SockEntry[] = [];
  for (let i = 0; i < count; i++) {
    const mbr = readAddress(reader, 'FD_SOCK.cache.mbr');
    entries.push({ mbr, sockAddress: readOptionalIp(reader, 'FD_SOCK.cache.sock-addr') });
  }
  return entries;
}

export function sockCacheSize(entries: readonly SockEntry[]): number {
  let size = 4;
  for (const { mbr, sockAddress } of entries) size += addressSize(mbr) + optionalIpSize(sockAddress);
  return size;
}

export function writeSockCache(writer: ByteWriter, entries: readonly SockEntry[]): void {
  writer.i32(entries.length);
  for (const { mbr, sockAddress } of entries) {
    writeAddress(writer, mbr, 'FD_SOCK.cache.mbr');
    writeOptionalIp(writer, sockAddress, 'FD_SOCK.cache.sock-addr');
  }
}
