/** NAKACK2 in virtual time; what is expected is WIRE-3.6 section 6. Ticks are at 500, 1000, ... ms. */

import test from 'ava';

import { Flag, type Header } from '../../../codecs/jgroups/message.ts';
import { digestOf, gossip, highestSeqno, numbers, pair, QUIET, request } from './group-world.ts';
import { digestText, GROUP_PORT, keyOf, type Member, messageOf, World } from './world.ts';

const known = (member: Pick<Member, 'stack'>): string => digestText(member.stack.digest() ?? digestOf());

// --- sending ------------------------------------------------------------------------------------------------

test('the same bytes to each other member, numbered from 1, and none to oneself', (t) => {
  const world = new World();
  const [a] = world.members(3, QUIET) as [Member];
  a.sendToGroup('m1');
  a.sendToGroup('m2');
  const sent = a.takeSent();
  t.deepEqual(
    sent.map(({ text, port }) => `${text} to ${port - 41_000}`),
    ['MSG 1 to 2', 'MSG 1 to 3', 'MSG 2 to 2', 'MSG 2 to 3'],
  );
  t.is(sent[0]?.bytes, sent[1]?.bytes);
  t.is(sent[0]?.bytes[2], 2, 'the datagram says MULTICAST');
  t.is(messageOf(sent[0]).dest, null);
});

test('with a multicast address one datagram goes there', (t) => {
  const { a } = pair({ multicast: { address: '239.192.81.1', port: 10_334 } });
  a.sendToGroup('m1');
  t.deepEqual(
    a.takeSent().map(({ text, port }) => [text, port]),
    [['MSG 1', GROUP_PORT]],
  );
});

test('unreliable group messages have no seqno, unicasts pass by', (t) => {
  const { a, p } = pair();
  a.sendToGroup('u', Flag.DONT_BUNDLE | Flag.OOB | Flag.NO_RELIABILITY);
  a.send(p, 'x');
  t.deepEqual(a.take(), ['plain', 'DATA 1 conn 0 first']);
  p.cry(a, [], 'u', Flag.OOB | Flag.NO_RELIABILITY);
  t.deepEqual(a.texts, ['u']);
});

test('own messages come back only if wanted, in order, and not within the call that sends them', (t) => {
  const { a, world } = pair();
  a.sendToGroup('m1', 0, true);
  a.sendToGroup('m2');
  a.sendToGroup(Buffer.alloc(150_000, 1), 0, true);
  t.deepEqual(a.texts, []);
  world.run(0);
  t.deepEqual(
    a.delivered.map(({ payload }) => payload.length),
    [2, 150_000],
  );
  t.false(a.take().some((text) => text.includes('REPLENISH')));
});

test('multicast has to be configured: without it sending to the group is an error, hearing a group a drop', (t) => {
  const world = new World();
  const [a] = world.members(2) as [Member];
  t.throws(() => a.sendToGroup('m1'), { code: 'ERR_MULTICAST' });
  world.puppet().msg(a, 1);
  t.deepEqual(a.texts, []);
  t.is(a.stack.counters.notForUs, 1);
});

// --- receiving ----------------------------------------------------------------------------------------------

test('messages are delivered once and in the order of their sender', (t) => {
  const { a, p } = pair();
  for (const seqno of [1, 2, 2, 5, 3, 1, 5, 4]) p.msg(a, seqno);
  t.deepEqual(a.texts, numbers(1, 5));
  t.is(a.stack.counters.duplicates, 3);
  t.is(known(a), '99:5-5 1:0-0');
});

test('a gap is asked for at the second tick that sees it, of its sender, and at each tick after', (t) => {
  const { a, p, world } = pair();
  for (const seqno of [1, 4, 6]) p.msg(a, seqno);
  world.run(500);
  t.deepEqual(a.take(), []);
  p.msg(a, 9); // 7 and 8 are a new gap
  world.run(500);
  const [first] = a.takeSent();
  t.is(first?.text, 'NAK XMIT_REQ 99: 2,3,5');
  t.is(first?.port, p.port);
  const { flags, dest } = messageOf(first);
  t.is(flags, Flag.OOB | Flag.INTERNAL);
  t.is(dest === null ? '' : keyOf({ address: dest }), keyOf(p));
  world.run(500);
  t.deepEqual(a.take(), ['NAK XMIT_REQ 99: 2,3,5,7,8']);
  for (const seqno of [2, 3, 5, 7, 8]) p.msg(a, seqno, 0, 'XMIT_RSP');
  t.deepEqual(a.texts, numbers(1, 9));
  world.run(5_000);
  t.deepEqual(a.take(), []);
});

