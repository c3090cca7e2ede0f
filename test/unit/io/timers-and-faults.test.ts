import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import test from 'ava';

import { FaultyDatagramSocket, type FaultOptions } from '../../../src/io/faulty-datagram-socket.ts';
import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import type { DatagramSocket, Environment } from '../../../src/protocol/environment.ts';
import { LocalProtocolError } from '../../../src/protocol/errors.ts';

/** A socket that notes what is sent, and a clock that is moved by hand. */
function bench(options: FaultOptions): {
  socket: FaultyDatagramSocket;
  inner: DatagramSocket;
  sent: number[];
  advance: (ms: number) => void;
} {
  const sent: number[] = [];
  const inner: DatagramSocket = {
    onDatagram: () => undefined,
    send: (bytes) => sent.push(Buffer.from(bytes).readUInt32BE()),
    close: () => Promise.resolve(),
  };
  let nowMs = 0;
  let deadline = Infinity;
  let fire = (): void => undefined;
  const environment: Environment = {
    ...createNodeEnvironment({ seed: 1 }),
    nowMs: () => nowMs,
    createTimer: (callback) => {
      fire = callback;
      return { set: (at) => (deadline = at), clear: () => (deadline = Infinity) };
    },
  };
  const advance = (ms: number): void => {
    const end = nowMs + ms;
    while (deadline <= end) {
      nowMs = deadline;
      deadline = Infinity;
      fire();
    }
    nowMs = end;
  };
  return { socket: new FaultyDatagramSocket(inner, environment, options), inner, sent, advance };
}

function numbered(index: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(index);
  return bytes;
}

test('faults: the given shares are lost, repeated and reordered; nothing is held back for longer than 30 ms', (t) => {
  const { socket, sent, advance } = bench({ loss: 0.1, duplicate: 0.2, reorder: 0.3, seed: 7 });
  for (let index = 0; index < 10_000; index++) {
    socket.send(numbered(index), '127.0.0.1', 1);
    advance(0.1);
  }
  advance(30);
  const distinct = new Set(sent).size;
  t.true(Math.abs(distinct - 9_000) < 150, `${distinct} of 10000 arrived`);
  t.true(Math.abs(sent.length - distinct - 1_800) < 200, `${sent.length - distinct} came twice`);
  const firsts = [...new Set(sent)];
  const late = firsts.filter((index, at) => at > 0 && index < firsts[at - 1]!).length;
  t.true(late > 1_000, `${late} came late`);
  t.deepEqual(socket.counters.lost, 10_000 - distinct);
});

test('faults: both directions, and the same seed does the same', (t) => {
  const run = (seed: number): number[] => {
    const { socket, inner, advance } = bench({ loss: 0.5, seed });
    const received: number[] = [];
    socket.onDatagram = (bytes) => received.push(Buffer.from(bytes).readUInt32BE());
    for (let index = 0; index < 100; index++) inner.onDatagram(numbered(index), '127.0.0.1', 1);
    advance(100);
    return received;
  };
  t.deepEqual(run(5), run(5));
  t.notDeepEqual(run(5), run(6));
  t.true(run(5).length > 30 && run(5).length < 70);
});

test('faults: a closed socket delivers nothing more; a probability must be one', async (t) => {
  const { socket, sent, advance } = bench({ reorder: 1, seed: 1 });
  socket.send(numbered(1), '127.0.0.1', 1);
  await socket.close();
  advance(100);
  t.deepEqual(sent, []);
  for (const loss of [-0.1, 1.1, NaN]) t.throws(() => bench({ loss }), { instanceOf: LocalProtocolError });
});

test('timer: fires at or after the deadline that was set last, and not once cleared', async (t) => {
  const environment = createNodeEnvironment({ seed: 1 });
  const start = environment.nowMs();
  const firedAfter = await new Promise<number>((resolve) => {
    const cleared = environment.createTimer(() => t.fail('was cleared'));
    cleared.set(start + 1);
    cleared.clear();
    const timer = environment.createTimer(() => resolve(environment.nowMs() - start));
    timer.set(start + 5_000_000_000_000);
    timer.set(start + 2);
    for (let ms = 2; ms <= 20; ms++) timer.set(start + ms);
  });
  t.true(firedAfter >= 20, `${firedAfter} ms`);
  const again = await new Promise<number>((resolve) => {
    const timer = environment.createTimer(() => resolve(environment.nowMs()));
    timer.set(0);
  });
  t.true(again >= start + 20);
});

test('randomness: a seed replays, none does not', (t) => {
  const draw = (seed?: number): number[] => {
    const { rng } = createNodeEnvironment(seed === undefined ? {} : { seed });
    return Array.from({ length: 600 }, () => rng.next());
  };
  t.deepEqual(draw(3), draw(3));
  t.notDeepEqual(draw(), draw());
  t.true(draw().every((value) => value >= 0 && value < 1));
});

test('a timer that is late since the process was held up fires once what came meanwhile is read', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [Socket],
    unknown,
  ];
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  const environment = createNodeEnvironment();
  const order: string[] = [];
  peer.on('data', () => order.push('data'));
  await new Promise<void>((resolve) => {
    const timer = environment.createTimer(() => {
      order.push('timer');
      resolve();
    });
    const startMs = environment.nowMs();
    timer.set(startMs + 10);
    client.write('x');
    while (environment.nowMs() < startMs + 300);
  });
  t.deepEqual(order, ['data', 'timer']);
});
