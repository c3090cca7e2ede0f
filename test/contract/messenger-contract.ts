import test from 'ava';

import { LocalProtocolError, TransportError } from '../../src/protocol/errors.ts';
import type { OutgoingMessage } from '../../src/protocol/messenger.ts';
import { seededRng } from '../../src/protocol/rng.ts';
import {
  ContractBench,
  PORT,
  text,
  texts,
  to,
  type BenchMember,
  type ContractSubject,
  type Define,
  type Part,
} from './contract-bench.ts';
import { defineBackpressure, defineDelivery, defineOutcomes } from './delivery-contract.ts';

/** Everything that DESIGN.md section 2 and messenger.ts promise, tried with one implementation of it. */
export function messengerContract(subject: ContractSubject): void {
  const define: Define = (title, run) => {
    test(`${subject.name}: ${title}`, run);
  };
  const parts = [
    defineLifecycle,
    defineViews,
    defineHandlers,
    defineDelivery,
    defineBackpressure,
    defineOutcomes,
  ];
  for (const part of parts) part(define, () => new ContractBench(subject), subject);
}

const defineLifecycle: Part = (define, createBench) => {
  define('start resolves to the own id, also twice', async (t) => {
    const bench = createBench();
    const { messenger, id } = await bench.start();
    t.like(id, { host: '10.0.0.1', port: PORT, name: 'm1' });
    t.regex(id.uuid, /^[0-9a-f]{32}$/);
    t.is(messenger.memberId.uuid, id.uuid);
    t.is((await bench.clock.run(messenger.start(), 'start()')).uuid, id.uuid);
    t.not((await bench.start()).id.uuid, id.uuid);
  });

  define('before the start nothing goes', (t) => {
    const { messenger } = createBench().create();
    const message: OutgoingMessage = { recipients: 'all', payload: text('x') };
    for (const use of [
      () => messenger.memberId,
      () => messenger.send(message),
      () => messenger.sendUnreliably(message),
    ]) {
      const error = t.throws(use, { instanceOf: LocalProtocolError });
      t.is(error.code, 'ERR_NOT_STARTED');
    }
  });

  define('a port that is taken fails the start', async (t) => {
    const bench = createBench();
    await bench.start('10.0.0.9');
    const second = bench.create('10.0.0.9').messenger;
    const error = await t.throwsAsync(bench.clock.run(second.start(), 'start()'), {
      instanceOf: TransportError,
    });
    t.is(error.code, 'EADDRINUSE');
  });

  define('stop is idempotent, needs no start, frees the port, and ends sending', async (t) => {
    const bench = createBench();
    await bench.clock.run(bench.create().messenger.stop(), 'stop()');
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    await bench.stop(a);
    await bench.stop(a);
    const error = t.throws(() => a.messenger.send(to(b, text('x'))), { instanceOf: LocalProtocolError });
    t.is(error.code, 'ERR_CLOSED');
    t.is((await bench.start(a.id.host)).id.port, PORT);
  });

  define('rubbish on either port harms nobody', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    const stranger = await bench.strangerOn('10.9.9.9');
    const rng = seededRng(9);
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(Array.from({ length: rng.next() * 80 }, () => rng.next() * 256));
      stranger.udp!.send(bytes, a.id.host, PORT);
      stranger.tcp!.connect(a.id.host, PORT).write(bytes);
    }
    await bench.run(20_000);
    b.messenger.send(to(a, text('still there')));
    t.true(await bench.until(() => a.received.length > 0));
    t.deepEqual(texts(a), ['still there']);
  });
};

