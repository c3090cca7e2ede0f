/** FragHeader: `id long   frag_no int   num_frags int` (WIRE-3.6 section 15). */

import { CodecError } from '../../../bytes/errors.ts';
import type { Frag2Header } from '../../headers.ts';
import type { HeaderCodec } from '../../v3_6/headers/header-codec.ts';
import { Magic36, ProtocolId36 } from '../ids.ts';
import { readLong, writeLong } from '../primitives.ts';

export const frag2: HeaderCodec<Frag2Header> = {
  protocolId: ProtocolId36.FRAG2,
  magic: Magic36.FRAG2,
  decode(reader) {
    const id = readLong(reader, 'FRAG2.id');
    const at = reader.offset;
    const fragNo = reader.i32('FRAG2.frag_no');
    const numFrags = reader.i32('FRAG2.num_frags');
    if (fragNo < 0 || fragNo >= numFrags) {
      throw new CodecError('ERR_VALUE', at, 'FRAG2.frag_no', `fragment ${fragNo} of ${numFrags}`);
    }
    return { protocol: 'FRAG2', id, fragNo, numFrags };
  },
  size: () => 16,
  encode(writer, header) {
    writeLong(writer, header.id, 'FRAG2.id');
    writer.i32(header.fragNo, 'FRAG2.frag_no');
    writer.i32(header.numFrags, 'FRAG2.num_frags');
  },
};
