/** What the TCP streams of a capture say: each direction is told by its first bytes, and by what the other one is. */

import type { Endpoint, TcpEndItem, TcpGapItem, TcpItem } from '../../codecs/pcap/index.ts';
import type { Origin } from './decoded-message.ts';
import type { CaptureRecord } from './record.ts';
import type { RecordValues } from './record-values.ts';
import type { SkipCounter } from './skip-counter.ts';
import { StreamReader } from './stream-reader.ts';

/** As many as the reassembly below knows. */
const MAX_STREAMS = 16_384;

type StreamItem = TcpItem | TcpGapItem | TcpEndItem;

export class TcpStreams {
  readonly #values: RecordValues;
  readonly #skipped: SkipCounter;
  /** By direction, `from>to`; one that has ended stays until it is needed no more. */
  readonly #streams = new Map<string, StreamReader>();

  constructor(values: RecordValues, skipped: SkipCounter) {
    this.#values = values;
    this.#skipped = skipped;
  }

  take(item: StreamItem, out: CaptureRecord[]): void {
    const { stream, n, sec, nsec } = item;
    const origin: Origin = { n, sec, nsec, transport: 'tcp', from: stream.from.text, to: stream.to.text };
    const reader = this.#readerOf(item);
    if (item.kind === 'tcp') reader.push(item.payload, origin, out);
    else if (item.kind === 'tcp-gap') reader.gap(item.length, origin, out);
    else reader.end(origin, out);
  }

  /** Whether a direction is known to be none of the protocols that are read here. */
  isForeign(from: Endpoint, to: Endpoint): boolean {
    return this.#streams.get(`${from.text}>${to.text}`)?.isForeign === true;
  }

  #readerOf({ stream, kind }: StreamItem): StreamReader {
    const key = `${stream.from.text}>${stream.to.text}`;
    const known = this.#streams.get(key);
    if (known?.id === stream.id) return known;
    const reverse = this.#streams.get(`${stream.to.text}>${stream.from.text}`);
    // the other direction of an earlier connection has had its partner, and has ended
    const peer = reverse !== undefined && (!reverse.hasEnded || reverse.peer === null) ? reverse : null;
    const fromStart = stream.fromStart && kind !== 'tcp-gap';
    const reader = new StreamReader(stream.id, fromStart, peer, this.#values, this.#skipped);
    this.#streams.delete(key);
    if (this.#streams.size >= MAX_STREAMS) this.#forgetOne();
    this.#streams.set(key, reader);
    return reader;
  }

  #forgetOne(): void {
    for (const key of this.#streams.keys()) {
      this.#streams.delete(key);
      return;
    }
  }
}
