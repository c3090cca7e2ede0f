/** FRAG2 on a stack (WIRE-3.6 section 8). */

import test from 'ava';

import { Flag, type Header } from '../../../codecs/jgroups/message.ts';
import { data, keyOf, type Member, messageOf, type Puppet, World } from './world.ts';

const frag = (fragNo: number, numFrags: number, id = 1): Header => ({
  protocol: 'FRAG2',
  id,
  fragNo,
  numFrags,
});

function pair(config = {}): { world: World; a: Member; p: Puppet; fragments: Fragments } {
  const world = new World();
  const a = world.member(config);
  const p = world.puppet();
  a.view(p);
  let seqno = 0;
  const fragments: Fragments = (...pieces) => {
    for (const [header, text, flags = Flag.OOB] of pieces) p.say(a, [header, data(++seqno)], text, flags);
  };
  return { world, a, p, fragments };
}

type Fragments = (...pieces: readonly [Header, string | Uint8Array, number?][]) => void;

test('only payloads above fragSize are cut; every fragment is a message of its own', (t) => {
  const { a, p } = pair({ fragSize: 1_000 });
  a.stack.send(p.address, Buffer.alloc(1_000), Flag.DONT_BUNDLE, 0);
  a.stack.send(p.address, Buffer.alloc(2_001), Flag.DONT_BUNDLE, 0);
  a.stack.send(p.address, Buffer.alloc(1_001), Flag.DONT_BUNDLE, 0);
  const sent = a.takeSent();
  t.deepEqual(
    sent.map(({ text }) => text),
    [
      'DATA 1 conn 0 first',
      'DATA 2 conn 0 frag 1:0/3',
      'DATA 3 conn 0 frag 1:1/3',
      'DATA 4 conn 0 frag 1:2/3',
      'DATA 5 conn 0 frag 2:0/2',
      'DATA 6 conn 0 frag 2:1/2',
    ],
  );
  t.deepEqual(
    sent.map((datagram) => messageOf(datagram).payload?.length),
    [1_000, 1_000, 1_000, 1, 1_000, 1],
  );
});

test('a message of many fragments counts once, when the last is acknowledged, its bytes as they are', (t) => {
  const { a, p } = pair({ fragSize: 1_000 });
  a.stack.send(p.address, Buffer.alloc(2_500), Flag.DONT_BUNDLE, 0);
  const acknowledge = (seqno: number, timestamp: number): void =>
    p.say(a, [{ protocol: 'UNICAST3', type: 'ACK', seqno, connId: 0, timestamp }]);
  acknowledge(2, 1);
  t.deepEqual(a.acked, { messages: 0, bytes: 2_000 });
  acknowledge(3, 2);
  t.deepEqual(a.acked, { messages: 1, bytes: 2_500 });
});

test('fragments are joined in any order, of several messages at once', (t) => {
  const { a, fragments } = pair();
  fragments(
    [frag(2, 3), 'c'],
    [frag(1, 2, 2), 'y'],
    [frag(0, 3), 'a'],
    [frag(0, 2, 2), 'x'],
    [frag(1, 3), 'b'],
  );
  t.deepEqual(a.texts, ['xy', 'abc']);
  fragments([frag(0, 1, 3), 'single']);
  t.deepEqual(a.texts, ['xy', 'abc', 'single']);
});

test('a message of 10 MB goes through two stacks with a bad network', (t) => {
  const world = new World();
  const [a, b] = world.members(2) as [Member, Member];
  let n = 0;
  world.lose = () => ++n % 10 === 0;
  const payload = Buffer.alloc(10_000_000, 'abcdefg');
  a.send(b, payload);
  a.send(b, 'next');
  world.run(60_000);
  t.is(b.delivered.length, 2);
  t.true(b.delivered[0]?.payload.equals(payload));
  t.is(a.acked.messages, 2);
});

test('another number of fragments than told before does not fit: dropped, counted, named', (t) => {
  const { a, p, fragments } = pair();
  fragments([frag(0, 3), 'a'], [frag(1, 4), 'B']);
  t.is(a.stack.counters.fragmentsDropped, 1);
  t.regex(a.complaints[0] ?? '', new RegExp(`^protocol ${keyOf(p)}: fragment 1 of 4`));
  fragments([frag(1, 3), 'b'], [frag(2, 3), 'c']);
  t.deepEqual(a.texts, ['abc']);
});

test('a message that claims 2^31 fragments allocates nothing', (t) => {
  const { a, fragments } = pair();
  fragments([frag(0, 0x7fff_ffff), 'a'], [frag(0x7fff_fffe, 0x7fff_ffff), 'z']);
  t.deepEqual(a.texts, []);
});

test('who comes back does not finish what it began before it left', (t) => {
  const { a, p, fragments } = pair();
  fragments([frag(0, 2), 'a']);
  a.view();
  a.view(p);
  fragments([frag(1, 2), 'b']);
  t.deepEqual(a.texts, []);
  fragments([frag(0, 2), 'A']);
  t.deepEqual(a.texts, ['Ab']);
});

