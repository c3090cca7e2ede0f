import test from 'ava';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { createView } from '../../../src/protocol/view.ts';
import { FakeNetwork, type LinkPlan } from './fake-network.ts';
import { installView, type Member, numbered, numbers, range, startMember, stopAll } from './members.ts';

const FAST = { tcp: { pingIntervalMs: 100, stallTimeoutMs: 400, handshakeTimeoutMs: 400 } };

async function pair(seed = 1): Promise<{ network: FakeNetwork; a: Member; b: Member }> {
  const network = new FakeNetwork(seed);
  const a = await startMember(network, 'a', FAST);
  const b = await startMember(network, 'b', FAST);
  installView(1, [a, b]);
  return { network, a, b };
}

test('exactly once and in order, both ways at once, over one connection each', async (t) => {
  const { network, a, b } = await pair();
  for (const i of range(2_000)) {
    a.messenger.send({ recipients: [b.id], payload: numbered(i, i % 300) });
    b.messenger.send({ recipients: 'all', payload: numbered(i) });
    if (i % 100 === 0) network.run(1);
  }
  t.true(a.messenger.pending > 0);
  const flushed = a.messenger.flush(5_000);
  network.run(1_000);
  t.true(await flushed);
  t.deepEqual(numbers(b), range(2_000));
  t.deepEqual(numbers(a), range(2_000));
  t.is(network.connections, 2);
  const { totals, stacks } = a.messenger.stats();
  t.deepEqual(totals, { accepted: 2_000, delivered: 2_000, memberLeft: 0, closed: 0, pending: 0 });
  t.true((stacks.tcp?.counters['acksSent'] ?? 0) < 200, 'one ack serves many messages');
  t.is(stacks.tcp?.counters['retransmissions'], 0);
});

test('frames of a turn go out in one write', async (t) => {
  const { network, a, b } = await pair();
  a.messenger.send({ recipients: [b.id], payload: numbered(0) });
  network.run(10);
  let writes = 0;
  const [stream] = a.listener.streams;
  if (stream === undefined) return t.fail();
  const write = stream.write.bind(stream);
  stream.write = (bytes) => {
    writes++;
    return write(bytes);
  };
  for (const i of range(100)) a.messenger.send({ recipients: [b.id], payload: numbered(i, 50) });
  network.run(3);
  t.true(writes <= 6, `${writes} writes`); // the first few find out how large a batch gets
  t.is(b.got.length, 101);
});

/** Sends a mix of sizes while every connection is treated as planned, then lets it heal. */
async function exchange(plan: (index: number) => LinkPlan, faultyConnections: number, seed = 1) {
  const { network, a, b } = await pair(seed);
  network.plan = (index) => (index < faultyConnections ? plan(index) : {});
  const sizes = [4, 40, 700, 4, 150_000, 9, 20_000, 4];
  for (const i of range(40)) {
    a.messenger.send({ recipients: [b.id], payload: numbered(i, sizes[i % sizes.length]) });
    network.run(5);
  }
  network.run(30_000);
  const counters = a.messenger.stats().stacks.tcp?.counters ?? {};
  return { network, a, b, counters, totals: a.messenger.stats().totals };
}

const ALL_DELIVERED = { accepted: 40, delivered: 40, memberLeft: 0, closed: 0, pending: 0 };

test('connections cut at every byte offset of the handshake and the first messages', async (t) => {
  let lost = 0;
  for (let offset = 1; offset <= 420; offset++) {
    const { b, totals, counters } = await exchange(() => ({ cutForwardAt: offset }), 3);
    t.deepEqual(numbers(b), range(40), `forward at ${offset}`);
    t.deepEqual(totals, ALL_DELIVERED, `forward at ${offset}`);
    lost += counters['connectionsLost'] ?? 0;
  }
  for (let offset = 1; offset <= 130; offset++) {
    const { b, totals, counters } = await exchange(() => ({ cutBackwardAt: offset }), 3);
    t.deepEqual(numbers(b), range(40), `backward at ${offset}`);
    t.deepEqual(totals, ALL_DELIVERED, `backward at ${offset}`);
    lost += counters['connectionsLost'] ?? 0;
  }
  t.true(lost > 1_000, `${lost} connections were lost`);
});

