import { CodecError } from '../../../codecs/bytes/errors.ts';
import type { Address, Datagram, Message } from '../../../codecs/jgroups/message.ts';
import type { AnyDatagram } from '../../../codecs/jgroups/registry.ts';
import { decodeAnyDatagram, rawProbe } from '../../../codecs/jgroups/registry.ts';
import { TcpFrameDecoder, type TcpFrameItem } from '../../../codecs/jgroups/tcp-framing.ts';
import {
  type CaptureItem,
  CaptureReader,
  type Endpoint,
  type ErrorItem,
} from '../../../codecs/pcap/index.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { looksLikeDatagram, versionError } from '../datagram-records.ts';
import { serviceOf } from '../skip-counter.ts';

const OPAQUE = { unknownHeaders: 'opaque' } as const;

/** What is said of a broken file; the rest is only counted. */
const MAX_COMPLAINTS = 10;

/** One datagram of JGroups in a capture, or one of Geode's raw probes. */
export interface CapturedDatagram {
  /** From 0, among those of the capture. */
  readonly index: number;
  /** Number of its frame in the file. */
  readonly n: number;
  /** Milliseconds since the epoch, with their fraction. */
  readonly timeMs: number;
  readonly transport: 'udp' | 'tcp';
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** A view of the capture's bytes. */
  readonly bytes: Buffer;
  /** Null for a probe, and for what does not decode. */
  readonly datagram: AnyDatagram | null;
  readonly raw: 'ping' | 'pong' | null;
  /** What is wrong with it, if it looks like JGroups and does not decode. */
  readonly error: CodecError | null;
}

type Where = Pick<CapturedDatagram, 'n' | 'timeMs' | 'transport' | 'from' | 'to'>;

/** The datagrams of a capture file, from a stream of its bytes. What is not JGroups is passed over. */
export class DatagramReader {
  readonly #reader = new CaptureReader();
  readonly #streams = new Map<number, TcpFrameDecoder>();
  readonly #complaints: string[] = [];
  #broken = 0;
  #count = 0;

  /** Null for what is no capture file. */
  get format(): 'pcap' | 'pcapng' | null {
    return this.#reader.format;
  }

  /** Packets, and parts of the file, that cannot be read. */
  get broken(): number {
    return this.#broken;
  }

  /** In words, the first of them. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  push(bytes: Uint8Array): CapturedDatagram[] {
    return this.#take(this.#reader.push(bytes));
  }

  /** To be called once, after the last byte. */
  end(): CapturedDatagram[] {
    return this.#take(this.#reader.end());
  }

  #take(items: readonly CaptureItem[]): CapturedDatagram[] {
    const out: CapturedDatagram[] = [];
    for (const item of items) this.#item(item, out);
    return out;
  }

  #item(item: CaptureItem, out: CapturedDatagram[]): void {
    switch (item.kind) {
      case 'udp': {
        const { n, from, to, payload } = item;
        const isOther = serviceOf(from.port) !== undefined || serviceOf(to.port) !== undefined;
        this.#datagram({ n, timeMs: timeOf(item), transport: 'udp', from, to }, payload, isOther, out);
        return;
      }
      case 'tcp':
        this.#stream(item, (decoder) => decoder.push(item.payload), out);
        return;
      case 'tcp-gap':
        this.#stream(item, (decoder) => decoder.gap(item.length), out);
        return;
      case 'tcp-end':
        this.#stream(item, (decoder) => decoder.end(), out);
        this.#streams.delete(item.stream.id);
        return;
      case 'error':
        if (isOurs(item)) this.#complain(`frame ${item.n}: ${item.error.message}`);
        return;
      case 'incomplete': // nobody can tell whose it was, and UDP may lose it
      case 'other':
    }
  }

  #complain(what: string): void {
    this.#broken++;
    if (this.#complaints.length < MAX_COMPLAINTS) this.#complaints.push(what);
  }

  /** @param isOther a port is that of another service, so it is JGroups only if it decodes */
  #datagram(where: Where, bytes: Buffer, isOther: boolean, out: CapturedDatagram[]): void {
    const raw = rawProbe(bytes);
    const looks = raw === null ? looksLikeDatagram(bytes) : 'no';
    if (looks === 'no' && raw === null) return;
    const { datagram, error } = looks === 'known' ? decode(bytes) : NOTHING;
    if (looks === 'foreign-version') {
      if (isOther) return;
      this.#push({ ...where, bytes, datagram, raw, error: foreign(bytes) }, out);
    } else if (error === null || !isOther) {
      this.#push({ ...where, bytes, datagram, raw, error }, out);
    }
  }

  #push(item: Omit<CapturedDatagram, 'index'>, out: CapturedDatagram[]): void {
    out.push({ index: this.#count++, ...item });
  }

  #stream(
    item: CaptureItem & { kind: 'tcp' | 'tcp-gap' | 'tcp-end' },
    take: (decoder: TcpFrameDecoder) => TcpFrameItem[],
    out: CapturedDatagram[],
  ): void {
    const { stream, n } = item;
    let decoder = this.#streams.get(stream.id);
    if (decoder === undefined) {
      decoder = new TcpFrameDecoder({ fromStart: stream.fromStart && item.kind === 'tcp' });
      this.#streams.set(stream.id, decoder);
    }
    const { from, to } = stream;
    const where = { n, timeMs: timeOf(item), transport: 'tcp', from, to } as const;
    for (const frame of take(decoder)) {
      if (frame.kind === 'frame')
        this.#push({ ...where, bytes: frame.bytes, raw: null, ...decode(frame.bytes) }, out);
    }
  }
}

/** Whether a broken packet may have been a datagram of JGroups. */
function isOurs({ packet }: ErrorItem): boolean {
  if (packet === null) return true;
  const { transport, from, to, payload } = packet;
  if (transport === 'tcp' || serviceOf(from.port) !== undefined || serviceOf(to.port) !== undefined)
    return false;
  return payload.length < 2 || looksLikeDatagram(payload) !== 'no';
}

function timeOf(item: { readonly sec: number; readonly nsec: number }): number {
  return item.sec * 1000 + item.nsec / 1e6;
}

const NOTHING = { datagram: null, error: null } as const;

function decode(bytes: Buffer): Pick<CapturedDatagram, 'datagram' | 'error'> {
  try {
    return { datagram: decodeAnyDatagram(bytes, OPAQUE), error: null };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { datagram: null, error };
  }
}

function foreign(bytes: Buffer): CodecError {
  return versionError(bytes.readUInt16BE(0), 0, 'version');
}

/** A message with the addresses of the bundle that it was in. */
export interface Addressed {
  readonly message: Message;
  readonly dest: Address | null;
  readonly src: Address | null;
  readonly cluster: string | null;
}

export function messagesOf(datagram: Datagram): Addressed[] {
  if (datagram.kind === 'single') {
    const { message } = datagram;
    return [{ message, dest: message.dest, src: message.src, cluster: clusterOf(message) }];
  }
  return datagram.messages.map((message) => ({
    message,
    dest: message.dest ?? datagram.dest,
    src: message.src ?? datagram.src,
    cluster: datagram.cluster ?? clusterOf(message),
  }));
}

function clusterOf(message: Message): string | null {
  return headerOf(message, 'TP')?.cluster ?? null;
}
