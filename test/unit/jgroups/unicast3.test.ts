/** UNICAST3 in virtual time; what is expected is WIRE-3.6 section 5. Ticks are at 500, 1000, ... ms. */

import test from 'ava';

import { type Address, Flag, type Header } from '../../../codecs/jgroups/message.ts';
import { encodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { ack, addressOf, data, keyOf, type Member, messageOf, type Puppet, World } from './world.ts';

const XMIT_REQ: Header = { protocol: 'UNICAST3', type: 'XMIT_REQ' };

/** One real member and a puppet that is in its view. */
function pair(config = {}): { world: World; a: Member; p: Puppet } {
  const world = new World();
  const a = world.member(config);
  const p = world.puppet();
  a.view(p);
  return { world, a, p };
}

function sendMany(a: Member, to: { readonly address: Address }, count: number): void {
  for (let i = 1; i <= count; i++)
    a.stack.send(to.address, Buffer.from(`m${i}`), Flag.DONT_BUNDLE, a.world.nowMs);
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `m${from + i}`);

// --- connections and the first flag -------------------------------------------------------------------------

test('each destination has a connection id of its own; only seqno 1 is the first', (t) => {
  const { a, p, world } = pair();
  const q = world.puppet(98);
  sendMany(a, p, 2);
  sendMany(a, q, 1);
  sendMany(a, p, 1);
  t.deepEqual(a.take(), ['DATA 1 conn 0 first', 'DATA 2 conn 0', 'DATA 1 conn 1 first', 'DATA 3 conn 0']);
});

test('connection ids wrap to 0 after 32767', (t) => {
  const world = new World();
  const a = world.member();
  for (let n = 0; n < 32_768; n++) sendMany(a, { address: addressOf(n + 2) }, 1);
  const last = a.take();
  t.is(last.at(-1), 'DATA 1 conn 32767 first');
  sendMany(a, { address: { ...addressOf(1), port: 1, uuid: 'ff'.repeat(16) } }, 1);
  t.deepEqual(a.take(), ['DATA 1 conn 0 first']);
});

test("a window starts at whatever seqno its first message has, and the sender's answers need no order", (t) => {
  const { a, p, world } = pair();
  p.data(a, 5, 7, true);
  p.data(a, 7, 7);
  p.data(a, 6, 7);
  t.deepEqual(a.texts, numbers(5, 7));
  world.run(500);
  t.deepEqual(a.take(), ['ACK 7 conn 7 ts 1']);
});

test('a new connection id with the first flag replaces the window', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1);
  p.data(a, 3);
  p.data(a, 1, 1);
  p.data(a, 2, 1);
  t.deepEqual(a.texts, ['m1', 'm1', 'm2']);
  world.run(500);
  t.deepEqual(a.take(), ['ACK 2 conn 1 ts 1']);
});

test('a late duplicate of an older connection changes nothing', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1, 3);
  p.data(a, 2, 3);
  p.data(a, 1, 5);
  p.data(a, 2, 5);
  p.data(a, 1, 3); // was replaced
  p.data(a, 1, 4); // was never seen
  p.data(a, 3, 5);
  t.deepEqual(a.texts, ['m1', 'm2', 'm1', 'm2', 'm3']);
  t.is(a.stack.counters.staleConnections, 2);
  world.run(500);
  t.deepEqual(a.take(), ['ACK 3 conn 5 ts 1']);
});

test('ids wrap: 32767 is older than 0, and 0 newer than 32767', (t) => {
  const { a, p } = pair();
  p.data(a, 1, 32_767);
  p.data(a, 1, 0);
  p.data(a, 1, 32_767);
  p.data(a, 2, 0);
  t.deepEqual(a.texts, ['m1', 'm1', 'm2']);
});

test('a late duplicate of a closed connection is not delivered again', (t) => {
  const { a, p } = pair();
  p.data(a, 1, 3);
  p.say(a, [{ protocol: 'UNICAST3', type: 'CLOSE', connId: 3 }], null, Flag.INTERNAL);
  p.data(a, 1, 3);
  p.data(a, 1, 2);
  t.deepEqual(a.texts, ['m1']);
  p.data(a, 1, 4);
  t.deepEqual(a.texts, ['m1', 'm1']);
});

