/** Our legacy stack against real JGroups: what it is for. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { ExecutionContext } from 'ava';

import type { JvmPeerEvent } from '../../src/peers/events.ts';
import type { JvmPeer } from '../../src/peers/jvm-peer.ts';
import { createView } from '../../src/protocol/view.ts';
import { jvmTest, startPeer } from './jvm.ts';
import { installViewWith, OwnMember } from './own.ts';

/** So that the kernel drops little on the side of the JVM; its default is Geode's 64 KiB. */
const LARGE = { receiveBufferBytes: 1024 * 1024 };
const FAULTS = { loss: 0.05, duplicate: 0.02, reorder: 0.05 };

const exactly = (count: number) => ({
  delivered: count,
  highest: count,
  duplicated: 0,
  reordered: 0,
  missing: 0,
  corrupt: 0,
});

/** Both send at once; everything arrives once and in order, and the books agree. */
async function exchange(
  t: ExecutionContext,
  own: OwnMember,
  peer: JvmPeer,
  { count, sizeBytes, timeoutMs }: { count: number; sizeBytes: number; timeoutMs: number },
): Promise<void> {
  const before = own.messenger.stats().totals.accepted;
  await Promise.all([
    peer.burst(own.id, { count, sizeBytes, timeoutMs }),
    own.burst(peer.memberId, count, sizeBytes),
  ]);
  t.true(await own.messenger.flush(timeoutMs), 'all that we sent is acknowledged');
  t.true(await peer.drain(timeoutMs), 'all that the JVM sent is acknowledged');
  await assertExact(t, own, peer, count);
  t.like(own.messenger.stats().totals, { accepted: before + count, pending: 0 });
}

async function assertExact(t: ExecutionContext, own: OwnMember, peer: JvmPeer, count: number): Promise<void> {
  t.like(own.received(peer), exactly(count));
  await assertReceived(t, own, peer, count);
}

/** JGroups acknowledges a list before it delivers its messages: when all is acknowledged they may be on their way up. */
async function assertReceived(
  t: ExecutionContext,
  own: OwnMember,
  peer: JvmPeer,
  count: number,
): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const counts = (await peer.stats()).received[own.id.uuid];
    if ((counts?.delivered ?? 0) >= count || performance.now() > deadline) {
      t.like(counts, exactly(count));
      return;
    }
    await sleep(20);
  }
}

jvmTest('100,000 messages of 1 KiB each way at once with 3.6.14: once and in order', async (t) => {
  t.timeout(90_000);
  const own = await OwnMember.start(t);
  const peer = await startPeer(t, { version: '3.6.14', ...LARGE });
  await installViewWith(1, own, [peer]);
  const start = performance.now();
  await exchange(t, own, peer, { count: 100_000, sizeBytes: 1024, timeoutMs: 60_000 });
  t.log(`${Math.round(performance.now() - start)} ms`);
});

jvmTest('20,000 messages of 1 KiB each way at once with 3.6.20: once and in order', async (t) => {
  t.timeout(60_000);
  const own = await OwnMember.start(t);
  const peer = await startPeer(t, { version: '3.6.20', ...LARGE });
  await installViewWith(1, own, [peer]);
  await exchange(t, own, peer, { count: 20_000, sizeBytes: 1024, timeoutMs: 40_000 });
  t.is(own.counter('malformed'), 0);
});

for (const version of ['3.6.14', '3.6.20'] as const) {
  jvmTest(
    `${version}, 5 % lost, 2 % twice, 5 % late: 5,000 each way, then 20 of 150,000 bytes`,
    async (t) => {
      t.timeout(90_000);
      const own = await OwnMember.start(t, { faults: { ...FAULTS, seed: 7 } });
      const peer = await startPeer(t, { version, ...LARGE });
      await installViewWith(1, own, [peer]);
      await exchange(t, own, peer, { count: 5_000, sizeBytes: 1024, timeoutMs: 60_000 });
      t.true(own.counter('retransmitted') > 0);
      t.true(own.counter('xmitRequestsSent') > 0);
      t.true(own.counter('duplicates') > 0);
      await Promise.all([
        peer.burst(own.id, { count: 20, sizeBytes: 150_000, timeoutMs: 60_000 }),
        own.burst(peer.memberId, 20, 150_000),
      ]);
      t.true(await own.messenger.flush(60_000));
      t.true(await peer.drain(60_000));
      await assertExact(t, own, peer, 5_020);
    },
  );
}

