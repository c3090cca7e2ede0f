/** Tells what a TCP stream carries by its first bytes. */

import { FrameType } from '../../codecs/tcp/v1/frame-types.ts';
import { PREAMBLE } from '../../codecs/tcp/v1/limits.ts';
import { wireVersion } from '../../codecs/jgroups/registry.ts';
import { plausibleLength } from './rollgate-frames.ts';

/** So many are enough: JGroups' frame has length, version and flags, our own a length, a type and a number. */
export const FIRST_BYTES = 7;

export interface StreamProtocol {
  /** Undefined: not told. Geode's are told by its own codec. */
  readonly protocol: 'jgroups' | 'rollgate' | 'foreign' | undefined;
  /** Where our own wire is at its first byte. */
  readonly start?: 'preamble' | 'frames';
  /** Of a JGroups that has no codec here. */
  readonly version?: number;
  /** What to call it in a summary if it is none of those that are read. */
  readonly name: string;
}

const OTHER = 'TCP connections of other protocols';
const COOKIE = 0x62656c61; // "bela"

/** Content types of TLS records that a connection may begin with: alert, handshake. */
const TLS_TYPES: readonly number[] = [0x15, 0x16];

/** Frame types of Geode's direct channel (GEODE-DIRECT section 2): normal, chunked, end of chunked. */
const DIRECT_TYPES: readonly number[] = [0x4c, 0x4d, 0x4e];

/** What a leaving FD_SOCK neighbour says (WIRE-3.6 section 12): it is all that its connection carries. */
const FD_SOCK_FAREWELL = 0x09;

/** @param fromStart false in the middle of a connection, where there is no introduction */
export function protocolOf(bytes: Buffer, fromStart: boolean): StreamProtocol {
  if (bytes.length === 1 && bytes[0] === FD_SOCK_FAREWELL) {
    return { protocol: 'foreign', name: 'FD_SOCK connections' };
  }
  if (bytes.length < 4) return { protocol: undefined, name: OTHER };
  const first = bytes.readUInt32BE(0);
  if (first === COOKIE) return jgroupsHello(bytes);
  if (PREAMBLE.every((byte, i) => bytes[i] === byte)) {
    return { protocol: 'rollgate', start: 'preamble', name: OTHER };
  }
  if (TLS_TYPES.includes(bytes[0] as number) && bytes[1] === 3 && (bytes[2] as number) <= 4) {
    return { protocol: 'foreign', name: 'TLS connections' };
  }
  if (bytes[0] === 0x07 && DIRECT_TYPES.includes(bytes[4] ?? 0)) {
    return { protocol: 'foreign', name: "connections of Geode's direct channel" };
  }
  if (bytes.length >= FIRST_BYTES) {
    if (bytes[0] === 0 && (bytes[6] as number) <= 7 && wireVersion(bytes.readUInt16BE(4)) !== undefined) {
      return { protocol: 'jgroups', name: OTHER };
    }
    if (isReplyToHello(bytes) || (!fromStart && hasOwnFrame(bytes))) {
      return { protocol: 'rollgate', start: 'frames', name: OTHER };
    }
  }
  return { protocol: undefined, name: OTHER };
}

function jgroupsHello(bytes: Buffer): StreamProtocol {
  const version = bytes.length >= 6 ? bytes.readUInt16BE(4) : 0;
  if (version === 0 || wireVersion(version) !== undefined) return { protocol: 'jgroups', name: OTHER };
  return { protocol: 'foreign', version, name: 'TCP connections of another JGroups version' };
}

/** WELCOME of version 1, or REJECT with one of its codes: how the accepting side begins. */
function isReplyToHello(bytes: Buffer): boolean {
  const [a, b, , , type, high, low = 0] = bytes;
  if (a !== 0 || b !== 0 || high !== 0) return false;
  return (type === FrameType.WELCOME && low === 1) || (type === FrameType.REJECT && low >= 1 && low <= 12);
}

/** A frame that other frames of the same bytes follow, or that ends with them. */
function hasOwnFrame(bytes: Buffer): boolean {
  let at = 0;
  for (let frames = 0; frames < 3; frames++) {
    const length = plausibleLength(bytes, at);
    if (length === 0) return false;
    at += 4 + length;
    if (at === bytes.length) return true;
    if (at > bytes.length) return frames > 0;
  }
  return true;
}
