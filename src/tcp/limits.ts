/** Times and sizes of the TCP stack, each with its reason. Those of the wire are in codecs/tcp/v1/limits.ts. */

import { DEFAULT_MEMBER_TIMEOUT_MS } from '../protocol/stalls.ts';

/** Payload bytes of a DATA frame: small enough that a control frame never waits long behind one. */
export const FRAGMENT_BYTES = 64 * 1024;

/** Frames of a turn are gathered up to this before they are written: about what a socket takes at once. */
export const BATCH_BYTES = 64 * 1024;

/** From here on a payload is written as it is, behind its header: copying it would cost more than a write. */
export const COPY_LIMIT_BYTES = 16 * 1024;

/** Unreliable messages that wait for a connection; more than this would be stale when they arrive. */
export const UNRELIABLE_QUEUE_BYTES = 256 * 1024;

/** The same in messages: empty ones cost memory, too. About as many as 256 KiB of small datagrams. */
export const UNRELIABLE_QUEUE_MESSAGES = 2_048;

/**
 * How long an unreliable message may wait unless its sender says otherwise: Geode's heartbeats, its users, come
 * several times a memberTimeout (5 s).
 */
export const UNRELIABLE_MAX_AGE_MS = 1_000;

/** DATA frames and bytes after which the receiver acknowledges at once. */
export const ACK_EVERY_FRAMES = 256;
export const ACK_EVERY_BYTES = 512 * 1024;

/** An ack waits for so many delays at most while frames keep coming: for 20 ms, which nobody takes for a stall. */
export const ACK_DELAY_GROWTH = 4;

/** Senders that no view has named yet: as many as could join at once. */
export const MAX_STRANGERS = 1_024;

/** Departed members that are remembered, so that they are told so rather than served. */
export const MAX_DEPARTED = 4_096;

export interface TcpTimings {
  /** From opening a connection to WELCOME, and on the other side from accepting one to HELLO. */
  readonly handshakeTimeoutMs: number;
  /** A connected sender sends PING so often. */
  readonly pingIntervalMs: number;
  /** With nothing heard, or nothing acknowledged though something waits, a connection is given up. */
  readonly stallTimeoutMs: number;
  /** A receiver that hears nothing, not even a PING, for so long gives the connection up. */
  readonly idleTimeoutMs: number;
  /** Without another frame for so long, a receiver acknowledges those that it has; four times as long at most. */
  readonly ackDelayMs: number;
  /** First and longest wait before a reconnect. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A connection that was ended in order may take so long to write out its last bytes. */
  readonly lingerMs: number;
  /** State of a sender that no view names is kept so long after its connection closed. */
  readonly strangerTimeoutMs: number;
}

/**
 * The times that go with a member timeout. A peer that takes nothing shows after the member timeout and one more of
 * the waits for a tick, a handshake or a reconnect: none of those is longer, so within two member timeouts.
 *
 * What the other side must fit does not grow or shrink with ours, lest members of different settings hang up on
 * each other: PINGs come every second at least, and nobody is called silent in less than 15 s.
 */
export function timingsFor(memberTimeoutMs: number): TcpTimings {
  return {
    handshakeTimeoutMs: Math.min(5_000, memberTimeoutMs),
    pingIntervalMs: Math.min(1_000, memberTimeoutMs / 5),
    stallTimeoutMs: memberTimeoutMs,
    idleTimeoutMs: Math.max(15_000, 3 * memberTimeoutMs),
    ackDelayMs: 5,
    backoffMinMs: 2,
    backoffMaxMs: Math.min(2_000, 0.4 * memberTimeoutMs),
    lingerMs: 500,
    strangerTimeoutMs: 60_000,
  };
}

export const DEFAULT_TIMINGS: TcpTimings = timingsFor(DEFAULT_MEMBER_TIMEOUT_MS);

/** Ticks of all senders fall on multiples of this part of their interval: one timer serves many idle peers. */
export const TICKS_PER_PING_INTERVAL = 8;
