/**
 * What a JGroups datagram says, whatever its wire version: addresses, messages, headers.
 * These are the values that `decodeDatagram` returns and `encodeDatagram` takes; they are also, field for field,
 * what `rollgate decode --json` prints. Names of protocols and types are those of the wire reference.
 */

import type { Address } from './address.ts';
import type { Header } from './headers.ts';

export * from './address.ts';
export type * from './headers.ts';
export type * from './view.ts';

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

// --- messages and datagrams --------------------------------------------------------------------------------

/** `H`: the headers of the wire version, 3.6 unless said otherwise. */
export interface Message<H = Header> {
  /** Null: to the group. */
  readonly dest: Address | null;
  readonly src: Address | null;
  /** Bits of `Flag`. */
  readonly flags: number;
  /** In wire order. */
  readonly headers: readonly H[];
  /** Null: absent, which the wire tells from a payload of length 0. */
  readonly payload: Uint8Array | null;
}

/** One UDP payload, or one frame of JGroups' TCP transport. */
export interface SingleDatagram<H = Header> {
  readonly kind: 'single';
  /** As on the wire, e.g. 0x198e for 3.6.14. */
  readonly version: number;
  readonly multicast: boolean;
  readonly message: Message<H>;
}

/** A bundle: its messages have no TP header and mostly neither dest nor src of their own. */
export interface BundleDatagram<H = Header> {
  readonly kind: 'bundle';
  readonly version: number;
  readonly multicast: boolean;
  readonly dest: Address | null;
  readonly src: Address | null;
  /** Null also where the wire version has none in a bundle (2.12: each message has its TP header). */
  readonly cluster: string | null;
  readonly messages: readonly Message<H>[];
  /**
   * Messages behind an unknown header, which could not be told apart; absent if there are none, and where nothing
   * counts them (2.12).
   */
  readonly unparsed?: number;
}

export type Datagram<H = Header> = SingleDatagram<H> | BundleDatagram<H>;
