/**
 * GmsHeader (WIRE-3.6 section 11): `type u8   flags short   mbr address   [MergeId: initiator address, id int]`.
 * Views and digests are in the payload.
 */

import { CodecError } from '../../../bytes/errors.ts';
import type { ByteReader } from '../../../bytes/reader.ts';
import type { GmsHeader } from '../../message.ts';
import { typeTable } from '../../type-table.ts';
import { addressSize, readAddress, writeAddress } from '../address.ts';
import { Magic, ProtocolId } from '../ids.ts';
import type { HeaderCodec } from './header-codec.ts';

/** The numbers are the same in 2.12, which has no GET_CURRENT_VIEW. */
export const gmsTypes = typeTable({
  JOIN_REQ: 1,
  JOIN_RSP: 2,
  LEAVE_REQ: 3,
  LEAVE_RSP: 4,
  VIEW: 5,
  MERGE_REQ: 6,
  MERGE_RSP: 7,
  INSTALL_MERGE_VIEW: 8,
  CANCEL_MERGE: 9,
  VIEW_ACK: 10,
  JOIN_REQ_WITH_STATE_TRANSFER: 11,
  INSTALL_MERGE_VIEW_OK: 12,
  GET_DIGEST_REQ: 13,
  GET_DIGEST_RSP: 14,
  INSTALL_DIGEST: 15,
  GET_CURRENT_VIEW: 16,
});

/** 2, JOIN_RSP_PRESENT, is reserved and never set. */
const GmsFlag = { MERGE_ID_PRESENT: 4, USE_FLUSH: 8, MERGE_REJECTED: 0x10 } as const;
const ALL_FLAGS = 0x1c;

function decode(reader: ByteReader): GmsHeader {
  const typeAt = reader.offset;
  const type = gmsTypes.name(reader.u8('GMS.type'), typeAt, 'GMS.type');
  const flagsAt = reader.offset;
  const flags = reader.u16('GMS.flags');
  if ((flags & ~ALL_FLAGS) !== 0) {
    throw new CodecError('ERR_VALUE', flagsAt, 'GMS.flags', `0x${flags.toString(16)} has unknown bits`);
  }
  const mbr = readAddress(reader, 'GMS.mbr');
  const mergeId =
    (flags & GmsFlag.MERGE_ID_PRESENT) === 0
      ? null
      : { initiator: readAddress(reader, 'GMS.merge-id'), id: reader.i32('GMS.merge-id') };
  return {
    protocol: 'GMS',
    type,
    mbr,
    mergeId,
    useFlush: (flags & GmsFlag.USE_FLUSH) !== 0,
    mergeRejected: (flags & GmsFlag.MERGE_REJECTED) !== 0,
  };
}

export const gms: HeaderCodec<GmsHeader> = {
  protocolId: ProtocolId.GMS,
  magic: Magic.GMS,
  decode,
  size({ mbr, mergeId }) {
    return 3 + addressSize(mbr) + (mergeId === null ? 0 : addressSize(mergeId.initiator) + 4);
  },
  encode(writer, { type, mbr, mergeId, useFlush, mergeRejected }) {
    writer.u8(gmsTypes.codes[type]);
    writer.u16(
      (mergeId === null ? 0 : GmsFlag.MERGE_ID_PRESENT) |
        (useFlush ? GmsFlag.USE_FLUSH : 0) |
        (mergeRejected ? GmsFlag.MERGE_REJECTED : 0),
    );
    writeAddress(writer, mbr, 'GMS.mbr');
    if (mergeId === null) return;
    writeAddress(writer, mergeId.initiator, 'GMS.merge-id');
    writer.i32(mergeId.id, 'GMS.merge-id');
  },
};
