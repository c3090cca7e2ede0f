/** The public API of the library, and nothing else. */

import { checkCreateOptions } from './check-create-options.ts';
import type { CreateMessengerOptions, RecordOptions } from './create-options.ts';
import { createNodeEnvironment } from './io/node-environment.ts';
import type { RecorderOptions } from './io/recorder.ts';
import { DelegatingMessenger } from './upgrade/delegating-messenger.ts';
import { PAYLOAD_REDACTOR } from './upgrade/redaction.ts';

export type { CreateMessengerOptions, RecordOptions } from './create-options.ts';
export type { JGroupsConfig, MulticastGroup } from './jgroups/config.ts';
export {
  jgroupsConfigFromXml,
  type JGroupsXmlConfig,
  type JGroupsXmlOptions,
} from './jgroups/xml/config-from-xml.ts';
export type { Confirmation, UnconfirmedReason } from './protocol/confirmation.ts';
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
  TcpPeerStats,
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
export {
  tlsFromGemfireProperties,
  type GemfireProperties,
  type GemfirePropertiesOptions,
} from './security/gemfire-properties.ts';
export type { PemSource, StoreSource, TlsOptions, TlsProtocol } from './security/options.ts';
export { createView, type View } from './protocol/view.ts';
export type { DelegatingMessenger } from './upgrade/delegating-messenger.ts';
export { DEFAULT_ROUTING_POLICY, type Route, type RoutingPolicy } from './upgrade/routing.ts';

/** Geode's default membership-port-range. */
const DEFAULT_PORTS = [41_000, 61_000] as const;

/**
 * A messenger that speaks JGroups 3.6 over UDP to old members and TCP to new ones, on one port number.
 * @throws {LocalProtocolError} `ERR_OPTIONS` for an option that is unknown or cannot be, `ERR_HOST` for a host that others
 *   cannot reach, `ERR_PORTS` for a range that is none, `ERR_TLS` for certificates that are of no use
 */
export function createMessenger(options: CreateMessengerOptions): DelegatingMessenger {
  checkCreateOptions(options);
  const { seed, logger, faults, record, tls, ports = DEFAULT_PORTS, ...rest } = options;
  const environment = createNodeEnvironment({
    ...(seed === undefined ? {} : { seed }),
    ...(logger === undefined ? {} : { logger }),
    ...(faults === undefined ? {} : { faults }),
    ...(tls === undefined ? {} : { tls }),
    ...(record === undefined ? {} : { recorder: recorderOptions(record) }),
  });
  return new DelegatingMessenger({ ...rest, ports, environment });
}

function recorderOptions({ redact, ...options }: RecordOptions): RecorderOptions {
  return redact === undefined ? options : { ...options, redactor: PAYLOAD_REDACTOR };
}
