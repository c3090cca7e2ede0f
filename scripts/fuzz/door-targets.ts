/** Hostile peers of the TCP stack: at its door, behind it, and as those to whom it connects. */

import { DataFlag } from '../../codecs/tcp/v1/data.ts';
import { encodeFrame, type Frame } from '../../codecs/tcp/v1/frame.ts';
import type { Hello } from '../../codecs/tcp/v1/handshake.ts';
import { PREAMBLE } from '../../codecs/tcp/v1/limits.ts';
import type { MemberId } from '../../src/protocol/member-id.ts';
import { type FuzzStream, FuzzWorld, fuzzMember } from './fuzz-world.ts';
import type { Target } from './targets.ts';

const HEALTHY = fuzzMember('healthy', 2);
const HOSTILE = fuzzMember('hostile', 3);
const NOTHING = new Uint8Array(0);

/** Virtual time from one input to the next: strangers time out now and then. */
const STEP_MS = 40;

/** An honest peer writes down fewer; each is the one of an earlier input that lingers until its time is over. */
const MAX_OPEN = 64;

/** A recipient that never acknowledges is not sent more and more. */
const MAX_PENDING = 20;

/** Then the victim of hostile recipients starts anew: their acknowledgements fit low seqnos only. */
const INPUTS_A_LIFE = 200;

export function doorTargets(): Target[] {
  return [
    doorTarget('TCP door', handshakes(), () => NOTHING),
    // a conn id that rises: each begins at seqno 1 again
    doorTarget('TCP frames behind the door', conversations(), (connId) => opening(HOSTILE, { connId })),
    connectorTarget(),
  ];
}

/** @param opening what the hostile peer says properly first, at its n-th connection */
function doorTarget(name: string, corpus: readonly Uint8Array[], opening: (n: number) => Uint8Array): Target {
  const world = new FuzzWorld([HEALTHY, HOSTILE]);
  const healthy = new HealthyPeer(world);
  let connections = 0;
  return {
    name,
    corpus,
    run(bytes) {
      const stream = world.connect();
      const before = opening(++connections);
      stream.feed(before, before.length + 1);
      if (before.length > 0 && stream.isClosing) throw new Error('a proper HELLO was refused');
      feedSomehow(stream, bytes);
      healthy.say();
      world.advance(STEP_MS);
      stream.close();
      if (world.counter('connections') > MAX_OPEN) throw new Error('connections pile up');
      world.check();
    },
  };
}

/** A member that is connected all the time, and whose messages arrive whatever others do. */
class HealthyPeer {
  readonly #world: FuzzWorld;
  readonly #stream: FuzzStream;
  #seqno = 0;

  constructor(world: FuzzWorld) {
    this.#world = world;
    this.#stream = world.connect();
    this.#stream.feed(opening(HEALTHY), 1_000);
  }

  say(): void {
    const before = this.#world.delivered;
    const seqno = ++this.#seqno;
    this.#stream.feed(encodeFrame({ type: 'DATA', seqno, flags: 0, payload: Uint8Array.of(1) }), 1_000);
    if (this.#stream.isClosing || this.#world.delivered !== before + 1) {
      throw new Error(`the healthy peer's message ${seqno} was not delivered`);
    }
  }
}

/** What the member opens a connection to is hostile; between that there is a proper answer, which must do. */
function connectorTarget(): Target {
  let world = new FuzzWorld([HOSTILE]);
  let lives = 0;
  let last = 0;
  return {
    name: 'TCP recipient',
    corpus: answers(),
    run(bytes) {
      if (++lives % INPUTS_A_LIFE === 0) {
        world = new FuzzWorld([HOSTILE]);
        last = 0;
      }
      const { totals } = world.messenger.stats();
      if (totals.pending < MAX_PENDING) {
        world.messenger.send({ recipients: [HOSTILE], payload: Uint8Array.of(++last) });
      }
      // longer than any backoff
      world.advance(1);
      if (world.opened.length === 0) world.advance(3_000);
      const stream = world.opened.shift();
      if (stream === undefined) throw new Error('messages wait, and it does not connect');
      stream.onOpen();
      feedSomehow(stream, bytes);
      world.advance(STEP_MS);
      stream.close();
      if (world.opened.length > 1) throw new Error('it opens several connections to one recipient');
      const { accepted, delivered, pending } = world.messenger.stats().totals;
      if (accepted !== delivered + pending) throw new Error('the outcomes do not add up');
      world.check();
    },
  };
}

/** Whole or in pieces, down to single bytes, as the last byte says. */
function feedSomehow(stream: FuzzStream, bytes: Uint8Array): void {
  const [last = 0] = bytes.subarray(-1);
  stream.feed(bytes, (last & 3) === 0 ? 1 : 1 + 41 * last);
}

