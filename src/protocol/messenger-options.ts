import type { BindOptions, Environment, PortPair } from './environment.ts';
import { createMemberId } from './member-id.ts';
import type { MemberId, MemberKind } from './member-id.ts';
import type { MessageType } from './messenger.ts';
import type { LimitOptions, PendingTotal } from './send-limits.ts';
import { below } from './rng.ts';
import type { Rng } from './rng.ts';

/** What every messenger is told, whichever stack it runs. */
export interface MessengerOptions {
  readonly environment: Environment;
  /** Members of another cluster are refused. */
  readonly cluster: string;
  readonly member: OwnIdentity;
  /** IP literal to bind and to advertise. */
  readonly host: string;
  /** First and last membership port to try; 0,0 takes any free one. */
  readonly ports: readonly [number, number];
  /** Reads a message's type off its payload, for `addHandler`; null if it has none. */
  readonly typeOf?: (payload: Uint8Array) => MessageType | null;
  /** Bytes pending for a recipient above which `send` says `writable: false`. Default 4 MiB. */
  readonly highWaterBytes?: number;
  /** Bytes pending for a recipient above which `send` refuses. Default 16 MiB. */
  readonly hardLimitBytes?: number;
  /** Bounds in messages, those of all recipients together, and the reserve of high-priority messages. */
  readonly limits?: LimitOptions;
  /** Shared by the messengers of one member; each has its own if absent. */
  readonly pendingTotal?: PendingTotal;
  /**
   * Milliseconds, 100 at least, after which a recipient that takes nothing of what waits for it is stalled: see
   * `setPeerStalledHandler`. Geode's `member-timeout`, and its default, 5,000. Other times of TCP derive from it.
   */
  readonly memberTimeoutMs?: number;
  readonly udpReceiveBufferBytes?: number;
  readonly udpSendBufferBytes?: number;
  readonly jgroups?: {
    /** How group messages go on the legacy stack; other values than an address need no socket of their own. */
    readonly multicast?: 'unicasts' | NonNullable<BindOptions['multicast']> | null;
  };
}

/** The parts of the own member id that are known before a port is bound. */
export interface OwnIdentity {
  readonly name?: string;
  readonly kind?: MemberKind;
  readonly weight?: number;
  /** Version ordinal to advertise. */
  readonly version: number;
  /** 32 hex digits; drawn from the environment's rng if absent. */
  readonly uuid?: string;
}

/**
 * A port that the caller has bound already and the id that goes with it: both stacks of a member share them.
 * `start(adopted)` takes its half of the pair before it first yields, so that no connection or datagram that
 * arrives meanwhile finds nobody.
 */
export interface AdoptedPort {
  readonly pair: PortPair;
  readonly memberId: MemberId;
}

export {
  DEFAULT_HARD_LIMIT_BYTES,
  DEFAULT_HIGH_WATER_BYTES,
  MESSAGE_OVERHEAD_BYTES,
  type QueueLimits,
  queueLimits,
} from './send-limits.ts';

/** Geode's defaults for a membership socket are of this size too. */
export const DEFAULT_UDP_BUFFER_BYTES = 1024 * 1024;

export function bindOptions(options: MessengerOptions, halves: { udp: boolean; tcp: boolean }): BindOptions {
  const multicast = options.jgroups?.multicast;
  const joins = halves.udp && typeof multicast === 'object' && multicast !== null;
  return {
    host: options.host,
    ports: options.ports,
    udp: halves.udp,
    tcp: halves.tcp,
    ...(joins ? { multicast } : {}),
    udpReceiveBufferBytes: options.udpReceiveBufferBytes ?? DEFAULT_UDP_BUFFER_BYTES,
    udpSendBufferBytes: options.udpSendBufferBytes ?? DEFAULT_UDP_BUFFER_BYTES,
  };
}

/** The own id, once the port is known. @throws {LocalProtocolError} `ERR_MEMBER_ID` for a uuid that is none */
export function createOwnId(options: MessengerOptions, port: number): MemberId {
  const { uuid, ...identity } = options.member;
  return createMemberId({
    ...identity,
    host: options.host,
    port,
    uuid: uuid ?? randomHex(options.environment.rng, 16),
  });
}

/** `bytes` random bytes (a multiple of 4) as lower-case hex. */
export function randomHex(rng: Rng, bytes: number): string {
  let hex = '';
  for (let word = 0; word < bytes; word += 4) hex += below(rng, 0x1_0000_0000).toString(16).padStart(8, '0');
  return hex;
}
