/** Connections that fail: what an address may have of them, and who is not to be held back by that. */
import test from 'ava';

import { encodeFrame, type Frame } from '../../../codecs/tcp/v1/frame.ts';
import { PREAMBLE } from '../../../codecs/tcp/v1/limits.ts';
import { DEFAULT_DOOR_LIMITS, Door } from '../../../src/tcp/door.ts';
import {
  ALLOWANCES_OF_A_MEMBER,
  FailureLimit,
  FORGIVEN_MS,
  MAX_FAILED_ADDRESSES,
} from '../../../src/tcp/failure-limit.ts';
import { FakeNetwork } from './fake-network.ts';
import { installView, type Member, numbered, numbers, range, startMember } from './members.ts';
import { connectRaw, data, hello, RAW_ID, type RawPeer } from './raw-peer.ts';

const { maxFailures } = DEFAULT_DOOR_LIMITS;
const EACH_MS = FORGIVEN_MS / maxFailures;

function fail(limit: FailureLimit, address: string, times: number, nowMs: number): void {
  for (let i = 0; i < times; i++) limit.handleFailure(address, nowMs);
}

test('so many fail, then one comes back at a time', (t) => {
  const limit = new FailureLimit(maxFailures);
  fail(limit, 'a', maxFailures - 1, 0);
  t.false(limit.isBarred('a', 0));
  fail(limit, 'a', 1, 0);
  t.true(limit.isBarred('a', 0));
  t.false(limit.isBarred('b', 0), 'others are not touched');
  t.true(limit.isBarred('a', EACH_MS - 1));
  t.false(limit.isBarred('a', EACH_MS));
  fail(limit, 'a', 1, EACH_MS);
  t.true(limit.isBarred('a', 2 * EACH_MS - 1));
  // however often it is asked, and whatever failed beyond
  for (const i of range(1_000)) limit.isBarred('a', EACH_MS + (i * EACH_MS) / 1_000);
  t.false(limit.isBarred('a', 2 * EACH_MS));
  fail(limit, 'a', 10 * maxFailures, 2 * EACH_MS);
  t.false(limit.isBarred('a', 3 * EACH_MS));
});

test('in a while all is forgiven, and nothing is kept of it', (t) => {
  const limit = new FailureLimit(maxFailures);
  fail(limit, 'a', maxFailures, 0);
  t.false(limit.isBarred('a', FORGIVEN_MS));
  t.is(limit.size, 0);
  fail(limit, 'a', maxFailures - 1, FORGIVEN_MS);
  t.false(limit.isBarred('a', FORGIVEN_MS));
});

test('who gets in is forgiven at once', (t) => {
  const limit = new FailureLimit(maxFailures);
  fail(limit, 'a', maxFailures, 0);
  limit.handleSuccess('a');
  t.false(limit.isBarred('a', 0));
  t.is(limit.size, 0);
});

test("members' addresses have more, by their number, and a view changes it", (t) => {
  const limit = new FailureLimit(maxFailures);
  limit.installView(new Map([['a', 3]]));
  const allowance = maxFailures * (1 + 3 * ALLOWANCES_OF_A_MEMBER);
  t.is(limit.allowance('a'), allowance);
  fail(limit, 'a', allowance - 1, 0);
  t.false(limit.isBarred('a', 0));
  fail(limit, 'a', 1, 0);
  t.true(limit.isBarred('a', 0));
  // now it is a stranger's, with a stranger's limit: and not in debt for minutes
  limit.installView(new Map());
  t.true(limit.isBarred('a', 0));
  t.false(limit.isBarred('a', EACH_MS));
});

test('memory is bounded: the address that failed longest ago is forgotten first', (t) => {
  const limit = new FailureLimit(2);
  fail(limit, 'old', 2, 0);
  fail(limit, 'new', 2, 0);
  for (const i of range(MAX_FAILED_ADDRESSES - 2)) fail(limit, `${i}`, 1, 0);
  fail(limit, 'old', 1, 0); // once more, so that it is not the oldest now
  fail(limit, 'one more', 1, 0);
  t.is(limit.size, MAX_FAILED_ADDRESSES);
  t.true(limit.isBarred('old', 0));
  t.false(limit.isBarred('new', 0));
  for (const i of range(10 * MAX_FAILED_ADDRESSES)) fail(limit, `again ${i}`, 1, 0);
  t.is(limit.size, MAX_FAILED_ADDRESSES);
});

test('Infinity: no limit, and nothing is kept', (t) => {
  const limit = new FailureLimit(Infinity);
  fail(limit, 'a', 10_000, 0);
  t.false(limit.isBarred('a', 0));
  t.is(limit.size, 0);
});

test('an address is the same however it is written', (t) => {
  const door = new Door(DEFAULT_DOOR_LIMITS);
  for (let i = 0; i < maxFailures; i++) {
    door.handleFailed('::ffff:192.0.2.1', null, 0);
    door.handleFailed('2001:db8::1', null, 0);
  }
  t.true(door.isBarred('192.0.2.1', 0));
  t.true(door.isBarred('2001:db8:0:0:ffff::7', 0), 'the same network');
  t.false(door.isBarred('2001:db8:0:1::1', 0));
  door.handleWelcomed('::ffff:192.0.2.1');
  t.false(door.isBarred('192.0.2.1', 0));
});

const counters = ({ messenger }: Member): Readonly<Record<string, number>> =>
  messenger.stats().stacks.tcp?.counters ?? {};

