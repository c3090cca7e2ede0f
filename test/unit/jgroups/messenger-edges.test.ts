/** The messenger on the legacy stack: quorum pings, confirmed messages, foreign datagrams, counters of peers. */

import test from 'ava';

import { type Address, Flag } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { JGroupsMessenger, type JGroupsMessengerOptions } from '../../../src/jgroups/jgroups-messenger.ts';
import { createMemberId, type MemberId } from '../../../src/protocol/member-id.ts';
import { createView } from '../../../src/protocol/view.ts';
import { FakeEnvironment, FakeNetwork, type FakeSocket } from './fake-environment.ts';
import { addressOf, data, single } from './world.ts';

const PING_FLAGS = Flag.OOB | Flag.NO_FC | Flag.NO_RELIABILITY | Flag.DONT_BUNDLE;
const RSVP_STACK = {
  multicast: 'unicasts',
  protocols: ['NAKACK2', 'UNICAST3', 'STABLE', 'UFC', 'MFC', 'FRAG2', 'RSVP'],
} as const;

interface Node {
  readonly messenger: JGroupsMessenger;
  readonly id: MemberId;
  readonly socket: FakeSocket;
  readonly lines: string[];
  readonly received: string[];
}

async function start(network: FakeNetwork, options: Partial<JGroupsMessengerOptions> = {}): Promise<Node> {
  const environment = new FakeEnvironment(network, network.sockets.size + 1);
  const messenger = new JGroupsMessenger({
    cluster: 'AG',
    member: { version: 150 },
    host: '127.0.0.1',
    ports: [0, 0],
    ...options,
    environment,
  });
  const id = await messenger.start();
  const received: string[] = [];
  messenger.setDefaultHandler(({ payload }) => void received.push(Buffer.from(payload).toString()));
  const socket = network.sockets.get(id.port) as FakeSocket;
  return { messenger, id, socket, lines: environment.lines, received };
}

async function group(
  network: FakeNetwork,
  count: number,
  options: Partial<JGroupsMessengerOptions> = {},
): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let i = 0; i < count; i++) nodes.push(await start(network, options));
  const view = createView(
    1,
    nodes.map((node) => node.id),
  );
  for (const { messenger } of nodes) messenger.installView(view);
  return nodes;
}

const message = (recipients: readonly MemberId[] | 'all', text: string) => ({
  recipients,
  payload: Buffer.from(text),
});

function geodeAddress({ host, port, uuid, viewId }: MemberId): Address {
  return { kind: 'geode', host, scopeId: 0, port, uuid, viewId };
}

/** Datagrams that came from a peer of the test. */
function hear(to: Node, bytes: Uint8Array, fromPort = 50_000): void {
  to.socket.onDatagram(bytes, '127.0.0.1', fromPort);
}

// --- quorum pings -------------------------------------------------------------------------------------------

test('a quorum ping is answered by a pong of the same flags, whoever sent it, and not delivered', async (t) => {
  const network = new FakeNetwork();
  const a = await start(network, { jgroups: { multicast: 'unicasts' } });
  const src = addressOf(1);
  const ping = { src, flags: PING_FLAGS, headers: [], payload: Buffer.from('ping') };
  const dest = geodeAddress(a.id);
  for (const to of [dest, null]) {
    hear(a, single({ ...ping, dest: to }));
    const sent = a.socket.sent.pop() ?? Buffer.alloc(0);
    const pong = decodeDatagram(sent);
    t.true(pong.kind === 'single' && pong.message.flags === PING_FLAGS);
    t.deepEqual(pong.kind === 'single' ? pong.message.dest : null, src);
    t.deepEqual(pong.kind === 'single' ? Buffer.from(pong.message.payload ?? []).toString() : '', 'pong');
  }
  t.deepEqual(a.received, []);
  t.like(a.messenger.stats().stacks.udp?.counters, { pingsAnswered: 2, pongsReceived: 0 });
});

test('members ping each other, of the view or not; a reliable message that says ping is one like others', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2)) as [Node, Node];
  const stranger = await start(network);
  const pongs: string[] = [];
  a.messenger.onPong = ({ uuid }) => pongs.push(uuid);
  a.messenger.ping(b.id);
  a.messenger.ping(stranger.id);
  network.settle();
  t.deepEqual(pongs, [b.id.uuid, stranger.id.uuid]);
  t.deepEqual([a.received, b.received], [[], []]);
  t.is(a.messenger.stats().totals.accepted, 0);
  a.messenger.send(message([b.id], 'ping'));
  network.settle();
  t.deepEqual(b.received, ['ping']);
  t.throws(() => a.messenger.ping(createMemberId({ host: 'x', port: 1, uuid: 'ab'.repeat(16) })), {
    code: 'ERR_HOST',
  });
});

