/** What each flag of a message does in our stack; what JGroups 3.6 does stands in docs/legacy-stack.md. */

import test from 'ava';

import { Flag, type Message } from '../../../codecs/jgroups/message.ts';
import { type JGroupsConfig, UDP_XML_STACK } from '../../../src/jgroups/config.ts';
import { data, keyOf, type Member, messageOf, type Puppet, World } from './world.ts';

const GROUP: Partial<JGroupsConfig> = {
  ...UDP_XML_STACK,
  cluster: 'AG',
  multicast: 'unicasts',
  ignoreDontBundle: false,
  initialWindowBytes: 0,
};

function pair(config: Partial<JGroupsConfig> = {}): { world: World; a: Member; p: Puppet } {
  const world = new World();
  const a = world.member(config);
  const p = world.puppet();
  a.view(p);
  return { world, a, p };
}

test('every flag is on the wire as it was given, and reaches the application', (t) => {
  const world = new World();
  const [a, b] = world.members(2, GROUP) as [Member, Member];
  for (const [name, flag] of Object.entries(Flag)) {
    a.sent = [];
    a.send(b, name, flag);
    world.run(0);
    t.is(messageOf(a.sent[0]).flags, flag, name);
    const last = b.delivered.at(-1);
    t.deepEqual([last?.payload.toString(), last?.flags], [name, flag]);
  }
});

test('OOB: delivered on arrival, in no order, once', (t) => {
  const { a, p } = pair();
  p.data(a, 3, 0, false, Flag.OOB); // no connection yet
  t.deepEqual(a.texts, []);
  p.data(a, 1);
  p.data(a, 3, 0, false, Flag.OOB);
  p.data(a, 3, 0, false, Flag.OOB);
  p.data(a, 4);
  p.data(a, 2);
  t.deepEqual(a.texts, ['m1', 'm3', 'm2', 'm4']);
});

test('OOB and DONT_BUNDLE in a bundle: handed up one by one, before the rest', (t) => {
  const { a, p } = pair();
  p.data(a, 1);
  const message = (seqno: number, flags: number): Message => p.message(a, [data(seqno)], `m${seqno}`, flags);
  const alone = Flag.OOB | Flag.DONT_BUNDLE;
  p.bundle(a, [message(2, 0), message(5, Flag.OOB), message(4, alone), message(3, 0), message(6, alone)]);
  t.deepEqual(a.texts, ['m1', 'm4', 'm6', 'm2', 'm3', 'm5']);
});

test('five messages that are OOB make a batch for an ack, five that are DONT_BUNDLE as well do not', (t) => {
  for (const [flags, acks] of [
    [Flag.OOB, 1],
    [Flag.OOB | Flag.DONT_BUNDLE, 0],
    [Flag.DONT_BUNDLE, 1],
    [Flag.OOB | Flag.DONT_BUNDLE | Flag.INTERNAL, 0],
  ] as const) {
    const { a, p, world } = pair();
    p.data(a, 1);
    p.bundle(
      a,
      [2, 3, 4, 5, 6].map((seqno) => p.message(a, [data(seqno)], `m${seqno}`, flags)),
    );
    t.is(a.texts.length, 6);
    world.run(0);
    t.is(a.take().length, acks, `flags ${flags}`);
  }
});

test('INTERNAL: a batch of its own in a bundle, else as any other', (t) => {
  const { a, p } = pair();
  const of = (seqno: number): Message =>
    p.message(a, [data(seqno)], `m${seqno}`, seqno % 2 === 0 ? Flag.INTERNAL : 0);
  p.bundle(a, [1, 2, 3, 4, 5, 6, 7, 8].map(of));
  t.deepEqual(a.texts, ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8']);
  t.deepEqual(a.take(), [], 'two batches of four');
});

test('NO_FC: no credits are needed, none are used up, on both sides', (t) => {
  const { a, p, world } = pair({ maxCredits: 1_000 });
  for (let i = 0; i < 5; i++) a.send(p, Buffer.alloc(1_000), Flag.DONT_BUNDLE | Flag.NO_FC);
  t.is(a.take().length, 5);
  t.is(a.stack.peerStats(keyOf(p), world.nowMs).credits, 1_000);
  for (let seqno = 1; seqno <= 5; seqno++) p.say(a, [data(seqno)], Buffer.alloc(1_000), Flag.NO_FC);
  t.deepEqual(a.take(), []);
});

test('NO_RELIABILITY: no seqno, no ack, no order, to one and to the group', (t) => {
  const { a, p, world } = pair(GROUP);
  a.send(p, 'x', Flag.DONT_BUNDLE | Flag.NO_RELIABILITY);
  a.sendToGroup('x', Flag.DONT_BUNDLE | Flag.NO_RELIABILITY);
  t.deepEqual(a.take(), ['plain', 'plain']);
  p.say(a, [], 'one', Flag.NO_RELIABILITY);
  p.cry(a, [], 'all', Flag.NO_RELIABILITY);
  p.say(a, [data(7)], 'with a header that does not count', Flag.NO_RELIABILITY);
  t.is(a.delivered.length, 3);
  world.run(600);
  t.deepEqual(a.take(), []);
});

test('SKIP_BARRIER, SCOPED, NO_TOTAL_ORDER, NO_RELAY: of protocols that are not in the stack; order as ever', (t) => {
  const { a, p } = pair();
  const flags = [Flag.SKIP_BARRIER, Flag.SCOPED, Flag.NO_TOTAL_ORDER, Flag.NO_RELAY];
  p.data(a, 1);
  p.data(a, 3, 0, false, flags[0]);
  p.data(a, 4, 0, false, flags[1]);
  p.data(a, 5, 0, false, flags[2]);
  p.data(a, 2, 0, false, flags[3]);
  t.deepEqual(a.texts, ['m1', 'm2', 'm3', 'm4', 'm5']);
});

test('without DONT_LOOPBACK a group message comes back, and so does a unicast to oneself; neither is on the wire', (t) => {
  const world = new World();
  const a = world.member(GROUP);
  a.view();
  a.sendToGroup('quiet');
  a.sendToGroup('group', 0, true);
  a.send(a, 'self 1', 0);
  a.send(a, 'self 2', 0);
  t.deepEqual(a.texts, [], 'not within the call');
  world.run(0);
  t.deepEqual(a.texts, ['group', 'self 1', 'self 2']);
  world.run(2_000);
  t.deepEqual(
    a.take().filter((text) => text.startsWith('DATA')),
    [],
  );
  t.is(a.stack.peerStats(keyOf(a), world.nowMs).window, 0, 'acknowledged by itself');
});

test('unicasts to oneself use credits up and give them back', (t) => {
  const world = new World();
  const a = world.member({ maxCredits: 10_000 });
  a.view();
  for (let i = 0; i < 50; i++) a.send(a, Buffer.alloc(1_000), 0);
  world.run(2_000);
  t.is(a.delivered.length, 50);
  t.deepEqual(a.take(), []);
});