test('connections cut, stalled, refused and chunked at random places', async (t) => {
  const rng = seededRng(77);
  const sum = { retransmissions: 0, stalls: 0, duplicates: 0 };
  for (let round = 0; round < 150; round++) {
    const plan = (): LinkPlan => {
      const offset = below(rng, [500, 5_000, 600_000][below(rng, 3)] as number);
      const kinds: LinkPlan[] = [
        { cutForwardAt: offset },
        { cutBackwardAt: 100 + below(rng, 100) },
        { stallForwardAt: offset },
        { stallBackwardAt: below(rng, 200) },
        { refuse: true },
        { cutForwardAt: offset, chunkBytes: 1 + below(rng, 5_000), bufferBytes: 1_000 },
      ];
      return kinds[below(rng, kinds.length)] as LinkPlan;
    };
    const { b, totals, counters } = await exchange(plan, 6, round + 1);
    t.deepEqual(numbers(b), range(40), `round ${round}`);
    t.deepEqual(totals, ALL_DELIVERED, `round ${round}`);
    sum.retransmissions += counters['retransmissions'] ?? 0;
    sum.stalls += counters['stalls'] ?? 0;
  }
  t.true(sum.retransmissions > 100 && sum.stalls > 20, JSON.stringify(sum));
});

test('byte by byte', async (t) => {
  const { network, a, b } = await pair();
  network.plan = () => ({ chunkBytes: 1 });
  for (const i of range(50)) a.messenger.send({ recipients: [b.id], payload: numbered(i, 100) });
  network.run(2_000);
  t.deepEqual(numbers(b), range(50));
});

test('a peer that accepts and says nothing: handshake timeout, backoff, delivered once it is well', async (t) => {
  const { network, a, b } = await pair();
  network.plan = (index) => (index < 3 ? { stallForwardAt: 0 } : {});
  a.messenger.send({ recipients: [b.id], payload: numbered(0) });
  network.run(900);
  t.deepEqual(numbers(b), []);
  t.is(a.messenger.pending, 1);
  network.run(3_000);
  t.deepEqual(numbers(b), [0]);
  t.regex(network.lines.join('\n'), /no connection to b\(127.0.0.1:\d+\): no WELCOME within 400 ms/);
});

test('half-open: the peer vanished silently after the handshake; nothing is lost, nothing repeated', async (t) => {
  const { network, a, b } = await pair();
  a.messenger.send({ recipients: [b.id], payload: numbered(0) });
  network.run(50);
  // what is acknowledged no more, and then what is not even received
  for (const stream of b.listener.streams) stream.write = () => true;
  a.messenger.send({ recipients: [b.id], payload: numbered(1) });
  network.run(2_000);
  t.deepEqual(numbers(b), [0, 1]);
  t.is(a.messenger.pending, 0);
  t.is(a.messenger.stats().stacks.tcp?.counters['stalls'], 1);
  t.is(a.messenger.stats().stacks.tcp?.counters['retransmissions'], 0, 'WELCOME told what had arrived');
});

test('a receiver whose sender vanished closes the connection in the end', async (t) => {
  const { network, a, b } = await pair();
  a.messenger.send({ recipients: [b.id], payload: numbered(0) });
  network.run(50);
  a.listener.crash(true);
  network.listeners.delete(b.listener.address); // nor does it come back
  t.is(b.messenger.stats().stacks.tcp?.counters['connections'], 1);
  network.run(16_000);
  t.is(b.messenger.stats().stacks.tcp?.counters['connections'], 0);
});

test('large, empty-bodied and unordered messages', async (t) => {
  const { network, a, b } = await pair();
  const sizes = [4, 65_535, 65_536, 65_537, 200_000, 3_000_000, 16 * 1024 * 1024 - 1_000];
  const recipients = [b.id];
  for (const [i, size] of sizes.entries()) {
    a.messenger.send({ recipients, payload: numbered(i, size), ordered: i % 2 === 0 });
    network.run(1_000);
  }
  t.deepEqual(
    b.got.map(({ length }) => length),
    sizes,
  );
  t.throws(() => a.messenger.send({ recipients, payload: new Uint8Array(64 * 1024 * 1024 + 1) }), {
    code: 'ERR_TOO_LARGE',
  });
  const before = b.messenger.stats().received;
  a.messenger.send({ recipients, payload: new Uint8Array(0) });
  network.run(100);
  t.is(b.messenger.stats().received, before + 1);
});

