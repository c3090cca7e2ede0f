/** UDP and TCP headers. */
import { CodecError, TruncatedError } from '../bytes/errors.ts';
import type { IpPacket } from './ip.ts';

export const UDP_HEADER_BYTES = 8;
const TCP_MIN_HEADER_BYTES = 20;

export interface UdpHeader {
  readonly srcPort: number;
  readonly dstPort: number;
  /** The payload is the packet's bytes from `start` to `end`. */
  readonly start: number;
  readonly end: number;
  /** Bytes of the payload that should be there and are not. */
  readonly missing: number;
}

/** @throws {CodecError} if the header is malformed, or not all there */
export function parseUdp(packet: IpPacket): UdpHeader {
  const { bytes, start, end } = packet;
  if (end - start < UDP_HEADER_BYTES) {
    throw new TruncatedError(start, 'UDP header', UDP_HEADER_BYTES, end - start);
  }
  const announced = bytes.readUInt16BE(start + 4);
  // 0: longer than the field can say (RFC 2675).
  const length = announced === 0 ? end - start + packet.missing : announced;
  if (length < UDP_HEADER_BYTES) {
    throw new CodecError('ERR_VALUE', start + 4, 'UDP length', `${length} is less than the header`);
  }
  const captured = Math.min(length, end - start);
  return {
    srcPort: bytes.readUInt16BE(start),
    dstPort: bytes.readUInt16BE(start + 2),
    start: start + UDP_HEADER_BYTES,
    end: start + captured,
    missing: length - captured,
  };
}

export const TcpFlag = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const;

export interface TcpSegment {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  /** Bits of `TcpFlag`. */
  readonly flags: number;
  /** What was captured of the payload. */
  readonly payload: Buffer;
  /** Bytes of the payload that the capture cut off. */
  readonly missing: number;
}

export function parseTcp(packet: IpPacket): TcpSegment {
  const { bytes, start, end } = packet;
  if (end - start < TCP_MIN_HEADER_BYTES) {
    throw new TruncatedError(start, 'TCP header', TCP_MIN_HEADER_BYTES, end - start);
  }
  const headerBytes = ((bytes[start + 12] as number) >> 4) * 4;
  if (headerBytes < TCP_MIN_HEADER_BYTES) {
    throw new CodecError(
      'ERR_VALUE',
      start + 12,
      'TCP data offset',
      `${headerBytes} is less than the header`,
    );
  }
  if (headerBytes > end - start) {
    throw new TruncatedError(start + 12, 'TCP options', headerBytes, end - start);
  }
  return {
    srcPort: bytes.readUInt16BE(start),
    dstPort: bytes.readUInt16BE(start + 2),
    seq: bytes.readUInt32BE(start + 4),
    ack: bytes.readUInt32BE(start + 8),
    flags: bytes[start + 13] as number,
    payload: bytes.subarray(start + headerBytes, end),
    missing: packet.missing,
  };
}
