/**
 * JoinRsp, the payload of GMS' JOIN_RSP (WIRE-3.6 section 11):
 *
 *     flags u8 (1 view, 2 digest, 4 reason)   [View]   [digest without addresses]   [reason UTF]
 */

import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import type { JoinRsp } from '../message.ts';
import { readUtf, utfSize, writeUtf } from '../utf.ts';
import { digestSize, readDigestWithoutMembers, writeDigest } from './digest.ts';
import { readView, viewSize, writeView } from './view.ts';

const JoinFlag = { VIEW: 1, DIGEST: 2, FAIL_REASON: 4 } as const;

export function readJoinRsp(reader: ByteReader): JoinRsp {
  const at = reader.offset;
  const flags = reader.u8('JoinRsp.flags');
  // a digest without addresses means nothing without its view
  if (flags > 7 || (flags & 3) === JoinFlag.DIGEST) {
    throw new CodecError('ERR_VALUE', at, 'JoinRsp.flags', `${flags} is no combination`);
  }
  return {
    view: (flags & JoinFlag.VIEW) === 0 ? null : readView(reader),
    digest: (flags & JoinFlag.DIGEST) === 0 ? null : readDigestWithoutMembers(reader),
    failReason: (flags & JoinFlag.FAIL_REASON) === 0 ? null : readUtf(reader, 'JoinRsp.fail-reason'),
  };
}

export function joinRspSize({ view, digest, failReason }: JoinRsp): number {
  return (
    1 +
    (view === null ? 0 : viewSize(view)) +
    (digest === null ? 0 : digestSize(digest)) +
    (failReason === null ? 0 : utfSize(failReason))
  );
}

/** @throws {CodecError} `ERR_VALUE` for a digest with members of its own, which this payload cannot carry */
export function writeJoinRsp(writer: ByteWriter, { view, digest, failReason }: JoinRsp): void {
  if (digest !== null && digest.members !== null) {
    throw new CodecError('ERR_VALUE', writer.offset, 'JoinRsp.digest', 'a digest with members');
  }
  writer.u8(
    (view === null ? 0 : JoinFlag.VIEW) |
      (digest === null ? 0 : JoinFlag.DIGEST) |
      (failReason === null ? 0 : JoinFlag.FAIL_REASON),
  );
  if (view !== null) writeView(writer, view);
  if (digest !== null) writeDigest(writer, digest);
  if (failReason !== null) writeUtf(writer, failReason, 'JoinRsp.fail-reason');
}