test('unordered and high-priority messages arrive exactly once over broken connections', async (t) => {
  const { network, a, b } = await pair();
  network.plan = (index) => (index < 10 ? { cutForwardAt: 300 + 3_000 * index } : {});
  for (const i of range(300)) {
    a.messenger.send({
      recipients: [b.id],
      payload: numbered(i, i % 50 === 0 ? 100_000 : 100),
      ordered: i % 3 !== 0,
      highPriority: i % 7 === 0,
    });
    if (i % 10 === 0) network.run(5);
  }
  network.run(10_000);
  t.deepEqual(
    numbers(b).sort((x, y) => x - y),
    range(300),
  );
  const ordered = numbers(b).filter((i) => i % 3 !== 0 && i % 7 !== 0);
  t.deepEqual(
    ordered,
    ordered.toSorted((x, y) => x - y),
  );
});

test('unreliable: opens the connection, at most once, not counted, dropped rather than late', async (t) => {
  const { network, a, b } = await pair();
  t.deepEqual(a.messenger.sendUnreliably({ recipients: [b.id], payload: numbered(1) }), {
    notInView: [],
    refused: [],
    writable: true,
  });
  network.run(100);
  t.deepEqual(numbers(b), [1]);
  t.is(a.messenger.stats().totals.accepted, 0);
  t.throws(() => a.messenger.sendUnreliably({ recipients: [b.id], payload: new Uint8Array(1024 * 1024) }), {
    code: 'ERR_TOO_LARGE',
  });
  b.listener.crash();
  for (const i of range(10)) {
    a.messenger.sendUnreliably({ recipients: [b.id], payload: numbered(2 + i) });
    network.run(400);
  }
  network.listeners.set(b.listener.address, b.listener);
  network.run(5_000);
  const late = numbers(b).filter((i) => i > 1);
  t.true(late.length < 5, late.join());
  const counters = a.messenger.stats().stacks.tcp?.counters;
  t.is((counters?.['unreliableDropped'] ?? 0) + late.length, 10);
});

test('to oneself: delivered in the next turn, counted; unreliably, not counted', async (t) => {
  const { network, a } = await pair();
  a.messenger.send({ recipients: [a.id], payload: numbered(5) });
  a.messenger.sendUnreliably({ recipients: [a.id], payload: numbered(6) });
  t.deepEqual(numbers(a), []);
  network.run(1);
  t.deepEqual(numbers(a), [5, 6]);
  t.deepEqual(a.messenger.stats().totals, {
    accepted: 1,
    delivered: 1,
    memberLeft: 0,
    closed: 0,
    pending: 0,
  });
});

test('backpressure: past the marks the caller is told; one stuck recipient holds up no other', async (t) => {
  const network = new FakeNetwork();
  const limits = { highWaterBytes: 10_000, hardLimitBytes: 20_000 };
  const a = await startMember(network, 'a', limits);
  const b = await startMember(network, 'b');
  const c = await startMember(network, 'c');
  installView(1, [a, b, c]);
  network.plan = () => ({ bufferBytes: 2_000 });
  const writable: string[] = [];
  a.messenger.setWritableHandler((recipient) => {
    writable.push(recipient.name);
    throw new Error('a handler that fails');
  });
  for (const member of [b, c]) a.messenger.send({ recipients: [member.id], payload: numbered(0) });
  network.run(20);
  for (const stream of b.listener.streams) stream.paused = true;

  const results = range(30).map((i) =>
    a.messenger.send({ recipients: 'all', payload: numbered(i + 1, 936) }),
  );
  const refused = results.filter((result) => result.refused.length > 0);
  t.true(results[5]?.writable);
  t.false(results[15]?.writable);
  t.is(refused.length, 10 /* 20 of 1000 bytes fit */);
  t.deepEqual(
    refused[0]?.refused.map(({ name }) => name),
    ['b', 'c'],
  );
  network.run(100);
  t.deepEqual(numbers(c), range(21));
  t.deepEqual(writable, ['c']);
  t.true(b.got.length <= 1);
  t.is(a.messenger.stats().peers.find(({ member }) => member.name === 'b')?.pendingBytes, 20_000);

  for (const stream of b.listener.streams) stream.resume();
  network.run(500);
  t.deepEqual(numbers(b), range(21));
  t.deepEqual(writable, ['c', 'b']);
  t.is(a.messenger.pending, 0);
});

