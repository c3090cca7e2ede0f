/**
 * The headers of state transfer (JGroups 3.6.14):
 *
 *     STATE_TRANSFER      type u8   bool + Digest
 *     STATE, STATE_SOCK   type u8   bool + Digest   bool + IpAddress body
 */

import type { ByteReader } from '../../../bytes/reader.ts';
import type { ByteWriter } from '../../../bytes/writer.ts';
import type { Digest, StateTransferHeader, StreamingStateHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { digestSize, readDigest, writeDigest } from '../digest.ts';
import { optionalIpSize, readOptionalIp, writeOptionalIp } from '../fields.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({ STATE_REQ: 1, STATE_RSP: 2, STATE_EX: 3 });
const streamingTypes = typeTable({ STATE_REQ: 1, STATE_RSP: 2, STATE_PART: 3, STATE_EOF: 4, STATE_EX: 5 });

function readOptionalDigest(reader: ByteReader, field: string): Digest | null {
  return reader.bool(field) ? readDigest(reader) : null;
}

function optionalDigestSize(digest: Digest | null): number {
  return digest === null ? 1 : 1 + digestSize(digest);
}

function writeOptionalDigest(writer: ByteWriter, digest: Digest | null): void {
  writer.bool(digest !== null);
  if (digest !== null) writeDigest(writer, digest);
}

export const stateTransfer: HeaderCodec<StateTransferHeader> = {
  protocolId: ProtocolId.STATE_TRANSFER,
  magic: Magic.STATE_TRANSFER,
  decode(reader) {
    const at = reader.offset;
    const type = types.name(reader.u8('STATE_TRANSFER.type'), at, 'STATE_TRANSFER.type');
    return { protocol: 'STATE_TRANSFER', type, digest: readOptionalDigest(reader, 'STATE_TRANSFER.digest') };
  },
  size: (header) => 1 + optionalDigestSize(header.digest),
  encode(writer, header) {
    writer.u8(types.codes[header.type]);
    writeOptionalDigest(writer, header.digest);
  },
};

function streaming(protocol: StreamingStateHeader['protocol']): HeaderCodec<StreamingStateHeader> {
  const field = (name: string): string => `${protocol}.${name}`;
  const [typeField, digestField, bindField] = [field('type'), field('digest'), field('bind_addr')];
  return {
    protocolId: ProtocolId[protocol],
    magic: Magic.STREAMING_STATE_TRANSFER,
    decode(reader) {
      const at = reader.offset;
      return {
        protocol,
        type: streamingTypes.name(reader.u8(typeField), at, typeField),
        digest: readOptionalDigest(reader, digestField),
        bindAddress: readOptionalIp(reader, bindField),
      };
    },
    size: (header) => 1 + optionalDigestSize(header.digest) + optionalIpSize(header.bindAddress),
    encode(writer, header) {
      writer.u8(streamingTypes.codes[header.type]);
      writeOptionalDigest(writer, header.digest);
      writeOptionalIp(writer, header.bindAddress, bindField);
    },
  };
}

export const state = streaming('STATE');
export const stateSock = streaming('STATE_SOCK');
