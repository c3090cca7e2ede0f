/** MFC, and which stacks can be configured; what is expected is WIRE-3.6 sections 9 and 13. */

import test from 'ava';

import { Flag, type Header } from '../../../codecs/jgroups/message.ts';
import {
  GEODE_MULTICAST_STACK,
  GEODE_STACK,
  type JGroupsConfig,
  resolveConfig,
  UDP_XML_STACK,
} from '../../../src/jgroups/config.ts';
import { QUIET } from './group-world.ts';
import { keyOf, type Member, messageOf, type Puppet, World } from './world.ts';

const CREDIT_FLAGS = Flag.OOB | Flag.DONT_BUNDLE | Flag.INTERNAL;
const SMALL: JGroupsConfig = { ...QUIET, maxCredits: 20_000, stableMaxBytes: 0, resendLastSeqnoMaxTimes: 1 };

function trio(config: Partial<JGroupsConfig> = {}): { world: World; a: Member; p: Puppet; q: Puppet } {
  const world = new World();
  const a = world.member({ ...SMALL, ...config });
  const p = world.puppet(98);
  const q = world.puppet(99);
  a.install(1, [p, a, q]);
  return { world, a, p, q };
}

let seqnos = 0;

/** Credits are unicasts. */
function credit(from: Puppet, to: Member, type: 'REPLENISH' | 'CREDIT_REQUEST', amount: number): void {
  const payload = Buffer.alloc(8);
  payload.writeBigInt64BE(BigInt(amount));
  const seqno = ++seqnos;
  const data: Header = { protocol: 'UNICAST3', type: 'DATA', seqno, connId: 0, first: true };
  from.say(to, [{ protocol: 'MFC', type }, data], payload, CREDIT_FLAGS);
}

const messages = (a: Member): string[] => [...new Set(a.take().filter((text) => text.startsWith('MSG')))];

test('a group message needs credits of every member; the slowest sets the pace', (t) => {
  const { a, p, q } = trio();
  for (let i = 0; i < 30; i++) a.sendToGroup(Buffer.alloc(1_000));
  t.is(messages(a).length, 20);
  t.is(a.stack.counters.blocked, 1);
  credit(p, a, 'REPLENISH', 15_000);
  t.deepEqual(messages(a), [], 'q has given none');
  credit(q, a, 'REPLENISH', 3_000);
  t.deepEqual(messages(a), ['MSG 21', 'MSG 22', 'MSG 23']);
  credit(q, a, 'REPLENISH', 20_000);
  t.is(messages(a).length, 7);
});

test('unicasts need none of these credits, group messages none of those', (t) => {
  const { a, p } = trio();
  a.sendToGroup(Buffer.alloc(20_000));
  a.sendToGroup('blocked');
  a.take();
  a.send(p, Buffer.alloc(20_000));
  t.deepEqual(a.take(), ['DATA 1 conn 0 first']);
  a.send(p, 'blocked as well');
  credit(p, a, 'REPLENISH', 20_000);
  t.deepEqual(a.take(), [], 'of MFC: p alone is not enough, and its unicasts wait for UFC');
});

test('after max_block_time those with few credits are asked for more, and no others; again after as long', (t) => {
  const { a, p, q, world } = trio();
  a.sendToGroup(Buffer.alloc(18_000));
  credit(p, a, 'REPLENISH', 18_000);
  a.sendToGroup(Buffer.alloc(3_000));
  a.take();
  world.run(4_999);
  const requests = (): string[] => a.take().filter((text) => text.includes('CREDIT_REQUEST'));
  t.deepEqual(requests(), []);
  world.run(1);
  const asked = a.takeSent().filter(({ text }) => text.includes('CREDIT_REQUEST'));
  t.deepEqual(
    asked.map(({ text, port }) => [text, port]),
    [['DATA 1 conn 0 first MFC CREDIT_REQUEST 18000', q.port]],
  );
  t.is(messageOf(asked[0]).flags, CREDIT_FLAGS);
  world.run(5_000);
  t.deepEqual(requests().at(-1), 'DATA 2 conn 0 MFC CREDIT_REQUEST 18000');
  credit(q, a, 'REPLENISH', 18_000);
  t.deepEqual(messages(a), ['MSG 2']);
  world.run(20_000);
  t.false(requests().some((text) => text.includes('DATA 3')));
});

test('a member that leaves holds up nobody any more; one that joins brings full credits', (t) => {
  const { a, p, q, world } = trio();
  a.sendToGroup(Buffer.alloc(20_000));
  a.sendToGroup(Buffer.alloc(5_000));
  credit(p, a, 'REPLENISH', 20_000);
  t.deepEqual(messages(a), ['MSG 1']);
  a.install(2, [p, a]);
  const sent = a.takeSent();
  t.deepEqual(
    sent.map(({ text, port }) => [text, port]),
    [['MSG 2', p.port]],
    'only to who is left',
  );
  a.install(3, [p, a, q, world.puppet(50)]);
  a.sendToGroup(Buffer.alloc(15_000));
  t.deepEqual(messages(a), ['MSG 3']);
  a.sendToGroup(Buffer.alloc(1_000));
  t.deepEqual(messages(a), []);
});

test('NO_FC and empty messages cost nothing; those with an order keep it behind blocked ones', (t) => {
  const { a, p, q } = trio();
  a.sendToGroup(Buffer.alloc(20_000));
  a.sendToGroup(Buffer.alloc(5_000));
  a.sendToGroup('');
  t.deepEqual(messages(a), ['MSG 1']);
  a.sendToGroup('high', Flag.DONT_BUNDLE | Flag.OOB | Flag.NO_FC);
  a.sendToGroup('', Flag.DONT_BUNDLE | Flag.OOB);
  t.deepEqual(messages(a), ['MSG 2', 'MSG 3']);
  for (const member of [p, q]) credit(member, a, 'REPLENISH', 5_000);
  t.deepEqual(messages(a), ['MSG 4', 'MSG 5']);
});

