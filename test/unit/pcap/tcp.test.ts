/** TCP streams: order, overlap, holes, ends, wrap, memory. */
import test from 'ava';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import {
  ACKED_HOLE_SECONDS,
  HOLE_SECONDS,
  MAX_STREAM_BYTES,
  MAX_STREAMS,
} from '../../../codecs/pcap/limits.ts';
import type { CaptureItem } from '../../../codecs/pcap/index.ts';
import * as b from './builder.ts';
import type { Packet, TcpOptions } from './builder.ts';

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

interface Step extends TcpOptions {
  /** Capture time in seconds. */
  readonly at?: number;
}

function packets(steps: readonly Step[]): Packet[] {
  return steps.map((step) => ({ bytes: b.segment(step), sec: step.at ?? 0 }));
}

function items(...steps: readonly Step[]): CaptureItem[] {
  return b.read(b.pcap(packets(steps)));
}

function says(...steps: readonly Step[]): string[] {
  return b.brief(items(...steps));
}

const syn = (seq: number): Step => ({ seq, flags: 'S' });
const data = (seq: number, value: string, at = 0): Step => ({ seq, payload: text(value), at });
const fin = (seq: number, value = '', at = 0): Step => ({ seq, payload: text(value), flags: 'FA', at });

test('a whole connection, both directions', (t) => {
  const found = items(
    syn(99),
    { seq: 499, ack: 100, flags: 'SA', back: true },
    { seq: 100, ack: 500 },
    data(100, 'hello '),
    data(106, 'world'),
    { seq: 500, ack: 111, payload: text('yes'), back: true },
    fin(111),
    { seq: 503, ack: 112, flags: 'FA', back: true },
    { seq: 112, ack: 504 },
  );
  t.deepEqual(b.brief(found), [
    'tcp 1+0 hello ',
    'tcp 1+6 world',
    'tcp 2+0 yes',
    'end 1+11 closed',
    'end 2+3 closed',
  ]);
  const [first, , third] = found;
  t.like(first, { n: 4, kind: 'tcp' });
  if (first?.kind !== 'tcp' || third?.kind !== 'tcp') throw new Error('no data');
  t.like(first.stream, { fromStart: true, from: { text: '10.0.0.1:5000' }, to: { text: '10.0.0.2:80' } });
  t.like(third.stream, { fromStart: true, from: { text: '10.0.0.2:80' } });
});

test('a stream that is older than the capture starts where it is first seen', (t) => {
  const found = items({ seq: 7, ack: 1 }, data(1000, 'abc'), data(1003, 'def'));
  t.deepEqual(b.brief(found), ['tcp 1+0 abc', 'tcp 1+3 def', 'end 1+6 end']);
  t.false(found[0]?.kind === 'tcp' && found[0].stream.fromStart);
});

test('TCP options are passed over, and data with the SYN is taken', (t) => {
  const options = b.hex('020405b4 01010402');
  t.deepEqual(says({ seq: 9, flags: 'S', options, payload: text('fast') }, data(14, 'open')), [
    'tcp 1+0 fast',
    'tcp 1+4 open',
    'end 1+8 end',
  ]);
});

test('segments out of order come out in order, each with its own frame and time', (t) => {
  const found = items(syn(0), data(1, 'a', 1), data(3, 'c', 2), data(4, 'd', 3), data(2, 'b', 4));
  t.deepEqual(b.brief(found), ['tcp 1+0 a', 'tcp 1+1 b', 'tcp 1+2 c', 'tcp 1+3 d', 'end 1+4 end']);
  t.deepEqual(
    found.slice(0, 4).map(({ n, sec }) => [n, sec]),
    [
      [2, 1],
      [5, 4],
      [3, 2],
      [4, 3],
    ],
  );
});

test('retransmitted and overlapping segments give each byte once, the first that came', (t) => {
  t.deepEqual(
    says(syn(0), data(1, 'abcd'), data(1, 'abcd'), data(1, 'XXXXef'), data(3, 'YY'), data(7, 'g')),
    ['tcp 1+0 abcd', 'tcp 1+4 ef', 'tcp 1+6 g', 'end 1+7 end'],
  );
  // Behind a hole: c-d and g-h wait, b-i overlaps both, a fills.
  t.deepEqual(says(syn(0), data(3, 'cd'), data(7, 'gh'), data(2, 'bXXefXXi'), data(1, 'a')), [
    'tcp 1+0 a',
    'tcp 1+1 b',
    'tcp 1+2 cd',
    'tcp 1+4 ef',
    'tcp 1+6 gh',
    'tcp 1+8 i',
    'end 1+9 end',
  ]);
});

test('a keep-alive probe and an empty segment say nothing', (t) => {
  t.deepEqual(says(syn(0), data(1, 'abc'), data(3, 'c'), { seq: 3 }, { seq: 4 }, data(4, 'd')), [
    'tcp 1+0 abc',
    'tcp 1+3 d',
    'end 1+4 end',
  ]);
});

