/** Link types, VLAN tags, IPv4 and IPv6, fragments, UDP. */
import test from 'ava';
import { seededRng, below } from '../../../src/protocol/rng.ts';
import { FRAGMENT_TIMEOUT_SECONDS, MAX_FRAGMENT_BYTES } from '../../../codecs/pcap/limits.ts';
import { IpReassembly } from '../../../codecs/pcap/ip-reassembly.ts';
import * as b from './builder.ts';
import type { Packet } from './builder.ts';

const { hex, join } = b;
const BODY = hex('c0ffee');
const V4 = b.ipv4(b.udp(BODY));
const V6 = b.ipv6(b.udp(BODY));
const V4_SAYS = 'udp 10.0.0.1:1111>10.0.0.2:2222 c0ffee';
const V6_SAYS = 'udp [2001:db8::1]:1111>[2001:db8::2]:2222 c0ffee';

function says(bytes: Buffer, linkType = 1): string[] {
  return b.brief(b.read(b.pcap([bytes], { linkType })));
}

/** The items of several IP packets in Ethernet frames. */
function saysAll(...packets: readonly (Buffer | Packet)[]): string[] {
  const framed = packets.map((one) =>
    Buffer.isBuffer(one) ? frameOf(one) : { ...one, bytes: frameOf(one.bytes) },
  );
  return b.brief(b.read(b.pcap(framed)));
}

function frameOf(packet: Buffer): Buffer {
  return b.ethernet(packet, (packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800);
}

const ADDRESS = '0000 0001 0006 020000000001 0000';
const SLL2_HEAD = '0000 00000003 0001 00 06 0200000000010000';

const LINKS: readonly (readonly [name: string, linkType: number, bytes: Buffer, says: string])[] = [
  ['Ethernet, IPv4', 1, b.ethernet(V4), V4_SAYS],
  ['Ethernet, IPv6', 1, b.ethernet(V6, 0x86dd), V6_SAYS],
  ['Ethernet with padding and a frame check sequence', 1, b.ethernet(join(V4, b.pattern(19))), V4_SAYS],
  ['an 802.1Q tag', 1, b.ethernet(V4, 0x0800, [0x8100]), V4_SAYS],
  ['802.1ad and 802.1Q tags', 1, b.ethernet(V6, 0x86dd, [0x88a8, 0x8100]), V6_SAYS],
  ['four old QinQ tags', 1, b.ethernet(V4, 0x0800, [0x9100, 0x9100, 0x9100, 0x8100]), V4_SAYS],
  [
    'five tags',
    1,
    b.ethernet(V4, 0x0800, [0x8100, 0x8100, 0x8100, 0x8100, 0x8100]),
    'error ERR_LIMIT VLAN tags',
  ],
  ['ARP', 1, b.ethernet(b.pattern(28), 0x0806), 'other EtherType 0x0806'],
  ['802.3 with a length', 1, b.ethernet(b.pattern(40), 40), 'other no EtherType'],
  ['Linux cooked, IPv4', 113, join(hex(ADDRESS), hex('0800'), V4), V4_SAYS],
  ['Linux cooked, IPv6', 113, join(hex(ADDRESS), hex('86dd'), V6), V6_SAYS],
  ['Linux cooked, a tag', 113, join(hex(ADDRESS), hex('8100 0064 0800'), V4), V4_SAYS],
  ['Linux cooked, 802.2', 113, join(hex(ADDRESS), hex('0004'), V4), 'other no EtherType'],
  ['Linux cooked v2, IPv4', 276, join(hex('0800'), hex(SLL2_HEAD), V4), V4_SAYS],
  ['Linux cooked v2, IPv6', 276, join(hex('86dd'), hex(SLL2_HEAD), V6), V6_SAYS],
  ['Linux cooked v2, a tag', 276, join(hex('8100'), hex(SLL2_HEAD), hex('0064 86dd'), V6), V6_SAYS],
  ['null, little-endian', 0, join(hex('02000000'), V4), V4_SAYS],
  ['null, big-endian', 0, join(hex('00000002'), V4), V4_SAYS],
  ['null, IPv6 of FreeBSD', 0, join(hex('1c000000'), V6), V6_SAYS],
  ['null, IPv6 of macOS, big-endian', 0, join(hex('0000001e'), V6), V6_SAYS],
  ['null, IPv6 of NetBSD', 0, join(hex('18000000'), V6), V6_SAYS],
  ['null, IPv6 of Linux', 0, join(hex('0a000000'), V6), V6_SAYS],
  ['null, another family', 0, join(hex('07000000'), V4), 'other no EtherType'],
  ['loopback', 108, join(hex('00000002'), V4), V4_SAYS],
  ['loopback in the wrong order', 108, join(hex('02000000'), V4), 'other no EtherType'],
  ['raw, IPv4', 101, V4, V4_SAYS],
  ['raw, IPv6', 101, V6, V6_SAYS],
  ['raw of the BSDs', 12, V4, V4_SAYS],
  ['raw of OpenBSD', 14, V6, V6_SAYS],
  ['raw, neither', 101, hex('ff00'), 'other no EtherType'],
  ['IPv4', 228, V4, V4_SAYS],
  ['IPv6', 229, V6, V6_SAYS],
  ['IPv4 that is IPv6', 228, V6, 'error ERR_VALUE IP version'],
  ['IPv6 that is IPv4', 229, join(V4, b.pattern(40)), 'error ERR_VALUE IP version'],
  ['a link type that is not read', 147, V4, 'other link type 147'],
];

for (const [name, linkType, bytes, expected] of LINKS) {
  test(`link layer: ${name}`, (t) => {
    t.deepEqual(says(bytes, linkType), [expected]);
  });
}

test('every frame, cut anywhere by a broken link or by the snap length, gives one item and no exception', (t) => {
  for (const [name, linkType, bytes, expected] of LINKS) {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      const [broken, ...rest] = says(cut, linkType);
      t.deepEqual(rest, []);
      const snapped = b.brief(b.read(b.pcap([{ bytes: cut, originalLength: bytes.length }], { linkType })));
      t.is(snapped.length, 1, name);
      if (!expected.startsWith('udp')) continue;
      // Only padding may be missing.
      if (broken === expected) t.is(name, 'Ethernet with padding and a frame check sequence');
      else t.regex(broken ?? '', /^(error ERR_TRUNCATED|other no EtherType)/, `${name} ${length}`);
      if (snapped[0] !== expected) t.regex(snapped[0] ?? '', /^cut ERR_TRUNCATED/, `${name} ${length}`);
    }
  }
});

