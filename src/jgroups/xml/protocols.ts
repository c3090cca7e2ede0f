/**
 * What the protocols' attributes mean, and what JGroups 3.6.14 takes where they are not given (its classes' @Property
 * fields). Every attribute that JGroups knows is here: it refuses all others, and so do we.
 */
import type { JGroupsConfig, ProtocolName } from '../config.ts';

/** What the transport's element says; it is always there. */
export interface TransportSettings {
  readonly bindAddr: string;
  /** 0: any free one. */
  readonly bindPort: number;
  readonly portRange: number;
  readonly ipMcast: boolean;
  /** Empty: JGroups' default. */
  readonly mcastAddr: string;
  readonly mcastPort: number;
  readonly ipTtl: number;
  readonly mcastReceiveBufferBytes: number;
  readonly udpReceiveBufferBytes: number;
  readonly udpSendBufferBytes: number;
  readonly maxBundleSize: number;
  readonly ignoreDontBundle: boolean;
  readonly answersPings: boolean;
}

/** What the other elements say: settings of ours under their own name, and what some are made of. */
interface ProtocolSettings extends Omit<
  JGroupsConfig,
  'cluster' | 'version' | 'multicast' | 'protocols' | keyof TransportSettings
> {
  /** 0: not set. */
  readonly minCredits: number;
  /** 0: not set, as `maxXmitReqSize` is then. */
  readonly mcastMaxXmitReqSize: number;
  readonly resendLastSeqno: boolean;
}

type Settings = TransportSettings & ProtocolSettings;
type KeysOf<T> = { [Key in keyof Settings]: Settings[Key] extends T ? Key : never }[keyof Settings];

/** What was found so far. */
export type Draft = { -readonly [Key in keyof Settings]?: Settings[Key] };

export type Rule =
  /** How the JVM does its work: other members cannot tell. */
  | { readonly kind: 'local' }
  | { readonly kind: 'number'; readonly key: KeysOf<number> }
  | { readonly kind: 'boolean'; readonly key: KeysOf<boolean> }
  | { readonly kind: 'text'; readonly key: KeysOf<string> }
  /** Only one value is like what we do: others are refused if members could no longer understand us. */
  | {
      readonly kind: 'fixed';
      readonly value: string;
      readonly otherwise: 'error' | 'warning';
      readonly why: string;
    }
  | { readonly kind: 'warning' | 'error'; readonly why: string };

export interface ProtocolRules {
  /** Null: the transport. */
  readonly protocol: ProtocolName | null;
  readonly defaults: Readonly<Draft>;
  readonly attributes: Readonly<Record<string, Rule>>;
  /** System properties that JGroups takes where an attribute is not given. */
  readonly systemProperties?: Readonly<Record<string, string>>;
  /** More attributes that are local. */
  readonly local?: RegExp;
}

const local: Rule = { kind: 'local' };
const number = (key: KeysOf<number>): Rule => ({ kind: 'number', key });
const boolean = (key: KeysOf<boolean>): Rule => ({ kind: 'boolean', key });
const text = (key: KeysOf<string>): Rule => ({ kind: 'text', key });
const fixed = (value: string, otherwise: 'error' | 'warning', why: string): Rule => ({
  kind: 'fixed',
  value,
  otherwise,
  why,
});
const warning = (why: string): Rule => ({ kind: 'warning', why });

/** Of every protocol (JGroups' Protocol). */
export const COMMON: Readonly<Record<string, Rule>> = {
  stats: local,
  ergonomics: local,
  name: local,
  level: local,
  after_creation_hook: local,
  id: { kind: 'error', why: 'other protocol ids on the wire are not supported' },
};

const XMIT_TABLE = /^xmit_table_(num_rows|msgs_per_row|resize_factor|max_compaction_time)$/;

const TRANSPORT_LOCAL = new RegExp(
  [
    '^(?:oob_|internal_)?thread_pool\\.\\w+$',
    '^timer(?:_type|\\.\\w+)$',
    '^diagnostics_\\w+$|^enable_diagnostics$',
    '^loopback(?:_copy|_separate_thread)?$',
    '^logical_addr_cache_\\w+$|^who_has_cache_timeout$|^physical_addr_max_fetch_attempts$',
    '^(?:log_discard_msgs|suppress_time)_?\\w*$|^discard_incompatible_packets$',
    '^(?:no_)?bundler[._]\\w+$|^enable_(?:unicast_)?bundling$|^enable_batching$|^max_bundle_timeout$',
    '^thread_naming_pattern$|^time_service_interval$|^tos$|^mcast_send_buf_size$',
  ].join('|'),
);

