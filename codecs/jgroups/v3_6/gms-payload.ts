/**
 * The payload of GMS' VIEW, MERGE_RSP, INSTALL_MERGE_VIEW, GET_DIGEST_RSP and INSTALL_DIGEST (WIRE-3.6 section 11):
 *
 *     flags short (1 view, 2 digest, 4 MergeView, 8 DeltaView, 0x10 digest has addresses)   [view]   [digest]
 */

import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import type { DeltaView, MergeView, View, ViewAndDigest } from '../message.ts';
import { digestSize, readDigest, readDigestWithoutMembers, writeDigest } from './digest.ts';
import { readDeltaView, readMergeView, readView, viewSize, writeView } from './view.ts';

const ViewFlag = { VIEW: 1, DIGEST: 2, MERGE_VIEW: 4, DELTA_VIEW: 8, READ_ADDRS: 0x10 } as const;

export function readViewAndDigest(reader: ByteReader): ViewAndDigest {
  const at = reader.offset;
  const flags = reader.u16('GMS.payload.flags');
  const view = (flags & ViewFlag.VIEW) === 0 ? null : readFlaggedView(reader, flags);
  const digest =
    (flags & ViewFlag.DIGEST) === 0
      ? null
      : (flags & ViewFlag.READ_ADDRS) === 0
        ? readDigestWithoutMembers(reader)
        : readDigest(reader);
  const nobody = view === null && digest !== null && digest.members === null;
  if (nobody || flags !== flagsOf(view, digest)) {
    throw new CodecError('ERR_VALUE', at, 'GMS.payload.flags', `0x${flags.toString(16)} is no combination`);
  }
  return { view, digest };
}

function readFlaggedView(reader: ByteReader, flags: number): View | MergeView | DeltaView {
  if ((flags & ViewFlag.MERGE_VIEW) !== 0) return readMergeView(reader);
  return (flags & ViewFlag.DELTA_VIEW) === 0 ? readView(reader) : readDeltaView(reader);
}

/** READ_ADDRS is set too where there is no digest. */
function flagsOf(view: ViewAndDigest['view'], digest: ViewAndDigest['digest']): number {
  return (
    (view === null ? 0 : ViewFlag.VIEW) |
    (view?.kind === 'merge' ? ViewFlag.MERGE_VIEW : 0) |
    (view?.kind === 'delta' ? ViewFlag.DELTA_VIEW : 0) |
    (digest === null ? 0 : ViewFlag.DIGEST) |
    (digest === null || digest.members !== null ? ViewFlag.READ_ADDRS : 0)
  );
}

export function viewAndDigestSize({ view, digest }: ViewAndDigest): number {
  return 2 + (view === null ? 0 : viewSize(view)) + (digest === null ? 0 : digestSize(digest));
}

export function writeViewAndDigest(writer: ByteWriter, { view, digest }: ViewAndDigest): void {
  writer.u16(flagsOf(view, digest));
  if (view !== null) writeView(writer, view);
  if (digest !== null) writeDigest(writer, digest);
}
