/**
 * JGroups 2.12, the second wire version, as its own classes write it (java/HeaderVectors212.java), with the values that
 * were put into them there; and what keeps the versions apart.
 */
import test from 'ava';
import {
  decodeAnyDatagram,
  decodeAnyPayload,
  decodeDatagram,
  encodeAnyDatagram,
  encodeDatagram,
  WIRE_VERSIONS,
  wireVersion,
} from '../../../codecs/jgroups/registry.ts';
import type { AnyDatagram } from '../../../codecs/jgroups/registry.ts';
import type {
  Digest212,
  FdSockHeader212,
  GmsHeader212,
  Header212,
  Message212,
  PingHeader212,
  View212,
} from '../../../codecs/jgroups/v2_12/headers.ts';
import { encodePayload } from '../../../codecs/jgroups/v2_12/payload.ts';
import type { IpAddress } from '../../../codecs/jgroups/message.ts';
import { javaVectors, rejects, rejectsOtherLengths, survivesDamage } from './checks.ts';
import { hex } from './wire-builder.ts';

const A = { kind: 'uuid', uuid: '0102030405060708f1f2f3f4f5f6f7f8' } as const;
const B = { kind: 'uuid', uuid: '11111111111111112222222222222222' } as const;
const C = { kind: 'uuid', uuid: 'fffffffffffffffffffffffffffffffe', additionalData: '010203' } as const;
const IP4: IpAddress = { kind: 'ip', host: '10.0.0.7', scopeId: 0, port: 7800 };
const IP6: IpAddress = { kind: 'ip', host: '2001:db8::1', scopeId: 0, port: 65535 };
const VIEW_ID = { creator: A, id: 300 };
const VIEW: View212 = { viewId: VIEW_ID, members: [A, B], payload: '', subviews: null };
const FIRST: View212 = { viewId: { creator: A, id: 299 }, members: [A], payload: '', subviews: null };
const SECOND: View212 = { viewId: { creator: B, id: 298 }, members: [B], payload: '', subviews: [FIRST] };
const MERGE_VIEW: View212 = {
  viewId: { creator: B, id: 301 },
  members: [A, B],
  payload: '',
  subviews: [FIRST, SECOND],
};
const DIGEST: Digest212 = [{ member: A, low: 1, highestDelivered: 2, highestReceived: 70000 }];
const mergeId = { initiator: B, id: 77 };

const gms = (type: GmsHeader212['type'], more: Partial<GmsHeader212> = {}): Header212 => ({
  protocol: 'GMS',
  type,
  view: null,
  mbr: null,
  mbrs: null,
  joinRsp: null,
  digest: null,
  mergeId: null,
  mergeRejected: false,
  useFlush: false,
  ...more,
});
const fdSock = (type: FdSockHeader212['type'], more: Partial<FdSockHeader212> = {}): Header212 => ({
  protocol: 'FD_SOCK',
  type,
  mbr: null,
  sockAddress: null,
  cache: [],
  mbrs: [],
  ...more,
});
const ping = (more: Partial<PingHeader212>): Header212 => ({
  protocol: 'PING',
  type: 'GET_MBRS_RSP',
  data: null,
  cluster: null,
  viewId: null,
  ...more,
});
const someData = {
  sender: B,
  view: null,
  viewId: null,
  server: true,
  logicalName: null,
  physicalAddresses: null,
};
const tp = (transport: 'UDP' | 'TCP' | 'TCP_NIO' | 'TUNNEL'): Header212 => ({
  protocol: 'TP',
  transport,
  cluster: 'cl\u00fcster',
});