test('OOB messages are delivered on arrival, once; their slots are passed over later', (t) => {
  const { a, p } = pair();
  p.msg(a, 3, Flag.OOB);
  p.msg(a, 3, Flag.OOB);
  p.msg(a, 2);
  p.msg(a, 1);
  p.msg(a, 4);
  t.deepEqual(a.texts, ['m3', 'm1', 'm2', 'm4']);
});

test('the messages of a bundle, OOB ones apart; what is no group message goes on to UNICAST3', (t) => {
  const { a, p, world } = pair();
  const message = (seqno: number, flags = 0) =>
    p.message(a, [{ protocol: 'NAKACK2', type: 'MSG', seqno }], `m${seqno}`, flags);
  p.bundle(a, [message(1), message(3), message(4, Flag.OOB), message(2)], true);
  t.deepEqual(a.texts, ['m1', 'm2', 'm3', 'm4']);
  const data = (seqno: number) =>
    p.message(a, [{ protocol: 'UNICAST3', type: 'DATA', seqno, connId: 0, first: seqno === 1 }], `d${seqno}`);
  const answer = p.message(a, [{ protocol: 'NAKACK2', type: 'XMIT_RSP', seqno: 5 }], 'm5');
  p.bundle(a, [data(1), data(2), answer, data(3), data(4), data(5)]);
  t.deepEqual(a.texts.slice(4), ['m5', 'd1', 'd2', 'd3', 'd4', 'd5']);
  world.run(0);
  t.deepEqual(a.take(), ['ACK 5 conn 0 ts 1'], 'five of a bundle are acknowledged at once');
});

test('group messages in fragments', (t) => {
  const world = new World();
  const [a, b] = world.members(2, { ...QUIET, fragSize: 100 }) as [Member, Member];
  let datagrams = 0;
  world.lose = () => ++datagrams === 2;
  a.sendToGroup('x'.repeat(250));
  a.sendToGroup('y');
  world.run(2_000);
  t.deepEqual(b.texts, ['x'.repeat(250), 'y']);
});

test('strangers are not heard: their messages are dropped and counted, their requests not answered', (t) => {
  const { a, world } = pair();
  const q = world.puppet(50);
  q.msg(a, 1);
  highestSeqno(q, a, 7);
  t.regex(a.complaints[0] ?? '', new RegExp(`^protocol ${keyOf(q)}: .*group message 1.* no member`));
  a.sendToGroup('m1');
  a.take();
  request(q, a, a, 1);
  t.deepEqual([a.take(), a.texts], [[], []]);
  t.is(a.stack.counters.fromStrangers, 2);
});

test('a message without a number, or too far ahead, is refused', (t) => {
  const { a, p } = pair();
  p.msg(a, 0);
  t.is(a.stack.counters.rejected, 1);
  p.msg(a, 1);
  p.msg(a, 2 + 262_144);
  t.is(a.stack.counters.beyondWindow, 1);
  p.msg(a, 1 + 262_144);
  t.deepEqual(a.texts, ['m1']);
});

test('numbers may be as large as 2^53-1', (t) => {
  const { a, p, world } = pair();
  const last = Number.MAX_SAFE_INTEGER;
  a.install(2, [p, a, world.puppet(50)], digestOf([world.puppet(50), last - 2, last - 2]));
  world.puppet(50).msg(a, last - 1);
  world.puppet(50).msg(a, last);
  t.is(a.texts.length, 2);
  t.is(known(a), `99:0-0 1:0-0 50:${last}-${last}`);
});

test('what comes before the first view waits for it: the last 50 messages', (t) => {
  const world = new World();
  const a = world.member(QUIET);
  const p = world.puppet();
  for (let seqno = 1; seqno <= 60; seqno++) p.msg(a, seqno);
  t.deepEqual(a.texts, []);
  a.install(1, [p, a], digestOf([p, 10, 10]));
  t.deepEqual(a.texts, numbers(11, 60));
});

