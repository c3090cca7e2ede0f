/**
 * Headers and payloads of JGroups 3.6, as JGroups' own classes write them (java/HeaderVectors36.java), with the values
 * that were put into them there.
 */
import test from 'ava';
import { decodeDatagram, encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import type {
  Digest,
  GmsHeader,
  GmsType,
  Header,
  IpAddress,
  MergeView,
  Message,
  View,
} from '../../../codecs/jgroups/message.ts';
import type { ProtocolPayload } from '../../../codecs/jgroups/payload.ts';
import { decodePayload, encodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { javaVectors, rejects, rejectsOtherLengths, survivesDamage } from './checks.ts';
import { EMPTY_MESSAGE, single } from './vectors.ts';
import * as wire from './wire-builder.ts';

const uuid = (digits: string): { kind: 'uuid'; uuid: string } => ({ kind: 'uuid', uuid: digits });
const A = uuid('0102030405060708f1f2f3f4f5f6f7f8');
const B = uuid('11111111111111112222222222222222');
const C = uuid('fffffffffffffffffffffffffffffffe');
const GONE = uuid('00000000000000050000000000000006');
const IP4: IpAddress = { kind: 'ip', host: '10.0.0.7', scopeId: 0, port: 7800 };
const IP6: IpAddress = { kind: 'ip', host: '2001:db8::1', scopeId: 0, port: 65535 };
const VIEW_ID = { creator: A, id: 300 };
const VIEW: View = { kind: 'view', viewId: VIEW_ID, members: [A, B, C] };
const pair = (
  highestDelivered: number,
  highestReceived: number,
): { highestDelivered: number; highestReceived: number } => ({ highestDelivered, highestReceived });
const PAIRS = [pair(0, 0), pair(5, 5), pair(299, 70000)];
const DIGEST: Digest = { members: [A, B, C], seqnos: PAIRS };
const MERGE_VIEW: MergeView = {
  kind: 'merge',
  viewId: { creator: B, id: 301 },
  members: [A, B, C],
  subviews: [
    { kind: 'view', viewId: { creator: A, id: 299 }, members: [A, C] },
    { kind: 'view', viewId: { creator: GONE, id: 2 ** 33 + 7 }, members: [GONE, B] },
  ],
};

const token = (name: string, value: string | null): Header => ({
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

interface Expected {
  readonly header: Header;
  /** Of JGroups' own; absent: null. */
  readonly payload?: ProtocolPayload;
}

const EXPECTED: Readonly<Record<string, Expected>> = {
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

const VECTORS = javaVectors('headers-3.6.14.txt');

function onlyMessage(bytes: Buffer): Message {
  const datagram = decodeDatagram(bytes);
  if (datagram.kind !== 'single') throw new Error('a bundle');
  return datagram.message;
}

test('there is a value for each of the vectors, and a vector for each of the values', (t) => {
  t.deepEqual([...VECTORS.keys()].sort(), Object.keys(EXPECTED).sort());
});

for (const [name, { header, payload = null }] of Object.entries(EXPECTED)) {
  const bytes = VECTORS.get(name) ?? Buffer.alloc(0);

  test(`${name}: the value that JGroups wrote, and back to its bytes`, (t) => {
    const message = onlyMessage(bytes);
    t.deepEqual(message.headers, [header]);
    t.deepEqual([message.src, message.dest], [A, B]);
    t.true(encodeDatagram(single(message)).equals(bytes));
    t.deepEqual(decodePayload(message), payload);
    if (payload !== null && payload.kind !== 'seqnos') {
      t.is(encodePayload(payload).toString('hex'), Buffer.from(message.payload ?? []).toString('hex'));
    }
  });

  test(`${name}: other lengths and damaged bytes`, (t) => {
    rejectsOtherLengths(t, decodeDatagram, bytes);
    survivesDamage(t, decodeDatagram, encodeDatagram, bytes);
  });

  if (payload !== null) {
    test(`${name}: other lengths and damaged bytes of the payload`, (t) => {
      const message = onlyMessage(bytes);
      const whole = Buffer.from(message.payload ?? []);
      const decode = (part: Uint8Array): unknown => decodePayload({ ...message, payload: part });
      for (let length = 0; length < whole.length; length++) {
        rejectsUnlessShorterView(t, decode, whole.subarray(0, length), payload);
      }
      survivesDamage(t, decode, encodePayload, whole);
    });
  }
}

/** Without its subviews, a MergeView of MERGE3 is a view: its payload does not say which it is. */
function rejectsUnlessShorterView(
  t: Parameters<typeof rejects>[0],
  decode: (bytes: Uint8Array) => unknown,
  bytes: Buffer,
  payload: ProtocolPayload,
): void {
  if (payload.kind === 'view' && payload.view?.kind === 'merge') {
    const { viewId, members } = payload.view;
    const view = encodePayload({ kind: 'view', view: { kind: 'view', viewId, members } });
    if (view.equals(bytes)) return;
  }
  rejects(t, decode, bytes, 'ERR_TRUNCATED');
}

const headerOnly = (digits: string): Buffer => wire.hex(`198e 00 00 0000 0001 ${digits}`);

test('the ENCRYPT of 3.6.9 and before', (t) => {
  const header: Header = { protocol: 'ENCRYPT', type: 'ENCRYPT', entireMessage: true, version: 'abcd' };
  const bytes = headerOnly('0019 0039 09 0002 abcd');
  t.deepEqual(decodeDatagram(bytes), single({ headers: [header] }));
  t.true(encodeDatagram(single({ headers: [header] })).equals(bytes));
  rejectsOtherLengths(t, decodeDatagram, bytes);
  rejects(t, decodeDatagram, headerOnly('0019 0039 08 0000'), 'ERR_VALUE');
  rejects(t, decodeDatagram, headerOnly('0019 0039 01 8000'), 'ERR_VALUE');
});

test('a token of a class that is not known cannot be skipped', (t) => {
  for (const token of ['01 0066', '01 0000', '01 fffe', '01 ffff 0003 616263']) {
    rejects(t, decodeDatagram, headerOnly(`0021 0043 ${token}`), 'ERR_UNKNOWN_HEADER');
  }
  // a class that has a number never goes by its name
  const named = Buffer.from('org.jgroups.auth.SimpleToken').toString('hex');
  rejects(t, decodeDatagram, headerOnly(`0021 0043 01 ffff 001c ${named} 00`), 'ERR_UNKNOWN_HEADER');
});

test('values that a header may not have', (t) => {
  for (const digits of [
    '0039 005d 00', // NAKACK2 types are 1 to 4
    '0039 005d 05 00',
    '0039 005d 02 01', // a null sender
    '0039 005d 01 08 ffffffffffffffff', // a negative seqno
    '0010 001b 03 00',
    '0010 001b 01 01 01 00', // a ViewId of nobody
    '000e 0018 11 0000 01',
    '000e 0018 01 0002 01', // a flag that is never set
    '0006 000d 03 00',
    '0006 000d 01 02', // no boolean
    '0006 000d 01 01 0002 c000', // no modified UTF-8
    '0006 000d 01 01 0001 80',
    '0006 000d 01 01 0001 e2',
    '0006 000d 01 01 0003 f09f98',
    '0002 0003 04 ffff 01',
    '0002 0003 02 fffe 01', // a count below -1
    '0002 0003 02 0001 01 01', // nobody among the suspects
    '0003 0006 09 01 00 00000000',
    '0003 0006 0a 01 00 ffffffff',
    '000d 0016 0003 01',
    '0036 005a 03 00 00 01',
    '0037 005b 00 0000',
    '001a 003a 05 00 00',
    '001a 003a 01 00 02',
    '001a 003a 01 08 0000000000000080 00', // -2^63
    '004c 0039 03 00 00',
    '004c 0039 01 01 ffffffff 00',
    '0011 001c 04 00',
    '0011 001c 02 01 ffff', // a digest of null
    '0022 0041 06 00 00',
  ]) {
    rejects(t, decodeDatagram, headerOnly(digits));
  }
  rejects(t, decodeDatagram, headerOnly(`0002 0003 02 7fff ${'01'.repeat(70)}`), 'ERR_LIMIT');
  rejects(t, decodeDatagram, headerOnly('0003 0006 0a 01 00 7fffffff'), 'ERR_LIMIT');
});

test('a seqno pair: both zero, one zero, large ones', (t) => {
  const digestPayload = (digits: string): Buffer => wire.hex(`01 0001 02 ${'00'.repeat(16)} ${digits}`);
  const message: Message = {
    ...EMPTY_MESSAGE,
    headers: [{ protocol: 'STABLE', type: 'STABILITY', viewId: null }],
  };
  const decode = (payload: Buffer): unknown => decodePayload({ ...message, payload });
  for (const [digits, highestDelivered, highestReceived] of [
    ['00', 0, 0],
    ['11 05 00', 5, 5],
    ['11 00 02', 0, 2],
    ['21 2c01 01', 300, 301],
    ['71 feffffffffff1f 01', 2 ** 53 - 2, 2 ** 53 - 1],
  ] as const) {
    const payload = digestPayload(digits);
    const digest = {
      members: [uuid('00'.repeat(16))],
      seqnos: [pair(highestDelivered, highestReceived)],
    };
    t.deepEqual(decode(payload), { kind: 'digest', digest });
    t.true(encodePayload({ kind: 'digest', digest }).equals(payload));
  }
  rejects(t, decode, digestPayload('71 ffffffffffff1f 01'), 'ERR_LIMIT');
  rejects(t, decode, digestPayload('91 000000000000000000 01'), 'ERR_VALUE');
});

test('what the encoder refuses', (t) => {
  const refuses = (payload: Parameters<typeof encodePayload>[0]): void => {
    t.throws(() => encodePayload(payload), { code: 'ERR_VALUE' });
  };
  refuses({ kind: 'digest', digest: { members: null, seqnos: [] } });
  refuses({ kind: 'digest', digest: { members: [A], seqnos: [] } });
  refuses({ kind: 'digest', digest: { members: [A], seqnos: [pair(2, 1)] } });
  refuses({ kind: 'digest', digest: { members: [A], seqnos: [pair(-1, 1)] } });
  refuses({ kind: 'join-rsp', rsp: { view: VIEW, digest: DIGEST, failReason: null } });
  refuses({ kind: 'credits', credits: -1 });
  const header = token('UnknownToken', 'x');
  t.throws(() => encodeDatagram(single({ headers: [header] })), { code: 'ERR_VALUE' });
  const longName: Header = { protocol: 'PING', type: 'GET_MBRS_REQ', cluster: '\u20ac'.repeat(21846) };
  t.throws(() => encodeDatagram(single({ headers: [longName] })), { code: 'ERR_VALUE' });
});

test('payloads that are not what they seem: fragments, compressed, encrypted, an application', (t) => {
  const credits: Header = { protocol: 'UFC', type: 'REPLENISH' };
  const message: Message = { ...EMPTY_MESSAGE, payload: wire.i64(7) };
  t.deepEqual(decodePayload({ ...message, headers: [credits] }), { kind: 'credits', credits: 7 });
  t.is(decodePayload(message), null);
  t.is(decodePayload({ ...message, headers: [credits], payload: null }), null);
  const hiding: Header[] = [
    { protocol: 'FRAG2', id: 1, fragNo: 0, numFrags: 2 },
    { protocol: 'COMPRESS', originalSize: 8 },
    { protocol: 'SYM_ENCRYPT', type: 'ENCRYPT', version: null, signature: null },
    { protocol: 'ENCRYPT', type: 'ENCRYPT', entireMessage: false, version: '' },
  ];
  for (const header of hiding) t.is(decodePayload({ ...message, headers: [credits, header] }), null);
});
