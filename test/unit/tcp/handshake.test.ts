import test from 'ava';
import { encodeFrame, type Frame } from '../../../codecs/tcp/v1/frame.ts';
import { GoodbyeCode, RejectCode } from '../../../codecs/tcp/v1/frame-types.ts';
import type { Hello } from '../../../codecs/tcp/v1/handshake.ts';
import { PREAMBLE } from '../../../codecs/tcp/v1/limits.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { createView } from '../../../src/protocol/view.ts';
import { MAX_STRANGERS } from '../../../src/tcp/limits.ts';
import { FakeNetwork } from './fake-network.ts';
import { installView, type Member, numbered, numbers, range, startMember } from './members.ts';
import { connectRaw, data, hello, RAW_ID, RawPeer, welcome } from './raw-peer.ts';

async function alone(): Promise<{ network: FakeNetwork; b: Member }> {
  const network = new FakeNetwork();
  const b = await startMember(network, 'b');
  installView(1, [b], [b.id, RAW_ID]);
  return { network, b };
}

/** A member `a` whose view has a peer that the test plays itself: each connection to it ends up in `peers`. */
async function withRawRecipient() {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a');
  const { tcp, port } = network.listen('127.0.0.1', 9);
  const peers: RawPeer[] = [];
  if (tcp === null) throw new Error('no listener');
  tcp.onConnection = (stream) => void peers.push(new RawPeer(stream, true));
  const id = { ...RAW_ID, port };
  installView(1, [a], [a.id, id]);
  const send = (number: number): void =>
    void a.messenger.send({ recipients: [id], payload: numbered(number) });
  return { network, a, id, peers, send };
}

test('accepted: WELCOME says version, id and last seqno; extensions and feature bits unknown to us do no harm', async (t) => {
  const { network, b } = await alone();
  const peer = connectRaw(network, b);
  peer.send(hello(b, { minVersion: 0, maxVersion: 9, features: 0xffffffff, extensions: Buffer.from('new') }));
  network.run(5);
  const [frame] = peer.of('WELCOME');
  t.like(frame, { version: 1, features: 0, lastSeqno: 0, maxFrameBytes: 1024 * 1024 });
  t.is(frame?.acceptor.uuid, b.id.uuid);
  peer.send(data(1, numbered(0)), data(2, numbered(1)), { type: 'PING', token: '0123456789abcdef' });
  network.run(20);
  t.deepEqual(numbers(b), [0, 1]);
  t.deepEqual(peer.of('ACK'), [{ type: 'ACK', seqno: 2 }]);
  t.deepEqual(peer.of('PONG'), [{ type: 'PONG', token: '0123456789abcdef' }]);
});

/** No view names it. */
const STRANGER = { ...RAW_ID, uuid: 'd'.repeat(32) };

const REFUSED: [keyof typeof RejectCode, (b: Member) => Partial<Hello>, RegExp][] = [
  ['VERSION', () => ({ minVersion: 2, maxVersion: 3 }), /2 to 3/],
  ['VERSION', () => ({ minVersion: 0, maxVersion: 0 }), /1 to 1/],
  ['PEER_KIND', () => ({ peerKind: 2 }), /kind 2/],
  ['CLUSTER', () => ({ cluster: 'other' }), /^this is cluster 'test'$/],
  ['CLUSTER', () => ({ cluster: 'other', sender: STRANGER }), /^this member is of another cluster$/],
  ['RECIPIENT', () => ({ recipientUuid: 'b'.repeat(32) }), /^another member lives here$/],
  ['IDENTITY', (b) => ({ sender: b.id }), /your uuid/],
];

for (const [code, changes, words] of REFUSED) {
  test(`refused: ${code} ${words.source}`, async (t) => {
    const { network, b } = await alone();
    const peer = connectRaw(network, b);
    peer.send(hello(b, changes(b)), data(1, numbered(0)));
    network.run(5);
    t.deepEqual(
      peer.frames.map((frame) => frame.type),
      ['REJECT'],
    );
    t.is(peer.of('REJECT')[0]?.code, RejectCode[code]);
    t.regex(peer.of('REJECT')[0]?.reason ?? '', words);
    t.true(peer.closed);
    t.deepEqual(numbers(b), []);
    t.true(network.lines.some((line) => line.startsWith('warn refused') && line.includes(code)));
  });
}

