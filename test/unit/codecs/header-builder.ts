/** Headers of JGroups 3.6 straight from the wire reference (sections 4 to 12), apart from the code under test. */
import type { Digest, Header, IpAddress, ViewId } from '../../../codecs/jgroups/message.ts';
import * as wire from './primitive-builder.ts';

const { addresses, address, asciiString, cvlong, hex, i32, join, optional, u16, u8, utf } = wire;

/** Protocol id and class magic, from the tables of section 4 and of JGroups 3.6.14's jg-protocol-ids.xml. */
const IDS: Readonly<Record<Exclude<Header['protocol'], 'UNKNOWN'>, readonly [number, number]>> = {
  TP: [75, 56],
  UNICAST3: [64, 107],
  NAKACK2: [57, 93],
  STABLE: [16, 27],
  MFC: [44, 54],
  UFC: [45, 54],
  FC: [20, 54],
  FRAG2: [5, 7],
  MERGE3: [54, 90],
  GMS: [14, 24],
  PING: [6, 13],
  MPING: [7, 13],
  S3_PING: [8, 13],
  FILE_PING: [9, 13],
  TCPPING: [10, 13],
  TCPGOSSIP: [11, 13],
  JDBC_PING: [46, 13],
  BPING: [49, 13],
  RACKSPACE_PING: [56, 13],
  SWIFT_PING: [59, 13],
  SHARED_LOOPBACK_PING: [67, 13],
  GOOGLE_PING: [69, 13],
  FD_ALL: [29, 61],
  FD_ALL2: [30, 62],
  FD_SOCK: [3, 6],
  FD: [2, 3],
  VERIFY_SUSPECT: [13, 22],
  RSVP: [55, 91],
  SEQUENCER: [26, 58],
  COMPRESS: [19, 53],
  ENCRYPT: [25, 57],
  SYM_ENCRYPT: [76, 57],
  ASYM_ENCRYPT: [77, 57],
  AUTH: [33, 67],
  STATE_TRANSFER: [17, 28],
  STATE: [34, 65],
  STATE_SOCK: [35, 65],
};

/** Each protocol's types in the order of their numbers, from the first number on. */
const TYPES = {
  UNICAST3: [0, 'DATA', 'ACK', 'SEND_FIRST_SEQNO', 'XMIT_REQ', 'CLOSE'],
  NAKACK2: [1, 'MSG', 'XMIT_REQ', 'XMIT_RSP', 'HIGHEST_SEQNO'],
  STABLE: [1, 'STABLE_GOSSIP', 'STABILITY'],
  FC: [1, 'REPLENISH', 'CREDIT_REQUEST'],
  GMS: [
    ...[1, 'JOIN_REQ', 'JOIN_RSP', 'LEAVE_REQ', 'LEAVE_RSP', 'VIEW', 'MERGE_REQ', 'MERGE_RSP'],
    ...['INSTALL_MERGE_VIEW', 'CANCEL_MERGE', 'VIEW_ACK', 'JOIN_REQ_WITH_STATE_TRANSFER'],
    ...['INSTALL_MERGE_VIEW_OK', 'GET_DIGEST_REQ', 'GET_DIGEST_RSP', 'INSTALL_DIGEST', 'GET_CURRENT_VIEW'],
  ],
  PING: [1, 'GET_MBRS_REQ', 'GET_MBRS_RSP'],
  FD: [0, 'HEARTBEAT', 'ACK', 'SUSPECT', 'UNSUSPECT'],
  FD_SOCK: [10, 'SUSPECT', 'UNSUSPECT', 'WHO_HAS_SOCK', 'I_HAVE_SOCK', 'GET_CACHE', 'GET_CACHE_RSP'],
  VERIFY_SUSPECT: [1, 'ARE_YOU_DEAD', 'I_AM_NOT_DEAD'],
  MERGE3: [0, 'INFO', 'VIEW_REQ', 'VIEW_RSP'],
  RSVP: [1, 'REQ', 'REQ_ONLY', 'RSP'],
  SEQUENCER: [1, 'FORWARD', 'FLUSH', 'BCAST', 'WRAPPED_BCAST'],
  STATE_TRANSFER: [1, 'STATE_REQ', 'STATE_RSP', 'STATE_EX'],
  STATE: [1, 'STATE_REQ', 'STATE_RSP', 'STATE_PART', 'STATE_EOF', 'STATE_EX'],
} as const;

function typeOf(protocol: keyof typeof TYPES, type: string): number {
  const names: readonly (string | number)[] = TYPES[protocol];
  return (names[0] as number) + names.indexOf(type) - 1;
}

const type = (protocol: keyof typeof TYPES, name: string): Buffer => u8(typeOf(protocol, name));

const viewId = (value: ViewId): Buffer => join(address(value.creator), cvlong(value.id));
const ipBody = ({ host, scopeId, port }: IpAddress): Buffer => wire.physical(host, scopeId, port);
const bytes = (digits: string): Buffer => join(i32(digits.length / 2), hex(digits));

/** Section 1: a byte of two lengths, then both numbers, little-endian. */
function seqnoPair(highestDelivered: number, highestReceived: number): Buffer {
  if (highestReceived === 0) return u8(0);
  const little = (value: number): Buffer => (value === 0 ? u8(0) : cvlong(value).subarray(1));
  const [first, second] = [little(highestDelivered), little(highestReceived - highestDelivered)];
  return join(u8((first.length << 4) | second.length), first, second);
}

