/** RSVP in virtual time; what is expected is what JGroups 3.6's RSVP does. */

import test from 'ava';

import { Flag, type Header, type RsvpHeader } from '../../../codecs/jgroups/message.ts';
import { GEODE_STACK, type JGroupsConfig, UDP_XML_STACK } from '../../../src/jgroups/config.ts';
import type { ProtocolContext } from '../../../src/jgroups/context.ts';
import { JGroupsCounters } from '../../../src/jgroups/counters.ts';
import { headerOf, type Unconfirmed } from '../../../src/jgroups/protocol.ts';
import { RSVP } from '../../../src/jgroups/rsvp.ts';
import { addressOf, data, keyOf, type Member, messageOf, type Puppet, type Sent, World } from './world.ts';

const CONFIG: Partial<JGroupsConfig> = {
  ...UDP_XML_STACK,
  cluster: 'AG',
  multicast: 'unicasts',
  ignoreDontBundle: false,
  desiredAvgGossipMs: 1_000_000,
};
const RESPONSE = Flag.RSVP | Flag.INTERNAL | Flag.DONT_BUNDLE | Flag.OOB;

const rsvp = (type: RsvpHeader['type'], id: number): Header => ({ protocol: 'RSVP', type, id });

interface Told extends Unconfirmed {
  readonly atMs: number;
}

/** Sends what is to be confirmed; the answer is put into the list. */
function confirmed(
  a: Member,
  to: Member | Puppet | 'all',
  payload: string | Buffer,
  timeoutMs = 10_000,
): Told[] {
  const told: Told[] = [];
  const confirm = {
    timeoutMs,
    settle: (unconfirmed: Unconfirmed) => told.push({ ...unconfirmed, atMs: a.world.nowMs }),
  };
  const dest = to === 'all' ? null : to.address;
  a.stack.sendConfirmed(dest, Buffer.from(payload), Flag.DONT_BUNDLE, confirm, a.world.nowMs);
  return told;
}

/** Those among the datagrams that have an RSVP header, as `type id`. */
function requests(sent: readonly Sent[]): string[] {
  return sent.flatMap((one) => {
    const header = headerOf(messageOf(one), 'RSVP');
    return header === undefined ? [] : [`${header.type} ${header.id}`];
  });
}

test('a group message is confirmed by all others, once their applications had it', (t) => {
  const world = new World();
  const [a, b, c] = world.members(3, CONFIG) as [Member, Member, Member];
  const told = confirmed(a, 'all', 'hello');
  t.deepEqual(told, []);
  world.settle();
  t.deepEqual(told, [{ missing: [], reason: 'timeout', left: [], atMs: 0 }]);
  t.deepEqual([b.texts, c.texts], [['hello'], ['hello']]);
  t.is(b.stack.counters.confirmationsSent, 1);
  t.is(a.stack.counters.unconfirmed, 0);
});

test('the answer goes out after the delivery, to the sender alone, with the flags of the reference', (t) => {
  const world = new World();
  const [a, b, c] = world.members(3, CONFIG) as [Member, Member, Member];
  const order: string[] = [];
  b.onDeliver = () => order.push(`delivered, ${requests(b.sent).length} answers sent`);
  confirmed(a, 'all', 'hello');
  t.is(messageOf(a.sent[0]).flags, Flag.RSVP | Flag.DONT_BUNDLE);
  world.settle();
  t.deepEqual(order, ['delivered, 0 answers sent']);
  const [answer, ...more] = b.takeSent();
  t.deepEqual(more, []);
  t.is(answer?.port, a.address.port);
  t.is(messageOf(answer).flags, RESPONSE);
  t.is(messageOf(answer).payload, null);
  t.deepEqual(requests(answer === undefined ? [] : [answer]), ['RSP 0']);
  t.deepEqual(c.texts, ['hello']);
});

