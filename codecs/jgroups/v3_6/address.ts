/**
 * Addresses: a flag byte, then the body (WIRE-3.6 section 2).
 *
 *     01                                      null
 *     02  lsb long  msb long                  UUID, least significant half first
 *     10  n u8  n bytes  [scope int]  port u16          IpAddress; n is 0, 4 or 16; scope for 16 only
 *     00  07d0  n u8  n bytes  [scope int]  port u16  viewId int  msb long  lsb long    Geode's JGAddress
 */

import { CodecError } from '../../bytes/errors.ts';
import { ipLength, readIp, writeIp } from '../../bytes/ip.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import type { DecodeCache } from '../decode-cache.ts';
import type { Address, IpAddress } from '../message.ts';
import { GEODE_ADDRESS_MAGIC } from './ids.ts';

const AddressFlag = { OTHER: 0x00, NULL: 0x01, UUID: 0x02, IP: 0x10 } as const;

export function readAddress(reader: ByteReader, field: string): Address | null {
  const at = reader.offset;
  const flag = reader.u8(field);
  switch (flag) {
    case AddressFlag.NULL:
      return null;
    case AddressFlag.OTHER: {
      const magic = reader.u16(field);
      if (magic !== GEODE_ADDRESS_MAGIC) {
        throw new CodecError('ERR_UNKNOWN_ADDRESS', at, field, `address class ${magic} is unknown`);
      }
      const physical = readPhysical(reader, field);
      return { kind: 'geode', ...physical, viewId: reader.i32(field), uuid: reader.hex(16, field) };
    }
    case AddressFlag.UUID: {
      const low = reader.hex(8, field);
      return { kind: 'uuid', uuid: reader.hex(8, field) + low };
    }
    case AddressFlag.IP:
      return { kind: 'ip', ...readPhysical(reader, field) };
    default:
      throw new CodecError(
        'ERR_UNKNOWN_ADDRESS',
        at,
        field,
        `address flag 0x${flag.toString(16)} is unknown`,
      );
  }
}

/** As `readAddress`, by way of a cache. */
export function readAddressBy(
  cache: DecodeCache | undefined,
  reader: ByteReader,
  field: string,
): Address | null {
  if (cache === undefined) return readAddress(reader, field);
  const start = reader.offset;
  const length = memberLength(reader);
  const known = length === 0 ? null : cache.find(reader.buffer, start, length);
  if (known !== null) {
    reader.offset = start + length;
    return known;
  }
  const address = readAddress(reader, field);
  if (address !== null && length !== 0) cache.add(reader.buffer, start, length, address);
  return address;
}

/** Bytes of the address of a member that is next, if all of it is there; 0 for anything else. */
function memberLength({ buffer, offset, end }: ByteReader): number {
  let length = 0;
  if (offset < end && buffer[offset] === AddressFlag.UUID) length = 17;
  if (offset + 3 < end && buffer[offset] === AddressFlag.OTHER) {
    const ip = buffer[offset + 3];
    length = ip === 4 ? 30 : ip === 16 ? 46 : 0;
  }
  return length <= end - offset ? length : 0;
}

/** The body of an IpAddress, without its flag byte. */
export function readIpBody(reader: ByteReader, field: string): IpAddress {
  return { kind: 'ip', ...readPhysical(reader, field) };
}

export function ipBodySize(address: IpAddress): number {
  return addressSize(address) - 1;
}

export function writeIpBody(writer: ByteWriter, address: IpAddress, field: string): void {
  writePhysical(writer, address, field);
}

function readPhysical(reader: ByteReader, field: string): { host: string; scopeId: number; port: number } {
  const length = reader.u8(field);
  const host = readIp(reader, length, field);
  const scopeId = length === 16 ? reader.i32(field) : 0;
  return { host, scopeId, port: reader.u16(field) };
}

export function addressSize(address: Address | null): number {
  if (address === null) return 1;
  if (address.kind === 'uuid') return 17;
  const length = ipLength(address.host);
  const physical = 1 + length + (length === 16 ? 4 : 0) + 2;
  return address.kind === 'ip' ? 1 + physical : 3 + physical + 20;
}

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
      return;
    case 'ip':
      writer.u8(AddressFlag.IP);
      writePhysical(writer, address, field);
      return;
    case 'geode':
      writer.u8(AddressFlag.OTHER);
      writer.u16(GEODE_ADDRESS_MAGIC);
      writePhysical(writer, address, field);
      writer.i32(address.viewId, field);
      writer.hex(address.uuid, field);
  }
}

function writePhysical(
  writer: ByteWriter,
  address: { host: string; scopeId: number; port: number },
  field: string,
): void {
  const length = ipLength(address.host);
  writer.u8(length);
  writeIp(writer, address.host, field);
  if (length === 16) writer.i32(address.scopeId, field);
  writer.u16(address.port, field);
}
