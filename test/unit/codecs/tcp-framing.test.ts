/** JGroups' TCP transport, cut into datagrams whatever the pieces, the beginning and the damage (WIRE-3.6 section 3d). */
import test from 'ava';
import { MAX_TCP_FRAME_BYTES, TcpFrameDecoder } from '../../../codecs/jgroups/tcp-framing.ts';
import type { TcpFrameItem } from '../../../codecs/jgroups/tcp-framing.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { VECTORS } from './vectors.ts';
import { hex, i32, join } from './wire-builder.ts';

const HELLO = hex('62656c61 198e 0007 04 7f000001 a475');
const HELLO_ITEM = {
  kind: 'hello',
  offset: 0,
  version: 0x198e,
  address: { kind: 'ip', host: '127.0.0.1', scopeId: 0, port: 42101 },
} as const;
const DATAGRAMS = VECTORS.map(({ bytes }) => bytes);
const framed = (bytes: Buffer): Buffer => join(i32(bytes.length), bytes);
const FRAMES = join(...DATAGRAMS.map(framed));

/** The frames of `DATAGRAMS` from the `first` on, when the first one stands at `offset`. */
function frameItems(offset: number, first = 0): TcpFrameItem[] {
  const items: TcpFrameItem[] = [];
  let at = offset;
  for (const bytes of DATAGRAMS.slice(first)) {
    items.push({ kind: 'frame', offset: at, bytes });
    at += 4 + bytes.length;
  }
  return items;
}

function decodeInPieces(stream: Buffer, fromStart: boolean, sizes: () => number): TcpFrameItem[] {
  const decoder = new TcpFrameDecoder({ fromStart });
  const items: TcpFrameItem[] = [];
  for (let at = 0; at < stream.length;) {
    const size = sizes();
    items.push(...decoder.push(stream.subarray(at, at + size)));
    at += size;
  }
  return [...items, ...decoder.end()];
}

const whole = (stream: Buffer, fromStart = true): TcpFrameItem[] =>
  decodeInPieces(stream, fromStart, () => stream.length);

test('the initiator says hello, the acceptor does not', (t) => {
  t.deepEqual(whole(join(HELLO, FRAMES)), [HELLO_ITEM, ...frameItems(HELLO.length)]);
  t.deepEqual(whole(FRAMES), frameItems(0));
  t.deepEqual(whole(HELLO), [HELLO_ITEM]);
  t.deepEqual(whole(join(HELLO, FRAMES), false), [HELLO_ITEM, ...frameItems(HELLO.length)]);
});

test('pieces of any size make no difference', (t) => {
  const stream = join(HELLO, FRAMES);
  const expected = whole(stream);
  for (const size of [1, 2, 3, 5, 7, 16, 100, 1448]) {
    t.deepEqual(
      decodeInPieces(stream, true, () => size),
      expected,
      `pieces of ${size}`,
    );
  }
  const rng = seededRng(3);
  for (let run = 0; run < 50; run++) {
    t.deepEqual(
      decodeInPieces(stream, true, () => 1 + below(rng, 200)),
      expected,
    );
  }
});

test('a hello over IPv6, and one of 2.12', (t) => {
  const ipv6 = hex('62656c61 1994 0017 10 20010db8000000000000000000000001 00000003 1e78');
  t.deepEqual(whole(ipv6), [
    {
      kind: 'hello',
      offset: 0,
      version: 0x1994,
      address: { kind: 'ip', host: '2001:db8::1', scopeId: 3, port: 7800 },
    },
  ]);
  const old = hex('62656c61 1302 04 0a000007 1e78 00');
  const items = decodeInPieces(join(old, framed(hex('1302 00 00 00 0000'))), true, () => 1);
  t.deepEqual(items, [
    {
      kind: 'hello',
      offset: 0,
      version: 0x1302,
      address: { kind: 'ip', host: '10.0.0.7', scopeId: 0, port: 7800 },
    },
    { kind: 'frame', offset: 14, bytes: hex('1302 00 00 00 0000') },
  ]);
});

test('from mid-connection: the rest of a frame is skipped, wherever it begins', (t) => {
  let frame = 0;
  let boundary = 0;
  for (let start = 0; start < 1500; start++) {
    while (boundary < start) boundary += 4 + (DATAGRAMS[frame++]?.length ?? 0);
    const stream = FRAMES.subarray(start);
    const skipped = boundary - start;
    const expected = frameItems(skipped, frame);
    const items = decodeInPieces(stream, false, () => 333);
    // a byte of a length that is zero may be taken for the next one's: nothing is lost by that
    t.deepEqual(
      items,
      skipped === 0 ? expected : [{ kind: 'skipped', offset: 0, length: skipped }, ...expected],
      `from byte ${start}`,
    );
  }
});