test('a unicast is confirmed as well, in fragments, too', (t) => {
  const world = new World();
  const [a, b] = world.members(2, CONFIG) as [Member, Member];
  const told = confirmed(a, b, Buffer.alloc(200_000, 7));
  world.run(0);
  t.is(told.length, 1);
  t.is(b.delivered[0]?.payload.length, 200_000);
});

test('alone there is nobody to confirm: that is so at once', (t) => {
  const world = new World();
  const [a] = world.members(1, CONFIG) as [Member];
  t.is(confirmed(a, 'all', 'hello').length, 1);
});

test('a lost message is confirmed after the reminder brought it', (t) => {
  const world = new World();
  const [a, b, c] = world.members(3, CONFIG) as [Member, Member, Member];
  let lost = false;
  world.lose = (sent, from) => {
    if (sent.text.startsWith('HIGHEST_SEQNO')) return true;
    return from === a && sent.port === b.address.port && !lost && (lost = true);
  };
  const told = confirmed(a, 'all', 'hello', 10_000);
  world.run(1_999);
  t.deepEqual(told, []);
  t.deepEqual([b.texts, c.texts], [[], ['hello']]);
  world.run(3_000);
  t.deepEqual(
    told.map(({ missing }) => missing),
    [[]],
  );
  t.deepEqual(b.texts, ['hello']);
});

test('a group is reminded every 2 s by an empty message that asks for nothing, one for all that waits', (t) => {
  const world = new World();
  const a = world.member(CONFIG);
  const p = world.puppet();
  a.view(p);
  confirmed(a, 'all', 'x');
  confirmed(a, 'all', 'y');
  world.run(1_999);
  t.deepEqual(requests(a.takeSent()), ['REQ 0', 'REQ 1']);
  world.run(1);
  const [reminder, ...more] = a.takeSent().filter((sent) => requests([sent]).length > 0);
  t.deepEqual(more, []);
  t.is(messageOf(reminder).flags, Flag.RSVP);
  t.is(messageOf(reminder).dest, null);
  t.is(messageOf(reminder).payload, null);
  t.deepEqual(requests(reminder === undefined ? [] : [reminder]), ['REQ_ONLY 0']);
  world.run(8_000);
  const later = requests(a.takeSent());
  t.deepEqual(later, ['REQ_ONLY 0', 'REQ_ONLY 0', 'REQ_ONLY 0'], 'not after the time, 10 s');
});

test('who does not answer in time, or leaves, is named', (t) => {
  const world = new World();
  const [a, b, c] = world.members(3, CONFIG) as [Member, Member, Member];
  const p = world.puppet();
  world.install(2, [a, b, c]);
  a.install(3, [a, b, c, p]);
  world.lose = (_sent, from) => from === b;
  const told = confirmed(a, 'all', 'hello', 3_000);
  world.run(1_000);
  a.install(4, [a, b, c]);
  t.deepEqual(told, []);
  world.run(2_000);
  t.deepEqual(told, [{ missing: [keyOf(b)], reason: 'timeout', left: [keyOf(p)], atMs: 3_000 }]);
  t.is(a.stack.counters.unconfirmed, 2);
});

test('the last one that is waited for leaves', (t) => {
  const world = new World();
  const a = world.member(CONFIG);
  const p = world.puppet();
  a.view(p);
  const told = confirmed(a, p, 'x');
  a.install(1, [a]);
  t.deepEqual(told, [{ missing: [], reason: 'timeout', left: [keyOf(p)], atMs: 0 }]);
});

test('closing ends all waits', (t) => {
  const world = new World();
  const a = world.member(CONFIG);
  const p = world.puppet();
  a.view(p);
  const told = confirmed(a, p, 'x');
  a.stack.close();
  t.deepEqual(told, [{ missing: [keyOf(p)], reason: 'closed', left: [], atMs: 0 }]);
});

