import test from 'ava';
import { encodeFrame } from '../../../codecs/tcp/v1/frame.ts';
import { GoodbyeCode, RejectCode } from '../../../codecs/tcp/v1/frame-types.ts';
import { PREAMBLE } from '../../../codecs/tcp/v1/limits.ts';
import { createMemberId } from '../../../src/protocol/member-id.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { createView } from '../../../src/protocol/view.ts';
import { addressOf, DEFAULT_DOOR_LIMITS, Door, MAX_LINGERING_REFUSALS } from '../../../src/tcp/door.ts';
import { TcpMessenger } from '../../../src/tcp/tcp-messenger.ts';
import { FakeNetwork } from './fake-network.ts';
import { installView, type Member, numbered, numbers, range, startMember } from './members.ts';
import { connectRaw, data, hello, RAW_ID, RawPeer, welcome } from './raw-peer.ts';

const counters = ({ messenger }: Member): Readonly<Record<string, number>> =>
  messenger.stats().stacks.tcp?.counters ?? {};

/** Members on hosts of their own, and a listener for hostile clients on each of some more. */
async function fortress() {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a', { host: '10.0.0.1' });
  const b = await startMember(network, 'b', { host: '10.0.0.2' });
  installView(1, [a, b]);
  return { network, a, b };
}

/** Connects without a word, from a host. */
function sitDown(network: FakeNetwork, host: string, to: Member, count: number): RawPeer[] {
  const { tcp } = network.listen(host, 0);
  if (tcp === null) throw new Error('no listener');
  return range(count).map(() => new RawPeer(tcp.connect(to.id.host, to.id.port), false));
}

test('one byte a second: no HELLO in time, and no WELCOME in time', async (t) => {
  const { network, b } = await fortress();
  const bytes = Buffer.concat([Buffer.from(PREAMBLE), encodeFrame(hello(b))]);
  const slow = connectRaw(network, b, new Uint8Array(0));
  for (let at = 0; at < 20 && !slow.closed; at++) {
    slow.stream.write(bytes.subarray(at, at + 1));
    network.run(1_000);
  }
  t.is(slow.of('REJECT')[0]?.code, RejectCode.TIMEOUT);

  const { tcp, port } = network.listen('10.0.0.9', 0);
  if (tcp === null) return t.fail();
  const id = createMemberId({ host: '10.0.0.9', port, uuid: 'a'.repeat(32) });
  const peers: RawPeer[] = [];
  tcp.onConnection = (stream) => void peers.push(new RawPeer(stream, true));
  b.messenger.installView(createView(2, [b.id, id]));
  b.messenger.send({ recipients: [id], payload: numbered(0) });
  const answer = encodeFrame(welcome(id));
  for (let at = 0; at < 7; at++) {
    network.run(1_000);
    peers[0]?.stream.write(answer.subarray(at, at + 1));
  }
  t.true(peers[0]?.closed);
  t.regex(network.lines.join('\n'), /no WELCOME within 5000 ms/);
  t.true(peers.length > 1, 'tries again');
});

for (const [who, hosts] of [
  ['an address of a member', ['10.0.0.2']],
  ['one foreign address', ['192.0.2.1']],
  ['fifty foreign addresses', range(50).map((i) => `192.0.2.${i}`)],
] as const) {
  test(`ten thousand idle connections from ${who}: bounded, and service goes on`, async (t) => {
    const { network, a, b } = await fortress();
    a.messenger.send({ recipients: [b.id], payload: numbered(0) });
    network.run(10);
    let open = 0;
    let sent = 1;
    for (const i of range(10_000 / (20 * hosts.length))) {
      for (const host of hosts) sitDown(network, host, a, 20);
      b.messenger.send({ recipients: [a.id], payload: numbered(i) });
      a.messenger.send({ recipients: [b.id], payload: numbered(sent++) });
      network.run(2);
      open = Math.max(open, counters(a)['connections'] ?? 0);
      // the connection on which b sends breaks now and then: it has to get in again
      if (i % 10 === 5) for (const stream of [...b.listener.streams].slice(0, 1)) stream.reset();
    }
    network.run(4_000);
    const { connectionsAccepted = 0, floodResets = 0 } = counters(a);
    t.is(connectionsAccepted + floodResets, 10_000 + (counters(b)['connectionsOpened'] ?? 0));
    t.is(floodResets > 0, hosts.length === 1 && who !== 'an address of a member');
    t.true(
      open <= DEFAULT_DOOR_LIMITS.maxGreeting + MAX_LINGERING_REFUSALS + 10,
      `${open} were open at once`,
    );
    t.deepEqual(numbers(a), range(10_000 / (20 * hosts.length)));
    t.deepEqual(numbers(b), range(sent));
    const late = await startMember(network, 'late', { host: '10.0.0.3' });
    for (const member of [a, b, late]) member.messenger.installView(createView(2, [a.id, b.id, late.id]));
    late.messenger.send({ recipients: [a.id], payload: numbered(7) });
    network.run(100);
    t.is(a.got.at(-1)?.from, 'late');
    network.run(10_000);
    t.true((counters(a)['connections'] ?? 0) <= 6, 'who says nothing is gone');
    t.true(network.lines.length < 200, `${network.lines.length} lines`);
  });
}

