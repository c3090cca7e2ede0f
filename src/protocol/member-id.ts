import { LocalProtocolError } from './errors.ts';

export type MemberKind = 'normal' | 'locator' | 'admin' | 'loner';

/** Who a member is. Two ids are the same member if their uuids are equal. */
export interface MemberId {
  /** IP literal on which it is reached. */
  readonly host: string;
  /** Membership port: UDP and TCP alike. */
  readonly port: number;
  /** 32 lower-case hex digits, most significant half first. */
  readonly uuid: string;
  /** The view in which it joined; -1 before it did. */
  readonly viewId: number;
  /** Version ordinal that it advertises, such as Geode's 150 for 1.15; `UNKNOWN_VERSION` if it advertised none. */
  readonly version: number;
  readonly name: string;
  readonly kind: MemberKind;
  readonly weight: number;
  readonly flags: number;
}

export const UNKNOWN_VERSION = -1;

export type MemberIdInit = Pick<MemberId, 'host' | 'port' | 'uuid'> & Partial<MemberId>;

/** @throws {LocalProtocolError} `ERR_MEMBER_ID` if the uuid is not 32 hex digits or the port not 0..65535 */
export function createMemberId(init: MemberIdInit): MemberId {
  const uuid = init.uuid.toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(uuid))
    throw new LocalProtocolError('ERR_MEMBER_ID', `uuid '${init.uuid}' is not 32 hex digits`);
  if (!Number.isInteger(init.port) || init.port < 0 || init.port > 65_535) {
    throw new LocalProtocolError('ERR_MEMBER_ID', `port ${init.port} is not in 0..65535`);
  }
  return {
    host: init.host,
    port: init.port,
    uuid,
    viewId: init.viewId ?? -1,
    version: init.version ?? UNKNOWN_VERSION,
    name: init.name ?? '',
    kind: init.kind ?? 'normal',
    weight: init.weight ?? 0,
    flags: init.flags ?? 0,
  };
}

/** For logs and errors: `name(host:port)` or `host:port`. */
export function formatMember(member: MemberId): string {
  const host = member.host.includes(':') ? `[${member.host}]` : member.host;
  return member.name === '' ? `${host}:${member.port}` : `${member.name}(${host}:${member.port})`;
}
