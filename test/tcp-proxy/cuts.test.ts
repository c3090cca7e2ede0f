import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import test from 'ava';

import { seededRng } from '../../src/protocol/rng.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { Ledger } from './ledger.ts';
import { IMPATIENT } from './members.ts';
import { mutualTls } from '../tls/mutual-tls.ts';
import { createPlans, type CutKind, type CutPlan, DENSE_BYTES } from './plans.ts';
import { runCuts } from './run-cuts.ts';

test('the ledger sees what is lost, repeated and out of order', (t) => {
  const ledger = new Ledger('x', true);
  for (let i = 0; i < 6; i++) ledger.accept();
  for (const number of [1, 2, 4, 4, 5]) ledger.deliver(number);
  ledger.close();
  t.deepEqual(ledger.breaches, [
    'x: message 4 out of order, after 2',
    'x: message 4 repeated, after 4',
    'x: message 4 out of order, after 4',
    'x: message 3 lost, after 5',
    'x: message 6 lost, after 5',
  ]);
  const unordered = new Ledger('y', false);
  for (let i = 0; i < 3; i++) unordered.accept();
  for (const number of [3, 1, 2]) unordered.deliver(number);
  unordered.close();
  t.deepEqual(unordered.breaches, []);
});

test('the plans reach every offset of the first 4 KiB of each direction, and later ones', (t) => {
  const plans = createPlans(10_000, seededRng(3));
  for (const direction of ['forward', 'backward'] as const) {
    const offsets = plans.filter((plan) => plan.direction === direction).map(({ offset }) => offset);
    t.is(new Set(offsets.filter((offset) => offset < DENSE_BYTES)).size, DENSE_BYTES);
    t.true(offsets.some((offset) => offset >= DENSE_BYTES));
  }
  t.is(new Set(plans.map(({ kind }) => kind)).size, 9);
});

/** What arrives of 1,000 bytes if the connection is cut that way, and how it ends for both sides. */
async function cut(kind: CutKind, direction: CutPlan['direction'], offset: number): Promise<number[]> {
  const plan: CutPlan = { kind, direction, offset, holdMs: 20, extraBytes: 7 };
  let cuts = 0;
  const proxy = await CuttingProxy.listen({
    nextPlan: () => plan,
    handleCut: () => cuts++,
    handleUnused: () => undefined,
    handleConnection: () => undefined,
  });
  const isForward = direction === 'forward';
  let arrived = 0;
  const speak = (socket: Socket, speaks: boolean): Promise<unknown> => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => (arrived += bytes.length));
    if (speaks) socket.write(Buffer.alloc(1_000, 'x'));
    return once(socket, 'close').catch(() => undefined);
  };
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.targetPort = (server.address() as AddressInfo).port;
  const accepted = new Promise<unknown>((resolve) => {
    server.once('connection', (socket) => void speak(socket, !isForward).then(resolve));
  });
  const near = speak(connect(proxy.port, '127.0.0.1'), isForward);
  await near;
  // a connection that is reset before its first byte may not even reach the other side
  if (offset > 0) await accepted;
  await proxy.close();
  server.close();
  return [arrived, cuts];
}

for (const kind of ['reset', 'end', 'truncate', 'stall', 'freeze', 'drip'] as const) {
  test(`${kind}: exactly the bytes before the cut pass`, async (t) => {
    for (const direction of ['forward', 'backward'] as const) {
      for (const offset of [1, 39, 40, 41, 500, 999]) {
        t.deepEqual(await cut(kind, direction, offset), [offset, 1], `${direction} at ${offset}`);
      }
    }
  });
}

test('delay: some more bytes pass after the pause', async (t) => {
  t.deepEqual(await cut('delay', 'forward', 100), [107, 1]);
});

test('half-open and half-closed: both ends are told in the end', async (t) => {
  t.deepEqual(await cut('half-open', 'forward', 100), [100, 1]);
  t.deepEqual(await cut('half-closed', 'backward', 100), [100, 1]);
});

for (const [name, tls] of [
  ['plaintext', {}],
  ['TLS', { tls: mutualTls() }],
] as const) {
  test(`${name}, connections cut under load both ways: no message lost, repeated or out of order`, async (t) => {
    const rng = seededRng(11);
    const plans = createPlans(150, rng);
    const result = await runCuts({ plans, rng, pairs: 6, timeoutMs: 60_000, timings: IMPATIENT, ...tls });
    t.deepEqual(result.wrong, []);
    t.is(result.cuts, 150);
    t.true(result.retransmissions > 100, 'nothing was under way when connections were cut');
    t.true(result.stalls > 0, 'nobody noticed that a connection hangs');
    t.is(result.tlsHandshakes > 0, name === 'TLS');
  });
}
