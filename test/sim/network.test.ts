import test from 'ava';

import type { PortPair, Stream } from '../../src/protocol/environment.ts';
import { VirtualClock } from './virtual-clock.ts';
import { VirtualEnvironment } from './virtual-environment.ts';
import { PERFECT, VirtualNetwork, type NetworkFaults } from './virtual-network.ts';

const silence = { debug: nothing, info: nothing, warn: nothing, error: nothing };
function nothing(): void {
  // Nothing is listened to here.
}

class Bench {
  readonly clock = new VirtualClock();
  readonly network: VirtualNetwork;
  readonly environments: VirtualEnvironment[] = [];

  constructor(faults: Partial<NetworkFaults> = {}) {
    this.network = new VirtualNetwork(this.clock, { seed: 5, faults: { ...PERFECT, ...faults } });
  }

  async bind(host: string, ports: readonly [number, number] = [7_000, 7_001]): Promise<PortPair> {
    const environment = new VirtualEnvironment(this.network, 1, silence);
    this.environments.push(environment);
    const buffers = { udpReceiveBufferBytes: 1, udpSendBufferBytes: 1 };
    return environment.bind({ ...buffers, host, ports, udp: true, tcp: true });
  }

  async run(ms: number): Promise<void> {
    await this.clock.runUntil(this.clock.nowMs + ms);
  }

  /** Hosts a and b, and an open connection between them. */
  async connected(): Promise<{ a: PortPair; b: PortPair; near: Watched; far: Watched }> {
    const [a, b] = [await this.bind('a'), await this.bind('b')];
    let far: Watched | undefined;
    b.tcp!.onConnection = (stream) => (far = new Watched(stream));
    const near = new Watched(a.tcp!.connect('b', 7_000));
    await this.run(10);
    return { a, b, near, far: far! };
  }
}

/** A stream, and what it reported. */
class Watched {
  readonly stream: Stream;
  opened = 0;
  drained = 0;
  chunks: Uint8Array[] = [];
  closes: (string | null)[] = [];

  constructor(stream: Stream) {
    this.stream = stream;
    stream.onOpen = () => this.opened++;
    stream.onDrain = () => this.drained++;
    stream.onData = (bytes) => this.chunks.push(bytes);
    stream.onClose = (error) =>
      this.closes.push(error === null ? null : (error as NodeJS.ErrnoException).code!);
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

test('clock: events in order of time, ties in order of scheduling; timers move', async (t) => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  clock.at(20, () => seen.push('c'));
  clock.at(10, () => seen.push('a'));
  clock.at(10, () => seen.push('b'));
  const timer = clock.createTimer(
    () => seen.push(`timer ${clock.nowMs}`),
    (run) => run(),
  );
  timer.set(5);
  timer.set(30);
  timer.set(15);
  const cleared = clock.createTimer(
    () => seen.push('cleared'),
    (run) => run(),
  );
  cleared.set(1);
  cleared.clear();
  await clock.runUntil(100);
  t.deepEqual(seen, ['a', 'b', 'timer 15', 'c']);
  t.is(clock.nowMs, 100);
});

test('datagrams: sender, MTU, nobody there, partition one way, changed buffers', async (t) => {
  const bench = new Bench();
  const [a, b] = [await bench.bind('a'), await bench.bind('b')];
  const got: string[] = [];
  b.udp!.onDatagram = (bytes, host, port) => got.push(`${Buffer.from(bytes).toString()} ${host}:${port}`);
  a.udp!.onDatagram = () => got.push('a got one');
  a.udp!.send(Buffer.from('one'), 'b', 7_000);
  a.udp!.send(Buffer.alloc(65_508), 'b', 7_000);
  a.udp!.send(Buffer.from('two'), 'b', 9);
  bench.network.block('a', 'b');
  a.udp!.send(Buffer.from('three'), 'b', 7_000);
  b.udp!.send(Buffer.from('four'), 'a', 7_000);
  await bench.run(10);
  t.deepEqual(got.sort(), ['a got one', 'one a:7000']);
  t.like(bench.network.counters, { tooLong: 1, unreachable: 1, lost: 1 });
  const bytes = Buffer.from('five');
  bench.network.heal();
  a.udp!.send(bytes, 'b', 7_000);
  bytes[0] = 0;
  await t.throwsAsync(bench.run(10), { message: /changed a datagram/ });
});

test('datagrams: loss, duplication and reordering come about as often as asked for', async (t) => {
  const bench = new Bench({ loss: 0.2, duplicate: 0.1, reorder: 0.1, reorderDelayMs: 20 });
  const [a, b] = [await bench.bind('a'), await bench.bind('b')];
  const got: number[] = [];
  b.udp!.onDatagram = (bytes) => got.push(Buffer.from(bytes).readUInt32BE());
  for (let index = 0; index < 5_000; index++) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(index);
    a.udp!.send(bytes, 'b', 7_000);
    await bench.run(1);
  }
  await bench.run(50);
  const distinct = [...new Set(got)];
  const late = distinct.filter((index, at) => at > 0 && index < distinct[at - 1]!);
  t.true(Math.abs(distinct.length - 4_000) < 120, `${distinct.length} arrived`);
  t.true(Math.abs(got.length - distinct.length - 400) < 80, `${got.length - distinct.length} twice`);
  t.true(late.length > 200, `${late.length} late`);
});

