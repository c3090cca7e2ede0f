/**
 * Builds the IP packets around payloads that were seen without them, as a capture of raw IP has them: IPv4 or IPv6,
 * UDP or TCP, with lengths and checksums that hold.
 */
import { CodecError } from '../bytes/errors.ts';
import { ipLength, writeIp } from '../bytes/ip.ts';
import { ByteWriter } from '../bytes/writer.ts';
import { IpProtocol } from './ip.ts';
import { TcpFlag } from './transport.ts';

export interface PacketEndpoint {
  /** 4 bytes of IPv4 or 16 of IPv6; both ends of a packet have the same kind. */
  readonly address: Uint8Array;
  readonly port: number;
}

export interface TcpFields {
  readonly seq: number;
  readonly ack: number;
  /** Bits of `TcpFlag`. */
  readonly flags: number;
}

/** Changes a payload in its place in the packet, before the checksum is made. */
export type PayloadEdit = (payload: Buffer) => void;

const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const UDP_BYTES = 8;
const TCP_BYTES = 20;
/** Largest segment and window scale, as a SYN has them. */
const SYN_OPTIONS_BYTES = 8;

/** IPv4's length counts the whole packet, that of IPv6 what follows its header. */
const MAX_LENGTH = 0xffff;

const TIME_TO_LIVE = 64;
const DONT_FRAGMENT = 0x4000;
/** The largest that there is (RFC 7323), for nobody says how much room a receiver really had. */
const WINDOW_SCALE = 14;
const WINDOW = 0xffff;