test('refused: what is no handshake, and no HELLO in time', async (t) => {
  const { network, b } = await alone();
  const http = connectRaw(network, b, Buffer.from('GET / HTTP/1.1\r\n'));
  const early = connectRaw(network, b);
  early.send(data(1, numbered(0)));
  const unknown = connectRaw(network, b);
  unknown.stream.write(Buffer.from('0000000163', 'hex'));
  const long = connectRaw(network, b);
  long.stream.write(Buffer.from('0001000101', 'hex'));
  network.run(5);
  for (const peer of [http, early, unknown, long]) {
    t.is(peer.of('REJECT')[0]?.code, RejectCode.MALFORMED);
    t.true(peer.closed);
  }
  t.regex(early.of('REJECT')[0]?.reason ?? '', /DATA is out of turn: expected HELLO/);
  const silent = connectRaw(network, b);
  network.run(4_900);
  t.false(silent.closed);
  network.run(200);
  t.is(silent.of('REJECT')[0]?.code, RejectCode.TIMEOUT);
  t.true(silent.closed);
  t.is(b.messenger.stats().stacks.tcp?.counters['connections'], 0);
});

test('refused: whom a view has dropped, until a view takes it in again', async (t) => {
  const { network, b } = await alone();
  const peer = connectRaw(network, b);
  peer.send(hello(b), data(1, numbered(0)));
  network.run(3);
  b.messenger.installView(createView(2, [b.id]));
  network.run(5);
  t.deepEqual(
    peer.frames.map((frame) => frame.type),
    ['WELCOME', 'ACK', 'GOODBYE'],
  );
  t.is(peer.of('GOODBYE')[0]?.code, GoodbyeCode.DEPARTED);
  const again = connectRaw(network, b);
  again.send(hello(b, { nextSeqno: 2 }));
  network.run(5);
  t.is(again.of('REJECT')[0]?.code, RejectCode.DEPARTED);
  b.messenger.installView(createView(3, [b.id, RAW_ID]));
  const back = connectRaw(network, b);
  back.send(hello(b, { nextSeqno: 2 }), data(2, numbered(1)));
  network.run(5);
  t.is(back.of('WELCOME')[0]?.lastSeqno, 1, 'goes on where the sender says that it was acknowledged');
  t.deepEqual(numbers(b), [0, 1]);
});

test('a new connection of a session replaces the old one and resumes; older conn ids are stale', async (t) => {
  const { network, b } = await alone();
  const first = connectRaw(network, b);
  first.send(hello(b), data(1, numbered(0)), data(2, numbered(1)));
  network.run(2);
  const second = connectRaw(network, b);
  second.send(hello(b));
  network.run(5);
  t.true(first.closed);
  t.is(second.of('WELCOME')[0]?.lastSeqno, 2);
  second.send(data(2, numbered(1)), data(3, numbered(2))); // one that it should not have sent again
  network.run(20);
  t.deepEqual(numbers(b), [0, 1, 2]);
  t.is(b.messenger.stats().stacks.tcp?.counters['duplicates'], 1);

  const third = connectRaw(network, b);
  third.send(hello(b, { connId: 2 }), data(1, numbered(7)));
  network.run(5);
  t.is(third.of('WELCOME')[0]?.lastSeqno, 0);
  t.deepEqual(numbers(b), [0, 1, 2, 7]);
  const stale = connectRaw(network, b);
  stale.send(hello(b, { connId: 1, nextSeqno: 3 }));
  const ahead = connectRaw(network, b);
  ahead.send(hello(b, { connId: 2, nextSeqno: 3 }));
  network.run(5);
  t.is(stale.of('REJECT')[0]?.code, RejectCode.STALE);
  t.is(ahead.of('REJECT')[0]?.code, RejectCode.SEQNO);
  t.false(third.closed);
  const restarted = connectRaw(network, b);
  restarted.send(hello(b, { session: '6'.repeat(16) }), data(1, numbered(8)));
  network.run(5);
  t.deepEqual(numbers(b), [0, 1, 2, 7, 8]);
});

