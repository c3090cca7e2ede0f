/** Messages to all, with JGroups' multicast, while old members come and go (DESIGN decision 5). */

import test, { type ExecutionContext } from 'ava';

import type { JGroupsConfig } from '../../../src/jgroups/config.ts';
import { HoldQueue } from '../../../src/upgrade/hold-queue.ts';
import { SentCounts } from '../../../src/upgrade/sent-counts.ts';
import { createView } from '../../../src/protocol/view.ts';
import { Bench, type Node, say, udpState } from './bench.ts';

const GROUP = { address: '239.192.81.1', port: 10_334 };
/** What becomes stable in time here does so for another reason than the regular gossip. */
const SLOW: Partial<JGroupsConfig> = { desiredAvgGossipMs: 3_600_000, stableMaxBytes: 0 };

const texts = ({ received }: Node): string[] => received.map((line) => line.split(' ')[1] ?? '');
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
const sayAll = (node: Node, from: number, to: number): void => {
  for (const text of numbers(from, to)) say(node, text);
};

function assertSettled(t: ExecutionContext, ...nodes: readonly Node[]): void {
  for (const { messenger } of nodes) {
    const { accepted, delivered, memberLeft, pending } = messenger.stats().totals;
    t.is(pending, 0);
    t.is(delivered + memberLeft, accepted);
  }
}

for (const [title, multicast] of [
  ['one datagram for each member', 'unicasts'],
  ['IP multicast', GROUP],
] as const) {
  test(`${title}: with an old member in the view a message to all goes to each once, by UDP`, async (t) => {
    const bench = new Bench({ multicast });
    const old = await bench.start(150);
    const a = await bench.start(200);
    const b = await bench.start(200);
    bench.view(old, a, b);
    say(a, '1');
    say(old, '2');
    a.messenger.send({ recipients: [b.id], payload: Buffer.from('single') });
    await bench.run(10_000);
    t.deepEqual(old.received, ['udp 1']);
    t.deepEqual(b.received.toSorted(), ['tcp single', 'udp 1', 'udp 2']);
    t.deepEqual(a.received, ['udp 2']);
    t.like(a.messenger.stats().totals, { accepted: 3, delivered: 3, pending: 0 });
  });
}

test('when the last old member leaves, TCP waits for what UDP still carries, and that is soon', async (t) => {
  const bench = new Bench({ multicast: GROUP, ...SLOW });
  const old = await bench.start(150);
  const a = await bench.start(200);
  const b = await bench.start(200);
  const c = await bench.start(200);
  bench.view(old, a, b, c);
  bench.network.faults = { ...bench.network.faults, loss: 0.2, reorder: 0.2, reorderDelayMs: 30 };
  sayAll(a, 1, 50);
  bench.view(a, b, c);
  sayAll(a, 51, 100);
  a.messenger.send({ recipients: [b.id], payload: Buffer.from('single') });
  say(b, 'x');
  await bench.run(100);
  t.false(b.received.includes('tcp 51'), 'not all members have the last group message');
  await bench.run(10_000);
  t.deepEqual(texts(b), [...numbers(1, 100), 'single']);
  t.deepEqual(
    texts(c).filter((text) => text !== 'x'),
    numbers(1, 100),
  );
  t.deepEqual(b.received.slice(49, 51), ['udp 50', 'tcp 51']);
  assertSettled(t, a, b);
  t.like(a.messenger.stats().totals, { accepted: 50 * 3 + 50 * 2 + 1, memberLeft: 50 });
  await bench.run(10_000);
  t.deepEqual([a, b, c].map(udpState), ['dormant', 'dormant', 'dormant']);
});

test('a member that slept before it had the last group messages is woken up for them', async (t) => {
  const bench = new Bench({ multicast: GROUP, ...SLOW });
  const old = await bench.start(150);
  const a = await bench.start(200);
  const b = await bench.start(200);
  bench.view(a, b, old);
  say(a, '1');
  await bench.run(1_000);
  bench.network.block('10.0.0.2', '10.0.0.3');
  sayAll(a, 2, 4);
  await bench.run(50);
  bench.view(a, b);
  t.is(udpState(b), 'dormant');
  t.is(udpState(a), 'draining');
  sayAll(a, 5, 7);
  await bench.run(3_000);
  t.deepEqual(texts(b), ['1']);
  bench.network.unblock('10.0.0.2', '10.0.0.3');
  await bench.run(15_000);
  t.deepEqual(texts(b), numbers(1, 7));
  assertSettled(t, a);
  t.deepEqual([a, b].map(udpState), ['dormant', 'dormant']);
  t.false(b.log.some((line) => line.includes('until the next view')));
});

