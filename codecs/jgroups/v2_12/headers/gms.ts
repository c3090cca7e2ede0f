/**
 * GmsHeader, which holds all that GMS has to say: there is no payload (WIRE-3.6 section 15). `X?` is a bool, then X.
 *
 *     type u8   merge view bool   View?   mbr address   mbrs address-list   JoinRsp?   Digest?
 *     MergeId?   merge rejected bool   use flush bool
 */

import { CodecError } from '../../../bytes/errors.ts';
import type { ByteReader } from '../../../bytes/reader.ts';
import type { ByteWriter } from '../../../bytes/writer.ts';
import { gmsTypes } from '../../v3_6/headers/gms.ts';
import type { HeaderCodec } from '../../v3_6/headers/header-codec.ts';
import type { MergeId } from '../../view.ts';
import {
  addressesSize,
  addressSize,
  readAddress,
  readAddresses,
  writeAddress,
  writeAddresses,
} from '../address.ts';
import {
  digestSize,
  joinRspSize,
  optionalSize,
  readDigest,
  readJoinRsp,
  readMergeView,
  readOptional,
  readView,
  viewSize,
  writeDigest,
  writeJoinRsp,
  writeOptional,
  writeView,
} from '../group.ts';
import type { GmsHeader212, View212 } from '../headers.ts';
import { Magic36, ProtocolId36 } from '../ids.ts';

function readFlaggedView(reader: ByteReader): View212 | null {
  const at = reader.offset;
  const merge = reader.bool('GMS.merge-view');
  if (!reader.bool('GMS.view')) {
    if (merge) throw new CodecError('ERR_VALUE', at, 'GMS.merge-view', 'a MergeView that is absent');
    return null;
  }
  return merge ? readMergeView(reader, 'GMS.view') : readView(reader, 'GMS.view');
}

function readMergeId(reader: ByteReader, field: string): MergeId {
  return { initiator: readAddress(reader, field), id: reader.i32(field) };
}

function mergeIdSize(mergeId: MergeId): number {
  return addressSize(mergeId.initiator) + 4;
}

function writeMergeId(writer: ByteWriter, mergeId: MergeId, field: string): void {
  writeAddress(writer, mergeId.initiator, field);
  writer.i32(mergeId.id, field);
}

export const gms: HeaderCodec<GmsHeader212> = {
  protocolId: ProtocolId36.GMS,
  magic: Magic36.GMS,
  decode(reader) {
    const at = reader.offset;
    return {
      protocol: 'GMS',
      type: gmsTypes.name(reader.u8('GMS.type'), at, 'GMS.type'),
      view: readFlaggedView(reader),
      mbr: readAddress(reader, 'GMS.mbr'),
      mbrs: readAddresses(reader, 'GMS.mbrs'),
      joinRsp: readOptional(reader, 'GMS.join-rsp', readJoinRsp),
      digest: readOptional(reader, 'GMS.digest', readDigest),
      mergeId: readOptional(reader, 'GMS.merge-id', readMergeId),
      mergeRejected: reader.bool('GMS.merge-rejected'),
      useFlush: reader.bool('GMS.use-flush'),
    };
  },
  size(header) {
    return (
      4 +
      optionalSize(header.view, viewSize) +
      addressSize(header.mbr) +
      addressesSize(header.mbrs) +
      optionalSize(header.joinRsp, joinRspSize) +
      optionalSize(header.digest, digestSize) +
      optionalSize(header.mergeId, mergeIdSize)
    );
  },
  encode(writer, header) {
    writer.u8(gmsTypes.codes[header.type]);
    writer.bool(header.view !== null && header.view.subviews !== null);
    writeOptional(writer, header.view, 'GMS.view', writeView);
    writeAddress(writer, header.mbr, 'GMS.mbr');
    writeAddresses(writer, header.mbrs, 'GMS.mbrs');
    writeOptional(writer, header.joinRsp, 'GMS.join-rsp', writeJoinRsp);
    writeOptional(writer, header.digest, 'GMS.digest', writeDigest);
    writeOptional(writer, header.mergeId, 'GMS.merge-id', writeMergeId);
    writer.bool(header.mergeRejected);
    writer.bool(header.useFlush);
  },
};
