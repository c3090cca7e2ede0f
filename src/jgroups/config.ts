import { isIpLiteral } from '../../codecs/bytes/ip.ts';
import { MAX_NAME_BYTES, MAX_SEQNO_LIST_BITS, MAX_UDP_PAYLOAD_BYTES } from '../../codecs/bytes/limits.ts';
import { formatVersion, majorMinor, VERSION_3_6_14 } from '../../codecs/jgroups/version.ts';
import { present } from '../protocol/check-options.ts';
import { LocalProtocolError } from '../protocol/errors.ts';

/** Room for what stands around a fragment: both addresses (IPv6), all headers, lengths; the cluster name comes on top. */
const MAX_ENVELOPE_BYTES = 256;

/** The system takes an int. */
const MAX_SOCKET_BUFFER_BYTES = 0x7fff_ffff;

/** Anybody can fill the queue before there is a view: of the largest datagrams these are 65 MB. */
const MAX_BECOME_SERVER_QUEUE = 1_000;

/** Where group messages go by IP multicast. */
export interface MulticastGroup {
  /** IP literal of a multicast address, without a zone; of the same kind as the member's host. */
  readonly address: string;
  readonly port: number;
  /** Hops that datagrams to it may travel, 0..255; 0: to members on this machine only. Default 32, as Geode's. */
  readonly ttl?: number;
  /** SO_RCVBUF of the socket that hears it. Default: as `udpReceiveBufferBytes`. */
  readonly receiveBufferBytes?: number;
}

export type ProtocolName = 'NAKACK2' | 'UNICAST3' | 'STABLE' | 'UFC' | 'MFC' | 'FRAG2' | 'RSVP';

/** Geode's stack without multicast, from the bottom. */
const UNICAST_PROTOCOLS: readonly ProtocolName[] = ['UNICAST3', 'UFC', 'FRAG2'];

/** Geode's stack with multicast, from the bottom; in JGroups' udp.xml they have the same order. */
const MULTICAST_PROTOCOLS: readonly ProtocolName[] = ['NAKACK2', 'UNICAST3', 'STABLE', 'UFC', 'MFC', 'FRAG2'];

/** Settings of the legacy stack, under JGroups' names; the defaults are Geode's. */
export interface JGroupsConfig {
  /** Cluster name in every TpHeader. Geode's is always "AG". */
  readonly cluster: string;
  /** Version short of our datagrams; peers accept any micro version of 3.6. */
  readonly version: number;
  /** Null: none. `unicasts`: a datagram for each member (JGroups' `ip_mcast=false`). */
  readonly multicast: 'unicasts' | MulticastGroup | null;
  /** Geode's quorum check: an unreliable message that says only `ping` is answered by one that says `pong`. */
  readonly answersPings: boolean;
  /** From the bottom to the top. */
  readonly protocols: readonly ProtocolName[];
  /** Transport: largest datagram that is made of several messages. */
  readonly maxBundleSize: number;
  /** Transport: messages flagged DONT_BUNDLE are bundled like others. */
  readonly ignoreDontBundle: boolean;
  /** UNICAST3: bytes under way to a receiver past which messages wait for acks; 0: they never do, as in JGroups. */
  readonly initialWindowBytes: number;
  /** UNICAST3: that limit grows up to this while acks come at once. */
  readonly maxWindowBytes: number;
  /** UNICAST3: period of acks, gap requests and last-message resends. */
  readonly xmitIntervalMs: number;
  /** UNICAST3: a batch of this many messages is acknowledged at once. */
  readonly ackThreshold: number;
  /** UNICAST3: idle connections are closed after this; 0: never. */
  readonly connExpiryTimeoutMs: number;
  /** UNICAST3: how long a closing connection is kept, in case its peer comes back. */
  readonly connCloseTimeoutMs: number;
  /** UNICAST3: connections to peers that never were members are closed after this. */
  readonly maxRetransmitTimeMs: number;
  /** UNICAST3: at most one SEND_FIRST_SEQNO to a sender in this time. */
  readonly syncMinIntervalMs: number;
  /** UNICAST3, NAKACK2: most seqnos in one retransmission request, (max_bundle_size - 50) * 8 in JGroups. */
  readonly maxXmitReqSize: number;
  /** NAKACK2: period of gap requests, and of telling the last seqno. */
  readonly mcastXmitIntervalMs: number;
  /** NAKACK2: retransmissions go to all members again, not to the one that asks. */
  readonly useMcastXmit: boolean;
  /** NAKACK2: delivered messages of others are not kept until they are stable. */
  readonly discardDeliveredMsgs: boolean;
  /** NAKACK2: how often an idle sender tells its last seqno. */
  readonly resendLastSeqnoMaxTimes: number;
  /** NAKACK2: messages kept until there is a view; the oldest make room. */
  readonly becomeServerQueueSize: number;
  /** STABLE: mean time between two gossips of a member. */
  readonly desiredAvgGossipMs: number;
  /** STABLE: after so many bytes of group messages a member gossips at once; 0: never. */
  readonly stableMaxBytes: number;
  /** FRAG2: larger payloads are cut into pieces of this many bytes. */
  readonly fragSize: number;
  /** UFC, MFC: bytes that a sender may have outstanding at one receiver. */
  readonly maxCredits: number;
  /** UFC, MFC: share of `maxCredits` at which a receiver gives new credits. */
  readonly minThreshold: number;
  /** RSVP: how long recipients have to confirm a message, where its sender does not say. */
  readonly rsvpTimeoutMs: number;
  /** RSVP: how often the group is reminded while somebody has not confirmed. */
  readonly rsvpResendIntervalMs: number;
  /** UFC, MFC: after this long without credits the sender asks for some. */
  readonly maxBlockTimeMs: number;
}

