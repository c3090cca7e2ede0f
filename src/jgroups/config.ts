import { MAX_NAME_BYTES, MAX_SEQNO_LIST_BITS, MAX_UDP_PAYLOAD_BYTES } from '../../codecs/bytes/limits.ts';
import { formatVersion, majorMinor, VERSION_3_6_14 } from '../../codecs/jgroups/version.ts';
import { LocalProtocolError } from '../protocol/errors.ts';

/** Room for what stands around a fragment: both addresses (IPv6), all headers, lengths; the cluster name comes on top. */
const MAX_ENVELOPE_BYTES = 256;

/** Settings of the legacy stack, under JGroups' names; the defaults are Geode's (WIRE-3.6 section 13). */
export interface JGroupsConfig {
  /** Cluster name in every TpHeader. Geode's is always "AG". */
  readonly cluster: string;
  /** Version short of our datagrams; peers accept any micro version of 3.6. */
  readonly version: number;
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
  /** UNICAST3: most seqnos in one retransmission request, (max_bundle_size - 50) * 8 in JGroups. */
  readonly maxXmitReqSize: number;
  /** FRAG2: larger payloads are cut into pieces of this many bytes. */
  readonly fragSize: number;
  /** UFC: bytes that a sender may have outstanding at one receiver. */
  readonly maxCredits: number;
  /** UFC: share of `maxCredits` at which a receiver gives new credits. */
  readonly minThreshold: number;
  /** UFC: after this long without credits the sender asks for some. */
  readonly maxBlockTimeMs: number;
}

export const GEODE_STACK: JGroupsConfig = {
  cluster: 'AG',
  version: VERSION_3_6_14,
  xmitIntervalMs: 500,
  ackThreshold: 5,
  connExpiryTimeoutMs: 0,
  connCloseTimeoutMs: 10_000,
  maxRetransmitTimeMs: 60_000,
  syncMinIntervalMs: 2_000,
  maxXmitReqSize: 511_600,
  fragSize: 60_000,
  maxCredits: 1_048_576,
  minThreshold: 0.25,
  maxBlockTimeMs: 5_000,
};

/**
 * Geode's settings with some of them changed.
 * @throws {LocalProtocolError} `ERR_OPTIONS` for a setting with which the stack could not work
 */
export function resolveConfig(changes: Partial<JGroupsConfig>): JGroupsConfig {
  const config = { ...GEODE_STACK, ...changes };
  const { cluster, version, fragSize } = config;
  check(majorMinor(version) === majorMinor(VERSION_3_6_14), `version ${formatVersion(version)} is not 3.6`);
  const isName = cluster.length <= MAX_NAME_BYTES && !/[^\x00-\xff]/.test(cluster);
  check(isName, `cluster '${cluster.slice(0, 50)}' is too long or not Latin-1`);
  const most = MAX_UDP_PAYLOAD_BYTES - MAX_ENVELOPE_BYTES - cluster.length;
  checkRange('fragSize', fragSize, 1, most);
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
  return config;
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
