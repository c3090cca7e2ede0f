/** Datagrams with the bytes that WIRE-3.6 gives them and the values that they stand for. */
import { Flag } from '../../../codecs/jgroups/message.ts';
import type { Address, Datagram, GeodeAddress, Header, Message } from '../../../codecs/jgroups/message.ts';
import { hex, VERSION_3_6_14, VERSION_3_6_20 } from './wire-builder.ts';

export interface Vector {
  readonly name: string;
  readonly bytes: Buffer;
  readonly value: Datagram;
}

/** Peers 0 and 1 of the recorded scenarios. */
export const P0: GeodeAddress = {
  kind: 'geode',
  uuid: '10000000000000002000000000000000',
  host: '127.0.0.1',
  scopeId: 0,
  port: 41600,
  viewId: 0,
};
export const P1: GeodeAddress = { ...P0, uuid: '11010101010101012202020202020202', port: 41601, viewId: 1 };
export const TP_AG: Header = { protocol: 'TP', cluster: 'AG' };

const P0_HEX = '00 07d0 04 7f000001 a280 00000000 1000000000000000 2000000000000000';
const P1_HEX = '00 07d0 04 7f000001 a281 00000001 1101010101010101 2202020202020202';
const TP_HEX = '004b 0038 0002 4147';

export const EMPTY_MESSAGE: Message = { dest: null, src: null, flags: 0, headers: [], payload: null };

export function single(message: Partial<Message>, version = VERSION_3_6_14): Datagram {
  return { kind: 'single', version, multicast: false, message: { ...EMPTY_MESSAGE, ...message } };
}

function vector(name: string, digits: string, value: Datagram): Vector {
  return { name, bytes: hex(digits), value };
}

/** One message from P0 to P1 with the given headers; `count` and `digits` are the headers' wire form. */
function withHeaders(name: string, count: string, digits: string, headers: readonly Header[]): Vector {
  return vector(
    name,
    `198e 00 03 0000 ${P1_HEX} ${P0_HEX} ${count} ${digits}`,
    single({ dest: P1, src: P0, headers }),
  );
}

function withHeader(name: string, digits: string, header: Header): Vector {
  return withHeaders(name, '0001', digits, [header]);
}

function withDest(name: string, digits: string, dest: Address): Vector {
  return vector(name, `198e 00 01 0000 ${digits} 0000`, single({ dest }));
}

const data = (seqno: number, connId: number, first: boolean): Header => ({
  protocol: 'UNICAST3',
  type: 'DATA',
  seqno,
  connId,
  first,
});

const UUID = { kind: 'uuid', uuid: '0102030405060708f1f2f3f4f5f6f7f8' } as const;

const ADDRESSES: readonly Vector[] = [
  withDest('UUID, least significant half first', '02 f1f2f3f4f5f6f7f8 0102030405060708', UUID),
  withDest('IpAddress, IPv4', '10 04 c0a80001 1e61', {
    kind: 'ip',
    host: '192.168.0.1',
    scopeId: 0,
    port: 7777,
  }),
  withDest('IpAddress, IPv6 with a scope', '10 10 fe800000000000000000000000000001 00000003 ffff', {
    kind: 'ip',
    host: 'fe80::1',
    scopeId: 3,
    port: 65535,
  }),
  withDest('IpAddress without an address', '10 00 0001', { kind: 'ip', host: '', scopeId: 0, port: 1 }),
  withDest('JGAddress, IPv4, not joined yet', P1_HEX.replace('00000001', 'ffffffff'), { ...P1, viewId: -1 }),
  withDest(
    'JGAddress, IPv6',
    '00 07d0 10 20010db8000000000000000000000042 00000000 a281 00000007 1101010101010101 2202020202020202',
    { ...P1, host: '2001:db8::42', viewId: 7 },
  ),
  withDest(
    'JGAddress, IPv6 with a negative scope and view',
    '00 07d0 10 00000000000000000000000000000001 ffffffff 0000 80000000 ffffffffffffffff 0000000000000000',
    {
      kind: 'geode',
      host: '::1',
      scopeId: -1,
      port: 0,
      viewId: -2147483648,
      uuid: 'ffffffffffffffff0000000000000000',
    },
  ),
  withDest('JGAddress without an address', '00 07d0 00 a281 00000001 1101010101010101 2202020202020202', {
    ...P1,
    host: '',
  }),
];

