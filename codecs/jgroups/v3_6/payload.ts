/** Payloads that JGroups' own protocols write, by the header that says so (WIRE-3.6 sections 6a to 12). */

import { CodecError } from '../../bytes/errors.ts';
import { ByteReader } from '../../bytes/reader.ts';
import { ByteWriter } from '../../bytes/writer.ts';
import type { Digest, GmsType, Header, Message, MergeView, View } from '../message.ts';
import type { ProtocolPayload } from '../payload.ts';
import { digestSize, readDigest, writeDigest } from './digest.ts';
import { addressesSize, readAddresses, writeAddresses } from './fields.ts';
import { readViewAndDigest, viewAndDigestSize, writeViewAndDigest } from './gms-payload.ts';
import { joinRspSize, readJoinRsp, writeJoinRsp } from './join-rsp.ts';
import { pingDataSize, readPingData, writePingData } from './ping-data.ts';
import { decodeSeqnoList } from './seqno-list.ts';
import { readSockCache, sockCacheSize, writeSockCache } from './sock-cache.ts';
import {
  optionalViewIdSize,
  readOptionalViewId,
  readSubviews,
  readView,
  viewSize,
  writeOptionalViewId,
  writeView,
} from './view.ts';

type Kind = ProtocolPayload['kind'];

const GMS_PAYLOADS: Readonly<Partial<Record<GmsType, Kind>>> = {
  JOIN_RSP: 'join-rsp',
  VIEW: 'view-and-digest',
  MERGE_RSP: 'view-and-digest',
  INSTALL_MERGE_VIEW: 'view-and-digest',
  GET_DIGEST_RSP: 'view-and-digest',
  INSTALL_DIGEST: 'view-and-digest',
  MERGE_REQ: 'members',
  GET_CURRENT_VIEW: 'view-id',
};

/**
 * What the payload says, if JGroups itself wrote it; null for an application's payload, for none at all, for a
 * fragment, and for what is compressed or encrypted.
 * @throws {CodecError} for a payload that is not what its header says
 */
export function decodePayload(message: Message): ProtocolPayload | null {
  const { headers, payload } = message;
  const kind = payload === null ? null : payloadKind(headers);
  return kind === null ? null : decodeKind(kind, payload as Uint8Array);
}

function payloadKind(headers: readonly Header[]): Kind | null {
  let kind: Kind | null = null;
  for (const header of headers) {
    switch (header.protocol) {
      case 'FRAG2':
      case 'COMPRESS':
      case 'ENCRYPT':
      case 'SYM_ENCRYPT':
      case 'ASYM_ENCRYPT':
      case 'UNKNOWN':
        return null;
      default:
        kind ??= kindOf(header);
    }
  }
  return kind;
}

function kindOf(header: Header): Kind | null {
  switch (header.protocol) {
    case 'UFC':
    case 'MFC':
    case 'FC':
      return 'credits';
    case 'UNICAST3':
    case 'NAKACK2':
      return header.type === 'XMIT_REQ' ? 'seqnos' : null;
    case 'STABLE':
      return 'digest';
    case 'GMS':
      return GMS_PAYLOADS[header.type] ?? null;
    case 'FD_SOCK':
      return header.type === 'GET_CACHE_RSP' ? 'sock-cache' : null;
    case 'MERGE3':
      return header.type === 'VIEW_RSP' ? 'view' : null;
    default:
      return 'type' in header && (header.type === 'GET_MBRS_REQ' || header.type === 'GET_MBRS_RSP')
        ? 'ping-data'
        : null;
  }
}

function decodeKind(kind: Kind, bytes: Uint8Array): ProtocolPayload {
  if (kind === 'seqnos') return { kind, seqnos: decodeSeqnoList(bytes) };
  const reader = new ByteReader(bytes);
  const value = codecs[kind].read(reader);
  reader.finish('payload');
  return value;
}

/** The kinds that can be written from their value alone; a list of seqnos needs its end: `encodeSeqnoList`. */
export type WritablePayload = Exclude<ProtocolPayload, { readonly kind: 'seqnos' }>;

