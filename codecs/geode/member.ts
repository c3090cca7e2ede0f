/**
 * A full member id, as an object of class 92 or 2184 (GEODE-WIRE section 2.3):
 *
 *     host InetAddress   membershipPort int   hostName string   flags u8   directChannelPort int   processId int
 *     vmKind u8   groups String[]   name string
 *     uniqueTag string (loners), else vmViewId as a decimal string
 *     durableId string   durableTimeout int   [version ordinal, if flags has VERSION]
 *     [uuid msb long, lsb long   memberWeight u8, if both version and stream are 1.0.0-incubating or later]
 *
 * The essential id before a payload (section 2.2) is a part of it:
 *
 *     version ordinal   flags i16   host InetAddress   membershipPort int   vmViewId int   uuid msb long, lsb long
 *     [vmKind u8, if the stream is 1.2.0 or later]
 */

import { CodecError } from '../bytes/errors.ts';
import { MAX_MEMBER_GROUPS } from '../bytes/limits.ts';
import type { ByteReader } from '../bytes/reader.ts';
import { MemberDsfid } from './ids.ts';
import {
  readDsfid,
  readInetAddress,
  skipNull,
  writeDsfid,
  writeInetAddress,
  writeNull,
} from './primitives.ts';
import type { ByteSink } from './sink.ts';
import { readString, readStringArray, writeString, writeStringArray } from './strings.ts';
import {
  FIRST_ORDINAL_WITH_UUID,
  FIRST_ORDINAL_WITH_VM_KIND,
  readOrdinal,
  writeOrdinal,
} from './versions.ts';

export const MemberFlag = {
  NETWORK_PARTITION_DETECTION: 1,
  PREFERRED_FOR_COORDINATOR: 2,
  PARTIAL: 4,
  VERSION: 8,
} as const;

export const VmKind = { NORMAL: 10, LOCATOR: 11, ADMIN_ONLY: 12, LONER: 13 } as const;

export interface GeodeMemberId {
  /** Class of the object: 92 in the product, 2184 in the bare membership library. */
  readonly dsfid: 92 | 2184;
  /** An IP literal; '' where the sender wrote none. */
  readonly host: string;
  readonly membershipPort: number;
  readonly hostName: string | null;
  /** Bits of `MemberFlag`. */
  readonly flags: number;
  /** -1: none. */
  readonly directChannelPort: number;
  readonly processId: number;
  /** One of `VmKind`. */
  readonly vmKind: number;
  readonly groups: readonly (string | null)[] | null;
  readonly name: string | null;
  /** Loners only, else null. */
  readonly uniqueTag: string | null;
  /** The view in which the member joined; -1 before it did, and for loners. */
  readonly vmViewId: number;
  readonly durableId: string | null;
  /** Seconds. */
  readonly durableTimeout: number;
  /** Version ordinal. */
  readonly version: number;
  /** 32 hex digits, most significant half first; null before 1.0.0-incubating. */
  readonly uuid: string | null;
  readonly memberWeight: number;
}

/** What precedes every payload, of which a receiver finds the full id in its view. */
export interface EssentialId {
  readonly version: number;
  /** Bits of `MemberFlag`; only the first two are written. */
  readonly flags: number;
  readonly host: string;
  readonly membershipPort: number;
  readonly vmViewId: number;
  readonly uuid: string;
  /** Null before 1.2.0. */
  readonly vmKind: number | null;
}

// --- full id -----------------------------------------------------------------------------------------------

export function readMember(reader: ByteReader, version: number, field: string): GeodeMemberId {
  const at = reader.offset;
  const dsfid = readDsfid(reader, field);
  if (dsfid !== MemberDsfid.INTERNAL_DISTRIBUTED_MEMBER && dsfid !== MemberDsfid.MEMBER_IDENTIFIER) {
    throw new CodecError('ERR_VALUE', at, field, `${dsfid ?? 'null'} is no class of member ids`);
  }
  return readMemberBody(reader, version, dsfid, field);
}

export function readNullableMember(reader: ByteReader, version: number, field: string): GeodeMemberId | null {
  return skipNull(reader) ? null : readMember(reader, version, field);
}

