/**
 * Builds JGroups 3.6 bytes straight from the wire reference, so that no test input comes from the encoder
 * under test. Slow and naive on purpose: every function is one line of the document.
 */
import type { Address, Datagram, Header, Message } from '../../../codecs/jgroups/message.ts';

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

function physical(host: string, scopeId: number, port: number): Buffer {
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

// --- headers (sections 4, 5, 8, 9) -------------------------------------------------------------------------

const FC_IDS = { FC: 20, MFC: 44, UFC: 45 } as const;

export function headerBody(header: Header): Buffer {
  switch (header.protocol) {
    case 'TP':
      return asciiString(header.cluster);
    case 'FRAG2':
      return join(cvlong(header.id), i32(header.fragNo), i32(header.numFrags));
    case 'FC':
    case 'MFC':
    case 'UFC':
      return u8(header.type === 'REPLENISH' ? 1 : 2);
    case 'UNICAST3':
      switch (header.type) {
        case 'DATA':
          return join(u8(0), cvlong(header.seqno), u16(header.connId), u8(header.first ? 1 : 0));
        case 'ACK':
          return join(u8(1), cvlong(header.seqno), u16(header.connId), cvlong(header.timestamp));
        case 'SEND_FIRST_SEQNO':
          return join(u8(2), cvlong(header.timestamp));
        case 'XMIT_REQ':
          return u8(3);
        case 'CLOSE':
          return join(u8(4), u16(header.connId));
      }
  }
  throw new Error('the wire builder knows no such header');
}

export function header(value: Header): Buffer {
  const body = headerBody(value);
  switch (value.protocol) {
    case 'TP':
      return join(u16(75), u16(56), body);
    case 'UNICAST3':
      return join(u16(64), u16(107), body);
    case 'FRAG2':
      return join(u16(5), u16(7), body);
    case 'FC':
    case 'MFC':
    case 'UFC':
      return join(u16(FC_IDS[value.protocol]), u16(54), body);
  }
  throw new Error('the wire builder knows no such header');
}

// --- messages and datagrams (sections 3, 4) ----------------------------------------------------------------

export function message(value: Message): Buffer {
  const leading =
    (value.dest === null ? 0 : 1) | (value.src === null ? 0 : 2) | (value.payload === null ? 0 : 4);
  const parts = [u8(leading), u16(value.flags)];
  if (value.dest !== null) parts.push(address(value.dest));
  if (value.src !== null) parts.push(address(value.src));
  parts.push(u16(value.headers.length), ...value.headers.map(header));
  if (value.payload !== null) parts.push(i32(value.payload.length), Buffer.from(value.payload));
  return join(...parts);
}

export function datagram(value: Datagram): Buffer {
  const multicast = value.multicast ? 0x02 : 0;
  if (value.kind === 'single') {
    return join(u16(value.version), u8(multicast), message(value.message));
  }
  return join(
    u16(value.version),
    u8(multicast | 0x01),
    address(value.dest),
    address(value.src),
    asciiString(value.cluster),
    i32(value.messages.length),
    ...value.messages.map(message),
  );
}

/** The value with payloads as hex digits: a Buffer and a Uint8Array of the same bytes are the same value. */
export function comparable(value: Datagram): unknown {
  const plain = (one: Message): unknown => ({
    ...one,
    payload: one.payload === null ? null : Buffer.from(one.payload).toString('hex'),
  });
  return value.kind === 'single'
    ? { ...value, message: plain(value.message) }
    : { ...value, messages: value.messages.map(plain) };
}
