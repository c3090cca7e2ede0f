/** Capture files of either format, from a stream. */
import { CodecError, TruncatedError } from '../bytes/errors.ts';
import { ChunkQueue } from './chunk-queue.ts';
import { isPcapMagic, PcapParser } from './pcap.ts';
import { PCAPNG_MAGIC, PcapngParser } from './pcapng.ts';
import type { CaptureRecord, RecordParser } from './record.ts';

/** Other files that people take for captures, by their first bytes. */
const OTHERS: readonly (readonly [prefix: string, what: string])[] = [
  ['1f8b', 'is compressed with gzip: decompress it first'],
  ['28b52ffd', 'is compressed with zstd: decompress it first'],
  ['fd377a58', 'is compressed with xz: decompress it first'],
  ['34cdb2a1', 'is a pcap of the patched kind (Kuznetzov), which is not supported'],
  ['a1b2cd34', 'is a pcap of the patched kind (Kuznetzov), which is not supported'],
  ['736e6f6f', 'is a snoop capture, which is not supported'],
];

/**
 * Splits a pcap or pcapng file into frames as its bytes arrive. Memory is bounded by one frame.
 *
 *     const reader = new PcapReader();
 *     for await (const chunk of createReadStream(file)) for (const record of reader.push(chunk)) ...
 *     for (const record of reader.end()) ...
 *
 * Frames are views of the pushed chunks: a chunk must not be written to while its frames are in use.
 */
export class PcapReader {
  readonly #queue = new ChunkQueue();
  #parser: RecordParser | null = null;
  #failed = false;
  #frames = 0;

  /** Null before the first four bytes have come. */
  get format(): 'pcap' | 'pcapng' | null {
    return this.#parser?.format ?? null;
  }

  /** True after a fatal record: everything pushed from then on is ignored. */
  get failed(): boolean {
    return this.#failed;
  }

  /** The records that these bytes complete. Never throws for what a file holds. */
  push(bytes: Uint8Array): CaptureRecord[] {
    const records: CaptureRecord[] = [];
    if (this.#failed) return records;
    this.#queue.push(bytes);
    try {
      this.#parser ??= this.#detect();
      if (this.#parser === null) return records;
      for (let record = this.#parser.next(); record !== null; record = this.#parser.next()) {
        if (record.kind === 'frame') this.#frames = record.n;
        records.push(record);
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      records.push(this.#fail(error));
    }
    return records;
  }

  /** To be called once, after the last byte: a file that ends within a record gives a last, fatal record. */
  end(): CaptureRecord[] {
    if (this.#failed || this.#parser?.complete === true) return [];
    const { position, available } = this.#queue;
    const field = this.#parser === null ? 'file header' : 'record';
    return [this.#fail(new TruncatedError(position, field, available + 1, available))];
  }

  #detect(): RecordParser | null {
    const queue = this.#queue;
    if (!queue.ensure(4)) return null;
    const magic = queue.buffer.readUInt32BE(queue.offset);
    if (magic === PCAPNG_MAGIC) return new PcapngParser(queue);
    if (isPcapMagic(magic)) return new PcapParser(queue, magic);
    const digits = magic.toString(16).padStart(8, '0');
    const known = OTHERS.find(([prefix]) => digits.startsWith(prefix));
    throw new CodecError('ERR_VALUE', 0, 'magic', known?.[1] ?? `${digits} is neither pcap's nor pcapng's`);
  }

  #fail(error: CodecError): CaptureRecord {
    this.#failed = true;
    return { kind: 'bad', n: this.#frames, error, fatal: true };
  }
}
