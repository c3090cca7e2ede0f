/**
 * What a JGroups datagram says, whatever its wire version: addresses, messages, headers.
 * These are the values that `decodeDatagram` returns and `encodeDatagram` takes; they are also, field for field,
 * what `rollgate decode --json` prints. Names of protocols and types are those of the wire reference.
 */

// --- addresses ---------------------------------------------------------------------------------------------

/** A plain JGroups member address. `uuid`: 32 lower-case hex digits, most significant half first. */
export interface UuidAddress {
  readonly kind: 'uuid';
  readonly uuid: string;
}

/** A physical address. `host`: an IP literal, or '' where the sender wrote none. `scopeId`: IPv6 only, else 0. */
export interface IpAddress {
  readonly kind: 'ip';
  readonly host: string;
  readonly scopeId: number;
  readonly port: number;
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

// --- message flags -----------------------------------------------------------------------------------------

/** Message flags on the wire (WIRE-3.6 section 4). */
export const Flag = {
  OOB: 0x001,
  DONT_BUNDLE: 0x002,
  NO_FC: 0x004,
  SCOPED: 0x008,
  NO_RELIABILITY: 0x010,
  NO_TOTAL_ORDER: 0x020,
  NO_RELAY: 0x040,
  RSVP: 0x080,
  RSVP_NB: 0x100,
  INTERNAL: 0x200,
  SKIP_BARRIER: 0x400,
} as const;

/** The names of the flags that are set, lowest bit first. Unknown bits appear as `0x...`. */
export function flagNames(flags: number): string[] {
  const names: string[] = [];
  let rest = flags;
  for (const [name, bit] of Object.entries(Flag)) {
    if ((rest & bit) !== 0) names.push(name);
    rest &= ~bit;
  }
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names;
}

// --- headers -----------------------------------------------------------------------------------------------

export interface TpHeader {
  readonly protocol: 'TP';
  /** Null where the sender wrote length -1. */
  readonly cluster: string | null;
}

export type Unicast3Header =
  | {
      readonly protocol: 'UNICAST3';
      readonly type: 'DATA';
      readonly seqno: number;
      readonly connId: number;
      readonly first: boolean;
    }
  | {
      readonly protocol: 'UNICAST3';
      readonly type: 'ACK';
      readonly seqno: number;
      readonly connId: number;
      readonly timestamp: number;
    }
  | { readonly protocol: 'UNICAST3'; readonly type: 'SEND_FIRST_SEQNO'; readonly timestamp: number }
  | { readonly protocol: 'UNICAST3'; readonly type: 'XMIT_REQ' }
  | { readonly protocol: 'UNICAST3'; readonly type: 'CLOSE'; readonly connId: number };

/** Credits of unicasts (UFC) or multicasts (MFC); the amount is the payload, an 8-byte long. */
export interface FcHeader {
  readonly protocol: 'UFC' | 'MFC' | 'FC';
  readonly type: 'REPLENISH' | 'CREDIT_REQUEST';
}

export interface Frag2Header {
  readonly protocol: 'FRAG2';
  readonly id: number;
  /** 0-based. */
  readonly fragNo: number;
  readonly numFrags: number;
}

export type Header = TpHeader | Unicast3Header | FcHeader | Frag2Header;

// --- messages and datagrams --------------------------------------------------------------------------------

export interface Message {
  /** Null: to the group. */
  readonly dest: Address | null;
  readonly src: Address | null;
  /** Bits of `Flag`. */
  readonly flags: number;
  /** In wire order. */
  readonly headers: readonly Header[];
  /** Null: absent, which the wire tells from a payload of length 0. */
  readonly payload: Uint8Array | null;
}

/** One UDP payload, or one frame of JGroups' TCP transport. */
export interface SingleDatagram {
  readonly kind: 'single';
  /** As on the wire, e.g. 0x198e for 3.6.14. */
  readonly version: number;
  readonly multicast: boolean;
  readonly message: Message;
}

/** A bundle: its messages have no TP header and mostly neither dest nor src of their own. */
export interface BundleDatagram {
  readonly kind: 'bundle';
  readonly version: number;
  readonly multicast: boolean;
  readonly dest: Address | null;
  readonly src: Address | null;
  readonly cluster: string | null;
  readonly messages: readonly Message[];
}

export type Datagram = SingleDatagram | BundleDatagram;
