import type { MemberId } from './member-id.ts';
import type { PeerTlsStats, TlsStats } from './security.ts';
import type { View } from './view.ts';

/** Names the kind of an application message; what it means is the application's affair. */
export type MessageType = string | number;

export interface OutgoingMessage {
  /** 'all': every other member of the view. */
  readonly recipients: readonly MemberId[] | 'all';
  /** Not copied: must not change until the message was delivered. */
  readonly payload: Uint8Array;
  /** False: delivered exactly once but in any order (JGroups' OOB). Default true. */
  readonly ordered?: boolean;
  /** Passes flow control and ordinary messages; implies `ordered: false` (Geode's high priority). */
  readonly highPriority?: boolean;
  /** On the legacy stack: whether it leaves at once in a datagram of its own (JGroups' DONT_BUNDLE). Default: as the messenger's `bundle` option says. */
  readonly dontBundle?: boolean;
  /**
   * Of `sendUnreliably` on the TCP stack: milliseconds that the message may wait to be written; then it is dropped, and
   * counted as `unreliableDropped`. 0 or more, default 1,000. The legacy stack writes such a message at once.
   */
  readonly maxAgeMs?: number;
}

export interface IncomingMessage {
  readonly sender: MemberId;
  /**
   * False: no view that was installed here names the sender. It may have joined by a view that is still to come here, or
   * be nobody's member: its id is then what it says itself. Such messages are delivered all the same, since views arrive
   * at different times, and an acknowledged message does not come again.
   */
  readonly inView: boolean;
  /** A view of the receive buffer: copy it to keep it. */
  readonly payload: Uint8Array;
  /** What `typeOf` of the options made of the payload; null if nothing. */
  readonly type: MessageType | null;
  /** Which stack carried it. */
  readonly stack: StackName;
}

export type StackName = 'udp' | 'tcp';

/** Called in order. What it returns is ignored, but for a promise that rejects: that is logged and counted. */
export type MessageHandler = (message: IncomingMessage) => unknown;

export interface SendResult {
  /** Recipients that are not in the view: nothing was accepted for them. */
  readonly notInView: readonly MemberId[];
  /** Recipients whose queue is at its hard limit: nothing was accepted for them; wait for `writable`. */
  readonly refused: readonly MemberId[];
  /** False: a recipient is past its high-water mark; go on when 'writable' was called for it. */
  readonly writable: boolean;
}

/** What became of accepted messages; `accepted = delivered + memberLeft + closed + pending`. */
export interface OutcomeCounts {
  accepted: number;
  /** Acknowledged by the recipient. */
  delivered: number;
  /** The recipient left the view before it acknowledged. */
  memberLeft: number;
  /** This messenger was stopped before. */
  closed: number;
  /** No outcome yet. */
  pending: number;
}

/**
 * How the legacy stack gets on with one member. Counts are since it became one or, of messages, since the connection
 * before was given up; a fragment of a large message is a message here, and so are the stack's own, such as credits.
 */
export interface UdpPeerStats {
  /** Messages numbered for it; `sent = acked + window`. */
  readonly sent: number;
  /** Of those, acknowledged. */
  readonly acked: number;
  /** Of those, not yet acknowledged. */
  readonly window: number;
  /** Messages sent again: it asked for them, or the last one was not acknowledged. */
  readonly retransmitted: number;
  /** Messages that we asked it to send again, counted each time. */
  readonly requested: number;
  /** Messages of it that were here already. */
  readonly duplicates: number;
  /** Messages of it that are missing now, so that later ones have to wait. */
  readonly gaps: number;
  /** Payload bytes that we may send before it has to give new credits; null without flow control. */
  readonly credits: number | null;
  /** Messages that have no number yet: they wait for credits, or until what is under way is acknowledged. */
  readonly queue: number;
  /** Milliseconds that messages waited for credits, in all. */
  readonly blockedMs: number;
  /** Datagrams and messages of it that broke a rule, and were dropped. */
  readonly malformed: number;
  /** Of group messages; absent without multicast. */
  readonly group?: UdpGroupStats;
}