export const TRANSPORT_DEFAULTS: TransportSettings = {
  bindAddr: '',
  bindPort: 0,
  portRange: 50,
  ipMcast: true,
  mcastAddr: '',
  mcastPort: 7_600,
  ipTtl: 8,
  mcastReceiveBufferBytes: 500_000,
  udpReceiveBufferBytes: 64_000,
  udpSendBufferBytes: 100_000,
  maxBundleSize: 64_000,
  ignoreDontBundle: true,
  answersPings: false,
};

const UDP: ProtocolRules = {
  protocol: null,
  defaults: TRANSPORT_DEFAULTS,
  attributes: {
    bind_addr: text('bindAddr'),
    bind_port: number('bindPort'),
    port_range: number('portRange'),
    ip_mcast: boolean('ipMcast'),
    mcast_addr: text('mcastAddr'),
    mcast_port: number('mcastPort'),
    ip_ttl: number('ipTtl'),
    ucast_recv_buf_size: number('udpReceiveBufferBytes'),
    ucast_send_buf_size: number('udpSendBufferBytes'),
    mcast_recv_buf_size: number('mcastReceiveBufferBytes'),
    max_bundle_size: number('maxBundleSize'),
    ignore_dont_bundle: boolean('ignoreDontBundle'),
    bind_interface: warning('the address is chosen by host alone'),
    external_addr: {
      kind: 'error',
      why: 'another address for peers than the one that is bound is not supported',
    },
    external_port: {
      kind: 'error',
      why: 'another port for peers than the one that is bound is not supported',
    },
    receive_on_all_interfaces: fixed('false', 'warning', 'the group is heard on the interface of host alone'),
    receive_interfaces: warning('the group is heard on the interface of host alone'),
    disable_loopback: fixed('false', 'warning', 'members on this machine hear our group messages'),
    singleton_name: warning('a transport is not shared'),
  },
  systemProperties: {
    bind_addr: 'jgroups.bind_addr',
    mcast_addr: 'jgroups.udp.mcast_addr',
    mcast_port: 'jgroups.udp.mcast_port',
    ip_ttl: 'jgroups.udp.ip_ttl',
    external_addr: 'jgroups.external_addr',
    external_port: 'jgroups.external_port',
  },
  local: TRANSPORT_LOCAL,
};

/** Geode's transport is UDP with an answer to its quorum check (WIRE-3.6 section 13). */
const GEODE_TRANSPORT: ProtocolRules = { ...UDP, defaults: { ...TRANSPORT_DEFAULTS, answersPings: true } };

const NAKACK2: ProtocolRules = {
  protocol: 'NAKACK2',
  defaults: {
    mcastXmitIntervalMs: 1_000,
    useMcastXmit: true,
    discardDeliveredMsgs: true,
    resendLastSeqno: true,
    resendLastSeqnoMaxTimes: 1,
    becomeServerQueueSize: 50,
    mcastMaxXmitReqSize: 0,
  },
  attributes: {
    xmit_interval: number('mcastXmitIntervalMs'),
    use_mcast_xmit: boolean('useMcastXmit'),
    discard_delivered_msgs: boolean('discardDeliveredMsgs'),
    resend_last_seqno: boolean('resendLastSeqno'),
    resend_last_seqno_max_times: number('resendLastSeqnoMaxTimes'),
    become_server_queue_size: number('becomeServerQueueSize'),
    max_xmit_req_size: number('mcastMaxXmitReqSize'),
    use_mcast_xmit_req: fixed('false', 'warning', 'we ask the original sender alone'),
    xmit_from_random_member: fixed('false', 'warning', 'we ask the original sender alone'),
    max_msg_batch_size: local,
    max_rebroadcast_timeout: local,
    print_stability_history_on_failed_xmit: local,
    log_discard_msgs: local,
    log_not_found_msgs: local,
    suppress_time_non_member_warnings: local,
  },
  local: XMIT_TABLE,
};