test('ports: both halves move on, and are free after a close or a death', async (t) => {
  const bench = new Bench();
  const first = await bench.bind('a');
  t.deepEqual([first.port, (await bench.bind('a')).port], [7_000, 7_001]);
  await t.throwsAsync(bench.bind('a'), { code: 'EADDRINUSE' });
  await first.udp!.close();
  await t.throwsAsync(bench.bind('a'), { code: 'EADDRINUSE' });
  await first.tcp!.close();
  t.is((await bench.bind('a')).port, 7_000);
  bench.environments[1]!.kill('reset');
  t.is((await bench.bind('a')).port, 7_001);
  t.true((await bench.bind('a', [0, 0])).port > 30_000);
});

test('streams: bytes in order, backpressure and drain, an orderly end of both sides', async (t) => {
  const bench = new Bench();
  const { near, far } = await bench.connected();
  t.is(near.opened, 1);
  t.is(far.stream.remoteHost, 'a');
  far.stream.write(Buffer.from('welcome'));
  const line = Array.from({ length: 20_000 }, (_, index) => `${index} `).join('');
  t.true(near.stream.write(Buffer.from('0')));
  t.false(near.stream.write(Buffer.from(line)));
  await bench.run(100);
  t.is(near.drained, 1);
  near.stream.write(Buffer.from('last'));
  near.stream.end();
  t.false(near.stream.write(Buffer.from('too late')));
  await bench.run(100);
  t.is(far.text, `0${line}last`);
  t.true(far.chunks.length > 1);
  t.is(near.text, 'welcome');
  t.deepEqual([near.closes, far.closes], [[null], [null]]);
});

test('streams: a reset loses what is under way and closes both ends, each once', async (t) => {
  const bench = new Bench();
  const { near, far } = await bench.connected();
  near.stream.write(Buffer.alloc(60_000));
  bench.network.resetStreams(1);
  await bench.run(1_000);
  t.is(far.chunks.length, 0);
  t.deepEqual([near.closes, far.closes], [['ECONNRESET'], ['ECONNRESET']]);
});

test('streams: destroy() closes later, once, with null; the other end sees an end or a reset', async (t) => {
  const bench = new Bench();
  const { near, far } = await bench.connected();
  near.stream.write(Buffer.alloc(1_000));
  near.stream.destroy();
  near.stream.destroy();
  t.deepEqual(near.closes, []);
  far.stream.write(Buffer.from('nobody hears'));
  await bench.run(100);
  t.deepEqual(near.closes, [null]);
  t.is(near.chunks.length, 0);
  t.is(far.closes.length, 1);
});

