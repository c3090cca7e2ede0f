import { CaptureReader } from '../../codecs/pcap/index.ts';
import type { CaptureItem, ErrorItem, UdpItem } from '../../codecs/pcap/index.ts';
import { rawProbe } from '../../codecs/jgroups/registry.ts';
import { appendDatagram, errorRecord, looksLikeDatagram, versionError } from './datagram-records.ts';
import type { CaptureRecord, ErrorRecord, Skipped } from './record.ts';
import { RecordValues } from './record-values.ts';
import { serviceOf, SkipCounter } from './skip-counter.ts';
import { TcpStreams } from './tcp-streams.ts';

/**
 * A capture file as messages, from a stream of its bytes. Memory is bounded whatever the file holds, and nothing that
 * a file holds makes it throw: what does not decode is a record of kind `error`, what is none of ours is counted.
 *
 *     const capture = new CaptureRecords();
 *     for await (const chunk of createReadStream(file)) for (const record of capture.push(chunk)) ...
 *     for (const record of capture.end()) ...
 *     for (const [what, count] of capture.skipped.counts) ...
 *
 * Push chunks of moderate size (64 KiB to 1 MiB), which must not be written to while their records are in use.
 */
export class CaptureRecords {
  readonly #reader = new CaptureReader();
  readonly #values = new RecordValues();
  readonly #skipped = new SkipCounter();
  readonly #streams = new TcpStreams(this.#values, this.#skipped);
  #failure: string | null = null;

  /** Null before the first four bytes have come, and for what is no capture file. */
  get format(): 'pcap' | 'pcapng' | null {
    return this.#reader.format;
  }

  /** Frames read so far. */
  get frames(): number {
    return this.#reader.frames;
  }

  /** Why the rest of the file cannot be read; null while it can. With no frames read, it is no capture at all. */
  get failure(): string | null {
    return this.#failure;
  }

  /** What was no message so far, in words. */
  get skipped(): Skipped {
    return this.#skipped;
  }

  push(bytes: Uint8Array): CaptureRecord[] {
    return this.#records(this.#reader.push(bytes));
  }

  /** To be called once, after the last byte. */
  end(): CaptureRecord[] {
    return this.#records(this.#reader.end());
  }

  #records(items: readonly CaptureItem[]): CaptureRecord[] {
    const out: CaptureRecord[] = [];
    for (const item of items) this.#take(item, out);
    return out;
  }

  #take(item: CaptureItem, out: CaptureRecord[]): void {
    switch (item.kind) {
      case 'udp':
        this.#datagram(item, out);
        break;
      case 'tcp':
      case 'tcp-gap':
      case 'tcp-end':
        this.#streams.take(item, out);
        break;
      case 'incomplete':
        this.#skipped.add('UDP datagrams of which IP fragments are missing');
        break;
      case 'other':
        this.#skipped.packet(item.what);
        break;
      case 'error':
        this.#broken(item, out);
    }
  }

  #datagram({ n, sec, nsec, from, to, payload }: UdpItem, out: CaptureRecord[]): void {
    const origin = { n, sec, nsec, transport: 'udp', from: from.text, to: to.text } as const;
    const looks = looksLikeDatagram(payload);
    if (looks === 'known') {
      const before = out.length;
      appendDatagram(payload, origin, this.#values, out);
      // a query to a name server may begin like JGroups by chance, and then nothing in it makes sense
      if (out.length !== before + 1 || out[before]?.kind !== 'error') return;
      if (serviceOf(from.port) === undefined && serviceOf(to.port) === undefined) return;
      out.pop();
    } else if (looks === 'foreign-version' && serviceOf(from.port) === undefined) {
      if (serviceOf(to.port) === undefined) {
        out.push(errorRecord(origin, versionError(payload.readUInt16BE(0), 0, 'version')));
        return;
      }
    } else {
      const raw = rawProbe(payload);
      if (raw !== null) {
        out.push({ kind: 'raw', ...origin, ts: sec + nsec / 1e9, raw, length: payload.length });
        return;
      }
    }
    this.#skipped.datagram(from.port, to.port);
  }

  #broken(item: ErrorItem, out: CaptureRecord[]): void {
    const { n, sec, nsec, packet } = item;
    if (item.fatal) this.#failure = item.error.message;
    if (packet !== null && !this.#concernsUs(packet)) {
      this.#skipped.add('other packets that were cut off');
      return;
    }
    const { code, offset, field } = item.error;
    const where = packet === null ? NOWHERE : named(packet);
    out.push({ kind: 'error', n, ts: sec + nsec / 1e9, sec, nsec, ...where, error: { code, offset, field } });
  }

  /** A part of a message, or of what may be one, for all that is known. */
  #concernsUs({ transport, from, to, payload }: NonNullable<ErrorItem['packet']>): boolean {
    if (transport === 'tcp') return !this.#streams.isForeign(from, to);
    if (serviceOf(from.port) !== undefined || serviceOf(to.port) !== undefined) return false;
    return payload.length < 2 || looksLikeDatagram(payload) !== 'no';
  }
}

type Where = Pick<ErrorRecord, 'transport' | 'from' | 'to'>;

const NOWHERE: Where = { transport: null, from: null, to: null };

function named({ transport, from, to }: NonNullable<ErrorItem['packet']>): Where {
  return { transport, from: from.text, to: to.text };
}