function hello(sender: MemberId, changes: Partial<Hello> = {}): Buffer {
  return encodeFrame({
    type: 'HELLO',
    minVersion: 1,
    maxVersion: 1,
    features: 0,
    peerKind: 1,
    cluster: 'fuzz',
    sender,
    recipientUuid: fuzzMember('door', 1).uuid,
    session: '0123456789abcdef',
    connId: 1,
    nextSeqno: 1,
    extensions: NOTHING,
    ...changes,
  });
}

function opening(sender: MemberId, changes: Partial<Hello> = {}): Buffer {
  return Buffer.concat([Buffer.from(PREAMBLE), hello(sender, changes)]);
}

function handshakes(): Buffer[] {
  const stranger = fuzzMember('stranger', 4);
  const frames = Buffer.concat(conversations());
  const variants: Partial<Hello>[] = [
    {},
    { connId: 2 },
    { nextSeqno: 1_000 },
    { maxVersion: 9, features: 0xffff },
    { minVersion: 2, maxVersion: 3 },
    { peerKind: 2 },
    { cluster: 'other'.repeat(200) },
    { recipientUuid: 'f'.repeat(32) },
    { extensions: Buffer.alloc(5_000, 'x') },
  ];
  return [
    ...variants.map((changes) => opening(stranger, changes)),
    opening(HOSTILE),
    Buffer.concat([opening(stranger), frames]),
    Buffer.concat([opening(HOSTILE, { session: 'fedcba9876543210' }), frames]),
    Buffer.concat([opening(stranger), opening(stranger)]),
    frames,
    // a TLS ClientHello's first bytes, HTTP, JGroups' TCP, and a length over the limit
    Buffer.from('16030100f8010000f40303', 'hex'),
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.from('62656c610d860007047f0000011e78', 'hex'),
    Buffer.concat([Buffer.from(PREAMBLE), Buffer.from('7fffffff01', 'hex'), Buffer.alloc(300)]),
    Buffer.concat([Buffer.from(PREAMBLE), Buffer.from('0000ffff01', 'hex'), Buffer.alloc(70_000)]),
  ];
}

function conversations(): Buffer[] {
  const data = (seqno: number, flags: number, bytes: number): Frame => {
    return { type: 'DATA', seqno, flags, payload: Buffer.alloc(bytes, seqno) };
  };
  const bye: Frame = { type: 'GOODBYE', code: 1, reason: 'stopped' };
  const ping: Frame = { type: 'PING', token: '0123456789abcdef' };
  const unreliable: Frame = { type: 'UNRELIABLE', payload: Buffer.alloc(90, 7) };
  const { MORE, UNORDERED } = DataFlag;
  const scripts: Frame[][] = [
    [data(1, 0, 20), data(2, UNORDERED, 300), data(3, 0, 0), bye],
    [data(1, MORE, 2_000), data(2, UNORDERED | MORE, 100), ping, data(3, UNORDERED, 1), data(4, 0, 500)],
    [unreliable, ping, data(1, 0, 9), unreliable, bye],
    Array.from({ length: 80 }, (_, i) => data(i + 1, i & 3, i)),
    [data(1, MORE, 70_000), data(2, 0, 10)],
    [bye],
    [{ type: 'ACK', seqno: 1 }],
    [{ type: 'REJECT', code: 4, reason: 'no' }, ping],
  ];
  return scripts.map((frames) => Buffer.concat(frames.map((frame) => encodeFrame(frame))));
}

/** What a recipient may say. */
function answers(): Buffer[] {
  const welcome = (lastSeqno: number, maxFrameBytes = 1024 * 1024): Frame => {
    const known = { version: 1, features: 0, acceptor: HOSTILE, extensions: NOTHING };
    return { type: 'WELCOME', ...known, lastSeqno, maxFrameBytes };
  };
  const scripts: Frame[][] = [
    [welcome(0), { type: 'ACK', seqno: 1 }],
    [welcome(1, 4_096), { type: 'PONG', token: '0123456789abcdef' }, { type: 'ACK', seqno: 2 }],
    [welcome(5), { type: 'ACK', seqno: 7 }, { type: 'ACK', seqno: 9 }, { type: 'ACK', seqno: 8 }],
    [welcome(0), { type: 'GOODBYE', code: 4, reason: 'replaced' }],
    [welcome(0), welcome(0)],
    [{ type: 'REJECT', code: 5, reason: 'a view has dropped you \u001b[2J' }],
    [{ type: 'GOODBYE', code: 900, reason: 'x'.repeat(1_000) }],
    [{ type: 'DATA', seqno: 1, flags: 0, payload: Buffer.alloc(50) }],
  ];
  return scripts.map((frames) => Buffer.concat(frames.map((frame) => encodeFrame(frame))));
}
