/** What java/HeaderVectors36.java puts into the headers and payloads that it writes, by the name of the vector. */
import type {
  Digest,
  GmsHeader,
  GmsType,
  Header,
  IpAddress,
  MergeView,
  SeqnoPair,
  UuidAddress,
  View,
} from '../../../codecs/jgroups/message.ts';
import type { ProtocolPayload } from '../../../codecs/jgroups/payload.ts';

export const uuid = (digits: string): UuidAddress => ({ kind: 'uuid', uuid: digits });
export const A = uuid('0102030405060708f1f2f3f4f5f6f7f8');
export const B = uuid('11111111111111112222222222222222');
const C = uuid('fffffffffffffffffffffffffffffffe');
const GONE = uuid('00000000000000050000000000000006');
const IP4: IpAddress = { kind: 'ip', host: '10.0.0.7', scopeId: 0, port: 7800 };
const IP6: IpAddress = { kind: 'ip', host: '2001:db8::1', scopeId: 0, port: 65535 };
const VIEW_ID = { creator: A, id: 300 };
export const VIEW: View = { kind: 'view', viewId: VIEW_ID, members: [A, B, C] };
export const pair = (highestDelivered: number, highestReceived: number): SeqnoPair => ({
  highestDelivered,
  highestReceived,
});
const PAIRS = [pair(0, 0), pair(5, 5), pair(299, 70000)];
export const DIGEST: Digest = { members: [A, B, C], seqnos: PAIRS };
const MERGE_VIEW: MergeView = {
  kind: 'merge',
  viewId: { creator: B, id: 301 },
  members: [A, B, C],
  subviews: [
    { kind: 'view', viewId: { creator: A, id: 299 }, members: [A, C] },
    { kind: 'view', viewId: { creator: GONE, id: 2 ** 33 + 7 }, members: [GONE, B] },
  ],
};

export const token = (name: string, value: string | null): Header => ({
  protocol: 'AUTH',
  token: { className: `org.jgroups.auth.${name}`, value },
});
const gms = (type: GmsType, more: Partial<GmsHeader> = {}): Header => ({
  protocol: 'GMS',
  type,
  mbr: null,
  mergeId: null,
  useFlush: false,
  mergeRejected: false,
  ...more,
});
const mergeId = { initiator: B, id: 77 };
const fdSock = { protocol: 'FD_SOCK', mbr: null, sockAddress: null, mbrs: [] } as const;
const merge3 = { protocol: 'MERGE3', viewId: null, logicalName: null, physicalAddress: null } as const;
const asym = { protocol: 'ASYM_ENCRYPT', signature: null } as const;

export interface Expected {
  readonly header: Header;
  /** Of JGroups' own; absent: null. */
  readonly payload?: ProtocolPayload;
}

