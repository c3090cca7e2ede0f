import { encodeFrame } from '../../codecs/tcp/v1/frame.ts';
import { MAX_HANDSHAKE_FRAME_BYTES, PREAMBLE } from '../../codecs/tcp/v1/limits.ts';
import type { MemberId } from '../../src/protocol/member-id.ts';
import { randomHex } from '../../src/protocol/messenger-options.ts';
import { below, type Rng } from '../../src/protocol/rng.ts';
import { recordClientHello } from '../fuzz/client-hello.ts';
import { mutate } from '../fuzz/mutate.ts';

/** How hostile clients behave. As many are connected as the attack says, as far as they are let in. */
export interface Attack {
  readonly name: string;
  readonly connections: number;
  /** What a client says at once. */
  opening(victim: MemberId, rng: Rng): Uint8Array;
  /** The rest is said one byte a second. */
  readonly trickles: boolean;
  /** Clients that the victim hung up on, or that did so themselves, are replaced at this rate. */
  readonly replacedASecond: number;
  /** It hangs up when it has said its piece, and the next one comes. */
  readonly hangsUp: boolean;
  /** The victim takes nothing but TLS, with certificates each way. */
  readonly tls: boolean;
  /** It comes as far as the end of TLS's handshake, without a certificate, and says its piece by TLS. */
  readonly shakesHands: boolean;
  /** One of the few that there is time for in CI. */
  readonly isQuick: boolean;
}

const SILENCE = new Uint8Array(0);
const CLIENT_HELLO = await recordClientHello();

const plain = { tls: false, shakesHands: false, isQuick: false };
const tls = { ...plain, tls: true };
const stays = { trickles: false, hangsUp: false, replacedASecond: 100 };

/**
 * Whoever comes costs the victim half a millisecond of processor time (measured), whatever happens then, and one whose
 * ClientHello is answered two: these rates take some 5 to 13 % of a core.
 */
const comesAndGoes = { trickles: false, hangsUp: true, replacedASecond: 100 };
const SHAKEN_A_SECOND = 20;

export const ATTACKS: readonly Attack[] = [
  { name: 'nobody', connections: 0, opening: () => SILENCE, ...stays, ...plain },
  { name: 'says nothing', connections: 500, opening: () => SILENCE, ...stays, ...plain },
  { name: 'a byte a second', connections: 500, opening: greeting, ...stays, trickles: true, ...plain },
  { name: 'idle', connections: 10_000, opening: () => SILENCE, ...stays, ...plain },
  { name: 'idle after HELLO', connections: 2_000, opening: greeting, ...stays, ...plain },
  { name: 'most of a huge HELLO', connections: 1_000, opening: stuffing, ...stays, ...plain },
  { name: 'a length of 4 GiB', connections: 50, opening: oversize, ...comesAndGoes, ...plain, isQuick: true },
  { name: 'fuzzed', connections: 50, opening: fuzzed, ...comesAndGoes, ...plain, isQuick: true },
  { name: 'TLS, says nothing', connections: 500, opening: () => SILENCE, ...stays, ...tls },
  {
    name: 'TLS, a byte a second',
    connections: 500,
    opening: () => CLIENT_HELLO,
    ...stays,
    trickles: true,
    ...tls,
  },
  {
    name: 'TLS, idle after ClientHello',
    connections: 1_000,
    opening: () => CLIENT_HELLO,
    ...stays,
    replacedASecond: SHAKEN_A_SECOND,
    ...tls,
    isQuick: true,
  },
  {
    name: 'TLS, garbage',
    connections: 50,
    opening: garbage,
    ...comesAndGoes,
    replacedASecond: 2 * SHAKEN_A_SECOND,
    ...tls,
    isQuick: true,
  },
  { name: 'TLS, HELLO in plaintext', connections: 50, opening: greeting, ...comesAndGoes, ...tls },
  {
    name: 'TLS, no certificate',
    connections: 50,
    opening: greeting,
    ...comesAndGoes,
    replacedASecond: SHAKEN_A_SECOND,
    ...tls,
    shakesHands: true,
    isQuick: true,
  },
  { name: 'TLS, idle', connections: 10_000, opening: () => SILENCE, ...stays, ...tls },
];

/** A proper HELLO of a stranger. */
function greeting(victim: MemberId, rng: Rng): Buffer {
  const hello = encodeFrame({
    type: 'HELLO',
    minVersion: 1,
    maxVersion: 1,
    features: 0,
    peerKind: 1,
    cluster: 'hostile',
    sender: { ...victim, name: 'stranger', uuid: randomHex(rng, 16) },
    recipientUuid: victim.uuid,
    session: randomHex(rng, 8),
    connId: 1,
    nextSeqno: 1,
    extensions: SILENCE,
  });
  return Buffer.concat([Buffer.from(PREAMBLE), hello]);
}

/** As much as a stranger may make the victim hold, but for the last byte. */
function stuffing(): Buffer {
  const bytes = Buffer.alloc(PREAMBLE.length + 4 + MAX_HANDSHAKE_FRAME_BYTES - 1, 1);
  bytes.set(PREAMBLE);
  bytes.writeUInt32BE(MAX_HANDSHAKE_FRAME_BYTES, PREAMBLE.length);
  return bytes;
}

function oversize(): Buffer {
  return Buffer.concat([Buffer.from(PREAMBLE), Buffer.alloc(4, 0xff), Buffer.alloc(1_000)]);
}

/** What looks like the first record of a handshake for a byte, or a bit longer. */
function garbage(_victim: MemberId, rng: Rng): Buffer {
  if (rng.next() < 0.5) return mutate(rng, [CLIENT_HELLO]);
  const bytes = Buffer.alloc(1 + below(rng, 5_000));
  for (let i = 0; i < bytes.length; i++) bytes[i] = below(rng, 256);
  bytes[0] = 0x16;
  return bytes;
}

function fuzzed(victim: MemberId, rng: Rng): Buffer {
  const proper = greeting(victim, rng);
  const payload = Buffer.alloc(500, 'x');
  const data = [1, 2, 3].map((seqno) => encodeFrame({ type: 'DATA', seqno, flags: 0, payload }));
  const conversation = Buffer.concat([proper, ...data, encodeFrame({ type: 'PING', token: 'ab'.repeat(8) })]);
  // half of the mutations are behind a proper handshake
  if (rng.next() < 0.5) return mutate(rng, [proper, conversation]);
  return Buffer.concat([proper, mutate(rng, [conversation.subarray(proper.length)])]);
}
