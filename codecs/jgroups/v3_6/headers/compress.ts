/** COMPRESS' header: `original size int` (JGroups 3.6.14, COMPRESS.CompressHeader). */

import type { CompressHeader } from '../../message.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

export const compress: HeaderCodec<CompressHeader> = {
  protocolId: ProtocolId.COMPRESS,
  magic: Magic.COMPRESS,
  decode: (reader) => ({ protocol: 'COMPRESS', originalSize: reader.i32('COMPRESS.original_size') }),
  size: () => 4,
  encode: (writer, header) => writer.i32(header.originalSize, 'COMPRESS.original_size'),
};
