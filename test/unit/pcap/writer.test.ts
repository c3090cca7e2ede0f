/** Capture files that we write: bytes by hand, checksums by another sum, and back through the reader. */
import fc from 'fast-check';
import test from 'ava';

import {
  addressBytes,
  encodeInterface,
  encodeSection,
  encodeStatistics,
  LinkType,
  maxSegmentBytes,
  maxUdpPayloadBytes,
  packetBlockBytes,
  STATISTICS_BYTES,
  tcpPacketBytes,
  TcpScript,
  udpPacketBytes,
  writePacketBlock,
  writeTcpPacket,
  writeUdpPacket,
} from '../../../codecs/pcap/index.ts';
import type { PacketEndpoint, PayloadEdit } from '../../../codecs/pcap/index.ts';
import { TcpFlag } from '../../../codecs/pcap/transport.ts';
import * as b from './builder.ts';

const { hex, join } = b;

function endpoint(host: string, port: number): PacketEndpoint {
  return { address: addressBytes(host)!, port };
}

const PAIRS = {
  IPv4: [endpoint('10.0.0.1', 1111), endpoint('10.0.0.2', 2222)],
  IPv6: [endpoint('2001:db8::1', 1111), endpoint('2001:db8::2', 2222)],
} as const;

const HEAD = join(
  encodeSection({ application: 'rollgate', comment: 'test' }),
  encodeInterface(LinkType.RAW, 'rollgate'),
);

function udpPacket(from: PacketEndpoint, to: PacketEndpoint, payload: Buffer, edit?: PayloadEdit): Buffer {
  const packet = Buffer.alloc(udpPacketBytes(from.address.length, payload.length), 0xee);
  writeUdpPacket(packet, 0, from, to, payload, edit);
  return packet;
}

/** At an odd place in a buffer that was used before. */
function packetBlock(packet: Buffer, timeMicros: number, outgoing: boolean): Buffer {
  const target = Buffer.alloc(packetBlockBytes(packet.length) + 8, 0xee);
  packet.copy(target, writePacketBlock(target, 3, packet.length, timeMicros, outgoing));
  checkMargins(target, packet.length);
  return target.subarray(3, 3 + packetBlockBytes(packet.length));
}

/** Nothing is written before or behind a block. */
function checkMargins(target: Buffer, packetBytes: number): void {
  const end = 3 + packetBlockBytes(packetBytes);
  for (const part of [target.subarray(0, 3), target.subarray(end)]) {
    if (!part.every((byte) => byte === 0xee)) throw new Error('a block is larger than it says');
  }
}

/** The Internet checksum, bit by bit as RFC 1071 has it: 0 over what holds its own checksum. */
function checksum(bytes: Buffer): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    total += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
    if (total > 0xffff) total -= 0xffff;
  }
  return total === 0xffff ? 0 : total;
}

/** Of the transport header and payload of a packet, with the pseudo-header. */
function transportChecksum(packet: Buffer): number {
  const v4 = packet[0]! >> 4 === 4;
  const body = packet.subarray(v4 ? 20 : 40);
  const addresses = v4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  return checksum(
    join(addresses, b.u32(body.length), Buffer.from([0, 0, 0, v4 ? packet[9]! : packet[6]!]), body),
  );
}