const HEADERS: Readonly<Record<string, Header212>> = {
  'TP 21': tp('UDP'),
  'TP 22': tp('TCP'),
  'TP 23': tp('TCP_NIO'),
  'TP 24': tp('TUNNEL'),
  'UFC REPLENISH': { protocol: 'UFC', type: 'REPLENISH' },
  'MFC CREDIT_REQUEST': { protocol: 'MFC', type: 'CREDIT_REQUEST' },
  'UNICAST DATA': { protocol: 'UNICAST', type: 'DATA', seqno: 70000, connId: 7, first: true },
  'UNICAST ACK': { protocol: 'UNICAST', type: 'ACK', seqno: 2 ** 40 },
  'UNICAST SEND_FIRST_SEQNO': { protocol: 'UNICAST', type: 'SEND_FIRST_SEQNO' },
  'NAKACK MSG': { protocol: 'NAKACK', type: 'MSG', seqno: 3 },
  'NAKACK XMIT_REQ': { protocol: 'NAKACK', type: 'XMIT_REQ', low: 5, high: 9, sender: C },
  'NAKACK XMIT_RSP': { protocol: 'NAKACK', type: 'XMIT_RSP', seqno: -1 },
  'STABLE 1': { protocol: 'STABLE', type: 'STABLE_GOSSIP', digest: DIGEST },
  'STABLE 2': { protocol: 'STABLE', type: 'STABILITY', digest: null },
  FRAG2: { protocol: 'FRAG2', id: 2 ** 33, fragNo: 1, numFrags: 3 },
  'FD 0': { protocol: 'FD', type: 'HEARTBEAT', mbrs: null, from: null },
  'FD 1': { protocol: 'FD', type: 'ACK', mbrs: null, from: null },
  'FD 2': { protocol: 'FD', type: 'SUSPECT', mbrs: [B, C], from: A },
  'FD 3': { protocol: 'FD', type: 'UNSUSPECT', mbrs: [B, C], from: A },
  FD_ALL: { protocol: 'FD_ALL', type: 'HEARTBEAT' },
  'VERIFY_SUSPECT 1': { protocol: 'VERIFY_SUSPECT', type: 'ARE_YOU_DEAD', from: A },
  'FD_SOCK 10': fdSock('SUSPECT', { mbrs: [B, C] }),
  'FD_SOCK 11': fdSock('WHO_HAS_SOCK'),
  'FD_SOCK 12': fdSock('I_HAVE_SOCK', { mbr: B, sockAddress: IP6 }),
  'FD_SOCK 13': fdSock('GET_CACHE'),
  'FD_SOCK 14': fdSock('GET_CACHE_RSP', {
    cache: [
      { mbr: A, sockAddress: IP4 },
      { mbr: B, sockAddress: IP6 },
    ],
  }),
  'PING GET_MBRS_REQ': ping({
    type: 'GET_MBRS_REQ',
    cluster: 'cl',
    data: { ...someData, sender: A, server: false, logicalName: 'A', physicalAddresses: [IP4, IP6] },
  }),
  'PING GET_MBRS_RSP': ping({ viewId: VIEW_ID, data: { ...someData, view: VIEW, viewId: VIEW_ID } }),
  'TCPPING, a MergeView': ping({ protocol: 'TCPPING', data: { ...someData, view: MERGE_VIEW } }),
  'MPING without data': ping({ protocol: 'MPING', type: 'GET_MBRS_REQ' }),
  'GMS 1': gms('JOIN_REQ', { mbr: A, useFlush: true }),
  'GMS 2': gms('JOIN_RSP', { joinRsp: { view: VIEW, digest: DIGEST, failReason: null } }),
  'GMS 3': gms('LEAVE_REQ', { mbr: A }),
  'GMS 4': gms('LEAVE_RSP'),
  'GMS 5': gms('VIEW', { view: VIEW }),
  'GMS 6': gms('MERGE_REQ', { mbrs: [A, B], mergeId }),
  'GMS 7': gms('MERGE_RSP', { view: MERGE_VIEW, mergeId, mergeRejected: true }),
  'GMS 8': gms('INSTALL_MERGE_VIEW', { view: MERGE_VIEW, mergeId }),
  'GMS 9': gms('CANCEL_MERGE', { mergeId }),
  'GMS 10': gms('VIEW_ACK'),
  'GMS 11': gms('JOIN_REQ_WITH_STATE_TRANSFER'),
  'GMS 12': gms('INSTALL_MERGE_VIEW_OK'),
  'GMS 13': gms('GET_DIGEST_REQ'),
  'GMS 14': gms('GET_DIGEST_RSP', { digest: DIGEST }),
  'GMS 15': gms('INSTALL_DIGEST'),
  'GMS JOIN_RSP, refused': gms('JOIN_RSP', { joinRsp: { view: null, digest: null, failReason: 'no' } }),
};

