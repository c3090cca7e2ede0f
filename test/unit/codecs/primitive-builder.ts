/**
 * Java's primitives and JGroups' addresses, straight from the wire reference: slow and naive on purpose, every function
 * is one line of the document. No test input comes from the encoder under test.
 */
import type { Address } from '../../../codecs/jgroups/message.ts';

export const VERSION_3_6_14 = 0x198e;
export const VERSION_3_6_20 = 0x1994;

/** Bytes of hex digits; blanks and line breaks are for the reader. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(/\s+/g, ''), 'hex');
}

export function join(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

function bigEndian(width: number, value: number | bigint): Buffer {
  const digits = BigInt.asUintN(width * 8, BigInt(value)).toString(16);
  return Buffer.from(digits.padStart(width * 2, '0'), 'hex');
}

export const u8 = (value: number): Buffer => bigEndian(1, value);
export const u16 = (value: number): Buffer => bigEndian(2, value);
export const i32 = (value: number): Buffer => bigEndian(4, value);
export const i64 = (value: number | bigint): Buffer => bigEndian(8, value);

/** WIRE-3.6 section 1: a length byte, then the least number of bytes, little-endian; negative takes all eight. */
export function cvlong(value: number | bigint): Buffer {
  const digits: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0n) {
    digits.push(Number(rest & 0xffn));
    rest >>= 8n;
  }
  return Buffer.from([digits.length, ...digits]);
}

/** Section 3b: a short length (-1 = null) and the bytes. */
export function asciiString(value: string | null): Buffer {
  return value === null ? u16(-1) : join(u16(value.length), Buffer.from(value, 'latin1'));
}

/** Section 1: u16 byte length and modified UTF-8. */
export function utf(text: string): Buffer {
  const bytes = Array.from({ length: text.length }, (_, i) => {
    const unit = text.charCodeAt(i);
    if (unit >= 0x01 && unit <= 0x7f) return [unit];
    if (unit <= 0x7ff) return [0xc0 | (unit >> 6), 0x80 | (unit & 0x3f)];
    return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)];
  }).flat();
  return join(u16(bytes.length), Buffer.from(bytes));
}

/** A bool, then what it speaks of. */
export function optional<T>(value: T | null, build: (value: T) => Buffer): Buffer {
  return value === null ? u8(0) : join(u8(1), build(value));
}

// --- addresses (section 2) ---------------------------------------------------------------------------------

export const nullAddress = (): Buffer => u8(0x01);

export function hostBytes(host: string): Buffer {
  if (host === '') return Buffer.alloc(0);
  if (!host.includes(':')) return Buffer.from(host.split('.').map(Number));
  let text = host;
  const embedded = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host);
  if (embedded !== null) {
    const [a = 0, b = 0, c = 0, d = 0] = embedded.slice(2).map(Number);
    text = `${embedded[1] ?? ''}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const words = (side: string): string[] => (side === '' ? [] : side.split(':'));
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return join(...[...front, ...zeros, ...back].map((word) => u16(Number.parseInt(word, 16))));
}

export function physical(host: string, scopeId: number, port: number): Buffer {
  const ip = hostBytes(host);
  return join(u8(ip.length), ip, ip.length === 16 ? i32(scopeId) : Buffer.alloc(0), u16(port));
}

export function address(value: Address | null): Buffer {
  if (value === null) return nullAddress();
  switch (value.kind) {
    case 'uuid': // least significant half first
      return join(u8(0x02), hex(value.uuid.slice(16)), hex(value.uuid.slice(0, 16)));
    case 'ip':
      return join(u8(0x10), physical(value.host, value.scopeId, value.port));
    case 'geode': // most significant half first
      return join(
        u8(0x00),
        u16(2000),
        physical(value.host, value.scopeId, value.port),
        i32(value.viewId),
        hex(value.uuid),
      );
  }
}

/** A short count (-1 = null), then the addresses. */
export function addresses(values: readonly Address[] | null): Buffer {
  return values === null ? u16(-1) : join(u16(values.length), ...values.map(address));
}
