/** IP literals to bytes and back. Text is canonical (RFC 5952), so bytes -> text -> bytes is exact. */

import { CodecError } from './errors.ts';
import type { ByteReader } from './reader.ts';
import type { ByteWriter } from './writer.ts';

/** Bytes that an address literal takes: 0 for '' (none), 4 or 16. */
export function ipLength(host: string): 0 | 4 | 16 {
  if (host === '') return 0;
  return host.includes(':') ? 16 : 4;
}

/** @param length 0, 4 or 16 */
export function readIp(reader: ByteReader, length: number, field: string): string {
  if (length === 4) {
    const bytes = reader.bytes(4, field);
    return `${bytes[0] as number}.${bytes[1] as number}.${bytes[2] as number}.${bytes[3] as number}`;
  }
  if (length === 16) return formatIpv6(reader.bytes(16, field));
  if (length === 0) return '';
  throw new CodecError(
    'ERR_VALUE',
    reader.offset,
    field,
    `an address of ${length} bytes is neither IPv4 nor IPv6`,
  );
}

/** @throws {CodecError} `ERR_VALUE` if `host` is no IP literal */
export function writeIp(
  writer: Pick<ByteWriter, 'offset' | 'u8' | 'u16'>,
  host: string,
  field: string,
): void {
  if (host === '') return;
  const groups = host.includes(':') ? parseIpv6(host) : parseIpv4(host);
  if (groups === null) throw new CodecError('ERR_VALUE', writer.offset, field, `'${host}' is no IP literal`);
  if (host.includes(':')) for (const group of groups) writer.u16(group);
  else for (const byte of groups) writer.u8(byte);
}

/** True for an IPv4 or IPv6 literal (no zone). */
export function isIpLiteral(host: string): boolean {
  return (host.includes(':') ? parseIpv6(host) : parseIpv4(host)) !== null;
}

/** The one spelling that `readIp` and sockets give an address. What is no IP literal stays as it is. */
export function canonicalIp(host: string): string {
  const groups = host.includes(':') ? parseIpv6(host) : parseIpv4(host);
  if (groups === null) return host;
  return host.includes(':') ? formatGroups(groups) : groups.join('.');
}

function parseIpv4(host: string): number[] | null {
  const parts = host.split('.');
  if (parts.length !== 4) return null;
  const bytes = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function parseIpv6(host: string): number[] | null {
  const halves = host.split('::');
  if (halves.length > 2) return null;
  const parse = (half: string): number[] =>
    half === ''
      ? []
      : half.split(':').map((group) => (/^[0-9a-fA-F]{1,4}$/.test(group) ? parseInt(group, 16) : -1));
  const head = parse(halves[0] ?? '');
  const tail = halves.length === 2 ? parse(halves[1] ?? '') : [];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.every((group) => group >= 0) ? groups : null;
}

function formatIpv6(bytes: Buffer): string {
  return formatGroups(Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i)));
}

function formatGroups(groups: number[]): string {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (slice: number[]): string => slice.map((group) => group.toString(16)).join(':');
  if (best.length < 2) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}