// --- retransmission -----------------------------------------------------------------------------------------

test('who asks gets what he asks for and we still have, unchanged but for the type', (t) => {
  const { a, p, world } = pair();
  const q = world.puppet(50);
  a.install(2, [p, a, q]);
  for (const text of numbers(1, 4)) a.sendToGroup(text);
  const [original] = a.takeSent();
  request(q, a, a, 2, 3, 9);
  const answers = a.takeSent();
  t.deepEqual(
    answers.map(({ text, port }) => [text, port]),
    [
      ['XMIT_RSP 2', q.port],
      ['XMIT_RSP 3', q.port],
    ],
  );
  const { headers, payload, flags, src } = messageOf(answers[0]);
  t.is(Buffer.from(payload ?? []).toString(), 'm2');
  t.deepEqual([flags, src], [messageOf(original).flags, messageOf(original).src]);
  t.deepEqual(
    headers.map(({ protocol }) => protocol),
    ['NAKACK2', 'TP'],
  );
  t.is(answers[0]?.bytes[2], 0, 'a unicast');
  t.is(a.stack.counters.retransmitted, 2);
});

test('with use_mcast_xmit the original goes to all again', (t) => {
  const { a, p, world } = pair({ useMcastXmit: true });
  a.install(2, [p, a, world.puppet(50)]);
  a.sendToGroup('m1', Flag.DONT_BUNDLE, true);
  const [original] = a.takeSent();
  request(p, a, a, 1);
  const again = a.takeSent();
  t.deepEqual(
    again.map(({ bytes, port }) => [bytes.equals(original?.bytes ?? bytes), port]),
    [
      [true, p.port],
      [true, world.puppet(50).port],
    ],
  );
  world.run(0);
  t.deepEqual(a.texts, ['m1'], 'and not to us');
});

test('purged messages are not sent again, whoever asks', (t) => {
  const { a, p } = pair();
  for (const text of numbers(1, 3)) a.sendToGroup(text);
  gossip('STABILITY', p, a, digestOf([p, 0, 0], [a, 2, 3]));
  a.take();
  request(p, a, a, 1, 2, 3);
  t.deepEqual(a.take(), ['XMIT_RSP 3']);
});

test('messages of others are sent in their name while we have them: until delivered, or until stable', (t) => {
  for (const [discardDeliveredMsgs, expected] of [
    [true, ['XMIT_RSP 3']],
    [false, ['XMIT_RSP 1', 'XMIT_RSP 3']],
  ] as const) {
    const { a, p, world } = pair({ discardDeliveredMsgs });
    const q = world.puppet(50);
    a.install(2, [p, a, q]);
    p.msg(a, 1, Flag.DONT_BUNDLE);
    p.msg(a, 3, Flag.DONT_BUNDLE);
    request(q, a, p, 1, 2, 3);
    const answers = a.takeSent();
    t.deepEqual(
      answers.map(({ text }) => text),
      expected,
    );
    t.deepEqual(messageOf(answers[0]).src, p.address);
    t.is(answers[0]?.port, q.port);
    gossip('STABILITY', p, a, digestOf([p, 1, 3]), { creator: p.address, id: 2 });
    a.take();
    request(q, a, p, 1);
    t.deepEqual(a.take(), []);
  }
});

test('a malformed request is counted and its sender named', (t) => {
  const { a, p } = pair();
  p.say(a, [{ protocol: 'NAKACK2', type: 'XMIT_REQ', sender: a.address }], Buffer.from([1, 2]), Flag.OOB);
  t.is(a.stack.counters.malformed, 1);
  t.regex(a.complaints[0] ?? '', new RegExp(`^protocol ${keyOf(p)}: .*request is malformed`));
});

