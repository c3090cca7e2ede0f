/** Members that take nothing are told of, once, and only they. */

import test from 'ava';

import { Flag, type Header } from '../../../codecs/jgroups/message.ts';
import type { JGroupsConfig } from '../../../src/jgroups/config.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { QUIET } from './group-world.ts';
import { ack, data, type Member, type Puppet, type Sent, seqnosOf, World } from './world.ts';

const TIMEOUT_MS = 5_000;
const CREDIT_FLAGS = Flag.OOB | Flag.DONT_BUNDLE | Flag.INTERNAL;
const SMALL: Partial<JGroupsConfig> = { maxCredits: 10_000, minThreshold: 0.25 };

interface Told {
  readonly atMs: number;
  readonly text: string;
}

function watch(member: Member, memberTimeoutMs = TIMEOUT_MS): Told[] {
  const { world } = member;
  const told: Told[] = [];
  const tell = (peer: string, what: string): void =>
    void told.push({ atMs: world.nowMs, text: `${Number.parseInt(peer, 16)} ${what}` });
  const listener = {
    peerStalled: (peer: string, reason: string) => tell(peer, reason),
    peerRecovered: (peer: string) => tell(peer, 'recovered'),
    groupStalled: (peer: string, reason: string) => tell(peer, `group: ${reason}`),
  };
  member.stack.watchPeers(memberTimeoutMs, listener, world.nowMs);
  return told;
}

const texts = (told: readonly Told[]): string[] => told.map(({ text }) => text);

function pair(config: Partial<JGroupsConfig> = {}) {
  const world = new World();
  const [a, b] = world.members(2, config) as [Member, Member];
  const isDead = { b: false };
  world.lose = (_, from) => isDead.b && (from === b || from === a);
  return { world, a, b, isDead, told: watch(a) };
}

/** A puppet that acknowledges all that it is sent, once in a while, and gives credits only if told to. */
class Acker {
  readonly puppet: Puppet;
  readonly #a: Member;
  #received = 0;
  #acked = 0;
  #timestamp = 0;
  #seqno = 0;

  constructor(a: Member, puppet: Puppet) {
    this.#a = a;
    this.puppet = puppet;
  }

