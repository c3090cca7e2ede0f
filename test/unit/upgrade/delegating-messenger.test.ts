/** DelegatingMessenger among old and new members, on a virtual network. */

import test from 'ava';

import { createView } from '../../../src/protocol/view.ts';
import { DelegatingMessenger } from '../../../src/upgrade/delegating-messenger.ts';
import { Bench, say, udpState } from './bench.ts';

test('each member is reached by its own stack; one absurd version changes nobody else', async (t) => {
  const bench = new Bench();
  const old = await bench.start(150);
  const a = await bench.start(200);
  const b = await bench.start(250);
  const absurd = await bench.start(32_767, 'old');
  bench.view(old, a, b, absurd);
  say(a, 'hello');
  await bench.run(2_000);
  t.deepEqual(old.received, ['udp hello']);
  t.deepEqual(b.received, ['tcp hello']);
  t.deepEqual(absurd.received, ['udp hello']);
  t.like(a.messenger.stats().totals, { accepted: 3, delivered: 3, pending: 0 });
  t.true(a.messenger instanceof DelegatingMessenger && a.messenger.explain(absurd.id).stack === 'udp');
  t.true(a.log.some((line) => line.includes('32767')));
});

test('UDP drains, sleeps once the last old member has left, and wakes for one that comes', async (t) => {
  const bench = new Bench();
  const old = await bench.start(150);
  const a = await bench.start(200);
  const b = await bench.start(200);
  bench.view(old, a, b);
  say(a, '1');
  await bench.run(1_000);
  t.is(udpState(a), 'active');
  say(old, 'bye');
  await bench.run(1_000);
  await bench.clock.run(old.messenger.stop(), 'stop()');
  bench.view(a, b);
  await bench.run(1_000);
  t.deepEqual([a, b].map(udpState), ['dormant', 'dormant']);
  say(a, '2');
  await bench.run(1_000);
  const late = await bench.start(150);
  bench.view(a, b, late);
  say(a, '3');
  say(late, '4');
  await bench.run(2_000);
  t.deepEqual([a, b].map(udpState), ['active', 'active']);
  t.deepEqual(old.received, ['udp 1']);
  t.deepEqual(b.received.toSorted(), ['tcp 1', 'tcp 2', 'tcp 3', 'udp 4', 'udp bye']);
  t.deepEqual(late.received, ['udp 3']);
  t.is(a.messenger.stats().totals.pending, 0);
});

test('a member without an IP address is told, and holds up nobody', async (t) => {
  const bench = new Bench();
  const a = await bench.start(200);
  const b = await bench.start(200);
  const named = { ...a.id, uuid: 'ab'.repeat(16), host: 'localhost', version: 150 };
  const view = createView(1, [a.id, b.id, named]);
  for (const { messenger } of [a, b]) messenger.installView(view);
  say(a, 'x');
  await bench.run(2_000);
  t.deepEqual(b.received, ['tcp x']);
  t.is(a.messenger.stats().totals.pending, 1);
  t.true(a.log.some((line) => line.includes('localhost') && line.includes('cannot be reached by UDP')));
});

test('messages of senders that no view here names are delivered, and say so', async (t) => {
  const bench = new Bench();
  const [a, old, b] = [await bench.start(200), await bench.start(150), await bench.start(200)];
  const seen: string[] = [];
  a.messenger.setDefaultHandler(({ payload, inView }) => seen.push(`${String(payload)} ${inView}`));
  const view = createView(1, [a.id, old.id, b.id]);
  for (const { messenger } of [old, b]) messenger.installView(view);
  old.messenger.send({ recipients: [a.id], payload: Buffer.from('old') });
  b.messenger.send({ recipients: [a.id], payload: Buffer.from('new') });
  await bench.run(2_000);
  t.deepEqual(seen.splice(0).sort(), ['new false', 'old false']);
  a.messenger.installView(view);
  for (const node of [old, b]) node.messenger.send({ recipients: [a.id], payload: Buffer.from('again') });
  await bench.run(2_000);
  t.deepEqual(seen, ['again true', 'again true']);
});
