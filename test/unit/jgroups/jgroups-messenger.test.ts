/** JGroupsMessenger on a virtual clock and network. */

import test from 'ava';

import { addressKey, Flag } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { JGroupsMessenger, type JGroupsMessengerOptions } from '../../../src/jgroups/jgroups-messenger.ts';
import { createMemberId, type MemberId } from '../../../src/protocol/member-id.ts';
import type { OutgoingMessage } from '../../../src/protocol/messenger.ts';
import { createView } from '../../../src/protocol/view.ts';
import { FakeEnvironment, FakeNetwork, type FakeSocket } from './fake-environment.ts';
import { addressOf, data, describe, single } from './world.ts';

type Options = Partial<Omit<JGroupsMessengerOptions, 'environment'>>;

interface Node {
  readonly messenger: JGroupsMessenger;
  readonly id: MemberId;
  readonly environment: FakeEnvironment;
  readonly socket: FakeSocket;
  readonly received: string[];
}

function create(environment: FakeEnvironment, options: Options = {}): JGroupsMessenger {
  return new JGroupsMessenger({
    cluster: 'AG',
    member: { version: 150 },
    host: '127.0.0.1',
    ports: [0, 0],
    ...options,
    environment,
  });
}

async function start(network: FakeNetwork, options: Options = {}): Promise<Node> {
  const environment = new FakeEnvironment(network, network.sockets.size + 1);
  const messenger = create(environment, options);
  const id = await messenger.start();
  const received: string[] = [];
  messenger.setDefaultHandler(({ payload }) => void received.push(Buffer.from(payload).toString()));
  return { messenger, id, environment, socket: network.sockets.get(id.port) as FakeSocket, received };
}

async function group(network: FakeNetwork, count: number, options: Options = {}): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let i = 0; i < count; i++) nodes.push(await start(network, options));
  install(1, nodes);
  return nodes;
}

function install(id: number, nodes: readonly Node[]): void {
  const view = createView(
    id,
    nodes.map((node) => node.id),
  );
  for (const { messenger } of nodes) messenger.installView(view);
}

const text = (value: string, recipients: OutgoingMessage['recipients'] = 'all'): OutgoingMessage => ({
  recipients,
  payload: Buffer.from(value),
});

const flagsOf = (datagram: Buffer | undefined): number => {
  const decoded = decodeDatagram(datagram ?? Buffer.alloc(0));
  return decoded.kind === 'single' ? decoded.message.flags : -1;
};

test('each kind of message has its flags on the wire', async (t) => {
  const [a, b] = (await group(new FakeNetwork(), 2)) as [Node, Node];
  a.messenger.send(text('ordered'));
  a.messenger.send({ ...text('unordered'), ordered: false });
  a.messenger.send({ ...text('high'), highPriority: true });
  a.messenger.sendUnreliably(text('unreliable'));
  t.deepEqual(a.socket.sent.map(flagsOf), [
    Flag.DONT_BUNDLE,
    Flag.DONT_BUNDLE | Flag.OOB,
    0x407,
    Flag.DONT_BUNDLE | Flag.OOB | Flag.NO_FC | Flag.NO_RELIABILITY,
  ]);
  t.is(b.received.length, 0);
});

test('messages to all arrive once at each other member; outcomes come with the acks', async (t) => {
  const network = new FakeNetwork();
  const [a, b, c] = (await group(network, 3)) as [Node, Node, Node];
  for (let i = 0; i < 10; i++) a.messenger.send(text(String(i)));
  network.settle();
  t.like(a.messenger.stats().totals, { accepted: 20, delivered: 0, pending: 20 });
  const flushed = a.messenger.flush(60_000);
  network.run(500);
  t.true(await flushed);
  t.like(a.messenger.stats().totals, { accepted: 20, delivered: 20, pending: 0 });
  t.deepEqual(b.received, c.received);
  t.deepEqual(
    b.received,
    Array.from({ length: 10 }, (_, i) => String(i)),
  );
  t.is(b.messenger.stats().received, 10);
  t.deepEqual(
    b.environment.lines.filter((line) => line.includes('dropped')),
    [],
  );
});

test('accepted = delivered + memberLeft + closed, whatever happens', async (t) => {
  const network = new FakeNetwork();
  const nodes = (await group(network, 4, { jgroups: { maxCredits: 2_000, fragSize: 300 } })) as [
    Node,
    Node,
    Node,
    Node,
  ];
  const [a, b, c, d] = nodes;
  await c.messenger.stop(); // crashes, as far as the others know
  for (let i = 0; i < 50; i++) a.messenger.send({ recipients: 'all', payload: Buffer.alloc(i * 20) });
  network.run(3_000);
  install(2, [a, b, d]);
  network.run(1_000);
  const left = a.messenger.stats();
  t.like(left.totals, { accepted: 150, delivered: 100, memberLeft: 50, pending: 0 });
  network.run(15_000);
  await d.messenger.stop();
  for (let i = 0; i < 50; i++) a.messenger.send({ recipients: 'all', payload: Buffer.alloc(i * 20) });
  network.run(3_000);
  await a.messenger.stop();
  t.like(a.messenger.stats().totals, {
    accepted: 250,
    delivered: 150,
    memberLeft: 50,
    closed: 50,
    pending: 0,
  });
  t.is(a.messenger.stats().stacks.udp?.state, 'closed');
  t.throws(() => a.messenger.send(text('late')), { code: 'ERR_CLOSED' });
});