test('a peer that was restarted under its old uuid is heard once its old connection is quiet for 10 s', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1, 3);
  world.run(9_999);
  p.data(a, 1, 0);
  t.is(a.texts.length, 1);
  world.run(1);
  p.data(a, 1, 0);
  p.data(a, 2, 0);
  t.deepEqual(a.texts, ['m1', 'm1', 'm2']);
});

test('without a connection data is dropped, and its first message asked for at most once in 2 s', (t) => {
  const { a, p, world } = pair();
  p.data(a, 2, 3);
  p.data(a, 3, 3);
  t.deepEqual(a.take(), ['SEND_FIRST_SEQNO ts 1']);
  world.run(1_999);
  p.data(a, 4, 3);
  t.deepEqual(a.take(), []);
  world.run(1);
  p.data(a, 5, 3);
  t.deepEqual(a.take(), ['SEND_FIRST_SEQNO ts 2']);
  t.deepEqual(a.texts, []);
  t.is(a.stack.counters.noConnection, 4);
  p.data(a, 2, 3, true);
  t.deepEqual(a.texts, ['m2']);
});

test('another connection id without the first flag is dropped and asked about; the old window stays', (t) => {
  const { a, p } = pair();
  p.data(a, 1);
  p.data(a, 9, 4);
  t.deepEqual(a.take(), ['SEND_FIRST_SEQNO ts 1']);
  p.data(a, 2);
  t.deepEqual(a.texts, ['m1', 'm2']);
});

test('SEND_FIRST_SEQNO is answered by the lowest unacknowledged message, flagged first; by nothing if there is none', (t) => {
  const { a, p } = pair();
  const sendFirst = (timestamp: number): void =>
    p.say(a, [{ protocol: 'UNICAST3', type: 'SEND_FIRST_SEQNO', timestamp }], null, Flag.OOB);
  sendFirst(1); // there is no connection yet
  sendMany(a, p, 3);
  p.say(a, [ack(1, 0, 10)]);
  a.take();
  sendFirst(11);
  t.deepEqual(a.take(), ['DATA 2 conn 0 first']);
  sendFirst(11); // a duplicate
  sendFirst(9);
  t.deepEqual(a.take(), []);
  p.say(a, [ack(3, 0, 12)]);
  sendFirst(13);
  t.deepEqual(a.take(), []);
});

test('a receiver that forgot its window gets what is missing, and nothing twice', (t) => {
  const world = new World();
  const [a, b] = world.members(2) as [Member, Member];
  sendMany(a, b, 4);
  world.run(500);
  t.deepEqual(a.acked.messages, 4);
  b.view(); // without a: closing, and removed after 10 s
  world.run(10_500);
  b.view(a);
  a.take();
  a.send(b, 'm5');
  a.send(b, 'm6');
  world.run(3_000);
  t.deepEqual(b.texts, numbers(1, 6));
  t.is(a.acked.messages, 6);
});

// --- acknowledgements ---------------------------------------------------------------------------------------

test('a single message is acknowledged at the next tick, all of them by one ack', (t) => {
  const { a, p, world } = pair();
  for (let seqno = 1; seqno <= 20; seqno++) p.data(a, seqno);
  world.run(499);
  t.deepEqual(a.take(), []);
  world.run(1);
  t.deepEqual(a.take(), ['ACK 20 conn 0 ts 1']);
  world.run(5_000);
  t.deepEqual(a.take(), []);
  p.data(a, 20); // our ack may have been lost
  world.run(500);
  t.deepEqual(a.take(), ['ACK 20 conn 0 ts 2']);
  t.is(a.stack.counters.duplicates, 1);
  t.is(a.texts.length, 20);
});

test('an ack tells what can be delivered, not what was received', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1);
  p.data(a, 2);
  p.data(a, 5);
  world.run(500);
  t.deepEqual(a.take(), ['ACK 2 conn 0 ts 1']);
});

