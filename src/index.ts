/** The public API of the library, and nothing else. */

import { createNodeEnvironment, type NodeEnvironmentOptions } from './io/node-environment.ts';
import { DelegatingMessenger, type DelegatingMessengerOptions } from './upgrade/delegating-messenger.ts';

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
} from './protocol/messenger.ts';
export { createView, type View } from './protocol/view.ts';
export type { DelegatingMessenger } from './upgrade/delegating-messenger.ts';
export { DEFAULT_ROUTING_POLICY, type Route, type RoutingPolicy } from './upgrade/routing.ts';

/** Geode's default membership-port-range. */
const DEFAULT_PORTS = [41_000, 61_000] as const;

export interface CreateMessengerOptions
  extends Omit<DelegatingMessengerOptions, 'environment' | 'ports'>, NodeEnvironmentOptions {
  /** First and last membership port to try; 0,0 takes any free one. Default 41000 to 61000. */
  readonly ports?: readonly [number, number];
}

/**
 * A messenger that speaks JGroups 3.6 over UDP to old members and TCP to new ones, on one port number.
 * @throws {LocalProtocolError} `ERR_OPTIONS` for limits that cannot be
 */
export function createMessenger(options: CreateMessengerOptions): DelegatingMessenger {
  const { seed, logger, faults, ...rest } = options;
  const environment = createNodeEnvironment({
    ...(seed === undefined ? {} : { seed }),
    ...(logger === undefined ? {} : { logger }),
    ...(faults === undefined ? {} : { faults }),
  });
  return new DelegatingMessenger({ ports: DEFAULT_PORTS, ...rest, environment });
}
