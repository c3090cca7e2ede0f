import type { Environment } from './environment.ts';
import { LocalProtocolError } from './errors.ts';
import type { RateLimitedLog } from './logger.ts';
import { formatMember, type MemberId } from './member-id.ts';

/** Geode's member-timeout. */
export const DEFAULT_MEMBER_TIMEOUT_MS = 5_000;

/** With less, a pause for garbage would pass for a death. */
export const MIN_MEMBER_TIMEOUT_MS = 100;

/** @throws {LocalProtocolError} `ERR_OPTIONS` */
export function memberTimeoutOf(options: { readonly memberTimeoutMs?: number }): number {
  const { memberTimeoutMs = DEFAULT_MEMBER_TIMEOUT_MS } = options;
  if (memberTimeoutMs >= MIN_MEMBER_TIMEOUT_MS && memberTimeoutMs < Infinity) return memberTimeoutMs;
  const text = `memberTimeoutMs ${memberTimeoutMs} must be ${MIN_MEMBER_TIMEOUT_MS} at least`;
  throw new LocalProtocolError('ERR_OPTIONS', text);
}

export type PeerStalledHandler = (member: MemberId, reason: string) => void;
export type PeerRecoveredHandler = (member: MemberId) => void;

/** Says in the log that a recipient takes nothing, or gets on again, and tells the application's handlers. */
export class Stalls {
  readonly #environment: Environment;
  readonly #log: RateLimitedLog;
  onStalled: PeerStalledHandler = () => undefined;
  onRecovered: PeerRecoveredHandler = () => undefined;

  constructor(environment: Environment, log: RateLimitedLog) {
    this.#environment = environment;
    this.#log = log;
  }

  /** @param cause what has a line of its own in the log already; empty: nothing */
  stalled(member: MemberId, reason: string, cause = ''): void {
    this.#log.warn(`stalled ${member.uuid}`, this.#environment.nowMs(), () => {
      return `${formatMember(member)} is stalled: ${reason}`;
    });
    this.#tell('stalled', () => this.onStalled(member, cause === '' ? reason : `${reason}: ${cause}`));
  }

  recovered(member: MemberId): void {
    this.#log.info(`recovered ${member.uuid}`, this.#environment.nowMs(), () => {
      return `${formatMember(member)} gets on again`;
    });
    this.#tell('recovered', () => this.onRecovered(member));
  }

  #tell(what: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      const nowMs = this.#environment.nowMs();
      this.#log.warn(`${what} handler`, nowMs, () => `the ${what} handler failed: ${String(error)}`);
    }
  }
}