test('five messages in one bundle are acknowledged at once, four at the tick', (t) => {
  const { a, p, world } = pair();
  const messages = (from: number, to: number) =>
    numbers(from, to).map((text, i) => p.message(a, [data(from + i)], text));
  p.bundle(a, messages(1, 4));
  t.deepEqual(a.take(), []);
  world.run(500);
  t.deepEqual(a.take(), ['ACK 4 conn 0 ts 1']);
  p.bundle(a, messages(5, 9));
  world.run(0);
  t.deepEqual(a.take(), ['ACK 9 conn 0 ts 2']);
  world.run(500);
  t.deepEqual(a.take(), []);
  t.deepEqual(a.texts, numbers(1, 9));
});

test('bundles that come in one turn are acknowledged by one ack; one behind a gap at once, and each', (t) => {
  const { a, p, world } = pair();
  const messages = (from: number, to: number) =>
    numbers(from, to).map((text, i) => p.message(a, [data(from + i)], text));
  for (const from of [1, 6, 11]) p.bundle(a, messages(from, from + 4));
  t.deepEqual(a.take(), []);
  world.run(0);
  t.deepEqual(a.take(), ['ACK 15 conn 0 ts 1']);
  p.bundle(a, messages(16, 20));
  for (const from of [22, 27]) p.bundle(a, messages(from, from + 4));
  t.deepEqual(a.take(), ['ACK 20 conn 0 ts 2', 'ACK 20 conn 0 ts 3']);
  world.run(0);
  t.deepEqual(a.take(), []);
});

test('a bundle is split by OOB and INTERNAL: only messages of one kind add up to a batch', (t) => {
  const { a, p } = pair();
  p.bundle(
    a,
    [1, 2, 3, 4, 5, 6].map((seqno) =>
      p.message(a, [data(seqno)], `m${seqno}`, seqno % 2 === 0 ? Flag.OOB : 0),
    ),
  );
  t.deepEqual(a.take(), []);
  t.deepEqual(a.texts.toSorted(), numbers(1, 6));
});

test('acks are cumulative; stale ones, of another connection, and beyond what was sent do no harm', (t) => {
  const { a, p } = pair();
  sendMany(a, p, 5);
  p.say(a, [ack(2, 0, 100)]);
  t.is(a.acked.messages, 2);
  p.say(a, [ack(4, 0, 100)]);
  p.say(a, [ack(4, 0, 99)]);
  p.say(a, [ack(5, 1, 200)]);
  t.is(a.acked.messages, 2);
  p.say(a, [ack(1_000_000, 0, 101)]);
  t.deepEqual(a.acked, { messages: 5, bytes: 10 });
  a.send(p, 'next');
  t.is(a.take().at(-1), 'DATA 6 conn 0');
  p.say(a, [ack(6, 0, 102)]);
  t.is(a.acked.messages, 6);
});

test('an ack of somebody else, or before anything was sent, is ignored', (t) => {
  const { a, p, world } = pair();
  p.say(a, [ack(3, 0, 1)]);
  sendMany(a, p, 1);
  world.puppet(50).say(a, [ack(1, 0, 5)]);
  t.is(a.acked.messages, 0);
});

// --- gaps and resends ---------------------------------------------------------------------------------------

test('a gap is asked for at the second tick that sees it, then at each tick; later gaps wait for their own', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1);
  p.data(a, 4);
  world.run(500);
  t.deepEqual(a.take(), ['ACK 1 conn 0 ts 1']);
  p.data(a, 6);
  world.run(500);
  t.deepEqual(a.take(), ['ACK 1 conn 0 ts 2', 'XMIT_REQ 2,3']);
  world.run(500);
  t.deepEqual(a.take(), ['XMIT_REQ 2,3,5']);
  world.run(500);
  t.deepEqual(a.take(), ['XMIT_REQ 2,3,5']);
  for (const seqno of [2, 3, 5]) p.data(a, seqno);
  t.deepEqual(a.texts, numbers(1, 6));
  world.run(500);
  t.deepEqual(a.take(), ['ACK 6 conn 0 ts 3']);
  p.data(a, 8);
  world.run(500);
  t.deepEqual(a.take(), ['ACK 6 conn 0 ts 4'], 'a gap closed: the next one starts anew');
});

