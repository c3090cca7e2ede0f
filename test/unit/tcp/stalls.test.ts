import test, { type ExecutionContext } from 'ava';
import { DEFAULT_TIMINGS, timingsFor } from '../../../src/tcp/limits.ts';
import { TcpMessenger, type TcpMessengerOptions } from '../../../src/tcp/tcp-messenger.ts';
import { STALL_REACTIONS } from '../stall-reactions.ts';
import { FakeNetwork, type LinkPlan } from './fake-network.ts';
import { installView, type Member, numbered, numbers, range, startMember } from './members.ts';
import { RAW_ID, RawPeer, welcome } from './raw-peer.ts';

const MEMBER_TIMEOUT_MS = 1_000;

interface Told {
  readonly atMs: number;
  readonly text: string;
}

function listen(network: FakeNetwork, { messenger }: Member): Told[] {
  const told: Told[] = [];
  const tell = (text: string): void => void told.push({ atMs: network.nowMs, text });
  messenger.setPeerStalledHandler((member, reason) => tell(`${member.name} stalled: ${reason}`));
  messenger.setPeerRecoveredHandler((member) => tell(`${member.name} recovered`));
  return told;
}

async function trio(options: Partial<TcpMessengerOptions> = { memberTimeoutMs: MEMBER_TIMEOUT_MS }) {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a', options);
  const b = await startMember(network, 'b');
  const c = await startMember(network, 'c');
  installView(1, [a, b, c]);
  return { network, a, b, c, told: listen(network, a) };
}

const FAULTS: [string, LinkPlan, RegExp][] = [
  [
    'refuses connections',
    { refuse: true },
    /^b stalled: nothing acknowledged for \d+ ms: connect ECONNREFUSED/,
  ],
  [
    'swallows them',
    { latencyMs: 1e9 },
    /^b stalled: nothing acknowledged for \d+ ms: no WELCOME within 1000 ms/,
  ],
  ['accepts and hears nothing', { stallForwardAt: 0 }, /^b stalled: .*no WELCOME/],
  ['welcomes and hears nothing', { stallForwardAt: 150 }, /^b stalled: nothing acknowledged for \d+ ms/],
  ['says nothing', { stallBackwardAt: 0 }, /^b stalled: .*no WELCOME/],
  ['hangs up on HELLO', { cutForwardAt: 50 }, /^b stalled: .*ECONNRESET/],
];

test('statistics tell of the connection to each member, and why the last one ended', async (t) => {
  const { network, a, b, c } = await trio();
  const of = ({ id }: Member) => a.messenger.stats().peers.find(({ member }) => member.uuid === id.uuid)?.tcp;
  t.is(of(b), undefined, 'nothing was sent to it');
  network.plan = (_, port) => (port === b.id.port ? { refuse: true } : {});
  a.messenger.send({ recipients: 'all', payload: numbered(1, 100) });
  network.run(5_000);
  t.deepEqual(of(c), { connection: 'open', failures: 0, lastError: null, lastErrorAgoMs: null });
  t.is(of(a), undefined, 'nothing goes to oneself by TCP');
  const refused = of(b);
  t.regex(String(refused?.connection), /^(waiting|connecting)$/);
  t.regex(String(refused?.lastError), /ECONNREFUSED/);
  t.true((refused?.failures ?? 0) >= 2);
  network.plan = () => ({});
  network.run(5_000);
  const open = of(b);
  t.is(open?.connection, 'open');
  t.is(open?.failures, 0);
  t.regex(String(open?.lastError), /ECONNREFUSED/, 'what was wrong can still be read');
  t.true((open?.lastErrorAgoMs ?? 0) > 1_000);
});