test('a section, an interface, a packet and statistics, byte by byte', (t) => {
  t.deepEqual(
    encodeSection({ application: 'abcde', comment: 'xyz' }),
    b.block(
      0x0a0d0d0a,
      join(
        b.u32(0x1a2b3c4d, 'LE'),
        b.u16(1, 'LE'),
        b.u16(0),
        b.u64(-1n),
        b.option(1, Buffer.from('xyz'), 'LE'),
        b.option(4, Buffer.from('abcde'), 'LE'),
        hex('00000000'),
      ),
      'LE',
    ),
  );
  const options = join(b.option(2, Buffer.from('tap'), 'LE'), b.option(9, hex('06'), 'LE'), hex('00000000'));
  t.deepEqual(encodeInterface(101, 'tap'), b.interfaceBlock('LE', 101, 0, options));

  const time = 1_700_000_000_123_456n;
  const times = join(b.u32(Number(time >> 32n), 'LE'), b.u32(Number(time & 0xffffffffn), 'LE'));
  for (const [outgoing, flags] of [
    [false, 1],
    [true, 2],
  ] as const) {
    const body = join(
      b.u32(0),
      times,
      b.u32(5, 'LE'),
      b.u32(5, 'LE'),
      hex('0102030405 000000'),
      b.option(2, b.u32(flags, 'LE'), 'LE'),
      hex('00000000'),
    );
    t.deepEqual(packetBlock(hex('0102030405'), Number(time), outgoing), b.block(6, body, 'LE'));
  }

  const statistics = encodeStatistics(Number(time), 7, 2);
  const counts = [
    b.option(3, times, 'LE'),
    b.option(4, b.u64(7n, 'LE'), 'LE'),
    b.option(5, b.u64(2n, 'LE'), 'LE'),
  ];
  t.deepEqual(statistics, b.block(5, join(b.u32(0), times, ...counts, hex('00000000')), 'LE'));
  t.is(statistics.length, STATISTICS_BYTES);
});

test('a UDP packet, byte by byte', (t) => {
  // checksums: worked out by hand from RFC 791 and RFC 768
  t.deepEqual(
    udpPacket(endpoint('10.0.0.1', 1), endpoint('10.0.0.2', 2), hex('0102 03')),
    hex('4500001f 00004000 4011 26cc 0a000001 0a000002  0001 0002 000b e7d0 010203'),
  );
  t.deepEqual(
    udpPacket(endpoint('::1', 1), endpoint('::2', 2), hex('0102')),
    hex(
      '60000000 000a 11 40 00000000000000000000000000000001 00000000000000000000000000000002' +
        '0001 0002 000a fed2 0102',
    ),
  );
});

test('addresses: literals with and without a zone, and nothing else', (t) => {
  t.deepEqual(addressBytes('127.0.0.1'), hex('7f000001'));
  t.deepEqual(addressBytes('fe80::1%eth0'), hex('fe800000000000000000000000000001'));
  t.deepEqual(addressBytes('::ffff:1.2.3.4'), hex('00000000 00000000 0000ffff 01020304'));
  for (const host of ['', '%lo', 'localhost', '1.2.3', '1.2.3.256', 'fe80:::1', '::1.2.3', '1:2.3.4.5']) {
    t.is(addressBytes(host), null, host);
  }
});

for (const [name, [from, to]] of Object.entries(PAIRS)) {
  const { length } = from.address;

  test(`UDP over ${name}: what is written is read back, with checksums that hold`, (t) => {
    const payloads = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 0, max: maxUdpPayloadBytes(length) }).map((size) => b.pattern(size, size)),
      fc.constant(b.pattern(maxUdpPayloadBytes(length))),
      fc.constant(new Uint8Array(100)),
      fc.constant(new Uint8Array(101).fill(0xff)),
    );
    fc.assert(
      fc.property(payloads, fc.boolean(), fc.integer({ min: 0, max: 2 ** 52 }), (bytes, out, micros) => {
        const payload = Buffer.from(bytes);
        const packet = udpPacket(from, to, payload);
        if (length === 4) t.is(checksum(packet.subarray(0, 20)), 0);
        t.is(transportChecksum(packet), 0);
        const [item, ...rest] = b.read(join(HEAD, packetBlock(packet, micros, out)));
        t.deepEqual(rest, []);
        t.like(item, { sec: Math.floor(micros / 1e6), nsec: (micros % 1e6) * 1000, kind: 'udp' });
        const host = name === 'IPv4' ? '10.0.0.1:1111' : '[2001:db8::1]:1111';
        t.true(item?.kind === 'udp' && item.payload.equals(payload) && item.from.text === host);
      }),
      { numRuns: 100 },
    );
  });

  test(`an edit is made before the checksum, ${name}`, (t) => {
    const payload = Buffer.from('secret');
    const packet = udpPacket(from, to, payload, (copy) => copy.fill(0));
    t.is(payload.toString(), 'secret');
    t.is(transportChecksum(packet), 0);
    t.deepEqual(packet.subarray(-6), Buffer.alloc(6));
  });

  test(`a TCP conversation over ${name} is read back, byte for byte, in both directions`, (t) => {
    // the sequence numbers wrap
    const { script, file, flags } = conversation(from, to, 0xffff_ff00);
    const big = b.pattern(3 * maxSegmentBytes(length) + 5);
    script.open(true);
    script.data(true, Buffer.from('hello'));
    script.data(false, Buffer.from('welcome'));
    script.data(true, big);
    script.data(true, hex(''));
    script.data(false, Buffer.from('thanks'));
    script.finish(true);
    script.data(true, Buffer.from('too late'));
    script.data(false, Buffer.from('bye'));
    script.finish(false);
    script.finish(true);
    script.reset(true);
    const { streams, ends, strange } = streamsOf(b.read(file()));
    t.deepEqual(strange, []);
    t.deepEqual(streams, [join(Buffer.from('hello'), big), Buffer.from('welcomethanksbye')]);
    t.deepEqual(ends, ['closed', 'closed']);
    t.is(flags().join(' '), 'S SA A PA PA PA PA PA PA PA FA PA FA A');
  });
}