test('with answersPings off an unreliable ping is a message like others', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2, { jgroups: { answersPings: false } })) as [Node, Node];
  a.messenger.sendUnreliably(message([b.id], 'ping'));
  network.settle();
  t.deepEqual(b.received, ['ping']);
});

// --- messages to be confirmed -------------------------------------------------------------------------------

test('a message to the group is confirmed by all others', async (t) => {
  const network = new FakeNetwork();
  const [a, b, c] = (await group(network, 3, { jgroups: RSVP_STACK })) as [Node, Node, Node];
  const confirmation = a.messenger.sendAndConfirm(message('all', 'hello'));
  network.run(100);
  const { confirmed, unconfirmed } = await confirmation;
  t.deepEqual(new Set(confirmed.map(({ uuid }) => uuid)), new Set([b.id.uuid, c.id.uuid]));
  t.deepEqual(unconfirmed, []);
  t.deepEqual([b.received, c.received], [['hello'], ['hello']]);
});

test('who did not confirm is named with the reason', async (t) => {
  const network = new FakeNetwork();
  const [a, b, c, d] = (await group(network, 4, { jgroups: RSVP_STACK })) as [Node, Node, Node, Node];
  const stranger = await start(network);
  await c.messenger.stop();
  await d.messenger.stop();
  const recipients = [a.id, b.id, c.id, d.id, stranger.id];
  const confirmation = a.messenger.sendAndConfirm(message(recipients, 'hello'), 5_000);
  network.run(1_000);
  a.messenger.installView(createView(2, [a.id, b.id, c.id]));
  network.run(4_000);
  const { confirmed, unconfirmed } = await confirmation;
  t.deepEqual(confirmed, [b.id]);
  t.deepEqual(
    new Map(unconfirmed.map(({ member, reason }) => [member.uuid, reason])),
    new Map([
      [stranger.id.uuid, 'notInView'],
      [d.id.uuid, 'memberLeft'],
      [c.id.uuid, 'timeout'],
    ]),
  );
  t.deepEqual(a.received, ['hello'], 'oneself is not asked');
});

test('stop ends the wait', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2, { jgroups: RSVP_STACK })) as [Node, Node];
  const confirmation = a.messenger.sendAndConfirm(message([b.id], 'hello'));
  await a.messenger.stop();
  t.like((await confirmation).unconfirmed, [{ reason: 'closed' }]);
});

test('without RSVP among the protocols it is an error, and nothing is sent', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2)) as [Node, Node];
  t.throws(() => a.messenger.sendAndConfirm(message([b.id], 'hello')), { code: 'ERR_RSVP' });
  t.is(a.messenger.stats().totals.accepted, 0);
});

// --- others on the port, and what is told -------------------------------------------------------------------

test('one line in 10 s names who sends for another cluster or in another version, and both sides of it', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2)) as [Node, Node];
  const dest = geodeAddress(a.id);
  const foreign = { dest, src: addressOf(5), flags: 0, headers: [data(1)], payload: null };
  const logged = (): string[] => a.lines.splice(0);
  logged();
  for (let i = 0; i < 3; i++) hear(a, single(foreign, 'other'), b.id.port);
  t.deepEqual(logged(), [`127.0.0.1:${b.id.port}: it is of cluster 'other', we are of 'AG'; dropped`]);
  const v4 = Buffer.concat([Buffer.from('209e', 'hex'), single(foreign).subarray(2)]);
  const v2 = Buffer.concat([Buffer.from('1302', 'hex'), single(foreign).subarray(2)]);
  for (let i = 0; i < 3; i++) hear(a, v4);
  for (let i = 0; i < 3; i++) hear(a, v2, 50_001);
  t.deepEqual(logged(), [
    '127.0.0.1:50000: it speaks JGroups 4.2.30, we speak 3.6.14; datagram dropped',
    '127.0.0.1:50001: it speaks JGroups 2.12.2, we speak 3.6.14; datagram dropped',
  ]);
  network.run(10_000);
  hear(a, v4);
  t.regex(logged()[0] ?? '', /^127\.0\.0\.1:50000: it speaks JGroups 4\.2\.30.*2 more/);
  t.like(a.messenger.stats().stacks.udp?.counters, { otherCluster: 3, otherVersion: 7 });
});

test('stats tell of each other member, not of oneself', async (t) => {
  const network = new FakeNetwork();
  const [a, b] = (await group(network, 2)) as [Node, Node];
  for (let i = 0; i < 3; i++) a.messenger.send(message([a.id, b.id], `${i}`));
  network.run(1_000);
  const peers = a.messenger.stats().peers;
  t.is(peers.find(({ member }) => member.uuid === a.id.uuid)?.udp, undefined);
  const { udp } = peers.find(({ member }) => member.uuid === b.id.uuid) ?? {};
  t.like(udp, { sent: 3, acked: 3, window: 0, queue: 0, credits: 1_048_576 - 3, malformed: 0 });
  t.is(udp?.group, undefined);
});