test('when an old member comes, group messages wait for what TCP still carries', async (t) => {
  const bench = new Bench({ multicast: GROUP });
  const a = await bench.start(200);
  const b = await bench.start(200);
  bench.view(a, b);
  say(a, '1');
  await bench.run(1_000);
  bench.network.block('10.0.0.1', '10.0.0.2');
  sayAll(a, 2, 20);
  const old = await bench.start(150);
  bench.view(a, b, old);
  sayAll(a, 21, 40);
  a.messenger.send({ recipients: 'all', payload: Buffer.from('urgent'), highPriority: true });
  await bench.run(2_000);
  t.deepEqual(texts(b), ['1']);
  t.deepEqual(texts(old), ['urgent'], 'what has no order need not wait');
  bench.network.unblock('10.0.0.1', '10.0.0.2');
  await bench.run(30_000);
  t.deepEqual(
    texts(b).filter((text) => text !== 'urgent'),
    numbers(1, 40),
  );
  t.true(b.received.includes('tcp 20') && b.received.includes('udp 21'));
  t.deepEqual(
    texts(old).filter((text) => text !== 'urgent'),
    numbers(21, 40),
  );
  assertSettled(t, a);
});

test('old members that come and go while nothing gets through: all comes, once and in order', async (t) => {
  const bench = new Bench({ multicast: 'unicasts' });
  const a = await bench.start(200);
  const b = await bench.start(200);
  const c = await bench.start(200);
  let old = await bench.start(150);
  bench.view(a, b, old);
  bench.network.block('10.0.0.1', '10.0.0.2');
  let said = 0;
  for (let round = 0; round < 4; round++) {
    sayAll(a, said + 1, said + 5);
    await bench.run(300);
    bench.view(...(round < 2 ? [a, b] : [a, b, c]));
    sayAll(a, said + 6, said + 10);
    said += 10;
    await bench.run(300);
    old = await bench.start(150);
    bench.view(...(round < 2 ? [a, b, old] : [a, b, c, old]));
  }
  bench.network.unblock('10.0.0.1', '10.0.0.2');
  await bench.run(60_000);
  t.deepEqual(texts(b), numbers(1, said));
  // from its first view on, and perhaps a few from before
  t.deepEqual(texts(c).slice(-15), numbers(said - 14, said));
  t.deepEqual(
    texts(c),
    texts(c).toSorted((x, y) => Number(x) - Number(y)),
  );
  t.is(new Set(texts(c)).size, texts(c).length);
  assertSettled(t, a);
});

test('who is waited for may leave, and who waits may be stopped', async (t) => {
  const bench = new Bench({ multicast: GROUP });
  const a = await bench.start(200);
  const b = await bench.start(200);
  const c = await bench.start(200);
  const old = await bench.start(150);
  bench.view(a, b, c, old);
  bench.network.block('10.0.0.1', '10.0.0.2');
  say(a, '1');
  await bench.run(50);
  bench.view(a, b, c);
  say(a, '2');
  await bench.run(3_000);
  t.deepEqual(texts(c), ['1']);
  bench.view(a, c);
  await bench.run(3_000);
  t.deepEqual(texts(c), ['1', '2']);
  assertSettled(t, a);
  bench.network.block('10.0.0.1', '10.0.0.3');
  const late = await bench.start(150);
  say(a, '3');
  bench.view(a, c, late);
  say(a, '4');
  await bench.clock.run(a.messenger.stop(), 'stop()');
  t.like(a.messenger.stats().totals, { pending: 0, closed: 3 });
  await bench.run(5_000);
  t.deepEqual(texts(late), []);
});

test('a hold queue lets nothing pass', (t) => {
  const queue = new HoldQueue<number>();
  const out: number[] = [];
  const send = (item: number): void => void out.push(item);
  let [first, second] = [false, false];
  t.false(queue.push(0));
  queue.holdUntil(() => first);
  t.true(queue.push(1));
  queue.holdUntil(() => second);
  t.true(queue.push(2));
  second = true;
  t.true(queue.push(3));
  queue.release(send);
  t.deepEqual(out, []);
  first = true;
  t.true(queue.push(4), 'others are before it');
  t.false(queue.isDone);
  queue.release(send);
  t.deepEqual(out, [1, 2, 3, 4]);
  t.true(queue.isDone);
  t.false(queue.push(5));
});

test('counts: unordered messages may be acknowledged before older ones', (t) => {
  const counts = new SentCounts();
  const b = 'b'.repeat(32);
  const c = 'c'.repeat(32);
  t.true(counts.settled()());
  for (const uuid of [b, c]) counts.of(uuid).accept(true);
  const settled = counts.settled();
  counts.of(b).accept(false);
  counts.acknowledge(b, 1);
  counts.acknowledge(c, 1);
  t.false(settled(), 'it may have been the later one');
  counts.acknowledge(b, 1);
  t.true(settled());
  counts.of(c).accept(true);
  const other = counts.settled();
  t.false(other());
  counts.installView(createView(1, []));
  t.true(other(), 'it left');
  counts.acknowledge(c, 1);
  t.true(counts.settled()());
});