export const GEODE_STACK: JGroupsConfig = {
  cluster: 'AG',
  version: VERSION_3_6_14,
  multicast: null,
  answersPings: true,
  protocols: UNICAST_PROTOCOLS,
  maxBundleSize: 64_000,
  ignoreDontBundle: false,
  initialWindowBytes: 65_536,
  maxWindowBytes: 4_194_304,
  xmitIntervalMs: 500,
  ackThreshold: 5,
  connExpiryTimeoutMs: 0,
  connCloseTimeoutMs: 10_000,
  maxRetransmitTimeMs: 60_000,
  syncMinIntervalMs: 2_000,
  maxXmitReqSize: 511_600,
  mcastXmitIntervalMs: 500,
  useMcastXmit: false,
  discardDeliveredMsgs: true,
  resendLastSeqnoMaxTimes: 1,
  becomeServerQueueSize: 50,
  desiredAvgGossipMs: 2_000,
  stableMaxBytes: 400_000,
  fragSize: 60_000,
  maxCredits: 1_048_576,
  minThreshold: 0.25,
  maxBlockTimeMs: 5_000,
  rsvpTimeoutMs: 10_000,
  rsvpResendIntervalMs: 2_000,
};

export const GEODE_MULTICAST_STACK: JGroupsConfig = {
  ...GEODE_STACK,
  multicast: 'unicasts',
  protocols: MULTICAST_PROTOCOLS,
};

/** What JGroups' own udp.xml sets otherwise than Geode (its M is a million). */
export const UDP_XML_STACK: JGroupsConfig = {
  ...GEODE_MULTICAST_STACK,
  protocols: [...MULTICAST_PROTOCOLS, 'RSVP'],
  answersPings: false,
  ignoreDontBundle: true,
  desiredAvgGossipMs: 50_000,
  stableMaxBytes: 4_000_000,
  maxCredits: 2_000_000,
  minThreshold: 0.4,
  maxBlockTimeMs: 500,
};

/**
 * Geode's settings with some of them changed; with `multicast` those of its stack for that.
 * @throws {LocalProtocolError} `ERR_OPTIONS` for a setting with which the stack could not work
 */
