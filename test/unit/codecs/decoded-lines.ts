/** Our datagrams in the words of the independent decoders that wrote the recordings' decoded.jsonl. */
import { isDeepStrictEqual } from 'node:util';
import { flagNames } from '../../../codecs/jgroups/message.ts';
import type {
  Address,
  Datagram,
  Digest,
  Header,
  Message,
  ViewAndDigest,
  ViewId,
} from '../../../codecs/jgroups/message.ts';
import { decodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface DecodedLine {
  readonly ver: string;
  readonly flags: number;
  readonly dest?: string | null;
  readonly src?: string | null;
  readonly cluster?: string | null;
  readonly msgs: readonly Readonly<Record<string, Json>>[];
}

export function addressText(address: Address | null): string | null {
  if (address === null) return null;
  switch (address.kind) {
    case 'geode':
      return `jg:${address.host}:${address.port}/v${address.viewId}/${address.uuid}`;
    case 'uuid':
      return `uuid:${address.uuid}`;
    case 'ip':
      return `ip:${address.host}:${address.port}`;
  }
}

const viewIdLine = (viewId: ViewId | null): Json =>
  viewId === null ? null : [addressText(viewId.creator), viewId.id];

/** Protocol id, class magic, protocol, type, and the fields in wire order. */
function headerLine(header: Header): Json[] {
  switch (header.protocol) {
    case 'TP':
      return [75, 56, 'TP', header.cluster];
    case 'FRAG2':
      return [5, 7, 'FRAG2', 'frag', header.id, header.fragNo, header.numFrags];
    case 'UFC':
      return [45, 54, 'FC', header.type];
    case 'MFC':
      return [44, 54, 'FC', header.type];
    case 'UNICAST3':
      return [64, 107, 'UNICAST3', header.type, ...unicast3Line(header)];
    case 'NAKACK2':
      return [57, 93, 'NAKACK2', header.type, 'seqno' in header ? header.seqno : addressText(header.sender)];
    case 'STABLE':
      return [16, 27, 'STABLE', header.type, viewIdLine(header.viewId)];
    case 'PING':
      return [6, 13, 'PING', header.type, header.cluster];
    case 'GMS': {
      const { mbr, mergeId, useFlush, mergeRejected } = header;
      const flags = (mergeId === null ? 0 : 4) | (useFlush ? 8 : 0) | (mergeRejected ? 0x10 : 0);
      const merge = mergeId === null ? null : [addressText(mergeId.initiator), mergeId.id];
      return [14, 24, 'GMS', header.type, flags, addressText(mbr), merge];
    }
    case 'FD_SOCK': {
      const { type, mbr, sockAddress, mbrs } = header;
      return [3, 6, 'FD_SOCK', type, addressText(mbr), addressText(sockAddress), mbrs.map(addressText)];
    }
    case 'FD_ALL':
      return [29, 61, 'FD_ALL', 'HEARTBEAT'];
    case 'MERGE3': {
      const { type, viewId, logicalName, physicalAddress } = header;
      return [54, 90, 'MERGE3', type, viewIdLine(viewId), logicalName, addressText(physicalAddress)];
    }
    case 'VERIFY_SUSPECT':
      return [13, 22, 'VERIFY_SUSPECT', header.type, addressText(header.from)];
    default:
      throw new Error(`no recording has had ${header.protocol} yet: say how it reads`);
  }
}

function unicast3Line(header: Header & { protocol: 'UNICAST3' }): Json[] {
  switch (header.type) {
    case 'DATA':
      return [header.seqno, header.connId, header.first ? 1 : 0];
    case 'ACK':
      return [header.seqno, header.connId, header.timestamp];
    case 'SEND_FIRST_SEQNO':
      return [header.timestamp];
    case 'XMIT_REQ':
      return [];
    case 'CLOSE':
      return [header.connId];
  }
}

const pairsLine = (digest: Digest | null): Json =>
  digest === null ? null : digest.seqnos.map((pair) => [pair.highestDelivered, pair.highestReceived]);

function viewLine(view: ViewAndDigest['view']): Json {
  if (view === null) return null;
  if (view.kind !== 'delta') return [viewIdLine(view.viewId), view.members.map(addressText)];
  const { viewId, refViewId, left, joined } = view;
  return ['delta', viewIdLine(viewId), viewIdLine(refViewId), left.map(addressText), joined.map(addressText)];
}

/** What is said of the payload, for those that JGroups itself writes. */
function bodyLine(message: Message): Json {
  const payload = decodePayload(message);
  const bytes = Buffer.from(message.payload ?? []);
  switch (payload?.kind) {
    case undefined:
      return null;
    case 'credits':
      return ['credits', payload.credits];
    case 'seqnos': // the list's capacity is part of the line, but no part of its value
      return ['seqnos', payload.seqnos, bytes.readInt32BE(1)];
    case 'digest': {
      const members = payload.digest?.members ?? [];
      const pairs = pairsLine(payload.digest) as Json[];
      return ['digest', members.map((member, i) => [addressText(member), pairs[i] ?? null])];
    }
    case 'ping-data': {
      const { sender, server, coord, logicalName, physicalAddress, mbrs } = payload.data ?? {};
      const flags = (server === true ? 1 : 0) | (coord === true ? 2 : 0);
      const names = [logicalName ?? null, addressText(physicalAddress ?? null)];
      return ['pingdata', addressText(sender ?? null), flags, ...names, mbrs?.map(addressText) ?? null];
    }
    case 'join-rsp': {
      const { view = null, digest = null, failReason = null } = payload.rsp ?? {};
      return ['joinrsp', bytes[1] ?? null, viewLine(view), pairsLine(digest), failReason];
    }
    case 'view-and-digest':
      return ['view', bytes.readUInt16BE(0), viewLine(payload.view), pairsLine(payload.digest)];
    case 'sock-cache':
      return [
        'cache',
        payload.entries.map(({ mbr, sockAddress }) => [addressText(mbr), addressText(sockAddress)]),
      ];
    default:
      throw new Error(`no recording has had ${payload?.kind ?? 'it'} yet: say how it reads`);
  }
}

function messageLine(message: Message): Record<string, Json> {
  const { dest, src, flags, headers, payload } = message;
  return {
    lead: (dest === null ? 0 : 1) | (src === null ? 0 : 2) | (payload === null ? 0 : 4),
    flags: flagNames(flags),
    dest: addressText(dest),
    src: addressText(src),
    hdrs: headers.map(headerLine),
    len: payload === null ? null : payload.length,
    body: bodyLine(message),
  };
}

export function decodedLine(datagram: Datagram): DecodedLine {
  const { version } = datagram;
  const ver = `${version >> 11}.${(version >> 6) & 31}.${version & 63}`;
  const multicast = datagram.multicast ? 2 : 0;
  if (datagram.kind === 'single') return { ver, flags: multicast, msgs: [messageLine(datagram.message)] };
  const { dest, src, cluster, messages } = datagram;
  return {
    ver,
    flags: multicast | 1,
    dest: addressText(dest),
    src: addressText(src),
    cluster,
    msgs: messages.map(messageLine),
  };
}

/** `ours` with only those keys of its messages that `theirs` has: some decoders say less. */
export function asMuchAs(ours: DecodedLine, theirs: DecodedLine): DecodedLine {
  const pick = (message: Readonly<Record<string, Json>>, i: number): Record<string, Json> => {
    const keys = Object.keys(theirs.msgs[i] ?? {});
    return Object.fromEntries(keys.map((key) => [key, message[key] ?? null]));
  };
  return { ...ours, msgs: ours.msgs.map(pick) };
}

// --- the lines of the geode-member recordings --------------------------------------------------------------

/** One JGroups message a line; protocols are numbers, and so are the types of all but UNICAST3. */
export interface MemberLine {
  readonly proto: string;
  readonly sp: number;
  readonly dp: number;
  /** Bytes of the datagram. */
  readonly n: number;
  readonly jg: string;
  readonly tflags: number;
  readonly flags: readonly string[];
  readonly dest?: unknown;
  readonly src?: unknown;
  readonly hdrs: readonly Readonly<Record<string, unknown>>[];
  readonly len: number;
}

const memberAddress = (address: Address | null): unknown =>
  address?.kind === 'geode'
    ? { ip: address.host, port: address.port, viewId: address.viewId, uuid: address.uuid }
    : undefined;

function memberHeader(header: Header): Record<string, unknown> {
  const [prot, magic] = headerLine(header);
  switch (header.protocol) {
    case 'TP':
      return { prot, magic, cluster: header.cluster };
    case 'FRAG2':
      return { prot, magic, id: header.id, frag: header.fragNo, num: header.numFrags };
    case 'UNICAST3':
      if (header.type === 'DATA') {
        const { type, seqno, connId, first } = header;
        return { prot, magic, t: type, seqno, conn: connId, first };
      }
      if (header.type === 'ACK') {
        const { type, seqno, connId, timestamp } = header;
        return { prot, magic, t: type, seqno, conn: connId, ts: timestamp };
      }
      break;
    case 'NAKACK2':
      if (header.type === 'MSG') return { prot, magic, t: 1, seqno: header.seqno };
      if (header.type === 'HIGHEST_SEQNO') return { prot, magic, t: 4, seqno: header.seqno };
      break;
    case 'STABLE': {
      const { viewId } = header;
      const view = viewId === null ? null : [memberAddress(viewId.creator), viewId.id];
      return { prot, magic, t: header.type === 'STABILITY' ? 2 : 1, view };
    }
    default:
  }
  throw new Error(`no recording has had ${header.protocol} yet: say how it reads`);
}

/** Whether the line says the same of the datagram. */
export function isMemberLine(datagram: Datagram, bytes: number, line: MemberLine): boolean {
  if (datagram.kind !== 'single') return false;
  const { message, version } = datagram;
  const ours = {
    n: bytes,
    jg: `${version >> 11}.${(version >> 6) & 31}.${version & 63}`,
    tflags: datagram.multicast ? 2 : 0,
    flags: flagNames(message.flags),
    dest: memberAddress(message.dest),
    src: memberAddress(message.src),
    hdrs: message.headers.map(memberHeader),
    len: message.payload?.length ?? 0,
  };
  const { n, jg, tflags, flags, dest, src, hdrs, len } = line;
  return isDeepStrictEqual(ours, { n, jg, tflags, flags, dest, src, hdrs, len });
}
