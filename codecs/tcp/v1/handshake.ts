import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import type { ByteWriter } from '../../bytes/writer.ts';
import { beginFrame, readMember, readText, sizeMember, sizeText, writeMember, writeText } from './fields.ts';
import type { WireMember } from './fields.ts';
import { FrameType } from './frame-types.ts';
import { MAX_EXTENSION_BYTES, MAX_NAME_BYTES, MAX_REASON_BYTES, MIN_FRAME_LIMIT_BYTES } from './limits.ts';

/**
 * The handshake. These three frames stay as they are in every protocol version; what a later version has to add
 * goes into the extensions, which an older one skips.
 *
 *     HELLO       u16 lowest version | u16 highest version | u32 features | u8 kind of peer | text cluster
 *                 | member sender | 16 bytes uuid of the recipient | 8 bytes session | u32 conn id
 *                 | u64 next seqno | extensions
 *     WELCOME     u16 version | u32 features | member acceptor | u64 last seqno | u32 frame limit | extensions
 *     REJECT      u16 code | text reason
 *     extensions  u16 length, bytes
 */

export interface Hello {
  readonly type: 'HELLO';
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly features: number;
  /** A number of `PeerKind`, or one that we do not know. */
  readonly peerKind: number;
  readonly cluster: string;
  readonly sender: WireMember;
  /** Whom the connector believes to be here: 32 hex digits. */
  readonly recipientUuid: string;
  /** 16 hex digits, drawn at random at each start of the sender. */
  readonly session: string;
  /** Rises within a session each time the sender starts afresh, with seqno 1, towards a recipient. */
  readonly connId: number;
  /** The lowest seqno that is not acknowledged: a recipient without a memory of the sender starts here. */
  readonly nextSeqno: number;
  readonly extensions: Uint8Array;
}

export interface Welcome {
  readonly type: 'WELCOME';
  readonly version: number;
  /** Those of the HELLO that the acceptor knows as well. */
  readonly features: number;
  readonly acceptor: WireMember;
  /** The highest seqno of this session and conn id that was received; 0 for none. */
  readonly lastSeqno: number;
  /** Largest frame (value of the length field) that the acceptor takes. */
  readonly maxFrameBytes: number;
  readonly extensions: Uint8Array;
}

export interface Reject {
  readonly type: 'REJECT';
  readonly code: number;
  readonly reason: string;
}

export const NO_EXTENSIONS = new Uint8Array(0);

export function encodeHello(frame: Hello): Buffer {
  const writer = beginFrame(
    FrameType.HELLO,
    9 + sizeText(frame.cluster) + sizeMember(frame.sender) + 16 + 8 + 4 + 8 + 2 + frame.extensions.length,
  );
  writer.u16(frame.minVersion);
  writer.u16(frame.maxVersion);
  writer.u32(frame.features);
  writer.u8(frame.peerKind);
  writeText(writer, frame.cluster, MAX_NAME_BYTES, 'cluster');
  writeMember(writer, frame.sender);
  writer.hex(frame.recipientUuid);
  writer.hex(frame.session);
  writer.u32(frame.connId);
  writer.safeU64(frame.nextSeqno);
  writeExtensions(writer, frame.extensions);
  return writer.finish();
}

export function decodeHello(reader: ByteReader): Hello {
  return {
    type: 'HELLO',
    minVersion: reader.u16('minVersion'),
    maxVersion: reader.u16('maxVersion'),
    features: reader.u32('features'),
    peerKind: reader.u8('peerKind'),
    cluster: readText(reader, MAX_NAME_BYTES, 'cluster'),
    sender: readMember(reader),
    recipientUuid: reader.hex(16, 'recipientUuid'),
    session: reader.hex(8, 'session'),
    connId: reader.u32('connId'),
    nextSeqno: readSeqno(reader, 'nextSeqno'),
    extensions: readExtensions(reader),
  };
}

export function encodeWelcome(frame: Welcome): Buffer {
  const writer = beginFrame(
    FrameType.WELCOME,
    6 + sizeMember(frame.acceptor) + 8 + 4 + 2 + frame.extensions.length,
  );
  writer.u16(frame.version);
  writer.u32(frame.features);
  writeMember(writer, frame.acceptor);
  writer.safeU64(frame.lastSeqno);
  writer.u32(frame.maxFrameBytes);
  writeExtensions(writer, frame.extensions);
  return writer.finish();
}

export function decodeWelcome(reader: ByteReader): Welcome {
  return {
    type: 'WELCOME',
    version: reader.u16('version'),
    features: reader.u32('features'),
    acceptor: readMember(reader),
    lastSeqno: reader.safeU64('lastSeqno'),
    maxFrameBytes: readFrameLimit(reader),
    extensions: readExtensions(reader),
  };
}

export function encodeReject(frame: Reject): Buffer {
  const writer = beginFrame(FrameType.REJECT, 2 + sizeText(frame.reason));
  writer.u16(frame.code);
  writeText(writer, frame.reason, MAX_REASON_BYTES, 'reason');
  return writer.finish();
}

export function decodeReject(reader: ByteReader): Reject {
  return { type: 'REJECT', code: reader.u16('code'), reason: readText(reader, MAX_REASON_BYTES, 'reason') };
}

/** Seqnos start at 1. */
export function readSeqno(reader: ByteReader, field: string): number {
  const at = reader.offset;
  const seqno = reader.safeU64(field);
  if (seqno === 0) throw new CodecError('ERR_VALUE', at, field, 'seqnos start at 1');
  return seqno;
}

function readFrameLimit(reader: ByteReader): number {
  const at = reader.offset;
  const limit = reader.u32('maxFrameBytes');
  if (limit < MIN_FRAME_LIMIT_BYTES)
    throw new CodecError('ERR_LIMIT', at, 'maxFrameBytes', `${limit} is under ${MIN_FRAME_LIMIT_BYTES}`);
  return limit;
}

function writeExtensions(writer: ByteWriter, extensions: Uint8Array): void {
  if (extensions.length > MAX_EXTENSION_BYTES) {
    const detail = `${extensions.length} bytes are over the limit of ${MAX_EXTENSION_BYTES}`;
    throw new CodecError('ERR_LIMIT', writer.offset, 'extensions', detail);
  }
  writer.u16(extensions.length);
  writer.bytes(extensions);
}

function readExtensions(reader: ByteReader): Uint8Array {
  const length = reader.checkLimit(reader.u16('extensions'), MAX_EXTENSION_BYTES, 'extensions');
  return reader.bytes(length, 'extensions');
}