jvmTest('messages of 150,000 bytes, in three fragments, each way at once', async (t) => {
  t.timeout(60_000);
  const own = await OwnMember.start(t);
  const peer = await startPeer(t, { version: '3.6.14', ...LARGE });
  await installViewWith(1, own, [peer]);
  await exchange(t, own, peer, { count: 200, sizeBytes: 150_000, timeoutMs: 40_000 });
});

jvmTest('unordered, high-priority and unreliable messages of either side, with their flags', async (t) => {
  t.timeout(60_000);
  const told: JvmPeerEvent[] = [];
  const own = await OwnMember.start(t);
  const peer = await startPeer(t, { version: '3.6.14', ...LARGE, onEvent: (event) => told.push(event) });
  await installViewWith(1, own, [peer]);
  peer.setReportDeliveries(true);
  await peer.stats(); // commands are carried out in turn: now it is on
  await own.burst(peer.memberId, 100, 500);
  await own.burst(peer.memberId, 100, 500, { ordered: false });
  await own.burst(peer.memberId, 100, 500, { highPriority: true });
  await own.burst(peer.memberId, 10, 150_000, { ordered: false });
  t.true(await own.messenger.flush(20_000));
  own.messenger.sendUnreliably({ recipients: [peer.memberId], payload: Buffer.from('maybe') });
  await sleep(300);
  const { received, raw } = await peer.stats();
  t.like(received[own.id.uuid], { delivered: 310, duplicated: 0, missing: 0, corrupt: 0 });
  t.is(raw, 1, 'on loopback the unreliable one arrives as well');
  const flags = new Map<number, number>();
  for (const event of told) {
    if (event.ev === 'deliver') flags.set(event.flags ?? NaN, (flags.get(event.flags ?? NaN) ?? 0) + 1);
  }
  t.deepEqual(Object.fromEntries(flags), { 0x002: 100, 0x003: 110, 0x407: 100, 0x017: 1 });

  for (const letters of ['O', 'OKF', 'B', 'OB']) {
    await peer.burst(own.id, { count: 500, sizeBytes: 500, flags: letters, timeoutMs: 20_000 });
  }
  await peer.burst(own.id, { count: 10, sizeBytes: 150_000, flags: 'O', timeoutMs: 20_000 });
  t.true(await peer.drain(20_000));
  t.like(own.received(peer), { delivered: 2_010, duplicated: 0, missing: 0, corrupt: 0 });
  await peer.burst(own.id, { count: 20, sizeBytes: 500, flags: 'OFR', timeoutMs: 20_000 });
  t.true(await own.receives(peer, 2_030, 5_000));
  t.is(own.received(peer).duplicated, 0);
});

jvmTest('a JVM that stands still for 3 s gets everything once it goes on', async (t) => {
  t.timeout(60_000);
  const own = await OwnMember.start(t);
  const peer = await startPeer(t, { version: '3.6.20', ...LARGE });
  await installViewWith(1, own, [peer]);
  await exchange(t, own, peer, { count: 100, sizeBytes: 1024, timeoutMs: 10_000 });
  peer.pause();
  await own.burst(peer.memberId, 3_000, 1024); // three times its credits
  t.false(await own.messenger.flush(3_000));
  t.true(own.counter('blocked') > 0);
  peer.resume();
  t.true(await own.messenger.flush(20_000));
  await assertReceived(t, own, peer, 3_100);
});

