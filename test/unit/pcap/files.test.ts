/** File formats: byte orders, time units, sections, interfaces, blocks, and files that are broken. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { MAX_BLOCK_BYTES, MAX_FRAME_BYTES, MAX_INTERFACES } from '../../../codecs/pcap/limits.ts';
import { CaptureReader, PcapReader, seconds } from '../../../codecs/pcap/index.ts';
import type { CaptureRecord, Frame } from '../../../codecs/pcap/index.ts';
import * as b from './builder.ts';

const { hex, join } = b;
const ORDERS = ['LE', 'BE'] as const;
const FRAME = b.ethernet(b.ipv4(b.udp(hex('aabbcc'))));

function records(file: Buffer, chunk = file.length): CaptureRecord[] {
  const reader = new PcapReader();
  const all: CaptureRecord[] = [];
  for (let at = 0; at < file.length; at += chunk) all.push(...reader.push(file.subarray(at, at + chunk)));
  return [...all, ...reader.end()];
}

function frames(file: Buffer, chunk?: number): Frame[] {
  return records(file, chunk).filter((record) => record.kind === 'frame');
}

/** What went wrong, e.g. `fatal ERR_LIMIT 24 captured length`. */
function faults(file: Buffer): string[] {
  return records(file).flatMap((record) =>
    record.kind === 'frame'
      ? []
      : `${record.fatal ? 'fatal' : 'skipped'} ${record.error.code} ${record.error.offset} ${record.error.field}`,
  );
}

for (const order of ORDERS) {
  for (const nanos of [false, true]) {
    test(`pcap, ${order}, ${nanos ? 'nanoseconds' : 'microseconds'}`, (t) => {
      const packets = [
        { bytes: FRAME, sec: 1_700_000_000, fraction: 123_456 },
        { bytes: FRAME.subarray(0, 30), sec: 4_000_000_000, fraction: 999_999, originalLength: FRAME.length },
      ];
      const [first, second, ...rest] = frames(b.pcap(packets, { order, nanos, linkType: 113 }));
      t.deepEqual(rest, []);
      t.like(first, {
        n: 1,
        sec: 1_700_000_000,
        nsec: nanos ? 123_456 : 123_456_000,
        linkType: 113,
        originalLength: FRAME.length,
      });
      t.deepEqual(first?.bytes, FRAME);
      t.like(second, { n: 2, sec: 4_000_000_000, originalLength: FRAME.length });
      t.is(second?.bytes.length, 30);
    });
  }

  test(`pcapng, ${order}: enhanced, simple and obsolete packets, other blocks skipped`, (t) => {
    const time = 1_700_000_000_123_456n;
    const obsolete = join(
      b.u16(0, order),
      b.u16(0),
      b.u32(Number(time >> 32n), order),
      b.u32(Number(time & 0xffffffffn), order),
      b.u32(FRAME.length, order),
      b.u32(FRAME.length, order),
      FRAME,
    );
    const file = join(
      b.sectionBlock(order),
      b.interfaceBlock(order, 1, 40),
      b.block(4, b.pattern(100), order), // names
      b.enhancedPacket(order, 0, time, FRAME.subarray(0, 40), FRAME.length),
      b.block(3, join(b.u32(FRAME.length, order), FRAME.subarray(0, 40)), order),
      b.block(0x80000bad, b.pattern(33), order), // of some vendor
      b.block(2, obsolete, order),
      b.block(5, b.pattern(20), order), // statistics
    );
    const found = frames(file);
    t.deepEqual(
      found.map(({ n, bytes, originalLength }) => [n, bytes.length, originalLength]),
      [
        [1, 40, FRAME.length],
        [2, 40, FRAME.length],
        [3, FRAME.length, FRAME.length],
      ],
    );
    for (const frame of found) t.like(frame, { sec: 1_700_000_000, nsec: 123_456_000, linkType: 1 });
    t.deepEqual(faults(file), []);
  });
}

