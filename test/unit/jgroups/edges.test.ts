/** What happens at the edges of the legacy stack: restarts, reused ports, ends of number ranges, large messages. */

import test from 'ava';

import { type Address, Flag, type Header } from '../../../codecs/jgroups/message.ts';
import { encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { encodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { VERSION_3_6_14 } from '../../../codecs/jgroups/version.ts';
import type { JGroupsConfig } from '../../../src/jgroups/config.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { addressOf, data, keyOf, type Member, messageOf, type Puppet, single, World } from './world.ts';

function pair(config: Partial<JGroupsConfig> = {}): { world: World; a: Member; p: Puppet } {
  const world = new World();
  const a = world.member(config);
  const p = world.puppet();
  a.view(p);
  return { world, a, p };
}

const numbers = (prefix: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${prefix}${from + i}`);

// --- views and connections ----------------------------------------------------------------------------------

test('a member drops out of the view and comes back, after any time: from then on all arrives once and in order', (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const rng = seededRng(seed);
    const world = new World();
    const [a, b] = world.members(2) as [Member, Member];
    let number = 0;
    const expected: string[] = [];
    for (let round = 0; round < 4; round++) {
      const isLossy = below(rng, 2) === 0;
      world.lose = () => isLossy && below(rng, 5) === 0;
      const start = b.delivered.length;
      const firstNumber = number + 1;
      for (let i = 0; i < 20; i++) {
        a.send(b, `m${++number}`);
        world.run(below(rng, 200));
      }
      world.lose = () => false;
      world.run(5_000);
      const fresh = b.texts.slice(start).filter((text) => Number(text.slice(1)) >= firstNumber);
      expected.push(...numbers('m', firstNumber, number));
      t.deepEqual(fresh, numbers('m', firstNumber, number), `seed ${seed}, round ${round}`);
      a.send(b, `m${++number}`); // in doubt: the view changes before it is acknowledged
      a.install(round * 2 + 2, [a]);
      b.install(round * 2 + 2, [b]);
      world.run(below(rng, 25_000));
      world.install(round * 2 + 3, [a, b]);
    }
    const delivered = b.texts.filter((text) => expected.includes(text));
    t.deepEqual(delivered, [...new Set(delivered)], `seed ${seed}: nothing twice`);
  }
});

test('a peer restarts on the same port under a new uuid: the old one is dropped, the new one heard at once', (t) => {
  const world = new World();
  const [a, b] = world.members(2) as [Member, Member];
  b.send(a, 'old');
  a.send(b, 'to the old one');
  world.lose = (sent, from) => from === a && sent.port === b.address.port; // its process is gone
  world.run(500);
  const reborn = new World();
  reborn.nowMs = world.nowMs;
  const p = world.puppet(77);
  const address = { ...addressOf(77, 2), port: b.address.port };
  a.install(2, [a, { address }]);
  const message = {
    dest: a.address,
    src: address,
    flags: 0,
    headers: [data(1)],
    payload: Buffer.from('new'),
  };
  a.handle(single(message), address.port);
  t.deepEqual(a.texts, ['old', 'new']);
  a.take();
  a.send({ address }, 'to the new one');
  world.run(500);
  const sent = a.takeSent().filter(({ text }) => text.startsWith('DATA'));
  const dests = sent.map((one) => (messageOf(one).dest as { uuid: string }).uuid);
  t.deepEqual(new Set(dests), new Set([address.uuid, keyOf(b)]), 'both go to one port, each with its dest');
  t.not(p.port, address.port);
});

test('what is meant for the process that had the port before is dropped: single, in a bundle, to its group', (t) => {
  const { a, p } = pair();
  const before = addressOf(55);
  const message = { ...p.message(a, [data(1)], 'x'), dest: before };
  a.handle(single(message), p.port);
  const list = { dest: before, src: p.address, cluster: 'AG', messages: [message] };
  a.handle(encodeDatagram({ kind: 'bundle', version: VERSION_3_6_14, multicast: false, ...list }), p.port);
  p.cry(a, [{ protocol: 'NAKACK2', type: 'MSG', seqno: 1 }], 'x');
  t.deepEqual(a.texts, []);
  t.is(a.stack.counters.notForUs, 3);
  t.regex(a.complaints[0] ?? '', /^dest 127\.0\.0\.1:41099: its message is for another member/);
});

test('acks, requests and CLOSE of an earlier time change nothing', (t) => {
  const { a, p, world } = pair();
  a.send(p, 'one');
  a.take();
  const control = (headers: Header[], payload: Uint8Array | null = null): void =>
    p.say(a, headers, payload, Flag.OOB | Flag.INTERNAL);
  control([{ protocol: 'UNICAST3', type: 'ACK', seqno: 9, connId: 6, timestamp: 1_000 }]);
  control([{ protocol: 'UNICAST3', type: 'XMIT_REQ' }], encodeSeqnoList([7, 8], 9));
  control([{ protocol: 'UNICAST3', type: 'CLOSE', connId: 6 }]);
  t.deepEqual(a.take(), []);
  t.is(a.acked.messages, 0);
  control([{ protocol: 'UNICAST3', type: 'ACK', seqno: 1, connId: 0, timestamp: 1 }]);
  world.settle();
  t.is(a.acked.messages, 1);
});

test('another process under the uuid of one that left is heard at once, though its connection id is the same', (t) => {
  const { a, p, world } = pair();
  for (let seqno = 1; seqno <= 5; seqno++) p.data(a, seqno);
  world.run(500);
  a.install(2, [a]);
  a.install(3, [a, p]);
  p.say(a, [data(1)], 'again 1');
  p.say(a, [data(2)], 'again 2');
  t.deepEqual(a.texts, [...numbers('m', 1, 5), 'again 1', 'again 2']);
  a.take();
  world.run(500);
  t.deepEqual(a.take(), ['ACK 2 conn 0 ts 2']);
});

test('within a view another first message with the id of the connection in use is not believed for 10 s', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1);
  world.run(9_000);
  p.say(a, [data(1)], 'again 1');
  t.deepEqual(a.texts, ['m1']);
  t.is(a.stack.counters.staleConnections, 1);
  p.data(a, 2);
  world.run(9_999);
  p.say(a, [data(1)], 'again 1');
  t.deepEqual(a.texts, ['m1', 'm2']);
  world.run(1);
  p.say(a, [data(1)], 'again 1');
  t.deepEqual(a.texts, ['m1', 'm2', 'again 1']);
});

test('the first message sent again is a duplicate, whenever it comes', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1);
  p.data(a, 2);
  a.install(2, [a]);
  a.install(3, [a, p]);
  p.data(a, 1);
  world.run(30_000);
  p.data(a, 1);
  t.deepEqual(a.texts, ['m1', 'm2']);
  t.is(a.stack.counters.duplicates, 2);
});

test('a member whose address tells of a later view is another process: both connections begin anew', (t) => {
  const world = new World();
  const a = world.member();
  const before = addressOf(99, 1);
  const now = addressOf(99, 3);
  a.install(1, [a, { address: before }]);
  a.send({ address: before }, 'one');
  const say = (src: Address, text: string): void =>
    a.handle(single({ dest: a.address, src, flags: 0, headers: [data(1)], payload: Buffer.from(text) }));
  say(before, 'same words');
  a.install(2, [a]);
  a.install(3, [a, { address: now }]);
  a.take();
  say(now, 'same words');
  a.send({ address: now }, 'two');
  t.deepEqual(a.texts, ['same words', 'same words']);
  t.deepEqual(a.take(), ['DATA 1 conn 1 first']);
});

test('acks of a process that was restarted count, though its timestamps begin at 1 again', (t) => {
  const { a, p, world } = pair();
  a.send(p, 'one');
  p.say(a, [{ protocol: 'UNICAST3', type: 'ACK', seqno: 1, connId: 0, timestamp: 5_000 }]);
  a.install(2, [a]);
  a.install(3, [a, p]);
  a.send(p, 'two');
  a.take();
  p.say(a, [{ protocol: 'UNICAST3', type: 'SEND_FIRST_SEQNO', timestamp: 1 }], null, Flag.OOB);
  t.deepEqual(a.take(), ['DATA 2 conn 0 first']);
  p.say(a, [{ protocol: 'UNICAST3', type: 'ACK', seqno: 2, connId: 0, timestamp: 2 }]);
  t.is(a.acked.messages, 2);
  world.run(2_000);
  t.deepEqual(a.take(), []);
});

// --- ends of number ranges ----------------------------------------------------------------------------------

test('seqnos up to 2^53-1 are delivered, acknowledged and asked for', (t) => {
  const { a, p, world } = pair();
  const last = Number.MAX_SAFE_INTEGER;
  p.data(a, last - 4, 0, true);
  p.data(a, last - 3);
  p.data(a, last);
  world.run(500);
  t.deepEqual(a.take(), [`ACK ${last - 3} conn 0 ts 1`]);
  world.run(500);
  t.deepEqual(a.take(), [`XMIT_REQ ${last - 2},${last - 1}`]);
  p.data(a, last - 2);
  p.data(a, last - 1);
  t.deepEqual(
    a.texts,
    [last - 4, last - 3, last - 2, last - 1, last].map((seqno) => `m${seqno}`),
  );
  world.run(500);
  t.deepEqual(a.take(), [`ACK ${last} conn 0 ts 2`]);
});

test('a compressed long of eight bytes: as small as it may be, or past 2^53, which is malformed and named', (t) => {
  const { a, p } = pair();
  const datagram = single(p.message(a, [data(1)], 'x'));
  // the header: type 0, then 01 01 for seqno 1
  const at = datagram.indexOf(Buffer.from('0040006b000101', 'hex')) + 5;
  t.true(at > 5);
  const withSeqno = (hex: string): Buffer =>
    Buffer.concat([datagram.subarray(0, at), Buffer.from(`08${hex}`, 'hex'), datagram.subarray(at + 2)]);
  a.handle(withSeqno('0100000000000000'), p.port);
  t.deepEqual(a.texts, ['x']);
  a.handle(withSeqno('0000000000002000'), p.port); // 2^53
  a.handle(withSeqno('ffffffffffffffff'), p.port); // -1
  t.is(a.stack.counters.malformed, 2);
  t.regex(a.complaints[0] ?? '', /^malformed 127\.0\.0\.1:41099: .*2\^53/);
});

test('connection ids wrap on both sides: 32767, then 0, which is the newer one', (t) => {
  const { a, p } = pair();
  p.say(a, [data(1, 32_767)], 'last');
  p.say(a, [data(1, 0)], 'first');
  p.say(a, [data(1, 32_767)], 'last');
  t.deepEqual(a.texts, ['last', 'first']);
  t.is(a.stack.counters.staleConnections, 1);
});

// --- large messages, few credits ----------------------------------------------------------------------------

for (const [what, config, size] of [
  ['larger than all credits', { maxCredits: 20_000 }, 30_000],
  ['fragments larger than all credits', { maxCredits: 20_000, fragSize: 25_000 }, 200_000],
  ['between the threshold and all credits', { maxCredits: 20_000, minThreshold: 0.25 }, 12_000],
  ['all credits of a threshold of nothing', { maxCredits: 20_000, minThreshold: 0 }, 15_000],
] as const) {
  for (const toGroup of [false, true]) {
    test(`messages ${what} ${toGroup ? 'to the group' : 'to one'}: none hangs, none waits for 5 s`, (t) => {
      const world = new World();
      const group = {
        multicast: 'unicasts',
        protocols: ['NAKACK2', 'UNICAST3', 'STABLE', 'UFC', 'MFC', 'FRAG2'],
      } as const;
      const [a, b] = world.members(2, toGroup ? { ...config, ...group } : config) as [Member, Member];
      for (let i = 0; i < 20; i++) {
        if (toGroup) a.sendToGroup(Buffer.alloc(size, i));
        else a.send(b, Buffer.alloc(size, i));
      }
      world.run(0);
      t.deepEqual(
        b.delivered.map(({ payload }) => [payload.length, payload[0]]),
        Array.from({ length: 20 }, (_, i) => [size, i]),
      );
      t.true(a.stack.counters.blocked > 0, 'flow control was at work');
    });
  }
}

test('the request of a sender that its receiver would let starve keeps the order behind what was sent', (t) => {
  const { a, p } = pair({ maxCredits: 20_000, minThreshold: 0.25 });
  a.send(p, Buffer.alloc(12_000));
  a.send(p, Buffer.alloc(12_000));
  const [first, request, ...more] = a.takeSent();
  t.deepEqual(more, []);
  t.is(first?.text, 'DATA 1 conn 0 first');
  t.is(request?.text, 'DATA 2 conn 0 CREDIT_REQUEST 12000');
  t.is(messageOf(request).flags, Flag.DONT_BUNDLE | Flag.INTERNAL, 'not OOB');
});

test('without credits control messages, NO_FC and unreliable ones flow', (t) => {
  const { a, p, world } = pair({ maxCredits: 10_000 });
  a.send(p, Buffer.alloc(10_000));
  a.send(p, Buffer.alloc(10_000));
  a.take();
  a.send(p, 'high', Flag.DONT_BUNDLE | Flag.OOB | Flag.NO_FC | Flag.SKIP_BARRIER);
  a.send(p, 'unreliable', Flag.DONT_BUNDLE | Flag.OOB | Flag.NO_FC | Flag.NO_RELIABILITY);
  t.deepEqual(a.take(), ['DATA 2 conn 0', 'plain']);
  p.say(a, [data(1)], Buffer.alloc(8_000));
  t.deepEqual(a.take(), ['DATA 3 conn 0 REPLENISH 8000'], 'credits of ours for others');
  p.data(a, 3);
  world.run(1_000);
  const kinds = a.take().map((text) => text.split(' ', 1)[0]);
  t.true(kinds.includes('ACK'));
  t.true(kinds.includes('XMIT_REQ'));
  t.true(kinds.includes('DATA'), 'the last message again');
  t.deepEqual(a.stack.peerStats(keyOf(p), world.nowMs).queue, 1);
  world.run(4_000);
  t.true(a.take().some((text) => text.includes('CREDIT_REQUEST 10000')));
});

test('fragments that never get complete: bounded, named, and gone with the member', (t) => {
  const { a, p } = pair();
  let seqno = 0;
  for (let id = 1; id <= 5_000; id++) {
    const header: Header = { protocol: 'FRAG2', id, fragNo: 0, numFrags: 2 };
    p.say(a, [header, data(++seqno)], Buffer.alloc(60_000));
  }
  t.deepEqual(a.delivered, []);
  const most = Math.floor((256 * 1024 * 1024) / 60_256);
  t.is(a.stack.counters.fragmentsDropped, 5_000 - most);
  t.is(a.stack.peerStats(keyOf(p), 0).malformed, 5_000 - most);
  t.regex(a.complaints[0] ?? '', new RegExp(`^protocol ${keyOf(p)}: fragment 0 of 2 .* does not fit`));
  a.install(2, [a]);
  a.install(3, [a, p]);
  p.say(a, [{ protocol: 'FRAG2', id: 1, fragNo: 1, numFrags: 2 }, data(++seqno)], 'rest');
  p.say(a, [{ protocol: 'FRAG2', id: 1, fragNo: 0, numFrags: 2 }, data(++seqno)], 'new ');
  t.deepEqual(a.texts, ['new rest']);
});
