/** Addresses of members and hosts, whatever the wire version. */

/** A plain JGroups member address. `uuid`: 32 lower-case hex digits, most significant half first. */
export interface UuidAddress {
  readonly kind: 'uuid';
  readonly uuid: string;
  /** Hex; only the 2.12 wire can carry it. */
  readonly additionalData?: string;
}

/** A physical address. `host`: an IP literal, or '' where the sender wrote none. `scopeId`: IPv6 only, else 0. */
export interface IpAddress {
  readonly kind: 'ip';
  readonly host: string;
  readonly scopeId: number;
  readonly port: number;
  /** Hex; only the 2.12 wire can carry it. */
  readonly additionalData?: string;
}

/** Geode's member address (class magic 2000): a UUID that carries its own physical address. */
export interface GeodeAddress {
  readonly kind: 'geode';
  readonly uuid: string;
  readonly host: string;
  readonly scopeId: number;
  readonly port: number;
  /** The view in which the member joined; -1 before it did. */
  readonly viewId: number;
}

export type Address = UuidAddress | IpAddress | GeodeAddress;

/** Address equality as Java has it: by the 128 bits of the UUID; physical addresses by host and port. */
export function addressKey(address: Address): string {
  return address.kind === 'ip' ? `${address.host}:${address.port}` : address.uuid;
}
