/**
 * Finds the codec for a datagram's version. Each wire version is a folder of its own, and a range of version numbers
 * that its peers accept. What can be read is more than what the stack speaks: a datagram of a version that is only
 * known must never get into the stack, where its fields would mean something else.
 */

import { CodecError } from '../bytes/errors.ts';
import { ByteReader } from '../bytes/reader.ts';
import type { Datagram, Header, Message } from './message.ts';
import type { ProtocolPayload } from './payload.ts';
import type { DecodeOptions } from './unknown-header.ts';
import * as v2_12 from './v2_12/datagram.ts';
import type { Datagram212, Header212, Message212 } from './v2_12/headers.ts';
import * as v2_12_payload from './v2_12/payload.ts';
import * as v3_6 from './v3_6/datagram.ts';
import * as v3_6_payload from './v3_6/payload.ts';
import { formatVersion, VERSION_2_12_2 } from './version.ts';

export type { DecodeOptions } from './unknown-header.ts';

export type AnyHeader = Header | Header212;
export type AnyMessage = Message | Message212;
export type AnyDatagram = Datagram | Datagram212;

export interface WireVersion {
  /** As people call it. */
  readonly name: string;
  /** First and last version number that this wire goes by. */
  readonly min: number;
  readonly max: number;
  /** Whether the stack speaks it, rather than only being able to read it. */
  readonly spoken: boolean;
}

interface WireCodec extends WireVersion {
  decodeDatagram(bytes: Uint8Array, options?: DecodeOptions): AnyDatagram;
  encodeDatagram(datagram: AnyDatagram): Buffer;
  decodePayload(message: AnyMessage): ProtocolPayload | null;
}

// A codec is only ever handed values of its own version, which the type of the table cannot say.
const codecs = [
  // peers look at major and minor only
  { name: '3.6', min: 0x1980, max: 0x19bf, spoken: true, ...v3_6, ...v3_6_payload },
  // peers accept nothing but their own number
  { name: '2.12', min: VERSION_2_12_2, max: VERSION_2_12_2, spoken: false, ...v2_12, ...v2_12_payload },
] as readonly WireVersion[] as readonly WireCodec[];

export const WIRE_VERSIONS: readonly WireVersion[] = codecs;

/** The wire that goes by this version number, or undefined. */
export function wireVersion(version: number): WireVersion | undefined {
  return findCodec(version);
}

function findCodec(version: number): WireCodec | undefined {
  for (const codec of codecs) if (version >= codec.min && version <= codec.max) return codec;
  return undefined;
}

function codecFor(version: number, spokenOnly: boolean): WireCodec {
  const codec = findCodec(version);
  if (codec !== undefined && (codec.spoken || !spokenOnly)) return codec;
  throw new CodecError('ERR_VERSION', 0, 'version', `JGroups ${formatVersion(version)} is not spoken here`);
}

/**
 * Decodes one UDP payload, or one frame of JGroups' TCP transport, of a version that the stack speaks. Payloads are
 * views of `bytes`.
 * @throws {CodecError} `ERR_VERSION` for any other version; else what is wrong, at which byte of which field
 */
export function decodeDatagram(bytes: Uint8Array, options?: DecodeOptions): Datagram {
  const codec = codecFor(new ByteReader(bytes).u16('version'), true);
  return codec.decodeDatagram(bytes, options) as Datagram;
}

/** @throws {CodecError} `ERR_VERSION`, or `ERR_VALUE` for a value that the wire cannot carry */
export function encodeDatagram(datagram: Datagram): Buffer {
  return codecFor(datagram.version, true).encodeDatagram(datagram);
}

/** As `decodeDatagram`, but of any version that is known. */
export function decodeAnyDatagram(bytes: Uint8Array, options?: DecodeOptions): AnyDatagram {
  return codecFor(new ByteReader(bytes).u16('version'), false).decodeDatagram(bytes, options);
}

/** As `encodeDatagram`, but of any version that is known; the value must be of its version. */
export function encodeAnyDatagram(datagram: AnyDatagram): Buffer {
  return codecFor(datagram.version, false).encodeDatagram(datagram);
}

/**
 * What the payload of a message of any known version says, if one of JGroups' own protocols wrote it; else null.
 * @throws {CodecError} for a payload that is not what its header says
 */
export function decodeAnyPayload(version: number, message: AnyMessage): ProtocolPayload | null {
  return codecFor(version, false).decodePayload(message);
}

/**
 * Geode's probe of a port is the four bytes `ping`, and the answer `pong`: the whole datagram, with no JGroups in it
 * (WIRE-3.6 section 13). Null for anything else.
 */
export function rawProbe(datagram: Uint8Array): 'ping' | 'pong' | null {
  if (datagram.length !== 4) return null;
  const text = String.fromCharCode(...datagram);
  return text === 'ping' || text === 'pong' ? text : null;
}
