/** FragHeader: `id cvlong   frag_no int   num_frags int` (WIRE-3.6 section 8). */

import { CodecError } from '../../../bytes/errors.ts';
import type { Frag2Header } from '../../message.ts';
import { Magic, ProtocolId } from '../ids.ts';
import { compressedLongSize, readCompressedLong, writeCompressedLong } from '../primitives.ts';
import type { HeaderCodec } from './header-codec.ts';

export const frag2: HeaderCodec<Frag2Header> = {
  protocolId: ProtocolId.FRAG2,
  magic: Magic.FRAG2,
  decode(reader) {
    const id = readCompressedLong(reader, 'FRAG2.id');
    const at = reader.offset;
    const fragNo = reader.i32('FRAG2.frag_no');
    const numFrags = reader.i32('FRAG2.num_frags');
    if (fragNo < 0 || fragNo >= numFrags) {
      throw new CodecError('ERR_VALUE', at, 'FRAG2.frag_no', `fragment ${fragNo} of ${numFrags}`);
    }
    return { protocol: 'FRAG2', id, fragNo, numFrags };
  },
  size: (header) => compressedLongSize(header.id) + 8,
  encode(writer, header) {
    writeCompressedLong(writer, header.id, 'FRAG2.id');
    writer.i32(header.fragNo, 'FRAG2.frag_no');
    writer.i32(header.numFrags, 'FRAG2.num_frags');
  },
};
