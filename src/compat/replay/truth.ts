/** What the peers of a capture say themselves: `truth.jsonl`, one JSON object a line, merged by time. */

import { Flag } from '../../../codecs/jgroups/message.ts';

/** A process, from its start to its end. */
export interface TruthPeer {
  readonly name: string;
  /** 32 hex digits, most significant half first. */
  readonly uuid: string;
  readonly host: string;
  readonly port: number;
  readonly upMs: number;
  /** Nothing that comes later was received; Infinity: it outlived the capture. */
  endMs: number;
  killed: boolean;
}

export interface TruthMember {
  readonly uuid: string;
  readonly host: string;
  readonly port: number;
  readonly viewId: number;
}

/** `peer`: uuid of who logged it. Times are whole milliseconds since the epoch, as are all here. */
export interface TruthView {
  readonly timeMs: number;
  readonly peer: string;
  /** Null where it is not said. `creator`: uuid. */
  readonly viewId: { readonly creator: string; readonly id: number } | null;
  readonly members: readonly TruthMember[];
  /** JGroups' own membership made it: what led to it is on the wire. */
  readonly byGms: boolean;
}

export interface TruthSend {
  readonly timeMs: number;
  readonly peer: string;
  /** Null: the group. */
  readonly dest: string | null;
  /** What the payload begins with and is made of; null: the four bytes of a quorum ping. */
  readonly label: number | null;
  readonly length: number;
  /** First bytes of the SHA-1 in hex. */
  readonly sha: string;
  readonly flags: number;
}

export interface TruthDelivery {
  readonly peer: string;
  readonly src: string;
  readonly toGroup: boolean;
  readonly length: number;
  readonly sha: string;
  /** Null where it is not said. */
  readonly flags: number | null;
}

export interface TruthDrop {
  readonly timeMs: number;
  readonly peer: string;
  /** Of the whole datagram. */
  readonly sha: string;
}

export interface Truth {
  readonly peers: readonly TruthPeer[];
  readonly views: readonly TruthView[];
  readonly sends: readonly TruthSend[];
  readonly deliveries: readonly TruthDelivery[];
  readonly drops: readonly TruthDrop[];
  /** Peers that threw away a share of what came without saying what. */
  readonly unknownDrops: ReadonlySet<string>;
  /** Application messages that a peer counted without telling them apart, by its uuid. */
  readonly counted: ReadonlyMap<string, number>;
  /** Whether deliveries were logged at all, so that none means none. */
  readonly tellsDeliveries: boolean;
}

export type TruthLine = Readonly<Record<string, unknown>> & { readonly t: number };

/** The file is not what it should be; the message says where. */
export class TruthError extends Error {
  constructor(line: number, what: string) {
    super(`truth.jsonl, line ${line}: ${what}`);
    this.name = 'TruthError';
  }
}

/** `OOB|DONT_BUNDLE` -> bits; words that are no flag count as none. */
export function flagBits(text: string): number {
  let bits = 0;
  for (const name of text.split('|')) bits |= (Flag as Readonly<Record<string, number>>)[name] ?? 0;
  return bits;
}

export function textOf(line: Readonly<Record<string, unknown>>, field: string): string {
  const value = line[field];
  return typeof value === 'string' ? value : '';
}

export function numberOf(line: Readonly<Record<string, unknown>>, field: string): number | null {
  const value = line[field];
  return typeof value === 'number' ? value : null;
}