test('the last seqno is told once, at the first tick without a message; again while it stays unstable', (t) => {
  const { a, p, world } = pair({ desiredAvgGossipMs: 2_000 });
  const told = (ms: number): string[] => {
    world.run(ms);
    return a.take().filter((text) => text.startsWith('HIGHEST'));
  };
  t.deepEqual(told(2_000), [], 'nothing was sent');
  a.sendToGroup('m1');
  t.deepEqual(told(500), [], 'the message itself tells');
  t.deepEqual(told(500), ['HIGHEST_SEQNO 1']);
  a.sendToGroup('m2');
  t.deepEqual(told(1_000), ['HIGHEST_SEQNO 2']);
  t.deepEqual(told(7_500), []);
  t.deepEqual(told(500), ['HIGHEST_SEQNO 2'], 'four mean gossip intervals later');
  gossip('STABILITY', p, a, digestOf([a, 2, 2]));
  t.deepEqual(told(60_000), []);
});

test('HIGHEST_SEQNO is a group message that is OOB and INTERNAL and has no payload', (t) => {
  const { a, world } = pair();
  a.sendToGroup('m1');
  world.run(1_000);
  const { dest, flags, payload } = messageOf(a.takeSent().at(-1));
  t.deepEqual([dest, flags, payload], [null, Flag.OOB | Flag.INTERNAL, null]);
});

test('who hears of a higher seqno asks for exactly that one, at once', (t) => {
  const { a, p, world } = pair();
  highestSeqno(p, a, 3);
  t.deepEqual(a.take(), ['NAK XMIT_REQ 99: 3']);
  p.msg(a, 3, 0, 'XMIT_RSP');
  highestSeqno(p, a, 3);
  t.deepEqual(a.take(), []);
  world.run(1_000);
  t.deepEqual(a.take(), ['NAK XMIT_REQ 99: 1,2'], 'the others by the usual rule');
});

test('the last messages are lost, and come all the same', (t) => {
  const world = new World();
  const [a, b, c] = world.members(3, QUIET) as [Member, Member, Member];
  a.sendToGroup('m1');
  world.settle();
  world.lose = () => true;
  for (const text of numbers(2, 5)) a.sendToGroup(text);
  world.settle();
  world.lose = () => false;
  world.run(2_500);
  t.deepEqual([b.texts, c.texts], [numbers(1, 5), numbers(1, 5)]);
});

// --- digests ------------------------------------------------------------------------------------------------

test('a joiner with a digest starts behind what it says, whatever it hears first', (t) => {
  const world = new World();
  const a = world.member(QUIET);
  const p = world.puppet();
  a.install(7, [p, a], digestOf([p, 10, 12]));
  p.msg(a, 13);
  p.msg(a, 10);
  t.deepEqual(a.texts, []);
  world.run(1_000);
  t.deepEqual(a.take(), ['NAK XMIT_REQ 99: 11,12']);
  p.msg(a, 11, 0, 'XMIT_RSP');
  p.msg(a, 12, 0, 'XMIT_RSP');
  t.deepEqual(a.texts, numbers(11, 13));
});

test('a digest that comes with a view changes nothing that is known; a merged one skips what is behind', (t) => {
  const { a, p } = pair();
  for (const seqno of [1, 2, 5]) p.msg(a, seqno);
  a.sendToGroup('own');
  a.install(2, [p, a], digestOf([p, 9, 9], [a, 5, 5]));
  t.is(known(a), '99:2-5 1:1-1');
  a.stack.mergeDigest(digestOf([p, 1, 1], [a, 5, 5]));
  t.is(known(a), '99:2-5 1:1-1');
  a.stack.mergeDigest(digestOf([p, 9, 9]));
  t.is(known(a), '99:9-9 1:1-1');
  p.msg(a, 10);
  t.deepEqual(a.texts, ['m1', 'm2', 'm10']);
});

test('a digest without members is in the order of its view', (t) => {
  const world = new World();
  const a = world.member(QUIET);
  const seqnos = [
    { highestDelivered: 4, highestReceived: 4 },
    { highestDelivered: 0, highestReceived: 0 },
  ];
  a.install(7, [world.puppet(), a], { members: null, seqnos });
  t.is(known(a), '99:4-4 1:0-0');
});

test('a digest that is none is an error of who gives it, and changes nothing', (t) => {
  const { a, p } = pair();
  const bad = [
    { members: [p.address], seqnos: [] },
    digestOf([p, 3, 2]),
    digestOf([p, -1, 2]),
    digestOf([p, 0.5, 2]),
    digestOf([p, 0, 2 ** 60]),
    { members: null, seqnos: [{ highestDelivered: 1, highestReceived: 1 }] },
  ];
  for (const digest of bad) t.throws(() => a.install(2, [p, a], digest), { code: 'ERR_DIGEST' });
  for (const digest of bad) t.throws(() => a.stack.mergeDigest(digest), { code: 'ERR_DIGEST' });
  t.is(known(a), '99:0-0 1:0-0');
});

