import type { Frame } from '../../codecs/tcp/v1/frame.ts';
import { GoodbyeCode, PeerKind, RejectCode } from '../../codecs/tcp/v1/frame-types.ts';
import type { FrameName } from '../../codecs/tcp/v1/frame-types.ts';
import { NO_EXTENSIONS } from '../../codecs/tcp/v1/handshake.ts';
import type { Hello, Welcome } from '../../codecs/tcp/v1/handshake.ts';
import { MAX_FRAME_BYTES, PROTOCOL_VERSION } from '../../codecs/tcp/v1/limits.ts';
import { RemoteProtocolError } from '../protocol/errors.ts';
import { formatMember } from '../protocol/member-id.ts';
import type { MemberId } from '../protocol/member-id.ts';

/** The handshake as tables and pure functions: what may come when, and what a HELLO or WELCOME is answered. */

/** Versions that we speak. */
export const MIN_VERSION = PROTOCOL_VERSION;
export const MAX_VERSION = PROTOCOL_VERSION;

/** Feature bits that we know: none yet. */
export const FEATURES = 0;

export type ConnectionState = 'awaitingHello' | 'receiving' | 'awaitingWelcome' | 'sending';

/** Frames that each side may be sent in each state; the first two are the acceptor's, the others the connector's. */
const EXPECTED: Readonly<Record<ConnectionState, readonly FrameName[]>> = {
  awaitingHello: ['HELLO'],
  receiving: ['DATA', 'UNRELIABLE', 'PING', 'GOODBYE'],
  awaitingWelcome: ['WELCOME', 'REJECT', 'GOODBYE'],
  sending: ['ACK', 'PONG', 'GOODBYE'],
};

/** @throws {RemoteProtocolError} `ERR_STATE` for a frame that is out of turn */
export function checkExpected(
  state: ConnectionState,
  frame: Frame,
  connection: { readonly peer: string },
): void {
  if (frame.type === 'DATA' && state === 'receiving') return; // nearly all
  if (EXPECTED[state].includes(frame.type)) return;
  const text = `${frame.type} is out of turn: expected ${EXPECTED[state].join(' or ')}`;
  throw new RemoteProtocolError('ERR_STATE', connection.peer, text);
}

export interface HelloParts {
  readonly self: MemberId;
  readonly cluster: string;
  readonly recipient: MemberId;
  readonly session: string;
  readonly connId: number;
  readonly nextSeqno: number;
}

export function createHello(parts: HelloParts): Hello {
  return {
    type: 'HELLO',
    minVersion: MIN_VERSION,
    maxVersion: MAX_VERSION,
    features: FEATURES,
    peerKind: PeerKind.member,
    cluster: parts.cluster,
    sender: parts.self,
    recipientUuid: parts.recipient.uuid,
    session: parts.session,
    connId: parts.connId,
    nextSeqno: parts.nextSeqno,
    extensions: NO_EXTENSIONS,
  };
}

export function createWelcome(hello: Hello, self: MemberId, lastSeqno: number): Welcome {
  return {
    type: 'WELCOME',
    version: Math.min(hello.maxVersion, MAX_VERSION),
    features: (hello.features & FEATURES) >>> 0,
    acceptor: self,
    lastSeqno,
    maxFrameBytes: MAX_FRAME_BYTES,
    extensions: NO_EXTENSIONS,
  };
}

/** What the acceptor knows. */
export interface AcceptorKnowledge {
  readonly self: MemberId;
  readonly cluster: string;
  /** Our view names this member. */
  isMember(uuid: string): boolean;
  /** A view of ours dropped this member. */
  isDeparted(uuid: string): boolean;
  /** What was received of this sender so far; null: never heard of it. */
  received(uuid: string): {
    readonly session: string;
    readonly connId: number;
    readonly lastSeqno: number;
  } | null;
}

export interface Refusal {
  readonly code: number;
  /** Goes to the connector, who may be anybody: no names that it did not know. */
  readonly reason: string;
  /** For our own log only. */
  readonly detail?: string;
}

/** A cluster's name may be long; for a log its beginning will do. */
const MAX_LOGGED_NAME = 64;

/** Null: welcome. The checks are in the order in which their answers make sense to the connector. */
export function judgeHello(hello: Hello, knowledge: AcceptorKnowledge): Refusal | null {
  const { self, cluster } = knowledge;
  if (hello.minVersion > MAX_VERSION || hello.maxVersion < MIN_VERSION) {
    const theirs = `${hello.minVersion} to ${hello.maxVersion}`;
    return refuse('VERSION', `you speak versions ${theirs}, this member ${MIN_VERSION} to ${MAX_VERSION}`);
  }
  if (hello.peerKind !== PeerKind.member)
    return refuse('PEER_KIND', `peers of kind ${hello.peerKind} are not served`);
  if (hello.cluster !== cluster) {
    const reason = knowledge.isMember(hello.sender.uuid)
      ? `this is cluster '${cluster}'`
      : 'this member is of another cluster';
    return refuse('CLUSTER', reason, `it is of '${hello.cluster.slice(0, MAX_LOGGED_NAME)}'`);
  }
  if (hello.recipientUuid !== self.uuid) {
    const detail = `this is ${formatMember(self)}, uuid ${self.uuid}; it asks for ${hello.recipientUuid}`;
    return refuse('RECIPIENT', 'another member lives here', detail);
  }
  if (hello.sender.uuid === self.uuid) return refuse('IDENTITY', 'your uuid is that of this member');
  if (knowledge.isDeparted(hello.sender.uuid))
    return refuse('DEPARTED', 'a view of this member has dropped you');
  const known = knowledge.received(hello.sender.uuid);
  if (known?.session !== hello.session) return null;
  if (hello.connId < known.connId)
    return refuse('STALE', `conn id ${hello.connId} is older than ${known.connId}`);
  if (hello.connId === known.connId && hello.nextSeqno > known.lastSeqno + 1)
    return refuse('SEQNO', `you go on at seqno ${hello.nextSeqno}, received was ${known.lastSeqno}`);
  return null;
}

/** Whether a GOODBYE's code says that something is wrong, and not just that somebody goes. */
export function isFault(code: number): boolean {
  return code !== GoodbyeCode.STOPPED && code !== GoodbyeCode.DEPARTED && code !== GoodbyeCode.REPLACED;
}

function refuse(code: keyof typeof RejectCode, reason: string, detail?: string): Refusal {
  return { code: RejectCode[code], reason, ...(detail === undefined ? {} : { detail }) };
}

/** @throws {RemoteProtocolError} `ERR_WELCOME` if it comes from someone else or names a version that we did not offer */
export function checkWelcome(welcome: Welcome, recipient: MemberId, peer: string): void {
  if (welcome.acceptor.uuid !== recipient.uuid) {
    const text = `WELCOME of uuid ${welcome.acceptor.uuid}, expected ${recipient.uuid}`;
    throw new RemoteProtocolError('ERR_WELCOME', peer, text);
  }
  if (welcome.version < MIN_VERSION || welcome.version > MAX_VERSION)
    throw new RemoteProtocolError('ERR_WELCOME', peer, `WELCOME to version ${welcome.version}`);
  if ((welcome.features & ~FEATURES) !== 0)
    throw new RemoteProtocolError('ERR_WELCOME', peer, `WELCOME with features ${welcome.features}`);
}
