import { hash } from 'node:crypto';

import { CodecError } from '../../codecs/bytes/errors.ts';
import type { JsonObject } from '../../codecs/geode/index.ts';
import type { ProtocolPayload } from '../../codecs/jgroups/payload.ts';
import { decodeAnyPayload } from '../../codecs/jgroups/registry.ts';
import type { AnyMessage } from '../../codecs/jgroups/registry.ts';
import type { GeodePayloads } from './geode-payloads.ts';
import type { MessageRecord, RecordAddress, RecordHeader } from './record.ts';

/** When and between whom something was captured. */
export interface Origin {
  /** Number of the frame in the file, from 1. */
  readonly n: number;
  readonly sec: number;
  readonly nsec: number;
  readonly transport: 'udp' | 'tcp';
  /** `ip:port`. */
  readonly from: string;
  readonly to: string;
}

/** What a message says, whichever wire it came by. */
export interface MessageContent {
  readonly version: string;
  readonly cluster: string | null;
  readonly dest: RecordAddress | null;
  readonly src: RecordAddress | null;
  readonly flags: readonly string[];
  readonly headers: readonly RecordHeader[];
  readonly payload: Uint8Array | null;
  /** Reads the payload if it is an application's, and whole: in a Geode cluster it is a Geode payload. */
  readonly geode: GeodePayloads | null;
}

/** Geode's clusters all have this name (WIRE-3.6 section 4). */
const GEODE_CLUSTER = 'AG';

/**
 * A message record. What costs time is made when it is asked for: the digest, and what the payload says. It keeps
 * the chunk of the file that it was read from alive, so do not hold on to many.
 */
export class DecodedMessage implements MessageRecord {
  readonly kind = 'message';
  readonly n: number;
  readonly sec: number;
  readonly nsec: number;
  readonly transport: 'udp' | 'tcp';
  readonly from: string;
  readonly to: string;
  readonly version: string;
  readonly cluster: string | null;
  readonly dest: RecordAddress | null;
  readonly src: RecordAddress | null;
  readonly flags: readonly string[];
  readonly headers: readonly RecordHeader[];
  readonly length: number | null;
  /** The payload itself: a view of the input. */
  readonly bytes: Uint8Array | null;
  /** As the codec of its wire version reads it; null for our own TCP wire, which is no JGroups. */
  readonly message: AnyMessage | null;
  /** Version number on the wire, of JGroups. */
  readonly wireVersion: number;
  readonly #payloads: GeodePayloads | null;
  #sha256: string | null = null;
  #geode: JsonObject | null | undefined = undefined;

  constructor(origin: Origin, content: MessageContent, wireVersion: number, message: AnyMessage | null) {
    this.n = origin.n;
    this.sec = origin.sec;
    this.nsec = origin.nsec;
    this.transport = origin.transport;
    this.from = origin.from;
    this.to = origin.to;
    this.version = content.version;
    this.cluster = content.cluster;
    this.dest = content.dest;
    this.src = content.src;
    this.flags = content.flags;
    this.headers = content.headers;
    this.bytes = content.payload;
    this.length = content.payload === null ? null : content.payload.length;
    this.message = message;
    this.wireVersion = wireVersion;
    this.#payloads = content.cluster === GEODE_CLUSTER ? content.geode : null;
  }

  get ts(): number {
    return this.sec + this.nsec / 1e9;
  }

  get sha256(): string | null {
    if (this.#sha256 === null && this.bytes !== null) this.#sha256 = hash('sha256', this.bytes, 'hex');
    return this.#sha256;
  }

  get geode(): JsonObject | undefined {
    if (this.#geode === undefined) {
      this.#geode = this.bytes === null ? null : (this.#payloads?.describe(this.bytes) ?? null);
    }
    return this.#geode ?? undefined;
  }

  /** Null too where JGroups' own payload is damaged. */
  get payload(): ProtocolPayload | null {
    if (this.message === null || this.bytes === null) return null;
    try {
      return decodeAnyPayload(this.wireVersion, this.message);
    } catch (error) {
      if (error instanceof CodecError) return null;
      throw error;
    }
  }
}