test('fragments of empty and of absent payload join to an empty message', (t) => {
  const { a, fragments } = pair();
  fragments([frag(0, 2), ''], [frag(1, 2), Buffer.alloc(0)]);
  t.deepEqual(a.texts, ['']);
});

test('unreliable fragments that never get complete make room for others, and leave reliable ones alone', (t) => {
  const { a, p, fragments } = pair();
  const piece = Buffer.alloc(60_000, 'u');
  const flags = Flag.OOB | Flag.NO_RELIABILITY;
  for (let id = 1; id <= 5_000; id++) p.say(a, [frag(0, 2, id)], piece, flags);
  t.is(a.stack.counters.fragmentsDropped, 5_000 - Math.floor((16 * 1024 * 1024) / 60_256));
  p.say(a, [frag(1, 2, 1)], piece, flags); // 1 is gone
  t.is(a.delivered.length, 0);
  p.say(a, [frag(1, 2, 5_000)], 'end', flags);
  t.is(a.delivered.length, 1);
  fragments([frag(0, 2, 5_001), 'a'], [frag(1, 2, 5_001), 'b']);
  t.is(a.texts.at(-1), 'ab');
});

test('a repeated unreliable fragment is a duplicate, not a fault', (t) => {
  const { a, p } = pair();
  const flags = Flag.OOB | Flag.NO_RELIABILITY;
  p.say(a, [frag(0, 2)], 'a', flags);
  p.say(a, [frag(0, 2)], 'a', flags);
  p.say(a, [frag(1, 2)], 'b', flags);
  t.deepEqual(a.texts, ['ab']);
  t.is(a.stack.counters.duplicates, 1);
  t.deepEqual(a.complaints, []);
});

test('senders that are no members have 64 MiB in all, and none for unreliable fragments', (t) => {
  const { a, fragments, world } = pair();
  const piece = Buffer.alloc(60_000, 's');
  for (let n = 0; n < 100; n++) {
    const stranger = world.puppet(1_000 + n);
    for (let seqno = 1; seqno <= 20; seqno++)
      stranger.say(a, [frag(seqno, 30), data(seqno)], piece, Flag.OOB);
    stranger.say(a, [frag(0, 2, 2)], piece, Flag.OOB | Flag.NO_RELIABILITY);
  }
  t.is(a.stack.counters.fragmentsDropped, 2_000 - Math.floor((64 * 1024 * 1024) / 60_256) + 100);
  fragments([frag(0, 2), 'a'], [frag(1, 2), 'b']);
  t.deepEqual(a.texts, ['ab'], 'members are not concerned');
});

test('who joins may begin a message before the view that has it, and end it after', (t) => {
  const { a, p, world } = pair();
  const joiner = world.puppet(50);
  joiner.say(a, [frag(0, 3), data(1)], 'a');
  const other = world.puppet(51);
  a.view(p, other);
  joiner.say(a, [frag(1, 3), data(2)], 'b');
  a.view(p, other, joiner);
  joiner.say(a, [frag(2, 3), data(3)], 'c');
  t.deepEqual(a.texts, ['abc']);
});

test('a stranger that is silent for 20 s is forgotten', (t) => {
  const { a, p, world } = pair();
  const stranger = world.puppet(50);
  stranger.say(a, [frag(0, 4), data(1)], 'a');
  a.view(p);
  world.run(9_000); // after 10 s UNICAST3 would forget its connection
  stranger.say(a, [frag(1, 4), data(2)], 'b');
  world.run(9_000);
  stranger.say(a, [frag(2, 4), data(3)], 'c');
  world.run(9_000);
  stranger.say(a, [frag(3, 4), data(4)], 'd');
  t.deepEqual(a.texts, ['abcd']);
  stranger.say(a, [frag(0, 2, 2), data(5)], 'e');
  world.run(21_000);
  stranger.say(a, [frag(1, 2, 2), data(6)], 'f');
  t.deepEqual(a.texts, ['abcd']);
});

test('who leaves may finish what it began: it is acknowledged, so it has to be delivered', (t) => {
  const { a, fragments } = pair();
  fragments([frag(0, 2), 'a']);
  a.view();
  fragments([frag(1, 2), 'b']);
  t.deepEqual(a.texts, ['ab']);
});

test('more than 256 MiB of unfinished messages are not kept for one member, and that is told', (t) => {
  const { a, p } = pair();
  const piece = Buffer.alloc(60_000);
  const fitting = Math.floor((256 * 1024 * 1024) / 60_256);
  for (let seqno = 1; seqno <= fitting + 1; seqno++)
    p.say(a, [frag(seqno, 10_000), data(seqno)], piece, Flag.OOB);
  t.is(a.stack.counters.fragmentsDropped, 1);
  t.regex(a.complaints[0] ?? '', /does not fit/);
});