test('pcapng: several sections of different byte order, each with its own interfaces', (t) => {
  const file = join(
    b.sectionBlock('LE'),
    b.interfaceBlock('LE', 1),
    b.interfaceBlock('LE', 101),
    b.enhancedPacket('LE', 1, 1n, FRAME),
    b.sectionBlock('BE'),
    b.interfaceBlock('BE', 228),
    b.enhancedPacket('BE', 0, 2n, FRAME),
    b.enhancedPacket('BE', 1, 3n, FRAME),
  );
  t.deepEqual(
    frames(file).map(({ n, linkType, nsec }) => [n, linkType, nsec]),
    [
      [1, 101, 1000],
      [2, 228, 2000],
    ],
  );
  t.is(faults(file).length, 1, 'the second section has no interface 1');
  t.regex(faults(file)[0] ?? '', /^skipped ERR_VALUE \d+ interface id$/);
});

test('pcapng: timestamps in any unit and with an offset', (t) => {
  const cases: readonly (readonly [
    resolution: string,
    time: bigint,
    offset: bigint,
    sec: number,
    nsec: number,
  ])[] = [
    ['06', 1_700_000_000_000_001n, 0n, 1_700_000_000, 1000],
    ['09', 1_700_000_000_123_456_789n, 0n, 1_700_000_000, 123_456_789],
    ['03', 1_700_000_000_999n, 0n, 1_700_000_000, 999_000_000],
    ['00', 1_700_000_000n, 0n, 1_700_000_000, 0],
    ['0c', 1_000_000_000_500n, 0n, 1, 0],
    ['8a', 1024n * 5n + 512n, 0n, 5, 500_000_000],
    ['a0', (7n << 32n) + (1n << 30n), 0n, 7, 250_000_000],
    ['06', 5_000_001n, 1_700_000_000n, 1_700_000_005, 1000],
    ['09', 5_000_000_001n, -3n, 2, 1],
  ];
  for (const order of ORDERS) {
    for (const [resolution, time, offset, sec, nsec] of cases) {
      const options = join(
        b.option(2, Buffer.from('eth0'), order),
        b.option(9, hex(resolution), order),
        b.option(14, b.u64(offset, order), order),
        b.option(0, hex(''), order),
      );
      const file = join(
        b.sectionBlock(order),
        b.interfaceBlock(order, 1, 0, options),
        b.enhancedPacket(order, 0, time, FRAME),
      );
      t.like(frames(file)[0], { sec, nsec }, `${order} ${resolution} ${time} ${offset}`);
    }
  }
});

test('a file gives the same frames and faults in chunks of any size', (t) => {
  const ng = join(
    b.sectionBlock('LE'),
    b.interfaceBlock('LE'),
    b.block(10, b.pattern(1000), 'LE'),
    ...Array.from({ length: 5 }, (_, i) => b.enhancedPacket('LE', 0, BigInt(i), b.pattern(i * 333, i))),
    b.enhancedPacket('LE', 9, 0n, FRAME),
    b.sectionBlock('BE'),
    b.interfaceBlock('BE'),
    b.enhancedPacket('BE', 0, 9n, FRAME),
  );
  const classic = b.pcap([b.pattern(1), b.pattern(0), b.pattern(5000), FRAME], { order: 'BE' });
  for (const file of [ng, classic, classic.subarray(0, classic.length - 1), ng.subarray(0, 200)]) {
    const whole = records(file);
    t.true(whole.length >= 1);
    for (const chunk of [1, 2, 3, 7, 16, 23, 24, 25, 100, 4096]) {
      t.deepEqual(records(file, chunk), whole, `chunks of ${chunk}`);
    }
  }
});

