/**
 * A locator's TCP port: one request, at most one response, then the locator closes (GEODE-WIRE section 5).
 *
 *     request    gossipVersion int = 1002   ordinal i16   object
 *                gossipVersion int = 1001   object                       written with ordinal 35
 *     response   object   |   nothing   |   `unknown protocol version`, in ASCII
 *
 * The objects are membership messages, others of a fixed class, and these by class name, `2d 2b name string`:
 *
 *     VersionRequest, InfoRequest, ShutdownRequest, ShutdownResponse   nothing
 *     VersionResponse                                                  ordinal i16
 *     InfoResponse                                                     info String[]
 */

import { CodecError } from '../bytes/errors.ts';
import { MAX_INFO_LINES } from '../bytes/limits.ts';
import { ByteReader } from '../bytes/reader.ts';
import { DsCode } from './ids.ts';
import type { GeodeObject } from './messages/index.ts';
import { readClassName, readObject, writeObject } from './messages/index.ts';
import type { ByteSink } from './sink.ts';
import { encodeBy } from './sink.ts';
import { readStringArray, writeString, writeStringArray } from './strings.ts';
import { OLDEST_ORDINAL, ORDINAL_1_15, serializationVersion } from './versions.ts';

export const GOSSIP_VERSION = 1002;
export const OLD_GOSSIP_VERSION = 1001;

/** The package's name of old: all releases write it. */
export const TCPSERVER_PACKAGE = 'com.gemstone.org.jgroups.stack.tcpserver.';

/** What a locator answers to something that is no request, before it closes. */
export const REFUSAL = 'unknown protocol version';

/** What is asked of the locator's server rather than of its membership. */
export type ServerObject =
  | { readonly type: 'VersionRequest' | 'InfoRequest' | 'ShutdownRequest' | 'ShutdownResponse' }
  | { readonly type: 'VersionResponse'; readonly ordinal: number }
  | { readonly type: 'InfoResponse'; readonly info: readonly (string | null)[] | null };

export type LocatorObject = GeodeObject | ServerObject;

export interface LocatorRequest {
  readonly gossipVersion: typeof GOSSIP_VERSION | typeof OLD_GOSSIP_VERSION;
  /** The version with which the request is written and the response is to be; 35 with the old gossip version. */
  readonly ordinal: number;
  readonly object: LocatorObject;
}

/** @throws {CodecError} `ERR_TRUNCATED` if more must come; else what is wrong, at which byte of which field */
export function decodeLocatorRequest(bytes: Uint8Array): LocatorRequest {
  const reader = new ByteReader(bytes);
  const gossipVersion = reader.i32('locator.gossipVersion');
  if (gossipVersion !== GOSSIP_VERSION && gossipVersion !== OLD_GOSSIP_VERSION) {
    throw new CodecError('ERR_VERSION', 0, 'locator.gossipVersion', `${gossipVersion} is unknown`);
  }
  const ordinal = gossipVersion === GOSSIP_VERSION ? reader.i16('locator.ordinal') : OLDEST_ORDINAL;
  const object = readLocatorObject(reader, serializationVersion(ordinal));
  reader.finish('locator.request');
  return { gossipVersion, ordinal, object };
}

/** @throws {CodecError} `ERR_VALUE` for a value that the wire cannot carry */
export function encodeLocatorRequest(request: LocatorRequest): Buffer {
  return encodeBy(writeRequest, request, serializationVersion(request.ordinal));
}

function writeRequest(sink: ByteSink, request: LocatorRequest, version: number): void {
  sink.i32(request.gossipVersion);
  if (request.gossipVersion === GOSSIP_VERSION) sink.i16(request.ordinal, 'locator.ordinal');
  writeLocatorObject(sink, request.object, version);
}

/**
 * @param ordinal that of the request
 * @throws {CodecError} as `decodeLocatorRequest`
 */
export function decodeLocatorResponse(bytes: Uint8Array, ordinal = ORDINAL_1_15): LocatorObject {
  const reader = new ByteReader(bytes);
  const object = readLocatorObject(reader, serializationVersion(ordinal));
  reader.finish('locator.response');
  return object;
}

/** @throws {CodecError} `ERR_VALUE` for a value that the wire cannot carry */
export function encodeLocatorResponse(object: LocatorObject, ordinal = ORDINAL_1_15): Buffer {
  return encodeBy(writeLocatorObject, object, serializationVersion(ordinal));
}

function readLocatorObject(reader: ByteReader, version: number): LocatorObject {
  const start = reader.offset;
  if (reader.u8('object') === DsCode.DATA_SERIALIZABLE) {
    reader.offset = start;
    const name = readClassName(reader);
    if (name.startsWith(TCPSERVER_PACKAGE)) {
      const object = readServerObject(reader, name.slice(TCPSERVER_PACKAGE.length));
      if (object !== null) return object;
    }
  }
  reader.offset = start;
  return readObject(reader, version);
}

function readServerObject(reader: ByteReader, type: string): ServerObject | null {
  switch (type) {
    case 'VersionRequest':
    case 'InfoRequest':
    case 'ShutdownRequest':
    case 'ShutdownResponse':
      return { type };
    case 'VersionResponse':
      return { type, ordinal: reader.i16('VersionResponse.ordinal') };
    case 'InfoResponse':
      return { type, info: readStringArray(reader, MAX_INFO_LINES, 'InfoResponse.info') };
    default:
      return null;
  }
}

function writeLocatorObject(sink: ByteSink, object: LocatorObject, version: number): void {
  switch (object.type) {
    case 'VersionRequest':
    case 'InfoRequest':
    case 'ShutdownRequest':
    case 'ShutdownResponse':
      writeClassName(sink, object.type);
      return;
    case 'VersionResponse':
      writeClassName(sink, object.type);
      sink.i16(object.ordinal, 'VersionResponse.ordinal');
      return;
    case 'InfoResponse':
      writeClassName(sink, object.type);
      writeStringArray(sink, object.info, 'InfoResponse.info');
      return;
    default:
      writeObject(sink, object, version);
  }
}

function writeClassName(sink: ByteSink, type: ServerObject['type']): void {
  sink.u8(DsCode.DATA_SERIALIZABLE);
  sink.u8(DsCode.CLASS);
  writeString(sink, TCPSERVER_PACKAGE + type, 'object.class');
}
