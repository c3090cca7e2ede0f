/** Any value that the 3.6 wire can carry. */
import fc from 'fast-check';
import type {
  Address,
  Datagram,
  Digest,
  GmsType,
  Header,
  IpAddress,
  KnownHeader,
  Message,
  SeqnoPair,
  View,
  ViewId,
} from '../../../codecs/jgroups/message.ts';
import type { WritablePayload } from '../../../codecs/jgroups/v3_6/payload.ts';

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value);

const seqno = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 53 }).map((bits) => 2 ** bits - 1),
);
const uuid = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const port = fc.integer({ min: 0, max: 65535 });
const ipv4 = fc.ipV4().map((host) => ({ host, scopeId: 0 }));
const ipv6 = fc.record({
  host: fc.constantFrom(
    '::1',
    '::',
    'fe80::1',
    '2001:db8::42',
    '1:2:3:4:5:6:7:8',
    '1:0:0:4::8',
    '::ffff:a01:203',
  ),
  scopeId: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
});
const host = fc.oneof(ipv4, ipv6, fc.constant({ host: '', scopeId: 0 }));

const address: fc.Arbitrary<Address> = fc.oneof(
  uuid.map((digits) => ({ kind: 'uuid' as const, uuid: digits })),
  fc.tuple(host, port).map(([where, p]) => ({ kind: 'ip' as const, ...where, port: p })),
  fc
    .tuple(host, port, uuid, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
    .map(([where, p, digits, viewId]) => ({
      kind: 'geode' as const,
      ...where,
      port: p,
      uuid: digits,
      viewId,
    })),
);

const connId = fc.integer({ min: 0, max: 32767 });
const cluster = maybe(fc.string({ unit: 'binary-ascii', maxLength: 40 }));
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const short = fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 });
const bool = fc.boolean();
const name = maybe(fc.string({ unit: fc.constantFrom('a', '\u0000', '\u00fc', '\u20ac', '\ud83d\ude00') }));
const hexBytes = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const ip: fc.Arbitrary<IpAddress> = fc
  .tuple(host, port)
  .map(([where, p]) => ({ kind: 'ip' as const, ...where, port: p }));
const members = fc.array(address, { maxLength: 4 });
const viewId: fc.Arbitrary<ViewId> = fc.record({ creator: address, id: seqno });
const pair: fc.Arbitrary<SeqnoPair> = fc.tuple(seqno, seqno).map(([a, b]) => ({
  highestDelivered: Math.min(a, b),
  highestReceived: Math.max(a, b),
}));
const pairs = fc.array(pair, { maxLength: 4 });
const digest: fc.Arbitrary<Digest> = fc
  .array(fc.tuple(address, pair), { maxLength: 4 })
  .map((entries) => ({ members: entries.map(([who]) => who), seqnos: entries.map(([, seqnos]) => seqnos) }));
const bareDigest: fc.Arbitrary<Digest> = pairs.map((seqnos) => ({ members: null, seqnos }));

/** One of these names. */
const is = <T extends string>(...names: T[]): fc.Arbitrary<T> => fc.constantFrom(...names);

const reliability: fc.Arbitrary<KnownHeader>[] = [
  fc.record({ protocol: is('UNICAST3'), type: is('DATA'), seqno, connId, first: bool }),
  fc.record({ protocol: is('UNICAST3'), type: is('ACK'), seqno, connId, timestamp: seqno }),
  fc.record({ protocol: is('UNICAST3'), type: is('SEND_FIRST_SEQNO'), timestamp: seqno }),
  fc.record({ protocol: is('UNICAST3'), type: is('XMIT_REQ') }),
  fc.record({ protocol: is('UNICAST3'), type: is('CLOSE'), connId }),
  fc.record({ protocol: is('NAKACK2'), type: is('MSG', 'XMIT_RSP', 'HIGHEST_SEQNO'), seqno }),
  fc.record({ protocol: is('NAKACK2'), type: is('XMIT_REQ'), sender: address }),
  fc.record({
    protocol: is('STABLE'),
    type: is('STABLE_GOSSIP', 'STABILITY'),
    viewId: maybe(viewId),
  }),
  fc.record({ protocol: is('UFC', 'MFC', 'FC'), type: is('REPLENISH', 'CREDIT_REQUEST') }),
  fc
    .tuple(seqno, fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([id, numFrags, where]) => ({
      protocol: 'FRAG2' as const,
      id,
      numFrags,
      fragNo: Math.min(Math.floor(where * numFrags), numFrags - 1),
    })),
];