for (const [what, plan, words] of FAULTS) {
  test(`a recipient that ${what}: told once, within two member timeouts, and when it recovers`, async (t) => {
    const { network, a, b, c, told } = await trio();
    let isFaulty = true;
    network.plan = (_, port) => (isFaulty && port === b.id.port ? plan : {});
    network.run(500);
    const sentMs = network.nowMs;
    for (const i of range(20)) a.messenger.send({ recipients: 'all', payload: numbered(i, 1_000) });
    network.run(10);
    t.deepEqual(numbers(c), range(20), 'nobody else waits');
    network.run(20_000);
    t.is(told.length, 1);
    t.regex(told[0]?.text ?? '', words);
    const afterMs = (told[0]?.atMs ?? 0) - sentMs;
    t.true(afterMs >= MEMBER_TIMEOUT_MS && afterMs <= 2 * MEMBER_TIMEOUT_MS, `${afterMs}`);
    isFaulty = false;
    network.run(5_000);
    t.deepEqual(numbers(b), range(20));
    t.deepEqual(told.map(({ text }) => text).slice(1), ['b recovered']);
    t.is(a.messenger.stats().stacks.tcp?.counters['peerStalls'], 1);
  });
}

test('a recipient that does not read: told, the others go on; a large message of its own holds up nobody', async (t) => {
  const { network, a, b, c, told } = await trio();
  network.plan = () => ({ bufferBytes: 64 * 1024 });
  a.messenger.send({ recipients: 'all', payload: numbered(0) });
  network.run(50);
  const pause = (): void => {
    for (const stream of b.listener.streams) stream.paused = true;
  };
  pause();
  a.messenger.send({ recipients: [b.id], payload: numbered(1, 8 * 1024 * 1024) });
  for (const i of range(3_000)) {
    a.messenger.send({ recipients: [c.id], payload: numbered(1 + i, 1_000) });
    network.run(1);
    pause(); // also what it accepts anew
  }
  network.run(10);
  t.deepEqual(numbers(c), range(3_001));
  t.is(told.length, 1);
  t.regex(told[0]?.text ?? '', /^b stalled: nothing acknowledged/);
  t.true((told[0]?.atMs ?? Infinity) <= 50 + 2 * MEMBER_TIMEOUT_MS);
});

test('a slow recipient that gets on is not stalled: acks of the fragments of one message are progress', async (t) => {
  const { network, a, b, told } = await trio();
  network.plan = () => ({ bufferBytes: 64 * 1024 });
  a.messenger.send({ recipients: [b.id], payload: numbered(0) });
  network.run(50);
  const [stream] = b.listener.streams;
  if (stream === undefined) return t.fail();
  stream.paused = true;
  a.messenger.send({ recipients: [b.id], payload: numbered(1, 3 * 1024 * 1024) });
  for (let i = 0; i < 60; i++) {
    network.run(400); // one write of 64 KiB each: 20 s for the message
    stream.resume();
    stream.paused = true;
  }
  t.deepEqual(numbers(b), [0, 1]);
  t.deepEqual(told, []);
});

/** `b` falls silent when nothing waits for it, and that is told once. */
async function trioWithoutB(t: ExecutionContext) {
  const { network, a, b, told } = await trio();
  a.messenger.send({ recipients: [b.id], payload: numbered(0) });
  network.run(50);
  b.listener.crash(true);
  network.run(10_000);
  t.is(told.length, 1);
  return { network, a, b, told };
}

test('an idle connection that falls silent: told without any message waiting', async (t) => {
  const { network, a, b, told } = await trioWithoutB(t);
  t.regex(told[0]?.text ?? '', /^b stalled: nothing heard for 1\d\d\d ms$/);
  t.true((told[0]?.atMs ?? Infinity) <= 50 + 2 * MEMBER_TIMEOUT_MS);
  network.listeners.set(b.listener.address, b.listener);
  a.messenger.send({ recipients: [b.id], payload: numbered(1) });
  network.run(3_000);
  t.is(told.at(-1)?.text, 'b recovered');
  t.is(told.length, 2);
});

