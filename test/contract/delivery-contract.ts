import type { OutgoingMessage } from '../../src/protocol/messenger.ts';
import { seededRng } from '../../src/protocol/rng.ts';
import { PERFECT } from '../sim/virtual-network.ts';
import { ROUGH, text, texts, to, type BenchMember, type ContractBench, type Part } from './contract-bench.ts';

/** Numbered lines of many lengths, all kinds of fragment among them. */
function numbered(count: number): Buffer[] {
  const rng = seededRng(3);
  return Array.from({ length: count }, (_, index) => {
    const size = rng.next() < 0.05 ? rng.next() * 150_000 : rng.next() * 500;
    return text(`${index} `.padEnd(size, String(index)));
  });
}

/** Sends as a patient application does: what is refused is offered again. */
async function sendPatiently(
  bench: ContractBench,
  from: BenchMember,
  recipient: BenchMember,
  payload: Buffer,
  flags: Partial<OutgoingMessage> = {},
): Promise<void> {
  for (let attempt = 0; attempt < 10_000; attempt++) {
    if (from.messenger.send(to(recipient, payload, flags)).refused.length === 0) return;
    await bench.run(20);
  }
  throw new Error('refused for ever');
}

export const defineDelivery: Part = (define, createBench, subject) => {
  for (const ordered of [true, false]) {
    define(`payloads of all sizes, ${ordered ? 'ordered' : 'unordered'}`, async (t) => {
      const bench = createBench();
      const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
      const sizes = [0, 1, 1_400, 60_000, 60_001, 200_000];
      const payloads = sizes.map((size) => Buffer.alloc(size, `${size} `));
      for (const payload of payloads) a.messenger.send(to(b, payload, { ordered }));
      t.true(await bench.until(() => a.messenger.stats().totals.pending === 0));
      const bySize = b.received.map(({ payload }) => payload).sort((x, y) => x.length - y.length);
      t.deepEqual(
        bySize.map(({ length }) => length),
        sizes,
      );
      t.true(bySize.every((payload, index) => payloads[index]!.equals(payload)));
    });
  }

  define('on a rough network: exactly once and in order, both ways, large and small', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    bench.network.faults = ROUGH;
    const payloads = numbered(300);
    for (const payload of payloads) {
      await sendPatiently(bench, a, b, payload);
      await sendPatiently(bench, b, a, payload);
      await bench.run(3);
    }
    const isDone = (): boolean => [a, b].every(({ messenger }) => messenger.stats().totals.pending === 0);
    t.true(await bench.until(isDone, 300_000));
    await bench.run(2_000);
    for (const { received } of [a, b]) {
      t.is(received.length, payloads.length);
      t.true(received.every(({ payload }, index) => payloads[index]!.equals(payload)));
    }
  });

  for (const flags of [{ ordered: false }, { highPriority: true }]) {
    define(`on a rough network: exactly once with ${JSON.stringify(flags)}`, async (t) => {
      const bench = createBench();
      const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
      bench.network.faults = ROUGH;
      const payloads = numbered(200);
      for (const [index, payload] of payloads.entries()) {
        // Ordered ones between them must not disturb, nor be disturbed.
        await sendPatiently(bench, a, b, text(`ordered ${index}`));
        await sendPatiently(bench, a, b, payload, flags);
        await bench.run(3);
      }
      t.true(await bench.until(() => a.messenger.stats().totals.pending === 0, 300_000));
      await bench.run(2_000);
      const lines = texts(b);
      const isOrdered = (line: string): boolean => line.startsWith('ordered');
      t.deepEqual(
        lines.filter(isOrdered),
        payloads.map((_, index) => `ordered ${index}`),
      );
      t.deepEqual(lines.filter((line) => !isOrdered(line)).sort(), payloads.map(String).sort());
    });
  }

  define('to all: each other member gets it once, on its own stack', async (t) => {
    const bench = createBench();
    const members = await bench.startAll(4);
    members[0]!.messenger.send({ recipients: 'all', payload: text('hear') });
    t.true(await bench.until(() => members.slice(1).every(({ received }) => received.length > 0)));
    await bench.run(2_000);
    t.deepEqual(
      members.map(({ received }) => received.map(({ stack }) => stack)),
      [[], [subject.stack], [subject.stack], [subject.stack]],
    );
    t.like(members[0]!.messenger.stats().totals, { accepted: 3, delivered: 3 });
  });

  define('sendUnreliably: arrives if nothing happens, counts for nothing, harms nothing', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    // A connection, where one is needed, may be opened by the first message.
    a.messenger.send(to(b, text('first')));
    t.true(await bench.until(() => a.messenger.stats().totals.delivered === 1));
    a.messenger.sendUnreliably(to(b, text('maybe')));
    t.true(await bench.until(() => b.received.length === 2, 1_000));
    bench.cut(a, b);
    for (let index = 0; index < 10; index++) a.messenger.sendUnreliably(to(b, text('hardly')));
    await bench.run(1_000);
    bench.network.heal();
    a.messenger.send(to(b, text('last')));
    t.true(await bench.until(() => texts(b).includes('last')));
    t.like(a.messenger.stats().totals, { accepted: 2, closed: 0, memberLeft: 0 });
  });
};

