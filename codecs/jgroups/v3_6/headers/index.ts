/** All header classes of the 3.6 wire: `protocol-id u16   class-magic u16   body`, with no length of their own. */

import { CodecError } from '../../../bytes/errors.ts';
import type { ByteReader } from '../../../bytes/reader.ts';
import type { ByteWriter } from '../../../bytes/writer.ts';
import type { Header } from '../../message.ts';
import { fc, mfc, ufc } from './fc.ts';
import { frag2 } from './frag2.ts';
import type { HeaderCodec } from './header-codec.ts';
import { tp } from './tp.ts';
import { unicast3 } from './unicast3.ts';

const codecs = { TP: tp, UNICAST3: unicast3, UFC: ufc, MFC: mfc, FC: fc, FRAG2: frag2 } as const;

/** A codec is only ever handed the headers of its own protocol, which the type of the table cannot say. */
const byProtocol = codecs as Record<Header['protocol'], HeaderCodec<Header>>;

const key = (protocolId: number, magic: number): number => protocolId * 0x10000 + magic;
const byKey = new Map<number, HeaderCodec<Header>>(
  Object.values(byProtocol).map((codec) => [key(codec.protocolId, codec.magic), codec]),
);

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
  return 4 + byProtocol[header.protocol].size(header);
}

export function writeHeader(writer: ByteWriter, header: Header): void {
  const codec = byProtocol[header.protocol];
  writer.u16(codec.protocolId);
  writer.u16(codec.magic);
  codec.encode(writer, header);
}
