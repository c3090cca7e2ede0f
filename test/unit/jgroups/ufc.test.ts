/** UFC in virtual time: the figures are those of WIRE-3.6 section 9. */

import test from 'ava';

import { Flag, type Header } from '../../../codecs/jgroups/message.ts';
import { data, keyOf, type Member, messageOf, type Puppet, World } from './world.ts';

const SMALL = { maxCredits: 20_000, initialWindowBytes: 0 };
const CREDIT_FLAGS = Flag.OOB | Flag.DONT_BUNDLE | Flag.INTERNAL;

function pair(config = SMALL): { world: World; a: Member; p: Puppet; credit: Credit } {
  const world = new World();
  const a = world.member(config);
  const p = world.puppet();
  a.view(p);
  let seqno = 0;
  const credit: Credit = (type, amount) => {
    const payload = Buffer.alloc(8);
    payload.writeBigInt64BE(BigInt(amount));
    p.say(a, [{ protocol: 'UFC', type }, data(++seqno)], payload, CREDIT_FLAGS);
  };
  return { world, a, p, credit };
}

type Credit = (type: 'REPLENISH' | 'CREDIT_REQUEST', amount: number) => void;

const send = (a: Member, p: Puppet, size: number, flags: number = Flag.DONT_BUNDLE): void =>
  a.stack.send(p.address, Buffer.alloc(size), flags | Flag.DONT_BUNDLE, a.world.nowMs);

test('20000 credits, threshold a quarter: 15 messages of 1000 bytes bring 15000 back', (t) => {
  const world = new World();
  const [a, b] = world.members(2, SMALL) as [Member, Member];
  for (let i = 0; i < 14; i++) a.send(b, Buffer.alloc(1_000));
  world.settle();
  t.deepEqual(b.take(), []);
  a.send(b, Buffer.alloc(1_000));
  world.settle();
  t.deepEqual(b.take(), ['DATA 1 conn 0 first REPLENISH 15000']);
  t.is(a.stack.counters.blocked, 0);
});

test('credits are given after the application had the message, in a message of the flags of the reference', (t) => {
  const { a, p } = pair();
  a.onDeliver = () => t.is(a.sent.length, 0);
  p.say(a, [data(1)], Buffer.alloc(15_000));
  const [replenish] = a.takeSent();
  t.is(replenish?.text, 'DATA 1 conn 0 first REPLENISH 15000');
  t.is(messageOf(replenish).flags, CREDIT_FLAGS);
});

test('without credits messages wait, in order; new credits let as many go as they cover', (t) => {
  const { a, p, credit } = pair();
  for (let i = 0; i < 25; i++) send(a, p, 1_000);
  t.is(a.take().length, 20);
  t.is(a.stack.counters.blocked, 1);
  credit('REPLENISH', 2_500);
  t.deepEqual(a.take(), ['DATA 21 conn 0', 'DATA 22 conn 0']);
  send(a, p, 100); // would be covered, but is not its turn
  t.deepEqual(a.take(), []);
  credit('REPLENISH', 500);
  t.deepEqual(a.take(), ['DATA 23 conn 0']);
  credit('REPLENISH', 1_000_000);
  t.deepEqual(a.take(), ['DATA 24 conn 0', 'DATA 25 conn 0', 'DATA 26 conn 0']);
  send(a, p, 17_900);
  t.is(a.take().length, 1, 'credits were capped at 20000');
  send(a, p, 1);
  t.is(a.take().length, 0);
});

test('a member without credits delays no other', (t) => {
  const { a, p, world } = pair();
  const q = world.puppet(98);
  a.view(p, q);
  send(a, p, 20_000);
  send(a, p, 1_000);
  send(a, q, 1_000);
  t.deepEqual(a.take(), ['DATA 1 conn 0 first', 'DATA 1 conn 1 first']);
});

test('credits are asked for after 5 s, then every 5 s, by the amount that is gone', (t) => {
  const { a, p, world, credit } = pair();
  send(a, p, 18_000);
  world.run(1_200);
  send(a, p, 6_000);
  const seen = new Set<string>();
  const requests = (ms: number): string[] => {
    world.run(ms);
    // the puppet acknowledges nothing: the last one is resent at every tick
    const fresh = a.take().filter((text) => text.includes('CREDIT_REQUEST') && !seen.has(text));
    for (const text of fresh) seen.add(text);
    return fresh;
  };
  t.deepEqual(requests(4_999), []);
  t.deepEqual(requests(1), ['DATA 2 conn 0 CREDIT_REQUEST 18000']);
  t.deepEqual(requests(4_999), []);
  t.deepEqual(requests(1), ['DATA 3 conn 0 CREDIT_REQUEST 18000']);
  credit('REPLENISH', 1_000); // not enough
  t.deepEqual(requests(5_000), ['DATA 4 conn 0 CREDIT_REQUEST 17000']);
  credit('REPLENISH', 17_000);
  t.is(a.take().at(-1), 'DATA 5 conn 0');
  t.deepEqual(requests(20_000), []);
});

test('a request for credits is answered by as many at once, strangers get none', (t) => {
  const { a, p, world, credit } = pair();
  p.say(a, [data(1, 5)], Buffer.alloc(10_000));
  const b = pair();
  b.credit('CREDIT_REQUEST', 20_000);
  t.deepEqual(b.a.take(), ['DATA 1 conn 0 first REPLENISH 20000']);
  credit('CREDIT_REQUEST', 0);
  t.deepEqual(a.take(), []);
  const payload = Buffer.alloc(8, 1);
  world.puppet(50).say(a, [{ protocol: 'UFC', type: 'CREDIT_REQUEST' }, data(1)], payload, CREDIT_FLAGS);
  t.deepEqual(a.take(), []);
});