const SEQNOS: readonly (readonly [string, number])[] = [
  ['00', 0],
  ['01 01', 1],
  ['01 ff', 255],
  ['02 00 01', 256],
  ['02 2c 01', 300],
  ['02 ff ff', 65535],
  ['03 00 00 01', 65536],
  ['04 ff ff ff ff', 2 ** 32 - 1],
  ['05 00 00 00 00 01', 2 ** 32],
  ['06 ff ff ff ff ff ff', 2 ** 48 - 1],
  ['07 00 00 00 00 00 00 01', 2 ** 48],
  ['07 ff ff ff ff ff ff 1f', 2 ** 53 - 1],
];

const HEADERS: readonly Vector[] = [
  withHeader('TP', TP_HEX, TP_AG),
  withHeader('TP without a cluster', '004b 0038 ffff', { protocol: 'TP', cluster: null }),
  withHeader('TP with an empty cluster', '004b 0038 0000', { protocol: 'TP', cluster: '' }),
  ...SEQNOS.map(([digits, seqno]) =>
    withHeader(`UNICAST3 DATA ${seqno}`, `0040 006b 00 ${digits} 0000 00`, data(seqno, 0, false)),
  ),
  withHeader('UNICAST3 DATA, first', '0040 006b 00 0101 7fff 01', data(1, 32767, true)),
  withHeader('UNICAST3 ACK', '0040 006b 01 022c01 0003 020001', {
    protocol: 'UNICAST3',
    type: 'ACK',
    seqno: 300,
    connId: 3,
    timestamp: 256,
  }),
  withHeader('UNICAST3 SEND_FIRST_SEQNO', '0040 006b 02 0109', {
    protocol: 'UNICAST3',
    type: 'SEND_FIRST_SEQNO',
    timestamp: 9,
  }),
  withHeader('UNICAST3 XMIT_REQ', '0040 006b 03', { protocol: 'UNICAST3', type: 'XMIT_REQ' }),
  withHeader('UNICAST3 CLOSE', '0040 006b 04 0102', { protocol: 'UNICAST3', type: 'CLOSE', connId: 258 }),
  withHeader('UFC REPLENISH', '002d 0036 01', { protocol: 'UFC', type: 'REPLENISH' }),
  withHeader('UFC CREDIT_REQUEST', '002d 0036 02', { protocol: 'UFC', type: 'CREDIT_REQUEST' }),
  withHeader('MFC REPLENISH', '002c 0036 01', { protocol: 'MFC', type: 'REPLENISH' }),
  withHeader('MFC CREDIT_REQUEST', '002c 0036 02', { protocol: 'MFC', type: 'CREDIT_REQUEST' }),
  withHeader('FRAG2', '0005 0007 01ff 00000000 00000002', {
    protocol: 'FRAG2',
    id: 255,
    fragNo: 0,
    numFrags: 2,
  }),
  withHeader('FRAG2, large numbers', '0005 0007 050000000001 7ffffffe 7fffffff', {
    protocol: 'FRAG2',
    id: 2 ** 32,
    fragNo: 0x7ffffffe,
    numFrags: 0x7fffffff,
  }),
  withHeaders(
    'three headers keep their order',
    '0003',
    `0005 0007 0101 00000001 00000002 0040 006b 00 0102 0000 00 ${TP_HEX}`,
    [{ protocol: 'FRAG2', id: 1, fragNo: 1, numFrags: 2 }, data(2, 0, false), TP_AG],
  ),
  withHeaders('an unusual order of headers too', '0002', `${TP_HEX} 0040 006b 03`, [
    TP_AG,
    { protocol: 'UNICAST3', type: 'XMIT_REQ' },
  ]),
];

const BODY = Buffer.from(Array.from({ length: 100 }, (_, k) => (1 + k) % 256));
BODY.writeUInt32BE(1, 0);

