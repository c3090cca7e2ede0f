/** JGroupsMessenger says which members take nothing: in the log, and to its handlers. */

import test from 'ava';

import { JGroupsMessenger, type JGroupsMessengerOptions } from '../../../src/jgroups/jgroups-messenger.ts';
import { formatMember, type MemberId } from '../../../src/protocol/member-id.ts';
import { createView } from '../../../src/protocol/view.ts';
import { STALL_REACTIONS } from '../stall-reactions.ts';
import { FakeEnvironment, FakeNetwork } from './fake-environment.ts';

interface Node {
  readonly messenger: JGroupsMessenger;
  readonly id: MemberId;
  readonly environment: FakeEnvironment;
}

const BASICS = { cluster: 'AG', host: '127.0.0.1', ports: [0, 0] as const };

async function start(network: FakeNetwork, name: string, options: Partial<JGroupsMessengerOptions> = {}) {
  const environment = new FakeEnvironment(network, network.sockets.size + 1);
  const member = { name, version: 150 };
  const messenger = new JGroupsMessenger({ ...BASICS, member, ...options, environment });
  return { messenger, id: await messenger.start(), environment };
}

async function trio(options: Partial<JGroupsMessengerOptions> = {}) {
  const network = new FakeNetwork();
  const a = await start(network, 'a', options);
  const b = await start(network, 'b', options);
  const c = await start(network, 'c', options);
  install(1, a, b, c);
  const told: string[] = [];
  a.messenger.setPeerStalledHandler(({ name }, reason) => told.push(`${name} stalled: ${reason}`));
  a.messenger.setPeerRecoveredHandler(({ name }) => told.push(`${name} recovered`));
  return { network, a, b, c, told };
}

function install(id: number, ...nodes: readonly Node[]): void {
  const view = createView(
    id,
    nodes.map((node) => node.id),
  );
  for (const { messenger } of nodes) messenger.installView(view);
}

/** What comes for it is lost; the function returned ends that. */
function cut(network: FakeNetwork, { id }: Node): () => void {
  const socket = network.sockets.get(id.port);
  network.sockets.delete(id.port);
  return () => {
    if (socket !== undefined) network.sockets.set(id.port, socket);
  };
}

const lines = ({ environment }: Node, words: string): string[] =>
  environment.lines.filter((line) => line.includes(words));
const send = ({ messenger }: Node, text = 'x') =>
  messenger.send({ recipients: 'all', payload: Buffer.from(text) });

test('a member that takes nothing: a line in the log and a call, once; and when it gets on', async (t) => {
  const { network, a, b, told } = await trio();
  const heal = cut(network, b);
  for (let i = 0; i < 3; i++) send(a);
  network.run(60_000);
  t.deepEqual(told, ['b stalled: nothing acknowledged for 5000 ms, 3 messages wait']);
  t.deepEqual(lines(a, 'stalled'), [
    `${formatMember(b.id)} is stalled: nothing acknowledged for 5000 ms, 3 messages wait`,
  ]);
  t.is(a.messenger.stats().stacks.udp?.counters['peerStalls'], 1);
  heal();
  network.run(2_000);
  t.is(told[1], 'b recovered');
  t.is(lines(a, 'gets on again').length, 1);
  t.is(a.messenger.stats().totals.pending, 0);
});

test('the member timeout is an option; lines of a member that stalls again and again are limited', async (t) => {
  const { network, a, b, told } = await trio({ memberTimeoutMs: 2_000 });
  for (let i = 0; i < 3; i++) {
    const heal = cut(network, b);
    send(a);
    network.run(2_500);
    t.is(told.filter((text) => text.startsWith('b stalled')).length, i + 1);
    heal();
    network.run(1_000);
  }
  t.is(lines(a, 'is stalled').length, 1);
  const environment = new FakeEnvironment(network, 9);
  for (const memberTimeoutMs of [0, 99, NaN, Infinity]) {
    const options = { ...BASICS, member: { version: 150 }, environment, memberTimeoutMs };
    t.throws(() => new JGroupsMessenger(options), { code: 'ERR_OPTIONS' });
  }
});

test('no call for a member that left, nor by a messenger that stops or sleeps', async (t) => {
  const { network, a, b, c, told } = await trio();
  cut(network, b);
  cut(network, c);
  send(a);
  network.run(6_000);
  t.is(told.length, 2);
  install(2, a, c);
  network.run(60_000);
  t.is(told.length, 2);
  a.messenger.setDormant(true);
  t.deepEqual(told.splice(2), ['c recovered'], 'nothing waits for it any more');
  network.run(60_000);
  a.messenger.setDormant(false);
  network.run(4_900);
  t.is(told.length, 2);
  network.run(1_000);
  t.is(told.length, 3);
  await a.messenger.stop();
  network.run(60_000);
  t.is(told.length, 3);
});

test('handlers may drop the recipient, stop, or fail', async (t) => {
  for (const react of STALL_REACTIONS) {
    const { network, a, b } = await trio();
    let calls = 0;
    a.messenger.setPeerStalledHandler(() => {
      calls++;
      react(a);
    });
    cut(network, b);
    send(a);
    network.run(30_000);
    t.is(calls, 1);
    const { accepted, delivered, memberLeft, closed, pending } = a.messenger.stats().totals;
    t.is(accepted, delivered + memberLeft + closed + pending);
  }
});

test('group messages that somebody holds up: the others say so in the log, the coordinator whom', async (t) => {
  const { network, a, b, c, told } = await trio({ jgroups: { multicast: 'unicasts' } });
  await c.messenger.stop();
  send(b);
  network.run(40_000);
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /^c stalled: no gossip for \d+ ms, 1 group message waits/);
  const [line, ...more] = lines(b, 'messages to the group are stalled');
  t.true(line?.endsWith(`1 group message waits; its coordinator ${formatMember(a.id)} may know for whom`));
  t.deepEqual(more, []);
});