const plain: Message212 = { dest: B, src: A, flags: 0, headers: [], payload: null };

const DATAGRAMS: Readonly<Record<string, AnyDatagram>> = {
  'to the group, OOB': {
    kind: 'single',
    version: 0x1302,
    multicast: true,
    message: { ...plain, dest: null, flags: 0x11, payload: hex('0102') },
  },
  'to an address with additional data': {
    kind: 'single',
    version: 0x1302,
    multicast: false,
    message: { ...plain, dest: C, payload: Buffer.alloc(0) },
  },
  'a list': {
    kind: 'bundle',
    version: 0x1302,
    multicast: true,
    dest: B,
    src: A,
    cluster: null,
    messages: [
      {
        ...plain,
        dest: null,
        src: null,
        headers: [
          { protocol: 'NAKACK', type: 'MSG', seqno: 1 },
          { protocol: 'TP', transport: 'UDP', cluster: 'cl' },
        ],
        payload: hex('01'),
      },
      { ...plain, dest: null, src: C },
    ],
  },
};

const VECTORS = javaVectors('headers-2.12.2.txt');

test('there is a value for each of the vectors, and a vector for each of the values', (t) => {
  t.deepEqual([...VECTORS.keys()].sort(), [...Object.keys(HEADERS), ...Object.keys(DATAGRAMS)].sort());
});

for (const [name, bytes] of VECTORS) {
  test(`${name}: the value that JGroups wrote, and back to its bytes`, (t) => {
    const datagram = decodeAnyDatagram(bytes);
    t.true(encodeAnyDatagram(datagram).equals(bytes));
    if (name in DATAGRAMS) t.deepEqual(datagram, DATAGRAMS[name]);
    else if (datagram.kind === 'single') t.deepEqual(datagram.message.headers, [HEADERS[name]]);
    else t.fail();
  });

  test(`${name}: other lengths and damaged bytes`, (t) => {
    rejectsOtherLengths(t, decodeAnyDatagram, bytes);
    survivesDamage(t, decodeAnyDatagram, encodeAnyDatagram, bytes);
  });
}

test('credits are the only payload; they have a tag', (t) => {
  const headers = [HEADERS['UFC REPLENISH'] as Header212];
  const message: Message212 = { ...plain, headers, payload: hex('10 0000000000003a98') };
  t.deepEqual(decodeAnyPayload(0x1302, message), { kind: 'credits', credits: 15000 });
  t.is(encodePayload({ kind: 'credits', credits: 15000 }).toString('hex'), '100000000000003a98');
  t.is(decodeAnyPayload(0x1302, { ...message, headers: [] }), null);
  t.is(decodeAnyPayload(0x1302, { ...message, payload: null }), null);
  const fragment: Header212 = { protocol: 'FRAG2', id: 1, fragNo: 0, numFrags: 2 };
  t.is(decodeAnyPayload(0x1302, { ...message, headers: [...headers, fragment] }), null);
  for (const digits of [
    '',
    '0000000000003a98',
    '11 0000000000003a98',
    '10 00000000003a98',
    '10 00 0000000000003a98',
  ]) {
    rejects(t, (payload) => decodeAnyPayload(0x1302, { ...message, payload }), hex(digits));
  }
});

