/** IPv4 and IPv6 headers, down to the transport layer or a fragment. Checksums are not looked at: network cards fill
 * them in after the capture has seen the packet. */
import { CodecError, TruncatedError } from '../bytes/errors.ts';
import type { AddressBook, Host } from './endpoint.ts';
import { MAX_EXTENSION_HEADERS } from './limits.ts';

export const IpProtocol = { TCP: 6, UDP: 17 } as const;

const Extension = {
  HOP_BY_HOP: 0,
  ROUTING: 43,
  FRAGMENT: 44,
  AUTHENTICATION: 51,
  DESTINATION: 60,
  MOBILITY: 135,
  HIP: 139,
  SHIM6: 140,
} as const;

export interface Fragment {
  /** Equal for the fragments of one packet. */
  readonly key: string;
  /** Of the first byte in the whole packet. */
  readonly offset: number;
  /** More fragments follow. */
  readonly more: boolean;
}

export interface IpPacket {
  readonly version: 4 | 6;
  readonly src: Host;
  readonly dst: Host;
  /** Of the payload; where it is a fragment, of the whole packet's payload. */
  readonly protocol: number;
  readonly bytes: Buffer;
  /** The payload is `bytes` from `start` to `end`. */
  readonly start: number;
  readonly end: number;
  /** Bytes of the payload that the capture cut off. */
  readonly missing: number;
  readonly fragment: Fragment | null;
}

const IPV4_MIN_BYTES = 20;
const IPV6_BYTES = 40;

/**
 * @param offset of the IP header in `bytes`
 * @param originalLength of the frame on the wire: what it has beyond `bytes` was cut off by the capture
 */
export function parseIpv4(
  bytes: Buffer,
  offset: number,
  originalLength: number,
  book: AddressBook,
): IpPacket {
  need(bytes, offset, IPV4_MIN_BYTES, bytes.length, 'IPv4 header');
  const first = bytes[offset] as number;
  if (first >> 4 !== 4) throw new CodecError('ERR_VALUE', offset, 'IP version', `${first >> 4} is not 4`);
  const headerBytes = (first & 0x0f) * 4;
  const announced = bytes.readUInt16BE(offset + 2);
  // 0: a packet above 64 KiB that segmentation offload handed to the capture in one piece.
  const total = announced === 0 ? originalLength - offset : announced;
  if (headerBytes < IPV4_MIN_BYTES || headerBytes > total) {
    throw new CodecError('ERR_VALUE', offset, 'IPv4 header length', `${headerBytes} of ${total} bytes`);
  }
  need(bytes, offset, headerBytes, bytes.length, 'IPv4 options');
  const end = payloadEnd(bytes, offset + total, originalLength, offset + 2, 'IPv4 total length');
  const flags = bytes.readUInt16BE(offset + 6);
  const protocol = bytes[offset + 9] as number;
  return {
    version: 4,
    src: book.ipv4(bytes, offset + 12),
    dst: book.ipv4(bytes, offset + 16),
    protocol,
    bytes,
    start: offset + headerBytes,
    end,
    missing: offset + total - end,
    fragment: (flags & 0x3fff) === 0 ? null : ipv4Fragment(bytes, offset, flags, protocol),
  };
}

function ipv4Fragment(bytes: Buffer, offset: number, flags: number, protocol: number): Fragment {
  const addresses = bytes.toString('latin1', offset + 12, offset + 20);
  return {
    key: `${addresses}${protocol}/${bytes.readUInt16BE(offset + 4)}`,
    offset: (flags & 0x1fff) * 8,
    more: (flags & 0x2000) !== 0,
  };
}

/** Parameters as for `parseIpv4`. */
export function parseIpv6(
  bytes: Buffer,
  offset: number,
  originalLength: number,
  book: AddressBook,
): IpPacket {
  need(bytes, offset, IPV6_BYTES, bytes.length, 'IPv6 header');
  const version = (bytes[offset] as number) >> 4;
  if (version !== 6) throw new CodecError('ERR_VALUE', offset, 'IP version', `${version} is not 6`);
  const announced = bytes.readUInt16BE(offset + 4);
  // 0: a jumbogram (RFC 2675), which Linux makes of large TCP segments on a fast card.
  const length = announced === 0 ? Math.max(originalLength - offset - IPV6_BYTES, 0) : announced;
  const start = offset + IPV6_BYTES;
  const end = payloadEnd(bytes, start + length, originalLength, offset + 4, 'IPv6 payload length');
  const packet: IpPacket = {
    version: 6,
    src: book.ipv6(bytes, offset + 8),
    dst: book.ipv6(bytes, offset + 24),
    protocol: bytes[offset + 6] as number,
    bytes,
    start,
    end,
    missing: start + length - end,
    fragment: null,
  };
  return isExtension(packet.protocol) ? skipExtensions(packet) : packet;
}

/** Passes over IPv6 extension headers, up to the transport layer or a fragment. */
export function skipExtensions(packet: IpPacket): IpPacket {
  const { bytes, end } = packet;
  let { protocol, start } = packet;
  for (let count = 0; isExtension(protocol); count++) {
    if (count === MAX_EXTENSION_HEADERS) {
      throw new CodecError('ERR_LIMIT', start, 'extension headers', `more than ${MAX_EXTENSION_HEADERS}`);
    }
    need(bytes, start, 8, end, 'extension header');
    const next = bytes[start] as number;
    if (protocol === Extension.FRAGMENT) {
      const fragment = ipv6Fragment(packet, start);
      start += 8;
      if (fragment !== null) return { ...packet, protocol: next, start, fragment };
    } else {
      const units = bytes[start + 1] as number;
      const length = protocol === Extension.AUTHENTICATION ? (units + 2) * 4 : (units + 1) * 8;
      need(bytes, start, length, end, 'extension header');
      start += length;
    }
    protocol = next;
  }
  return { ...packet, protocol, start };
}

/** Null for an atomic fragment (RFC 6946): a whole packet that has the header all the same. */
function ipv6Fragment(packet: IpPacket, at: number): Fragment | null {
  const { bytes, src, dst } = packet;
  const where = bytes.readUInt16BE(at + 2);
  const more = (where & 1) !== 0;
  const offset = where & 0xfff8;
  if (offset === 0 && !more) return null;
  return { key: `${src.text}>${dst.text}/${bytes.readUInt32BE(at + 4)}`, offset, more };
}

function isExtension(protocol: number): boolean {
  switch (protocol) {
    case Extension.HOP_BY_HOP:
    case Extension.ROUTING:
    case Extension.FRAGMENT:
    case Extension.AUTHENTICATION:
    case Extension.DESTINATION:
    case Extension.MOBILITY:
    case Extension.HIP:
    case Extension.SHIM6:
      return true;
    default:
      return false;
  }
}

/** Where the payload ends in `bytes`, given where it ends on the wire. What follows is the link's padding. */
function payloadEnd(bytes: Buffer, end: number, originalLength: number, at: number, field: string): number {
  if (end > originalLength) throw new TruncatedError(at, field, end, originalLength);
  return Math.min(end, bytes.length);
}

function need(bytes: Buffer, offset: number, length: number, end: number, field: string): void {
  if (offset + length > end || offset + length > bytes.length) {
    throw new TruncatedError(offset, field, length, Math.max(0, end - offset));
  }
}