test('an answered request counts: the next credits come when the rest is used up', (t) => {
  const { a, p, credit } = pair();
  credit('CREDIT_REQUEST', 1); // opens connection 0, seqno 1
  a.take();
  p.say(a, [data(2)], Buffer.alloc(14_000));
  t.deepEqual(a.take(), []);
  credit('REPLENISH', 1); // seqno 2 again: a duplicate
  p.say(a, [data(3)], Buffer.alloc(1_000));
  t.deepEqual(a.take(), ['DATA 2 conn 0 REPLENISH 15000']);
});

test('a message larger than all credits goes when they are full', (t) => {
  const { a, p, credit } = pair();
  send(a, p, 30_000);
  t.deepEqual(a.take(), ['DATA 1 conn 0 first']);
  send(a, p, 30_000);
  credit('REPLENISH', 19_999);
  t.deepEqual(a.take(), ['DATA 2 conn 0 CREDIT_REQUEST 1'], 'more would never come by itself');
  credit('REPLENISH', 1);
  t.deepEqual(a.take(), ['DATA 3 conn 0']);
});

test('credits for a message that is larger than all of them are asked for at once, not after max_block_time', (t) => {
  const { a, p, world } = pair();
  send(a, p, 100);
  send(a, p, 30_000);
  world.run(0);
  const asked = a.take().filter((text) => text.includes('CREDIT'));
  t.deepEqual(
    asked.map((text) => text.replace(/.* (?=CREDIT)/, '')),
    ['CREDIT_REQUEST 100'],
  );
});

test('a large message uses up all credits at the receiver, which gives all back', (t) => {
  const { a, p } = pair();
  p.say(a, [data(1)], Buffer.alloc(50_000));
  t.deepEqual(a.take(), ['DATA 1 conn 0 first REPLENISH 20000']);
});

test('NO_FC and empty messages cost nothing on either side', (t) => {
  const { a, p } = pair();
  send(a, p, 20_000);
  send(a, p, 5_000, Flag.NO_FC | Flag.OOB);
  t.is(a.take().length, 2);
  p.say(a, [data(1)], Buffer.alloc(30_000), Flag.NO_FC);
  p.say(a, [data(2)], Buffer.alloc(0));
  p.say(a, [data(3)], null);
  t.deepEqual(a.take(), []);
  t.is(a.delivered.length, 3);
});

test('empty messages and those without flow control keep their order behind blocked ones, OOB ones need none', (t) => {
  const { a, p, credit } = pair();
  send(a, p, 20_000);
  send(a, p, 1_000);
  send(a, p, 0);
  send(a, p, 10, Flag.NO_FC);
  t.deepEqual(a.take(), ['DATA 1 conn 0 first']);
  send(a, p, 0, Flag.OOB);
  send(a, p, 10, Flag.OOB | Flag.NO_FC);
  t.is(a.take().length, 2);
  credit('REPLENISH', 1_000);
  const sizes = a.takeSent().map((sent) => messageOf(sent).payload?.length);
  t.deepEqual(sizes, [1_000, 0, 10]);
});

test('who is no member has no credits: nothing is counted, nothing waits', (t) => {
  const { a, world } = pair();
  const q = world.puppet(98);
  for (let i = 0; i < 50; i++) send(a, q, 1_000);
  t.is(a.take().length, 50);
  for (let seqno = 1; seqno <= 50; seqno++) q.say(a, [data(seqno)], Buffer.alloc(1_000));
  t.deepEqual(a.take(), []);
});

test('who leaves takes along what waited for it, and comes back with full credits', (t) => {
  const { a, p, world } = pair();
  send(a, p, 20_000);
  send(a, p, 1_000);
  a.take();
  a.view();
  world.run(20_000);
  t.false(a.take().some((text) => text.includes('CREDIT_REQUEST')));
  a.view(p);
  send(a, p, 20_000);
  t.deepEqual(a.take(), ['DATA 1 conn 1 first']);
});

test('credits without an amount, or with a negative one, are counted and named', (t) => {
  const { a, p } = pair();
  const replenish: Header = { protocol: 'UFC', type: 'REPLENISH' };
  p.say(a, [replenish, data(1)], Buffer.alloc(7), CREDIT_FLAGS);
  p.say(a, [replenish, data(2)], null, CREDIT_FLAGS);
  p.say(a, [{ ...replenish, type: 'CREDIT_REQUEST' }, data(3)], Buffer.alloc(8, 0xff), CREDIT_FLAGS);
  t.is(a.stack.counters.malformed, 3);
  t.regex(a.complaints[0] ?? '', new RegExp(`^protocol ${keyOf(p)}: .*REPLENISH`));
  t.deepEqual(a.take(), []);
});

test('two members with few credits: all arrives, in order, and the queue drains', (t) => {
  const world = new World();
  const [a, b] = world.members(2, SMALL) as [Member, Member];
  for (let i = 1; i <= 200; i++) {
    a.send(b, String(i).padEnd(1_000));
    b.send(a, String(i).padEnd(1_000));
  }
  world.run(1_000);
  for (const { delivered } of [a, b]) {
    t.deepEqual(
      delivered.map(({ payload }) => Number(payload.toString())),
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
  }
  t.is(a.acked.bytes, 200_000);
  t.is(a.stack.counters.creditRequestsSent, 0);
});
