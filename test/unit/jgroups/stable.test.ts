/** STABLE and the outcomes of group messages, in virtual time; what is expected is WIRE-3.6 section 7. */

import test from 'ava';

import { Flag } from '../../../codecs/jgroups/message.ts';
import { GEODE_MULTICAST_STACK } from '../../../src/jgroups/config.ts';
import { digestOf, gossip, numbers, pair, QUIET } from './group-world.ts';
import { keyOf, type Member, messageOf, type Puppet, World } from './world.ts';

/** As `pair`, but here the real member is the coordinator, of view 1 with two puppets. */
function coordinator(config = {}): { world: World; a: Member; p: Puppet; q: Puppet } {
  const world = new World();
  const a = world.member({ ...QUIET, ...config });
  const p = world.puppet(98);
  const q = world.puppet(99);
  a.install(1, [a, p, q]);
  return { world, a, p, q };
}

const ofView = (member: { readonly address: Puppet['address'] }, id = 1) => ({ creator: member.address, id });
const STABLE_FLAGS = Flag.OOB | Flag.INTERNAL | Flag.NO_RELIABILITY;

test('a member tells the coordinator now and then how far it is: 0 to 4 s apart, 2 s on average', (t) => {
  const { a, p, world } = pair({ desiredAvgGossipMs: 2_000 });
  world.run(400_000);
  const sent = a.takeSent();
  t.true(sent.every(({ text, port }) => text === 'STABLE_GOSSIP view 1 99:0-0 1:0-0' && port === p.port));
  const gaps = sent.map(({ atMs }, i) => atMs - (sent[i - 1]?.atMs ?? 0));
  t.true(sent.length > 170 && sent.length < 235, `${sent.length} in 400 s`);
  t.true(gaps.every((gap) => gap > 0 && gap < 4_000));
  t.true(gaps.some((gap) => gap < 500) && gaps.some((gap) => gap > 3_500));
  const { flags, headers } = messageOf(sent[0]);
  t.is(flags, STABLE_FLAGS);
  t.deepEqual(
    headers.map(({ protocol }) => protocol),
    ['STABLE', 'TP'],
  );
});

test('the digest says what was delivered and what was received; ours is all that we sent', (t) => {
  const { a, p, world } = pair({ desiredAvgGossipMs: 2_000, mcastXmitIntervalMs: 1e9 });
  for (const seqno of [1, 2, 5]) p.msg(a, seqno);
  for (const text of numbers(1, 4)) a.sendToGroup(text);
  world.run(4_000);
  t.is(a.take().at(-1), 'STABLE_GOSSIP view 1 99:2-5 1:4-4');
});

test('before a view nobody is told anything', (t) => {
  const world = new World();
  const a = world.member(GEODE_MULTICAST_STACK);
  world.run(20_000);
  t.deepEqual(a.take(), []);
  gossip('STABILITY', world.puppet(), a, digestOf());
  t.is(a.stack.counters.stabilitiesReceived, 0);
});

test('after max_bytes of group messages, sent or received, the coordinator is told at once', (t) => {
  const { a, p } = pair({ stableMaxBytes: 1_000 });
  const receive = (seqno: number, bytes: number): void =>
    p.cry(a, [{ protocol: 'NAKACK2', type: 'MSG', seqno }], Buffer.alloc(bytes));
  receive(1, 600);
  p.say(a, [{ protocol: 'UNICAST3', type: 'DATA', seqno: 1, connId: 0, first: true }], Buffer.alloc(600));
  t.deepEqual(a.take(), [], 'unicasts do not count');
  receive(2, 400);
  t.deepEqual(a.take(), ['STABLE_GOSSIP view 1 99:2-2 1:0-0']);
  a.sendToGroup(Buffer.alloc(999));
  a.take();
  gossip('STABILITY', p, a, digestOf());
  a.sendToGroup(Buffer.alloc(999)); // counts from 0 again
  t.deepEqual(a.take(), ['MSG 2']);
  a.sendToGroup('x');
  t.deepEqual(a.take(), ['MSG 3', 'STABLE_GOSSIP view 1 99:2-2 1:3-3']);
});