test('a file that ends within a record says so after its frames, whatever the place', (t) => {
  const files = [
    b.pcap([FRAME]),
    join(
      b.sectionBlock('BE'),
      b.interfaceBlock('BE'),
      b.enhancedPacket('BE', 0, 1n, FRAME),
      b.block(4, FRAME, 'BE'),
    ),
  ];
  for (const file of files) {
    const complete = new Set<number>();
    for (let length = 0; length < file.length; length++) {
      const found = records(file.subarray(0, length));
      const last = found.at(-1);
      if (last?.kind === 'bad') {
        t.true(last.fatal);
        t.is(last.error.code, 'ERR_TRUNCATED');
        t.true(last.error.offset <= length);
      } else {
        complete.add(length);
      }
    }
    // Only between two records, and after the header.
    t.true(complete.size <= 3, [...complete].join());
    t.deepEqual(faults(file), []);
  }
});

test('a broken pcap: lengths, versions, and files that are something else', (t) => {
  const good = b.pcap([FRAME]);
  const tooLong = join(good, b.u32(0), b.u32(0), b.u32(MAX_FRAME_BYTES + 1, 'LE'), b.u32(0));
  t.deepEqual(faults(tooLong), [`fatal ERR_LIMIT ${good.length + 8} captured length`]);
  t.is(frames(tooLong).length, 1, 'what came before it is kept');
  t.deepEqual(faults(join(good.subarray(0, 4), b.u16(3, 'LE'), good.subarray(6))), [
    'fatal ERR_VERSION 4 version',
  ]);
  t.deepEqual(faults(Buffer.from('no capture')), ['fatal ERR_VALUE 0 magic']);
  t.deepEqual(faults(hex('')), ['fatal ERR_TRUNCATED 0 file header']);
  for (const [digits, what] of [
    ['1f8b0800', /gzip/],
    ['28b52ffd', /zstd/],
    ['34cdb2a1', /patched/],
  ] as const) {
    const [record] = records(hex(digits));
    t.regex(record?.kind === 'bad' ? record.error.message : '', what);
  }
});

test('after a fatal fault nothing is read, and nothing is kept', (t) => {
  const reader = new PcapReader();
  t.is(reader.format, null);
  t.is(reader.push(hex('deadbeef')).length, 1);
  t.true(reader.failed);
  t.deepEqual(reader.push(b.pcap([FRAME])), []);
  t.deepEqual(reader.end(), []);
});

test('a broken pcapng block is skipped where its length holds, and fatal where it does not', (t) => {
  const head = join(b.sectionBlock('LE'), b.interfaceBlock('LE'));
  const good = b.enhancedPacket('LE', 0, 1n, FRAME);
  const lie = Buffer.from(good);
  lie.writeUInt32LE(FRAME.length + 100, 20); // captured length
  t.deepEqual(faults(join(head, lie, good)), [`skipped ERR_TRUNCATED ${head.length + 28} packet data`]);
  t.deepEqual(
    frames(join(head, lie, good)).map(({ n }) => n),
    [2],
  );
  t.deepEqual(faults(join(head, b.block(6, hex('00000000'), 'LE'), good)), [
    `skipped ERR_TRUNCATED ${head.length + 12} timestamp`,
  ]);
  const huge = Buffer.from(good);
  huge.writeUInt32LE(MAX_FRAME_BYTES + 1, 20);
  t.regex(faults(join(head, huge, good))[0] ?? '', /^skipped ERR_LIMIT \d+ captured length$/);

  const at = head.length;
  const trailer = Buffer.from(good);
  trailer.writeUInt32LE(good.length + 4, good.length - 4);
  t.deepEqual(faults(join(head, trailer)), [`fatal ERR_VALUE ${at + good.length - 4} block length`]);
  const skippedTrailer = b.block(5, b.pattern(8), 'LE');
  skippedTrailer.writeUInt32LE(24, 16);
  t.deepEqual(faults(join(head, skippedTrailer)), [`fatal ERR_VALUE ${at + 16} block length`]);
  for (const length of [0, 8, 11, 13, 14, 15, 0xffffffff]) {
    t.deepEqual(faults(join(head, b.u32(6, 'LE'), b.u32(length, 'LE'), good)), [
      `fatal ERR_VALUE ${at + 4} block length`,
    ]);
  }
  t.deepEqual(faults(join(head, b.u32(6, 'LE'), b.u32(MAX_BLOCK_BYTES + 4, 'LE'), good)), [
    `fatal ERR_LIMIT ${at + 4} block length`,
  ]);
  const order = b.sectionBlock('LE');
  order.writeUInt32LE(0x1a2b3c4e, 8);
  t.deepEqual(faults(join(head, order)), [`fatal ERR_VALUE ${at + 8} byte-order magic`]);
  const version = b.sectionBlock('LE');
  version.writeUInt16LE(2, 12);
  t.deepEqual(faults(join(head, version)), [`fatal ERR_VERSION ${at + 12} major version`]);
});

