/**
 * All membership messages: `DSFID header   body` (GEODE-WIRE sections 1 and 4). What is of another class has no length
 * of its own; it takes all bytes that are left and stays opaque, named by its class.
 */

import { CodecError } from '../../bytes/errors.ts';
import { ByteReader } from '../../bytes/reader.ts';
import { DsCode, MessageDsfid } from '../ids.ts';
import { readDsfid, writeDsfid } from '../primitives.ts';
import type { ByteSink } from '../sink.ts';
import { encodeBy, sizeBy } from '../sink.ts';
import { requireString } from '../strings.ts';
import { ORDINAL_1_15 } from '../versions.ts';
import {
  findCoordinatorRequest,
  findCoordinatorResponse,
  getViewRequest,
  getViewResponse,
} from './coordinator.ts';
import { finalCheckPassed, heartbeat, heartbeatRequest, networkPartition, suspectMembers } from './health.ts';
import type { MessageCodec } from './message-codec.ts';
import type { MembershipMessage } from './types.ts';
import { installView, joinRequest, joinResponse, leaveRequest, removeMember, viewAck } from './views.ts';

/** An object of a class that is not known here. */
export interface OpaqueObject {
  readonly type: 'opaque';
  /** E.g. `DSFID 1234`, the name of a Java class, or `DSCODE 44`. */
  readonly class: string;
  /** Null unless it is of a fixed class. */
  readonly dsfid: number | null;
  /** All of it, header included. */
  readonly bytes: Uint8Array;
}

export type GeodeObject = MembershipMessage | OpaqueObject;

const codecs = {
  JoinRequest: joinRequest,
  JoinResponse: joinResponse,
  InstallView: installView,
  ViewAck: viewAck,
  LeaveRequest: leaveRequest,
  RemoveMember: removeMember,
  HeartbeatRequest: heartbeatRequest,
  Heartbeat: heartbeat,
  SuspectMembers: suspectMembers,
  NetworkPartition: networkPartition,
  FinalCheckPassed: finalCheckPassed,
  FindCoordinatorRequest: findCoordinatorRequest,
  FindCoordinatorResponse: findCoordinatorResponse,
  GetViewRequest: getViewRequest,
  GetViewResponse: getViewResponse,
} as const;

/** A codec is only ever handed the messages of its own type, which the type of the table cannot say. */
const byType = codecs as Record<MembershipMessage['type'], MessageCodec<MembershipMessage>>;

const typesByDsfid = new Map<number, MembershipMessage['type']>(
  (Object.keys(byType) as MembershipMessage['type'][]).map((type) => [MessageDsfid[type], type]),
);

/** The name of a class id: that of a membership message, or `DSFID n`. */
export function dsfidName(dsfid: number): string {
  return typesByDsfid.get(dsfid) ?? `DSFID ${dsfid}`;
}

/** Reads an object that nothing follows. Whoever calls this checks that no bytes are left over. */
export function readObject(reader: ByteReader, version: number): GeodeObject {
  const start = reader.offset;
  const code = reader.u8('object');
  reader.offset = start;
  switch (code) {
    case DsCode.NULL:
      throw new CodecError('ERR_VALUE', start, 'object', 'is null');
    case DsCode.DS_FIXED_ID_BYTE:
    case DsCode.DS_FIXED_ID_SHORT:
    case DsCode.DS_FIXED_ID_INT: {
      const dsfid = readDsfid(reader, 'object') as number;
      const type = typesByDsfid.get(dsfid);
      if (type !== undefined) return byType[type].read(reader, version);
      return opaque(reader, start, `DSFID ${dsfid}`, dsfid);
    }
    case DsCode.DATA_SERIALIZABLE:
      return opaque(reader, start, readClassName(reader), null);
    default:
      return opaque(reader, start, `DSCODE ${code}`, null);
  }
}

function opaque(reader: ByteReader, start: number, name: string, dsfid: number | null): OpaqueObject {
  reader.offset = start;
  return { type: 'opaque', class: name, dsfid, bytes: reader.bytes(reader.remaining, 'object') };
}

/** `2d   2b   class-name string`, before the body of an object of a class without a number. */
export function readClassName(reader: ByteReader): string {
  for (const expected of [DsCode.DATA_SERIALIZABLE, DsCode.CLASS]) {
    const at = reader.offset;
    const code = reader.u8('object.class');
    if (code !== expected) {
      throw new CodecError('ERR_VALUE', at, 'object.class', `code ${code} where ${expected} belongs`);
    }
  }
  return requireString(reader, 'object.class');
}

export function writeObject(sink: ByteSink, object: GeodeObject, version: number): void {
  if (object.type === 'opaque') {
    sink.bytes(object.bytes);
    return;
  }
  writeDsfid(sink, MessageDsfid[object.type], 'object');
  byType[object.type].write(sink, object, version);
}

/**
 * Decodes one object, header included: a membership message, or whatever an application sends.
 * @param version serialization version (`serializationVersion`)
 * @throws {CodecError} what is wrong, at which byte of which field
 */
export function decodeObject(bytes: Uint8Array, version = ORDINAL_1_15): GeodeObject {
  const reader = new ByteReader(bytes);
  const object = readObject(reader, version);
  reader.finish('object');
  return object;
}

/** @throws {CodecError} `ERR_VALUE` for a value that the wire cannot carry */
export function encodeObject(object: GeodeObject, version = ORDINAL_1_15): Buffer {
  return encodeBy(writeObject, object, version);
}

/** Bytes that `encodeObject` gives. */
export function objectSize(object: GeodeObject, version = ORDINAL_1_15): number {
  return sizeBy(writeObject, object, version);
}
