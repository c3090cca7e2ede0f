/** Several messages in a datagram (WIRE-3.6 sections 3b, 3c). */

import test from 'ava';

import { Flag } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { ack, GROUP_PORT, type Member, messagesOf, type Puppet, seqnosOf, World } from './world.ts';

const MULTICAST = { address: '239.1.1.1', port: GROUP_PORT };

function pair(config = {}): { world: World; a: Member; p: Puppet } {
  const world = new World();
  const a = world.member(config);
  const p = world.puppet();
  a.view(p);
  return { world, a, p };
}

test('what may be bundled leaves at the end of the turn, in one datagram, in order', (t) => {
  const { world, a, p } = pair();
  for (const text of ['x', 'y', 'z']) a.send(p, text, 0);
  t.deepEqual(a.take(), []);
  t.is(a.stack.nextDeadlineMs(), 0, 'the turn ends at once');
  world.run(0);
  const [sent, ...rest] = a.takeSent();
  t.deepEqual(rest, []);
  t.deepEqual(sent === undefined ? [] : messagesOf(sent).map(({ payload }) => String(payload)), [
    'x',
    'y',
    'z',
  ]);
  t.is(a.stack.counters.bundlesSent, 1);
  t.is(a.stack.nextDeadlineMs(), 500);
});

test('one message alone is no list', (t) => {
  const { world, a, p } = pair();
  a.send(p, 'x', 0);
  world.run(0);
  t.deepEqual(a.take(), ['DATA 1 conn 0 first']);
});

test('every destination has a datagram of its own', (t) => {
  const { world, a, p } = pair();
  const q = world.puppet(98);
  a.view(p, q);
  for (const to of [p, q, p, q]) a.send(to, 'x', 0);
  world.run(0);
  t.deepEqual(
    a.takeSent().map(({ text, port }) => [text, port]),
    [
      ['bundle of 2', p.port],
      ['bundle of 2', q.port],
    ],
  );
});

test('DONT_BUNDLE goes at once; behind others that wait it keeps its order if it has one', (t) => {
  const { world, a, p } = pair();
  a.send(p, 'now', Flag.DONT_BUNDLE);
  t.deepEqual(a.take(), ['DATA 1 conn 0 first']);
  a.send(p, 'waits', 0);
  a.send(p, 'behind it', Flag.DONT_BUNDLE);
  t.deepEqual(a.take(), []);
  a.send(p, 'has no order', Flag.DONT_BUNDLE | Flag.OOB);
  t.deepEqual(a.take(), ['DATA 2 conn 0']);
  world.run(0);
  const [sent] = a.takeSent();
  t.deepEqual(sent === undefined ? [] : seqnosOf(sent), [3, 4]);
});

test('ignoreDontBundle, as in udp.xml: everything is bundled', (t) => {
  const { world, a, p } = pair({ ignoreDontBundle: true });
  for (let i = 0; i < 3; i++) a.send(p, 'x', Flag.DONT_BUNDLE);
  t.deepEqual(a.take(), []);
  world.run(0);
  t.deepEqual(a.take(), ['bundle of 3']);
});

