/** All header classes of the 3.6 wire: `protocol-id u16   class-magic u16   body`, with no length of their own. */

import { CodecError } from '../../../bytes/errors.ts';
import type { ByteReader } from '../../../bytes/reader.ts';
import type { ByteWriter } from '../../../bytes/writer.ts';
import type { AddressCodec } from '../../address-codec.ts';
import type { Header, KnownHeader } from '../../message.ts';
import { addressSize, readAddress, writeAddress } from '../address.ts';
import { addressesSize, readAddresses, writeAddresses } from '../fields.ts';
import { auth } from './auth.ts';
import { compress } from './compress.ts';
import { asymEncrypt, encrypt, symEncrypt } from './encrypt.ts';
import { fc, mfc, ufc } from './fc.ts';
import { fdSock } from './fd-sock.ts';
import { fd } from './fd.ts';
import { frag2 } from './frag2.ts';
import { gms } from './gms.ts';
import type { HeaderCodec } from './header-codec.ts';
import { fdAll, fdAll2 } from './heartbeat.ts';
import { merge3 } from './merge3.ts';
import { nakack2 } from './nakack2.ts';
import { discoveryProtocols } from './ping.ts';
import { rsvp } from './rsvp.ts';
import { sequencer } from './sequencer.ts';
import { stable } from './stable.ts';
import { state, stateSock, stateTransfer } from './state-transfer.ts';
import { tp } from './tp.ts';
import { unicast3 } from './unicast3.ts';
import { verifySuspect } from './verify-suspect.ts';

const wire: AddressCodec = {
  readAddress,
  addressSize,
  writeAddress,
  readAddresses,
  addressesSize,
  writeAddresses,
};

const codecs = {
  TP: tp,
  UNICAST3: unicast3,
  NAKACK2: nakack2,
  STABLE: stable,
  UFC: ufc,
  MFC: mfc,
  FC: fc,
  FRAG2: frag2,
  GMS: gms,
  ...discoveryProtocols,
  FD: fd(wire),
  FD_ALL: fdAll,
  FD_ALL2: fdAll2,
  FD_SOCK: fdSock,
  VERIFY_SUSPECT: verifySuspect(wire),
  MERGE3: merge3,
  RSVP: rsvp,
  SEQUENCER: sequencer,
  COMPRESS: compress,
  ENCRYPT: encrypt,
  SYM_ENCRYPT: symEncrypt,
  ASYM_ENCRYPT: asymEncrypt,
  AUTH: auth,
  STATE_TRANSFER: stateTransfer,
  STATE: state,
  STATE_SOCK: stateSock,
} satisfies Record<KnownHeader['protocol'], unknown>;

/** A codec is only ever handed the headers of its own protocol, which the type of the table cannot say. */
const byProtocol = codecs as Record<KnownHeader['protocol'], HeaderCodec<Header>>;

const key = (protocolId: number, magic: number): number => protocolId * 0x10000 + magic;
const byKey = new Map<number, HeaderCodec<Header>>(
  Object.values(byProtocol).map((codec) => [key(codec.protocolId, codec.magic), codec]),
);

/** @throws {CodecError} `ERR_UNKNOWN_HEADER` with the reader behind the class magic */
export function readHeader(reader: ByteReader): Header {
  const at = reader.offset;
  const protocolId = reader.u16('header.protocol-id');
  const magic = reader.u16('header.class-magic');
  const codec = byKey.get(key(protocolId, magic));
  if (codec === undefined) {
    throw new CodecError(
      'ERR_UNKNOWN_HEADER',
      at,
      'header',
      `protocol ${protocolId} with class ${magic} is unknown`,
    );
  }
  return codec.decode(reader);
}

export function headerSize(header: Header): number {
  return 4 + (header.protocol === 'UNKNOWN' ? header.rest.length : byProtocol[header.protocol].size(header));
}

export function writeHeader(writer: ByteWriter, header: Header): void {
  if (header.protocol === 'UNKNOWN') {
    writer.u16(header.protocolId, 'header.protocol-id');
    writer.u16(header.magic, 'header.class-magic');
    writer.bytes(header.rest);
    return;
  }
  const codec = byProtocol[header.protocol];
  writer.u16(codec.protocolId);
  writer.u16(codec.magic);
  codec.encode(writer, header);
}