test('IPv4: options, other protocols, bad headers', (t) => {
  const payload = b.udp(BODY);
  t.deepEqual(saysAll(b.ipv4(payload, { options: hex('01010101 94040000') })), [V4_SAYS]);
  t.deepEqual(saysAll(b.ipv4(payload, { protocol: 1 })), ['other IP protocol 1']);
  t.deepEqual(saysAll(b.ipv4(payload, { protocol: 0 })), ['other IP protocol 0']);
  const short = b.ipv4(payload);
  short[0] = 0x44;
  t.deepEqual(saysAll(short), ['error ERR_VALUE IPv4 header length']);
  t.deepEqual(saysAll(b.ipv4(payload, { total: 19 })), ['error ERR_VALUE IPv4 header length']);
  t.deepEqual(saysAll(b.ipv4(payload, { total: 27 })), ['error ERR_TRUNCATED UDP header']);
  t.deepEqual(saysAll(b.ipv4(payload, { total: 2000 })), ['error ERR_TRUNCATED IPv4 total length']);
  t.deepEqual(saysAll(b.ipv4(payload, { total: 0 })), [V4_SAYS], 'segmentation offload writes no length');
});

test('IPv6: extension headers of every kind', (t) => {
  const datagram = b.udp(BODY);
  const chain = join(
    hex('3c 00 010400000000'), // hop by hop, then destination options
    hex('2b 01 010c000000000000000000000000'), // destination, two units, then routing
    hex('33 02 000000000000'), // routing, three units, then authentication
    hex('00'.repeat(16)),
    hex('87 04 0000 00000001 00000001 000000000000000000000000'), // authentication: (4 + 2) * 4 bytes
    hex('11 00 000000000000'), // mobility
    datagram,
  );
  t.deepEqual(saysAll(b.ipv6(chain, 0)), [V6_SAYS]);
  t.deepEqual(saysAll(b.ipv6(datagram, 59)), ['other IP protocol 59']);
  t.deepEqual(saysAll(b.ipv6(datagram, 50)), ['other IP protocol 50']);
  const endless = join(...Array.from({ length: 9 }, () => hex('3c00000000000000')), datagram);
  t.deepEqual(saysAll(b.ipv6(endless, 60)), ['error ERR_LIMIT extension headers']);
  t.deepEqual(saysAll(b.ipv6(hex('11ff000000000000'), 60)), ['error ERR_TRUNCATED extension header']);
  t.deepEqual(saysAll(b.ipv6(datagram, 17, 5000)), ['error ERR_TRUNCATED IPv6 payload length']);
  t.deepEqual(saysAll(b.ipv6(datagram, 17, 0)), [V6_SAYS], 'a jumbogram has no length');
  t.deepEqual(saysAll(b.ipv6(join(hex('11000000 00000007'), datagram), 44)), [V6_SAYS], 'an atomic fragment');
});

