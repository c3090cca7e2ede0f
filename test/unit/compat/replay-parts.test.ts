import test from 'ava';

import { DeliveryCheck } from '../../../src/compat/replay/delivery-check.ts';
import { fingerprint, labelledPayload } from '../../../src/compat/replay/fingerprint.ts';
import { FlightQueue } from '../../../src/compat/replay/flight-queue.ts';
import { junitXml } from '../../../src/compat/replay/junit.ts';
import { parseTruth } from '../../../src/compat/replay/read-truth.ts';
import type { CaptureResult } from '../../../src/compat/replay/result.ts';

/** The parts of a replay, each alone. */

interface Step {
  readonly expected: string;
  readonly delivered: string;
  readonly outcome: readonly [missing: number, extra: number, outOfOrder: number];
}

const sequences: readonly Step[] = [
  { expected: 'abc', delivered: 'abc', outcome: [0, 0, 0] },
  { expected: '', delivered: '', outcome: [0, 0, 0] },
  { expected: 'abc', delivered: 'ab', outcome: [1, 0, 0] },
  { expected: 'ab', delivered: 'abc', outcome: [0, 1, 0] },
  { expected: 'abc', delivered: 'acb', outcome: [0, 0, 1] },
  { expected: 'abcd', delivered: 'bcda', outcome: [0, 0, 1] },
  { expected: 'abc', delivered: 'aabc', outcome: [0, 1, 0] },
  { expected: 'aabc', delivered: 'abc', outcome: [1, 0, 0] },
  { expected: 'abc', delivered: 'xyz', outcome: [3, 3, 0] },
];

for (const { expected, delivered, outcome } of sequences) {
  test(`expected '${expected}', delivered '${delivered}'`, (t) => {
    const first = new DeliveryCheck();
    for (const id of expected) first.expect(id, true);
    for (const id of delivered) first.deliver(id, true);
    const turnsTaken = new DeliveryCheck();
    for (let i = 0; i < Math.max(expected.length, delivered.length); i++) {
      if (i < delivered.length) turnsTaken.deliver(delivered.charAt(i), true);
      if (i < expected.length) turnsTaken.expect(expected.charAt(i), true);
    }
    for (const check of [first, turnsTaken]) {
      const { missing, extra, outOfOrder, ...counts } = check.difference();
      t.deepEqual([missing, extra, outOfOrder], [...outcome]);
      t.deepEqual([counts.delivered, counts.expected], [delivered.length, expected.length]);
    }
  });
}

test('messages without an order are counted only', (t) => {
  const check = new DeliveryCheck();
  for (const id of 'abca') check.expect(id, false);
  for (const id of 'cabd') check.deliver(id, false);
  const { missing, extra, outOfOrder, missingIds, extraIds } = check.difference();
  t.deepEqual({ missing, extra, outOfOrder }, { missing: 1, extra: 1, outOfOrder: 0 });
  t.deepEqual({ missingIds, extraIds }, { missingIds: ['a'], extraIds: ['d'] });
});

test('what is excusable counts only where it agrees', (t) => {
  const check = new DeliveryCheck();
  check.expect('a', true);
  check.expect('b', true, true);
  check.expect('u', false, true);
  check.deliver('a', true, true);
  check.deliver('x', true, true);
  check.deliver('v', false, true);
  const { missing, extra, delivered, expected } = check.difference();
  t.deepEqual({ missing, extra, delivered, expected }, { missing: 0, extra: 0, delivered: 1, expected: 1 });
});

test('a long sequence that agrees is forgotten as it goes', (t) => {
  const check = new DeliveryCheck();
  for (let i = 0; i < 10_000; i++) {
    check.expect(`${i % 7}`, true);
    check.deliver(`${i % 7}`, true);
  }
  const { delivered, expected, outOfOrder } = check.difference();
  t.deepEqual({ delivered, expected, outOfOrder }, { delivered: 10_000, expected: 10_000, outOfOrder: 0 });
});

test('payloads are made of their label as the recording peers make them', (t) => {
  t.is(fingerprint(labelledPayload(1, 100)), '8f7d3ab2de51fd35');
  t.is(fingerprint(labelledPayload(100_001, 10)), 'd36f09f4a5687bb4');
  t.is(fingerprint(labelledPayload(4, 0)), '');
});

test('datagrams arrive by time, and those of one time as they were sent', (t) => {
  const queue = new FlightQueue();
  const times = [5, 1, 3, 1, 4, 1, 5, 9, 2, 6];
  times.forEach((atMs, port) => {
    queue.add({ atMs, bytes: Buffer.alloc(0), host: '', port, place: '' });
  });
  const order: string[] = [];
  t.is(queue.nextMs, 1);
  t.is(queue.take(0), null);
  for (let flight = queue.take(9); flight !== null; flight = queue.take(9)) {
    order.push(`${flight.atMs}:${flight.port}`);
  }
  t.is(order.join(' '), '1:1 1:3 1:5 2:8 3:2 4:4 5:0 5:6 6:9 9:7');
  t.is(queue.nextMs, Infinity);
});

test('truth: a peer that is started again, was killed, and goes by another spelling', (t) => {
  const up = (time: number, msb: string): string =>
    JSON.stringify({
      t: time,
      peer: 'p0',
      ev: 'up',
      addr: '/::1:41000',
      uuid_msb: msb,
      uuid_lsb: '0'.repeat(16),
    });
  const truth = parseTruth(
    [
      up(1, 'a'.repeat(16)),
      '{"t":2,"peer":"p0","ev":"killed-9"}',
      up(3, 'b'.repeat(16)),
      '{"t":4,"peer":"p0","ev":"send","dest":"0","label":7,"len":4,"sha":"x","flags":"OOB|NO_FC"}',
      '{"t":5,"peer":"nobody","ev":"quit"}',
      '{"t":6,"peer":"p0","ev":"discard-up","rate":"0.3"}',
    ].join('\n'),
  );
  t.deepEqual(
    truth.peers.map(({ host, port, endMs, killed }) => [host, port, endMs, killed]),
    [
      ['::1', 41_000, 2, true],
      ['::1', 41_000, Infinity, false],
    ],
  );
  t.deepEqual(
    truth.sends.map(({ dest, flags }) => [dest?.charAt(0), flags]),
    [['b', 5]],
  );
  t.deepEqual(
    [...truth.unknownDrops].map((uuid) => uuid.charAt(0)),
    ['b'],
  );
  t.false(truth.tellsDeliveries);
});

test('JUnit: a testcase for each capture and check, with what is wrong, in XML', (t) => {
  const result: CaptureResult = {
    name: 'a<b>&"c"',
    datagrams: 10,
    messages: 10,
    undecodable: 1,
    reencodedIdentical: 9,
    delivered: 0,
    expected: 0,
    missing: 0,
    extra: 0,
    outOfOrder: 0,
    ok: false,
    replay: 'decode-only',
    reason: 'a bell \u0007 rings',
    problems: ['frame 3'],
    notes: [],
  };
  const xml = junitXml({ ok: false, captures: [result], unreadable: [{ name: 'x', error: 'gone' }] });
  t.true(xml.includes('<testsuites tests="5" failures="2" errors="0" skipped="2">'));
  t.true(xml.includes('classname="a&lt;b&gt;&amp;&quot;c&quot;" name="decodes">'));
  t.true(xml.includes('<failure message="1 of 10 datagrams do not"/>'));
  t.true(xml.includes('<skipped message="a bell ? rings"/>'));
  t.true(xml.includes('<failure message="gone"/>'));
});
