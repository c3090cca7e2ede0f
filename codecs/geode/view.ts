/**
 * A membership view, as an object of class -148 (GEODE-WIRE section 4):
 *
 *     creator member   viewId int   members list   shutdownMembers set   crashedMembers set
 *     fdPorts int[]   publicKeys map
 *
 *     list, set   array length, member objects
 *     map         array length, (member object, 2e byte[])*
 */

import { CodecError } from '../bytes/errors.ts';
import { MAX_ADDRESSES, MAX_FD_PORTS } from '../bytes/limits.ts';
import type { ByteReader } from '../bytes/reader.ts';
import { DsCode, NET_VIEW_DSFID } from './ids.ts';
import type { GeodeMemberId } from './member.ts';
import { readMember, readNullableMember, writeMember, writeNullableMember } from './member.ts';
import {
  readArrayLength,
  readByteArray,
  readDsfid,
  readIntArray,
  requireLength,
  skipNull,
  writeArrayLength,
  writeByteArray,
  writeDsfid,
  writeIntArray,
  writeNull,
} from './primitives.ts';
import type { ByteSink } from './sink.ts';

export interface PublicKey {
  readonly member: GeodeMemberId;
  /** X.509 SubjectPublicKeyInfo. */
  readonly key: Uint8Array | null;
}

export interface NetView {
  readonly creator: GeodeMemberId | null;
  readonly viewId: number;
  /** Oldest first. */
  readonly members: readonly GeodeMemberId[];
  readonly shutdownMembers: readonly GeodeMemberId[];
  readonly crashedMembers: readonly GeodeMemberId[];
  /**
   * As on the wire: parallel to `members`, but mostly longer, with -1 in the spare places. `fdPort` of the n-th member
   * is the n-th.
   */
  readonly fdPorts: readonly number[];
  /** Empty unless the cluster encrypts its UDP traffic. */
  readonly publicKeys: readonly PublicKey[];
}

export function readView(reader: ByteReader, version: number, field: string): NetView {
  const at = reader.offset;
  const dsfid = readDsfid(reader, field);
  if (dsfid !== NET_VIEW_DSFID) {
    throw new CodecError('ERR_VALUE', at, field, `${dsfid ?? 'null'} is not the class of views`);
  }
  return {
    creator: readNullableMember(reader, version, `${field}.creator`),
    viewId: reader.i32(`${field}.viewId`),
    members: readMembers(reader, version, `${field}.members`),
    shutdownMembers: readMembers(reader, version, `${field}.shutdownMembers`),
    crashedMembers: readMembers(reader, version, `${field}.crashedMembers`),
    fdPorts: readIntArray(reader, MAX_FD_PORTS, `${field}.fdPorts`),
    publicKeys: readPublicKeys(reader, version, `${field}.publicKeys`),
  };
}

export function readNullableView(reader: ByteReader, version: number, field: string): NetView | null {
  return skipNull(reader) ? null : readView(reader, version, field);
}

/** A list or set that may be null. */
export function readNullableMembers(
  reader: ByteReader,
  version: number,
  field: string,
): GeodeMemberId[] | null {
  const length = readArrayLength(reader, MAX_ADDRESSES, field);
  if (length === null) return null;
  const members: GeodeMemberId[] = [];
  for (let i = 0; i < length; i++) members.push(readMember(reader, version, field));
  return members;
}

function readMembers(reader: ByteReader, version: number, field: string): GeodeMemberId[] {
  const at = reader.offset;
  const members = readNullableMembers(reader, version, field);
  if (members === null) throw new CodecError('ERR_VALUE', at, field, 'is null');
  return members;
}

function readPublicKeys(reader: ByteReader, version: number, field: string): PublicKey[] {
  const length = requireLength(reader, MAX_ADDRESSES, field);
  const keys: PublicKey[] = [];
  for (let i = 0; i < length; i++) {
    keys.push({ member: readMember(reader, version, field), key: readKey(reader, field) });
  }
  return keys;
}

function readKey(reader: ByteReader, field: string): Buffer | null {
  const at = reader.offset;
  const code = reader.u8(field);
  if (code === DsCode.NULL) return null;
  if (code !== DsCode.BYTE_ARRAY) throw new CodecError('ERR_VALUE', at, field, `code ${code} is no byte[]`);
  return readByteArray(reader, field);
}

export function writeView(sink: ByteSink, view: NetView, version: number): void {
  writeDsfid(sink, NET_VIEW_DSFID, 'view');
  writeNullableMember(sink, view.creator, version);
  sink.i32(view.viewId, 'view.viewId');
  writeMembers(sink, view.members, version, 'view.members');
  writeMembers(sink, view.shutdownMembers, version, 'view.shutdownMembers');
  writeMembers(sink, view.crashedMembers, version, 'view.crashedMembers');
  writeIntArray(sink, view.fdPorts, 'view.fdPorts');
  writeArrayLength(sink, view.publicKeys.length, 'view.publicKeys');
  for (const { member, key } of view.publicKeys) {
    writeMember(sink, member, version);
    if (key === null) {
      writeNull(sink);
    } else {
      sink.u8(DsCode.BYTE_ARRAY);
      writeByteArray(sink, key, 'view.publicKeys');
    }
  }
}

export function writeNullableView(sink: ByteSink, view: NetView | null, version: number): void {
  if (view === null) writeNull(sink);
  else writeView(sink, view, version);
}

export function writeMembers(
  sink: ByteSink,
  members: readonly GeodeMemberId[] | null,
  version: number,
  field: string,
): void {
  writeArrayLength(sink, members?.length ?? null, field);
  for (const member of members ?? []) writeMember(sink, member, version);
}