/** The bytes of an IP literal, without its zone; null if it is none. */
export function addressBytes(host: string): Buffer | null {
  const zone = host.indexOf('%');
  const literal = withoutDots(zone < 0 ? host : host.slice(0, zone));
  try {
    const writer = new ByteWriter(ipLength(literal));
    writeIp(writer, literal, 'address');
    return writer.buffer.length === 0 ? null : writer.finish();
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}

/** `::ffff:1.2.3.4` as `::ffff:102:304`. */
function withoutDots(literal: string): string {
  const colon = literal.lastIndexOf(':');
  const ipv4 = colon < 0 || !literal.includes('.') ? null : addressBytes(literal.slice(colon + 1));
  if (ipv4 === null) return literal;
  const groups = [ipv4.readUInt16BE(0).toString(16), ipv4.readUInt16BE(2).toString(16)];
  return `${literal.slice(0, colon + 1)}${groups.join(':')}`;
}

/** The largest payload of a UDP datagram. @param addressLength 4 or 16 */
export function maxUdpPayloadBytes(addressLength: number): number {
  return MAX_LENGTH - UDP_BYTES - (addressLength === 4 ? IPV4_BYTES : 0);
}

/** The largest payload of a TCP segment. @param addressLength 4 or 16 */
export function maxSegmentBytes(addressLength: number): number {
  return MAX_LENGTH - TCP_BYTES - (addressLength === 4 ? IPV4_BYTES : 0);
}

export function udpPacketBytes(addressLength: number, payloadBytes: number): number {
  return ipHeaderBytes(addressLength) + UDP_BYTES + payloadBytes;
}

/** @param payload no longer than `maxUdpPayloadBytes` */
export function writeUdpPacket(
  target: Buffer,
  offset: number,
  from: PacketEndpoint,
  to: PacketEndpoint,
  payload: Uint8Array,
  edit?: PayloadEdit,
): void {
  const length = UDP_BYTES + payload.length;
  const start = writeIpHeader(target, offset, from, to, IpProtocol.UDP, length);
  writePorts(target, start, from, to);
  target.writeUInt16BE(length, start + 4);
  target.writeUInt16BE(0, start + 6);
  writePayload(target, start + UDP_BYTES, payload, edit);
  const checksum = transportChecksum(target, start, length, from, to, IpProtocol.UDP);
  target.writeUInt16BE(checksum === 0 ? 0xffff : checksum, start + 6); // 0 is "none" (RFC 768)
}

export function tcpPacketBytes(addressLength: number, flags: number, payloadBytes: number): number {
  return ipHeaderBytes(addressLength) + tcpHeaderBytes(flags) + payloadBytes;
}

/** @param payload no longer than `maxSegmentBytes` */
export function writeTcpPacket(
  target: Buffer,
  offset: number,
  from: PacketEndpoint,
  to: PacketEndpoint,
  { seq, ack, flags }: TcpFields,
  payload: Uint8Array,
  edit?: PayloadEdit,
): void {
  const headerBytes = tcpHeaderBytes(flags);
  const length = headerBytes + payload.length;
  const start = writeIpHeader(target, offset, from, to, IpProtocol.TCP, length);
  writePorts(target, start, from, to);
  target.writeUInt32BE(seq, start + 4);
  target.writeUInt32BE(ack, start + 8);
  target[start + 12] = (headerBytes / 4) << 4;
  target[start + 13] = flags;
  target.writeUInt16BE(WINDOW, start + 14);
  target.writeUInt32BE(0, start + 16); // checksum, urgent pointer
  if (headerBytes > TCP_BYTES) writeSynOptions(target, start + TCP_BYTES, from.address.length);
  writePayload(target, start + headerBytes, payload, edit);
  target.writeUInt16BE(transportChecksum(target, start, length, from, to, IpProtocol.TCP), start + 16);
}

function tcpHeaderBytes(flags: number): number {
  return TCP_BYTES + ((flags & TcpFlag.SYN) === 0 ? 0 : SYN_OPTIONS_BYTES);
}

function writeSynOptions(target: Buffer, offset: number, addressLength: number): void {
  target.writeUInt16BE(0x0204, offset); // maximum segment size
  target.writeUInt16BE(maxSegmentBytes(addressLength), offset + 2);
  target.writeUInt32BE(0x01030300 | WINDOW_SCALE, offset + 4); // padding, then the scale
}

function ipHeaderBytes(addressLength: number): number {
  return addressLength === 4 ? IPV4_BYTES : IPV6_BYTES;
}

/** Returns where the transport's header begins. */
function writeIpHeader(
  target: Buffer,
  offset: number,
  from: PacketEndpoint,
  to: PacketEndpoint,
  protocol: number,
  payloadBytes: number,
): number {
  if (from.address.length === 4) {
    target.writeUInt16BE(0x4500, offset);
    target.writeUInt16BE(IPV4_BYTES + payloadBytes, offset + 2);
    target.writeUInt32BE(DONT_FRAGMENT, offset + 4);
    target[offset + 8] = TIME_TO_LIVE;
    target[offset + 9] = protocol;
    target.writeUInt16BE(0, offset + 10);
    target.set(from.address, offset + 12);
    target.set(to.address, offset + 16);
    target.writeUInt16BE(finish(sum(target, offset, offset + IPV4_BYTES)), offset + 10);
    return offset + IPV4_BYTES;
  }
  target.writeUInt32BE(0x60000000, offset);
  target.writeUInt16BE(payloadBytes, offset + 4);
  target[offset + 6] = protocol;
  target[offset + 7] = TIME_TO_LIVE;
  target.set(from.address, offset + 8);
  target.set(to.address, offset + 24);
  return offset + IPV6_BYTES;
}

function writePorts(target: Buffer, offset: number, from: PacketEndpoint, to: PacketEndpoint): void {
  target.writeUInt16BE(from.port, offset);
  target.writeUInt16BE(to.port, offset + 2);
}

function writePayload(
  target: Buffer,
  offset: number,
  payload: Uint8Array,
  edit: PayloadEdit | undefined,
): void {
  target.set(payload, offset);
  edit?.(target.subarray(offset, offset + payload.length));
}

/** Over the packet from `start` and the pseudo-header of its addresses, protocol and length. */
function transportChecksum(
  target: Buffer,
  start: number,
  length: number,
  from: PacketEndpoint,
  to: PacketEndpoint,
  protocol: number,
): number {
  const addresses = from.address.length + to.address.length; // they stand right before the transport's header
  return finish(sum(target, start - addresses, start + length) + protocol + length);
}

/** Sum of the 16-bit words, not folded. Two at a time: 2^16 counts as 1, so the higher one may stay where it is. */
function sum(bytes: Buffer, start: number, end: number): number {
  let total = 0;
  let at = start;
  for (; at + 4 <= end; at += 4) total += bytes.readUInt32BE(at);
  if (at + 2 <= end) {
    total += bytes.readUInt16BE(at);
    at += 2;
  }
  if (at < end) total += (bytes[at] as number) << 8;
  return total;
}

/** Folds a sum into 16 bits, and inverts it. */
function finish(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return 0xffff - folded;
}