/** How group messages get on with one member. Not in it: those that we sent, which are the same for all members. */
export interface UdpGroupStats {
  /** Seqno of the last message of it that was delivered, with all before. */
  readonly delivered: number;
  readonly gaps: number;
  readonly requested: number;
  readonly duplicates: number;
  /** Messages sent again because it asked, our own and those of others. */
  readonly retransmitted: number;
  /** As above; null without flow control of group messages. */
  readonly credits: number | null;
}

/** The connection that we open to one member: our messages go by it, its messages come by its own. */
export interface TcpPeerStats {
  /** `none`: nothing was to be sent yet; `waiting`: for the next attempt; `connecting`: up to its WELCOME. */
  readonly connection: 'none' | 'waiting' | 'connecting' | 'open';
  /** Attempts that failed, and connections that ended, since it was last heard to be well. */
  readonly failures: number;
  /** Why the last one failed or ended, in the words of the log; null: none has. */
  readonly lastError: string | null;
  /** Milliseconds since then. */
  readonly lastErrorAgoMs: number | null;
}

export interface PeerStats {
  readonly member: MemberId;
  readonly stack: StackName;
  readonly sent: Readonly<OutcomeCounts>;
  /** Messages delivered to our handlers. */
  readonly received: number;
  readonly pendingBytes: number;
  /** Of members that the legacy stack deals with. */
  readonly udp?: UdpPeerStats;
  /** Of other members that the TCP stack has sent something to. */
  readonly tcp?: TcpPeerStats;
  /** How its TCP connections are protected. */
  readonly tls?: PeerTlsStats;
}

/** `draining`: nothing new goes by it, but not everything is acknowledged; `dormant`: silent, the port kept. */
export type StackState = 'active' | 'draining' | 'dormant' | 'closed';

export interface StackStats {
  readonly state: StackState;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Counters by name: datagrams, retransmissions, gaps, duplicates, malformed, ... */
  readonly counters: Readonly<Record<string, number>>;
}

export interface MessengerStats {
  readonly viewId: number;
  /** Over all peers, those that have left included. */
  readonly totals: Readonly<OutcomeCounts>;
  readonly received: number;
  /** Members of the view, and whoever else a stack still has state for. */
  readonly peers: readonly PeerStats[];
  readonly stacks: Readonly<Partial<Record<StackName, StackStats>>>;
  /** Absent if the messenger was not given TLS options. */
  readonly tls?: TlsStats;
}

/** The contract of the README, whichever stack is behind it. */
export interface Messenger {
  /** Binds the port and resolves to the own id. @throws {TransportError} if no port can be bound */
  start(): Promise<MemberId>;
  /** @throws {LocalProtocolError} `ERR_NOT_STARTED` */
  readonly memberId: MemberId;
  /** Exactly once, in order. Never blocks. @throws {LocalProtocolError} `ERR_NOT_STARTED`, `ERR_CLOSED`, `ERR_TOO_LARGE` */
  send(message: OutgoingMessage): SendResult;
  /** At most once, in any order, not later than `maxAgeMs` says; not counted among the accepted. */
  sendUnreliably(message: OutgoingMessage): SendResult;
  /** One handler a type; a second one is refused. @throws {LocalProtocolError} `ERR_HANDLER` */
  addHandler(type: MessageType, handler: MessageHandler): void;
  /** For messages whose type has no handler. */
  setDefaultHandler(handler: MessageHandler): void;
  /** Called when a recipient that made `send` say `writable: false` has room again, or has left the view. */
  setWritableHandler(handler: (recipient: MemberId) => void): void;
  /**
   * Members that the view drops get no more retries; what they had not acknowledged ends as `memberLeft`.
   * A view that is not newer is ignored. @throws {LocalProtocolError} `ERR_VIEW` if the view lacks the own id
   */
  installView(view: View): void;
  /**
   * Resolves to true once `send` to the recipient would say `writable: true`, at once if so; to false if it is not in
   * the view, leaves it, or the messenger was stopped. Of several that wait, the first may fill the room again: call
   * it in a loop with `send`.
   */
  ready(recipient: MemberId): Promise<boolean>;
  /** Resolves when no accepted message is without an outcome, or after `timeoutMs`: then to false. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Ends what has no outcome as `closed` and frees the port. Idempotent. */
  stop(): Promise<void>;
  stats(): MessengerStats;
}