test('with max_bytes 0 only time counts', (t) => {
  const { a } = pair({ stableMaxBytes: 0 });
  a.sendToGroup(Buffer.alloc(2_000_000));
  t.false(a.take().some((text) => text.includes('GOSSIP')));
});

test('the coordinator counts itself, and tells all what is stable once each member has told', (t) => {
  const { a, p, q } = coordinator({ stableMaxBytes: 1 });
  gossip('STABLE_GOSSIP', p, a, digestOf([a, 0, 0], [p, 7, 7], [q, 3, 9]), ofView(a));
  gossip('STABLE_GOSSIP', p, a, digestOf([a, 0, 0], [p, 9, 9], [q, 9, 9]), ofView(a)); // only the first counts
  gossip('STABLE_GOSSIP', q, a, digestOf([a, 0, 0], [p, 5, 6], [q, 9, 10]), ofView(a));
  t.deepEqual(a.take(), []);
  p.msg(a, 1); // makes it gossip to itself
  const sent = a.takeSent();
  t.deepEqual(
    sent.map(({ text, port }) => `${text} to ${port - 41_000}`),
    [
      'STABILITY view 1 1:0-0 98:1-7 99:0-10 to 98',
      'STABILITY view 1 1:0-0 98:1-7 99:0-10 to 99',
      // it heeds it itself
      'NAK XMIT_REQ 98: 7 to 98',
      'NAK XMIT_REQ 99: 10 to 99',
    ],
  );
  const { dest, flags, headers } = messageOf(sent[0]);
  t.deepEqual([dest, flags], [null, STABLE_FLAGS]);
  t.deepEqual(
    headers.map(({ protocol }) => protocol),
    ['STABLE', 'TP'],
  );
  p.msg(a, 2);
  t.deepEqual(a.take(), [], 'the next round needs all again');
});

test('gossip of another view, of strangers and of the same member twice does not count', (t) => {
  const { a, p, q, world } = coordinator({ stableMaxBytes: 1 });
  p.msg(a, 1);
  const digest = digestOf([a, 0, 0], [p, 1, 1], [q, 0, 0]);
  gossip('STABLE_GOSSIP', p, a, digest, ofView(a));
  for (const viewId of [ofView(a, 2), ofView(a, 0), ofView(q), null])
    gossip('STABLE_GOSSIP', q, a, digest, viewId);
  gossip('STABLE_GOSSIP', world.puppet(50), a, digest, ofView(a));
  gossip('STABLE_GOSSIP', p, a, digest, ofView(a));
  t.deepEqual(a.take(), []);
  gossip('STABLE_GOSSIP', q, a, digest, ofView(a));
  t.is(a.take()[0], 'STABILITY view 1 1:0-0 98:1-1 99:0-0');
});

test('a new view begins a new round', (t) => {
  const { a, p, q } = coordinator({ stableMaxBytes: 1 });
  const digest = digestOf([a, 0, 0], [p, 1, 1], [q, 0, 0]);
  gossip('STABLE_GOSSIP', p, a, digest, ofView(a));
  gossip('STABLE_GOSSIP', q, a, digest, ofView(a));
  a.install(2, [a, p]);
  p.msg(a, 1);
  t.deepEqual(a.take(), []);
  gossip('STABLE_GOSSIP', p, a, digest, ofView(a, 2));
  t.deepEqual(a.take(), ['STABILITY view 2 1:0-0 98:1-1']);
});

test('a member that somebody did not tell of is not stable', (t) => {
  const { a, p, q } = coordinator({ stableMaxBytes: 1 });
  p.msg(a, 1);
  gossip('STABLE_GOSSIP', p, a, digestOf([a, 0, 0], [p, 1, 1]), ofView(a));
  gossip('STABLE_GOSSIP', q, a, digestOf([p, 1, 1], [q, 4, 4]), ofView(a));
  t.is(a.take()[0], 'STABILITY view 1 1:0-0 98:1-1 99:0-4');
});