export const EXPECTED: Readonly<Record<string, Expected>> = {
  'NAKACK2 MSG': { header: { protocol: 'NAKACK2', type: 'MSG', seqno: 70000 } },
  'NAKACK2 XMIT_REQ': { header: { protocol: 'NAKACK2', type: 'XMIT_REQ', sender: C } },
  'NAKACK2 XMIT_RSP': { header: { protocol: 'NAKACK2', type: 'XMIT_RSP', seqno: 3 } },
  'NAKACK2 HIGHEST_SEQNO': { header: { protocol: 'NAKACK2', type: 'HIGHEST_SEQNO', seqno: 1 } },
  'STABLE STABLE_GOSSIP': {
    header: { protocol: 'STABLE', type: 'STABLE_GOSSIP', viewId: VIEW_ID },
    payload: { kind: 'digest', digest: DIGEST },
  },
  'STABLE STABILITY': { header: { protocol: 'STABLE', type: 'STABILITY', viewId: null } },
  'RSVP 1': { header: { protocol: 'RSVP', type: 'REQ', id: -1 } },
  'RSVP 2': { header: { protocol: 'RSVP', type: 'REQ_ONLY', id: 999 } },
  'RSVP 3': { header: { protocol: 'RSVP', type: 'RSP', id: 1999 } },
  'SEQUENCER 1': {
    header: { protocol: 'SEQUENCER', type: 'FORWARD', seqno: 100000, flushAck: false },
  },
  'SEQUENCER 2': { header: { protocol: 'SEQUENCER', type: 'FLUSH', seqno: 200000, flushAck: false } },
  'SEQUENCER 3': { header: { protocol: 'SEQUENCER', type: 'BCAST', seqno: 300000, flushAck: false } },
  'SEQUENCER 4': {
    header: { protocol: 'SEQUENCER', type: 'WRAPPED_BCAST', seqno: 400000, flushAck: false },
  },
  'SEQUENCER without a seqno': {
    header: { protocol: 'SEQUENCER', type: 'FORWARD', seqno: -1, flushAck: true },
  },
  COMPRESS: { header: { protocol: 'COMPRESS', originalSize: 123456 } },
  'STATE_TRANSFER 1': { header: { protocol: 'STATE_TRANSFER', type: 'STATE_REQ', digest: null } },
  'STATE_TRANSFER 2': { header: { protocol: 'STATE_TRANSFER', type: 'STATE_RSP', digest: DIGEST } },
  'STATE_TRANSFER 3': { header: { protocol: 'STATE_TRANSFER', type: 'STATE_EX', digest: null } },
  'STATE 1': { header: { protocol: 'STATE', type: 'STATE_REQ', digest: null, bindAddress: null } },
  'STATE 2': { header: { protocol: 'STATE', type: 'STATE_RSP', digest: DIGEST, bindAddress: null } },
  'STATE 3': { header: { protocol: 'STATE', type: 'STATE_PART', digest: null, bindAddress: null } },
  'STATE 4': { header: { protocol: 'STATE', type: 'STATE_EOF', digest: null, bindAddress: null } },
  'STATE 5': { header: { protocol: 'STATE', type: 'STATE_EX', digest: null, bindAddress: null } },
  'STATE_SOCK IPv4': {
    header: { protocol: 'STATE_SOCK', type: 'STATE_RSP', digest: DIGEST, bindAddress: IP4 },
  },
  'STATE_SOCK IPv6': {
    header: { protocol: 'STATE_SOCK', type: 'STATE_RSP', digest: null, bindAddress: IP6 },
  },
  SYM_ENCRYPT: {
    header: { protocol: 'SYM_ENCRYPT', type: 'ENCRYPT', version: '010203', signature: '0405' },
  },
  'ASYM_ENCRYPT 2': { header: { ...asym, type: 'SECRET_KEY_REQ', version: null } },
  'ASYM_ENCRYPT 4': { header: { ...asym, type: 'SECRET_KEY_RSP', version: '' } },
  'ASYM_ENCRYPT 8': { header: { ...asym, type: 'NEW_KEYSERVER', version: '07' } },
  'ASYM_ENCRYPT 16': { header: { ...asym, type: 'NEW_KEYSERVER_ACK', version: null } },
  'AUTH without a token': { header: { protocol: 'AUTH', token: null } },
  'AUTH SimpleToken': { header: token('SimpleToken', 'p\u00e4ss\u0000\ud83d\ude00') },
  'AUTH MD5Token': { header: token('MD5Token', 'abc') },
  'AUTH FixedMembershipToken': { header: token('FixedMembershipToken', '10.0.0.1/7800') },
  'AUTH X509Token': { header: token('X509Token', '01020304') },
  'AUTH RegexMembership': { header: token('RegexMembership', null) },
  'AUTH DemoToken': { header: token('DemoToken', null) },
  'FD 0': { header: { protocol: 'FD', type: 'HEARTBEAT', mbrs: null, from: null } },
  'FD 1': { header: { protocol: 'FD', type: 'ACK', mbrs: null, from: null } },
  'FD 2': { header: { protocol: 'FD', type: 'SUSPECT', mbrs: [B, C], from: A } },
  'FD 3': { header: { protocol: 'FD', type: 'UNSUSPECT', mbrs: [B, C], from: A } },
  FD_ALL: { header: { protocol: 'FD_ALL', type: 'HEARTBEAT' } },
  FD_ALL2: { header: { protocol: 'FD_ALL2', type: 'HEARTBEAT' } },
  'FD_SOCK 10': { header: { ...fdSock, type: 'SUSPECT', mbrs: [B, C] } },
  'FD_SOCK 11': { header: { ...fdSock, type: 'UNSUSPECT', mbrs: [B, C] } },
  'FD_SOCK 12': { header: { ...fdSock, type: 'WHO_HAS_SOCK', mbr: B } },
  'FD_SOCK 13': { header: { ...fdSock, type: 'I_HAVE_SOCK', mbr: B, sockAddress: IP6 } },
  'FD_SOCK 14': { header: { ...fdSock, type: 'GET_CACHE' } },
  'FD_SOCK 15': {
    header: { ...fdSock, type: 'GET_CACHE_RSP' },
    payload: {
      kind: 'sock-cache',
      entries: [
        { mbr: A, sockAddress: IP4 },
        { mbr: B, sockAddress: IP6 },
      ],
    },
  },
  'VERIFY_SUSPECT 1': { header: { protocol: 'VERIFY_SUSPECT', type: 'ARE_YOU_DEAD', from: A } },
  'VERIFY_SUSPECT 2': { header: { protocol: 'VERIFY_SUSPECT', type: 'I_AM_NOT_DEAD', from: null } },
  'PING GET_MBRS_REQ': { header: { protocol: 'PING', type: 'GET_MBRS_REQ', cluster: 'cl\u00fcster' } },
  'MPING GET_MBRS_RSP': { header: { protocol: 'MPING', type: 'GET_MBRS_RSP', cluster: null } },
  'TCPPING with data': {
    header: { protocol: 'TCPPING', type: 'GET_MBRS_RSP', cluster: null },
    payload: {
      kind: 'ping-data',
      data: {
        sender: A,
        server: true,
        coord: true,
        logicalName: 'A',
        physicalAddress: IP6,
        mbrs: [B, C],
      },
    },
  },
  'BPING with empty data': {
    header: { protocol: 'BPING', type: 'GET_MBRS_REQ', cluster: null },
    payload: {
      kind: 'ping-data',
      data: {
        sender: null,
        server: false,
        coord: false,
        logicalName: null,
        physicalAddress: null,
        mbrs: null,
      },
    },
  },
  'MERGE3 INFO': {
    header: { protocol: 'MERGE3', type: 'INFO', viewId: VIEW_ID, logicalName: 'A', physicalAddress: IP4 },
  },
  'MERGE3 VIEW_REQ': { header: { ...merge3, type: 'VIEW_REQ' } },
  'MERGE3 VIEW_RSP': {
    header: { ...merge3, type: 'VIEW_RSP' },
    payload: { kind: 'view', view: VIEW },
  },
  'MERGE3 VIEW_RSP, a MergeView': {
    header: { ...merge3, type: 'VIEW_RSP' },
    payload: { kind: 'view', view: MERGE_VIEW },
  },
  'GMS 1': { header: gms('JOIN_REQ', { mbr: A, useFlush: true }) },
  'GMS 2': {
    header: gms('JOIN_RSP'),
    payload: {
      kind: 'join-rsp',
      rsp: { view: VIEW, digest: { members: null, seqnos: PAIRS }, failReason: null },
    },
  },
  'GMS 3': { header: gms('LEAVE_REQ', { mbr: A, useFlush: true }) },
  'GMS 4': { header: gms('LEAVE_RSP') },
  'GMS 5': {
    header: gms('VIEW'),
    payload: {
      kind: 'view-and-digest',
      view: {
        kind: 'delta',
        viewId: { creator: A, id: 301 },
        refViewId: VIEW_ID,
        left: [C],
        joined: [],
      },
      digest: null,
    },
  },
  'GMS 6': { header: gms('MERGE_REQ', { mergeId }), payload: { kind: 'members', members: [A, B] } },
  'GMS 7': {
    header: gms('MERGE_RSP', { mergeId, mergeRejected: true }),
    payload: {
      kind: 'view-and-digest',
      view: VIEW,
      digest: { members: [A], seqnos: [pair(1, 2)] },
    },
  },
  'GMS 8': {
    header: gms('INSTALL_MERGE_VIEW', { mergeId }),
    payload: { kind: 'view-and-digest', view: MERGE_VIEW, digest: { members: null, seqnos: PAIRS } },
  },
  'GMS 9': { header: gms('CANCEL_MERGE', { mergeId }) },
  'GMS 10': { header: gms('VIEW_ACK') },
  'GMS 11': { header: gms('JOIN_REQ_WITH_STATE_TRANSFER', { mbr: A, useFlush: true }) },
  'GMS 12': { header: gms('INSTALL_MERGE_VIEW_OK') },
  'GMS 13': { header: gms('GET_DIGEST_REQ', { mergeId }) },
  'GMS 14': {
    header: gms('GET_DIGEST_RSP'),
    payload: { kind: 'view-and-digest', view: null, digest: DIGEST },
  },
  'GMS 15': {
    header: gms('INSTALL_DIGEST'),
    payload: { kind: 'view-and-digest', view: null, digest: { members: [B], seqnos: [pair(7, 7)] } },
  },
  'GMS 16': { header: gms('GET_CURRENT_VIEW'), payload: { kind: 'view-id', viewId: VIEW_ID } },
  'GMS VIEW, a full view': {
    header: gms('VIEW'),
    payload: { kind: 'view-and-digest', view: VIEW, digest: { members: null, seqnos: PAIRS } },
  },
  'GMS JOIN_RSP, refused': {
    header: gms('JOIN_RSP'),
    payload: { kind: 'join-rsp', rsp: { view: null, digest: null, failReason: 'no \u20ac' } },
  },
  'GMS GET_CURRENT_VIEW, none': {
    header: gms('GET_CURRENT_VIEW'),
    payload: { kind: 'view-id', viewId: null },
  },
};