test('after the handshake a breach of the rules is answered by GOODBYE', async (t) => {
  const breaches: [Frame | string, RegExp][] = [
    [data(2, numbered(0)), /seqno 2 after 0/],
    [{ type: 'ACK', seqno: 1 }, /ACK is out of turn/],
    ['0000000163', /no frame type/],
    ['00100001', /length/],
    ['0000000a 07 0000000000000000 00', /left over/],
  ];
  for (const [breach, words] of breaches) {
    const { network, b } = await alone();
    const peer = connectRaw(network, b);
    peer.send(hello(b));
    if (typeof breach === 'string') peer.stream.write(Buffer.from(breach.replaceAll(' ', ''), 'hex'));
    else peer.send(breach);
    network.run(5);
    t.is(peer.of('GOODBYE')[0]?.code, GoodbyeCode.MALFORMED);
    t.regex(peer.of('GOODBYE')[0]?.reason ?? '', words);
    t.true(peer.closed);
    t.is(b.messenger.stats().stacks.tcp?.counters['malformed'], 1);
  }
});

test('a sender that no view names is delivered, under the id of its HELLO; then as the view has it', async (t) => {
  const network = new FakeNetwork();
  const b = await startMember(network, 'b');
  installView(1, [b]);
  const peer = connectRaw(network, b);
  peer.send(hello(b, { sender: { ...RAW_ID, name: 'early' } }), data(1, numbered(0)));
  network.run(5);
  b.messenger.installView(createView(2, [b.id, { ...RAW_ID, name: 'joined' }]));
  peer.send(data(2, numbered(1)));
  network.run(5);
  t.deepEqual(
    b.got.map(({ from }) => from),
    ['early', 'joined'],
  );
  t.false(peer.closed);
});

test('strangers are limited in number, and forgotten when they stay away', async (t) => {
  const network = new FakeNetwork();
  const b = await startMember(network, 'b');
  installView(1, [b], [b.id, RAW_ID]);
  const stranger = (i: number): Partial<Hello> => ({
    sender: { ...RAW_ID, uuid: i.toString(16).padStart(32, '0') },
  });
  const peers = range(MAX_STRANGERS + 1).map((i) => {
    const peer = connectRaw(network, b);
    peer.send(hello(b, stranger(i)));
    return peer;
  });
  network.run(5);
  t.is(peers.at(-1)?.of('REJECT')[0]?.code, RejectCode.BUSY);
  t.is(peers.filter((peer) => peer.of('WELCOME').length === 1).length, MAX_STRANGERS);
  const member = connectRaw(network, b);
  member.send(hello(b));
  network.run(5);
  t.is(member.of('WELCOME').length, 1, 'a member of the view always finds room');
  for (const peer of peers) peer.stream.destroy();
  network.run(61_000);
  const next = connectRaw(network, b);
  next.send(hello(b, stranger(5_000)));
  network.run(5);
  t.is(next.of('WELCOME').length, 1);
});

test('rubbish at the door disturbs nobody', async (t) => {
  const { network, b } = await alone();
  const a = await startMember(network, 'a');
  installView(2, [a, b], [a.id, b.id, RAW_ID]);
  const rng = seededRng(11);
  const good = Buffer.concat([
    Buffer.from(PREAMBLE),
    encodeFrame(hello(b)),
    encodeFrame(data(1, numbered(0))),
    encodeFrame({ type: 'PING', token: '0'.repeat(16) }),
    encodeFrame({ type: 'GOODBYE', code: 1, reason: 'bye' }),
  ]);
  for (let round = 0; round < 3_000; round++) {
    const bytes = Buffer.from(good);
    for (let i = below(rng, 4); i >= 0; i--) bytes[below(rng, bytes.length)] = below(rng, 256);
    const peer = connectRaw(network, b, bytes.subarray(0, 1 + below(rng, bytes.length)));
    if (round % 3 === 0) peer.stream.destroy();
    if (round % 30 === 0) a.messenger.send({ recipients: [b.id], payload: numbered(round) });
  }
  network.run(20_000);
  t.is(b.got.filter(({ from }) => from === 'a').length, 100);
  t.is(a.messenger.pending, 0);
  const malformed = b.messenger.stats().stacks.tcp?.counters['malformed'] ?? 0;
  t.true(malformed > 500, `${malformed}`);
  t.true(network.lines.length < 1_000, `${network.lines.length} lines`);
});