const UNICAST3: ProtocolRules = {
  protocol: 'UNICAST3',
  defaults: {
    xmitIntervalMs: 500,
    ackThreshold: 5,
    connExpiryTimeoutMs: 120_000,
    connCloseTimeoutMs: 10_000,
    maxRetransmitTimeMs: 60_000,
    syncMinIntervalMs: 2_000,
    maxXmitReqSize: 0,
  },
  attributes: {
    xmit_interval: number('xmitIntervalMs'),
    ack_threshold: number('ackThreshold'),
    conn_expiry_timeout: number('connExpiryTimeoutMs'),
    conn_close_timeout: number('connCloseTimeoutMs'),
    max_retransmit_time: number('maxRetransmitTimeMs'),
    sync_min_interval: number('syncMinIntervalMs'),
    max_xmit_req_size: number('maxXmitReqSize'),
    max_msg_batch_size: local,
    log_not_found_msgs: local,
    ack_batches_immediately: local,
  },
  local: XMIT_TABLE,
};

const STABLE: ProtocolRules = {
  protocol: 'STABLE',
  defaults: { desiredAvgGossipMs: 20_000, stableMaxBytes: 2_000_000 },
  attributes: {
    desired_avg_gossip: number('desiredAvgGossipMs'),
    max_bytes: number('stableMaxBytes'),
    send_stable_msgs_to_coord_only: fixed('true', 'error', 'gossip to all members is not supported'),
    stability_delay: local, // JGroups takes 0 while gossip goes to the coordinator only (WIRE-3.6 section 7)
    cap: local,
  },
};

function flowControl(protocol: 'UFC' | 'MFC'): ProtocolRules {
  return {
    protocol,
    defaults: { maxCredits: 500_000, minThreshold: 0.4, maxBlockTimeMs: 500, minCredits: 0 },
    attributes: {
      max_credits: number('maxCredits'),
      min_threshold: number('minThreshold'),
      min_credits: number('minCredits'),
      max_block_time: number('maxBlockTimeMs'),
      max_block_times: warning('max_block_time holds for messages of every size'),
      ignore_synchronous_response: local,
    },
  };
}

const FRAG2: ProtocolRules = {
  protocol: 'FRAG2',
  defaults: { fragSize: 60_000 },
  attributes: { frag_size: number('fragSize') },
};

const RSVP: ProtocolRules = {
  protocol: 'RSVP',
  defaults: { rsvpTimeoutMs: 10_000, rsvpResendIntervalMs: 2_000 },
  attributes: {
    timeout: number('rsvpTimeoutMs'),
    resend_interval: number('rsvpResendIntervalMs'),
    throw_exception_on_timeout: local,
    ack_on_delivery: fixed('true', 'warning', 'a message is confirmed after it was delivered'),
  },
};

/** By their name without a package. */
export const RULES: ReadonlyMap<string, ProtocolRules> = new Map([
  ['UDP', UDP],
  ['geode.Transport', GEODE_TRANSPORT],
  ['NAKACK2', NAKACK2],
  ['UNICAST3', UNICAST3],
  ['STABLE', STABLE],
  ['UFC', flowControl('UFC')],
  ['MFC', flowControl('MFC')],
  ['FRAG2', FRAG2],
  ['RSVP', RSVP],
]);

/** Of Geode, without anything on the wire (WIRE-3.6 section 13). */
export const SILENT: ReadonlySet<string> = new Set(['geode.AddressManager', 'geode.StatRecorder']);

/**
 * Protocols of members among themselves that reliable messages do without: who is in the cluster, who is suspected,
 * which state a joiner gets. The view comes from outside here.
 */
export const NOT_RUN: ReadonlySet<string> = new Set([
  ...['PING', 'MPING', 'BPING', 'TCPPING', 'TCPGOSSIP', 'FILE_PING', 'JDBC_PING', 'S3_PING', 'GOOGLE_PING'],
  ...['RACKSPACE_PING', 'SWIFT_PING', 'PDC', 'MERGE2', 'MERGE3'],
  ...['FD', 'FD_ALL', 'FD_ALL2', 'FD_SOCK', 'FD_HOST', 'FD_PING', 'VERIFY_SUSPECT'],
  ...['GMS', 'AUTH', 'SASL', 'BARRIER', 'STATE_TRANSFER', 'STATE', 'STATE_SOCK'],
  ...['STATS', 'TRACE', 'RATE_LIMITER'],
]);
