/** What becomes of options of `createMessenger` that no type checker has seen. */
import type { CreateMessengerOptions, RecordOptions } from './create-options.ts';
import type { FaultOptions } from './io/faulty-datagram-socket.ts';
import type { JGroupsConfig, MulticastGroup } from './jgroups/config.ts';
import { checkOptionNames, optionsError } from './protocol/check-options.ts';
import type { OwnIdentity } from './protocol/messenger-options.ts';
import {
  BYTES,
  checkOptions,
  FLAG,
  FUNCTION,
  isPair,
  LIMIT,
  listOf,
  MILLISECONDS,
  NAME,
  NUMBER,
  oneOf,
  type OptionTypes,
  SHARE,
  TEXT,
  type ValueType,
  withMethods,
} from './protocol/option-types.ts';
import type { LimitOptions } from './protocol/send-limits.ts';
import type { DoorLimits } from './tcp/door.ts';
import type { TcpTimings } from './tcp/limits.ts';
import type { RoutingPolicy } from './upgrade/routing.ts';

/** A range that is none holds no version: all would go by UDP, and nobody would be told. */
const VERSIONS: ValueType = {
  words: '[first, last], two version ordinals of which the last is not the smaller one',
  has: (value) => isPair(value) && value.every(Number.isInteger) && value[0] <= value[1],
};

/** Null: ports have a code of their own, `tls` a room, and the others are in `CONTAINERS`. */
const OPTIONS: OptionTypes<CreateMessengerOptions> = {
  bundle: FLAG,
  cluster: NAME,
  door: null,
  faults: null,
  hardLimitBytes: BYTES,
  highWaterBytes: BYTES,
  host: TEXT,
  jgroups: null,
  limits: null,
  logger: withMethods('debug', 'info', 'warn', 'error'),
  member: null,
  memberTimeoutMs: MILLISECONDS,
  ports: null,
  record: null,
  routing: null,
  seed: NUMBER,
  tcp: null,
  tls: null,
  typeOf: FUNCTION,
  udpReceiveBufferBytes: BYTES,
  udpSendBufferBytes: BYTES,
};

const MEMBER: OptionTypes<OwnIdentity> = {
  name: TEXT,
  kind: oneOf('normal', 'locator', 'admin', 'loner'),
  weight: NUMBER,
  version: NUMBER,
  uuid: TEXT,
};

const LIMITS: OptionTypes<LimitOptions> = {
  highWaterMessages: NUMBER,
  hardLimitMessages: NUMBER,
  totalBytes: BYTES,
  totalMessages: NUMBER,
  highPriorityShare: SHARE,
};

const DOOR: OptionTypes<DoorLimits> = {
  maxConnections: LIMIT,
  maxPerAddress: LIMIT,
  maxGreeting: LIMIT,
  maxGreetingBytes: LIMIT,
  maxFailures: LIMIT,
};

const TCP: OptionTypes<TcpTimings> = {
  handshakeTimeoutMs: MILLISECONDS,
  pingIntervalMs: MILLISECONDS,
  stallTimeoutMs: MILLISECONDS,
  idleTimeoutMs: MILLISECONDS,
  ackDelayMs: MILLISECONDS,
  backoffMinMs: MILLISECONDS,
  backoffMaxMs: MILLISECONDS,
  lingerMs: MILLISECONDS,
  strangerTimeoutMs: MILLISECONDS,
};

const ROUTING: OptionTypes<RoutingPolicy> = { tcp: oneOf('auto', 'off'), tcpVersions: VERSIONS };

const FAULTS: OptionTypes<FaultOptions> = { loss: SHARE, duplicate: SHARE, reorder: SHARE, seed: NUMBER };

/** Of `redact` above all: never a file that holds more than its owner believes. */
const RECORD: OptionTypes<RecordOptions> = {
  file: NAME,
  maxBytes: BYTES,
  whenFull: oneOf('stop', 'rotate'),
  redact: oneOf('payloads'),
};