test('a peer that asks and does not read gets no answers to pile up', async (t) => {
  const { network, b } = await alone();
  network.plan = () => ({ bufferBytes: 100 });
  const peer = connectRaw(network, b);
  peer.send(hello(b));
  network.run(5);
  Object.assign(peer.stream, { paused: true });
  for (let i = 0; i < 1_000; i++) {
    peer.send({ type: 'PING', token: '0'.repeat(16) });
    network.run(1);
  }
  t.true((b.messenger.stats().stacks.tcp?.counters['framesSent'] ?? 0) < 30);
});

test('the sender: HELLO says whom it expects; a REJECT is logged and tried again with backoff', async (t) => {
  const { network, a, peers, send, id } = await withRawRecipient();
  send(0);
  network.run(5);
  t.like(peers[0]?.of('HELLO')[0], { cluster: 'test', recipientUuid: id.uuid, connId: 1, nextSeqno: 1 });
  for (let i = 0; i < 6; i++) {
    peers.at(-1)?.send({ type: 'REJECT', code: RejectCode.RECIPIENT, reason: 'someone\nelse' });
    network.run(1_000);
  }
  t.true(peers.length >= 5 && peers.length <= 7, `${peers.length}`);
  const complaints = network.lines.filter((line) => line.includes('rejected, RECIPIENT: someone?else'));
  t.is(complaints.length, 1);
  t.is(a.messenger.stats().stacks.tcp?.counters['rejected'], 6);
  peers.at(-1)?.send(welcome(id));
  network.run(5);
  t.is(peers.at(-1)?.of('DATA').length, 1);
});

test('the sender: a WELCOME that cannot be ends the attempt', async (t) => {
  const cases: [Parameters<typeof welcome>[1], RegExp][] = [
    [{ acceptor: { ...RAW_ID, uuid: 'b'.repeat(32) } }, /WELCOME of uuid b+, expected a+/],
    [{ version: 2 }, /version 2/],
    [{ features: 1 }, /features 1/],
    [{ lastSeqno: 1 }, /acknowledges seqno 1, the last one sent is 0/],
  ];
  for (const [changes, words] of cases) {
    const { network, a, peers, send, id } = await withRawRecipient();
    send(0);
    network.run(5);
    peers[0]?.send(welcome(id, changes));
    network.run(50);
    t.is(peers[0]?.of('DATA').length, 0);
    t.true(peers[0]?.closed);
    t.true(peers.length > 1, 'tries again');
    t.regex(network.lines.join('\n'), words);
    t.is(a.messenger.pending, 1);
  }
});

test('the sender: acks of what was not sent, and frames out of turn, end the connection; it resumes', async (t) => {
  for (const frame of [{ type: 'ACK', seqno: 3 } as const, data(1, numbered(0)), welcome(RAW_ID)]) {
    const { network, a, peers, send, id } = await withRawRecipient();
    send(0);
    send(1);
    network.run(5);
    peers[0]?.send(welcome(id));
    network.run(5);
    t.deepEqual(
      peers[0]?.of('DATA').map(({ seqno }) => seqno),
      [1, 2],
    );
    peers[0]?.send(frame);
    network.run(50);
    t.is(peers[0]?.of('GOODBYE')[0]?.code, GoodbyeCode.MALFORMED);
    peers[1]?.send(welcome(id, { lastSeqno: 1 }));
    network.run(5);
    t.deepEqual(
      peers[1]?.of('DATA').map(({ seqno }) => seqno),
      [2],
    );
    peers[1]?.send({ type: 'ACK', seqno: 2 });
    network.run(5);
    t.is(a.messenger.pending, 0);
  }
});