test('TCP: a reset ends both directions, and the ports are good for another connection', (t) => {
  const [from, to] = PAIRS.IPv4;
  const first = conversation(from, to, 1);
  first.script.open(false);
  first.script.data(false, Buffer.from('one'));
  first.script.data(true, Buffer.from('two'));
  first.script.reset(false);
  first.script.finish(true);
  first.script.data(true, Buffer.from('nothing'));
  const second = conversation(from, to, 1001);
  second.script.open(false);
  second.script.data(false, Buffer.from('three'));
  const { streams, ends, strange } = streamsOf(
    b.read(join(first.file(), second.file().subarray(HEAD.length))),
  );
  t.deepEqual(strange, []);
  t.deepEqual(streams.map(String), ['one', 'two', 'three']);
  t.deepEqual(ends, ['reset', 'reset', 'end']);
});

interface Conversation {
  readonly script: TcpScript;
  readonly file: () => Buffer;
  /** Of each segment, in letters. */
  readonly flags: () => string[];
}

/** A conversation that is written into a file; checks every packet's checksums on the way. */
function conversation(ours: PacketEndpoint, theirs: PacketEndpoint, startSeq: number): Conversation {
  const blocks: Buffer[] = [HEAD];
  const letters: string[] = [];
  const { length } = ours.address;
  const script = new TcpScript(
    (outgoing, fields, payload) => {
      const packet = Buffer.alloc(tcpPacketBytes(length, fields.flags, payload.length), 0xee);
      const [from, to] = outgoing ? [ours, theirs] : [theirs, ours];
      writeTcpPacket(packet, 0, from, to, fields, payload);
      if (transportChecksum(packet) !== 0) throw new Error('checksum');
      if (length === 4 && checksum(packet.subarray(0, 20)) !== 0) throw new Error('IPv4 checksum');
      blocks.push(packetBlock(packet, blocks.length, outgoing));
      letters.push(
        Object.entries({ S: TcpFlag.SYN, F: TcpFlag.FIN, R: TcpFlag.RST, P: TcpFlag.PSH, A: TcpFlag.ACK })
          .filter(([, bit]) => (fields.flags & bit) !== 0)
          .map(([letter]) => letter)
          .join(''),
      );
    },
    maxSegmentBytes(length),
    startSeq,
  );
  return { script, file: () => join(...blocks), flags: () => letters };
}

function streamsOf(items: ReturnType<typeof b.read>): {
  streams: Buffer[];
  ends: string[];
  strange: string[];
} {
  const streams = new Map<number, Buffer>();
  const ends: string[] = [];
  const strange: string[] = [];
  for (const item of items) {
    if (item.kind === 'tcp') {
      if (!item.stream.fromStart) strange.push('not from the start');
      streams.set(item.stream.id, join(streams.get(item.stream.id) ?? hex(''), item.payload));
    } else if (item.kind === 'tcp-end') {
      if (streams.has(item.stream.id)) ends.push(item.reason);
    } else {
      strange.push(...b.brief([item]));
    }
  }
  // by the order of their data
  return { streams: [...streams.values()], ends, strange };
}