test('behind a gap the next frame is found', (t) => {
  const decoder = new TcpFrameDecoder({ fromStart: true });
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = DATAGRAMS.map(framed);
  t.is(decoder.push(join(HELLO, first, second.subarray(0, 9))).length, 2);
  const at = HELLO.length + first.length;
  t.deepEqual(decoder.gap(6), [{ kind: 'skipped', offset: at, length: 9 }]);
  const rest = second.subarray(15);
  t.deepEqual(decoder.push(join(rest, third)), [
    { kind: 'skipped', offset: at + 15, length: rest.length },
    { kind: 'frame', offset: at + second.length, bytes: third.subarray(4) },
  ]);
  t.is(decoder.offset, at + second.length + third.length);
  t.deepEqual(decoder.end(), []);
});

test('behind a damaged length too', (t) => {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = DATAGRAMS.map(framed);
  for (const length of ['ffffffff', '00000002', '80000000', '00800001']) {
    const damaged = join(hex(length), second.subarray(4));
    t.deepEqual(whole(join(first, damaged, third)), [
      { kind: 'frame', offset: 0, bytes: first.subarray(4) },
      { kind: 'skipped', offset: first.length, length: damaged.length },
      { kind: 'frame', offset: first.length + damaged.length, bytes: third.subarray(4) },
    ]);
  }
});

test('a frame that is cut off at the end is skipped', (t) => {
  const [first = Buffer.alloc(0)] = DATAGRAMS.map(framed);
  const part = first.subarray(0, -1);
  t.deepEqual(whole(join(first, part)), [
    { kind: 'frame', offset: 0, bytes: first.subarray(4) },
    { kind: 'skipped', offset: first.length, length: part.length },
  ]);
});

test('what is not JGroups is said to be foreign, once', (t) => {
  for (const stream of [
    'GET / HTTP/1.1\r\n\r\n',
    '\x09',
    '\x16\x03\x01\x02\x00\x01\x00\x01',
    'bela',
    'belabelabela',
  ]) {
    const bytes = Buffer.from(stream, 'latin1');
    t.deepEqual(whole(bytes), [{ kind: 'foreign', offset: 0 }], stream);
    t.deepEqual(
      decodeInPieces(bytes, true, () => 1),
      [{ kind: 'foreign', offset: 0 }],
      stream,
    );
    t.deepEqual(whole(bytes, false), [{ kind: 'foreign', offset: 0 }], stream);
  }
  t.deepEqual(whole(hex('62656c61 198e 0008 04 7f000001 a475')), [{ kind: 'foreign', offset: 0 }]);
  t.deepEqual(whole(Buffer.alloc(0)), []);
});

test('a long stream without a frame is given up, and holds no memory', (t) => {
  const decoder = new TcpFrameDecoder({ fromStart: false });
  const items: TcpFrameItem[] = [];
  for (let i = 0; i < 40; i++) items.push(...decoder.push(Buffer.alloc(1024 * 1024, 0x5a)));
  t.deepEqual(items, [{ kind: 'foreign', offset: 0 }]);
  t.is(decoder.offset, 40 * 1024 * 1024);
});

test('many frames that are none cost no time', (t) => {
  // each looks like a frame of 256 KiB with a version of 3.6, and is none
  const stream = Buffer.concat(Array.from({ length: 60_000 }, () => hex('00040000 198e 01 ff')));
  const started = process.cpuUsage();
  const items = decodeInPieces(Buffer.concat([Buffer.from('x'), stream, stream]), false, () => 1448);
  t.deepEqual(items, [{ kind: 'foreign', offset: 0 }]);
  t.true(process.cpuUsage(started).user < 5_000_000);
});

test('the largest frame passes, a larger one does not', (t) => {
  const largest = Buffer.alloc(MAX_TCP_FRAME_BYTES);
  hex('198e 00 04 0000 0000').copy(largest);
  largest.writeInt32BE(MAX_TCP_FRAME_BYTES - 12, 8);
  const decoder = new TcpFrameDecoder({ fromStart: true });
  const items: TcpFrameItem[] = [];
  const stream = framed(largest);
  for (let at = 0; at < stream.length; at += 65536)
    items.push(...decoder.push(stream.subarray(at, at + 65536)));
  t.is(items.length, 1);
  t.is(items[0]?.kind === 'frame' ? items[0].bytes.length : 0, MAX_TCP_FRAME_BYTES);
  stream.writeUInt32BE(MAX_TCP_FRAME_BYTES + 1);
  t.deepEqual(whole(stream), [{ kind: 'foreign', offset: 0 }]);
});
