/** A capture file cut into its packets, so that a test can put another one together. */

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** One record of a classic pcap in little-endian byte order, header included. */
export interface Packet {
  readonly bytes: Buffer;
}

export function packetsOf(file: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = FILE_HEADER_BYTES; at < file.length;) {
    const end = at + RECORD_HEADER_BYTES + file.readUInt32LE(at + 8);
    packets.push({ bytes: file.subarray(at, end) });
    at = end;
  }
  return packets;
}

export function fileOf(original: Buffer, packets: readonly Packet[]): Buffer {
  return Buffer.concat([original.subarray(0, FILE_HEADER_BYTES), ...packets.map(({ bytes }) => bytes)]);
}

/** The packet with one byte changed. @param offset negative: from its end */
export function withByte({ bytes }: Packet, offset: number, change: (byte: number) => number): Packet {
  const copy = Buffer.from(bytes);
  const at = offset < 0 ? copy.length + offset : RECORD_HEADER_BYTES + offset;
  copy[at] = change(copy[at] ?? 0);
  return { bytes: copy };
}

/** The packet at another time. */
export function atSecond({ bytes }: Packet, second: number): Packet {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(second, 0);
  return { bytes: copy };
}