test('sequence numbers wrap', (t) => {
  const start = 0xfffffffc;
  t.deepEqual(says(syn(start), data(start + 1, 'ab'), data(2, 'fg'), data(start + 3, 'cde'), fin(4)), [
    'tcp 1+0 ab',
    'tcp 1+2 cde',
    'tcp 1+5 fg',
    'end 1+7 closed',
  ]);
});

test('a hole that the receiver acknowledged is given up after a moment, another later', (t) => {
  const ack = (value: number, at: number): Step => ({ seq: 500, ack: value, at, back: true });
  const holed = [syn(0), data(1, 'ab', 10), data(6, 'fg', 10)];
  const gap = ['tcp 1+0 ab', 'gap 1+2 3', 'tcp 1+5 fg', 'end 1+7 end'];
  const later = (last: CaptureItem[]): (number | undefined)[] => last.map((item) => item.sec);
  t.deepEqual(says(...holed, ack(8, 10 + ACKED_HOLE_SECONDS)), gap);
  t.deepEqual(later(items(...holed, ack(8, 10 + ACKED_HOLE_SECONDS))), [10, 11, 10, 11]);
  t.deepEqual(says(...holed, ack(8, 10), data(3, 'cde', 10)), [
    'tcp 1+0 ab',
    'tcp 1+2 cde',
    'tcp 1+5 fg',
    'end 1+7 end',
  ]);
  t.deepEqual(says(...holed, ack(3, 15), data(3, 'cde', 20)).slice(1, 3), ['tcp 1+2 cde', 'tcp 1+5 fg']);
  const late = says(...holed, data(8, 'h', 10 + HOLE_SECONDS), data(3, 'cde', 50));
  t.deepEqual(late, [...gap.slice(0, 3), 'tcp 1+7 h', 'end 1+8 end']);
});

test('holes at the end of a stream or of the capture are reported', (t) => {
  t.deepEqual(says(syn(0), data(2, 'b'), data(4, 'd')), [
    'gap 1+0 1',
    'tcp 1+1 b',
    'gap 1+2 1',
    'tcp 1+3 d',
    'end 1+4 end',
  ]);
  t.deepEqual(says(syn(0), data(1, 'a'), fin(4, 'd')), [
    'tcp 1+0 a',
    'gap 1+1 2',
    'tcp 1+3 d',
    'end 1+4 closed',
  ]);
  t.deepEqual(says(syn(0), data(1, 'a'), fin(4)), ['tcp 1+0 a', 'gap 1+1 2', 'end 1+3 closed']);
  t.deepEqual(says(syn(0), data(1, 'a'), fin(4), data(2, 'bc')), [
    'tcp 1+0 a',
    'tcp 1+1 bc',
    'end 1+3 closed',
  ]);
  t.deepEqual(says(syn(0), data(1, 'a', 0), fin(4, '', 1), data(1, 'a', 40)), [
    'tcp 1+0 a',
    'gap 1+1 2',
    'end 1+3 closed',
  ]);
});

test('after a FIN late retransmissions open no new stream', (t) => {
  t.deepEqual(says(syn(0), data(1, 'a'), fin(2), data(1, 'a'), fin(2), syn(0)), [
    'tcp 1+0 a',
    'end 1+1 closed',
  ]);
});

test('a reset ends both directions; what was held is given out', (t) => {
  t.deepEqual(
    says(
      syn(0),
      data(1, 'a'),
      data(3, 'c'),
      { seq: 9, payload: text('x'), back: true },
      { seq: 10, flags: 'R', back: true },
    ),
    ['tcp 1+0 a', 'tcp 2+0 x', 'end 2+1 reset', 'gap 1+1 1', 'tcp 1+2 c', 'end 1+3 reset'],
  );
  t.deepEqual(says({ seq: 5, flags: 'R' }, { seq: 5, flags: 'F' }), []);
});

test('a new connection on the same ports is a new stream; a repeated SYN is not', (t) => {
  t.deepEqual(says(syn(0), syn(0), data(1, 'a'), syn(0), syn(7000), data(7001, 'b')), [
    'tcp 1+0 a',
    'end 1+1 reused',
    'tcp 2+0 b',
    'end 2+1 end',
  ]);
  t.deepEqual(says(syn(0), fin(1), syn(7000), data(7001, 'b')), [
    'end 1+0 closed',
    'tcp 2+0 b',
    'end 2+1 end',
  ]);
  t.deepEqual(
    says(data(1, 'a'), syn(0), data(2, 'b')),
    ['tcp 1+0 a', 'tcp 1+1 b', 'end 1+2 end'],
    'SYN came late',
  );
});

test('a segment gigabytes away is a gap, not a wait', (t) => {
  t.deepEqual(says(syn(0), data(1, 'a'), data(2 ** 31 + 5, 'b'), data(2 ** 31 + 6, 'c')), [
    'tcp 1+0 a',
    `gap 1+1 ${2 ** 31 + 3}`,
    `tcp 1+${2 ** 31 + 4} b`,
    `tcp 1+${2 ** 31 + 5} c`,
    `end 1+${2 ** 31 + 6} end`,
  ]);
});

