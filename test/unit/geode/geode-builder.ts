/**
 * Builds Geode's bytes straight from the wire reference (GEODE-WIRE sections 1, 2, 4, 5), so that no test input comes
 * from the encoder under test. Slow and naive on purpose.
 */
import type { EssentialId, GeodeMemberId } from '../../../codecs/geode/member.ts';
import type { MembershipMessage } from '../../../codecs/geode/messages/types.ts';
import type { Credentials, NetView } from '../../../codecs/geode/index.ts';
import { hex, hostBytes, i32, join, u16, u8 } from '../codecs/wire-builder.ts';

export { hex, i32, join, u16, u8 };

export const NULL = hex('29');

export function arrayLength(length: number | null): Buffer {
  if (length === null) return hex('ff');
  if (length <= 252) return u8(length);
  return length <= 0xffff ? join(hex('fe'), u16(length)) : join(hex('fd'), i32(length));
}

export function byteArray(bytes: Uint8Array | null): Buffer {
  return bytes === null ? arrayLength(null) : join(arrayLength(bytes.length), bytes);
}

export function ordinal(value: number): Buffer {
  return value >= 0 && value <= 127 ? u8(value) : join(hex('ff'), u16(value));
}

export function inetAddress(host: string): Buffer {
  return host === '' ? hex('ff') : byteArray(hostBytes(host));
}

/** By what Java documents of DataOutput.writeUTF. */
function modifiedUtf8(text: string): Buffer {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 1 && c <= 0x7f) bytes.push(c);
    else if (c <= 0x7ff) bytes.push(0xc0 + Math.floor(c / 64), 0x80 + (c % 64));
    else bytes.push(0xe0 + Math.floor(c / 4096), 0x80 + (Math.floor(c / 64) % 64), 0x80 + (c % 64));
  }
  return Buffer.from(bytes);
}

export function string(value: string | null): Buffer {
  if (value === null) return hex('45');
  const bytes = modifiedUtf8(value);
  const ascii = bytes.length === value.length;
  if (ascii && bytes.length <= 0xffff) return join(hex('57'), u16(bytes.length), bytes);
  if (ascii) return join(hex('58'), i32(bytes.length), bytes);
  if (bytes.length <= 0xffff) return join(hex('2a'), u16(bytes.length), bytes);
  return join(hex('59'), i32(value.length), utf16(value));
}

function utf16(value: string): Buffer {
  const bytes: number[] = [];
  for (let i = 0; i < value.length; i++) bytes.push(value.charCodeAt(i) >> 8, value.charCodeAt(i) & 0xff);
  return Buffer.from(bytes);
}

export function dsfid(id: number): Buffer {
  if (id >= -128 && id <= 127) return join(hex('01'), u8(id & 0xff));
  if (id >= -32768 && id <= 32767) return join(hex('02'), u16(id));
  return join(hex('03'), i32(id));
}

/** @param version serialization version of the stream */
export function member(m: GeodeMemberId, version = 150): Buffer {
  return join(
    dsfid(m.dsfid),
    inetAddress(m.host),
    i32(m.membershipPort),
    string(m.hostName),
    u8(m.flags),
    i32(m.directChannelPort),
    i32(m.processId),
    u8(m.vmKind),
    arrayLength(m.groups === null ? null : m.groups.length),
    ...(m.groups ?? []).map(string),
    string(m.name),
    m.vmKind === 13 ? string(m.uniqueTag) : string(`${m.vmViewId}`),
    string(m.durableId),
    i32(m.durableTimeout),
    m.flags & 8 ? ordinal(m.version) : hex(''),
    ...(m.version >= 45 && version >= 45 ? [hex(m.uuid ?? ''), u8(m.memberWeight)] : []),
  );
}

const orNull = <T>(value: T | null, build: (value: T) => Buffer): Buffer =>
  value === null ? NULL : build(value);

export function essential(id: EssentialId): Buffer {
  return join(
    ordinal(id.version),
    u16(id.flags),
    inetAddress(id.host),
    i32(id.membershipPort),
    i32(id.vmViewId),
    hex(id.uuid),
    id.vmKind === null ? hex('') : u8(id.vmKind),
  );
}

