/** One message of a capture as `rollgate decode --json` prints it: the values that decode, inspect and replay share. */

import type { CodecErrorCode } from '../../codecs/bytes/errors.ts';

/** Null where the address does not carry it: a plain UUID has no host, a physical address no uuid. */
export interface RecordAddress {
  /** 32 hex digits, most significant half first. */
  readonly uuid: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly viewId: number | null;
}

interface RecordBase {
  /** Number of the frame in the file that completed it, from 1. */
  readonly n: number;
  /** Seconds since the epoch. */
  readonly ts: number;
  readonly transport: 'udp' | 'tcp';
  /** `ip:port`. */
  readonly from: string;
  readonly to: string;
}

/** A header with its fields; `protocol` and, where there are several, `type` bear the names of WIRE-3.6. */
export type RecordHeader = { readonly protocol: string; readonly type?: string } & Readonly<
  Record<string, unknown>
>;

export interface MessageRecord extends RecordBase {
  readonly kind: 'message';
  /** `3.6.14`, ... */
  readonly version: string;
  readonly cluster: string | null;
  readonly dest: RecordAddress | null;
  readonly src: RecordAddress | null;
  readonly flags: readonly string[];
  readonly headers: readonly RecordHeader[];
  /** Payload bytes; null if absent. */
  readonly length: number | null;
  /** Of the payload; null if absent. */
  readonly sha256: string | null;
  /** What Geode put inside, where it did. */
  readonly geode?: Readonly<Record<string, unknown>>;
}

/** What goes over the wire beside JGroups' messages: Geode's raw `ping` and `pong`, its locator, its failure detection. */
export interface RawRecord extends RecordBase {
  readonly kind: 'raw';
  /** `ping`, `pong`, `locator`, `failure-detection`, `rollgate`. */
  readonly raw: string;
  readonly length: number;
  readonly geode?: Readonly<Record<string, unknown>>;
}

export interface ErrorRecord extends RecordBase {
  readonly kind: 'error';
  readonly error: { readonly code: CodecErrorCode; readonly offset: number; readonly field: string };
}

export type CaptureRecord = MessageRecord | RawRecord | ErrorRecord;

/** What was not one of those: no error, but said in the end. */
export interface Skipped {
  /** In words: `UDP datagrams that are not JGroups`, `ARP`, ... to how many. */
  readonly counts: ReadonlyMap<string, number>;
}
