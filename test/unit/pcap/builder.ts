/** Builds capture files and packets byte by byte, independently of the code under test. */
import { CaptureReader } from '../../../codecs/pcap/index.ts';
import type { CaptureItem, UdpItem } from '../../../codecs/pcap/index.ts';

export type Order = 'LE' | 'BE';

export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(/\s+/g, ''), 'hex');
}

export function join(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

function number(value: number | bigint, width: number, order: Order): Buffer {
  const digits = BigInt.asUintN(width * 8, BigInt(value)).toString(16);
  const bytes = Buffer.from(digits.padStart(width * 2, '0'), 'hex');
  return order === 'LE' ? bytes.reverse() : bytes;
}

export const u16 = (value: number, order: Order = 'BE'): Buffer => number(value, 2, order);
export const u32 = (value: number, order: Order = 'BE'): Buffer => number(value, 4, order);
export const u64 = (value: bigint, order: Order = 'BE'): Buffer => number(value, 8, order);

/** `length` bytes that differ from their neighbours. */
export function pattern(length: number, seed = 0): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (seed + i * 7 + (i >> 8)) & 0xff));
}

// --- files -------------------------------------------------------------------------------------------------

export interface Packet {
  readonly bytes: Buffer;
  readonly sec?: number;
  /** In the file's units. */
  readonly fraction?: number;
  /** If the capture cut the packet. */
  readonly originalLength?: number;
}

export function pcap(
  packets: readonly (Packet | Buffer)[],
  { order = 'LE', nanos = false, linkType = 1 }: { order?: Order; nanos?: boolean; linkType?: number } = {},
): Buffer {
  const magic = u32(nanos ? 0xa1b23c4d : 0xa1b2c3d4, order);
  const header = [
    magic,
    u16(2, order),
    u16(4, order),
    u32(0),
    u32(0),
    u32(65535, order),
    u32(linkType, order),
  ];
  const records = packets.map((one) => {
    const {
      bytes,
      sec = 0,
      fraction = 0,
      originalLength = bytes.length,
    }: Packet = Buffer.isBuffer(one) ? { bytes: one } : one;
    const fields = [sec, fraction, bytes.length, originalLength].map((value) => u32(value, order));
    return join(...fields, bytes);
  });
  return join(...header, ...records);
}

function pad4(bytes: Buffer): Buffer {
  return join(bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4));
}

/** A pcapng block. */
export function block(type: number, body: Buffer, order: Order): Buffer {
  const padded = pad4(body);
  const length = u32(padded.length + 12, order);
  return join(u32(type, order), length, padded, length);
}

export function option(code: number, value: Buffer, order: Order): Buffer {
  return join(u16(code, order), u16(value.length, order), pad4(value));
}

export function sectionBlock(order: Order): Buffer {
  const body = join(u32(0x1a2b3c4d, order), u16(1, order), u16(0, order), u64(-1n, order));
  return block(0x0a0d0d0a, body, order);
}

export function interfaceBlock(
  order: Order,
  linkType = 1,
  snapLength = 0,
  options: Buffer = hex(''),
): Buffer {
  return block(1, join(u16(linkType, order), u16(0), u32(snapLength, order), options), order);
}

export function enhancedPacket(
  order: Order,
  id: number,
  time: bigint,
  bytes: Buffer,
  original?: number,
): Buffer {
  const times = join(u32(Number(time >> 32n), order), u32(Number(time & 0xffffffffn), order));
  const lengths = join(u32(bytes.length, order), u32(original ?? bytes.length, order));
  return block(6, join(u32(id, order), times, lengths, pad4(bytes), option(0, hex(''), order)), order);
}

// --- link layers -------------------------------------------------------------------------------------------

export function ethernet(payload: Buffer, etherType = 0x0800, tags: readonly number[] = []): Buffer {
  const tagged = tags.map((tag) => join(u16(tag), u16(0x2064)));
  return join(hex('ffffffffffff 020000000001'), ...tagged, u16(etherType), payload);
}

// --- IP ----------------------------------------------------------------------------------------------------

export interface Ipv4Options {
  readonly src?: string;
  readonly dst?: string;
  readonly protocol?: number;
  readonly id?: number;
  /** In bytes. */
  readonly offset?: number;
  readonly more?: boolean;
  /** IP options, a multiple of four bytes. */
  readonly options?: Buffer;
  /** What the length field says, if not the truth. */
  readonly total?: number;
}