jvmTest('a killed JVM, one that leaves, and one that stays: every message has one outcome', async (t) => {
  t.timeout(60_000);
  const own = await OwnMember.start(t);
  const peers = await Promise.all([
    startPeer(t, { version: '3.6.14', ...LARGE }),
    startPeer(t, { version: '3.6.20', ...LARGE }),
    startPeer(t, { version: '3.6.14', ...LARGE }),
  ]);
  const [killed, leaving, staying] = peers;
  await installViewWith(1, own, peers);
  await Promise.all(peers.map((peer) => own.burst(peer.memberId, 500, 1024)));
  t.true(await own.messenger.flush(20_000));
  await killed.kill();
  await Promise.all(peers.map((peer) => own.burst(peer.memberId, 500, 1024)));
  t.false(await own.messenger.flush(1_500), 'the dead one acknowledges nothing');
  await assertReceived(t, own, leaving, 1_000);
  await leaving.quit();
  await installViewWith(2, own, [staying]);
  t.true(await own.messenger.flush(10_000));
  await own.burst(staying.memberId, 100, 1024);
  t.true(await own.messenger.flush(10_000));
  t.deepEqual(own.messenger.stats().totals, {
    accepted: 3_100,
    delivered: 2_600,
    memberLeft: 500,
    closed: 0,
    pending: 0,
  });
  await assertReceived(t, own, staying, 1_100);
  t.deepEqual(own.messenger.send({ recipients: [killed.memberId], payload: Buffer.alloc(1) }).notInView, [
    killed.memberId,
  ]);
});

jvmTest('a JVM that is restarted on its port is another member', async (t) => {
  t.timeout(60_000);
  const own = await OwnMember.start(t);
  const old = await startPeer(t, { version: '3.6.14', ...LARGE });
  await installViewWith(1, own, [old]);
  await exchange(t, own, old, { count: 200, sizeBytes: 1024, timeoutMs: 20_000 });
  await old.kill();
  const fresh = await startPeer(t, { version: '3.6.14', ...LARGE, port: old.memberId.port, viewId: 2 });
  await own.burst(old.memberId, 100, 1024); // for the one that is gone: the new one must not take them
  await sleep(1_200);
  await fresh.installView(createView(2, [own.id, fresh.memberId]));
  await fresh.burst(own.id, { count: 50, sizeBytes: 1024, timeoutMs: 10_000 }); // its view is ahead of ours
  await installViewWith(3, own, [fresh]);
  await own.burst(fresh.memberId, 200, 1024);
  await fresh.burst(own.id, { count: 150, sizeBytes: 1024, timeoutMs: 10_000 });
  t.true(await own.messenger.flush(10_000));
  t.true(await fresh.drain(10_000));
  await assertExact(t, own, fresh, 200);
  t.like(own.messenger.stats().totals, { accepted: 500, delivered: 400, memberLeft: 100, pending: 0 });
});

jvmTest("a receive buffer of 64 KiB, Geode's default, overflows and loses nothing", async (t) => {
  t.timeout(90_000);
  const own = await OwnMember.start(t);
  const peer = await startPeer(t, { version: '3.6.14', receiveBufferBytes: 65_535 });
  await installViewWith(1, own, [peer]);
  await exchange(t, own, peer, { count: 5_000, sizeBytes: 1024, timeoutMs: 60_000 });
  await own.burst(peer.memberId, 20, 150_000);
  t.true(await own.messenger.flush(60_000));
  await assertReceived(t, own, peer, 5_020);
});

jvmTest('few credits on both sides: what waits for them drains', async (t) => {
  t.timeout(60_000);
  const own = await OwnMember.start(t, { jgroups: { maxCredits: 20_000 } });
  const peer = await startPeer(t, { version: '3.6.14', ...LARGE, stack: { FC_MAX_CREDITS: 20_000 } });
  await installViewWith(1, own, [peer]);
  await exchange(t, own, peer, { count: 200, sizeBytes: 1_000, timeoutMs: 40_000 });
  t.true(own.counter('blocked') > 0);
  t.is(own.counter('creditRequestsSent'), 0);
  t.true(own.counter('replenishesSent') >= 200_000 / 15_000 - 1);
});