test('segments that the snap length cut leave gaps, and say so', (t) => {
  const whole = b.segment({ seq: 1, payload: text('abcdef') });
  const next = b.segment({ seq: 7, payload: text('gh') });
  const cut = { bytes: whole.subarray(0, whole.length - 4), originalLength: whole.length };
  t.deepEqual(b.brief(b.read(b.pcap([cut, next]))), [
    'tcp 1+0 ab',
    'cut ERR_TRUNCATED TCP payload',
    'gap 1+2 4',
    'tcp 1+6 gh',
    'end 1+8 end',
  ]);
});

test('broken TCP headers are errors', (t) => {
  const broken = (edit: (header: Buffer) => Buffer): string[] => {
    const header = edit(b.tcp({ seq: 1, payload: text('abc') }));
    return b.brief(b.read(b.pcap([b.ethernet(b.ipv4(header, { protocol: 6 }))])));
  };
  t.deepEqual(
    broken((header) => header.subarray(0, 19)),
    ['error ERR_TRUNCATED TCP header'],
  );
  t.deepEqual(
    broken((header) => header.fill(0x40, 12, 13)),
    ['error ERR_VALUE TCP data offset'],
  );
  t.deepEqual(
    broken((header) => header.fill(0xf0, 12, 13)),
    ['error ERR_TRUNCATED TCP options'],
  );
});

test('what waits behind a hole is bounded for each stream', (t) => {
  const size = 60_000;
  const count = Math.ceil(MAX_STREAM_BYTES / size) + 20;
  const steps: Step[] = [syn(0)];
  for (let i = 0; i < count; i++) steps.push({ seq: 1001 + i * size, payload: b.pattern(size, i) });
  const found = items(...steps);
  t.like(found[0], { kind: 'tcp-gap', length: 1000 });
  t.true((found[0]?.n ?? 0) < count, 'given up before the end of the capture');
  const bytes = found.reduce((sum, item) => sum + (item.kind === 'tcp' ? item.payload.length : 0), 0);
  t.is(bytes, count * size);
});

test('the number of streams is bounded: the idle ones go first', (t) => {
  const busy = (seq: number): Buffer =>
    b.ethernet(b.ipv4(b.tcp({ seq, payload: text('x') }), { src: '10.9.9.9', protocol: 6 }));
  const frames: Buffer[] = [busy(1)];
  const extra = 50;
  for (let i = 0; i < MAX_STREAMS + extra; i++) {
    const src = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
    frames.push(b.ethernet(b.ipv4(b.tcp({ seq: 1, payload: text('y') }), { src, protocol: 6 })));
    if (i % 1000 === 0) frames.push(busy(2 + i / 1000));
  }
  const found = b.read(b.pcap(frames));
  const forgotten = found.filter((item) => item.kind === 'tcp-end' && item.reason === 'forgotten');
  t.is(forgotten.length, extra + 1);
  t.false(forgotten.some((item) => item.kind === 'tcp-end' && item.stream.id === 1));
});

test('random segmentation, order, loss-free repetition and chunks: the bytes come out as they went in', (t) => {
  const rng = seededRng(7);
  for (let run = 0; run < 60; run++) {
    const sent = b.pattern(1 + below(rng, 3000), run);
    const isn = below(rng, 2) === 0 ? 0xffffff00 : below(rng, 2 ** 32);
    const steps: Step[] = [];
    for (let at = 0; at < sent.length;) {
      const length = 1 + below(rng, 200);
      steps.push({ seq: isn + 1 + at, payload: sent.subarray(at, at + length) });
      // Now and then from anywhere again, across old borders.
      const from = below(rng, at + 1);
      if (below(rng, 3) === 0)
        steps.push({ seq: isn + 1 + from, payload: sent.subarray(from, from + below(rng, 400)) });
      at += length;
    }
    for (let i = steps.length - 1; i > 0; i--) {
      const j = Math.max(0, i - below(rng, 8));
      [steps[i], steps[j]] = [steps[j] as Step, steps[i] as Step];
    }
    steps.unshift(syn(isn));
    steps.push({ seq: isn + 1 + sent.length, flags: 'FA' });
    const file = b.pcap(packets(steps), { order: run % 2 === 0 ? 'LE' : 'BE' });
    const found = b.read(file, 1 + below(rng, 500));
    let at = 0;
    for (const item of found) {
      if (item.kind !== 'tcp') continue;
      t.is(item.offset, at);
      t.deepEqual(item.payload, sent.subarray(at, at + item.payload.length), `run ${run}`);
      at += item.payload.length;
    }
    t.is(at, sent.length, `run ${run}`);
    t.deepEqual(b.brief(found.slice(-1)), [`end 1+${sent.length} closed`]);
  }
});