/** @throws {CodecError} `ERR_VALUE` for a value that the wire cannot carry */
export function encodePayload(payload: WritablePayload): Buffer {
  // the codec of the payload's own kind, which TypeScript cannot tell from the others
  const codec = codecs[payload.kind] as PayloadCodec<WritablePayload>;
  const writer = new ByteWriter(codec.size(payload));
  codec.write(writer, payload);
  return writer.finish();
}

interface PayloadCodec<P> {
  read(reader: ByteReader): P;
  size(payload: P): number;
  write(writer: ByteWriter, payload: P): void;
}

type Codecs = {
  readonly [K in WritablePayload['kind']]: PayloadCodec<Extract<ProtocolPayload, { readonly kind: K }>>;
};

const codecs: Codecs = {
  credits: {
    read: (reader) => ({ kind: 'credits', credits: reader.safeU64('credits') }),
    size: () => 8,
    write: (writer, { credits }) => writer.safeU64(credits, 'credits'),
  },
  digest: {
    read: (reader) => ({ kind: 'digest', digest: readPresent(reader, 'digest.present', readDigest) }),
    size: ({ digest }) => presentSize(digest, digestSize),
    write: (writer, { digest }) => writePresent(writer, digest, writeMemberDigest),
  },
  'ping-data': {
    read: (reader) => ({ kind: 'ping-data', data: readPresent(reader, 'PingData.present', readPingData) }),
    size: ({ data }) => presentSize(data, pingDataSize),
    write: (writer, { data }) => writePresent(writer, data, writePingData),
  },
  'join-rsp': {
    read: (reader) => ({ kind: 'join-rsp', rsp: readPresent(reader, 'JoinRsp.present', readJoinRsp) }),
    size: ({ rsp }) => presentSize(rsp, joinRspSize),
    write: (writer, { rsp }) => writePresent(writer, rsp, writeJoinRsp),
  },
  'view-and-digest': {
    read: (reader) => ({ kind: 'view-and-digest', ...readViewAndDigest(reader) }),
    size: viewAndDigestSize,
    write: writeViewAndDigest,
  },
  members: {
    read: (reader) => ({ kind: 'members', members: readAddresses(reader, 'GMS.members') }),
    size: ({ members }) => addressesSize(members),
    write: (writer, { members }) => writeAddresses(writer, members, 'GMS.members'),
  },
  'view-id': {
    read: (reader) => ({ kind: 'view-id', viewId: readOptionalViewId(reader, 'GMS.view-id') }),
    size: ({ viewId }) => optionalViewIdSize(viewId),
    write: (writer, { viewId }) => writeOptionalViewId(writer, viewId, 'GMS.view-id'),
  },
  view: {
    read: (reader) => ({ kind: 'view', view: readPresent(reader, 'view.present', readUnmarkedView) }),
    size: ({ view }) => presentSize(view, viewSize),
    write: (writer, { view }) => writePresent(writer, view, writeView),
  },
  'sock-cache': {
    read: (reader) => ({ kind: 'sock-cache', entries: readSockCache(reader) }),
    size: ({ entries }) => sockCacheSize(entries),
    write: (writer, { entries }) => writeSockCache(writer, entries),
  },
};

/** A value that JGroups wrote with its helper for streamables: a byte says whether there is one. */
function readPresent<T>(reader: ByteReader, field: string, read: (reader: ByteReader) => T): T | null {
  return reader.bool(field) ? read(reader) : null;
}

function presentSize<T>(value: T | null, size: (value: T) => number): number {
  return value === null ? 1 : 1 + size(value);
}

function writePresent<T>(
  writer: ByteWriter,
  value: T | null,
  write: (writer: ByteWriter, value: T) => void,
): void {
  writer.bool(value !== null);
  if (value !== null) write(writer, value);
}

function writeMemberDigest(writer: ByteWriter, digest: Digest): void {
  if (digest.members === null) {
    throw new CodecError('ERR_VALUE', writer.offset, 'digest.members', 'this digest needs its members');
  }
  writeDigest(writer, digest);
}

/** MERGE3 sends its view without saying whether it is a MergeView (and reads it as if it never were). */
function readUnmarkedView(reader: ByteReader): View | MergeView {
  const view = readView(reader);
  if (reader.remaining === 0) return view;
  const { viewId, members } = view;
  return { kind: 'merge', viewId, members, subviews: readSubviews(reader, members) };
}
