/** The classic capture format: a 24-byte file header, then 16 bytes before each packet, in the writer's byte order. */
import { CodecError } from '../bytes/errors.ts';
import type { ChunkQueue } from './chunk-queue.ts';
import { MAX_FRAME_BYTES } from './limits.ts';
import type { CaptureRecord, RecordParser } from './record.ts';

const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;

interface Variant {
  readonly littleEndian: boolean;
  /** Units of the sub-second field in a second. */
  readonly unitsPerSecond: 1_000_000 | 1_000_000_000;
}

/** The first four bytes, read big-endian. */
const VARIANTS: ReadonlyMap<number, Variant> = new Map([
  [0xa1b2c3d4, { littleEndian: false, unitsPerSecond: 1_000_000 }],
  [0xd4c3b2a1, { littleEndian: true, unitsPerSecond: 1_000_000 }],
  [0xa1b23c4d, { littleEndian: false, unitsPerSecond: 1_000_000_000 }],
  [0x4d3cb2a1, { littleEndian: true, unitsPerSecond: 1_000_000_000 }],
]);

export function isPcapMagic(magic: number): boolean {
  return VARIANTS.has(magic);
}

export class PcapParser implements RecordParser {
  readonly format = 'pcap';
  readonly #queue: ChunkQueue;
  readonly #littleEndian: boolean;
  readonly #unitsPerSecond: number;
  readonly #nanosPerUnit: number;
  #linkType: number | null = null;
  #frames = 0;

  /** @param magic the first four bytes, big-endian; `isPcapMagic` holds */
  constructor(queue: ChunkQueue, magic: number) {
    const variant = VARIANTS.get(magic);
    if (variant === undefined) throw new CodecError('ERR_VALUE', 0, 'magic', 'is not that of a pcap file');
    this.#queue = queue;
    this.#littleEndian = variant.littleEndian;
    this.#unitsPerSecond = variant.unitsPerSecond;
    this.#nanosPerUnit = 1_000_000_000 / variant.unitsPerSecond;
  }

  get complete(): boolean {
    return this.#linkType !== null && this.#queue.available === 0;
  }

  next(): CaptureRecord | null {
    const linkType = this.#linkType ?? this.#readFileHeader();
    const queue = this.#queue;
    if (linkType === null || !queue.ensure(PACKET_HEADER_BYTES)) return null;
    const captured = this.#u32(8);
    if (captured > MAX_FRAME_BYTES) {
      throw new CodecError(
        'ERR_LIMIT',
        queue.position + 8,
        'captured length',
        `${captured} is over the limit of ${MAX_FRAME_BYTES}: no packet header stands here`,
      );
    }
    if (!queue.ensure(PACKET_HEADER_BYTES + captured)) return null;
    let sec = this.#u32(0);
    let units = this.#u32(4);
    if (units >= this.#unitsPerSecond) {
      sec += Math.floor(units / this.#unitsPerSecond);
      units %= this.#unitsPerSecond;
    }
    const original = this.#u32(12);
    const start = queue.offset + PACKET_HEADER_BYTES;
    const bytes = queue.buffer.subarray(start, start + captured);
    queue.skip(PACKET_HEADER_BYTES + captured);
    this.#frames++;
    return {
      kind: 'frame',
      n: this.#frames,
      sec,
      nsec: units * this.#nanosPerUnit,
      linkType,
      bytes,
      originalLength: Math.max(original, captured),
    };
  }

  #readFileHeader(): number | null {
    const queue = this.#queue;
    if (!queue.ensure(FILE_HEADER_BYTES)) return null;
    const at = queue.offset + 4;
    const major = this.#littleEndian ? queue.buffer.readUInt16LE(at) : queue.buffer.readUInt16BE(at);
    if (major !== 2) throw new CodecError('ERR_VERSION', 4, 'version', `pcap ${major} is unknown`);
    // The upper bits of the field tell the length of a frame check sequence; IP's own lengths leave it out.
    const linkType = this.#u32(20) & 0xffff;
    this.#linkType = linkType;
    queue.skip(FILE_HEADER_BYTES);
    return linkType;
  }

  #u32(at: number): number {
    const { buffer, offset } = this.#queue;
    return this.#littleEndian ? buffer.readUInt32LE(offset + at) : buffer.readUInt32BE(offset + at);
  }
}