export const defineBackpressure: Part = (define, createBench, subject) => {
  define('a recipient that takes nothing fills its own queue, and nobody else waits', async (t) => {
    const bench = createBench();
    const [a, b, c] = (await bench.startAll(3)) as [BenchMember, BenchMember, BenchMember];
    bench.cut(a, b);
    const payload = Buffer.alloc(100_000, 'x');
    let accepted = 0;
    let warnedAt = -1;
    for (; accepted < 10_000; accepted++) {
      const { refused, writable } = a.messenger.send(to(b, payload));
      if (!writable && warnedAt < 0) warnedAt = accepted;
      if (refused.length > 0) break;
    }
    t.true(accepted < 10_000, 'never refused');
    t.true(warnedAt >= 0 && warnedAt < accepted, `told to wait at ${warnedAt}, refused at ${accepted}`);
    t.is(a.messenger.stats().totals.accepted, accepted);
    const peer = a.messenger.stats().peers.find(({ member }) => member.uuid === b.id.uuid);
    t.true(peer!.pendingBytes >= accepted * payload.length);

    t.like(a.messenger.send({ recipients: [b.id, c.id], payload: text('c') }), {
      refused: [b.id],
      writable: false,
    });
    t.true(await bench.until(() => c.received.length === 1, 1_000));
    t.deepEqual(a.writable, []);

    bench.network.heal();
    t.true(await bench.until(() => a.messenger.stats().totals.pending === 0, 300_000));
    t.is(b.received.length, accepted);
    t.deepEqual([...new Set(a.writable.map(({ uuid }) => uuid))], [b.id.uuid]);
    t.like(a.messenger.send(to(b, text('again'))), { refused: [], writable: true });
  });

  define(
    'ready: true once there is room, at once if there is; false for who left, and after stop',
    async (t) => {
      const bench = createBench();
      const [a, b, c] = (await bench.startAll(3)) as [BenchMember, BenchMember, BenchMember];
      t.true(await a.messenger.ready(b.id));
      const stranger = await bench.start();
      t.false(await a.messenger.ready(stranger.id));
      for (const peer of [b, c]) {
        bench.cut(a, peer);
        while (a.messenger.send(to(peer, Buffer.alloc(100_000))).writable) t.is(peer.received.length, 0);
      }
      let settled = 0;
      const [forB, forC] = [b, c].map((peer) => a.messenger.ready(peer.id).finally(() => settled++));
      await bench.run(3_000);
      t.is(settled, 0);
      a.messenger.installView(bench.nextView([a, b]));
      t.false(await bench.clock.run(forC!, 'ready()', 1_000));
      t.is(settled, 1);
      bench.network.heal();
      t.true(await bench.clock.run(forB!, 'ready()', 300_000));
      t.like(a.messenger.send(to(b, text('more'))), { refused: [], writable: true });
      bench.cut(a, b);
      while (a.messenger.send(to(b, Buffer.alloc(100_000))).writable) await bench.run(1);
      const last = a.messenger.ready(b.id);
      await bench.stop(a);
      t.false(await bench.clock.run(last, 'ready()', 1_000));
      t.false(await bench.clock.run(a.messenger.ready(b.id), 'ready()', 1_000));
    },
  );

  define('high-priority messages have room that ordinary ones cannot use, and pass them', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    const first = text('first'); // opens a connection, where one is needed
    a.messenger.send(to(b, first));
    t.true(await bench.until(() => b.received.length === 1));
    bench.cut(a, b);
    const payload = Buffer.alloc(100_000, 'o');
    let ordinary = 0;
    while (a.messenger.send(to(b, payload)).refused.length === 0) ordinary++;
    const urgent = to(b, text('urgent'), { highPriority: true });
    t.like(a.messenger.send(urgent), { refused: [], writable: false });
    t.like(a.messenger.send(to(b, text('small'))), { refused: [b.id] });
    let reserve = 1;
    while (a.messenger.send(to(b, payload, { highPriority: true })).refused.length === 0) reserve++;
    t.true(reserve > 1 && reserve < ordinary, `${reserve} and ${ordinary}`);
    bench.network.heal();
    t.true(await bench.until(() => a.messenger.stats().totals.pending === 0, 300_000));
    const lines = b.received.map(({ payload: got }) => (got.length === 6 ? 'urgent' : 'ordinary'));
    t.is(lines.length, 1 + ordinary + reserve);
    if (subject.name.startsWith('reference')) return;
    t.true(lines.indexOf('urgent') < lines.length - 1);
  });
};

