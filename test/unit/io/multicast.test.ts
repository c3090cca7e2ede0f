/** IP multicast on the loopback interface. */
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { CaptureReader } from '../../../codecs/pcap/index.ts';
import { createNodeEnvironment, type NodeEnvironmentOptions } from '../../../src/io/node-environment.ts';
import { type JGroupsConfig, type MulticastGroup } from '../../../src/jgroups/config.ts';
import { JGroupsMessenger } from '../../../src/jgroups/jgroups-messenger.ts';
import { LocalProtocolError, TransportError } from '../../../src/protocol/errors.ts';
import type { MemberId } from '../../../src/protocol/member-id.ts';
import { createView } from '../../../src/protocol/view.ts';

const HOST = '127.0.0.1';

/** A group of its own for each test: files run at the same time, and all of this machine hear all. */
function randomGroup(): MulticastGroup {
  const byte = (): number => 1 + Math.floor(Math.random() * 250);
  return {
    address: `239.193.${byte()}.${byte()}`,
    port: 20_000 + Math.floor(Math.random() * 10_000),
    ttl: 0,
  };
}

interface Node {
  readonly messenger: JGroupsMessenger;
  readonly id: MemberId;
  readonly received: string[];
}

const FAST: Partial<JGroupsConfig> = { mcastXmitIntervalMs: 20, desiredAvgGossipMs: 40 };
/** Nothing but what is sent. */
const QUIET: Partial<JGroupsConfig> = { mcastXmitIntervalMs: 60_000, desiredAvgGossipMs: 60_000 };

async function start(
  t: ExecutionContext,
  multicast: MulticastGroup,
  options: NodeEnvironmentOptions = {},
  jgroups = FAST,
): Promise<Node> {
  const messenger = new JGroupsMessenger({
    environment: createNodeEnvironment(options),
    cluster: 'AG',
    host: HOST,
    ports: [0, 0],
    member: { version: 150 },
    jgroups: { ...jgroups, multicast },
  });
  t.teardown(() => messenger.stop());
  const received: string[] = [];
  messenger.setDefaultHandler(({ payload }) => received.push(Buffer.from(payload).toString()));
  return { messenger, id: await messenger.start(), received };
}

function install(nodes: readonly Node[]): void {
  const view = createView(
    1,
    nodes.map(({ id }) => id),
  );
  for (const { messenger } of nodes) messenger.installView(view);
}

/** For as long as the test may take. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const counters = ({ messenger }: Node): Readonly<Record<string, number>> =>
  messenger.stats().stacks.udp?.counters ?? {};

test('a group message is one datagram for all, and its sender hears it as its own', async (t) => {
  const group = randomGroup();
  const quietly = (): Promise<Node> => start(t, group, {}, QUIET);
  const nodes = [await quietly(), await quietly(), await quietly()] as const;
  const [a, b, c] = nodes;
  install(nodes);
  const before = counters(a)['datagramsSent'] ?? NaN;
  for (const text of ['1', '2', '3']) {
    a.messenger.send({ recipients: 'all', payload: Buffer.from(text) });
    await until(() => b.received.length === Number(text) && c.received.length === Number(text));
  }
  await until(() => (counters(a)['ownPackets'] ?? 0) === 3);
  t.is((counters(a)['datagramsSent'] ?? NaN) - before, 3);
  t.deepEqual(b.received, ['1', '2', '3']);
  t.deepEqual(c.received, ['1', '2', '3']);
  t.deepEqual(a.received, []);
});

test('what the network loses, repeats and reorders of a group is repaired', async (t) => {
  const group = randomGroup();
  const faults = { loss: 0.1, duplicate: 0.05, reorder: 0.1 };
  const nodes = [
    await start(t, group, { faults: { ...faults, seed: 1 } }),
    await start(t, group, { faults: { ...faults, seed: 2 } }),
  ] as const;
  install(nodes);
  const texts = Array.from({ length: 200 }, (_, i) => `${i}`);
  for (const { messenger } of nodes) {
    for (const text of texts) messenger.send({ recipients: 'all', payload: Buffer.from(text) });
  }
  for (const { messenger } of nodes) t.true(await messenger.flush(30_000));
  for (const { received } of nodes) t.deepEqual(received, texts);
});

test('a recording holds what was sent to the group, and what was heard there', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rollgate-multicast-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'own.pcapng');
  const group = randomGroup();
  const a = await start(t, group, { recorder: { file } });
  const b = await start(t, group);
  install([a, b]);
  a.messenger.send({ recipients: 'all', payload: Buffer.from('from a') });
  b.messenger.send({ recipients: 'all', payload: Buffer.from('from b') });
  t.true((await a.messenger.flush(10_000)) && (await b.messenger.flush(10_000)));
  await a.messenger.stop();
  const reader = new CaptureReader();
  const seen = [...reader.push(readFileSync(file)), ...reader.end()].flatMap((item) =>
    item.kind === 'udp' && item.to.text === `${group.address}:${group.port}`
      ? [`${item.from.text} ${/from [ab]/.exec(item.payload.toString('latin1'))?.[0] ?? ''}`]
      : [],
  );
  t.true(seen.includes(`${HOST}:${a.id.port} from a`));
  t.true(seen.includes(`${HOST}:${b.id.port} from b`));
});

test('a group that cannot be had is an error that names it', async (t) => {
  const group = randomGroup();
  const bind = (host: string, multicast: MulticastGroup): Promise<unknown> =>
    createNodeEnvironment().bind({
      host,
      ports: [0, 0],
      udp: true,
      tcp: true,
      udpReceiveBufferBytes: 100_000,
      udpSendBufferBytes: 100_000,
      multicast,
    });
  const ipv6 = { address: 'ff0e::8:8:8', port: group.port };
  const otherKind = await t.throwsAsync(bind(HOST, ipv6), { instanceOf: LocalProtocolError });
  t.is(otherKind.code, 'ERR_MULTICAST');
  t.true(otherKind.message.includes('ff0e::8:8:8') && otherKind.message.includes(HOST));

  const noRoute = await t.throwsAsync(bind('::1', ipv6), { instanceOf: TransportError });
  if (noRoute.code === 'ENETUNREACH') {
    t.regex(noRoute.message, /ff0e::8:8:8:\d+ on interface lo \(::1\).*no route for multicast/);
  } else {
    t.log('no IPv6 here');
    t.regex(noRoute.code, /EADDRNOTAVAIL|EAFNOSUPPORT/);
  }

  const noHost = await t.throwsAsync(bind('192.0.2.77', group), { instanceOf: TransportError });
  t.true(noHost.message.includes('192.0.2.77'));

  const squatter = createSocket('udp4');
  t.teardown(() => new Promise<void>((resolve) => squatter.close(() => resolve())));
  await new Promise<void>((resolve) =>
    squatter.bind({ address: '0.0.0.0', port: group.port, exclusive: true }, resolve),
  );
  const taken = await t.throwsAsync(bind(HOST, group), { instanceOf: TransportError });
  t.is(taken.code, 'EADDRINUSE');
  t.regex(taken.message, new RegExp(`${group.address}:${group.port} on interface \\w+ \\(${HOST}\\)`));
});
