/**
 * Writes the blocks of a pcapng file (draft-ietf-opsawg-pcapng): one section of one interface, little-endian, with
 * times in microseconds. Packet blocks are written into the caller's buffer, for they are many; the others are few.
 */

const Block = { SECTION: 0x0a0d0d0a, INTERFACE: 1, STATISTICS: 5, ENHANCED_PACKET: 6 } as const;

const Option = {
  END: 0,
  COMMENT: 1,
  APPLICATION: 4,
  INTERFACE_NAME: 2,
  PACKET_FLAGS: 2,
  TIME_RESOLUTION: 9,
  STATISTICS_END_TIME: 3,
  RECEIVED: 4,
  DROPPED: 5,
} as const;

const MICROSECONDS = Uint8Array.of(6);

/** Bits 0 and 1 of a packet's flags. */
const Direction = { IN: 1, OUT: 2 } as const;

/** Type and length, then interface, time and both lengths of the packet. */
const PACKET_HEAD_BYTES = 28;
/** The flags option, the end of the options, the length again. */
const PACKET_TAIL_BYTES = 16;

export interface SectionOptions {
  readonly application: string;
  readonly comment: string;
}

/** The section's head; a file may hold several sections one after the other. */
export function encodeSection({ application, comment }: SectionOptions): Buffer {
  const fixed = Buffer.alloc(16, 0xff); // the section's length is not known: -1
  fixed.writeUInt32LE(0x1a2b3c4d, 0);
  fixed.writeUInt16LE(1, 4);
  fixed.writeUInt16LE(0, 6);
  const options = [text(Option.COMMENT, comment), text(Option.APPLICATION, application)];
  return block(Block.SECTION, fixed, options);
}

/** @param linkType number of the tcpdump registry */
export function encodeInterface(linkType: number, name: string): Buffer {
  const fixed = Buffer.alloc(8); // snap length 0: packets are whole
  fixed.writeUInt16LE(linkType, 0);
  const options = [text(Option.INTERFACE_NAME, name), option(Option.TIME_RESOLUTION, MICROSECONDS)];
  return block(Block.INTERFACE, fixed, options);
}

/** What `encodeStatistics` takes. */
export const STATISTICS_BYTES = 12 + 12 + 3 * 12 + 4;

/** To be written last: how many packets there were, and how many of them the file does not have. */
export function encodeStatistics(timeMicros: number, received: number, dropped: number): Buffer {
  const fixed = Buffer.alloc(12);
  writeTime(fixed, 4, timeMicros);
  const end = Buffer.alloc(8);
  writeTime(end, 0, timeMicros);
  const options = [
    option(Option.STATISTICS_END_TIME, end),
    option(Option.RECEIVED, u64(received)),
    option(Option.DROPPED, u64(dropped)),
  ];
  return block(Block.STATISTICS, fixed, options);
}

/** What a packet takes as a block. */
export function packetBlockBytes(packetBytes: number): number {
  return PACKET_HEAD_BYTES + padded(packetBytes) + PACKET_TAIL_BYTES;
}

/**
 * Everything of a packet's block but the packet itself, which the caller writes at the offset that is returned.
 * @param timeMicros since the epoch, whole
 */
export function writePacketBlock(
  target: Buffer,
  offset: number,
  packetBytes: number,
  timeMicros: number,
  outgoing: boolean,
): number {
  const length = packetBlockBytes(packetBytes);
  target.writeUInt32LE(Block.ENHANCED_PACKET, offset);
  target.writeUInt32LE(length, offset + 4);
  target.writeUInt32LE(0, offset + 8);
  writeTime(target, offset + 12, timeMicros);
  target.writeUInt32LE(packetBytes, offset + 20);
  target.writeUInt32LE(packetBytes, offset + 24);
  const tail = offset + length - PACKET_TAIL_BYTES;
  target.fill(0, offset + PACKET_HEAD_BYTES + packetBytes, tail);
  target.writeUInt16LE(Option.PACKET_FLAGS, tail);
  target.writeUInt16LE(4, tail + 2);
  target.writeUInt32LE(outgoing ? Direction.OUT : Direction.IN, tail + 4);
  target.writeUInt32LE(Option.END, tail + 8);
  target.writeUInt32LE(length, tail + 12);
  return offset + PACKET_HEAD_BYTES;
}

/** A 64-bit time is written as two halves, the higher one first, in either byte order. */
function writeTime(target: Buffer, offset: number, timeMicros: number): void {
  target.writeUInt32LE(Math.floor(timeMicros / 0x1_0000_0000), offset);
  target.writeUInt32LE(timeMicros % 0x1_0000_0000, offset + 4);
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function block(type: number, fixed: Buffer, options: readonly Buffer[]): Buffer {
  const end = Buffer.alloc(4); // of the options
  const length = 12 + fixed.length + options.reduce((sum, { length }) => sum + length, 0) + end.length;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, fixed, ...options, end, head.subarray(4)]);
}

function text(code: number, value: string): Buffer {
  return option(code, Buffer.from(value));
}

function option(code: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + padded(value.length));
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt16LE(value.length, 2);
  bytes.set(value, 4);
  return bytes;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
