import test from 'ava';
import { createMemberId } from '../../../src/protocol/member-id.ts';
import { OutcomeLedger } from '../../../src/protocol/outcomes.ts';
import { Recipient } from '../../../src/protocol/recipient.ts';
import {
  GUARANTEED_BYTES,
  GUARANTEED_MESSAGES,
  type LimitOptions,
  MESSAGE_OVERHEAD_BYTES,
  PendingTotal,
  queueLimits,
} from '../../../src/protocol/send-limits.ts';
import { createCounters } from '../../../src/tcp/context.ts';
import { UNRELIABLE_QUEUE_MESSAGES } from '../../../src/tcp/limits.ts';
import { UnreliableQueue } from '../../../src/tcp/unreliable-queue.ts';
import { FakeNetwork } from './fake-network.ts';
import { installView, numbered, numbers, range, startMember } from './members.ts';

const KIB = 1024;

/** Recipients that share a total. */
function recipients(count: number, options: LimitOptions = {}, bytes = {}): [PendingTotal, Recipient[]] {
  const total = new PendingTotal(options);
  const limits = queueLimits({ ...bytes, limits: options });
  const ledger = new OutcomeLedger();
  const members = range(count).map((index) =>
    createMemberId({ host: '127.0.0.1', port: index, uuid: String(index).padStart(32, '0') }),
  );
  return [total, members.map((member) => new Recipient(ledger.of(member), false, limits, total))];
}

/** So many messages of one cost are taken before one is refused. */
function fill(recipient: Recipient, cost: number, highPriority = false): number {
  let taken = 0;
  for (; taken < 100_000 && recipient.checkRoom(cost, highPriority); taken++) recipient.accept(cost);
  return taken;
}

test('limits in messages: the mark, the limit, the reserve of high-priority messages', (t) => {
  const [, [recipient]] = recipients(1, { highWaterMessages: 10, hardLimitMessages: 40 });
  if (recipient === undefined) return t.fail();
  for (let i = 0; i < 10; i++) recipient.accept(64);
  t.false(recipient.checkMark());
  recipient.accept(64);
  t.true(recipient.checkMark());
  t.is(fill(recipient, 64), 29);
  t.is(fill(recipient, 64, true), 5, 'an eighth of 40');
  recipient.settle(30 * 64, 30);
  t.false(recipient.checkRoom(64, false), 'refused until it is announced, lest messages overtake');
  t.true(recipient.checkRoom(64, true));
  t.false(recipient.hasRoom);
  recipient.settle(10 * 64, 10);
  t.true(recipient.hasRoom);
  recipient.announce(true);
  t.true(recipient.checkRoom(64, false));
});

test('the total: refuses those who have much, never those who have little; says when there is room', (t) => {
  const [total, [a, b, c]] = recipients(3, { totalBytes: 400 * KIB });
  if (a === undefined || b === undefined || c === undefined) return t.fail();
  let announced = 0;
  total.onRoom(() => announced++);
  t.is(fill(a, 10 * KIB), 40);
  t.is(fill(a, 10 * KIB, true), 5);
  t.is(fill(b, 16 * KIB), GUARANTEED_BYTES / (16 * KIB));
  t.is(fill(c, 0), GUARANTEED_MESSAGES);
  t.false(b.hasRoom && b.pendingBytes > GUARANTEED_BYTES);
  t.is(announced, 0);
  const give = (recipient: Recipient, bytes: number, messages: number): void => {
    recipient.settle(bytes, messages);
    total.remove(bytes, messages);
  };
  give(a, 300 * KIB, 30);
  t.is(announced, 0);
  t.false(a.hasRoom);
  give(a, 120 * KIB, 12);
  t.is(announced, 1);
  t.true(a.hasRoom);
  a.announce(true);
  t.true(a.checkRoom(10 * KIB, false));
});

test('the total: one message always goes, however large; one that waits for it is told though it has none', (t) => {
  const [total, [a, b]] = recipients(2, { totalBytes: 200 * KIB });
  if (a === undefined || b === undefined) return t.fail();
  t.true(a.checkRoom(300 * KIB, false));
  a.accept(300 * KIB);
  t.false(b.checkRoom(300 * KIB, false));
  t.true(b.awaitsRoom);
  let announced = 0;
  total.onRoom(() => announced++);
  a.settle(300 * KIB, 1);
  total.remove(300 * KIB, 1);
  t.is(announced, 1);
  t.true(b.hasRoom);
});

test('options that cannot be', (t) => {
  for (const limits of [
    { highWaterMessages: 0 },
    { highWaterMessages: 5, hardLimitMessages: 4 },
    { highPriorityShare: 2 },
    { highPriorityShare: NaN },
  ])
    t.throws(() => queueLimits({ limits }), { code: 'ERR_OPTIONS' });
  for (const limits of [{ totalBytes: 0 }, { totalMessages: -1 }, { totalBytes: NaN }])
    t.throws(() => new PendingTotal(limits), { code: 'ERR_OPTIONS' });
  t.is(queueLimits({ limits: { hardLimitMessages: 5 } }).highWaterMessages, 5);
});