test('streams: a partition and a pause stall, nothing is lost', async (t) => {
  const bench = new Bench();
  const { near, far } = await bench.connected();
  bench.network.block('a', 'b');
  near.stream.write(Buffer.from('one'));
  await bench.run(5_000);
  t.is(far.text, '');
  bench.network.heal();
  await bench.run(100);
  t.is(far.text, 'one');
  bench.environments[1]!.pause();
  near.stream.write(Buffer.from('two'));
  await bench.run(1_000);
  t.is(far.text, 'one');
  bench.environments[1]!.resume();
  await bench.run(100);
  t.is(far.text, 'onetwo');
  t.deepEqual([near.closes, far.closes], [[], []]);
});

test('streams: refused, timed out, and the two deaths of a process', async (t) => {
  const bench = new Bench();
  const { a, near } = await bench.connected();
  const refused = new Watched(a.tcp!.connect('b', 9));
  await bench.run(10);
  t.deepEqual([refused.closes, refused.opened], [['ECONNREFUSED'], 0]);

  bench.environments[1]!.kill('silent');
  near.stream.write(Buffer.from('anybody there?'));
  const unanswered = new Watched(a.tcp!.connect('b', 7_000));
  await bench.run(10_000);
  t.deepEqual([near.closes, unanswered.closes], [[], []]);
  await bench.run(15_000);
  t.deepEqual(unanswered.closes, ['ETIMEDOUT']);

  // Somebody else on the same port: the old connection is none of his.
  const b = await bench.bind('b');
  b.tcp!.onConnection = (stream) => {
    stream.onData = nothing;
  };
  await bench.run(1_000);
  t.deepEqual(near.closes, ['ECONNRESET']);

  const last = new Watched(a.tcp!.connect('b', 7_000));
  await bench.run(10);
  bench.environments[2]!.kill('reset');
  await bench.run(1_000);
  t.deepEqual([last.opened, last.closes], [1, ['ECONNRESET']]);
});

test('datagrams to a multicast address: to all who joined, each copy with its own fate, the sender included', async (t) => {
  const bench = new Bench();
  const group = { address: '239.192.81.1', port: 10_334 };
  const heard: string[] = [];
  const join = async (host: string, joins: boolean): Promise<PortPair> => {
    const environment = new VirtualEnvironment(bench.network, 1, silence);
    bench.environments.push(environment);
    const buffers = { udpReceiveBufferBytes: 1, udpSendBufferBytes: 1 };
    const base = { ...buffers, host, ports: [7_000, 7_000] as const, udp: true, tcp: false };
    const pair = await environment.bind(joins ? { ...base, multicast: group } : base);
    t.is(pair.multicast !== undefined, joins);
    if (pair.multicast === undefined || pair.multicast === null) return pair;
    pair.multicast.onDatagram = (bytes, from, port) => {
      heard.push(`${host}: ${Buffer.from(bytes).toString()} of ${from}:${port}`);
    };
    return pair;
  };
  const a = await join('a', true);
  const b = await join('b', true);
  await join('c', true);
  await join('d', false);
  const say = async (text: string): Promise<string[]> => {
    a.udp!.send(Buffer.from(text), group.address, group.port);
    await bench.run(10);
    return heard.splice(0).sort();
  };
  t.deepEqual(await say('x'), ['a: x of a:7000', 'b: x of a:7000', 'c: x of a:7000']);
  bench.network.block('a', 'c');
  t.deepEqual(await say('y'), ['a: y of a:7000', 'b: y of a:7000']);
  await Promise.all([b.udp!.close(), b.multicast!.close()]);
  t.deepEqual(await say('z'), ['a: z of a:7000']);
  bench.network.heal();
  bench.environments[2]!.kill('reset');
  t.deepEqual(await say('w'), ['a: w of a:7000']);
});
