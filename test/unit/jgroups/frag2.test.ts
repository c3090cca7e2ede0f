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
  a.stack.send(p.address, Buffer.alloc(1_000), 0, 0);
  a.stack.send(p.address, Buffer.alloc(2_001), 0, 0);
  a.stack.send(p.address, Buffer.alloc(1_001), 0, 0);
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
  a.stack.send(p.address, Buffer.alloc(2_500), 0, 0);
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

test('a view without the sender clears what it began', (t) => {
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