test('what is asked for is resent as it was, flags and first flag included; the rest of the list is ignored', (t) => {
  const { a, p } = pair();
  const sent = [0, Flag.OOB, Flag.NO_FC].map((flags) => {
    a.stack.send(p.address, Buffer.from('x'), flags | Flag.DONT_BUNDLE, 0);
    return (a.takeSent()[0] as { bytes: Buffer }).bytes;
  });
  p.say(a, [XMIT_REQ], encodeSeqnoList([1, 3, 4, 70], 71), Flag.OOB | Flag.INTERNAL);
  t.deepEqual(
    a.takeSent().map(({ bytes }) => bytes),
    [sent[0], sent[2]],
  );
  p.say(a, [ack(3, 0, 1)]);
  p.say(a, [XMIT_REQ], encodeSeqnoList([1, 2, 3], 4), Flag.OOB | Flag.INTERNAL);
  t.deepEqual(a.take(), []);
});

test('the last message is resent when a whole tick brought neither an ack nor another message', (t) => {
  const { a, p, world } = pair();
  sendMany(a, p, 3);
  world.run(500);
  t.is(a.take().length, 3);
  world.run(500);
  t.deepEqual(a.take(), ['DATA 3 conn 0']);
  p.say(a, [ack(2, 0, 1)]);
  world.run(500);
  t.deepEqual(a.take(), []);
  world.run(500);
  t.deepEqual(a.take(), ['DATA 3 conn 0']);
  p.say(a, [ack(3, 0, 2)]);
  world.run(5_000);
  t.deepEqual(a.take(), []);
});

test('malformed and huge retransmission requests are counted and cost nothing', (t) => {
  const { a, p } = pair();
  sendMany(a, p, 2);
  a.take();
  const request = (payload: Buffer | null): void => p.say(a, [XMIT_REQ], payload, Flag.OOB | Flag.INTERNAL);
  request(Buffer.from('0100', 'hex'));
  request(Buffer.from('01ffffffff0000000000000001', 'hex'));
  request(Buffer.from('017fffffff0000000000000001', 'hex')); // 2^31 bits in 13 bytes
  request(Buffer.from('02', 'hex'));
  request(null);
  t.deepEqual(a.take(), []);
  t.is(a.stack.counters.malformed, 5);
  t.is(a.complaints.length, 5);
  t.regex(a.complaints[0] ?? '', new RegExp(`^protocol ${keyOf(p)}: .*malformed`));
  request(
    encodeSeqnoList(
      Array.from({ length: 400_000 }, (_, i) => i + 1),
      400_001,
    ),
  );
  t.deepEqual(a.take(), ['DATA 1 conn 0 first', 'DATA 2 conn 0']);
});

test('what is too far ahead of a gap is dropped, not acknowledged, and taken later', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1);
  p.data(a, 300_000);
  t.is(a.stack.counters.beyondWindow, 1);
  world.run(1_000);
  t.deepEqual(a.take(), ['ACK 1 conn 0 ts 1']);
  p.data(a, 2 ** 53 - 1);
  t.is(a.stack.counters.beyondWindow, 2);
  p.data(a, 262_145);
  world.run(500);
  t.is(a.texts.length, 1);
  world.run(500);
  const requests = a.take();
  t.is(requests.filter((text) => text.startsWith('XMIT_REQ')).length, 1);
});

test('64 MiB may wait behind a gap, more is dropped and taken later', (t) => {
  const { a, p } = pair();
  const big = Buffer.alloc(60_000);
  p.data(a, 1);
  for (let seqno = 3; seqno < 1_303; seqno++) p.say(a, [data(seqno)], big);
  t.is(a.stack.counters.beyondWindow, 1_300 - Math.floor((64 * 1024 * 1024) / 60_256));
  t.is(a.delivered.length, 1);
  p.say(a, [data(2)], big);
  t.is(a.delivered.length + a.stack.counters.beyondWindow, 1_302);
  for (let seqno = a.delivered.length + 1; seqno < 1_303; seqno++) p.say(a, [data(seqno)], big);
  t.is(a.delivered.length, 1_302);
});

