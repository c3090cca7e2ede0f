/** Fields that many headers and payloads share: address lists, addresses that may be absent, byte buffers. */

import { CodecError } from '../../bytes/errors.ts';
import { MAX_ADDRESSES } from '../../bytes/limits.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import type { Address, IpAddress } from '../message.ts';
import { addressSize, ipBodySize, readAddress, readIpBody, writeAddress, writeIpBody } from './address.ts';

/** An address where none may be missing. */
export function readMember(reader: ByteReader, field: string): Address {
  const at = reader.offset;
  const address = readAddress(reader, field);
  if (address === null) throw new CodecError('ERR_VALUE', at, field, 'is null');
  return address;
}

/** A short count, then the addresses; count -1: null (WIRE-3.6 section 2). */
export function readAddresses(reader: ByteReader, field: string): Address[] | null {
  const at = reader.offset;
  const count = reader.i16(field);
  return count === -1 ? null : readAddressArray(reader, checkCount(count, at, field), field);
}

/** An address list that may not be null. */
export function readMembers(reader: ByteReader, field: string): Address[] {
  const at = reader.offset;
  const addresses = readAddresses(reader, field);
  if (addresses === null) throw new CodecError('ERR_VALUE', at, field, 'is null');
  return addresses;
}

/** A short that counts members. */
export function readCount(reader: ByteReader, field: string): number {
  const at = reader.offset;
  return checkCount(reader.i16(field), at, field);
}

function checkCount(count: number, at: number, field: string): number {
  if (count < 0) throw new CodecError('ERR_VALUE', at, field, `count ${count}`);
  if (count > MAX_ADDRESSES) throw new CodecError('ERR_LIMIT', at, field, `${count} addresses`);
  return count;
}

function readAddressArray(reader: ByteReader, count: number, field: string): Address[] {
  const addresses: Address[] = [];
  for (let i = 0; i < count; i++) addresses.push(readMember(reader, field));
  return addresses;
}

export function addressesSize(addresses: readonly Address[] | null): number {
  return 2 + addressArraySize(addresses ?? []);
}

function addressArraySize(addresses: readonly Address[]): number {
  let size = 0;
  for (const address of addresses) size += addressSize(address);
  return size;
}

export function writeAddresses(
  writer: ByteWriter,
  addresses: readonly Address[] | null,
  field: string,
): void {
  writer.i16(addresses?.length ?? -1, field);
  for (const address of addresses ?? []) writeAddress(writer, address, field);
}

/** FD_SOCK's address list: an **int** count, and no null. */
export function readIntAddresses(reader: ByteReader, field: string): Address[] {
  const at = reader.offset;
  return readAddressArray(reader, checkCount(reader.i32(field), at, field), field);
}

export function intAddressesSize(addresses: readonly Address[]): number {
  return 4 + addressArraySize(addresses);
}

export function writeIntAddresses(writer: ByteWriter, addresses: readonly Address[], field: string): void {
  writer.i32(addresses.length, field);
  for (const address of addresses) writeAddress(writer, address, field);
}

/** A bool, then the IpAddress' body without a flag byte. */
export function readOptionalIp(reader: ByteReader, field: string): IpAddress | null {
  return reader.bool(field) ? readIpBody(reader, field) : null;
}

export function optionalIpSize(address: IpAddress | null): number {
  return address === null ? 1 : 1 + ipBodySize(address);
}

export function writeOptionalIp(writer: ByteWriter, address: IpAddress | null, field: string): void {
  writer.bool(address !== null);
  if (address !== null) writeIpBody(writer, address, field);
}

/** Bytes that may be absent, as hex: a bool, then int length + bytes. */
export function readOptionalBytes(reader: ByteReader, field: string): string | null {
  if (!reader.bool(field)) return null;
  const at = reader.offset;
  const length = reader.i32(field);
  if (length < 0) throw new CodecError('ERR_VALUE', at, field, `length ${length}`);
  return reader.hex(length, field);
}

export function optionalBytesSize(bytes: string | null): number {
  return bytes === null ? 1 : 5 + bytes.length / 2;
}

export function writeOptionalBytes(writer: ByteWriter, bytes: string | null, field: string): void {
  writer.bool(bytes !== null);
  if (bytes === null) return;
  writer.i32(bytes.length / 2, field);
  writer.hex(bytes, field);
}