const membership: fc.Arbitrary<KnownHeader>[] = [
  cluster.map((text) => ({ protocol: 'TP' as const, cluster: text })),
  fc.record({
    protocol: is('GMS'),
    type: is('JOIN_REQ', 'VIEW', 'MERGE_RSP', 'CANCEL_MERGE', 'GET_CURRENT_VIEW'),
    mbr: maybe(address),
    mergeId: maybe(fc.record({ initiator: maybe(address), id: int })),
    useFlush: bool,
    mergeRejected: bool,
  }),
  fc.record({
    protocol: is('PING', 'MPING', 'TCPPING', 'TCPGOSSIP', 'S3_PING', 'FILE_PING', 'JDBC_PING', 'BPING'),
    type: is('GET_MBRS_REQ', 'GET_MBRS_RSP'),
    cluster: name,
  }),
  fc.record({
    protocol: is('RACKSPACE_PING', 'SWIFT_PING', 'SHARED_LOOPBACK_PING', 'GOOGLE_PING'),
    type: is('GET_MBRS_REQ', 'GET_MBRS_RSP'),
    cluster: name,
  }),
  fc.record({
    protocol: is('FD'),
    type: is('HEARTBEAT', 'ACK', 'SUSPECT', 'UNSUSPECT'),
    mbrs: maybe(members),
    from: maybe(address),
  }),
  fc.record({ protocol: is('FD_ALL', 'FD_ALL2'), type: is('HEARTBEAT') }),
  fc.record({
    protocol: is('FD_SOCK'),
    type: is('SUSPECT', 'UNSUSPECT', 'WHO_HAS_SOCK', 'I_HAVE_SOCK', 'GET_CACHE', 'GET_CACHE_RSP'),
    mbr: maybe(address),
    sockAddress: maybe(ip),
    mbrs: members,
  }),
  fc.record({
    protocol: is('VERIFY_SUSPECT'),
    type: is('ARE_YOU_DEAD', 'I_AM_NOT_DEAD'),
    from: maybe(address),
  }),
  fc.record({
    protocol: is('MERGE3'),
    type: is('INFO', 'VIEW_REQ', 'VIEW_RSP'),
    viewId: maybe(viewId),
    logicalName: name,
    physicalAddress: maybe(address),
  }),
];

const application: fc.Arbitrary<KnownHeader>[] = [
  fc.record({ protocol: is('RSVP'), type: is('REQ', 'REQ_ONLY', 'RSP'), id: short }),
  fc.record({
    protocol: is('SEQUENCER'),
    type: is('FORWARD', 'FLUSH', 'BCAST', 'WRAPPED_BCAST'),
    seqno: fc.oneof(seqno, fc.constant(-1), fc.constant(-(2 ** 53) + 1)),
    flushAck: bool,
  }),
  fc.record({ protocol: is('COMPRESS'), originalSize: int }),
  fc.record({
    protocol: is('ENCRYPT'),
    type: is('ENCRYPT', 'KEY_REQUEST', 'SECRETKEY'),
    entireMessage: bool,
    version: hexBytes,
  }),
  fc.record({
    protocol: is('SYM_ENCRYPT', 'ASYM_ENCRYPT'),
    type: is('ENCRYPT', 'SECRET_KEY_REQ', 'SECRET_KEY_RSP', 'NEW_KEYSERVER', 'NEW_KEYSERVER_ACK'),
    version: maybe(hexBytes),
    signature: maybe(hexBytes),
  }),
  fc
    .record({
      protocol: is('AUTH'),
      token: maybe(
        fc.oneof(
          fc.record({
            className: is('SimpleToken', 'FixedMembershipToken', 'MD5Token', 'Krb5Token'),
            value: name,
          }),
          fc.record({ className: is('X509Token'), value: maybe(hexBytes) }),
          fc.record({ className: is('RegexMembership', 'DemoToken'), value: fc.constant(null) }),
        ),
      ),
    })
    .map((value) => ({
      ...value,
      token: value.token && { ...value.token, className: `org.jgroups.auth.${value.token.className}` },
    })),
  fc.record({
    protocol: is('STATE_TRANSFER'),
    type: is('STATE_REQ', 'STATE_RSP', 'STATE_EX'),
    digest: maybe(digest),
  }),
  fc.record({
    protocol: is('STATE', 'STATE_SOCK'),
    type: is('STATE_REQ', 'STATE_RSP', 'STATE_PART', 'STATE_EOF', 'STATE_EX'),
    digest: maybe(digest),
    bindAddress: maybe(ip),
  }),
];

