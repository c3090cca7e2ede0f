/** All header classes of the 2.12 wire that are known here; the envelope is that of 3.6. */

import { CodecError } from '../../../bytes/errors.ts';
import type { ByteReader } from '../../../bytes/reader.ts';
import type { ByteWriter } from '../../../bytes/writer.ts';
import { fc, mfc, ufc } from '../../v3_6/headers/fc.ts';
import { fd } from '../../v3_6/headers/fd.ts';
import type { HeaderCodec } from '../../v3_6/headers/header-codec.ts';
import { fdAll } from '../../v3_6/headers/heartbeat.ts';
import { verifySuspect } from '../../v3_6/headers/verify-suspect.ts';
import { wire } from '../address.ts';
import type { Header212, KnownHeader212 } from '../headers.ts';
import { fdSock } from './fd-sock.ts';
import { frag2 } from './frag2.ts';
import { gms } from './gms.ts';
import { discoveryProtocols } from './ping.ts';
import { nakack, unicast } from './reliability.ts';
import { stable } from './stable.ts';
import { transports } from './transport.ts';

const codecs = {
  UNICAST: unicast,
  NAKACK: nakack,
  STABLE: stable,
  FRAG2: frag2,
  ...discoveryProtocols,
  FD: fd(wire),
  FD_SOCK: fdSock,
  FD_ALL: fdAll,
  VERIFY_SUSPECT: verifySuspect(wire),
  GMS: gms,
  FC: fc,
  UFC: ufc,
  MFC: mfc,
};

type AnyCodec = HeaderCodec<Header212>;

/** A codec is only ever handed the headers of its own protocol, which the type of the table cannot say. */
const byProtocol = new Map(Object.entries(codecs) as [string, AnyCodec][]);
const byTransport = transports as Record<keyof typeof transports, AnyCodec>;

const key = (protocolId: number, magic: number): number => protocolId * 0x10000 + magic;
const byKey = new Map<number, AnyCodec>(
  [...byProtocol.values(), ...Object.values(byTransport)].map((codec) => [
    key(codec.protocolId, codec.magic),
    codec,
  ]),
);

/** @throws {CodecError} `ERR_UNKNOWN_HEADER` with the reader behind the class magic */
export function readHeader(reader: ByteReader): Header212 {
  const at = reader.offset;
  const protocolId = reader.u16('header.protocol-id');
  const magic = reader.u16('header.class-magic');
  const codec = byKey.get(key(protocolId, magic));
  if (codec !== undefined) return codec.decode(reader);
  const detail = `protocol ${protocolId} with class ${magic} is unknown`;
  throw new CodecError('ERR_UNKNOWN_HEADER', at, 'header', detail);
}

function codecOf(header: KnownHeader212): AnyCodec {
  const codec = header.protocol === 'TP' ? byTransport[header.transport] : byProtocol.get(header.protocol);
  if (codec !== undefined) return codec;
  throw new CodecError('ERR_VALUE', 0, 'header', `JGroups 2.12 has no ${header.protocol}`);
}

export function headerSize(header: Header212): number {
  return 4 + (header.protocol === 'UNKNOWN' ? header.rest.length : codecOf(header).size(header));
}

export function writeHeader(writer: ByteWriter, header: Header212): void {
  if (header.protocol === 'UNKNOWN') {
    writer.u16(header.protocolId, 'header.protocol-id');
    writer.u16(header.magic, 'header.class-magic');
    writer.bytes(header.rest);
    return;
  }
  const codec = codecOf(header);
  writer.u16(codec.protocolId);
  writer.u16(codec.magic);
  codec.encode(writer, header);
}