// --- joiners without a digest -------------------------------------------------------------------------------

test('without a digest a fresh sender is heard from its first message on', (t) => {
  const { a, p, world } = pair();
  p.msg(a, 2);
  world.run(1_000);
  t.deepEqual(a.take(), ['NAK XMIT_REQ 99: 1']);
  world.run(500);
  t.deepEqual(a.take(), ['NAK XMIT_REQ 99: 1,2'], 'with one that it has, to know whether it answered');
  p.msg(a, 1, 0, 'XMIT_RSP');
  p.msg(a, 2, 0, 'XMIT_RSP');
  t.deepEqual(a.texts, ['m1', 'm2']);
  t.is(known(a), '99:2-2 1:0-0');
});

test('without a digest: what the sender has no more is given up after ten answers, what it has is not', (t) => {
  const { a, p, world } = pair();
  p.msg(a, 1_007);
  p.msg(a, 1_009);
  world.run(1_000);
  t.regex(a.take()[0] ?? '', /^NAK XMIT_REQ 99: 1,.*,1006,1008$/);
  p.msg(a, 1_008, 0, 'XMIT_RSP');
  t.is(known(a), '99:0-1009 1:0-0', 'nothing may become stable meanwhile');
  for (let round = 1; round <= 11; round++) {
    world.run(500);
    const [asked] = a.take();
    if (round <= 10) t.regex(asked ?? '', /^NAK XMIT_REQ 99: 1,.*,1006,1009$/);
    if (round === 4) continue; // the request or the answer was lost
    p.msg(a, 1_009, 0, 'XMIT_RSP');
  }
  t.deepEqual(a.texts, []);
  world.run(500);
  t.deepEqual(a.texts, numbers(1_007, 1_009));
  t.is(a.stack.counters.givenUp, 1_006);
  world.run(5_000);
  t.deepEqual(a.take(), []);
});

test('without a digest: older messages that come late are all delivered, in order', (t) => {
  const { a, p, world } = pair();
  p.msg(a, 1_010);
  for (let round = 0; round < 9; round++) {
    world.run(500);
    p.msg(a, 1_010, 0, 'XMIT_RSP');
  }
  p.msg(a, 1_008, 0, 'XMIT_RSP'); // the count begins anew
  for (let round = 0; round < 11; round++) {
    world.run(500);
    t.deepEqual(a.texts, []);
    p.msg(a, 1_010, 0, 'XMIT_RSP');
    p.msg(a, 1_009, 0, 'XMIT_RSP');
  }
  world.run(1_000);
  t.deepEqual(a.texts, numbers(1_008, 1_010));
});

test('without a digest: what was heard before the view, with gaps that nobody fills, is thrown away', (t) => {
  const { a, p, world } = pair();
  p.msg(a, 1_000);
  p.msg(a, 1_002);
  p.msg(a, 1_004); // the oldest one that the sender still has
  for (let round = 0; round < 11; round++) {
    t.deepEqual(a.texts, []);
    world.run(500);
    p.msg(a, 1_004, 0, 'XMIT_RSP');
  }
  t.deepEqual(a.texts, ['m1004']);
  p.msg(a, 1_005);
  t.deepEqual(a.texts, ['m1004', 'm1005']);
});

test('without a digest: not even the newest that was heard before the view is still there', (t) => {
  const { a, p, world } = pair();
  p.msg(a, 1_000);
  world.run(2_000);
  p.msg(a, 1_002);
  for (let round = 0; round < 20 && a.texts.length === 0; round++) {
    world.run(500);
    p.msg(a, 1_001, 0, 'XMIT_RSP');
    p.msg(a, 1_002, 0, 'XMIT_RSP');
  }
  t.deepEqual(a.texts, numbers(1_000, 1_002), 'what is complete up to the newest is delivered');
});

