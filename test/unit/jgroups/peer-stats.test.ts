/** The counters of each peer are right: what two stacks and the network between them tell agrees. */

import test from 'ava';

import { Flag } from '../../../codecs/jgroups/message.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { addressOf, data, keyOf, type Member, World } from './world.ts';

test('in a lossy run the figures of both sides agree with each other and with the network', (t) => {
  const world = new World();
  const [a, b] = world.members(2, { maxCredits: 20_000, initialWindowBytes: 0 }) as [Member, Member];
  const rng = seededRng(5);
  let lostData = 0;
  let lostDuplicates = 0;
  const seen = new Set<string>();
  world.lose = (sent, from) => {
    if (from !== a) return false;
    const isLost = below(rng, 4) === 0;
    const isData = sent.text.startsWith('DATA');
    if (isData && isLost && !seen.has(sent.text)) lostData++;
    if (isData && isLost && seen.has(sent.text)) lostDuplicates++;
    if (isData && !isLost) seen.add(sent.text);
    return isLost;
  };
  for (let i = 0; i < 300; i++) a.send(b, Buffer.alloc(500, i));
  const atOnce = a.stack.peerStats(keyOf(b), world.nowMs);
  t.like(atOnce, { sent: 40, acked: 0, window: 40, queue: 260, credits: 0 });
  world.run(60_000);
  t.is(b.delivered.length, 300);
  const ours = a.stack.peerStats(keyOf(b), world.nowMs);
  const theirs = b.stack.peerStats(keyOf(a), world.nowMs);
  t.like(ours, { window: 0, queue: 0, malformed: 0, gaps: 0 });
  t.is(ours.sent, 300 + a.stack.counters.creditRequestsSent);
  t.is(ours.acked, ours.sent);
  t.is(ours.retransmitted, a.stack.counters.retransmitted);
  t.is(
    theirs.duplicates,
    ours.retransmitted - lostData - lostDuplicates,
    'what was sent again and not needed',
  );
  t.true(theirs.requested > 0 && theirs.requested <= ours.retransmitted);
  t.true(ours.blockedMs > 0 && ours.blockedMs <= 60_000);
  t.is(theirs.blockedMs, 0);
});

test('what is blocked, missing and malformed shows while it is so', (t) => {
  const world = new World();
  const a = world.member({ maxCredits: 10_000 });
  const p = world.puppet();
  a.view(p);
  const stats = () => a.stack.peerStats(keyOf(p), world.nowMs);
  t.deepEqual(stats(), {
    ...{ sent: 0, acked: 0, window: 0, retransmitted: 0, requested: 0, duplicates: 0, gaps: 0 },
    ...{ credits: 10_000, queue: 0, blockedMs: 0, malformed: 0 },
  });
  a.send(p, Buffer.alloc(9_000));
  a.send(p, Buffer.alloc(9_000));
  world.run(1_200);
  t.like(stats(), { credits: 1_000, queue: 1, blockedMs: 1_200 });
  const credits = Buffer.alloc(8);
  credits.writeBigInt64BE(9_000n);
  p.say(a, [{ protocol: 'UFC', type: 'REPLENISH' }, data(1)], credits, Flag.OOB | Flag.INTERNAL);
  world.run(1_000);
  t.like(stats(), { queue: 0, blockedMs: 1_200 });
  p.data(a, 5);
  p.data(a, 5);
  t.like(stats(), { gaps: 3, duplicates: 1 });
  world.run(1_000);
  t.is(stats().requested, 3);
  a.handle(Buffer.from('198e00', 'hex'), p.port);
  t.is(stats().malformed, 1, 'known by where the datagram came from');
  a.handle(Buffer.from('198e00', 'hex'), 1);
  p.say(a, [{ protocol: 'UFC', type: 'REPLENISH' }, data(2)], null, Flag.OOB | Flag.INTERNAL);
  t.is(stats().malformed, 2);
  t.is(a.stack.counters.malformed, 3);
});

test('they begin anew when a member comes back; strangers have none', (t) => {
  const world = new World();
  const a = world.member();
  const p = world.puppet();
  const stats = () => a.stack.peerStats(keyOf(p), world.nowMs);
  p.data(a, 1);
  p.data(a, 1);
  t.is(stats().duplicates, 0);
  a.install(1, [a, p]);
  p.data(a, 1);
  t.is(stats().duplicates, 1);
  a.install(2, [a]);
  a.install(3, [a, p]);
  t.is(stats().duplicates, 0);
});

test('an idle connection that was closed is counted on', (t) => {
  const world = new World();
  const [a, b] = world.members(2, { connExpiryTimeoutMs: 1_000, connCloseTimeoutMs: 1_000 }) as [
    Member,
    Member,
  ];
  for (let i = 0; i < 3; i++) a.send(b, 'x');
  world.run(5_000);
  a.send(b, 'y');
  t.like(a.stack.peerStats(keyOf(b), world.nowMs), { sent: 4, acked: 3, window: 1 });
});

test('group messages: delivered, missing, asked for, sent again, credits', (t) => {
  const world = new World();
  const group = { multicast: 'unicasts', maxCredits: 100_000 } as const;
  const protocols = ['NAKACK2', 'UNICAST3', 'STABLE', 'UFC', 'MFC', 'FRAG2'] as const;
  const [a, b] = world.members(2, { ...group, protocols }) as [Member, Member];
  world.lose = (sent) => sent.text === 'MSG 2' || sent.text === 'MSG 3';
  for (let i = 0; i < 5; i++) a.sendToGroup(Buffer.alloc(1_000));
  world.settle();
  const theirs = () => b.stack.peerStats(keyOf(a), world.nowMs).group;
  t.like(theirs(), { delivered: 1, gaps: 2, requested: 0 });
  t.is(a.stack.peerStats(keyOf(b), world.nowMs).group?.credits, 95_000);
  world.run(1_500);
  t.like(theirs(), { delivered: 5, gaps: 0, requested: 2, duplicates: 0 });
  t.is(a.stack.peerStats(keyOf(b), world.nowMs).group?.retransmitted, 2);
  t.is(a.stack.peerStats(keyOf({ address: addressOf(50) }), world.nowMs).group?.delivered, 0);
});