const header: fc.Arbitrary<Header> = fc.oneof(...reliability, ...membership, ...application);

const view: fc.Arbitrary<View> = fc.record({ kind: is('view'), viewId, members });
const anyView = fc.oneof(
  view,
  fc.record({ kind: is('merge'), viewId, members, subviews: fc.array(view, { maxLength: 3 }) }),
);
const delta = fc.record({ kind: is('delta'), viewId, refViewId: viewId, left: members, joined: members });

const sayingGms = (type: GmsType): Header => ({
  protocol: 'GMS',
  type,
  mbr: null,
  mergeId: null,
  useFlush: false,
  mergeRejected: false,
});

/** A payload of each kind, with the header that announces it. */
export const payload: fc.Arbitrary<{ header: Header; payload: WritablePayload }> = fc.oneof(
  seqno.map((credits) => ({
    header: { protocol: 'UFC' as const, type: 'REPLENISH' as const },
    payload: { kind: 'credits' as const, credits },
  })),
  maybe(digest).map((value) => ({
    header: { protocol: 'STABLE' as const, type: 'STABILITY' as const, viewId: null },
    payload: { kind: 'digest' as const, digest: value },
  })),
  maybe(
    fc.record({
      sender: maybe(address),
      server: bool,
      coord: bool,
      logicalName: name,
      physicalAddress: maybe(address),
      mbrs: maybe(members),
    }),
  ).map((data) => ({
    header: { protocol: 'PING' as const, type: 'GET_MBRS_RSP' as const, cluster: null },
    payload: { kind: 'ping-data' as const, data },
  })),
  fc
    .oneof(
      fc.record({ view, digest: maybe(bareDigest), failReason: name }),
      fc.record({ view: fc.constant(null), digest: fc.constant(null), failReason: name }),
    )
    .map((rsp) => ({ header: sayingGms('JOIN_RSP'), payload: { kind: 'join-rsp' as const, rsp } })),
  fc
    .oneof(
      fc.record({
        view: fc.oneof(anyView, delta),
        digest: maybe(fc.oneof(digest, bareDigest)),
      }),
      fc.record({ view: fc.constant(null), digest: maybe(digest) }),
    )
    .map((value) => ({ header: sayingGms('VIEW'), payload: { kind: 'view-and-digest' as const, ...value } })),
  maybe(members).map((value) => ({
    header: sayingGms('MERGE_REQ'),
    payload: { kind: 'members' as const, members: value },
  })),
  maybe(viewId).map((value) => ({
    header: sayingGms('GET_CURRENT_VIEW'),
    payload: { kind: 'view-id' as const, viewId: value },
  })),
  maybe(anyView).map((value) => ({
    header: {
      protocol: 'MERGE3' as const,
      type: 'VIEW_RSP' as const,
      viewId: null,
      logicalName: null,
      physicalAddress: null,
    },
    payload: { kind: 'view' as const, view: value },
  })),
  fc.array(fc.record({ mbr: maybe(address), sockAddress: maybe(ip) }), { maxLength: 4 }).map((entries) => ({
    header: {
      protocol: 'FD_SOCK' as const,
      type: 'GET_CACHE_RSP' as const,
      mbr: null,
      sockAddress: null,
      mbrs: [],
    },
    payload: { kind: 'sock-cache' as const, entries },
  })),
);

const message: fc.Arbitrary<Message> = fc.record({
  dest: maybe(address),
  src: maybe(address),
  flags: fc.integer({ min: 0, max: 0x7ff }),
  headers: fc.array(header, { maxLength: 6 }),
  payload: maybe(fc.uint8Array({ maxLength: 200 })),
});

const version = fc.integer({ min: 0x1980, max: 0x19bf });
export const datagram: fc.Arbitrary<Datagram> = fc.oneof(
  fc
    .record({ version, multicast: fc.boolean(), message })
    .map((value) => ({ kind: 'single' as const, ...value })),
  fc
    .record({
      version,
      multicast: fc.boolean(),
      dest: maybe(address),
      src: maybe(address),
      cluster,
      messages: fc.array(message, { minLength: 2, maxLength: 12 }),
    })
    .map((value) => ({ kind: 'bundle' as const, ...value })),
);
