/** `sendAndConfirm`, of everything that has it, and the ways of one message by both stacks. */

import test from 'ava';

import type { JGroupsConfig } from '../../src/jgroups/config.ts';
import { JGroupsMessenger } from '../../src/jgroups/jgroups-messenger.ts';
import type { Confirmation } from '../../src/protocol/confirmation.ts';
import type { MemberId } from '../../src/protocol/member-id.ts';
import type { OutgoingMessage } from '../../src/protocol/messenger.ts';
import { TcpMessenger } from '../../src/tcp/tcp-messenger.ts';
import { DelegatingMessenger } from '../../src/upgrade/delegating-messenger.ts';
import { Bench, type Node } from '../unit/upgrade/bench.ts';
import { ContractBench, text, texts, to, type BenchMember } from './contract-bench.ts';

const RSVP: Partial<JGroupsConfig> = { protocols: ['UNICAST3', 'UFC', 'FRAG2', 'RSVP'] };

type Confirming = JGroupsMessenger | TcpMessenger | DelegatingMessenger;

for (const [name, Subject, kind, version, stack] of [
  ['JGroupsMessenger', JGroupsMessenger, 'old', 150, 'udp'],
  ['TcpMessenger', TcpMessenger, 'new', 200, 'tcp'],
  ['DelegatingMessenger among old members', DelegatingMessenger, 'old', 150, 'udp'],
  ['DelegatingMessenger among new members', DelegatingMessenger, 'new', 200, 'tcp'],
] as const) {
  const createBench = (): ContractBench =>
    new ContractBench({
      name,
      kind,
      version,
      stack,
      create: (environment, { name: memberName, version: ordinal, ...options }) =>
        new Subject({
          environment,
          cluster: 'AG',
          member: { name: memberName, version: ordinal },
          jgroups: RSVP,
          ...options,
        }),
    });
  const confirm = (from: BenchMember, message: OutgoingMessage, timeoutMs?: number): Promise<Confirmation> =>
    (from.messenger as Confirming).sendAndConfirm(message, timeoutMs);

  test(`${name}: all have confirmed, each for its own message`, async (t) => {
    const bench = createBench();
    const [a, b, c] = (await bench.startAll(3)) as [BenchMember, BenchMember, BenchMember];
    for (let index = 0; index < 5; index++) a.messenger.send(to(b, text(`${index}`)));
    const all = confirm(a, { recipients: 'all', payload: text('all') });
    const urgent = confirm(a, to(b, text('urgent'), { highPriority: true }));
    const large = confirm(a, to(c, Buffer.alloc(300_000)));
    t.deepEqual(uuids((await bench.clock.run(all, 'all')).confirmed), uuids([b.id, c.id]));
    t.true(texts(b).includes('all') && texts(c).includes('all'));
    t.deepEqual(await bench.clock.run(urgent, 'urgent'), { confirmed: [b.id], unconfirmed: [] });
    t.deepEqual(await bench.clock.run(large, 'large'), { confirmed: [c.id], unconfirmed: [] });
    t.true(c.received.some(({ payload }) => payload.length === 300_000));
  });

  test(`${name}: who has not confirmed is named with the reason`, async (t) => {
    const bench = createBench();
    const [a, b, c, d] = (await bench.startAll(4)) as [BenchMember, BenchMember, BenchMember, BenchMember];
    const stranger = await bench.start();
    bench.cut(a, c);
    bench.cut(a, d);
    const recipients = [a.id, b.id, c.id, d.id, stranger.id];
    const confirmation = confirm(a, { recipients, payload: text('hello') }, 3_000);
    await bench.run(1_000);
    bench.installView([a, b, c]);
    const startedMs = bench.clock.nowMs;
    const { confirmed, unconfirmed } = await bench.clock.run(confirmation, 'confirmation');
    t.true(bench.clock.nowMs - startedMs < 2_500);
    t.deepEqual(confirmed, [b.id], 'oneself is not asked');
    t.deepEqual(Object.fromEntries(unconfirmed.map(({ member, reason }) => [member.uuid, reason])), {
      [stranger.id.uuid]: 'notInView',
      [d.id.uuid]: 'memberLeft',
      [c.id.uuid]: 'timeout',
    });
  });

  test(`${name}: stop ends the wait, and what cannot be sent throws`, async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    t.throws(() => confirm(a, { recipients: 'all', payload: 'x' as never }), { code: 'ERR_MESSAGE' });
    const confirmation = confirm(a, to(b, text('hello')));
    await bench.stop(a);
    t.like((await confirmation).unconfirmed, [{ reason: 'closed' }]);
    t.throws(() => confirm(a, to(b, text('late'))), { code: 'ERR_CLOSED' });
  });
}