export function resolveConfig(changes: Partial<JGroupsConfig>): JGroupsConfig {
  const hasGroup = changes.multicast !== undefined && changes.multicast !== null;
  const config = { ...(hasGroup ? GEODE_MULTICAST_STACK : GEODE_STACK), ...present(changes) };
  const { cluster, version, fragSize } = config;
  check(majorMinor(version) === majorMinor(VERSION_3_6_14), `version ${formatVersion(version)} is not 3.6`);
  const isName = cluster.length <= MAX_NAME_BYTES && !/[^\x00-\xff]/.test(cluster);
  check(isName, `cluster '${cluster.slice(0, 50)}' is too long or not Latin-1`);
  const most = MAX_UDP_PAYLOAD_BYTES - MAX_ENVELOPE_BYTES - cluster.length;
  checkRange('fragSize', fragSize, 1, most);
  checkRange('maxBundleSize', config.maxBundleSize, 1, MAX_UDP_PAYLOAD_BYTES);
  checkRange('initialWindowBytes', config.initialWindowBytes, 0);
  checkRange('maxWindowBytes', config.maxWindowBytes, 0);
  checkRange('xmitIntervalMs', config.xmitIntervalMs, 1);
  checkRange('ackThreshold', config.ackThreshold, 1);
  checkRange('connExpiryTimeoutMs', config.connExpiryTimeoutMs, 0);
  checkRange('connCloseTimeoutMs', config.connCloseTimeoutMs, 0);
  checkRange('maxRetransmitTimeMs', config.maxRetransmitTimeMs, 0);
  checkRange('syncMinIntervalMs', config.syncMinIntervalMs, 0);
  checkRange('maxXmitReqSize', config.maxXmitReqSize, 1, MAX_SEQNO_LIST_BITS);
  checkRange('maxCredits', config.maxCredits, 1);
  check(
    config.minThreshold >= 0 && config.minThreshold <= 1,
    `minThreshold ${config.minThreshold} is no share`,
  );
  checkRange('maxBlockTimeMs', config.maxBlockTimeMs, 1);
  checkRange('rsvpTimeoutMs', config.rsvpTimeoutMs, 1);
  checkRange('rsvpResendIntervalMs', config.rsvpResendIntervalMs, 1);
  checkProtocols(config);
  checkMulticast(config);
  return config;
}

function checkProtocols({ protocols, multicast }: JGroupsConfig): void {
  const names = protocols.join(' ');
  const known = protocols.every((name) => name === 'RSVP' || MULTICAST_PROTOCOLS.includes(name));
  check(
    known && new Set(protocols).size === protocols.length,
    `protocols '${names}' are unknown or twice there`,
  );
  const at = (name: ProtocolName): number => protocols.indexOf(name);
  check(at('UNICAST3') >= 0, `protocols '${names}' are without UNICAST3`);
  check(at('NAKACK2') >= 0 === (multicast !== null), `NAKACK2 and multicast go together, unlike '${names}'`);
  check(at('STABLE') >= 0 === (multicast !== null), `NAKACK2 needs STABLE, unlike '${names}'`);
  check(
    at('RSVP') < 0 || at('RSVP') === protocols.length - 1,
    `RSVP belongs above all others, unlike in '${names}'`,
  );
  const reliable = Math.max(at('UNICAST3'), at('NAKACK2'));
  check(
    multicast === null || at('STABLE') > at('NAKACK2'),
    `STABLE belongs above NAKACK2, unlike '${names}'`,
  );
  for (const name of ['UFC', 'MFC', 'FRAG2'] as const) {
    const isAbove = at(name) < 0 || at(name) > reliable;
    check(isAbove, `${name} belongs above what is reliable, unlike in '${names}'`);
  }
}

function checkMulticast(config: JGroupsConfig): void {
  const { multicast } = config;
  if (multicast !== null && multicast !== 'unicasts') {
    check(isMulticastAddress(multicast.address), `'${multicast.address}' is no multicast address`);
    checkRange('multicast.port', multicast.port, 1, 65_535);
    checkRange('multicast.ttl', multicast.ttl ?? 0, 0, 255);
    checkRange('multicast.receiveBufferBytes', multicast.receiveBufferBytes ?? 1, 1, MAX_SOCKET_BUFFER_BYTES);
  }
  checkRange('mcastXmitIntervalMs', config.mcastXmitIntervalMs, 1);
  checkRange('resendLastSeqnoMaxTimes', config.resendLastSeqnoMaxTimes, 0);
  checkRange('becomeServerQueueSize', config.becomeServerQueueSize, 0, MAX_BECOME_SERVER_QUEUE);
  checkRange('desiredAvgGossipMs', config.desiredAvgGossipMs, 1);
  checkRange('stableMaxBytes', config.stableMaxBytes, 0);
}

function isMulticastAddress(address: string): boolean {
  if (!isIpLiteral(address)) return false;
  const first = Number(address.split('.', 1)[0]);
  return address.includes(':') ? /^ff/i.test(address) : first >= 224 && first <= 239;
}

function checkRange(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  check(
    Number.isInteger(value) && value >= least && value <= most,
    `${name} ${value} is outside ${least}..${most}`,
  );
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new LocalProtocolError('ERR_OPTIONS', message);
}