test('an idle peer that was told as stalled is told again when it speaks, though nothing is sent to it', async (t) => {
  const { network, b, told } = await trioWithoutB(t);
  network.listeners.set(b.listener.address, b.listener);
  network.run(3_000);
  t.deepEqual(
    told.slice(1).map(({ text }) => text),
    ['b recovered'],
  );
  network.run(20_000);
  t.is(told.length, 2);
});

test('a pause of our own is no stall of others, whether messages wait or not', async (t) => {
  const { network, a, b, c, told } = await trio();
  const ofB = listen(network, b);
  for (const recipient of [b, c]) a.messenger.send({ recipients: [recipient.id], payload: numbered(0) });
  b.messenger.send({ recipients: [a.id], payload: numbered(0) });
  network.run(50);
  a.messenger.send({ recipients: [c.id], payload: numbered(1) });
  for (const pauseMs of [600, 1_000, 1_700, 10_000, 100_000]) {
    network.suspend(pauseMs);
    network.run(5_000);
  }
  t.deepEqual([...told, ...ofB], []);
  t.deepEqual(numbers(c), [0, 1]);
  b.listener.crash(true);
  network.run(5_000);
  t.is(told.length, 1, 'and a stall is one as before');
});

test('acks that say nothing new are no progress', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a', { memberTimeoutMs: MEMBER_TIMEOUT_MS });
  const { tcp, port } = network.listen('127.0.0.1', 9);
  const peers: RawPeer[] = [];
  if (tcp === null) return t.fail();
  tcp.onConnection = (stream) => void peers.push(new RawPeer(stream, true));
  const id = { ...RAW_ID, port };
  installView(1, [a], [a.id, id]);
  const told = listen(network, a);
  for (const i of range(2)) a.messenger.send({ recipients: [id], payload: numbered(i) });
  network.run(5);
  peers[0]?.send(welcome(id));
  network.run(5);
  for (let i = 0; i < 40 && peers[0]?.closed === false; i++) {
    peers[0].send({ type: 'ACK', seqno: 1 });
    network.run(100);
  }
  t.true(peers[0]?.closed);
  t.is(told.length, 1);
});

test('handlers may drop the recipient, stop, or fail', async (t) => {
  for (const react of STALL_REACTIONS) {
    const { network, a, b } = await trio();
    let calls = 0;
    a.messenger.setPeerStalledHandler(() => {
      calls++;
      react(a);
    });
    network.plan = () => ({ refuse: true });
    a.messenger.send({ recipients: [b.id], payload: numbered(0) });
    network.run(30_000);
    t.is(calls, 1);
    const { accepted, memberLeft, closed, pending } = a.messenger.stats().totals;
    t.is(accepted, memberLeft + closed + pending);
  }
});

test('times derive from memberTimeoutMs, and fit together for any of it', (t) => {
  t.deepEqual(timingsFor(5_000), DEFAULT_TIMINGS);
  for (const memberTimeoutMs of [100, 250, 1_000, 5_000, 60_000]) {
    const timings = timingsFor(memberTimeoutMs);
    const { pingIntervalMs, handshakeTimeoutMs, backoffMinMs, backoffMaxMs, stallTimeoutMs } = timings;
    t.is(stallTimeoutMs, memberTimeoutMs);
    t.true(Math.max(1.2 * pingIntervalMs, handshakeTimeoutMs, backoffMaxMs) <= memberTimeoutMs);
    t.true(backoffMinMs <= backoffMaxMs);
    // whatever the other side's setting is: it hears a PING in time
    t.true(timings.idleTimeoutMs >= 10 * timingsFor(1e9).pingIntervalMs);
  }
  const environment = new FakeNetwork().environment();
  const member = { version: 1 };
  const options = { environment, cluster: 'c', host: '127.0.0.1', ports: [0, 0] as const, member };
  for (const memberTimeoutMs of [0, 99, NaN, Infinity])
    t.throws(() => new TcpMessenger({ ...options, memberTimeoutMs }), { code: 'ERR_OPTIONS' });
});
