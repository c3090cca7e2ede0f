/** The JGroups 3.6 codec held against the wire reference (WIRE-3.6 sections 1-6a, 8, 9, 14). */
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import { CodecError } from '../../../codecs/bytes/errors.ts';
import {
  MAX_BUNDLE_MESSAGES,
  MAX_HEADERS,
  MAX_SEQNO_LIST_BITS,
  MAX_UDP_PAYLOAD_BYTES,
} from '../../../codecs/bytes/limits.ts';
import type { Datagram, Header } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { decodeSeqnoList, encodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { rejects, rejectsOtherLengths } from './checks.ts';
import { P0, P1, single, VECTORS } from './vectors.ts';
import * as wire from './wire-builder.ts';

const { hex, join } = wire;

function header(bytes: Buffer): Buffer {
  return join(hex('198e 00 00 0000 0001'), bytes);
}

for (const { name, bytes, value } of VECTORS) {
  test(`${name}: bytes to value, value to bytes`, (t) => {
    t.deepEqual(wire.datagram(value).toString('hex'), bytes.toString('hex'), 'the vector contradicts itself');
    t.deepEqual(wire.comparable(decodeDatagram(bytes)), wire.comparable(value));
    t.is(encodeDatagram(value).toString('hex'), bytes.toString('hex'));
  });

  test(`${name}: truncated anywhere it is an error, and so is a byte too many`, (t) => {
    rejectsOtherLengths(t, decodeDatagram, bytes);
  });
}

test('a datagram inside a larger buffer decodes alike, and neither side writes into it', (t) => {
  for (const { bytes, value } of VECTORS) {
    const room = new Uint8Array(bytes.length + 32).fill(0xee);
    room.set(bytes, 7);
    const before = Uint8Array.from(room);
    const decoded = decodeDatagram(room.subarray(7, 7 + bytes.length));
    t.deepEqual(wire.comparable(decoded), wire.comparable(value));
    t.true(encodeDatagram(decoded).equals(bytes));
    t.deepEqual(room, before);
  }
});

test('a cvlong above 2^53-1, below zero or of more than eight bytes is an error', (t) => {
  const data = (seqno: string): Buffer => header(hex(`0040 006b 00 ${seqno} 0000 00`));
  t.notThrows(() => decodeDatagram(data('07 ffffffffffff1f')));
  for (const seqno of [
    '07 00000000000020',
    '07 ffffffffffffff',
    '08 0000000000000001',
    '08 ffffffffffffffff',
    '08 0000000000000080',
    '09 010000000000000000',
    'ff 0100000000000000',
  ]) {
    rejects(t, decodeDatagram, data(seqno));
  }
});

test('a wire version that is not 3.6 is ERR_VERSION; every micro version of 3.6 is accepted', (t) => {
  const least = (version: number): Buffer => join(wire.u16(version), hex('00 00 0000 0000'));
  for (let micro = 0; micro < 64; micro++) {
    const bytes = least(0x1980 + micro);
    t.true(encodeDatagram(decodeDatagram(bytes)).equals(bytes));
  }
  // 2.12.2, 3.5.63, 3.7.0, 4.2.30, nothing, and "ping" sent raw
  for (const version of [0x1302, 0x197f, 0x19c0, 0x209e, 0x0000, 0xffff, 0x7069]) {
    rejects(t, decodeDatagram, least(version), 'ERR_VERSION');
    t.throws(() => encodeDatagram(single({}, version)), { instanceOf: CodecError, code: 'ERR_VERSION' });
  }
});

test('an unknown header is ERR_UNKNOWN_HEADER and names where it stands', (t) => {
  for (const ids of ['0040 1234', '03e8 ffff', '004b 0000', '0000 0000']) {
    const bytes = header(hex(`${ids} 0000 0000`));
    rejects(t, decodeDatagram, bytes, 'ERR_UNKNOWN_HEADER');
  }
});

test('an unknown address is ERR_UNKNOWN_ADDRESS', (t) => {
  const uuid = '0102030405060708 1112131415161718';
  for (const address of [`20 ${uuid}`, `00 07d1 ${uuid}`, `00 ffff ${uuid}`, `80 ${uuid}`]) {
    rejects(t, decodeDatagram, hex(`198e 00 01 0000 ${address} 0000`), 'ERR_UNKNOWN_ADDRESS');
  }
});

test('an IP address of a length other than 0, 4 or 16 is an error', (t) => {
  for (const length of ['01', '05', '08', '0f', '11', '80', 'ff']) {
    const rest = '00'.repeat(300);
    rejects(t, decodeDatagram, hex(`198e 00 01 0000 10 ${length} ${rest}`));
    rejects(t, decodeDatagram, hex(`198e 00 01 0000 00 07d0 ${length} ${rest}`));
  }
});

test('a value that a field may not have is an error', (t) => {
  for (const digits of [
    '0040 006b 05', // UNICAST3 has five types
    '0040 006b ff 0101 0000 00',
    '0040 006b 00 0101 0000 02', // no boolean
    '002d 0036 00', // flow control has two
    '002d 0036 03',
    '004b 0038 fffe', // a length below -1
    '004b 0038 8000',
  ]) {
    rejects(t, decodeDatagram, header(hex(digits)));
  }
});

test('counts and lengths over their limits are errors at once, whatever follows', (t) => {
  const bundle = (count: number, rest: Buffer = Buffer.alloc(0)): Buffer =>
    join(hex('198e 01 01 01 ffff'), wire.i32(count), rest);
  const emptyMessages = (count: number): Buffer => Buffer.alloc(5 * count);
  const tooMany = hex('004b 0038 ffff'.repeat(MAX_HEADERS + 1));
  const longest = Math.floor((MAX_UDP_PAYLOAD_BYTES - 11) / 5);
  t.notThrows(() => decodeDatagram(bundle(longest, emptyMessages(longest))));
  rejects(
    t,
    decodeDatagram,
    bundle(MAX_BUNDLE_MESSAGES + 1, emptyMessages(MAX_BUNDLE_MESSAGES + 1)),
    'ERR_LIMIT',
  );
  rejects(t, decodeDatagram, join(hex('198e 00 00 0000'), wire.u16(MAX_HEADERS + 1), tooMany), 'ERR_LIMIT');
  t.notThrows(() => decodeDatagram(join(hex('198e 00 00 0000'), wire.u16(MAX_HEADERS), tooMany.subarray(6))));
  for (const count of [-1, -2147483648, 2147483647]) {
    rejects(t, decodeDatagram, bundle(count, hex('000000')));
    rejects(t, decodeDatagram, join(hex('198e 00 04 0000 0000'), wire.i32(count), hex('000000')));
  }
  rejects(t, decodeDatagram, header(hex('004b 0038 7fff 41')), 'ERR_TRUNCATED');
});

test('a count near 2^31 with hardly a byte behind it costs nothing', (t) => {
  const bytes = hex('198e 01 01 01 ffff 7fffffff 000000');
  const heap = process.memoryUsage().heapUsed;
  for (let i = 0; i < 1000; i++) t.throws(() => decodeDatagram(bytes), { instanceOf: CodecError });
  t.true(process.memoryUsage().heapUsed - heap < 64 * 1024 * 1024);
});

test('a SeqnoList is read and written as recorded (section 6a)', (t) => {
  const bytes = hex('01 00000008 0000000000000005 0000000000000049');
  t.deepEqual(decodeSeqnoList(bytes), [5, 8, 11]);
  t.is(encodeSeqnoList([5, 8, 11], 13).toString('hex'), bytes.toString('hex'));
});

test('a SeqnoList: word boundaries, one seqno, large seqnos', (t) => {
  const words = (...values: bigint[]): Buffer => join(...values.map(wire.i64));
  const cases: readonly (readonly [number[], number, Buffer])[] = [
    [[1], 2, join(hex('01 00000001'), wire.i64(1), words(1n))],
    [[7, 70], 71, join(hex('01 00000040'), wire.i64(7), words(0x8000000000000001n))],
    [[7, 71], 72, join(hex('01 00000041'), wire.i64(7), words(1n, 1n))],
    [[7, 38, 39, 134], 135, join(hex('01 00000080'), wire.i64(7), words(0x180000001n, 1n << 63n))],
    [[2 ** 53 - 2], 2 ** 53 - 1, join(hex('01 00000001'), wire.i64(2 ** 53 - 2), words(1n))],
  ];
  for (const [seqnos, end, bytes] of cases) {
    t.deepEqual(decodeSeqnoList(bytes), seqnos);
    t.is(encodeSeqnoList(seqnos, end).toString('hex'), bytes.toString('hex'));
    for (let length = 0; length < bytes.length; length++) {
      rejects(t, decodeSeqnoList, bytes.subarray(0, length));
    }
    rejects(t, decodeSeqnoList, join(bytes, hex('00')), 'ERR_TRAILING_BYTES');
  }
});

test('a SeqnoList over its limit, with a bad size or bits past 2^53 is an error', (t) => {
  const list = (size: number, offset: bigint): Buffer => join(hex('01'), wire.i32(size), wire.i64(offset));
  const room = Buffer.alloc(8 * Math.ceil((MAX_SEQNO_LIST_BITS + 1) / 64));
  rejects(t, decodeSeqnoList, join(list(MAX_SEQNO_LIST_BITS + 1, 1n), room), 'ERR_LIMIT');
  rejects(t, decodeSeqnoList, list(2147483647, 1n));
  rejects(t, decodeSeqnoList, list(-1, 1n));
  rejects(t, decodeSeqnoList, join(list(64, 2n ** 53n), wire.i64(1)));
  rejects(t, decodeSeqnoList, join(list(64, -1n), wire.i64(1)));
});

test('a SeqnoList bit that stands for 2^53 is an error', (t) => {
  const bytes = join(hex('01'), wire.i32(64), wire.i64(2n ** 53n - 1n), wire.i64(2n));
  rejects(t, decodeSeqnoList, bytes);
});

const DATA = { protocol: 'UNICAST3', type: 'DATA', seqno: 1, connId: 0, first: false } as const;
const withHeader = (one: Header): Datagram => single({ headers: [one] });

/** Values that no wire can carry. */
const REFUSED: Readonly<Record<string, Datagram>> = {
  'a negative seqno': withHeader({ ...DATA, seqno: -1 }),
  'a seqno of 2^53': withHeader({ ...DATA, seqno: 2 ** 53 }),
  'half a seqno': withHeader({ ...DATA, seqno: 1.5 }),
  'no number for a seqno': withHeader({ ...DATA, seqno: Number.NaN }),
  'a cluster name of 32768 characters': withHeader({ protocol: 'TP', cluster: 'x'.repeat(32768) }),
  'a short uuid': single({ dest: { ...P0, uuid: '10' } }),
  'a host name': single({ src: { ...P1, host: 'localhost' } }),
  'no IPv4 address': single({ src: { ...P1, host: '1.2.3.256' } }),
  'a conn_id of 32768': withHeader({ ...DATA, connId: 32768 }),
  'a fragment number of 2^31': withHeader({ protocol: 'FRAG2', id: 1, fragNo: 2 ** 31, numFrags: 1 }),
  'flags of 17 bits': single({ flags: 0x10000 }),
  'a port of 65536': single({ dest: { ...P0, port: 65536 } }),
  'a view id of 2^31': single({ dest: { ...P0, viewId: 2 ** 31 } }),
  'a uuid that is no hex': single({ dest: { ...P0, uuid: 'no hexadecimal digits, though 32' } }),
  'a cluster name outside Latin-1': withHeader({ protocol: 'TP', cluster: '\u{1F600}' }),
};

for (const [name, value] of Object.entries(REFUSED)) {
  test(`the encoder refuses ${name}`, (t) => {
    t.throws(() => encodeDatagram(value), { instanceOf: CodecError });
  });
}

test('the vectors tell each other apart', (t) => {
  for (const [i, a] of VECTORS.entries()) {
    for (const b of VECTORS.slice(i + 1)) {
      t.false(isDeepStrictEqual(wire.comparable(a.value), wire.comparable(b.value)), `${a.name}, ${b.name}`);
    }
  }
});