test('a message without a number is refused', (t) => {
  const { a, p, world } = pair();
  p.data(a, 0, 0, true, Flag.OOB);
  t.is(a.stack.counters.rejected, 1);
  t.regex(a.complaints[0] ?? '', /seqno 0/);
  world.run(500);
  t.deepEqual(a.take(), []);
});

// --- OOB -----------------------------------------------------------------------------------------------------

test('OOB messages are delivered on arrival, once; their slots are passed over later', (t) => {
  const { a, p } = pair();
  p.data(a, 1);
  p.data(a, 3, 0, false, Flag.OOB);
  p.data(a, 4);
  t.deepEqual(a.texts, ['m1', 'm3']);
  p.data(a, 3, 0, false, Flag.OOB);
  p.data(a, 2);
  t.deepEqual(a.texts, ['m1', 'm3', 'm2', 'm4']);
  p.data(a, 3, 0, false, Flag.OOB);
  t.is(a.texts.length, 4);
  t.is(a.stack.counters.duplicates, 2);
});

test('unreliable messages have no seqno and are delivered as they come', (t) => {
  const { a, p } = pair();
  a.stack.send(p.address, Buffer.from('u'), Flag.NO_RELIABILITY | Flag.OOB | Flag.DONT_BUNDLE, 0);
  t.deepEqual(a.take(), ['plain']);
  p.say(a, [], 'u', Flag.NO_RELIABILITY);
  p.say(a, [data(9, 3)], 'v', Flag.NO_RELIABILITY);
  t.deepEqual(a.texts, ['u', 'v']);
  t.is(a.acked.messages, 0);
});

// --- closing -------------------------------------------------------------------------------------------------

test('CLOSE with the right connection id drops the window', (t) => {
  const { a, p } = pair();
  p.data(a, 1);
  p.say(a, [{ protocol: 'UNICAST3', type: 'CLOSE', connId: 1 }], null, Flag.INTERNAL);
  p.data(a, 2);
  t.deepEqual(a.texts, ['m1', 'm2']);
  p.say(a, [{ protocol: 'UNICAST3', type: 'CLOSE', connId: 0 }], null, Flag.INTERNAL);
  p.data(a, 3);
  t.deepEqual(a.take(), ['SEND_FIRST_SEQNO ts 1']);
  p.data(a, 1, 1);
  t.deepEqual(a.texts, ['m1', 'm2', 'm1']);
});

test('a member that leaves is sent to for 10 s more, then forgotten; the next connection is a new one', (t) => {
  const { a, p, world } = pair();
  sendMany(a, p, 2);
  a.view();
  world.run(9_999);
  t.is(a.take().at(-1), 'DATA 2 conn 0');
  world.run(501);
  a.take();
  world.run(5_000);
  t.deepEqual(a.take(), []);
  a.view(p);
  sendMany(a, p, 1);
  t.deepEqual(a.take(), ['DATA 1 conn 1 first']);
});

test('what was pending when a member left counts as nothing, even if it comes back and acknowledges', (t) => {
  const { a, p, world } = pair();
  sendMany(a, p, 3);
  a.view();
  world.run(5_000);
  a.view(p);
  world.run(20_000);
  a.take();
  a.send(p, 'again');
  t.deepEqual(a.take(), ['DATA 4 conn 0']);
  p.say(a, [ack(3, 0, 1)]);
  t.is(a.acked.messages, 0);
  p.say(a, [ack(4, 0, 2)]);
  t.deepEqual(a.acked, { messages: 1, bytes: 5 });
});

test('the window of a member that left and came back within 10 s goes on', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1);
  a.view();
  world.run(9_000);
  a.view(p);
  world.run(20_000);
  p.data(a, 1);
  p.data(a, 2);
  t.deepEqual(a.texts, ['m1', 'm2']);
});

test('the window of a member that left is dropped after 10 s', (t) => {
  const { a, p, world } = pair();
  p.data(a, 1);
  world.run(500);
  a.view();
  world.run(10_500);
  a.take();
  p.data(a, 2);
  t.deepEqual(a.take(), ['SEND_FIRST_SEQNO ts 2']);
});