  /** Ticks of half a second, at each of which it acknowledges so many more messages at most. */
  run(ticks: number, perTick = Infinity): void {
    for (let i = 0; i < ticks; i++) {
      this.#a.world.run(500);
      this.acknowledge(this.#a.takeSent(), perTick);
    }
  }

  acknowledge(sent: readonly Sent[], most = Infinity): void {
    const own = sent.filter(({ port }) => port === this.puppet.port);
    this.#received = Math.max(this.#received, ...own.flatMap(seqnosOf));
    this.#acked = Math.min(this.#received, this.#acked + most);
    if (this.#acked > 0) this.puppet.say(this.#a, [ack(this.#acked, 0, ++this.#timestamp)]);
  }

  grant(amount: number, protocol: 'UFC' | 'MFC' = 'UFC'): void {
    const payload = Buffer.alloc(8);
    payload.writeBigInt64BE(BigInt(amount));
    const headers: Header[] = [{ protocol, type: 'REPLENISH' }, data(++this.#seqno)];
    this.puppet.say(this.#a, headers, payload, CREDIT_FLAGS);
  }
}

test('a member that stops acknowledging: told once, with what waits, and when it gets on', (t) => {
  const { world, a, b, isDead, told } = pair();
  a.send(b, 'before');
  world.run(1_130);
  isDead.b = true;
  for (let i = 0; i < 3; i++) a.send(b, 'x');
  world.run(60_000);
  t.deepEqual(texts(told), ['2 nothing acknowledged for 5000 ms, 3 messages wait']);
  const afterMs = (told[0]?.atMs ?? 0) - 1_130;
  t.true(afterMs >= TIMEOUT_MS && afterMs <= TIMEOUT_MS + 500, `${afterMs}`);
  isDead.b = false;
  world.run(2_000);
  t.deepEqual(texts(told).slice(1), ['2 recovered']);
  t.is(b.delivered.length, 4);
  isDead.b = true;
  a.send(b, 'y');
  world.run(20_000);
  t.deepEqual(texts(told).slice(2), ['2 nothing acknowledged for 5000 ms, 1 message waits'], 'another stall');
});

test('nothing waits: a member that is gone is not told of; nor is one that answers', (t) => {
  const { world, a, b, isDead, told } = pair();
  for (let i = 0; i < 60; i++) {
    a.send(b, 'x');
    world.run(1_000);
  }
  world.run(1_000);
  isDead.b = true;
  world.run(600_000);
  t.deepEqual(told, []);
});

test('who acknowledges a little now and then gets on', (t) => {
  const world = new World();
  const a = world.member({ initialWindowBytes: 0 });
  const p = new Acker(a, world.puppet());
  a.view(p.puppet);
  const told = watch(a);
  for (let i = 0; i < 20; i++) a.send(p.puppet, 'x');
  p.run(1, 1);
  for (let i = 0; i < 15; i++) {
    world.run(4_000);
    p.run(1, 1);
  }
  t.deepEqual(told, []);
  world.run(6_000);
  t.deepEqual(texts(told), ['99 nothing acknowledged for 5000 ms, 4 messages wait']);
});

test('credits that do not come: told though all is acknowledged, requests for credits among it', (t) => {
  const world = new World();
  const a = world.member({ ...SMALL, maxBlockTimeMs: 500 });
  const p = new Acker(a, world.puppet());
  a.view(p.puppet);
  const told = watch(a);
  for (let i = 0; i < 15; i++) a.send(p.puppet, Buffer.alloc(1_000));
  p.run(60);
  t.deepEqual(texts(told), ['99 no credits for 5000 ms, 5 messages wait']);
  t.true((told[0]?.atMs ?? Infinity) <= TIMEOUT_MS + 1_500);
  t.true(a.stack.counters.creditRequestsSent > 10);
  p.grant(10_000);
  p.run(60);
  t.deepEqual(texts(told).slice(1), ['99 recovered']);
  t.is(a.acked.messages, 15);
});

test('credits that come late on a slow way are no stall while messages are acknowledged', (t) => {
  const world = new World();
  const a = world.member({ ...SMALL, initialWindowBytes: 0 });
  const p = new Acker(a, world.puppet());
  a.view(p.puppet);
  const told = watch(a);
  for (let i = 0; i < 105; i++) a.send(p.puppet, Buffer.alloc(100));
  p.run(60, 2); // 25 s for what the credits were for
  t.is(a.acked.messages, 100);
  t.deepEqual(texts(told).length, 0);
  p.run(20);
  t.deepEqual(texts(told), ['99 no credits for 5000 ms, 5 messages wait']);
});

test('group messages: the member whose credits they wait for, and no other', (t) => {
  const world = new World();
  const a = world.member({ ...QUIET, ...SMALL });
  const [p, q] = [new Acker(a, world.puppet(98)), new Acker(a, world.puppet(99))];
  a.install(1, [p.puppet, a, q.puppet]);
  const told = watch(a);
  for (let i = 0; i < 30; i++) a.sendToGroup(Buffer.alloc(1_000));
  const run = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      world.run(500);
      const sent = a.takeSent();
      for (const member of [p, q]) member.acknowledge(sent);
      p.grant(1_000, 'MFC');
    }
  };
  run(40);
  t.deepEqual(texts(told), ['99 no credits for 5000 ms, 20 group messages wait']);
  q.grant(5_000, 'MFC');
  run(1);
  t.deepEqual(texts(told).slice(1), ['99 recovered'], 'though the last are not gone');
  for (let i = 0; i < 3; i++) {
    q.grant(5_000, 'MFC');
    run(10);
  }
  run(60);
  t.is(told.length, 2);
});

test('who leaves while it is stalled is forgotten; if it comes back it is another stall', (t) => {
  const { world, a, b, isDead, told } = pair();
  isDead.b = true;
  a.send(b, 'x');
  world.run(10_000);
  t.is(told.length, 1);
  a.install(2, [a]);
  world.run(20_000);
  t.is(told.length, 1);
  a.install(3, [a, b]);
  a.send(b, 'y');
  world.run(10_000);
  t.is(told.length, 2);
  t.regex(told[1]?.text ?? '', /^2 nothing acknowledged/);
});

test('after a pause of our own nobody is to blame', (t) => {
  const { world, a, b, isDead, told } = pair();
  isDead.b = true;
  a.send(b, 'x');
  world.run(1_000);
  world.nowMs += 60_000;
  world.run(4_900);
  t.deepEqual(told, []);
  world.run(1_100);
  t.is(told.length, 1);
  world.nowMs += 60_000;
  world.run(10_000);
  t.is(told.length, 1, 'it still is the same stall');
});

test('a stack that goes to sleep has nobody stalled', (t) => {
  const { world, a, b, isDead, told } = pair();
  isDead.b = true;
  a.send(b, 'x');
  world.run(4_000);
  a.stack.forgetStalls();
  t.deepEqual(told, []);
  world.run(4_900);
  t.deepEqual(told, [], 'time counts anew');
  world.run(1_100);
  a.stack.forgetStalls();
  t.deepEqual(texts(told).slice(1), ['2 recovered']);
});

test('acks that come at ticks are waited for, however short the member timeout', (t) => {
  const { world, a, b, isDead } = pair();
  const told = watch(a, 100);
  for (let i = 0; i < 40; i++) {
    a.send(b, 'x');
    world.run(1_377);
  }
  t.deepEqual(told, []);
  isDead.b = true;
  a.send(b, 'y');
  world.run(2_500);
  t.deepEqual(texts(told), ['2 nothing acknowledged for 2000 ms, 1 message waits']);
});

test('with a twentieth of all datagrams lost nobody is stalled', (t) => {
  const world = new World();
  const members = world.members(3, { ...QUIET, desiredAvgGossipMs: 2_000, maxCredits: 20_000 });
  const rng = seededRng(11);
  world.lose = () => below(rng, 20) === 0;
  const told = members.map((member) => watch(member));
  for (let i = 0; i < 300; i++) {
    for (const member of members) {
      for (const other of members) if (other !== member) member.send(other, Buffer.alloc(500));
      member.sendToGroup(Buffer.alloc(500));
    }
    world.run(1_000);
  }
  t.deepEqual(told.flat(), []);
  for (const { delivered } of members) t.true(delivered.length > 1_100);
});

test('group messages that do not become stable: the coordinator knows for whom, the others say so much', (t) => {
  const world = new World();
  const [a, b, c] = world.members(3, { ...QUIET, desiredAvgGossipMs: 2_000 }) as [Member, Member, Member];
  const told = { a: watch(a), b: watch(b) };
  let isDead = false;
  world.lose = (_, from) => isDead && from === c;
  world.run(20_000);
  isDead = true;
  world.run(60_000);
  t.deepEqual(told, { a: [], b: [] }, 'nobody waits for anything');
  b.sendToGroup('x');
  world.run(20_000);
  t.is(told.a.length, 1);
  t.regex(told.a[0]?.text ?? '', /^3 no gossip for \d+ ms, 1 group message waits$/);
  t.deepEqual(texts(told.b), ['1 group: not stable for 13000 ms, 1 group message waits']);
  isDead = false;
  world.run(20_000);
  t.deepEqual(texts(told.a).slice(1), ['3 recovered']);
  t.is(told.b.length, 1);
  t.is(b.acked.messages, 2);
});

test('whoever is told may install a view or send', (t) => {
  const world = new World();
  const a = world.member();
  const [p, q] = [world.puppet(98), world.puppet(99)];
  a.view(p, q);
  const told: string[] = [];
  const listener = {
    peerStalled: (peer: string) => {
      told.push(peer);
      a.install(2, [a]);
      a.send(p, 'y');
    },
    peerRecovered: () => t.fail(),
    groupStalled: () => t.fail(),
  };
  a.stack.watchPeers(TIMEOUT_MS, listener, world.nowMs);
  a.send(p, 'x');
  a.send(q, 'x');
  world.run(60_000);
  t.is(told.length, 1, 'the other one had left by then');
});