test('with a digest that is older than what is stable: the gap is given up, messages before it are not delivered', (t) => {
  const world = new World();
  const a = world.member(QUIET);
  const p = world.puppet();
  a.install(1, [p, a], digestOf([p, 10, 10], [a, 0, 0]));
  for (let round = 0; round < 11; round++) {
    p.msg(a, 12, 0, round === 0 ? 'MSG' : 'XMIT_RSP');
    t.deepEqual(a.texts, []);
    world.run(500);
  }
  t.deepEqual(a.texts, ['m12']);
  t.is(a.stack.counters.givenUp, 1);
});

test('without a digest: a sender of many messages is not asked for all of them', (t) => {
  const { a, p, world } = pair();
  p.msg(a, 10_000_000);
  world.run(1_000);
  const [sent] = a.takeSent();
  t.true((sent?.bytes.length ?? 0) < 9_000);
  for (let round = 0; round < 12; round++) {
    p.msg(a, 10_000_000, 0, 'XMIT_RSP');
    world.run(500);
  }
  t.deepEqual(a.texts, ['m10000000']);
});

// --- views --------------------------------------------------------------------------------------------------

test('a sender that leaves takes its gaps along: what waits behind them is dropped', (t) => {
  const { a, p, world } = pair();
  const q = world.puppet(50);
  a.install(2, [p, a, q]);
  for (const seqno of [1, 2, 4]) q.msg(a, seqno);
  a.install(3, [p, a]);
  world.run(5_000);
  q.msg(a, 3);
  t.deepEqual(a.texts, ['m1', 'm2']);
  t.false(a.take().some((text) => text.includes('XMIT_REQ')));
  t.is(known(a), '99:0-0 1:0-0');
});

test('a member that comes back goes on where it was: nothing is delivered twice', (t) => {
  const { a, p, world } = pair();
  const q = world.puppet(50);
  a.install(2, [p, a, q]);
  for (const seqno of [1, 2, 3]) q.msg(a, seqno);
  a.install(3, [p, a]);
  a.install(4, [p, a, q]);
  q.msg(a, 5);
  world.run(1_000);
  t.deepEqual(a.take(), ['NAK XMIT_REQ 50: 4'], '1 to 3 were here');
  q.msg(a, 4, 0, 'XMIT_RSP');
  t.deepEqual(a.texts, numbers(1, 5));
});

test('one that was restarted under its old uuid is heard from 1 on, but not while it may be a late datagram', (t) => {
  const { a, p, world } = pair();
  const q = world.puppet(50);
  a.install(2, [p, a, q]);
  for (const seqno of [1, 2, 3]) q.msg(a, seqno);
  a.install(3, [p, a]);
  a.install(4, [p, a, q]);
  q.msg(a, 1);
  t.is(a.texts.length, 3);
  world.run(10_000);
  q.msg(a, 1);
  q.msg(a, 2);
  t.deepEqual(a.texts, ['m1', 'm2', 'm3', 'm1', 'm2']);
});

test('a view installed by a handler: nothing more of who is not in it', (t) => {
  const { a, p } = pair();
  for (const seqno of [2, 3, 4]) p.msg(a, seqno);
  a.onDeliver = () => a.install(2, [a]);
  p.msg(a, 1);
  t.deepEqual(a.texts, ['m1']);
});

test('the first message after a view reaches joiners as well', (t) => {
  const world = new World();
  const [a, b] = world.members(2, QUIET) as [Member, Member];
  const c = world.member(QUIET);
  a.sendToGroup('m1');
  world.settle();
  const digest = a.stack.digest() ?? digestOf();
  t.is(digestText(digest), '1:1-1 2:0-0');
  for (const member of [a, b]) member.install(2, [a, b, c]);
  a.sendToGroup('m2'); // before the joiner has the view
  world.settle();
  c.install(2, [a, b, c], digest);
  b.sendToGroup('n1');
  world.run(3_000);
  t.deepEqual(c.texts.toSorted(), ['m2', 'n1']);
  const header: Header = { protocol: 'NAKACK2', type: 'HIGHEST_SEQNO', seqno: 2 };
  world.puppet(1).cry(c, [header], null, Flag.OOB);
  t.deepEqual(
    c.take().filter((text) => text.includes('XMIT_REQ')),
    [],
  );
});
