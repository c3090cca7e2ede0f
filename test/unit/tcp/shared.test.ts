import test from 'ava';
import type { Environment } from '../../../src/protocol/environment.ts';
import { FlushWaiters } from '../../../src/protocol/flush-waiters.ts';
import { HandlerTable } from '../../../src/protocol/handlers.ts';
import { createMemberId } from '../../../src/protocol/member-id.ts';
import type { IncomingMessage } from '../../../src/protocol/messenger.ts';
import { createOwnId, queueLimits } from '../../../src/protocol/messenger-options.ts';
import { OutcomeLedger } from '../../../src/protocol/outcomes.ts';
import { SelfDelivery } from '../../../src/protocol/self-delivery.ts';
import { seededRng } from '../../../src/protocol/rng.ts';

const peer = (digit: string) => createMemberId({ host: '127.0.0.1', port: 1, uuid: digit.repeat(32) });

/** A clock that stands still and timers that run when `fire` is called. */
function stillEnvironment() {
  const lines: string[] = [];
  const armed = new Map<() => void, number>();
  const log = (line: string): void => void lines.push(line);
  const environment: Environment = {
    nowMs: () => 0,
    createTimer: (callback) => ({
      set: (deadlineMs) => void armed.set(callback, deadlineMs),
      clear: () => void armed.delete(callback),
    }),
    rng: seededRng(1),
    logger: { debug: log, info: log, warn: log, error: log },
    bind: () => Promise.reject(new Error('no sockets here')),
  };
  const fire = (): void => {
    const due = [...armed.keys()];
    armed.clear();
    for (const callback of due) callback();
  };
  return { environment, lines, armed, fire };
}

test('handlers: by type, then default, a second one is refused', (t) => {
  const { environment, lines } = stillEnvironment();
  const table = new HandlerTable(environment, (payload) => payload[0] ?? null);
  const seen: string[] = [];
  table.add(1, (message) => void seen.push(`one ${String(message.type)}`));
  t.throws(() => table.add(1, () => undefined), { code: 'ERR_HANDLER' });
  table.dispatch(peer('a'), Uint8Array.of(1), 'tcp', true);
  table.dispatch(peer('a'), Uint8Array.of(2), 'tcp', true);
  t.is(table.unhandled, 1);
  t.regex(lines.join(), /no handler for a message of type 2 from 127.0.0.1:1/);
  table.dispatch(peer('b'), new Uint8Array(0), 'tcp', true);
  t.regex(lines.join(), /no handler for a message without a type from 127.0.0.1:1/);
  table.setDefault((message: IncomingMessage) => void seen.push(`default ${String(message.type)}`));
  table.dispatch(peer('a'), Uint8Array.of(2), 'tcp', true);
  table.dispatch(peer('a'), new Uint8Array(0), 'udp', true);
  t.deepEqual(seen, ['one 1', 'default 2', 'default null']);
});

test('handlers: what throws or rejects is counted, logged once, and kills nothing', async (t) => {
  const { environment, lines } = stillEnvironment();
  const table = new HandlerTable(environment, (payload) => {
    if (payload.length === 0) throw new Error('typeOf broke');
    return payload[0] ?? null;
  });
  table.add(1, () => {
    throw new Error('sync');
  });
  table.add(2, () => Promise.reject(new Error('async')));
  table.dispatch(peer('a'), Uint8Array.of(1), 'tcp', true);
  table.dispatch(peer('a'), Uint8Array.of(1), 'tcp', true);
  table.dispatch(peer('a'), Uint8Array.of(2), 'tcp', true);
  table.dispatch(peer('a'), new Uint8Array(0), 'tcp', true);
  await Promise.resolve();
  t.is(table.failed, 4);
  t.is(lines.length, 4); // one a type, and one for the message without a handler
});

test('outcomes add up, also over departed peers; flush waits for the last', async (t) => {
  const { environment, fire, armed } = stillEnvironment();
  const ledger = new OutcomeLedger();
  const flushes = new FlushWaiters(environment, ledger);
  t.true(await flushes.wait(10));
  for (const digit of ['a', 'b', 'c']) for (let i = 0; i < 4; i++) ledger.of(peer(digit)).accept();
  ledger.of(peer('a')).received = 7;
  const late = flushes.wait(10);
  fire();
  t.false(await late);
  const flushed = flushes.wait(10);
  ledger.of(peer('a')).deliver(3);
  ledger.depart('a'.repeat(32));
  ledger.depart('f'.repeat(32));
  t.deepEqual(ledger.totals(), { accepted: 12, delivered: 3, memberLeft: 1, closed: 0, pending: 8 });
  ledger.of(peer('b')).deliver(4);
  t.throws(() => ledger.of(peer('b')).deliver(1), { name: 'InvariantError' });
  ledger.closeAll();
  t.true(await flushed);
  t.is(armed.size, 0);
  t.deepEqual(ledger.totals(), { accepted: 12, delivered: 7, memberLeft: 1, closed: 4, pending: 0 });
  t.is(ledger.received(), 7);
});

test('self delivery: next turn, one turn a batch, stop forgets the rest', (t) => {
  const { environment, fire } = stillEnvironment();
  const seen: number[] = [];
  const self: SelfDelivery = new SelfDelivery(environment, (payload) => {
    seen.push(payload[0] ?? -1);
    if (payload[0] === 1) self.send(Uint8Array.of(3));
    if (payload[0] === 4) self.stop();
  });
  self.send(Uint8Array.of(1));
  self.send(Uint8Array.of(2));
  t.deepEqual(seen, []);
  fire();
  t.deepEqual(seen, [1, 2]);
  t.is(self.pendingBytes, 1);
  fire();
  self.send(Uint8Array.of(4));
  self.send(Uint8Array.of(5));
  fire();
  fire();
  t.deepEqual(seen, [1, 2, 3, 4]);
});

test('options: own id from the rng or as given; limits are checked', (t) => {
  const { environment } = stillEnvironment();
  const options = {
    environment,
    cluster: 'c',
    host: '127.0.0.1',
    ports: [0, 0] as const,
    member: { version: 1, name: 'n' },
  };
  const id = createOwnId(options, 5);
  t.regex(id.uuid, /^[0-9a-f]{32}$/);
  t.not(createOwnId(options, 5).uuid, id.uuid);
  t.is(createOwnId({ ...options, member: { version: 1, uuid: 'A'.repeat(32) } }, 5).uuid, 'a'.repeat(32));
  t.throws(() => queueLimits({ ...options, highWaterBytes: 0 }), { code: 'ERR_OPTIONS' });
  t.throws(() => queueLimits({ ...options, highWaterBytes: 2, hardLimitBytes: 1 }), { code: 'ERR_OPTIONS' });
  t.is(queueLimits({ ...options, highWaterBytes: 1e9 }).hardLimitBytes, 1e9);
});
