/** One message of a capture as `rollgate decode --json` prints it: the values that decode, inspect and replay share. */

import type { CodecErrorCode } from '../../codecs/bytes/errors.ts';
import type { ProtocolPayload } from '../../codecs/jgroups/payload.ts';

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
  /** Seconds since the epoch, exact to about 200 ns. */
  readonly ts: number;
  /** The same, exact: whole seconds, and nanoseconds of that second. */
  readonly sec?: number;
  readonly nsec?: number;
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
  /** `3.6.14`, ...; `rollgate 1` for the frames of our own TCP wire. */
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
  readonly geode?: Readonly<Record<string, unknown>> | undefined;
  /** What JGroups itself wrote into the payload: asked-for seqnos, credits, views. No part of the JSON line. */
  readonly payload?: ProtocolPayload | null;
}

/** What goes over the wire beside JGroups' messages: Geode's raw `ping` and `pong`, its locator, its failure detection. */
export interface RawRecord extends RecordBase {
  readonly kind: 'raw';
  /** `ping`, `pong`, `locator`, `failure-detection`. */
  readonly raw: string;
  readonly length: number;
  readonly geode?: Readonly<Record<string, unknown>>;
}

/** Null where a frame is too broken to say. */
export interface ErrorRecord extends Omit<RecordBase, 'transport' | 'from' | 'to'> {
  readonly kind: 'error';
  readonly transport: 'udp' | 'tcp' | null;
  readonly from: string | null;
  readonly to: string | null;
  /** `offset` counts from the start of the datagram or TCP stream; of the frame or file if that is what is broken. */
  readonly error: { readonly code: CodecErrorCode; readonly offset: number; readonly field: string };
}

export type CaptureRecord = MessageRecord | RawRecord | ErrorRecord;

/** What was not one of those: no error, but said in the end. */
export interface Skipped {
  /** In words: `UDP datagrams that are not JGroups`, `ARP`, ... to how many. */
  readonly counts: ReadonlyMap<string, number>;
}
