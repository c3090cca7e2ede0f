import type { CaptureItem } from './item.ts';
import { PacketDecoder } from './packet-decoder.ts';
import { PcapReader } from './pcap-reader.ts';
import type { CaptureRecord } from './record.ts';

/**
 * A capture file as UDP datagrams and TCP stream bytes, from a stream of its bytes. Memory is bounded whatever the
 * file holds (limits.ts), and nothing that a file holds makes it throw: what is wrong is an item of kind `error`.
 *
 *     const reader = new CaptureReader();
 *     for await (const chunk of createReadStream(file)) for (const item of reader.push(chunk)) ...
 *     for (const item of reader.end()) ...
 *
 * Payloads are views of the pushed chunks where they can be: use or copy them before a chunk is written to again.
 * Push chunks of moderate size (64 KiB to 1 MiB): the items of one chunk are returned as one array.
 */
export class CaptureReader {
  readonly #reader = new PcapReader();
  readonly #decoder = new PacketDecoder();
  #frames = 0;
  // An error of the file has no time of its own; it gets that of the frame before it.
  #sec = 0;
  #nsec = 0;

  /** Null before the first four bytes have come. */
  get format(): 'pcap' | 'pcapng' | null {
    return this.#reader.format;
  }

  /** Frames read so far. */
  get frames(): number {
    return this.#frames;
  }

  push(bytes: Uint8Array): CaptureItem[] {
    const items: CaptureItem[] = [];
    this.#decode(this.#reader.push(bytes), items);
    return items;
  }

  /** To be called once, after the last byte. */
  end(): CaptureItem[] {
    const items: CaptureItem[] = [];
    this.#decode(this.#reader.end(), items);
    this.#decoder.end(items);
    return items;
  }

  #decode(records: readonly CaptureRecord[], items: CaptureItem[]): void {
    for (const record of records) {
      if (record.kind === 'frame') {
        this.#frames++;
        this.#sec = record.sec;
        this.#nsec = record.nsec;
        this.#decoder.decode(record, items);
      } else {
        const { n, error, fatal } = record;
        const [sec, nsec] = [this.#sec, this.#nsec];
        const what = { inFile: true, cut: false, fatal, packet: null };
        items.push({ kind: 'error', n, sec, nsec, error, ...what });
      }
    }
  }
}
