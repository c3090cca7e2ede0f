/** Ack-clocked sending: what is under way to each receiver is bounded, and grows as acks come. */

import test from 'ava';

import { Flag, type Header } from '../../../codecs/jgroups/message.ts';
import { encodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { seededRng } from '../../../src/protocol/rng.ts';
import { ack, type Member, type Puppet, type Sent, seqnosOf, World } from './world.ts';

const KIB = Buffer.alloc(1_024);

/** One member, and a puppet that acknowledges what the test says. */
function pair(config = {}): { world: World; a: Member; p: Puppet; acknowledge: (seqno: number) => void } {
  const world = new World();
  const a = world.member({ maxCredits: 100_000_000, ...config });
  const p = world.puppet();
  a.view(p);
  let timestamp = 0;
  return { world, a, p, acknowledge: (seqno) => p.say(a, [ack(seqno, 0, ++timestamp)]) };
}

function burst(
  a: Member,
  p: { readonly address: Puppet['address'] },
  count: number,
  payload: Buffer = KIB,
): void {
  for (let i = 0; i < count; i++) a.send(p, payload);
}

const real = (sent: readonly Sent[]): number[] => sent.flatMap(seqnosOf).filter((seqno) => seqno > 0);
const last = (sent: readonly Sent[]): number => Math.max(0, ...real(sent));
const upTo = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('light traffic is as it was: every message at once, in a datagram of its own, nothing else', (t) => {
  const { world, a, p } = pair();
  for (let i = 1; i <= 10; i++) {
    a.send(p, KIB);
    t.deepEqual(a.take(), [`DATA ${i} conn 0${i === 1 ? ' first' : ''}`]);
    world.run(10);
  }
  t.is(a.stack.counters.acksAskedFor, 0);
});

test('a burst: a window leaves at once, the rest as acks come, in order, five or more to a datagram', (t) => {
  const { world, a, p, acknowledge } = pair();
  burst(a, p, 500);
  world.run(0);
  const first = a.takeSent();
  t.true(first.reduce((bytes, sent) => bytes + sent.bytes.length, 0) <= 65_536);
  t.true(last(first) >= 20 && last(first) <= 64);
  const all = real(first);
  while (all.length < 500) {
    world.run(1);
    acknowledge(all.length);
    const sent = a.takeSent();
    t.true(sent.length > 0, 'an ack makes room');
    for (const datagram of sent) {
      t.true(seqnosOf(datagram).length >= 5, 'each is acknowledged at once');
      t.true(datagram.bytes.length <= 64_000);
    }
    all.push(...real(sent));
  }
  t.deepEqual(all, upTo(1, 500));
  t.is(a.stack.counters.retransmitted, 0);
  acknowledge(500);
  world.run(10);
  a.send(p, 'alone');
  t.deepEqual(a.take(), ['DATA 501 conn 0'], 'afterwards all is as before');
});

test('the window doubles with each round trip while acks come at once, up to its limit', (t) => {
  const { world, a, p, acknowledge } = pair({ maxWindowBytes: 400_000 });
  burst(a, p, 5_000);
  world.run(0);
  const rounds: number[] = [];
  let seqno = last(a.takeSent());
  for (let round = 0; round < 8; round++) {
    world.run(1);
    acknowledge(seqno);
    const sent = a.takeSent();
    rounds.push(sent.reduce((bytes, { bytes: { length } }) => bytes + length, 0));
    seqno = last(sent);
  }
  const [, second, third] = rounds as [number, number, number];
  t.true(third > 1.5 * second, rounds.join(' '));
  t.true(Math.max(...rounds) <= 400_000 && (rounds.at(-1) as number) > 300_000, rounds.join(' '));
});

test('a receive buffer that holds little: after a loss the window stays below the size that was too large', (t) => {
  const { world, a, p, acknowledge } = pair({ initialWindowBytes: 65_536 });
  burst(a, p, 20_000);
  world.run(0);
  let seqno = last(a.takeSent());
  const flights: number[] = [];
  for (let round = 0; round < 40; round++) {
    world.run(1);
    acknowledge(seqno);
    const sent = a.takeSent();
    const bytes = sent.reduce((sum, datagram) => sum + datagram.bytes.length, 0);
    flights.push(bytes);
    if (bytes <= 150_000) {
      seqno = Math.max(seqno, last(sent));
      continue;
    }
    const [lost] = sent; // the buffer was full when the first one came
    for (let i = 0; i < 3; i++) acknowledge((real([lost as Sent])[0] as number) - 1);
    world.run(1);
    a.takeSent();
    seqno = last(sent);
  }
  const tooLarge = flights.filter((bytes) => bytes > 150_000).length;
  t.is(tooLarge, 1, flights.join(' '));
  t.true((flights.at(-1) as number) > 65_536, flights.join(' '));
});

test('three acks that bring nothing new: the first datagram is sent again, once, and the window shrinks', (t) => {
  const { world, a, p, acknowledge } = pair({ initialWindowBytes: 262_144 });
  burst(a, p, 2_000);
  world.run(0);
  acknowledge(last(a.takeSent()));
  const flight = a.takeSent();
  t.true(flight.length >= 4);
  const lost = flight[0] as Sent;
  const before = (real([lost])[0] as number) - 1;
  world.run(1);
  acknowledge(before);
  acknowledge(before);
  t.deepEqual(a.take(), []);
  acknowledge(before);
  t.deepEqual(real(a.takeSent()), real([lost]));
  acknowledge(before);
  acknowledge(before);
  t.deepEqual(a.take(), [], 'it is under way');
  t.is(a.stack.counters.retransmitted, real([lost]).length);
  const inFlight = flight.reduce((sum, { bytes }) => sum + bytes.length, 0);
  world.run(1);
  acknowledge(last(flight));
  const next = a.takeSent().reduce((sum, { bytes }) => sum + bytes.length, 0);
  t.true(next < 0.8 * inFlight && next >= 32_000, `${next} after ${inFlight}`);
});

test('several lost datagrams: an ack that stops short of what was under way shows the next one', (t) => {
  const { world, a, p, acknowledge } = pair({ initialWindowBytes: 262_144 });
  burst(a, p, 1_000);
  world.run(0);
  acknowledge(last(a.takeSent()));
  const flight = a.takeSent();
  const [one, two] = flight as [Sent, Sent];
  const before = (real([one])[0] as number) - 1;
  world.run(1);
  for (let i = 0; i < 3; i++) acknowledge(before);
  t.deepEqual(real(a.takeSent()), real([one]));
  acknowledge(last([one]));
  t.deepEqual(real(a.takeSent().slice(0, 1)), real([two]));
  acknowledge(last(flight));
  t.is(a.stack.counters.retransmitted, real([one, two]).length);
});

test('no answer: the receiver is asked how far it is, ever more rarely; its answer shows what was lost', (t) => {
  const { world, a, p, acknowledge } = pair();
  burst(a, p, 200);
  world.run(0);
  const first = last(a.takeSent());
  world.run(2);
  acknowledge(first);
  const flight = a.takeSent();
  t.true(flight.length > 0);
  const asked: number[] = [];
  while (world.nowMs < 450) {
    world.run(1);
    const sent = a.takeSent();
    t.deepEqual(real(sent), [], 'nothing is sent twice, or on top, on a guess');
    for (const datagram of sent) {
      t.deepEqual(seqnosOf(datagram), new Array(5).fill(-first));
      asked.push(world.nowMs);
    }
  }
  t.true(asked.length >= 3 && asked.length <= 7, asked.join(' '));
  t.true((asked[2] as number) - (asked[1] as number) > (asked[1] as number) - (asked[0] as number));
  acknowledge(first);
  t.deepEqual(real(a.takeSent()), real(flight.slice(0, 1)));
});

test('a receiver that stood still and then answers everything at once gets nothing twice', (t) => {
  const { world, a, p, acknowledge } = pair();
  burst(a, p, 300);
  world.run(0);
  const first = a.takeSent();
  world.run(2);
  acknowledge(last(first));
  const flight = a.takeSent();
  world.run(40);
  const probes = a.takeSent().length;
  t.true(probes > 0);
  for (const datagram of flight) acknowledge(last([datagram]));
  for (let i = 0; i < probes; i++) acknowledge(last(flight));
  world.run(1);
  t.is(a.stack.counters.retransmitted, 0);
});

test('a receiver that acknowledges at ticks only: nothing is held back for longer, and ever less of it', (t) => {
  const { world, a, p, acknowledge } = pair();
  let total = 0;
  const perTick: number[] = [];
  burst(a, p, 20_000);
  for (let tick = 0; tick < 6; tick++) {
    world.run(500);
    const sent = a.takeSent();
    perTick.push(real(sent).length);
    total = Math.max(total, last(sent));
    acknowledge(total);
  }
  t.true((perTick.at(-1) as number) > 4 * (perTick[0] as number), perTick.join(' '));
});

test('a trickle never waits: past half of the window some messages bring fillers along, and are acknowledged', (t) => {
  const { world, a, p, acknowledge } = pair();
  let lists = 0;
  for (let i = 1; i <= 500; i++) {
    a.send(p, KIB);
    world.run(0);
    const sent = a.takeSent();
    t.deepEqual(real(sent), [i], 'it left in its turn');
    if (sent.some((datagram) => seqnosOf(datagram).length >= 5)) {
      lists++;
      acknowledge(i);
    }
    world.nowMs += 0.1;
  }
  t.true(lists > 5 && lists < 60, `${lists}`);
});

test('a first flight without any answer is sent again itself: only it makes a connection', (t) => {
  const { world, a, p } = pair();
  burst(a, p, 100);
  world.run(0);
  a.take();
  world.run(110);
  t.deepEqual(real(a.takeSent()), [1]);
});

test('destinations do not wait for each other', (t) => {
  const { world, a, p } = pair();
  const q = world.puppet(98);
  a.view(p, q);
  burst(a, p, 500);
  world.run(0);
  a.take();
  a.send(q, 'x');
  t.deepEqual(a.take(), ['DATA 1 conn 1 first']);
});

test('what has no order passes the queue, and leaves no gap', (t) => {
  const { world, a, p, acknowledge } = pair();
  burst(a, p, 100);
  world.run(0);
  const sent = last(a.takeSent());
  a.send(p, 'urgent', Flag.DONT_BUNDLE | Flag.OOB | Flag.NO_FC);
  t.deepEqual(a.take(), [`DATA ${sent + 1} conn 0`]);
  acknowledge(sent + 1);
  t.is(real(a.takeSent())[0], sent + 2);
});

test('with a window of 0 nothing waits, as in JGroups', (t) => {
  const { a, p } = pair({ initialWindowBytes: 0 });
  burst(a, p, 500);
  t.is(a.takeSent().length, 500);
});

const XMIT_REQ: Header = { protocol: 'UNICAST3', type: 'XMIT_REQ' };

test('a few requested messages are resent one by one, many in bundles as acks come', (t) => {
  const { world, a, p, acknowledge } = pair({ initialWindowBytes: 1_000_000 });
  burst(a, p, 400);
  world.run(0);
  a.take();
  const ask = (...seqnos: number[]): void =>
    p.say(a, [XMIT_REQ], encodeSeqnoList(seqnos, 400), Flag.OOB | Flag.INTERNAL);
  ask(2, 5, 9);
  t.deepEqual(a.take(), ['DATA 2 conn 0', 'DATA 5 conn 0', 'DATA 9 conn 0']);
  ask(...upTo(1, 399));
  const all: number[] = [];
  for (let round = 0; round < 50 && all.length < 399; round++) {
    const sent = a.takeSent();
    t.true(sent.length > 0 && sent.length <= 2, `${sent.length} datagrams in round ${round}`);
    for (const datagram of sent) t.true(seqnosOf(datagram).length >= 5);
    all.push(...real(sent));
    world.run(1);
    acknowledge(all.at(-1) as number);
  }
  t.deepEqual(all.slice(0, 399), upTo(1, 399));
});

test('a member that left: what waited for it is dropped; back again, it starts where it is', (t) => {
  const { world, a, p, acknowledge } = pair();
  burst(a, p, 200);
  world.run(0);
  const sent = last(a.takeSent());
  a.install(2, [a]);
  world.run(200);
  t.deepEqual(real(a.takeSent()), []);
  a.install(3, [a, p]);
  a.send(p, 'again');
  world.run(0);
  t.deepEqual(real(a.takeSent()), [sent + 1]);
  acknowledge(sent + 1);
  t.is(a.acked.messages, 1, 'the others ended when it left');
});

for (const [name, config] of [
  ['by default', {}],
  ['a small window', { initialWindowBytes: 4_096 }],
  ['small bundles', { maxBundleSize: 3_000 }],
] as const) {
  test(`loss, repetition and disorder: everything arrives once and in order, ${name}`, (t) => {
    for (let seed = 1; seed <= 20; seed++) {
      const rng = seededRng(seed);
      const world = new World();
      const [a, b] = world.members(2, config) as [Member, Member];
      world.lose = () => rng.next() < 0.1;
      world.shuffle = (inFlight) => {
        const twice = inFlight.flatMap((item) => (rng.next() < 0.05 ? [item, item] : [item]));
        return rng.next() < 0.2 ? twice.toSorted(() => rng.next() - 0.5) : twice;
      };
      for (let i = 1; i <= 600; i++) {
        a.send(
          b,
          Buffer.from(`m${i}`.padEnd(Math.floor(rng.next() * 3_000), ' ')),
          i % 7 === 0 ? 0 : Flag.DONT_BUNDLE,
        );
        if (rng.next() < 0.05) world.run(1);
      }
      world.run(120_000);
      t.deepEqual(
        b.texts.map((text) => text.trimEnd()),
        upTo(1, 600).map((i) => `m${i}`),
        `seed ${seed}`,
      );
      t.is(a.acked.messages, 600, `seed ${seed}`);
    }
  });
}