test('a header that is not known takes the rest, and no end of the list is looked for', (t) => {
  const list = VECTORS.get('a list') ?? Buffer.alloc(0);
  const bytes = Buffer.from(list);
  const at = bytes.indexOf(hex('000f0019')) + 2;
  bytes.writeUInt16BE(0x7777, at);
  rejects(t, decodeAnyDatagram, bytes, 'ERR_UNKNOWN_HEADER');
  const datagram = decodeAnyDatagram(bytes, { unknownHeaders: 'opaque' });
  t.true(encodeAnyDatagram(datagram).equals(bytes));
  if (datagram.kind !== 'bundle') return t.fail();
  const unknown = {
    protocol: 'UNKNOWN' as const,
    protocolId: 15,
    magic: 0x7777,
    remainingHeaders: 1,
    hasPayload: false,
    rest: bytes.subarray(at + 2),
  };
  const [first] = datagram.messages;
  t.deepEqual(first?.headers, [unknown]);
  t.is(datagram.messages.length, 1);
  t.deepEqual(first?.payload, hex('01'));
});

test('values that 2.12 may not have', (t) => {
  const header = (digits: string): Buffer => hex(`1302 00 00 00 0001 ${digits}`);
  for (const digits of [
    '000c 0015 03',
    '000f 0019 04',
    '000f 0019 01 0020000000000000', // 2^53
    '0010 001b 00000000 00',
    '0010 001b 00000001 01 ffff',
    '0003 0006 0f 01 00 00000000 00000000',
    '0003 0006 0a 01 00 ffffffff 00000000',
    '0003 0006 0a 01 00 00000000 7fffffff',
    '000e 0018 01 01 00 01 ffff 00 00 00 00 00', // a MergeView, but no view
    '0005 0007 0000000000000001 00000002 00000002',
  ]) {
    rejects(t, decodeAnyDatagram, header(digits));
  }
  // the datagram's OOB flag without the message's, the message's without the datagram's, a list that is OOB
  for (const digits of [
    '1302 04 00 00 0000',
    '1302 00 00 01 0000',
    '1302 05 01 01 00',
    '1302 08 00 00 0000',
  ]) {
    rejects(t, decodeAnyDatagram, hex(digits), 'ERR_VALUE');
  }
});

test('MergeViews of MergeViews without end are an error', (t) => {
  const nested = '00 ffff 0000 0001 01'.repeat(5000);
  const bytes = hex(`1302 00 00 00 0001 000e 0018 05 01 01 ${nested}`);
  rejects(t, decodeAnyDatagram, bytes, 'ERR_LIMIT');
});

test('a bundle of 2.12 has no cluster, and knows no Geode', (t) => {
  const bundle = {
    kind: 'bundle',
    version: 0x1302,
    multicast: false,
    dest: B,
    src: A,
    messages: [],
  } as const;
  t.throws(() => encodeAnyDatagram({ ...bundle, cluster: 'AG' }), { code: 'ERR_VALUE' });
  const geode = { kind: 'geode', uuid: A.uuid, host: '', scopeId: 0, port: 1, viewId: 0 } as const;
  t.throws(() => encodeAnyDatagram({ ...bundle, cluster: null, dest: geode }), { code: 'ERR_VALUE' });
});

test('what can be read is more than what the stack speaks', (t) => {
  const old = VECTORS.get('FD_ALL') ?? Buffer.alloc(0);
  rejects(t, decodeDatagram, old, 'ERR_VERSION');
  t.notThrows(() => decodeAnyDatagram(old));
  const datagram = decodeAnyDatagram(old);
  t.throws(() => encodeDatagram({ ...datagram, version: 0x1302 } as never), { code: 'ERR_VERSION' });
  // 2.12 is one number, 3.6 is all of its micro versions
  for (const version of [0x1301, 0x1303, 0x1340, 0x197f, 0x19c0, 0x209e]) {
    t.is(wireVersion(version), undefined);
    const bytes = Buffer.from(old);
    bytes.writeUInt16BE(version);
    rejects(t, decodeAnyDatagram, bytes, 'ERR_VERSION');
  }
  t.is(wireVersion(0x1302)?.name, '2.12');
  t.is(wireVersion(0x1980)?.name, '3.6');
  t.is(wireVersion(0x19bf)?.name, '3.6');
  t.deepEqual(
    WIRE_VERSIONS.filter(({ spoken }) => spoken).map(({ name }) => name),
    ['3.6'],
  );
  for (const { min, max } of WIRE_VERSIONS) t.true(min <= max);
});