test('a foreign address has its limit, and is told; other addresses and members are not touched by it', async (t) => {
  const { network, a } = await fortress();
  const peers = sitDown(network, '192.0.2.1', a, DEFAULT_DOOR_LIMITS.maxPerAddress + 1);
  network.run(5);
  t.is(peers.at(-1)?.of('REJECT')[0]?.code, RejectCode.ADDRESS_BUSY);
  t.regex(network.lines.join('\n'), /refused a connection of stranger from 192\.0\.2\.1:60000, ADDRESS_BUSY/);
  t.false(peers[0]?.closed);
  const other = connectRaw(network, a, Uint8Array.from(PREAMBLE), '192.0.2.2');
  other.send(hello(a));
  network.run(5);
  t.is(other.of('WELCOME').length, 1);
  peers[0]?.stream.destroy();
  network.run(5);
  const again = connectRaw(network, a, Uint8Array.from(PREAMBLE), '192.0.2.1');
  again.send(hello(a, { sender: { ...RAW_ID, uuid: 'c'.repeat(32) } }));
  network.run(5);
  t.is(again.of('WELCOME').length, 1);
});

test('bytes without a HELLO are bounded in all: who holds most has to go', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a', { door: { maxGreetingBytes: 100_000 } });
  installView(1, [a]);
  const begin = Buffer.alloc(40_000);
  Buffer.from(PREAMBLE).copy(begin);
  begin.writeUInt32BE(60_000, 4);
  begin[8] = 1;
  const [small, large, last] = [10_000, 40_000, 30_000].map((size) =>
    connectRaw(network, a, begin.subarray(0, size)),
  );
  network.run(5);
  t.false(large?.closed);
  connectRaw(network, a, begin.subarray(0, 25_000));
  network.run(5);
  t.is(large?.of('REJECT')[0]?.code, RejectCode.GREEDY);
  t.false(small?.closed);
  t.false(last?.closed);
  const honest = connectRaw(network, a);
  honest.send(hello(a));
  network.run(5);
  t.is(honest.of('WELCOME').length, 1);
});

test('the door keeps its books: random comings and goings', (t) => {
  const rng = seededRng(5);
  const limits = {
    ...DEFAULT_DOOR_LIMITS,
    maxConnections: 60,
    maxPerAddress: 12,
    maxGreeting: 30,
    maxGreetingBytes: 500,
  };
  const door = new Door<{ name: number }>(limits);
  const hosts = range(8).map((i) => `10.0.0.${i}`);
  const member = (i: number) => createMemberId({ host: hosts[i] ?? '', port: i, uuid: String(i).repeat(32) });
  const open = new Map<{ name: number }, number>();
  const evictions = new Set<number>();
  for (let step = 0; step < 50_000; step++) {
    const some = [...open.keys()][below(rng, Math.max(1, open.size))];
    const dice = rng.next();
    if (dice < 0.5) {
      const connection = { name: step };
      const eviction = door.admit(connection, hosts[below(rng, 8)] ?? '', step + 1_000);
      open.set(connection, step);
      if (eviction !== null) {
        evictions.add(eviction.code);
        door.handleClosed(eviction.connection);
        t.true(open.delete(eviction.connection));
      }
    } else if (some !== undefined && dice < 0.6) door.handleGreeted(some);
    else if (some !== undefined && dice < 0.95) {
      const eviction = dice < 0.8 ? door.handleBytes(some, below(rng, 100)) : null;
      const goes = eviction?.connection ?? (dice < 0.8 ? null : some);
      if (eviction !== null) evictions.add(eviction.code);
      if (goes !== null) {
        door.handleClosed(goes);
        open.delete(goes);
      }
    } else if (dice > 0.99) door.installView(createView(step, range(1 + below(rng, 4)).map(member)));
    if (door.open !== open.size) return t.fail(`${door.open} and not ${open.size} at step ${step}`);
    if ([...door.greeting()].length > limits.maxGreeting) return t.fail(`crowded at step ${step}`);
  }
  t.deepEqual(
    [...evictions].sort((x, y) => x - y),
    [RejectCode.BUSY, RejectCode.ADDRESS_BUSY, RejectCode.CROWDED, RejectCode.GREEDY],
  );
  for (const connection of open.keys()) door.handleClosed(connection);
  t.is(door.open, 0);
  t.is(door.nextDeadline(), Infinity);
  t.is(door.handleBytes({ name: 0 }, 1_000), null, 'of one that is gone');
});

test('addresses: IPv6 counts by network, IPv4 also when it is mapped, zones are left out', (t) => {
  t.is(addressOf('10.0.0.1'), '10.0.0.1');
  t.is(addressOf('::ffff:10.0.0.1'), '10.0.0.1');
  t.is(addressOf('2001:db8::1'), addressOf('2001:DB8:0:0:1:2:3:4'));
  t.not(addressOf('2001:db8::1'), addressOf('2001:db8:0:1::1'));
  t.is(addressOf('fe80::1%eth0'), addressOf('fe80::2'));
  t.is(addressOf('no address: at all'), 'no address: at all');
});