test('the sender: fragments fit the frame limit that the recipient states', async (t) => {
  const { network, a, peers, id } = await withRawRecipient();
  a.messenger.send({ recipients: [id], payload: numbered(1, 20_000) });
  network.run(5);
  peers[0]?.send(welcome(id, { maxFrameBytes: 4096 }));
  network.run(50);
  const sizes = peers[0]?.of('DATA').map(({ payload }) => payload.length) ?? [];
  t.deepEqual(sizes, [4086, 4086, 4086, 4086, 3656]);
});

test('the sender: no acks though pings are answered is a stall', async (t) => {
  const { network, a, peers, send, id } = await withRawRecipient();
  send(0);
  network.run(5);
  const peer = peers[0];
  peer?.send(welcome(id));
  for (let i = 0; i < 70 && peer?.closed === false; i++) {
    network.run(100);
    for (const ping of peer.of('PING').slice(peer.of('PING').length - 1))
      peer.send({ ...ping, type: 'PONG' });
  }
  t.is(peer?.of('GOODBYE')[0]?.code, GoodbyeCode.STALLED);
  t.is(a.messenger.stats().stacks.tcp?.counters['stalls'], 1);
});

test('an idle connection is kept alive by pings', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a');
  const b = await startMember(network, 'b');
  installView(1, [a, b]);
  a.messenger.send({ recipients: 'all', payload: numbered(0) });
  network.run(120_000);
  t.is(network.connections, 1);
  t.is(a.messenger.stats().stacks.tcp?.counters['connectionsLost'], 0);
  t.is(network.lines.filter((line) => line.startsWith('warn')).length, 0);
});

test("restart on the same port: the new member never gets the old one's messages", async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a');
  const b = await startMember(network, 'b');
  installView(1, [a, b]);
  a.messenger.send({ recipients: [b.id], payload: numbered(0) });
  network.run(100);
  b.listener.crash();
  for (const i of range(5)) a.messenger.send({ recipients: [b.id], payload: numbered(1 + i) });
  const again = await startMember(network, 'again', { ports: [b.id.port, b.id.port] });
  t.is(again.id.port, b.id.port);
  network.run(5_000);
  t.deepEqual(numbers(again), []);
  t.is(a.messenger.pending, 5);
  t.regex(
    network.lines.join('\n'),
    /refused a connection of a.*RECIPIENT: another member lives here; this is again\(/,
  );

  installView(2, [a, again]);
  t.deepEqual(a.messenger.stats().totals, {
    accepted: 6,
    delivered: 1,
    memberLeft: 5,
    closed: 0,
    pending: 0,
  });
  t.deepEqual(a.messenger.send({ recipients: [b.id], payload: numbered(9) }).notInView, [b.id]);
  a.messenger.send({ recipients: 'all', payload: numbered(10) });
  network.run(5_000);
  t.deepEqual(numbers(again), [10]);
});

test('a member that a view dropped and another took in again starts afresh', async (t) => {
  const network = new FakeNetwork();
  const a = await startMember(network, 'a');
  const b = await startMember(network, 'b');
  installView(1, [a, b]);
  for (const i of range(3)) a.messenger.send({ recipients: [b.id], payload: numbered(i) });
  network.run(100);
  a.messenger.installView(createView(2, [a.id])); // b does not learn of it
  network.run(100);
  a.messenger.installView(createView(3, [a.id, b.id]));
  for (const i of range(3)) a.messenger.send({ recipients: [b.id], payload: numbered(10 + i) });
  network.run(100);
  t.deepEqual(numbers(b), [0, 1, 2, 10, 11, 12]);
  t.is(a.messenger.pending, 0);
  b.messenger.installView(createView(4, [b.id])); // now the other way round
  b.messenger.installView(createView(5, [a.id, b.id]));
  for (const i of range(3)) a.messenger.send({ recipients: [b.id], payload: numbered(20 + i) });
  network.run(1_000);
  t.deepEqual(numbers(b), [0, 1, 2, 10, 11, 12, 20, 21, 22]);
});
