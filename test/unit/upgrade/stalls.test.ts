/** Members that take nothing, on either stack or on both. */

import test from 'ava';

import { DelegatingMessenger } from '../../../src/upgrade/delegating-messenger.ts';
import { JointStalls } from '../../../src/upgrade/joint-stalls.ts';
import { createMemberId } from '../../../src/protocol/member-id.ts';
import { createView } from '../../../src/protocol/view.ts';
import { Bench, type Node, say, udpState } from './bench.ts';

function listen({ messenger }: Node): string[] {
  const told: string[] = [];
  if (!(messenger instanceof DelegatingMessenger)) throw new Error('an old member');
  messenger.setPeerStalledHandler(({ name }, reason) => told.push(`${name} stalled: ${reason}`));
  messenger.setPeerRecoveredHandler(({ name }) => told.push(`${name} recovered`));
  return told;
}

test('old members and new ones are told of, each once, also when they get on', async (t) => {
  const bench = new Bench();
  const [a, old, b] = [await bench.start(200), await bench.start(150), await bench.start(200)];
  bench.view(a, old, b);
  const told = listen(a);
  say(a, '1');
  await bench.run(2_000);
  for (const { environment } of [old, b]) environment.pause();
  say(a, '2');
  await bench.run(60_000);
  t.deepEqual(told.map((text) => text.replace(/ for \d+ ms.*/, '')).toSorted(), [
    'm2 stalled: nothing acknowledged',
    'm3 stalled: nothing acknowledged',
  ]);
  t.is(a.log.filter((line) => line.includes('is stalled')).length, 2);
  for (const { environment } of [old, b]) environment.resume();
  await bench.run(5_000);
  t.deepEqual(told.slice(2).toSorted(), ['m2 recovered', 'm3 recovered']);
  t.is(a.messenger.stats().totals.pending, 0);
});

test('one that was paused itself blames no old member', async (t) => {
  const bench = new Bench();
  const [a, old] = [await bench.start(200), await bench.start(150)];
  bench.view(a, old);
  const told = listen(a);
  old.environment.pause();
  say(a, '1');
  await bench.run(2_000); // it is waited for
  a.environment.pause();
  await bench.run(1_000);
  old.environment.resume();
  await bench.run(60_000);
  a.environment.resume();
  await bench.run(5_000);
  t.deepEqual(told, []);
  t.is(a.messenger.stats().totals.pending, 0);
});

test('with multicast a new member that stalls on both stacks is told of once', async (t) => {
  const bench = new Bench({ multicast: 'unicasts', maxCredits: 10_000 });
  const [a, old, b] = [await bench.start(200), await bench.start(150), await bench.start(200)];
  bench.view(a, old, b);
  const told = listen(a);
  b.environment.pause();
  for (let i = 0; i < 20; i++) {
    a.messenger.send({ recipients: 'all', payload: Buffer.alloc(1_000) });
    a.messenger.send({ recipients: [b.id], payload: Buffer.alloc(1_000) });
  }
  await bench.run(60_000);
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /^m3 stalled: /);
  t.is(a.log.filter((line) => line.includes('is stalled')).length, 2, 'each stack has its line');
  b.environment.resume();
  await bench.run(20_000);
  t.deepEqual(told.slice(1), ['m3 recovered']);
  t.is(a.messenger.stats().totals.pending, 0);
});

test('an old member that leaves while it is stalled: no further call, and UDP goes to sleep', async (t) => {
  const bench = new Bench();
  const [a, old, b] = [await bench.start(200), await bench.start(150), await bench.start(200)];
  bench.view(a, old, b);
  const told = listen(a);
  old.environment.kill('silent');
  say(a, '1');
  await bench.run(10_000);
  t.is(told.length, 1);
  bench.view(a, b);
  await bench.run(60_000);
  t.is(told.length, 1);
  t.is(udpState(a), 'dormant');
});

test('a stall lasts until it is over on each stack; one that left is another if it comes back', (t) => {
  const [p, q] = [1, 2].map((n) =>
    createMemberId({ uuid: String(n).repeat(32), host: '10.0.0.1', port: n, name: `m${n}` }),
  ) as [ReturnType<typeof createMemberId>, ReturnType<typeof createMemberId>];
  const stalls = new JointStalls();
  const told: string[] = [];
  stalls.onStalled = ({ name }, reason) => void told.push(`${name} ${reason}`);
  stalls.onRecovered = ({ name }) => void told.push(`${name} recovered`);
  stalls.stalled('udp', p, 'x');
  stalls.stalled('tcp', p, 'y');
  stalls.recovered('udp', p);
  stalls.recovered('udp', p);
  t.deepEqual(told, ['m1 x']);
  stalls.recovered('tcp', p);
  stalls.recovered('tcp', q);
  t.deepEqual(told, ['m1 x', 'm1 recovered']);
  stalls.stalled('tcp', p, 'x');
  stalls.installView(createView(2, [q]));
  stalls.recovered('tcp', p);
  stalls.stalled('udp', p, 'again');
  t.deepEqual(told.slice(2), ['m1 x', 'm1 again']);
});