function readMemberBody(reader: ByteReader, version: number, dsfid: 92 | 2184, field: string): GeodeMemberId {
  const host = readInetAddress(reader, `${field}.host`);
  const membershipPort = reader.i32(`${field}.membershipPort`);
  const hostName = readString(reader, `${field}.hostName`);
  const flags = reader.u8(`${field}.flags`);
  const directChannelPort = reader.i32(`${field}.directChannelPort`);
  const processId = reader.i32(`${field}.processId`);
  const vmKind = reader.u8(`${field}.vmKind`);
  const groups = readStringArray(reader, MAX_MEMBER_GROUPS, `${field}.groups`);
  const name = readString(reader, `${field}.name`);
  const loner = vmKind === VmKind.LONER;
  const uniqueTag = loner ? readString(reader, `${field}.uniqueTag`) : null;
  const vmViewId = loner ? -1 : readDecimal(reader, `${field}.vmViewId`);
  const durableId = readString(reader, `${field}.durableId`);
  const durableTimeout = reader.i32(`${field}.durableTimeout`);
  const ordinal = (flags & MemberFlag.VERSION) === 0 ? version : readOrdinal(reader, `${field}.version`);
  const tail = hasUuid(ordinal, version);
  return {
    ...{ dsfid, host, membershipPort, hostName, flags, directChannelPort, processId, vmKind, groups, name },
    ...{ uniqueTag, vmViewId, durableId, durableTimeout, version: ordinal },
    uuid: tail ? reader.hex(16, `${field}.uuid`) : null,
    memberWeight: tail ? reader.u8(`${field}.memberWeight`) : 0,
  };
}

/** The view id as text. Null came from peers older than any that is spoken here, and means none. */
function readDecimal(reader: ByteReader, field: string): number {
  const at = reader.offset;
  const text = readString(reader, field);
  if (text === null) return -1;
  const value = /^-?\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= -0x8000_0000 && value <= 0x7fff_ffff) return value;
  throw new CodecError('ERR_VALUE', at, field, 'is no decimal int');
}

function hasUuid(memberVersion: number, version: number): boolean {
  return memberVersion >= FIRST_ORDINAL_WITH_UUID && version >= FIRST_ORDINAL_WITH_UUID;
}

export function writeMember(sink: ByteSink, member: GeodeMemberId, version: number): void {
  writeDsfid(sink, member.dsfid, 'member.dsfid');
  writeInetAddress(sink, member.host, 'member.host');
  sink.i32(member.membershipPort, 'member.membershipPort');
  writeString(sink, member.hostName, 'member.hostName');
  sink.u8(member.flags, 'member.flags');
  sink.i32(member.directChannelPort, 'member.directChannelPort');
  sink.i32(member.processId, 'member.processId');
  sink.u8(member.vmKind, 'member.vmKind');
  writeStringArray(sink, member.groups, 'member.groups');
  writeString(sink, member.name, 'member.name');
  if (member.vmKind === VmKind.LONER) writeString(sink, member.uniqueTag, 'member.uniqueTag');
  else writeString(sink, String(member.vmViewId), 'member.vmViewId');
  writeString(sink, member.durableId, 'member.durableId');
  sink.i32(member.durableTimeout, 'member.durableTimeout');
  if ((member.flags & MemberFlag.VERSION) !== 0) writeOrdinal(sink, member.version, 'member.version');
  if (!hasUuid(member.version, version)) return;
  writeUuid(sink, member.uuid, 'member.uuid');
  sink.u8(member.memberWeight, 'member.memberWeight');
}

export function writeNullableMember(sink: ByteSink, member: GeodeMemberId | null, version: number): void {
  if (member === null) writeNull(sink);
  else writeMember(sink, member, version);
}

// --- essential id ------------------------------------------------------------------------------------------

export function readEssentialId(reader: ByteReader, version: number, field: string): EssentialId {
  return {
    version: readOrdinal(reader, `${field}.version`),
    flags: reader.i16(`${field}.flags`),
    host: readInetAddress(reader, `${field}.host`),
    membershipPort: reader.i32(`${field}.membershipPort`),
    vmViewId: reader.i32(`${field}.vmViewId`),
    uuid: reader.hex(16, `${field}.uuid`),
    vmKind: version >= FIRST_ORDINAL_WITH_VM_KIND ? reader.u8(`${field}.vmKind`) : null,
  };
}

export function writeEssentialId(sink: ByteSink, id: EssentialId, version: number): void {
  writeOrdinal(sink, id.version, 'sender.version');
  sink.i16(id.flags, 'sender.flags');
  writeInetAddress(sink, id.host, 'sender.host');
  sink.i32(id.membershipPort, 'sender.membershipPort');
  sink.i32(id.vmViewId, 'sender.vmViewId');
  writeUuid(sink, id.uuid, 'sender.uuid');
  if (version < FIRST_ORDINAL_WITH_VM_KIND) return;
  if (id.vmKind === null) throw new CodecError('ERR_VALUE', sink.offset, 'sender.vmKind', 'is null');
  sink.u8(id.vmKind, 'sender.vmKind');
}

function writeUuid(sink: ByteSink, uuid: string | null, field: string): void {
  if (uuid?.length !== 32) {
    throw new CodecError('ERR_VALUE', sink.offset, field, `'${uuid ?? 'null'}' is no 32 hex digits`);
  }
  sink.hex(uuid, field);
}