test('garbage from one address: reset unread after a while, which is told; its next members get in', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a', { host: '10.0.0.1' });
  installView(1, [a]);
  const garbage = (from: string) => connectRaw(network, a, Buffer.from('GET / HTTP/1.1\r\n'), from);
  const refused = range(maxFailures).map(() => garbage('192.0.2.1'));
  network.run(5);
  t.true(
    refused.every((peer) => peer.of('REJECT').length === 1),
    'told why',
  );
  const before = counters(a)['connectionsAccepted'];
  const peers = range(5).map(() => garbage('192.0.2.1'));
  network.run(5);
  t.true(peers.every((peer) => peer.closed && peer.frames.length === 0));
  t.is(counters(a)['floodResets'], peers.length);
  t.is(counters(a)['connectionsAccepted'], before);
  const lines = network.lines.filter((line) => line.includes('reset unread'));
  t.is(lines.length, 1);
  t.true(lines[0]?.startsWith('warn connections of 192.0.2.1 are'), lines[0]);
  t.is(garbage('192.0.2.2').of('REJECT').length, 0, 'not yet');
  t.is(counters(a)['floodResets'], peers.length, 'another address');

  network.run(2 * EACH_MS);
  const from = '192.0.2.1';
  const stranger = connectRaw(network, a, Uint8Array.from(PREAMBLE), from);
  stranger.send(hello(a));
  network.run(5);
  t.is(stranger.of('WELCOME').length, 1);
  const next = range(3).map(() => {
    const peer = garbage(from);
    network.run(5);
    return peer.of('REJECT').length;
  });
  t.deepEqual(next, [1, 1, 0], 'a WELCOME that anybody can have has cleared nothing');

  network.run(2 * EACH_MS);
  installView(2, [a], [a.id, RAW_ID]);
  const member = connectRaw(network, a, Uint8Array.from(PREAMBLE), from);
  member.send(hello(a));
  network.run(5);
  t.is(member.of('WELCOME').length, 1);
  const refusedNow = range(maxFailures).map(() => garbage(from));
  network.run(5);
  t.true(
    refusedNow.every((peer) => peer.of('REJECT').length === 1),
    'a member that got in has cleared its address',
  );
});

test('HELLOs of strangers that then send nothing count as failures; a message makes up for it', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a', { host: '10.0.0.1' });
  installView(1, [a]);
  const visit = (i: number, from: string, ...more: Frame[]): RawPeer => {
    const peer = connectRaw(network, a, Uint8Array.from(PREAMBLE), from);
    peer.send(hello(a, { sender: { ...RAW_ID, uuid: i.toString(16).padStart(32, 'c') } }), ...more);
    network.run(5);
    peer.stream.destroy();
    network.run(5);
    return peer;
  };
  const [silent, honest] = ['192.0.2.1', '192.0.2.2'];
  for (const i of range(maxFailures)) {
    t.is(visit(i, silent).of('WELCOME').length, 1);
    t.is(visit(100 + i, honest, data(1, numbered(i))).of('WELCOME').length, 1);
  }
  t.is(visit(0, silent).frames.length, 0);
  t.is(counters(a)['floodResets'], 1);
  t.is(visit(200, honest).of('WELCOME').length, 1);
  t.is(a.got.length, maxFailures);
});

test('refusals for want of room, and silence in a crowd, bar nobody', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a', {
    host: '10.0.0.1',
    door: { maxGreeting: 4, maxPerAddress: 100 },
  });
  installView(1, [a]);
  const from = '192.0.2.1';
  const peers = range(3 * maxFailures).map(() => connectRaw(network, a, Uint8Array.from(PREAMBLE), from));
  network.run(5);
  t.true(
    peers.slice(2).every((peer) => peer.of('REJECT').length === 1),
    'half of the four for strangers',
  );
  t.is(counters(a)['floodResets'], 0);
});

/** The host's members are opened all at once, and their handshakes fail until `healMs`. */
async function storm(members: number, healMs: number, memberTimeoutMs: number) {
  const network = new FakeNetwork(3);
  const hub = await startMember(network, 'hub', { host: '10.0.0.1', memberTimeoutMs });
  const options = { host: '10.0.0.2', memberTimeoutMs };
  const others = await Promise.all(range(members).map((i) => startMember(network, `m${i}`, options)));
  installView(1, [hub, ...others]);
  const hellos = encodeFrame(hello(hub)).length;
  network.plan = (index) =>
    network.nowMs > healMs ? {} : index % 2 === 0 ? { cutForwardAt: 1 } : { cutForwardAt: hellos - 1 };
  for (const other of others) other.messenger.send({ recipients: [hub.id], payload: numbered(1) });
  network.run(healMs);
  const failed = counters(hub)['connectionsAccepted'] ?? 0;
  network.run(memberTimeoutMs);
  return { hub, failed };
}

for (const [members, healMs, memberTimeoutMs] of [
  [100, 60_000, 5_000],
  [1, 60_000, 5_000],
  [20, 20_000, 1_000],
] as const) {
  test(`a host of ${members} whose handshakes all fail for ${healMs / 1_000} s: none is refused`, async (t) => {
    const { hub, failed } = await storm(members, healMs, memberTimeoutMs);
    t.true(failed > 30 * members, `${failed} failed`);
    t.is(counters(hub)['floodResets'], 0);
    t.is(numbers(hub).length, members);
  });
}

test('a hundred members of one host that are all cut off reconnect at once', async (t) => {
  const network = new FakeNetwork(4);
  const hub = await startMember(network, 'hub', { host: '10.0.0.1' });
  const others = await Promise.all(
    range(100).map((i) => startMember(network, `m${i}`, { host: '10.0.0.2' })),
  );
  installView(1, [hub, ...others]);
  for (const round of range(20)) {
    for (const other of others) other.messenger.send({ recipients: [hub.id], payload: numbered(round) });
    network.run(50);
    t.is(numbers(hub).length, 100 * (round + 1));
    for (const stream of [...hub.listener.streams]) stream.reset();
    network.run(1);
  }
  t.is(counters(hub)['floodResets'], 0);
});