test('UDP: the length field against what is there', (t) => {
  const udp = (length: number): string[] => saysAll(b.ipv4(b.udp(BODY, 1111, 2222, length)));
  t.deepEqual(udp(11), [V4_SAYS]);
  t.deepEqual(udp(10), ['udp 10.0.0.1:1111>10.0.0.2:2222 c0ff'], 'what is behind it is not of the datagram');
  t.deepEqual(udp(8), ['udp 10.0.0.1:1111>10.0.0.2:2222 ']);
  t.deepEqual(udp(0), [V4_SAYS], 'longer than the field can say');
  t.deepEqual(udp(7), ['error ERR_VALUE UDP length']);
  t.deepEqual(udp(12), ['error ERR_TRUNCATED UDP length']);
});

test('a datagram that the snap length cut is told from one that is broken', (t) => {
  const whole = frameOf(b.ipv4(b.udp(b.pattern(500))));
  const cut = { bytes: whole.subarray(0, 96), originalLength: whole.length };
  t.deepEqual(b.brief(b.read(b.pcap([cut]))), ['cut ERR_TRUNCATED UDP length']);
  t.deepEqual(b.brief(b.read(b.pcap([cut.bytes]))), ['error ERR_TRUNCATED IPv4 total length']);
});

// --- fragments ---------------------------------------------------------------------------------------------

const LONG = b.pattern(4000);
const LONG_UDP = b.udp(LONG);
const LONG_SAYS = `udp 10.0.0.1:1111>10.0.0.2:2222 ${LONG.toString('hex')}`;

/** The bytes from `start` to `end` of a fragmented UDP datagram. */
function part(start: number, end: number, id = 1, whole = LONG_UDP): Buffer {
  return b.ipv4(whole.subarray(start, end), { id, offset: start, more: end < whole.length });
}

function part6(start: number, end: number): Buffer {
  return b.ipv6Fragment(LONG_UDP.subarray(start, end), start, end < LONG_UDP.length);
}

test('fragments in every order, twice each, and of two packets at once', (t) => {
  const [a, c, d] = [part(0, 1480), part(1480, 2960), part(2960, 4008)];
  for (const order of [
    [a, c, d],
    [a, d, c],
    [c, a, d],
    [c, d, a],
    [d, a, c],
    [d, c, a],
    [d, d, c, c, a],
  ]) {
    t.deepEqual(saysAll(...order), [LONG_SAYS]);
  }
  const other = b.udp(b.pattern(4000, 99));
  const mixed = saysAll(
    a,
    part(2960, 4008, 2, other),
    c,
    part(0, 1480, 2, other),
    d,
    part(1480, 2960, 2, other),
  );
  t.deepEqual(mixed, [
    LONG_SAYS,
    LONG_SAYS.replace(LONG.toString('hex'), b.pattern(4000, 99).toString('hex')),
  ]);
});

test('fragments have the number and time of the frame that completes them', (t) => {
  const packets = [part(0, 1480), V4, part(1480, 4008)].map((one, i) => ({
    bytes: frameOf(one),
    sec: 100 + i,
    fraction: 7,
  }));
  const items = b.read(b.pcap(packets));
  t.deepEqual(
    items.map(({ n, sec, nsec }) => [n, sec, nsec]),
    [
      [2, 101, 7000],
      [3, 102, 7000],
    ],
  );
});

test('IPv6 fragments, with an extension header inside too', (t) => {
  const expected = LONG_SAYS.replace('10.0.0.1', '[2001:db8::1]').replace('10.0.0.2', '[2001:db8::2]');
  t.deepEqual(saysAll(part6(1232, 2464), part6(2464, 4008), part6(0, 1232)), [expected]);
  const inner = join(hex('1100010400000000'), LONG_UDP);
  const first = b.ipv6Fragment(inner.subarray(0, 2000), 0, true, 60);
  // Only the first fragment need say truly what follows.
  const second = b.ipv6Fragment(inner.subarray(2000), 2000, false, 0);
  t.deepEqual(saysAll(second, first), [expected]);
  const nested = join(hex('11000001 00000009'), LONG_UDP);
  const outer = [
    b.ipv6Fragment(nested.subarray(0, 2000), 0, true, 44),
    b.ipv6Fragment(nested.subarray(2000), 2000, false, 44),
  ];
  t.deepEqual(saysAll(...outer), ['error ERR_VALUE fragment']);
});