test('a full queue is told, refused at its limit, and writable again when it drained', async (t) => {
  const network = new FakeNetwork();
  const options = { highWaterBytes: 10_000, hardLimitBytes: 20_000, jgroups: { maxCredits: 5_000 } };
  const [a, b] = (await group(network, 2, options)) as [Node, Node];
  const writable: MemberId[] = [];
  a.messenger.setWritableHandler((recipient) => void writable.push(recipient));
  const payload = Buffer.alloc(1_000);
  let accepted = 0;
  for (let i = 0; i < 40; i++) {
    const result = a.messenger.send({ recipients: [b.id], payload });
    if (result.refused.length === 0) accepted++;
    else t.false(result.writable);
    t.is(result.writable, (i + 1) * 1_064 <= 10_000);
  }
  t.is(accepted, Math.floor(20_000 / 1_064));
  network.run(5_000);
  t.deepEqual(writable, [b.id]);
  t.is(b.received.length, accepted);
  t.is(a.messenger.stats().peers.find(({ member }) => member.uuid === b.id.uuid)?.pendingBytes, 0);
});

test('one message may be larger than all limits; none may be larger than a receiver holds', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2)) as [Node, Node];
  a.messenger.send({ recipients: [b.id], payload: Buffer.alloc(20_000_000) });
  t.deepEqual(a.messenger.send(text('x')).refused, [b.id]);
  network.run(5_000);
  t.is(b.received[0]?.length, 20_000_000);
  t.throws(() => a.messenger.checkSize(2 ** 28, true), { code: 'ERR_TOO_LARGE' });
  t.throws(() => a.messenger.sendUnreliably({ recipients: 'all', payload: Buffer.alloc(60_001) }), {
    code: 'ERR_TOO_LARGE',
  });
});

test('bad datagrams are logged once in 10 s, with the name of the member at that address', async (t) => {
  const network = new FakeNetwork();
  const a = await start(network);
  const named = createMemberId({ host: '127.0.0.1', port: 50_000, uuid: 'ab'.repeat(16), name: 'server-1' });
  a.messenger.installView(createView(1, [a.id, named]));
  const logged = (): string[] => a.environment.lines.splice(0);
  for (let i = 0; i < 5; i++) a.socket.onDatagram(Buffer.from([0x19, 0x8e, 0xff]), '127.0.0.1', 50_000);
  t.deepEqual(logged().length, 1);
  network.run(9_999);
  a.socket.onDatagram(Buffer.from([0x19, 0x8e, 0xff]), '127.0.0.1', 50_000);
  t.deepEqual(logged(), []);
  network.run(1);
  a.socket.onDatagram(Buffer.from([0x19, 0x8e, 0xff]), '127.0.0.1', 50_000);
  const [line] = logged();
  t.regex(line ?? '', /^server-1\(127\.0\.0\.1:50000\): malformed .*5 more/);
  const foreign = single({ ...foreignMessage(a), src: addressOf(5) }, 'other');
  a.socket.onDatagram(foreign, '127.0.0.1', 50_000);
  a.socket.onDatagram(foreign, '127.0.0.1', 50_001);
  t.regex(logged().join('\n'), /^server-1\(.*'other'.*'AG'.*\n127\.0\.0\.1:50001: .*'other'/);
  t.like(a.messenger.stats().stacks.udp?.counters, { malformed: 7, otherCluster: 2 });
});

test('made-up senders fill neither the log nor memory', async (t) => {
  const network = new FakeNetwork();
  const a = await start(network);
  const rubbish = Buffer.from([0x19, 0x8e, 0xff]);
  const flood = (): number => {
    a.environment.lines.length = 0;
    for (let port = 1; port <= 20_000; port++) a.socket.onDatagram(rubbish, '127.0.0.1', port);
    return a.environment.lines.length;
  };
  t.is(flood(), 1_001);
  t.is(flood(), 0);
  network.run(10_000);
  t.is(flood(), 1_001);
  t.is(a.messenger.stats().stacks.udp?.counters['malformed'], 60_000);
});

function foreignMessage(to: Node) {
  const dest = { ...addressOf(1), uuid: to.id.uuid };
  return { dest, src: null, flags: 0, headers: [data(1)], payload: Buffer.from('x') };
}

test('senders are told by the id of the view, strangers by what their address says', async (t) => {
  const network = new FakeNetwork();
  const a = await start(network);
  const senders: MemberId[] = [];
  a.messenger.setDefaultHandler(({ sender }) => void senders.push(sender));
  const member = createMemberId({
    host: '127.0.0.1',
    port: 41_007,
    uuid: addressOf(7).uuid,
    name: 'seven',
    version: 150,
  });
  a.messenger.installView(createView(1, [a.id, member]));
  for (const n of [7, 8])
    a.socket.onDatagram(single({ ...foreignMessage(a), src: addressOf(n) }), '127.0.0.1', 50_000);
  const uuid = 'cd'.repeat(16);
  a.socket.onDatagram(single({ ...foreignMessage(a), src: { kind: 'uuid', uuid } }), '127.0.0.1', 50_000);
  t.is(senders[0], member);
  t.like(senders[1], {
    uuid: addressKey(addressOf(8)),
    host: '127.0.0.1',
    port: 41_008,
    viewId: 1,
    version: -1,
  });
  t.like(senders[2], { uuid, host: '', port: 0 });
});

test('a member that UDP cannot reach is told once; its messages end when it leaves', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2)) as [Node, Node];
  const uuid = 'ef'.repeat(16);
  const odd = [
    createMemberId({ host: 'localhost', port: 41_500, uuid }),
    createMemberId({ host: '127.0.0.1', port: 0, uuid: '1f'.repeat(16) }),
    createMemberId({ host: '127.0.0.1', port: 1, uuid: '2f'.repeat(16), viewId: 2 ** 40 }),
  ];
  a.messenger.installView(createView(2, [a.id, b.id, ...odd]));
  a.messenger.send(text('x'));
  a.messenger.sendUnreliably(text('y'));
  network.run(5_000);
  t.deepEqual(b.received, ['x', 'y']);
  t.is(a.environment.lines.filter((line) => line.includes('cannot be reached by UDP')).length, 3);
  t.like(a.messenger.stats().totals, { accepted: 4, delivered: 1, pending: 3 });
  a.messenger.installView(createView(3, [a.id, b.id]));
  t.like(a.messenger.stats().totals, { accepted: 4, delivered: 1, memberLeft: 3, pending: 0 });
});