export const defineOutcomes: Part = (define, createBench) => {
  define('every accepted message ends in one outcome: delivered, memberLeft, closed', async (t) => {
    const bench = createBench();
    const [a, b, c, d] = (await bench.startAll(4)) as [BenchMember, BenchMember, BenchMember, BenchMember];
    bench.cut(a, b);
    bench.cut(a, c);
    for (let index = 0; index < 10; index++) a.messenger.send({ recipients: 'all', payload: text('x') });
    t.true(await bench.until(() => a.messenger.stats().totals.delivered === 10));
    t.like(a.messenger.stats().totals, { accepted: 30, pending: 20 });
    a.messenger.installView(bench.nextView([a, c, d]));
    t.like(a.messenger.stats().totals, { delivered: 10, memberLeft: 10, pending: 10 });
    await bench.stop(a);
    t.deepEqual(a.messenger.stats().totals, {
      accepted: 30,
      delivered: 10,
      memberLeft: 10,
      closed: 10,
      pending: 0,
    });
    t.deepEqual([b.received.length, c.received.length, d.received.length], [0, 0, 10]);
    t.like(d.messenger.stats(), { received: 10 });
  });

  define('flush: true once all is acknowledged, false after its time, and not stuck by stop', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    t.true(await bench.clock.run(a.messenger.flush(1_000), 'flush()'));
    for (let index = 0; index < 50; index++) a.messenger.send(to(b, text(`${index}`)));
    t.true(await bench.clock.run(a.messenger.flush(30_000), 'flush()'));
    t.is(b.received.length, 50);
    bench.cut(a, b);
    a.messenger.send(to(b, text('stuck')));
    const sinceMs = bench.clock.nowMs;
    t.false(await bench.clock.run(a.messenger.flush(500), 'flush()'));
    const tookMs = Math.round(bench.clock.nowMs - sinceMs); // the clock counts in fractions
    t.true(tookMs >= 500 && tookMs < 700);
    const last = a.messenger.flush(60_000);
    await bench.stop(a);
    await bench.clock.run(last, 'flush()', 1_000);
    t.is(a.messenger.stats().totals.closed, 1);
  });

  define('a member that comes back after faults gets all that was accepted', async (t) => {
    const bench = createBench();
    const [a, b] = (await bench.startAll(2)) as [BenchMember, BenchMember];
    for (let round = 0; round < 4; round++) {
      bench.cut(a, b);
      for (let index = 0; index < 20; index++) a.messenger.send(to(b, text(`${round}/${index}`)));
      await bench.run(4_000);
      bench.network.heal();
      bench.network.faults = round % 2 === 0 ? ROUGH : PERFECT;
      b.environment.pause();
      await bench.run(700);
      b.environment.resume();
      bench.network.resetStreams(1);
      await bench.run(1_000);
    }
    bench.network.heal();
    t.true(await bench.until(() => a.messenger.stats().totals.pending === 0));
    const expected = Array.from({ length: 80 }, (_, index) => `${Math.floor(index / 20)}/${index % 20}`);
    t.deepEqual(texts(b), expected);
  });
};