test('stability: what is below is told for each member, who has less than is known asks for the last', (t) => {
  const { a, p, world } = pair();
  const q = world.puppet(50);
  a.install(2, [p, a, q]);
  for (const text of numbers(1, 3)) a.sendToGroup(text);
  p.msg(a, 1);
  a.take();
  const viewId = { creator: p.address, id: 2 };
  gossip('STABILITY', p, a, digestOf([p, 1, 4], [a, 2, 3], [q, 0, 0]), viewId);
  t.deepEqual(a.ackedBy, ['99 2', '50 2']);
  t.is(a.acked.bytes, 8);
  t.deepEqual(a.take(), ['NAK XMIT_REQ 99: 4']);
  gossip('STABILITY', p, a, digestOf([p, 1, 4], [a, 2, 3], [q, 0, 0]), viewId);
  t.is(a.ackedBy.length, 2, 'once');
  gossip('STABILITY', p, a, digestOf([a, 1e9, 1e9]), viewId);
  t.deepEqual(a.ackedBy.slice(2), ['99 1', '50 1'], 'more than we sent is no more than we sent');
});

test('stability of another view, or of a stranger, changes nothing', (t) => {
  const { a, p, world } = pair();
  a.sendToGroup('m1');
  gossip('STABILITY', p, a, digestOf([a, 1, 1]), { creator: p.address, id: 2 });
  gossip('STABILITY', p, a, digestOf([a, 1, 1]), { creator: a.address, id: 1 });
  gossip('STABILITY', world.puppet(50), a, digestOf([a, 1, 1]), { creator: p.address, id: 1 });
  t.deepEqual(a.ackedBy, []);
});

test('malformed digests are counted and their sender named', (t) => {
  const { a, p } = pair();
  for (const payload of [
    null,
    Buffer.alloc(0),
    Buffer.from([0]),
    Buffer.from([1, 0, 9]),
    Buffer.alloc(40, 0xff),
  ]) {
    gossip('STABILITY', p, a, payload);
  }
  t.is(a.stack.counters.malformed, 5);
  t.true(a.complaints.every((text) => text.startsWith(`protocol ${keyOf(p)}: the digest`)));
});

test('who left gets no outcome, nor does who came back; who joined later has none of what was sent before', (t) => {
  const { a, p, world } = pair();
  const [q, r] = [world.puppet(50), world.puppet(51)];
  a.install(2, [p, a, q]);
  a.sendToGroup('m1');
  a.install(3, [p, a]);
  a.sendToGroup('m2');
  a.install(4, [p, a, q, r]);
  a.sendToGroup('m3');
  gossip('STABILITY', p, a, digestOf([a, 3, 3]), { creator: p.address, id: 4 });
  t.deepEqual(a.ackedBy, ['99 1', '99 1', '99 1', '50 1', '51 1']);
});

test('three members: all becomes stable, also what was lost on the way', (t) => {
  const world = new World();
  const [a, b, c] = world.members(3, GEODE_MULTICAST_STACK) as [Member, Member, Member];
  let datagrams = 0;
  world.lose = () => ++datagrams % 3 === 0;
  for (let i = 1; i <= 50; i++) for (const member of [a, b, c]) member.sendToGroup(`m${i}`);
  world.run(10_000);
  world.lose = () => false;
  world.run(20_000);
  for (const { acked, texts } of [a, b, c]) {
    t.is(acked.messages, 100);
    t.is(texts.length, 100);
  }
});

test('alone in its view a member has nobody to wait for', (t) => {
  const world = new World();
  const [a] = world.members(1, GEODE_MULTICAST_STACK) as [Member];
  a.sendToGroup('m1');
  world.run(10_000);
  t.deepEqual([a.take(), a.ackedBy], [[], []]);
});