export function view(v: NetView, version = 150): Buffer {
  const list = (members: readonly GeodeMemberId[]): Buffer =>
    join(arrayLength(members.length), ...members.map((m) => member(m, version)));
  return join(
    dsfid(-148),
    orNull(v.creator, (m) => member(m, version)),
    i32(v.viewId),
    list(v.members),
    list(v.shutdownMembers),
    list(v.crashedMembers),
    arrayLength(v.fdPorts.length),
    ...v.fdPorts.map(i32),
    arrayLength(v.publicKeys.length),
    ...v.publicKeys.flatMap(({ member: m, key }) => [
      member(m, version),
      orNull(key, (bytes) => join(hex('2e'), byteArray(bytes))),
    ]),
  );
}

export function credentials(value: Credentials | null): Buffer {
  if (value === null) return NULL;
  if (value.kind === 'opaque') return Buffer.from(value.bytes);
  const object = (entry: string | Uint8Array | null): Buffer =>
    entry === null ? NULL : typeof entry === 'string' ? string(entry) : join(hex('2e'), byteArray(entry));
  return join(hex('0b'), arrayLength(value.entries.length), ...value.entries.flat().map(object));
}

const bool = (value: boolean): Buffer => u8(value ? 1 : 0);

export function message(m: MembershipMessage, version = 150): Buffer {
  const id = (value: GeodeMemberId): Buffer => member(value, version);
  const net = (value: NetView): Buffer => view(value, version);
  switch (m.type) {
    case 'JoinRequest':
      return join(
        ...[dsfid(-142), id(m.memberID), credentials(m.credentials)],
        ...[i32(m.fdPort), bool(m.isMulticast), i32(m.requestId)],
      );
    case 'JoinResponse':
      return join(
        ...[dsfid(-143), orNull(m.currentView, net), orNull(m.memberID, id), string(m.rejection)],
        ...[byteArray(m.messengerData), byteArray(m.clusterSecretKey)],
      );
    case 'InstallView': {
      const kind = i32(['INSTALL', 'PREPARE', 'SYNC'].indexOf(m.kind));
      return join(dsfid(-150), i32(m.previousViewId), kind, net(m.view), credentials(m.credentials));
    }
    case 'ViewAck':
      return join(dsfid(-151), i32(m.viewId), bool(m.preparing), orNull(m.alternateView, net));
    case 'LeaveRequest':
      return join(dsfid(-152), id(m.memberID), string(m.reason));
    case 'RemoveMember':
      return join(dsfid(-153), id(m.memberID), string(m.reason));
    case 'HeartbeatRequest':
      return join(dsfid(-154), i32(m.requestId), id(m.target));
    case 'Heartbeat':
      return join(dsfid(-155), i32(m.requestId));
    case 'SuspectMembers': {
      const suspects = m.suspects.flatMap((suspect) => [id(suspect.member), string(suspect.reason)]);
      return join(dsfid(-156), i32(m.suspects.length), ...suspects);
    }
    case 'NetworkPartition':
      return dsfid(-157);
    case 'FinalCheckPassed':
      return join(dsfid(-158), id(m.suspect));
    case 'FindCoordinatorRequest':
      return join(
        ...[
          dsfid(-145),
          id(m.memberID),
          i32(m.rejectedCoordinators.length),
          ...m.rejectedCoordinators.map(id),
        ],
        ...[i32(m.lastViewId), i32(m.requestId), string(m.dhAlgo), byteArray(m.publicKey)],
      );
    case 'FindCoordinatorResponse':
      return join(
        ...[dsfid(-144), orNull(m.coordinator, id), orNull(m.sender, id), byteArray(m.coordinatorPublicKey)],
        ...[string(m.rejection), bool(m.shortForm), bool(m.fromView), bool(m.npdEnabled)],
        ...[bool(m.preferLocators), orNull(m.view, net)],
        ...[arrayLength(m.registrants?.length ?? null), ...(m.registrants ?? []).map(id)],
      );
    case 'GetViewRequest':
      return dsfid(-147);
    case 'GetViewResponse':
      return join(dsfid(-146), orNull(m.view, net));
  }
}

/** Bytes as hex, so that values from Buffers, Uint8Arrays and views compare. */
export function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, comparable(field)]));
}