test('overlapping fragments: those that agree are put together, those that differ are given up', (t) => {
  t.deepEqual(saysAll(part(0, 1480), part(800, 2400), part(2000, 4008)), [LONG_SAYS]);
  t.deepEqual(saysAll(part(1600, 2400), part(3200, 4008), part(800, 3600), part(0, 1608)), [LONG_SAYS]);
  const forged = b.ipv4(b.pattern(800, 1), { offset: 800, more: true });
  t.deepEqual(saysAll(part(0, 1480), forged), ['error ERR_VALUE fragment']);
  t.deepEqual(saysAll(part(0, 1480), forged, part(1480, 4008)), [
    'error ERR_VALUE fragment',
    'incomplete 10.0.0.1>10.0.0.2 2528 end',
  ]);
});

test('fragments that cannot be: past the end, without data, of odd length, with two ends', (t) => {
  const fragment = (length: number, offset: number, more: boolean): Buffer =>
    b.ipv4(b.pattern(length), { offset, more });
  t.deepEqual(saysAll(fragment(1480, 65_528 - 800, true)), ['error ERR_LIMIT fragment offset']);
  t.deepEqual(saysAll(fragment(0, 800, false)), ['error ERR_VALUE fragment length']);
  t.deepEqual(saysAll(fragment(801, 800, true)), ['error ERR_VALUE fragment length']);
  t.deepEqual(saysAll(fragment(800, 800, false), fragment(800, 1600, false)), ['error ERR_VALUE fragment']);
  t.deepEqual(saysAll(fragment(800, 1600, true), fragment(800, 800, false)), ['error ERR_VALUE fragment']);
  const cut = { bytes: part(0, 1480).subarray(0, 500), originalLength: 1514 };
  t.deepEqual(saysAll(cut), ['cut ERR_TRUNCATED fragment']);
});

test('fragments wait for so long, by the time of the capture', (t) => {
  const first = { bytes: part(0, 1480), sec: 1000 };
  const rest = part(1480, 4008);
  const inTime = { bytes: rest, sec: 1000 + FRAGMENT_TIMEOUT_SECONDS };
  const late = { bytes: rest, sec: 1001 + FRAGMENT_TIMEOUT_SECONDS };
  t.deepEqual(saysAll(first, inTime), [LONG_SAYS]);
  t.deepEqual(saysAll(first, late), [
    'incomplete 10.0.0.1>10.0.0.2 1480 timeout',
    'incomplete 10.0.0.1>10.0.0.2 2528 end',
  ]);
});

test('fragments of packets that never become whole take no more memory than the limit', (t) => {
  const packets = Array.from({ length: 12_000 }, (_, i) =>
    b.ipv4(b.pattern(1480), { id: i & 0xffff, src: `10.1.${i >> 8}.${i & 255}`, more: true }),
  );
  const items = saysAll(...packets);
  t.is(items.length, 12_000);
  const forgotten = items.filter((one) => one.endsWith('forgotten')).length;
  const kept = items.filter((one) => one.endsWith('end')).length;
  t.is(forgotten + kept, 12_000);
  t.true(kept * 1480 <= MAX_FRAGMENT_BYTES && kept > 9000, `${kept}`);
  t.is(new IpReassembly().heldBytes, 0);
});

test('damaged packets of every kind give items, never an exception', (t) => {
  const rng = seededRng(2026);
  const originals = LINKS.map(([, linkType, bytes]) => ({ linkType, bytes }));
  for (const bytes of [
    part(0, 1480),
    part(1480, 4008),
    part6(0, 1232),
    b.ipv4(b.tcp({ seq: 1, payload: LONG }), { protocol: 6 }),
  ]) {
    originals.push({ linkType: 1, bytes: frameOf(bytes) });
  }
  let items = 0;
  for (let run = 0; run < 400; run++) {
    const frames = Array.from({ length: 10 }, () => {
      const { bytes } = originals[below(rng, originals.length)] as { bytes: Buffer };
      const copy = Buffer.from(bytes);
      for (let edits = below(rng, 5); edits > 0; edits--)
        copy[below(rng, Math.min(copy.length, 80))] = below(rng, 256);
      return copy.subarray(0, below(rng, 3) === 0 ? below(rng, copy.length + 1) : copy.length);
    });
    const { linkType } = originals[below(rng, originals.length)] as { linkType: number };
    items += b.read(b.pcap(frames, { linkType })).length;
  }
  t.true(items > 1000);
});