test('somebody who never was a member is given up after 60 s, and forgotten 10 s later', (t) => {
  const world = new World();
  const a = world.member();
  sendMany(a, world.puppet(), 1);
  world.run(69_999);
  t.is(a.take().at(-1), 'DATA 1 conn 0 first');
  world.run(1_001);
  a.take();
  world.run(10_000);
  t.deepEqual(a.take(), []);
});

test('an idle connection is closed with a word to the member, a new one opened on use', (t) => {
  const { a, p, world } = pair({ connExpiryTimeoutMs: 20_000 });
  sendMany(a, p, 1);
  p.say(a, [ack(1, 0, 1)]);
  a.take();
  world.run(31_000);
  t.deepEqual(a.take(), ['CLOSE conn 0']);
  sendMany(a, p, 1);
  t.deepEqual(a.take(), ['DATA 1 conn 1 first']);
});

test('a connection with unacknowledged messages to a member is not idle, however long it takes', (t) => {
  const { a, p, world } = pair({ connExpiryTimeoutMs: 20_000 });
  sendMany(a, p, 2);
  world.run(300_000);
  a.take();
  world.run(500);
  t.deepEqual(a.take(), ['DATA 2 conn 0']);
  p.say(a, [ack(2, 0, 1)]);
  t.is(a.acked.messages, 2);
  a.take();
  world.run(31_000);
  t.deepEqual(a.take(), ['CLOSE conn 0']);
});

test('1000 strangers may open connections, one more may not; members always may', (t) => {
  const { a, p, world } = pair();
  for (let n = 0; n < 1_000; n++) world.puppet(1_000 + n).data(a, 1);
  world.puppet(5_000).data(a, 1);
  p.data(a, 1);
  t.is(a.delivered.length, 1_001);
  t.is(a.stack.counters.rejected, 1);
  t.regex(a.complaints.join('\n'), /1000 others/);
  a.view(p); // strangers are closed by the next view
  world.run(11_000);
  world.puppet(5_000).data(a, 1);
  t.is(a.delivered.length, 1_002);
});

test('1000 members that have connections leave strangers all their room', (t) => {
  const { a, world } = pair();
  const members = Array.from({ length: 1_000 }, (_, n) => world.puppet(1_000 + n));
  a.view(...members);
  for (const member of members) member.data(a, 1);
  world.puppet(5_000).data(a, 1);
  t.is(a.delivered.length, 1_001);
  t.is(a.stack.counters.rejected, 0);
});

// --- two stacks over a bad network --------------------------------------------------------------------------

test('two stacks lose, repeat and swap datagrams: all messages arrive once and in order', (t) => {
  const world = new World();
  const [a, b] = world.members(2) as [Member, Member];
  let n = 0;
  world.lose = () => ++n % 7 === 0 || n % 11 === 0;
  for (let round = 0; round < 50; round++) {
    for (let i = 1; i <= 10; i++) {
      a.send(b, `a${round * 10 + i}`);
      b.send(a, `b${round * 10 + i}`);
    }
    const [last] = a.sent.slice(-1);
    if (last !== undefined) world.carry(a, last); // a duplicate
    world.run(100);
  }
  world.run(30_000);
  t.deepEqual(
    b.texts,
    Array.from({ length: 500 }, (_, i) => `a${i + 1}`),
  );
  t.deepEqual(
    a.texts,
    Array.from({ length: 500 }, (_, i) => `b${i + 1}`),
  );
  t.is(a.acked.messages, 500);
  t.is(b.acked.messages, 500);
  t.true(a.stack.counters.xmitRequestsSent > 0);
  t.true(a.stack.counters.retransmitted > 0);
});

test('control messages have the flags of the wire reference', (t) => {
  const { a, p, world } = pair();
  p.data(a, 2, 5);
  p.data(a, 1);
  p.data(a, 3);
  world.run(1_000);
  const flags = a.takeSent().map((sent) => [sent.text.split(' ')[0], messageOf(sent).flags]);
  t.deepEqual(flags, [
    ['SEND_FIRST_SEQNO', Flag.OOB],
    ['ACK', Flag.INTERNAL],
    ['XMIT_REQ', Flag.OOB | Flag.INTERNAL],
  ]);
});
