import { type MemberId, UNKNOWN_VERSION } from '../protocol/member-id.ts';
import type { StackName } from '../protocol/messenger.ts';

/** Which recipients get TCP. */
export interface RoutingPolicy {
  /** `off`: every recipient gets the legacy stack, whatever it advertises. */
  readonly tcp: 'auto' | 'off';
  /** Version ordinals that speak our TCP wire, both ends included. */
  readonly tcpVersions: readonly [number, number];
}

/**
 * The first ordinal is above all that Geode has given out so far (160 is 2.0), and one that a real 1.15.1 coordinator
 * was seen to admit. The last leaves room to grow and none for absurdities.
 */
export const DEFAULT_ROUTING_POLICY: RoutingPolicy = { tcp: 'auto', tcpVersions: [200, 299] };

export interface Route {
  readonly stack: StackName;
  /** For an operator: why. */
  readonly reason: string;
}

/**
 * The stack for a recipient, by what it advertises. A version that is unknown or makes no sense keeps that peer,
 * and nobody else, on the legacy stack.
 */
export function route(recipient: Pick<MemberId, 'version'>, policy: RoutingPolicy): Route {
  const { version } = recipient;
  const [first, last] = policy.tcpVersions;
  if (policy.tcp === 'off') return { stack: 'udp', reason: 'TCP is switched off by policy' };
  if (version === UNKNOWN_VERSION) return { stack: 'udp', reason: 'it advertises no version' };
  if (!Number.isInteger(version) || version < 0 || version > last) {
    return { stack: 'udp', reason: `its version ${version} is beyond ${last}, the last known to speak TCP` };
  }
  if (version < first)
    return { stack: 'udp', reason: `its version ${version} is before ${first}, the first with TCP` };
  return { stack: 'tcp', reason: `its version ${version} speaks TCP` };
}