test('before it sleeps it acknowledges; asleep it is silent and deaf; awake again it goes on', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2)) as [Node, Node];
  b.messenger.send(text('1'));
  network.settle();
  a.messenger.setDormant(true);
  network.settle();
  t.is(b.messenger.pending, 0);
  const silent = a.socket.sent.length;
  b.messenger.send(text('2'));
  b.messenger.send(text('3'));
  network.run(20_000);
  t.deepEqual(a.received, ['1']);
  t.is(a.socket.sent.length, silent);
  a.messenger.setDormant(false);
  network.run(5_000);
  t.deepEqual(a.received, ['1', '2', '3']);
  t.is(b.messenger.pending, 0);
});

test('stop acknowledges what was delivered and delivers nothing more, even from within a handler', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2)) as [Node, Node];
  const seen: string[] = [];
  const stopped: Promise<void>[] = [];
  a.messenger.setDefaultHandler(({ payload }) => {
    seen.push(Buffer.from(payload).toString());
    if (seen.length === 2) stopped.push(a.messenger.stop());
  });
  for (let i = 1; i <= 5; i++) b.messenger.send(text(String(i)));
  const [first, second, ...rest] = b.socket.sent as [Buffer, Buffer, ...Buffer[]];
  for (const bytes of [first, ...rest, second]) a.socket.onDatagram(bytes, '127.0.0.1', b.id.port);
  await Promise.all(stopped);
  t.deepEqual(seen, ['1', '2']);
  t.deepEqual(
    a.socket.sent.map((bytes) => describe(bytes)),
    ['ACK 2 conn 0 ts 1'],
  );
  t.is(network.sockets.has(a.id.port), false);
});

test('options that cannot work are refused', (t) => {
  const environment = new FakeEnvironment(new FakeNetwork(), 1);
  for (const jgroups of [
    { fragSize: 0 },
    { fragSize: 65_400 },
    { xmitIntervalMs: 0 },
    { ackThreshold: 1.5 },
    { maxCredits: -1 },
    { minThreshold: 1.5 },
    { minThreshold: NaN },
    { maxXmitReqSize: 1_000_000 },
    { version: 0x1302 },
  ]) {
    t.throws(() => create(environment, { jgroups }), { code: 'ERR_OPTIONS' }, JSON.stringify(jgroups));
  }
  t.throws(() => create(environment, { cluster: '\u{1f600}' }), { code: 'ERR_OPTIONS' });
  t.throws(() => create(environment, { cluster: 'x'.repeat(40_000) }), { code: 'ERR_OPTIONS' });
  t.throws(() => create(environment, { host: 'fe80::1%eth0' }), { code: 'ERR_HOST' });
  t.notThrows(() => create(environment, { jgroups: { fragSize: 65_000 } }));
});
