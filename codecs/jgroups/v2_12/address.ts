/**
 * Addresses of 2.12: a flag byte, then the body (WIRE-3.6 section 15).
 *
 *     01                                        null
 *     02  lsb long  msb long  additional data   UUID, least significant half first
 *     04  n u8  n bytes  [scope int]  port u16  additional data   IpAddress; n is 0, 4 or 16; scope for 16 only
 *
 * Additional data: 00, or 01 + u16 length + bytes.
 */

import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import type { Address, IpAddress } from '../address.ts';
import type { AddressCodec } from '../address-codec.ts';
import { ipBodySize, readIpBody, writeIpBody } from '../v3_6/address.ts';
import { MAX_ADDRESSES } from '../../bytes/limits.ts';

const AddressFlag = { NULL: 0x01, UUID: 0x02, IP: 0x04 } as const;

export function readAddress(reader: ByteReader, field: string): Address | null {
  const at = reader.offset;
  const flag = reader.u8(field);
  switch (flag) {
    case AddressFlag.NULL:
      return null;
    case AddressFlag.UUID: {
      const low = reader.hex(8, field);
      return withAdditional({ kind: 'uuid', uuid: reader.hex(8, field) + low }, reader, field);
    }
    case AddressFlag.IP:
      return readIpAddress(reader, field);
    default: {
      const detail = `address flag 0x${flag.toString(16)} is unknown`;
      throw new CodecError('ERR_UNKNOWN_ADDRESS', at, field, detail);
    }
  }
}

/** An IpAddress' body, without its flag byte. */
export function readIpAddress(reader: ByteReader, field: string): IpAddress {
  return withAdditional(readIpBody(reader, field), reader, field);
}

function withAdditional<A extends Address>(address: A, reader: ByteReader, field: string): A {
  if (!reader.bool(field)) return address;
  return { ...address, additionalData: reader.hex(reader.u16(field), field) };
}

function additionalSize(data: string | undefined): number {
  return data === undefined ? 1 : 3 + data.length / 2;
}

function writeAdditional(writer: ByteWriter, data: string | undefined, field: string): void {
  writer.bool(data !== undefined);
  if (data === undefined) return;
  writer.u16(data.length / 2, field);
  writer.hex(data, field);
}

export function addressSize(address: Address | null): number {
  if (address === null) return 1;
  if (address.kind === 'ip') return 1 + ipAddressSize(address);
  return 17 + (address.kind === 'uuid' ? additionalSize(address.additionalData) : 0);
}

export function ipAddressSize(address: IpAddress): number {
  return ipBodySize(address) + additionalSize(address.additionalData);
}

/** @throws {CodecError} `ERR_VALUE` for Geode's address, which no 2.12 peer knows */
export function writeAddress(writer: ByteWriter, address: Address | null, field: string): void {
  if (address === null) {
    writer.u8(AddressFlag.NULL);
    return;
  }
  switch (address.kind) {
    case 'uuid':
      writer.u8(AddressFlag.UUID);
      writer.hex(address.uuid.slice(16), field);
      writer.hex(address.uuid.slice(0, 16), field);
      writeAdditional(writer, address.additionalData, field);
      return;
    case 'ip':
      writer.u8(AddressFlag.IP);
      writeIpAddress(writer, address, field);
      return;
    case 'geode':
      throw new CodecError('ERR_VALUE', writer.offset, field, 'a Geode address in JGroups 2.12');
  }
}

export function writeIpAddress(writer: ByteWriter, address: IpAddress, field: string): void {
  writeIpBody(writer, address, field);
  writeAdditional(writer, address.additionalData, field);
}

// --- lists -------------------------------------------------------------------------------------------------

/** An address where none may be missing. */
export function readMember(reader: ByteReader, field: string): Address {
  const at = reader.offset;
  const address = readAddress(reader, field);
  if (address === null) throw new CodecError('ERR_VALUE', at, field, 'is null');
  return address;
}

/** @throws {CodecError} for a count below zero or over the limit */
export function checkCount(count: number, at: number, field: string): number {
  if (count < 0) throw new CodecError('ERR_VALUE', at, field, `count ${count}`);
  if (count > MAX_ADDRESSES) throw new CodecError('ERR_LIMIT', at, field, `${count} addresses`);
  return count;
}

/** A short count, -1 for null, then the addresses. */
export function readAddresses(reader: ByteReader, field: string): Address[] | null {
  const at = reader.offset;
  const count = reader.i16(field);
  return count === -1 ? null : readAddressArray(reader, checkCount(count, at, field), field);
}

export function readAddressArray(reader: ByteReader, count: number, field: string): Address[] {
  const addresses: Address[] = [];
  for (let i = 0; i < count; i++) addresses.push(readMember(reader, field));
  return addresses;
}

export function addressesSize(addresses: readonly Address[] | null): number {
  let size = 2;
  for (const address of addresses ?? []) size += addressSize(address);
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

export const wire: AddressCodec = {
  readAddress,
  addressSize,
  writeAddress,
  readAddresses,
  addressesSize,
  writeAddresses,
};