test('a peer asks, with RSVP or RSVP_NB: answered each time; its reminder is not, nor delivered', (t) => {
  const world = new World();
  const a = world.member(CONFIG);
  const p = world.puppet();
  a.view(p);
  p.say(a, [rsvp('REQ', 5), data(1)], 'one', Flag.RSVP);
  p.say(a, [rsvp('REQ', -32_768), data(2)], 'two', Flag.RSVP_NB);
  p.say(a, [rsvp('REQ_ONLY', 5), data(3)], null, Flag.RSVP);
  p.say(a, [rsvp('RSP', 77), data(4)], null, RESPONSE);
  t.deepEqual(a.texts, ['one', 'two']);
  t.deepEqual(requests(a.takeSent()), ['RSP 5', 'RSP -32768']);
});

test('a message that is flagged RSVP and has no header is delivered', (t) => {
  const world = new World();
  const a = world.member(CONFIG);
  const p = world.puppet();
  a.view(p);
  p.say(a, [data(1)], 'one', Flag.RSVP);
  t.deepEqual(a.texts, ['one']);
  t.deepEqual(a.take(), []);
});

test('answers of others, and to what nobody asked, change nothing', (t) => {
  const world = new World();
  const a = world.member(CONFIG);
  const p = world.puppet();
  const q = world.puppet(98);
  a.view(p, q);
  const told = confirmed(a, p, 'x');
  q.say(a, [rsvp('RSP', 0), data(1)], null, RESPONSE);
  p.say(a, [rsvp('RSP', 1), data(1)], null, RESPONSE);
  t.deepEqual(told, []);
  p.say(a, [rsvp('RSP', 0), data(2)], null, RESPONSE);
  p.say(a, [rsvp('RSP', 0), data(3)], null, RESPONSE);
  t.is(told.length, 1);
});

test('ids are shorts that wrap; one that is in use is not given out again', (t) => {
  const rsvpProtocol = new RSVP({
    config: GEODE_STACK,
    counters: new JGroupsCounters(),
    selfKey: '',
  } as ProtocolContext);
  let id = NaN;
  const below = {
    down: ({ headers }: { headers: Header[] }) => void (id = headerOf({ headers }, 'RSVP')?.id ?? NaN),
    downBatch: () => undefined,
  };
  const above = { up: () => undefined, upBatch: () => undefined };
  rsvpProtocol.connect(above, { ...below, downBatch: () => undefined });
  const dest = addressOf(2);
  const src = { src: dest, from: dest.uuid, toGroup: false, flags: RESPONSE, payload: null };
  const seen = new Set<number>();
  for (let n = 0; n <= 0x1_0000; n++) {
    rsvpProtocol.down(
      { dest, flags: Flag.RSVP, headers: [], payload: null, completes: 0, pendingBytes: 0 },
      0,
    );
    seen.add(id);
    if (n > 0) rsvpProtocol.up({ ...src, headers: [rsvp('RSP', id)] }, 0);
  }
  t.is(seen.size, 0x1_0000);
  t.deepEqual([Math.min(...seen), Math.max(...seen)], [-0x8000, 0x7fff]);
  t.is(id, 1, 'after -1 comes 0, which still waits');
});

test('past 16,384 that wait nobody is asked, and nothing hangs', (t) => {
  const world = new World();
  const a = world.member({ ...CONFIG, protocols: ['NAKACK2', 'UNICAST3', 'STABLE', 'RSVP'] });
  const p = world.puppet();
  a.view(p);
  for (let n = 0; n < 16_384; n++) confirmed(a, p, 'x');
  a.sent = [];
  const told = confirmed(a, p, 'x');
  t.deepEqual(requests(a.sent), []);
  t.deepEqual(told, [{ missing: [keyOf(p)], reason: 'timeout', left: [], atMs: 0 }]);
});

test('without RSVP in the stack nothing can be confirmed', (t) => {
  const world = new World();
  const [a, b] = world.members(2) as [Member, Member];
  t.throws(() => confirmed(a, b, 'x'), { code: 'ERR_RSVP' });
});