test('a message larger than all credits goes when they are full', (t) => {
  const { a, p, q } = trio();
  a.sendToGroup(Buffer.alloc(30_000));
  a.sendToGroup(Buffer.alloc(30_000));
  t.deepEqual(messages(a), ['MSG 1']);
  for (const member of [p, q]) credit(member, a, 'REPLENISH', 19_999);
  t.deepEqual(messages(a), []);
  for (const member of [p, q]) credit(member, a, 'REPLENISH', 1);
  t.deepEqual(messages(a), ['MSG 2']);
});

test('credits for a message that is larger than all of them are asked for at once, not after max_block_time', (t) => {
  const { world, a } = trio();
  a.sendToGroup(Buffer.alloc(100));
  a.sendToGroup(Buffer.alloc(30_000));
  world.run(0);
  const asked = a.take().filter((text) => text.includes('CREDIT'));
  t.deepEqual(
    asked.map((text) => text.replace(/.* MFC/, 'MFC')),
    ['MFC CREDIT_REQUEST 100', 'MFC CREDIT_REQUEST 100'],
  );
});

test('a receiver gives each sender of group messages new credits when few are left, and when asked', (t) => {
  const { a, p, q } = trio();
  const receive = (from: Puppet, seqno: number, bytes: number): void =>
    from.cry(a, [{ protocol: 'NAKACK2', type: 'MSG', seqno }], Buffer.alloc(bytes));
  receive(p, 1, 14_999);
  receive(q, 1, 14_999);
  t.deepEqual(a.take(), []);
  receive(p, 2, 1);
  const [given] = a.takeSent();
  t.is(given?.text, 'DATA 1 conn 0 first MFC REPLENISH 15000');
  t.is(given?.port, p.port);
  t.is(messageOf(given).flags, CREDIT_FLAGS);
  credit(q, a, 'CREDIT_REQUEST', 20_000);
  t.deepEqual(a.take(), ['DATA 1 conn 1 first MFC REPLENISH 20000']);
  receive(q, 2, 14_999);
  t.deepEqual(a.take(), []);
});

test('credits without an amount are counted and their sender named', (t) => {
  const { a, p } = trio();
  const data: Header = { protocol: 'UNICAST3', type: 'DATA', seqno: 1, connId: 0, first: true };
  p.say(a, [{ protocol: 'MFC', type: 'REPLENISH' }, data], Buffer.alloc(3), CREDIT_FLAGS);
  t.is(a.stack.counters.malformed, 1);
  t.regex(a.complaints[0] ?? '', new RegExp(`^protocol ${keyOf(p)}: .*REPLENISH`));
});

test('three members with few credits: all arrives, in order, and nobody has to ask', (t) => {
  const world = new World();
  const members = world.members(3, { ...GEODE_MULTICAST_STACK, maxCredits: 20_000 });
  for (let i = 1; i <= 200; i++) for (const member of members) member.sendToGroup(String(i).padEnd(1_000));
  world.run(30_000);
  for (const { delivered, stack, acked } of members) {
    t.is(delivered.length, 400);
    t.is(acked.bytes, 400_000);
    t.is(stack.counters.creditRequestsSent, 0);
    for (const other of members) {
      const theirs = delivered.filter(({ from }) => keyOf({ address: from }) === keyOf(other));
      const expected = Array.from({ length: theirs.length }, (_, i) => i + 1);
      t.deepEqual(
        theirs.map(({ payload }) => Number(payload.toString())),
        expected,
      );
    }
  }
});

test("Geode's stacks and the order of udp.xml are configurations; what cannot work is refused", (t) => {
  t.deepEqual(resolveConfig({}), GEODE_STACK);
  t.deepEqual(resolveConfig({ multicast: null }), GEODE_STACK);
  t.deepEqual(resolveConfig({ multicast: 'unicasts' }), GEODE_MULTICAST_STACK);
  t.deepEqual(resolveConfig(UDP_XML_STACK), UDP_XML_STACK);
  t.deepEqual(resolveConfig({ protocols: ['UNICAST3'] }).protocols, ['UNICAST3']);
  const multicast = 'unicasts';
  for (const bad of [
    { protocols: ['UNICAST3', 'UNICAST3'] },
    { protocols: ['UNICAST4'] },
    { protocols: [] },
    { protocols: ['FRAG2', 'UNICAST3'] },
    { protocols: GEODE_MULTICAST_STACK.protocols },
    { multicast, protocols: GEODE_STACK.protocols },
    { multicast, protocols: ['UNICAST3', 'NAKACK2'] },
    { multicast, protocols: ['UNICAST3', 'STABLE', 'NAKACK2'] },
    { multicast, protocols: ['UNICAST3', 'MFC', 'NAKACK2', 'STABLE'] },
    { multicast: { address: '127.0.0.1', port: 10_334 } },
    { multicast: { address: 'all', port: 10_334 } },
    { multicast: { address: '239.192.81.1', port: 0 } },
    { multicast, becomeServerQueueSize: 1_001 },
    { multicast, desiredAvgGossipMs: 0 },
  ]) {
    t.throws(
      () => resolveConfig(bad as Partial<JGroupsConfig>),
      { code: 'ERR_OPTIONS' },
      JSON.stringify(bad),
    );
  }
  t.notThrows(() => resolveConfig({ multicast: { address: 'ff02::1', port: 1 } }));
  t.notThrows(() => resolveConfig({ multicast, protocols: ['UNICAST3', 'NAKACK2', 'STABLE', 'MFC', 'UFC'] }));
});