for (const initialWindowBytes of [0, 65_536]) {
  const how = initialWindowBytes === 0 ? 'by the transport' : 'by the window';
  test(`no datagram is larger than maxBundleSize, a full one leaves within the call: ${how}`, (t) => {
    const { world, a, p } = pair({ maxBundleSize: 5_000, initialWindowBytes, fragSize: 60_000 });
    for (let i = 0; i < 40; i++) a.send(p, Buffer.alloc(100 + i * 17), 0);
    t.true(a.sent.length > 0);
    world.run(0);
    if (initialWindowBytes > 0) p.say(a, [ack(40, 0, 1)]);
    const sent = a.takeSent();
    for (const { bytes } of sent) t.true(bytes.length <= 5_000, `${bytes.length}`);
    const seqnos = sent.flatMap(seqnosOf).filter((seqno) => seqno > 0);
    t.deepEqual(
      seqnos,
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    a.send(p, Buffer.alloc(6_000), 0);
    world.run(0);
    t.deepEqual(a.take().slice(0, 1), ['DATA 41 conn 0'], 'too large for any bundle, it goes alone');
  });
}

test("the transport's own account of sizes is exact: a bundle of maxBundleSize is used to the last byte", (t) => {
  const config = { initialWindowBytes: 0 };
  const probe = pair(config);
  for (let i = 0; i < 3; i++) probe.a.send(probe.p, Buffer.alloc(200), 0);
  probe.world.run(0);
  const size = probe.a.sent[0]?.bytes.length ?? 0;
  for (const [maxBundleSize, expected] of [
    [size, ['bundle of 3']],
    [size - 1, ['bundle of 2', 'DATA 3 conn 0']],
  ] as const) {
    const { world, a, p } = pair({ ...config, maxBundleSize });
    for (let i = 0; i < 3; i++) a.send(p, Buffer.alloc(200), 0);
    world.run(0);
    t.deepEqual(a.take(), expected);
  }
});

test('group messages: one list without a destination, to each member or to the multicast address', (t) => {
  for (const multicast of ['unicasts', MULTICAST] as const) {
    const world = new World();
    const [a, b, c] = world.members(3, { multicast, protocols: ['NAKACK2', 'UNICAST3', 'STABLE'] }) as [
      Member,
      Member,
      Member,
    ];
    for (const text of ['x', 'y', 'z']) a.sendToGroup(text, 0, true);
    world.run(0);
    const sent = a.takeSent();
    const ports = multicast === 'unicasts' ? [b.address.port, c.address.port] : [GROUP_PORT];
    t.deepEqual(
      sent.map(({ text, port }) => [text, port]),
      ports.map((port) => ['bundle of 3', port]),
    );
    const datagram = decodeDatagram(sent[0]?.bytes ?? Buffer.alloc(0));
    t.like(datagram, { kind: 'bundle', multicast: true, dest: null });
    for (const member of [a, b, c]) t.deepEqual(member.texts, ['x', 'y', 'z']);
  }
});

test("the stack's own messages do not wait for the end of the turn", (t) => {
  const { world, a, p } = pair();
  p.data(a, 1);
  p.data(a, 3);
  world.run(1_000);
  t.deepEqual(a.take(), ['ACK 1 conn 0 ts 1', 'XMIT_REQ 2']);
});

test('what waited for a member that left does not leave any more', (t) => {
  for (const initialWindowBytes of [0, 65_536]) {
    const { world, a, p } = pair({ initialWindowBytes });
    a.send(p, 'x', 0);
    a.send(p, 'y', 0);
    a.install(2, [a]);
    world.run(0);
    t.deepEqual(a.take(), []);
  }
});

test('a list of five is acknowledged at once, of four at the tick; fillers count, and are not delivered', (t) => {
  const { world, a, p } = pair();
  const message = (seqno: number, payload: string | null = `m${seqno}`) =>
    p.message(a, [{ protocol: 'UNICAST3', type: 'DATA', seqno, connId: 0, first: seqno === 1 }], payload);
  p.bundle(
    a,
    [1, 2, 3, 4].map((seqno) => message(seqno)),
  );
  t.deepEqual(a.take(), []);
  p.bundle(
    a,
    [5, 6, 7, 8, 9].map((seqno) => message(seqno)),
  );
  world.run(0);
  t.deepEqual(a.take(), ['ACK 9 conn 0 ts 1']);
  p.bundle(a, [message(10), ...Array.from({ length: 4 }, () => message(9, null))]);
  world.run(0);
  t.deepEqual(a.take(), ['ACK 10 conn 0 ts 2']);
  p.bundle(
    a,
    Array.from({ length: 5 }, () => message(0, null)),
  );
  world.run(0);
  t.deepEqual(a.take(), ['ACK 10 conn 0 ts 3']);
  t.is(a.delivered.length, 10);
  world.run(1_000);
  t.deepEqual(a.complaints, []);
});
