/**
 * The pcapng format: blocks of a type and a length, in sections that each have a byte order and interfaces of
 * their own (draft-ietf-opsawg-pcapng). Packets come from enhanced, simple and obsolete packet blocks; every
 * other block is skipped without being held.
 */
import { CodecError } from '../bytes/errors.ts';
import type { ChunkQueue } from './chunk-queue.ts';
import { MAX_BLOCK_BYTES, MAX_FRAME_BYTES, MAX_INTERFACES } from './limits.ts';
import { readInterface } from './pcapng-interface.ts';
import type { CaptureInterface } from './pcapng-interface.ts';
import { BlockReader } from './pcapng-reader.ts';
import type { CaptureRecord, Frame, RecordParser } from './record.ts';

const Block = {
  SECTION: 0x0a0d0d0a,
  INTERFACE: 1,
  PACKET: 2, // obsolete
  SIMPLE_PACKET: 3,
  ENHANCED_PACKET: 6,
} as const;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Type, length, and the length again behind the body. */
const MIN_BLOCK_BYTES = 12;

export const PCAPNG_MAGIC = Block.SECTION;

export class PcapngParser implements RecordParser {
  readonly format = 'pcapng';
  readonly #queue: ChunkQueue;
  #littleEndian = false;
  #interfaces: CaptureInterface[] = [];
  #frames = 0;
  /** Bytes of a skipped block that have not come yet, without the length behind them. */
  #skipping = 0;
  /** The length that must stand behind the skipped block; 0: none is being skipped. */
  #skippedLength = 0;
  // A simple packet block has no time; it gets that of the packet before it.
  #sec = 0;
  #nsec = 0;

  constructor(queue: ChunkQueue) {
    this.#queue = queue;
  }

  get complete(): boolean {
    return this.#skippedLength === 0 && this.#queue.available === 0;
  }

