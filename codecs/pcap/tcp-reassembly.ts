/** All TCP streams of a capture, in bounded memory. */
import type { Endpoint } from './endpoint.ts';
import type { CaptureItem } from './item.ts';
import { seconds } from './item.ts';
import { MAX_STREAM_BYTES, MAX_STREAMS, MAX_STREAMS_BYTES } from './limits.ts';
import type { PieceOrigin } from './piece-list.ts';
import { StreamAssembler } from './tcp-stream.ts';
import { TcpFlag } from './transport.ts';
import type { TcpSegment } from './transport.ts';

export class TcpReassembly {
  /** In the order of appearance, but for those that were spared by `#evict`. */
  readonly #streams = new Map<string, StreamAssembler>();
  /** Streams with a hole, that which opened longest ago first. */
  readonly #holed = new Set<StreamAssembler>();
  #held = 0;
  #ids = 0;
  #last: PieceOrigin = { n: 0, sec: 0, nsec: 0 };

  /** Bytes held behind holes, overhead included. */
  get heldBytes(): number {
    return this.#held;
  }

  segment(from: Endpoint, to: Endpoint, segment: TcpSegment, time: PieceOrigin, out: CaptureItem[]): void {
    const { n, sec, nsec } = time;
    // A copy: held segments keep it, and the frame is a view of a chunk that should not be kept alive.
    const origin = { n, sec, nsec };
    this.#last = origin;
    const now = seconds(origin);
    const { flags } = segment;
    if ((flags & TcpFlag.ACK) !== 0) {
      const reverse = this.#streams.get(`${to.text}>${from.text}`);
      if (reverse !== undefined && !reverse.ended) {
        reverse.acknowledged(segment.ack);
        if (reverse.hasHole) this.#account(reverse, () => reverse.review(origin, now, out));
      }
    }
    const stream = this.#streamOf(from, to, segment, origin, out);
    if (stream !== null) this.#take(stream, segment, origin, now, out);
    if ((flags & TcpFlag.RST) !== 0) this.#reset(from, to, origin, out);
  }

  /** Gives out what is held behind holes, and ends all streams. */
  end(out: CaptureItem[]): void {
    for (const stream of this.#streams.values()) stream.end('end', this.#last, out);
    this.#streams.clear();
    this.#holed.clear();
    this.#held = 0;
  }

  /** The stream that a segment belongs to; null if it has nothing to say about one. */
  #streamOf(
    from: Endpoint,
    to: Endpoint,
    segment: TcpSegment,
    origin: PieceOrigin,
    out: CaptureItem[],
  ): StreamAssembler | null {
    const key = `${from.text}>${to.text}`;
    const known = this.#streams.get(key);
    const syn = (segment.flags & TcpFlag.SYN) !== 0;
    const startSeq = syn ? (segment.seq + 1) >>> 0 : segment.seq;
    if (known !== undefined) {
      known.recent = true;
      if (!syn || known.startSeq === startSeq) return known.ended ? null : known;
      this.#account(known, () => known.end('reused', origin, out));
      this.#streams.delete(key);
    } else if (!syn && segment.payload.length + segment.missing === 0) {
      return null; // a bare acknowledgement, FIN or RST of a stream that was not seen
    }
    this.#evict(origin, out);
    const stream = new StreamAssembler(++this.#ids, key, from, to, startSeq, syn);
    this.#streams.set(key, stream);
    return stream;
  }

  #take(
    stream: StreamAssembler,
    segment: TcpSegment,
    origin: PieceOrigin,
    now: number,
    out: CaptureItem[],
  ): void {
    const { payload, missing, flags } = segment;
    const fin = (flags & TcpFlag.FIN) !== 0;
    if (payload.length + missing === 0 && !fin) return;
    const seq = (flags & TcpFlag.SYN) !== 0 ? (segment.seq + 1) >>> 0 : segment.seq;
    const before = stream.heldCost;
    stream.data(seq, payload, missing, fin, origin, now, out);
    if (stream.hasHole) stream.review(origin, now, out);
    while (stream.heldCost > MAX_STREAM_BYTES) stream.skipHole(origin, now, out);
    this.#settle(stream, before);
    while (this.#held > MAX_STREAMS_BYTES) {
      const [oldest] = this.#holed;
      if (oldest === undefined) return;
      this.#account(oldest, () => oldest.skipHole(origin, now, out));
    }
  }

  /** A reset ends both directions; what they hold is given out all the same. */
  #reset(from: Endpoint, to: Endpoint, origin: PieceOrigin, out: CaptureItem[]): void {
    for (const key of [`${from.text}>${to.text}`, `${to.text}>${from.text}`]) {
      const stream = this.#streams.get(key);
      if (stream !== undefined) this.#account(stream, () => stream.end('reset', origin, out));
    }
  }

  /** Makes room for one more: the oldest goes that was not used since the last look. */
  #evict(origin: PieceOrigin, out: CaptureItem[]): void {
    if (this.#streams.size < MAX_STREAMS) return;
    for (const [key, stream] of this.#streams) {
      this.#streams.delete(key);
      if (stream.recent && !stream.ended) {
        stream.recent = false;
        this.#streams.set(key, stream);
        continue;
      }
      this.#account(stream, () => stream.end('forgotten', origin, out));
      return;
    }
  }

  #account(stream: StreamAssembler, change: () => void): void {
    const before = stream.heldCost;
    change();
    this.#settle(stream, before);
  }

  #settle(stream: StreamAssembler, before: number): void {
    this.#held += stream.heldCost - before;
    if (stream.hasHole) this.#holed.add(stream);
    else if (this.#holed.size > 0) this.#holed.delete(stream);
  }
}