test('a message to old and new members is confirmed by both', async (t) => {
  const bench = new Bench(RSVP);
  const [old, a, b] = [await bench.start(150), await bench.start(200), await bench.start(200)];
  bench.view(old, a, b);
  const payload = Buffer.from('to both');
  const confirmation = delegating(a).sendAndConfirm({ recipients: [old.id, b.id, a.id], payload });
  const { confirmed, unconfirmed } = await bench.clock.run(confirmation, 'confirmation');
  t.deepEqual(uuids(confirmed), uuids([old.id, b.id]));
  t.deepEqual(unconfirmed, []);
  t.deepEqual([old.received, b.received], [['udp to both'], ['tcp to both']]);
});

test('without RSVP nothing is sent if an old member is among the recipients; new ones need none', async (t) => {
  const bench = new Bench();
  const [old, a, b] = [await bench.start(150), await bench.start(200), await bench.start(200)];
  bench.view(old, a, b);
  const message = { recipients: 'all', payload: Buffer.from('x') } as const;
  t.throws(() => delegating(a).sendAndConfirm(message), { code: 'ERR_RSVP' });
  t.is(a.messenger.stats().totals.accepted, 0);
  const byTcp = delegating(a).sendAndConfirm({ ...message, recipients: [b.id] });
  t.deepEqual((await bench.clock.run(byTcp, 'by TCP')).confirmed, [b.id]);
  for (const timeoutMs of [-1, NaN])
    t.throws(() => delegating(a).sendAndConfirm(message, timeoutMs), { code: 'ERR_MESSAGE' });
});

test('an old member answers a ping; nobody hears an answer while UDP sleeps', async (t) => {
  const bench = new Bench();
  const [old, a] = [await bench.start(150), await bench.start(200)];
  bench.view(old, a);
  const pongs: string[] = [];
  delegating(a).setPongHandler(({ name }) => {
    pongs.push(name);
    throw new Error('on purpose');
  });
  delegating(a).ping(old.id);
  await bench.run(100);
  t.deepEqual(pongs, ['m1']);
  t.true(a.log.some((line) => line.includes('on purpose')));
  bench.view(a);
  await bench.run(1_000);
  t.throws(() => delegating(a).ping(old.id), { code: 'ERR_DORMANT' });
  await bench.clock.run(a.messenger.stop(), 'stop()');
  t.throws(() => delegating(a).ping(old.id), { code: 'ERR_CLOSED' });
});

test('while group messages wait to change stacks, an ordered one to all is refused rather than left unanswered', async (t) => {
  const bench = new Bench({ multicast: 'unicasts', protocols: GROUP_PROTOCOLS });
  const [a, b] = [await bench.start(200), await bench.start(200)];
  bench.view(a, b);
  await bench.run(2_000);
  const message = { recipients: 'all', payload: Buffer.from('x') } as const;
  a.messenger.send(message); // by TCP, and not acknowledged when the old member comes
  const old = await bench.start(150);
  bench.view(a, b, old);
  const refused = await bench.clock.run(delegating(a).sendAndConfirm(message), 'refused');
  t.deepEqual(uuids(refused.unconfirmed.map(({ member }) => member)), uuids([b.id, old.id]));
  t.true(refused.unconfirmed.every(({ reason }) => reason === 'refused'));
  await bench.run(5_000);
  const later = await bench.clock.run(delegating(a).sendAndConfirm(message), 'later');
  t.deepEqual(uuids(later.confirmed), uuids([b.id, old.id]));
});

const GROUP_PROTOCOLS = ['NAKACK2', 'UNICAST3', 'STABLE', 'UFC', 'MFC', 'FRAG2', 'RSVP'] as const;

function delegating({ messenger }: Node): DelegatingMessenger {
  if (messenger instanceof DelegatingMessenger) return messenger;
  throw new Error('an old member');
}

function uuids(members: readonly MemberId[]): string[] {
  return members.map(({ uuid }) => uuid).sort();
}