  next(): CaptureRecord | null {
    for (;;) {
      if (this.#skippedLength !== 0 && !this.#skipOn()) return null;
      if (!this.#queue.ensure(MIN_BLOCK_BYTES)) return null;
      const type = this.#u32(0);
      if (type === Block.SECTION) this.#readByteOrder();
      const length = this.#u32(4);
      if (length < MIN_BLOCK_BYTES || length % 4 !== 0) {
        throw new CodecError('ERR_VALUE', this.#queue.position + 4, 'block length', `${length} cannot be`);
      }
      if (!isRead(type)) {
        this.#skipping = length - 4;
        this.#skippedLength = length;
        continue;
      }
      if (length > MAX_BLOCK_BYTES) {
        const detail = `${length} is over the limit of ${MAX_BLOCK_BYTES}`;
        throw new CodecError('ERR_LIMIT', this.#queue.position + 4, 'block length', detail);
      }
      if (!this.#queue.ensure(length)) return null;
      const record = this.#readBlock(type, length);
      if (record !== null) return record;
    }
  }

  /** False where more bytes are needed. */
  #skipOn(): boolean {
    this.#skipping -= this.#queue.skip(this.#skipping);
    if (this.#skipping > 0 || !this.#queue.ensure(4)) return false;
    this.#checkTrailer(0, this.#skippedLength);
    this.#queue.skip(4);
    this.#skippedLength = 0;
    return true;
  }

  #readByteOrder(): void {
    const { buffer, offset, position } = this.#queue;
    const magic = buffer.readUInt32BE(offset + 8);
    if (magic === BYTE_ORDER_MAGIC) this.#littleEndian = false;
    else if (buffer.readUInt32LE(offset + 8) === BYTE_ORDER_MAGIC) this.#littleEndian = true;
    else throw new CodecError('ERR_VALUE', position + 8, 'byte-order magic', `${magic.toString(16)} is none`);
  }

  #checkTrailer(at: number, length: number): void {
    const again = this.#u32(at);
    if (again === length) return;
    throw new CodecError(
      'ERR_VALUE',
      this.#queue.position + at,
      'block length',
      `${again} behind the block, ${length} before it`,
    );
  }

  #readBlock(type: number, length: number): CaptureRecord | null {
    this.#checkTrailer(length - 4, length);
    const { buffer, offset, position } = this.#queue;
    const block = new BlockReader(buffer, offset, offset + length - 4, position, this.#littleEndian);
    block.offset += 8;
    this.#queue.skip(length);
    try {
      switch (type) {
        case Block.SECTION:
          this.#readSection(block);
          return null;
        case Block.INTERFACE:
          this.#readInterface(block);
          return null;
        case Block.SIMPLE_PACKET:
          this.#frames++;
          return this.#simplePacket(block);
        default:
          this.#frames++;
          return this.#packet(block, type === Block.PACKET);
      }
    } catch (error) {
      // The block's length is sound, so the next block can be found. A section is another matter.
      if (!(error instanceof CodecError) || type === Block.SECTION) throw error;
      return { kind: 'bad', n: this.#frames, error, fatal: false };
    }
  }

  #readSection(block: BlockReader): void {
    block.u32('byte-order magic');
    const at = block.position;
    const major = block.u16('major version');
    if (major !== 1) throw new CodecError('ERR_VERSION', at, 'major version', `pcapng ${major} is unknown`);
    this.#interfaces = [];
  }

  #readInterface(block: BlockReader): void {
    if (this.#interfaces.length >= MAX_INTERFACES) {
      throw new CodecError('ERR_LIMIT', block.position, 'interfaces', `are over ${MAX_INTERFACES}`);
    }
    const { description, error } = readInterface(block);
    // Even with bad options it has its number, by which packets name it.
    this.#interfaces.push(description);
    if (error !== null) throw error;
  }

  #packet(block: BlockReader, obsolete: boolean): Frame {
    const at = block.position;
    const id = obsolete ? block.u16('interface id') : block.u32('interface id');
    if (obsolete) block.u16('drops count');
    const from = this.#interface(id, at);
    const high = block.u32('timestamp');
    const low = block.u32('timestamp');
    from.clock.read(high, low);
    this.#sec = from.clock.sec;
    this.#nsec = from.clock.nsec;
    const captured = block.u32('captured length');
    const original = block.u32('original length');
    return this.#frame(from.linkType, block, captured, original);
  }

  #simplePacket(block: BlockReader): Frame {
    const from = this.#interface(0, block.position);
    const original = block.u32('original length');
    const cut = from.snapLength === 0 ? original : Math.min(original, from.snapLength);
    // The block is padded to four bytes, so only the snap length tells where a cut packet ends.
    return this.#frame(from.linkType, block, cut, original);
  }

  #frame(linkType: number, block: BlockReader, captured: number, original: number): Frame {
    if (captured > MAX_FRAME_BYTES) {
      const detail = `${captured} is over the limit of ${MAX_FRAME_BYTES}`;
      throw new CodecError('ERR_LIMIT', block.position, 'captured length', detail);
    }
    return {
      kind: 'frame',
      n: this.#frames,
      sec: this.#sec,
      nsec: this.#nsec,
      linkType,
      bytes: block.bytes(captured, 'packet data'),
      originalLength: Math.max(original, captured),
    };
  }

  #interface(id: number, at: number): CaptureInterface {
    const found = this.#interfaces[id];
    if (found !== undefined) return found;
    throw new CodecError('ERR_VALUE', at, 'interface id', `the section has no interface ${id}`);
  }

  #u32(at: number): number {
    const { buffer, offset } = this.#queue;
    return this.#littleEndian ? buffer.readUInt32LE(offset + at) : buffer.readUInt32BE(offset + at);
  }
}

function isRead(type: number): boolean {
  return (
    type === Block.ENHANCED_PACKET ||
    type === Block.SECTION ||
    type === Block.INTERFACE ||
    type === Block.SIMPLE_PACKET ||
    type === Block.PACKET
  );
}