export function ipv4(payload: Buffer, settings: Ipv4Options = {}): Buffer {
  const { src = '10.0.0.1', dst = '10.0.0.2', protocol = 17, id = 1, offset = 0, more = false } = settings;
  const options = settings.options ?? hex('');
  const headerBytes = 20 + options.length;
  const total = settings.total ?? headerBytes + payload.length;
  return join(
    Buffer.from([0x40 | (headerBytes / 4), 0]),
    u16(total),
    u16(id),
    u16((more ? 0x2000 : 0) | (offset / 8)),
    Buffer.from([64, protocol, 0, 0]),
    Buffer.from(src.split('.').map(Number)),
    Buffer.from(dst.split('.').map(Number)),
    options,
    payload,
  );
}

export const V6_SRC = hex('20010db8 00000000 00000000 00000001');
export const V6_DST = hex('20010db8 00000000 00000000 00000002');

export function ipv6(payload: Buffer, next = 17, length = payload.length): Buffer {
  return join(hex('60000000'), u16(length), Buffer.from([next, 64]), V6_SRC, V6_DST, payload);
}

export function ipv6Fragment(payload: Buffer, offset: number, more: boolean, next = 17, id = 7): Buffer {
  return ipv6(join(Buffer.from([next, 0]), u16(offset | (more ? 1 : 0)), u32(id), payload), 44);
}

// --- transport ---------------------------------------------------------------------------------------------

export function udp(payload: Buffer, srcPort = 1111, dstPort = 2222, length = payload.length + 8): Buffer {
  return join(u16(srcPort), u16(dstPort), u16(length), u16(0), payload);
}

export interface TcpOptions {
  readonly seq: number;
  readonly ack?: number;
  /** Any of F, S, R, A. */
  readonly flags?: string;
  readonly payload?: Buffer;
  /** From the other end to this one. */
  readonly back?: boolean;
  /** TCP options, a multiple of four bytes. */
  readonly options?: Buffer;
}

export function tcp({ seq, ack = 0, flags = 'A', payload, back = false, options }: TcpOptions): Buffer {
  const bits = flags.split('').reduce((sum, flag) => sum | (1 << 'FSRPA'.indexOf(flag)), 0);
  const extra = options ?? hex('');
  const [from, to] = back ? [80, 5000] : [5000, 80];
  const offset = Buffer.from([((20 + extra.length) / 4) << 4, bits]);
  return join(
    u16(from),
    u16(to),
    u32(seq >>> 0),
    u32(ack >>> 0),
    offset,
    hex('ffff 0000 0000'),
    extra,
    payload ?? hex(''),
  );
}

/** A TCP segment as an Ethernet frame. */
export function segment(options: TcpOptions): Buffer {
  const [src, dst] = options.back === true ? ['10.0.0.2', '10.0.0.1'] : ['10.0.0.1', '10.0.0.2'];
  return ethernet(ipv4(tcp(options), { src, dst, protocol: 6 }));
}

// --- reading -----------------------------------------------------------------------------------------------

/** All items of a file that is pushed in pieces of `chunk` bytes. */
export function read(file: Buffer, chunk = file.length): CaptureItem[] {
  const reader = new CaptureReader();
  const items: CaptureItem[] = [];
  for (let at = 0; at < file.length; at += chunk) items.push(...reader.push(file.subarray(at, at + chunk)));
  items.push(...reader.end());
  return items;
}

/** Items in short, for comparison: `udp 10.0.0.1:1111>10.0.0.2:2222 <hex>`, `tcp 1+0 <hex>`, `gap 1+4 3`, ... */
export function brief(items: readonly CaptureItem[]): string[] {
  return items.map((item) => {
    switch (item.kind) {
      case 'udp':
        return `udp ${item.from.text}>${item.to.text} ${item.payload.toString('hex')}`;
      case 'tcp':
        return `tcp ${item.stream.id}+${item.offset} ${item.payload.toString('latin1')}`;
      case 'tcp-gap':
        return `gap ${item.stream.id}+${item.offset} ${item.length}`;
      case 'tcp-end':
        return `end ${item.stream.id}+${item.offset} ${item.reason}`;
      case 'incomplete':
        return `incomplete ${item.from}>${item.to} ${item.received} ${item.reason}`;
      case 'other':
        return `other ${item.what}`;
      case 'error':
        return `${item.cut ? 'cut' : 'error'} ${item.error.code} ${item.error.field}`;
    }
  });
}

export function udpItems(items: readonly CaptureItem[]): UdpItem[] {
  return items.filter((item) => item.kind === 'udp');
}
