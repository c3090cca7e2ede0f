/** The public API of the library, and nothing else. */

import { createNodeEnvironment, type NodeEnvironmentOptions } from './io/node-environment.ts';
import type { RecorderOptions } from './io/recorder.ts';
import { LocalProtocolError } from './protocol/errors.ts';
import { DelegatingMessenger, type DelegatingMessengerOptions } from './upgrade/delegating-messenger.ts';
import { PAYLOAD_REDACTOR } from './upgrade/redaction.ts';

export type { JGroupsConfig, MulticastGroup } from './jgroups/config.ts';
export {
  jgroupsConfigFromXml,
  type JGroupsXmlConfig,
  type JGroupsXmlOptions,
} from './jgroups/xml/config-from-xml.ts';
export { CodecError, TruncatedError } from '../codecs/bytes/errors.ts';
export {
  InvariantError,
  LocalProtocolError,
  RemoteProtocolError,
  TransportError,
} from './protocol/errors.ts';
export type { Logger } from './protocol/logger.ts';
export {
  createMemberId,
  type MemberId,
  type MemberIdInit,
  type MemberKind,
  UNKNOWN_VERSION,
} from './protocol/member-id.ts';
export type {
  IncomingMessage,
  MessageHandler,
  MessageType,
  Messenger,
  MessengerStats,
  OutcomeCounts,
  OutgoingMessage,
  PeerStats,
  SendResult,
  StackName,
  StackState,
  StackStats,
  UdpGroupStats,
  UdpPeerStats,
} from './protocol/messenger.ts';
export type { LimitOptions } from './protocol/send-limits.ts';
export type { DoorLimits } from './tcp/door.ts';
export type { TcpTimings } from './tcp/limits.ts';
export type {
  CertificateBinding,
  CertificateSummary,
  LinkSecurity,
  PeerTlsStats,
  TlsMode,
  TlsStats,
} from './protocol/security.ts';
export { tlsFromGemfireProperties, type GemfirePropertiesOptions } from './security/gemfire-properties.ts';
export type { PemSource, StoreSource, TlsOptions, TlsProtocol } from './security/options.ts';
export { createView, type View } from './protocol/view.ts';
export type { DelegatingMessenger } from './upgrade/delegating-messenger.ts';
export { DEFAULT_ROUTING_POLICY, type Route, type RoutingPolicy } from './upgrade/routing.ts';

/** Geode's default membership-port-range. */
const DEFAULT_PORTS = [41_000, 61_000] as const;

export interface CreateMessengerOptions
  extends
    Omit<DelegatingMessengerOptions, 'environment' | 'ports'>,
    Omit<NodeEnvironmentOptions, 'recorder'> {
  /** First and last membership port to try; 0,0 takes any free one. Default 41000 to 61000. */
  readonly ports?: readonly [number, number];
  /** Writes all that this member sends and receives, by UDP and by TCP, to a capture file. Default: nothing. */
  readonly record?: RecordOptions;
}

/**
 * A messenger's own traffic as a pcapng file (raw IP), from `start()` to `stop()`: every datagram, every byte of TCP,
 * both directions, with the time of day, for `rollgate decode`, Wireshark and others. The packets around the bytes are
 * made up, with TCP's handshakes and acknowledgements. It is recorded what the network was given: injected faults come
 * before. UDP that the kernel refuses, and TCP that a broken connection never got out, may be in it all the same.
 *
 * Recording never harms the messenger. If the file cannot be written, the disk is full or too slow, it is said once by
 * a warning, and recording stops or goes on with packets missing; their number stands at the end of the file.
 */
export interface RecordOptions {
  /** An existing file is overwritten. Readable by its owner only. One file for each messenger. */
  readonly file: string;
  /** The file grows no larger; 131072 (128 KiB) at least. Default 1 GiB. */
  readonly maxBytes?: number;
  /**
   * `stop` (the default): then nothing more is recorded. `rotate`: the file becomes `<file>.1`, in place of an earlier
   * one, and a new one begins.
   */
  readonly whenFull?: 'stop' | 'rotate';
  /**
   * `payloads`: what the application sends is overwritten by as many zeros, on both stacks. With it go all that is
   * inside of messages, Geode's credentials and public keys among them. What stays: addresses, ports, member ids and
   * names, the cluster's name, seqnos, flags, lengths, times, the seqnos and credits that UNICAST3 and flow control
   * ask for, and all frames of the TCP wire other than messages. A datagram with JGroups' AUTH header keeps
   * only its version; one that cannot be decoded its first 64 bytes; a TCP stream that is not ours loses all from
   * the first byte that does not fit. Default: nothing is redacted.
   */
  readonly redact?: 'payloads';
}

/**
 * A messenger that speaks JGroups 3.6 over UDP to old members and TCP to new ones, on one port number.
 * @throws {LocalProtocolError} `ERR_OPTIONS` for limits that cannot be, `ERR_TLS` for certificates that are of no use
 */
export function createMessenger(options: CreateMessengerOptions): DelegatingMessenger {
  checkOptions(options);
  const { seed, logger, faults, record, tls, ...rest } = options;
  const environment = createNodeEnvironment({
    ...(seed === undefined ? {} : { seed }),
    ...(logger === undefined ? {} : { logger }),
    ...(faults === undefined ? {} : { faults }),
    ...(tls === undefined ? {} : { tls }),
    ...(record === undefined ? {} : { recorder: recorderOptions(record) }),
  });
  return new DelegatingMessenger({ ports: DEFAULT_PORTS, ...rest, environment });
}

function recorderOptions({ redact, ...options }: RecordOptions): RecorderOptions {
  const wanted: string | undefined = redact;
  if (wanted === undefined) return options;
  // never a file that holds more than its owner believes
  if (wanted !== 'payloads')
    throw new LocalProtocolError(
      'ERR_OPTIONS',
      `record.redact: only 'payloads' can be redacted, not '${wanted}'`,
    );
  return { ...options, redactor: PAYLOAD_REDACTOR };
}

/** For callers without a type checker. */
function checkOptions(options: unknown): void {
  const { host, cluster, member } = (options ?? {}) as Readonly<Record<string, unknown>>;
  const fail = (what: string): never => {
    throw new LocalProtocolError('ERR_OPTIONS', `createMessenger needs ${what}`);
  };
  if (typeof host !== 'string') fail('host, the IP address to bind and to tell the others');
  if (typeof cluster !== 'string') fail('cluster, the name that all members share');
  const version =
    typeof member === 'object' && member !== null && 'version' in member ? member.version : undefined;
  if (typeof version !== 'number') fail('member.version, the version ordinal to advertise, such as 200');
}
