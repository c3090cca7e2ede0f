import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ExecutionContext } from 'ava';

import { JvmPeerError } from '../../src/peers/conversation.ts';
import type { JvmPeerEvent } from '../../src/peers/events.ts';
import type { JvmPeer } from '../../src/peers/jvm-peer.ts';
import { createMemberId } from '../../src/protocol/member-id.ts';
import { createView } from '../../src/protocol/view.ts';
import { decodeNumberedPayload, encodeNumberedPayload } from '../../src/rehearsal/numbered-payload.ts';
import { installViewOf, jvmTest, startPeer } from './jvm.ts';

const LARGE = { receiveBufferBytes: 4 * 1024 * 1024 };

/** What `from` sent to `to` is what `to` delivered, in order; returns the number. */
async function assertExact(t: ExecutionContext, from: JvmPeer, to: JvmPeer): Promise<number> {
  const { sent } = await from.stats();
  const { received } = await to.stats();
  const count = sent[to.memberId.uuid] ?? 0;
  t.like(received[from.memberId.uuid], {
    delivered: count,
    highest: count,
    duplicated: 0,
    reordered: 0,
    missing: 0,
    corrupt: 0,
  });
  return count;
}

/** Waits for something outside of this process that tells nobody when it happens. */
async function eventually(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 200 && !condition(); i++) await sleep(50);
  return condition();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

jvmTest('3.6.14 and 3.6.20 exchange paced traffic; all counts add up; orderly end', async (t) => {
  const a = await startPeer(t, { version: '3.6.14' });
  const b = await startPeer(t, { version: '3.6.20' });
  const c = await startPeer(t, { version: '3.6.14', name: 'third' });
  const peers = [a, b, c];
  await installViewOf(1, peers);
  const start = performance.now();
  for (const peer of peers) peer.startTraffic(400, 1024);
  await sleep(3_000);
  await Promise.all(peers.map((peer) => peer.stopTraffic()));
  const most = 201 * ((performance.now() - start) / 1_000) + 1;
  t.deepEqual(await Promise.all(peers.map((peer) => peer.drain(20_000))), [true, true, true]);
  for (const from of peers) {
    for (const to of peers) {
      if (from === to) continue;
      const count = await assertExact(t, from, to);
      t.true(count > 100 && count <= most, `200 a second would be ${most}, not ${count}`);
      t.is((await from.stats()).unacked, 0);
    }
  }
  await Promise.all(peers.map((peer) => peer.quit()));
  t.like(await a.exited, { code: 0, signal: null, expected: true });
});

jvmTest(
  'bursts: small, bundled and fragmented ones in order; unordered and unreliable ones as flagged',
  async (t) => {
    const a = await startPeer(t, { version: '3.6.14', ...LARGE });
    const b = await startPeer(t, { version: '3.6.20', ...LARGE });
    await installViewOf(1, [a, b]);
    await Promise.all([
      a.burst(b.memberId, { count: 5_000, sizeBytes: 1024 }),
      b.burst(a.memberId, { count: 5_000, sizeBytes: 100, flags: 'B' }),
    ]);
    await a.burst(b.memberId, { count: 30, sizeBytes: 150_000 });
    t.true(await a.drain(30_000));
    t.true(await b.drain(30_000));
    t.is(await assertExact(t, a, b), 5_030);
    t.is(await assertExact(t, b, a), 5_000);

    await a.burst(b.memberId, { count: 500, sizeBytes: 1024, flags: 'OKF' });
    t.true(await a.drain(30_000));
    t.like((await b.stats()).received[a.memberId.uuid], { delivered: 5_530, missing: 0, duplicated: 0 });
    await a.burst(b.memberId, { count: 10, sizeBytes: 64, flags: 'OFR' });
    const last = (await b.stats()).received[a.memberId.uuid];
    t.true((last?.delivered ?? 0) + (last?.missing ?? 0) <= 5_540);
    t.is(last?.duplicated, 0);
    t.is((await a.stats()).unacked, 0);
  },
);

jvmTest('a killed peer: the others go on, a new view lets go of it', async (t) => {
  const exits: unknown[] = [];
  const a = await startPeer(t, { version: '3.6.20' });
  const b = await startPeer(t, { version: '3.6.14', onExit: (exit) => exits.push(exit) });
  const c = await startPeer(t, { version: '3.6.14' });
  await installViewOf(1, [a, b, c]);
  a.startTraffic(200, 512);
  c.startTraffic(200, 512);
  await sleep(1_000);
  await b.kill();
  t.is(exits.length, 1);
  t.like(exits[0], { signal: 'SIGKILL', expected: true });
  t.false(await a.drain(300), 'what was sent to the dead one is not acknowledged');
  await installViewOf(2, [a, c]);
  await sleep(500);
  await Promise.all([a.stopTraffic(), c.stopTraffic()]);
  t.true(await a.drain(10_000));
  t.true(await c.drain(10_000));
  t.true((await assertExact(t, a, c)) > 100);
  t.true((await assertExact(t, c, a)) > 100);
  await t.throwsAsync(b.stats(), { instanceOf: JvmPeerError, message: /ended by SIGKILL/ });
});

