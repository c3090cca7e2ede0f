import { isUtf8 } from 'node:buffer';
import { CodecError } from '../../bytes/errors.ts';
import type { ByteReader } from '../../bytes/reader.ts';
import { ByteWriter } from '../../bytes/writer.ts';
import { FRAME_HEADER_BYTES, MAX_HOST_BYTES, MAX_NAME_BYTES } from './limits.ts';

/**
 * Fields that several frames share.
 *
 *     text    u16 length, UTF-8 bytes
 *     member  text host | u16 port | 16 bytes uuid | i32 view id | i32 version ordinal | text name | u8 kind
 *             | i32 weight | u32 flags
 */

/** Numbers of kinds are Geode's `vmKind`. */
export const MemberKindCode = { normal: 10, locator: 11, admin: 12, loner: 13 } as const;

export type WireMemberKind = keyof typeof MemberKindCode;

/** A member as HELLO and WELCOME name it. `uuid`: 32 lower-case hex digits. `viewId` and `version`: -1 for none. */
export interface WireMember {
  readonly host: string;
  readonly port: number;
  readonly uuid: string;
  readonly viewId: number;
  readonly version: number;
  readonly name: string;
  readonly kind: WireMemberKind;
  readonly weight: number;
  readonly flags: number;
}

/** Bytes of a member without its texts. */
const MEMBER_FIXED_BYTES = 2 + 16 + 4 + 4 + 1 + 4 + 4;

export function sizeText(text: string): number {
  return 2 + Buffer.byteLength(text);
}

export function writeText(writer: ByteWriter, text: string, limit: number, field: string): void {
  const bytes = Buffer.from(text);
  if (bytes.length > limit) {
    const detail = `${bytes.length} bytes of text are over the limit of ${limit}`;
    throw new CodecError('ERR_LIMIT', writer.offset, field, detail);
  }
  writer.u16(bytes.length);
  writer.bytes(bytes);
}

export function readText(reader: ByteReader, limit: number, field: string): string {
  const length = reader.checkLimit(reader.u16(field), limit, field);
  const at = reader.offset;
  const bytes = reader.bytes(length, field);
  if (!isUtf8(bytes)) throw new CodecError('ERR_VALUE', at, field, 'is not UTF-8');
  return bytes.toString('utf8');
}

export function sizeMember(member: WireMember): number {
  return MEMBER_FIXED_BYTES + sizeText(member.host) + sizeText(member.name);
}

export function writeMember(writer: ByteWriter, member: WireMember): void {
  writeText(writer, member.host, MAX_HOST_BYTES, 'member.host');
  writer.u16(member.port);
  writer.hex(member.uuid);
  writer.i32(member.viewId);
  writer.i32(member.version);
  writeText(writer, member.name, MAX_NAME_BYTES, 'member.name');
  writer.u8(MemberKindCode[member.kind]);
  writer.i32(member.weight);
  writer.u32(member.flags);
}

export function readMember(reader: ByteReader): WireMember {
  return {
    host: readText(reader, MAX_HOST_BYTES, 'member.host'),
    port: reader.u16('member.port'),
    uuid: reader.hex(16, 'member.uuid'),
    viewId: reader.i32('member.viewId'),
    version: reader.i32('member.version'),
    name: readText(reader, MAX_NAME_BYTES, 'member.name'),
    kind: readMemberKind(reader),
    weight: reader.i32('member.weight'),
    flags: reader.u32('member.flags'),
  };
}

function readMemberKind(reader: ByteReader): WireMemberKind {
  const at = reader.offset;
  const code = reader.u8('member.kind');
  for (const [kind, known] of Object.entries(MemberKindCode)) {
    if (known === code) return kind as WireMemberKind;
  }
  throw new CodecError('ERR_VALUE', at, 'member.kind', `${code} is no kind of member`);
}

/** A writer for one frame, with length and type written. @param bodyBytes size of what follows the type */
export function beginFrame(typeCode: number, bodyBytes: number): ByteWriter {
  const writer = new ByteWriter(FRAME_HEADER_BYTES + bodyBytes);
  writer.u32(1 + bodyBytes);
  writer.u8(typeCode);
  return writer;
}