export function digest(value: Digest): Buffer {
  const pairs = value.seqnos.map((pair) => seqnoPair(pair.highestDelivered, pair.highestReceived));
  return join(value.members === null ? u16(pairs.length) : addresses(value.members), ...pairs);
}

const TOKENS: Readonly<Record<string, number>> = {
  SimpleToken: 103,
  FixedMembershipToken: 104,
  MD5Token: 105,
};

function authToken(className: string, value: string | null): Buffer {
  const magic = TOKENS[className.replace('org.jgroups.auth.', '')];
  if (magic !== undefined) return join(u16(magic), optional(value, utf));
  if (className.endsWith('X509Token')) return join(u16(106), optional(value, bytes));
  const body = className.endsWith('Krb5Token') ? optional(value, utf) : Buffer.alloc(0);
  return join(u16(-1), utf(className), body);
}

function unicast3(header: Header & { protocol: 'UNICAST3' }): Buffer {
  switch (header.type) {
    case 'DATA':
      return join(cvlong(header.seqno), u16(header.connId), u8(header.first ? 1 : 0));
    case 'ACK':
      return join(cvlong(header.seqno), u16(header.connId), cvlong(header.timestamp));
    case 'SEND_FIRST_SEQNO':
      return cvlong(header.timestamp);
    case 'XMIT_REQ':
      return Buffer.alloc(0);
    case 'CLOSE':
      return u16(header.connId);
  }
}

/** Bytes of the keys' types: each has a bit of its own. */
const KEY_TYPES = ['ENCRYPT', 'SECRET_KEY_REQ', 'SECRET_KEY_RSP', 'NEW_KEYSERVER', 'NEW_KEYSERVER_ACK'];
const OLD_KEY_TYPES = ['ENCRYPT', 'KEY_REQUEST', 'SECRETKEY'];

export function headerBody(header: Header): Buffer {
  switch (header.protocol) {
    case 'UNKNOWN':
      return Buffer.from(header.rest);
    case 'TP':
      return asciiString(header.cluster);
    case 'FRAG2':
      return join(cvlong(header.id), i32(header.fragNo), i32(header.numFrags));
    case 'FC':
    case 'MFC':
    case 'UFC':
      return type('FC', header.type);
    case 'UNICAST3':
      return join(type('UNICAST3', header.type), unicast3(header));
    case 'NAKACK2': {
      const rest = header.type === 'XMIT_REQ' ? address(header.sender) : cvlong(header.seqno);
      return join(type('NAKACK2', header.type), rest);
    }
    case 'STABLE':
      return join(type('STABLE', header.type), optional(header.viewId, viewId));
    case 'GMS': {
      const { mbr, mergeId, useFlush, mergeRejected } = header;
      const flags = (mergeId === null ? 0 : 4) | (useFlush ? 8 : 0) | (mergeRejected ? 16 : 0);
      const merge = mergeId === null ? Buffer.alloc(0) : join(address(mergeId.initiator), i32(mergeId.id));
      return join(type('GMS', header.type), u16(flags), address(mbr), merge);
    }
    case 'FD':
      return join(type('FD', header.type), addresses(header.mbrs), address(header.from));
    case 'FD_ALL':
    case 'FD_ALL2':
      return Buffer.alloc(0);
    case 'FD_SOCK': {
      const { mbr, sockAddress, mbrs } = header;
      const list = join(i32(mbrs.length), ...mbrs.map(address));
      return join(type('FD_SOCK', header.type), address(mbr), optional(sockAddress, ipBody), list);
    }
    case 'VERIFY_SUSPECT':
      return join(u16(typeOf('VERIFY_SUSPECT', header.type)), address(header.from));
    case 'MERGE3': {
      const name = optional(header.logicalName, utf);
      const id = optional(header.viewId, viewId);
      return join(type('MERGE3', header.type), id, name, address(header.physicalAddress));
    }
    case 'RSVP':
      return join(type('RSVP', header.type), u16(header.id));
    case 'SEQUENCER':
      return join(type('SEQUENCER', header.type), cvlong(header.seqno), u8(header.flushAck ? 1 : 0));
    case 'COMPRESS':
      return i32(header.originalSize);
    case 'ENCRYPT': {
      const code = (1 << OLD_KEY_TYPES.indexOf(header.type)) | (header.entireMessage ? 8 : 0);
      return join(u8(code), u16(header.version.length / 2), hex(header.version));
    }
    case 'SYM_ENCRYPT':
    case 'ASYM_ENCRYPT': {
      const { version, signature } = header;
      const code = u8(1 << KEY_TYPES.indexOf(header.type));
      return join(code, optional(version, bytes), optional(signature, bytes));
    }
    case 'AUTH':
      return optional(header.token, ({ className, value }) => authToken(className, value));
    case 'STATE_TRANSFER':
      return join(type('STATE_TRANSFER', header.type), optional(header.digest, digest));
    case 'STATE':
    case 'STATE_SOCK': {
      const where = optional(header.bindAddress, ipBody);
      return join(type('STATE', header.type), optional(header.digest, digest), where);
    }
    default:
      return join(type('PING', header.type), optional(header.cluster, utf));
  }
}

export function header(value: Header): Buffer {
  const [protocolId, magic] =
    value.protocol === 'UNKNOWN' ? [value.protocolId, value.magic] : IDS[value.protocol];
  return join(u16(protocolId), u16(magic), headerBody(value));
}