jvmTest('a stopped peer acknowledges nothing until it goes on', async (t) => {
  const a = await startPeer(t, { version: '3.6.14', ...LARGE });
  const b = await startPeer(t, { version: '3.6.20', ...LARGE });
  await installViewOf(1, [a, b]);
  b.pause();
  await a.burst(b.memberId, { count: 200, sizeBytes: 1024 });
  t.false(await a.drain(1_500));
  t.is((await a.stats()).unacked, 200);
  b.resume();
  t.true(await a.drain(10_000));
  t.is(await assertExact(t, a, b), 200);
});

jvmTest(
  "both sides read each other's numbered payloads; other messages are told with their digest",
  async (t) => {
    const told: JvmPeerEvent[] = [];
    const a = await startPeer(t, { version: '3.6.14' });
    const b = await startPeer(t, { version: '3.6.20', onEvent: (event) => told.push(event) });
    await installViewOf(1, [a, b]);
    const ours = encodeNumberedPayload(a.memberId.uuid, 1, 1_000);
    const broken = Buffer.from(ours);
    broken.writeUInt8(broken.readUInt8(500) ^ 1, 500);
    b.setReportDeliveries(true);
    await b.stats(); // it has heard that: messages would come another way
    a.sendRaw(b.memberId, ours);
    a.sendRaw(b.memberId, broken);
    a.sendRaw(b.memberId, Buffer.from('ping'), 'OFR');
    const deliveries = () => told.filter((event) => event.ev === 'deliver');
    t.true(await eventually(() => deliveries().length === 3));
    const from = a.memberId.uuid;
    t.like(
      deliveries().find((event) => event.number === 1),
      { from, len: 1_000, flags: 0x02 },
    );
    t.like(
      deliveries().find((event) => event.number === -1),
      { from, len: 1_000, flags: 0x02 },
    );
    const sha256 = createHash('sha256').update('ping').digest('hex');
    t.like(
      deliveries().find((event) => event.sha256 !== undefined),
      { from, len: 4, flags: 0x17, sha256 },
    );
    const stats = await b.stats();
    t.like(stats.received[from], { delivered: 1, corrupt: 1, bytes: 2_000 });
    t.is(stats.raw, 1);
  },
);

jvmTest('a datagram of a JVM peer ends in a payload that we can read', async (t) => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  t.teardown(() => socket.close());
  await once(socket, 'listening');
  const us = createMemberId({
    host: '127.0.0.1',
    port: socket.address().port,
    uuid: '5a'.repeat(16),
    viewId: 1,
  });
  const a = await startPeer(t, { version: '3.6.14' });
  await a.installView(createView(1, [a.memberId, us]));
  const received = once(socket, 'message');
  await a.burst(us, { count: 1, sizeBytes: 700 });
  const [datagram] = (await received) as [Buffer];
  t.is(datagram.readUInt16BE(0), 0x198e);
  t.deepEqual(decodeNumberedPayload(datagram.subarray(-700)), { sender: a.memberId.uuid, number: 1 });
});

jvmTest('an echoing peer sends everything back', async (t) => {
  const a = await startPeer(t, { version: '3.6.14', ...LARGE });
  const b = await startPeer(t, { version: '3.6.20', ...LARGE });
  await installViewOf(1, [a, b]);
  b.setEcho(true);
  await b.stats(); // Commands are carried out in turn: now it is on.
  await a.burst(b.memberId, { count: 1_000, sizeBytes: 200 });
  t.true(await a.drain(10_000));
  t.true(await b.drain(10_000));
  t.is((await a.stats()).returned, 1_000);
});

jvmTest('wrong commands and a taken port are told', async (t) => {
  const a = await startPeer(t, { version: '3.6.14' });
  const b = await startPeer(t, { version: '3.6.14' });
  await t.throwsAsync(a.installView(createView(1, [b.memberId])), { message: /without this member/ });
  await t.throwsAsync(a.burst(b.memberId, { count: 1, sizeBytes: 100 }), { message: /no other member/ });
  await installViewOf(1, [a, b]);
  await t.throwsAsync(a.burst(b.memberId, { count: 1, sizeBytes: 35 }), { message: /size/ });
  await t.throwsAsync(a.burst(b.memberId, { count: 1, sizeBytes: 100, flags: 'X' }), { message: /flag 'X'/ });
  await t.throwsAsync(startPeer(t, { version: '3.6.14', port: a.memberId.port }), {
    instanceOf: JvmPeerError,
    message: /'start' has no answer: the peer ended with code 2[^]*cannot start/,
  });
});

jvmTest('no JVM outlives the process that started it, not even a stopped one', async (t) => {
  const script = new URL('fixtures/hold-peers.ts', import.meta.url).pathname;
  const holder = spawn(process.execPath, ['--import=tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => holder.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: holder.stdout }), 'line')) as [string];
  const pids = line.split(' ').map(Number);
  t.is(pids.length, 2);
  t.true(pids.every(isAlive));
  holder.kill('SIGKILL');
  t.true(await eventually(() => !pids.some(isAlive)));
});