const JGROUPS: OptionTypes<JGroupsConfig> = {
  cluster: TEXT,
  version: NUMBER,
  multicast: null, // by MULTICAST
  answersPings: FLAG,
  protocols: listOf("protocols, such as ['UNICAST3', 'UFC', 'FRAG2']"),
  maxBundleSize: BYTES,
  ignoreDontBundle: FLAG,
  initialWindowBytes: BYTES,
  maxWindowBytes: BYTES,
  xmitIntervalMs: MILLISECONDS,
  ackThreshold: NUMBER,
  connExpiryTimeoutMs: MILLISECONDS,
  connCloseTimeoutMs: MILLISECONDS,
  maxRetransmitTimeMs: MILLISECONDS,
  syncMinIntervalMs: MILLISECONDS,
  maxXmitReqSize: NUMBER,
  mcastXmitIntervalMs: MILLISECONDS,
  useMcastXmit: FLAG,
  discardDeliveredMsgs: FLAG,
  resendLastSeqnoMaxTimes: NUMBER,
  becomeServerQueueSize: NUMBER,
  desiredAvgGossipMs: MILLISECONDS,
  stableMaxBytes: BYTES,
  fragSize: BYTES,
  maxCredits: BYTES,
  minThreshold: SHARE,
  rsvpTimeoutMs: MILLISECONDS,
  rsvpResendIntervalMs: MILLISECONDS,
  maxBlockTimeMs: MILLISECONDS,
};

/** Of `jgroups.multicast`, if it is a group. */
const MULTICAST: OptionTypes<MulticastGroup> = {
  address: TEXT,
  port: NUMBER,
  ttl: NUMBER,
  receiveBufferBytes: BYTES,
};

/** Options that have options of their own. */
const CONTAINERS = {
  member: MEMBER,
  limits: LIMITS,
  door: DOOR,
  tcp: TCP,
  routing: ROUTING,
  record: RECORD,
  faults: FAULTS,
  jgroups: JGROUPS,
} satisfies { readonly [name in keyof CreateMessengerOptions]?: unknown };

/** All that have a line in the documents; those of the legacy stack have docstrings. */
export const OPTION_NAMES: readonly string[] = [OPTIONS, MEMBER, LIMITS, DOOR, TCP, ROUTING, RECORD, FAULTS]
  .flatMap((types) => Object.keys(types))
  .filter((name) => !['door', 'faults', 'limits', 'member', 'record', 'routing'].includes(name));

/**
 * Ranges are judged where the values are used, and all of `tls` in its own room.
 * @throws {LocalProtocolError} `ERR_OPTIONS` for what is missing, for an option of a name that there is not, and for a
 *   value of another type
 */
export function checkCreateOptions(options: unknown): void {
  const given = (options ?? {}) as Readonly<Record<string, unknown>>;
  checkOptionNames('', given, OPTIONS);
  checkNeeds(given);
  checkOptions('', given, OPTIONS);
  for (const [name, types] of Object.entries(CONTAINERS)) checkOptions(name, given[name], types);
  const { multicast } = (given['jgroups'] ?? {}) as { readonly multicast?: unknown };
  if (multicast === undefined || multicast === null || multicast === 'unicasts') return;
  checkOptions('jgroups.multicast', multicast, MULTICAST);
  if ((multicast as Partial<MulticastGroup>).address === undefined)
    throw optionsError("jgroups.multicast.address is missing: that of a group, such as '239.1.1.1'");
}

function checkNeeds({ host, cluster, member }: Readonly<Record<string, unknown>>): void {
  const fail = (what: string): never => {
    throw optionsError(`createMessenger needs ${what}`);
  };
  if (typeof host !== 'string') fail('host, the IP address to bind and to tell the others');
  if (typeof cluster !== 'string') fail('cluster, the name that all members share');
  const version =
    typeof member === 'object' && member !== null && 'version' in member ? member.version : undefined;
  if (typeof version !== 'number') fail('member.version, the version ordinal to advertise, such as 200');
}