test('an interface with bad options keeps its number and the defaults', (t) => {
  const bad = [
    b.option(9, hex('13'), 'LE'), // finer than 10^-18
    b.option(9, hex('ff'), 'LE'),
    b.option(14, b.u64(2n ** 62n, 'LE'), 'LE'),
    join(b.u16(2, 'LE'), b.u16(5000, 'LE')),
    hex('0200'),
  ];
  for (const options of bad) {
    const file = join(
      b.sectionBlock('LE'),
      b.interfaceBlock('LE', 113, 0, options),
      b.interfaceBlock('LE', 101),
      b.enhancedPacket('LE', 0, 1_000_001n, FRAME),
      b.enhancedPacket('LE', 1, 1_000_001n, FRAME),
    );
    t.deepEqual(
      frames(file).map(({ linkType, sec, nsec }) => [linkType, sec, nsec]),
      [
        [113, 1, 1000],
        [101, 1, 1000],
      ],
    );
    t.is(faults(file).length, options.length === 2 ? 0 : 1, options.toString('hex'));
  }
});

test('a section cannot have interfaces without end', (t) => {
  const file = join(
    b.sectionBlock('LE'),
    ...Array.from({ length: MAX_INTERFACES + 3 }, () => b.interfaceBlock('LE')),
  );
  t.is(faults(file).length, 3);
});

test('a block that is skipped may be larger than any that is read, and is not held', (t) => {
  const reader = new CaptureReader();
  const size = 40 * 1024 * 1024;
  const head = join(b.sectionBlock('LE'), b.interfaceBlock('LE'), b.u32(10, 'LE'), b.u32(size + 12, 'LE'));
  t.deepEqual(reader.push(head), []);
  const zeros = Buffer.alloc(1024 * 1024);
  for (let i = 0; i < 40; i++) t.deepEqual(reader.push(zeros), []);
  const items = [
    ...reader.push(join(b.u32(size + 12, 'LE'), b.enhancedPacket('LE', 0, 1n, FRAME))),
    ...reader.end(),
  ];
  t.deepEqual(b.brief(items), ['udp 10.0.0.1:1111>10.0.0.2:2222 aabbcc']);
});

test('a fault of the file is an item with the time of the frame before it', (t) => {
  const file = b.pcap([{ bytes: FRAME, sec: 5, fraction: 250_000 }]);
  const [datagram, fault, ...rest] = b.read(join(file, hex('00')));
  t.deepEqual(rest, []);
  t.is(datagram?.kind, 'udp');
  t.like(fault, { kind: 'error', n: 1, inFile: true, fatal: true, cut: false });
  t.is(fault === undefined ? 0 : seconds(fault), 5.25);
});

test('the recorded captures: as many frames as a walk over their headers finds, byte by byte too', (t) => {
  const fixtures = fileURLToPath(new URL('../../../compat-fixtures/3.6.14-decoded/', import.meta.url));
  for (const scenario of readdirSync(fixtures)) {
    const file = readFileSync(`${fixtures}${scenario}/capture.pcap`);
    let count = 0;
    for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) count++;
    const whole = b.read(file);
    const reader = new CaptureReader();
    reader.push(file);
    t.is(reader.frames, count);
    t.is(reader.format, 'pcap');
    t.is(b.udpItems(whole).length, count);
    t.deepEqual(b.brief(b.read(file, 1)), b.brief(whole));
  }
});