test('each refusal is logged on the other side too, also if no message waits there', async (t) => {
  const ends = [
    ...Object.entries(RejectCode).map(([name, code]) => ({ type: 'REJECT' as const, name, code })),
    ...(['MALFORMED', 'SILENT', 'STALLED'] as const).map((name) => {
      return { type: 'GOODBYE' as const, name, code: GoodbyeCode[name] };
    }),
  ];
  for (const { type, name, code } of ends) {
    const network = new FakeNetwork();
    const a = await startMember(network, 'a');
    const { tcp, port } = network.listen('127.0.0.1', 9);
    const peers: RawPeer[] = [];
    if (tcp === null) return t.fail();
    tcp.onConnection = (stream) => void peers.push(new RawPeer(stream, true));
    const id = { ...RAW_ID, port };
    installView(1, [a], [a.id, id]);
    a.messenger.sendUnreliably({ recipients: [id], payload: numbered(0) });
    network.run(1_100);
    if (type === 'GOODBYE') peers.at(-1)?.send(welcome(id));
    peers.at(-1)?.send({ type, code, reason: 'for a reason' });
    network.run(10);
    const lines = network.lines.filter((line) => line.includes(`${name}: for a reason`));
    t.true(lines[0]?.startsWith('warn no connection to raw('), `${name}: ${network.lines.join()}`);
  }
  const { network, b } = await fortress();
  const peer = connectRaw(network, b);
  peer.send(hello(b), { type: 'GOODBYE', code: GoodbyeCode.MALFORMED, reason: 'your ack\nis bad' });
  network.run(5);
  t.regex(network.lines.join('\n'), /warn raw\(127\.0\.0\.1:9\) says goodbye, MALFORMED: your ack\?is bad/);
});

test('a changed cause of a lost connection is logged at once, the same one not again', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a');
  const id = { ...RAW_ID, port: 9 };
  installView(1, [a], [a.id, id]);
  a.messenger.send({ recipients: [id], payload: numbered(0) });
  network.run(3_000);
  const lost = (): string[] => network.lines.filter((line) => line.includes('no connection to'));
  t.is(lost().length, 1);
  t.regex(lost()[0] ?? '', /raw\(127\.0\.0\.1:9\): connect ECONNREFUSED/);
  const { tcp } = network.listen('127.0.0.1', 9);
  if (tcp === null) return t.fail();
  tcp.onConnection = (stream) => {
    new RawPeer(stream, true).send({ type: 'REJECT', code: RejectCode.BUSY, reason: `at ${network.nowMs}` });
  };
  network.run(5_000);
  t.is(lost().length, 2);
  t.regex(lost()[1] ?? '', /rejected, BUSY: at /);
});

test('the connector answers a WELCOME that cannot be by GOODBYE: REJECT is for the side that is called', async (t) => {
  const { network, a } = await fortress();
  const { tcp, port } = network.listen('127.0.0.1', 9);
  const peers: RawPeer[] = [];
  if (tcp === null) return t.fail();
  tcp.onConnection = (stream) => void peers.push(new RawPeer(stream, true));
  const id = { ...RAW_ID, port };
  a.messenger.installView(createView(2, [a.id, id]));
  a.messenger.send({ recipients: [id], payload: numbered(0) });
  network.run(5);
  peers[0]?.send(welcome(id, { version: 9 }));
  network.run(5);
  t.is(peers[0]?.of('GOODBYE')[0]?.code, GoodbyeCode.MALFORMED);
  t.deepEqual(peers[0]?.of('REJECT'), []);
});

test('too many refusals at once: those that are more are closed without time to read', async (t) => {
  const { network, a } = await fortress();
  const count = MAX_LINGERING_REFUSALS + DEFAULT_DOOR_LIMITS.maxPerAddress + 50;
  // a client that does not close what is refused, and does not even read it
  const peers = sitDown(network, '192.0.2.1', a, count);
  network.run(0.5);
  for (const { stream } of peers) Object.assign(stream, { paused: true });
  network.run(5);
  t.true((counters(a)['connections'] ?? 0) <= MAX_LINGERING_REFUSALS + DEFAULT_DOOR_LIMITS.maxPerAddress);
  network.run(20_000);
  t.is(counters(a)['connections'], 0);
  const early = connectRaw(network, a);
  early.send(hello(a), data(1, numbered(3)));
  network.run(10);
  t.deepEqual(numbers(a), [3]);
});

test('options of the door are checked', (t) => {
  const environment = new FakeNetwork().environment();
  const member = { version: 1 };
  const options = { environment, cluster: 'c', host: '127.0.0.1', ports: [0, 0] as const, member };
  for (const door of [{ maxGreeting: 1 }, { maxConnections: NaN }])
    t.throws(() => new TcpMessenger({ ...options, door }), { code: 'ERR_OPTIONS' });
});