const defineViews: Part = (define, createBench) => {
  define('who is not in the view is named, and nothing is accepted for him', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    const c = await bench.start();
    const both = { recipients: [c.id, b.id], payload: text('x') };
    t.like(a.messenger.send(both), { notInView: [c.id], refused: [], writable: true });
    t.like(a.messenger.sendUnreliably(both), { notInView: [c.id] });
    t.is(a.messenger.stats().totals.accepted, 1);
    t.like(c.messenger.send(to(a, text('no view yet'))), { notInView: [a.id] });
    t.deepEqual(c.messenger.send({ recipients: 'all', payload: text('x') }).notInView, []);
    await bench.run(1_000);
    t.deepEqual([a.received.length, c.received.length], [0, 0]);
    t.is(c.messenger.stats().totals.accepted, 0);
  });

  define('a view without oneself is refused, one that is not newer is ignored', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    const stale = bench.nextView([a]);
    bench.installView([a, b]);
    const without = bench.nextView([b]);
    const error = t.throws(() => a.messenger.installView(without), { instanceOf: LocalProtocolError });
    t.is(error.code, 'ERR_VIEW');
    a.messenger.installView(stale);
    t.is(a.messenger.stats().viewId, 3);
    t.deepEqual(a.messenger.send(to(b, text('x'))).notInView, []);
  });

  define('what is sent before the recipient has its view arrives', async (t) => {
    const bench = createBench();
    const [a, b] = [await bench.start(), await bench.start()];
    const view = bench.nextView([a, b]);
    a.messenger.installView(view);
    for (let index = 0; index < 10; index++) a.messenger.send(to(b, text(`${index}`)));
    await bench.run(3_000);
    b.messenger.installView(view);
    t.true(await bench.until(() => b.received.length === 10 && a.messenger.stats().totals.pending === 0));
    t.is(texts(b).join(''), '0123456789');
  });

  define('a message says whether a view names its sender', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    const c = await bench.start();
    a.messenger.send(to(b, text('of the view')));
    t.true(await bench.until(() => b.received.length === 1));
    t.like(b.received[0], { inView: true });
    const view = bench.nextView([a, b, c]);
    c.messenger.installView(view);
    c.messenger.send(to(b, text('early')));
    await bench.run(2_000);
    t.true(b.received.slice(1).every(({ sender, inView }) => sender.uuid === c.id.uuid && !inView));
    for (const { messenger } of [a, b]) messenger.installView(view);
    c.messenger.send(to(b, text('late')));
    t.true(await bench.until(() => texts(b).includes('late')));
    t.like(b.received.at(-1), { inView: true });
  });

  define('another member on the same port gets nothing that was meant for the one before', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    a.messenger.send(to(b, text('first')));
    t.true(await bench.until(() => a.messenger.stats().totals.delivered === 1));
    await bench.stop(b);
    for (let index = 0; index < 5; index++) a.messenger.send(to(b, text('for b')));
    const next = await bench.start(b.id.host);
    await bench.run(3_000);
    bench.installView([a, next]);
    a.messenger.send(to(next, text('for the next')));
    next.messenger.send(to(a, text('hello')));
    t.true(await bench.until(() => next.received.length > 0 && a.received.length > 0));
    await bench.run(5_000);
    t.deepEqual(texts(next), ['for the next']);
    t.deepEqual(texts(a), ['hello']);
    t.like(a.messenger.stats().totals, { accepted: 7, delivered: 2, memberLeft: 5, pending: 0 });
  });
};

const defineHandlers: Part = (define, createBench, subject) => {
  define('handlers by type, a default one, no second one', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    const seen: string[] = [];
    b.messenger.addHandler('p', ({ type, payload }) => seen.push(`${type ?? ''} ${String(payload)}`));
    const error = t.throws(() => b.messenger.addHandler('p', () => undefined), {
      instanceOf: LocalProtocolError,
    });
    t.is(error.code, 'ERR_HANDLER');
    for (const line of ['ping', 'other', '']) a.messenger.send(to(b, text(line)));
    t.true(await bench.until(() => seen.length + b.received.length === 3));
    t.deepEqual(seen, ['p ping']);
    t.deepEqual(texts(b), ['other', '']);
    const [other, empty] = b.received;
    t.is(other!.sender.uuid, a.id.uuid);
    t.deepEqual([other!.type, empty!.type, other!.stack], ['o', null, subject.stack]);
  });

  define('a handler that throws loses its own message only', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    b.messenger.addHandler('!', () => {
      throw new Error('on purpose');
    });
    for (const line of ['1', '!', '2', '!', '3']) a.messenger.send(to(b, text(line)));
    t.true(await bench.until(() => a.messenger.stats().totals.delivered === 5));
    t.deepEqual(texts(b), ['1', '2', '3']);
    t.true(b.log.some((line) => line.includes('on purpose')));
  });

  define('a handler may send, to the sender and to all', async (t) => {
    const bench = createBench();
    const [a, b, c] = (await bench.startAll(3)) as [BenchMember, BenchMember, BenchMember];
    let rounds = 0;
    for (const [self, other] of [[a, b] as const, [b, a] as const]) {
      self.messenger.addHandler('p', ({ sender }) => {
        if (++rounds > 100) return;
        self.messenger.send({ recipients: [sender], payload: text('ping') });
        if (rounds === 50) self.messenger.send({ recipients: 'all', payload: text('half') });
        t.is(sender.uuid, other.id.uuid);
      });
    }
    a.messenger.send(to(b, text('ping')));
    t.true(await bench.until(() => rounds > 100));
    await bench.run(1_000);
    t.deepEqual(texts(c), ['half']);
  });

  define('a handler may stop its messenger', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    let stopped: Promise<void> | undefined;
    b.messenger.addHandler('s', () => {
      stopped = b.messenger.stop();
    });
    for (const line of ['1', 'stop', '2', '3']) a.messenger.send(to(b, text(line)));
    t.true(await bench.until(() => stopped !== undefined));
    await bench.clock.run(stopped!, 'stop()');
    await bench.run(1_000);
    t.deepEqual(texts(b), ['1']);
  });
};