test('a messenger counts what is pending in all, and forgets it with those who leave and when it stops', async (t) => {
  const network = new FakeNetwork();
  const pendingTotal = new PendingTotal();
  const a = await startMember(network, 'a', { pendingTotal });
  const b = await startMember(network, 'b');
  const c = await startMember(network, 'c');
  installView(1, [a, b, c]);
  network.plan = (_, port) => (port === b.id.port ? { stallForwardAt: 0 } : {});
  for (const i of range(10)) a.messenger.send({ recipients: 'all', payload: numbered(i, 100) });
  const each = 100 + MESSAGE_OVERHEAD_BYTES;
  t.is(pendingTotal.bytes, 20 * each);
  network.run(100);
  t.deepEqual([pendingTotal.bytes, pendingTotal.messages], [10 * each, 10]);
  installView(2, [a, c]);
  t.deepEqual([pendingTotal.bytes, pendingTotal.messages], [0, 0]);
  a.messenger.send({ recipients: [c.id, a.id], payload: numbered(0) });
  t.is(pendingTotal.messages, 2);
  void a.messenger.stop();
  network.run(1_000);
  await a.messenger.stop();
  t.deepEqual([pendingTotal.bytes, pendingTotal.messages], [0, 0]);
});

test('one recipient that takes nothing: past the total the others are served all the same', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a', { limits: { totalBytes: 1024 * KIB } });
  const b = await startMember(network, 'b');
  const c = await startMember(network, 'c');
  installView(1, [a, b, c]);
  network.plan = (_, port) => (port === b.id.port ? { stallForwardAt: 0 } : {});
  let stuck = 0;
  while (a.messenger.send({ recipients: [b.id], payload: numbered(0, 10_000) }).refused.length === 0) stuck++;
  t.true(stuck > 100 && stuck < 110, `${stuck}`);
  for (const i of range(200)) {
    const { refused, writable } = a.messenger.send({ recipients: [c.id], payload: numbered(i, 10_000) });
    t.deepEqual(refused, []);
    t.true(writable);
    network.run(20);
  }
  t.deepEqual(numbers(c), range(200));
});

test('unreliable: each has its own age, is kept over a reconnect that is quick enough, else dropped and counted', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a');
  const b = await startMember(network, 'b');
  installView(1, [a, b]);
  network.plan = (index) => (index < 4 ? { refuse: true } : {}); // four waits of 5 to 80 ms
  const once = (number: number, maxAgeMs?: number): void => {
    const age = maxAgeMs === undefined ? {} : { maxAgeMs };
    a.messenger.sendUnreliably({ recipients: [b.id], payload: numbered(number), ...age });
  };
  once(1, 30_000);
  once(2, 10);
  once(3);
  once(4, 0);
  network.run(500);
  t.deepEqual(numbers(b), [1, 3]);
  const counters = (): Readonly<Record<string, number>> => a.messenger.stats().stacks.tcp?.counters ?? {};
  t.like(counters(), { unreliableDropped: 2, unreliableSent: 2 });
  once(5, 0);
  network.run(5);
  t.deepEqual(numbers(b), [1, 3, 5], 'no age at all is enough when nothing stands in the way');
  for (const maxAgeMs of [-1, NaN, '5' as unknown as number])
    t.throws(() => once(6, maxAgeMs), { code: 'ERR_MESSAGE' });
});

test('unreliable: a recipient that does not read gets no stale ones when it wakes up', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a');
  const b = await startMember(network, 'b');
  installView(1, [a, b]);
  network.plan = () => ({ bufferBytes: 1_000 });
  a.messenger.send({ recipients: [b.id], payload: numbered(0) });
  network.run(50);
  for (const stream of b.listener.streams) stream.paused = true;
  a.messenger.send({ recipients: [b.id], payload: numbered(1, 5_000) }); // what is written waits in the stream
  network.run(5);
  for (const i of range(20)) {
    a.messenger.sendUnreliably({ recipients: [b.id], payload: numbered(100 + i), maxAgeMs: 200 });
    network.run(100);
  }
  for (const stream of b.listener.streams) stream.resume();
  network.run(100);
  t.deepEqual(numbers(b), [0, 1, 118, 119]);
  t.is(a.messenger.stats().stacks.tcp?.counters['unreliableDropped'], 18);
});

test('unreliable queue: bounded in messages; old ones make room, also behind those that may grow older', (t) => {
  const counters = createCounters();
  const queue = new UnreliableQueue(counters);
  const one = new Uint8Array(1);
  queue.push(one, 0, 100);
  for (let i = 1; i < UNRELIABLE_QUEUE_MESSAGES; i++) queue.push(one, 0, 10);
  queue.push(one, 5, 10);
  t.is(counters.unreliableDropped, 1);
  queue.push(one, 11, 10);
  t.is(counters.unreliableDropped, UNRELIABLE_QUEUE_MESSAGES);
  t.is(queue.poll(20), one);
  t.is(queue.poll(20), one);
  t.true(queue.isEmpty);
});
