/**
 * PingData, the payload of discovery (WIRE-3.6 section 10):
 *
 *     sender address   flags u8   logical name string?   physical address   members address-list
 */

import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import type { PingData } from '../message.ts';
import { optionalUtfSize, readOptionalUtf, writeOptionalUtf } from '../utf.ts';
import { addressSize, readAddress, writeAddress } from './address.ts';
import { addressesSize, readAddresses, writeAddresses } from './fields.ts';

const PingFlag = { SERVER: 1, COORD: 2 } as const;

export function readPingData(reader: ByteReader): PingData {
  const sender = readAddress(reader, 'PingData.sender');
  const at = reader.offset;
  const flags = reader.u8('PingData.flags');
  if (flags > 3) throw new CodecError('ERR_VALUE', at, 'PingData.flags', `${flags} has unknown bits`);
  return {
    sender,
    server: (flags & PingFlag.SERVER) !== 0,
    coord: (flags & PingFlag.COORD) !== 0,
    logicalName: readOptionalUtf(reader, 'PingData.logical-name'),
    physicalAddress: readAddress(reader, 'PingData.physical-addr'),
    mbrs: readAddresses(reader, 'PingData.mbrs'),
  };
}

export function pingDataSize(data: PingData): number {
  return (
    addressSize(data.sender) +
    1 +
    optionalUtfSize(data.logicalName) +
    addressSize(data.physicalAddress) +
    addressesSize(data.mbrs)
  );
}

export function writePingData(writer: ByteWriter, data: PingData): void {
  writeAddress(writer, data.sender, 'PingData.sender');
  writer.u8((data.server ? PingFlag.SERVER : 0) | (data.coord ? PingFlag.COORD : 0));
  writeOptionalUtf(writer, data.logicalName, 'PingData.logical-name');
  writeAddress(writer, data.physicalAddress, 'PingData.physical-addr');
  writeAddresses(writer, data.mbrs, 'PingData.mbrs');
}