test('handlers may send, install views and stop from within', async (t) => {
  const { network, a, b } = await pair();
  const echoed: number[] = [];
  b.messenger.addHandler('never', () => undefined);
  b.messenger.setDefaultHandler(({ sender, payload }) => {
    b.messenger.send({ recipients: [sender], payload: Uint8Array.from(payload) });
  });
  a.messenger.setDefaultHandler(({ payload }) => {
    const number = Buffer.from(payload).readUInt32BE(0);
    echoed.push(number);
    if (number === 2) a.messenger.installView(createView(2, [a.id, b.id]));
    if (number === 5) void a.messenger.stop();
  });
  for (const i of range(10)) a.messenger.send({ recipients: [b.id], payload: numbered(i) });
  network.run(1_000);
  t.deepEqual(echoed, range(6));
  await a.messenger.stop();
  const { totals, viewId } = a.messenger.stats();
  t.is(viewId, 2);
  t.is(totals.delivered + totals.closed, 10);
  // what was handed to the handler that stopped counts as delivered on the other side
  t.true(b.messenger.stats().totals.delivered >= 6);
});

test('stop: acks and goodbye get out, what is pending ends as closed, the port is free, twice is once', async (t) => {
  const { network, a, b } = await pair();
  a.messenger.send({ recipients: [b.id], payload: numbered(0) });
  network.run(4); // received, but its ack still waits
  t.deepEqual(numbers(b), [0]);
  t.is(a.messenger.pending, 1);
  const stopping = b.messenger.stop();
  network.run(10);
  t.is(a.messenger.stats().totals.delivered, 1);
  network.run(1_000);
  await stopping;
  await b.messenger.stop();
  t.true(b.listener.closed);
  t.throws(() => b.messenger.send({ recipients: 'all', payload: numbered(0) }), { code: 'ERR_CLOSED' });

  a.messenger.send({ recipients: [b.id], payload: numbered(1) });
  network.run(100);
  await stopAll(network, [a]);
  t.deepEqual(a.messenger.stats().totals, {
    accepted: 2,
    delivered: 1,
    memberLeft: 0,
    closed: 1,
    pending: 0,
  });
  t.is(a.messenger.stats().stacks.tcp?.counters['connections'], 0);
});

test('life cycle: not started, stopped before the port was bound, names that the wire cannot carry', async (t) => {
  const network = new FakeNetwork();
  const { messenger } = await startMember(network, 'a');
  await stopAll(network, [{ messenger } as Member]);
  const environment = network.environment();
  const options = {
    environment,
    cluster: 'c',
    host: '127.0.0.1',
    ports: [0, 0] as const,
    member: { version: 1 },
  };
  const { TcpMessenger } = await import('../../../src/tcp/tcp-messenger.ts');
  const idle = new TcpMessenger(options);
  t.throws(() => idle.memberId, { code: 'ERR_NOT_STARTED' });
  t.throws(() => idle.send({ recipients: 'all', payload: new Uint8Array(1) }), { code: 'ERR_NOT_STARTED' });
  const starting = idle.start();
  await idle.stop();
  await t.throwsAsync(starting, { code: 'ERR_CLOSED' });
  t.is(network.listeners.size, 0);
  t.throws(() => new TcpMessenger({ ...options, cluster: 'x'.repeat(5_000) }), { code: 'ERR_OPTIONS' });
  t.throws(() => new TcpMessenger({ ...options, member: { version: 1, weight: 2 ** 40 } }), {
    code: 'ERR_OPTIONS',
  });
});
