/** SEQUENCER's header: `type u8   seqno cvlong (-1: none)   flush_ack bool` (JGroups 3.6.14, SequencerHeader). */

import type { SequencerHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { Magic, ProtocolId } from '../ids.ts';
import {
  readSignedCompressedLong,
  signedCompressedLongSize,
  writeSignedCompressedLong,
} from '../primitives.ts';
import type { HeaderCodec } from './header-codec.ts';

const types = typeTable({ FORWARD: 1, FLUSH: 2, BCAST: 3, WRAPPED_BCAST: 4 });

export const sequencer: HeaderCodec<SequencerHeader> = {
  protocolId: ProtocolId.SEQUENCER,
  magic: Magic.SEQUENCER,
  decode(reader) {
    const at = reader.offset;
    return {
      protocol: 'SEQUENCER',
      type: types.name(reader.u8('SEQUENCER.type'), at, 'SEQUENCER.type'),
      seqno: readSignedCompressedLong(reader, 'SEQUENCER.seqno'),
      flushAck: reader.bool('SEQUENCER.flush_ack'),
    };
  },
  size: (header) => 2 + signedCompressedLongSize(header.seqno),
  encode(writer, header) {
    writer.u8(types.codes[header.type]);
    writeSignedCompressedLong(writer, header.seqno, 'SEQUENCER.seqno');
    writer.bool(header.flushAck);
  },
};