const MESSAGES: readonly Vector[] = [
  vector('the least message', '198e 00 00 0000 0000', single({})),
  vector('payload absent', `198e 00 02 0000 ${P0_HEX} 0000`, single({ src: P0 })),
  vector(
    'payload empty',
    `198e 00 06 0000 ${P0_HEX} 0000 00000000`,
    single({ src: P0, payload: Buffer.alloc(0) }),
  ),
  vector('payload of 3', '198e 00 04 0000 0000 00000003 010203', single({ payload: hex('010203') })),
  vector('all flags', '198e 00 00 07ff 0000', single({ flags: 0x07ff })),
  vector('flags that 3.6 does not know', '198e 00 00 f800 0000', single({ flags: 0xf800 })),
  vector(
    'high priority flags of Geode',
    '198e 00 00 0407 0000',
    single({ flags: Flag.OOB | Flag.DONT_BUNDLE | Flag.NO_FC | Flag.SKIP_BARRIER }),
  ),
  vector('3.6.20', '1994 00 00 0000 0000', single({}, VERSION_3_6_20)),
  vector('to the group', `198e 02 02 0000 ${P0_HEX} 0001 ${TP_HEX}`, {
    kind: 'single',
    version: VERSION_3_6_14,
    multicast: true,
    message: { ...EMPTY_MESSAGE, src: P0, headers: [TP_AG] },
  }),
  vector(
    'the worked example of section 14',
    `198e 00 07 0002 ${P1_HEX} ${P0_HEX} 0002 0040 006b 00 0101 0000 01 ${TP_HEX}
     00000064 ${BODY.toString('hex')}`,
    single({
      dest: P1,
      src: P0,
      flags: Flag.DONT_BUNDLE,
      headers: [data(1, 0, true), TP_AG],
      payload: BODY,
    }),
  ),
  vector(
    'credits: 8 bytes of payload',
    `198e 00 07 0203 ${P0_HEX} ${P1_HEX} 0003 002d 0036 01 0040 006b 00 0101 0000 01 ${TP_HEX}
     00000008 0000000000003a98`,
    single({
      dest: P0,
      src: P1,
      flags: Flag.OOB | Flag.DONT_BUNDLE | Flag.INTERNAL,
      headers: [{ protocol: 'UFC', type: 'REPLENISH' }, data(1, 0, true), TP_AG],
      payload: hex('0000000000003a98'),
    }),
  ),
];

const inBundle = (seqno: number, payload: Buffer): Message => ({
  ...EMPTY_MESSAGE,
  headers: [data(seqno, 0, seqno === 1)],
  payload,
});

const BUNDLES: readonly Vector[] = [
  vector(
    'a bundle of two',
    `198e 01 ${P1_HEX} ${P0_HEX} 0002 4147 00000002
     04 0000 0001 0040006b 00 0101 0000 01 00000002 aabb
     04 0000 0001 0040006b 00 0102 0000 00 00000000`,
    {
      kind: 'bundle',
      version: VERSION_3_6_14,
      multicast: false,
      dest: P1,
      src: P0,
      cluster: 'AG',
      messages: [inBundle(1, hex('aabb')), inBundle(2, Buffer.alloc(0))],
    },
  ),
  vector(
    'a bundle to the group, without a cluster, one message with a source and another without anything',
    `1994 03 01 02 f1f2f3f4f5f6f7f8 0102030405060708 ffff 00000003
     00 0000 0000
     02 0001 ${P0_HEX} 0000
     03 0000 ${P1_HEX} 10 04 0a000001 0050 0000`,
    {
      kind: 'bundle',
      version: VERSION_3_6_20,
      multicast: true,
      dest: null,
      src: UUID,
      cluster: null,
      messages: [
        EMPTY_MESSAGE,
        { ...EMPTY_MESSAGE, flags: Flag.OOB, src: P0 },
        { ...EMPTY_MESSAGE, dest: P1, src: { kind: 'ip', host: '10.0.0.1', scopeId: 0, port: 80 } },
      ],
    },
  ),
];

export const VECTORS: readonly Vector[] = [...ADDRESSES, ...HEADERS, ...MESSAGES, ...BUNDLES];
