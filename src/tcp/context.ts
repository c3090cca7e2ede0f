import type { Environment } from '../protocol/environment.ts';
import type { RateLimitedLog } from '../protocol/logger.ts';
import type { MemberId } from '../protocol/member-id.ts';
import type { DoorLimits } from './door.ts';
import type { TcpTimings } from './limits.ts';
import type { Turn } from './turn.ts';

/** Figures of a messenger's TCP stack; the names are those of `stats()`. */
export function createCounters() {
  return {
    connectionsOpened: 0,
    connectionsAccepted: 0,
    /** Connections that came as far as WELCOME, on either side. */
    handshakes: 0,
    /** Attempts of ours that failed or connections of ours that broke. */
    connectionsLost: 0,
    /** REJECTs that we were sent, and that we sent. */
    rejected: 0,
    rejections: 0,
    /** Connections refused and closed at once, which may not have read why: too many others were just being told. */
    hastyRejections: 0,
    /** Connections reset unread, since too many of their address had failed. */
    floodResets: 0,
    /** Connections given up because nothing was heard or acknowledged. */
    stalls: 0,
    /** Times that a recipient took nothing for a member timeout, over however many connections. */
    peerStalls: 0,
    framesSent: 0,
    framesReceived: 0,
    retransmissions: 0,
    duplicates: 0,
    acksSent: 0,
    /** Frames that broke the wire's rules. */
    malformed: 0,
    unreliableSent: 0,
    unreliableReceived: 0,
    unreliableDropped: 0,
  };
}

export type TcpCounters = ReturnType<typeof createCounters>;

/** Something with deadlines. A timeout that comes too early is a no-op. */
export interface Timed {
  /** Infinity: none. */
  nextDeadline(): number;
  handleTimeout(nowMs: number): void;
}

/** What connections, senders and receivers of one messenger share. */
export interface TcpContext {
  readonly environment: Environment;
  readonly self: MemberId;
  readonly cluster: string;
  /** 16 hex digits, new at each start. */
  readonly session: string;
  readonly timings: TcpTimings;
  readonly doorLimits: DoorLimits;
  readonly log: RateLimitedLog;
  readonly counters: TcpCounters;
  readonly bytes: { sent: number; received: number };
  readonly turn: Turn;
  /** Timeouts are handled at this time or earlier. */
  wake(deadlineMs: number): void;
  /** Hands a message to the handlers. */
  deliver(sender: MemberId, payload: Uint8Array): void;
  /** A recipient acknowledged so many messages with so many payload bytes in all. */
  acknowledged(recipientUuid: string, messages: number, bytes: number): void;
  /**
   * A recipient takes nothing; told once, until it recovers. Handlers may install a view or stop.
   * @param cause why its last connection was lost; that was logged by then
   */
  peerStalled(recipient: MemberId, reason: string, cause: string): void;
  peerRecovered(recipient: MemberId): void;
  /** Open connections register for timeouts. */
  readonly connections: Set<Timed>;
  /** A connection's stream is closed. */
  handleClosed(connection: Timed): void;
}
