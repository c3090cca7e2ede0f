/** One direction of a TCP connection: segments in any order in, bytes in order out. */
import type { Endpoint } from './endpoint.ts';
import type { CaptureItem, TcpEndReason, TcpStream } from './item.ts';
import { ACKED_HOLE_SECONDS, HOLE_SECONDS, MAX_WINDOW_BYTES } from './limits.ts';
import { PieceList } from './piece-list.ts';
import type { PieceOrigin } from './piece-list.ts';

/** Distance from sequence number `b` to `a`, which may have wrapped: positive if `a` is later. */
export function seqDistance(a: number, b: number): number {
  return (a - b) | 0;
}

export class StreamAssembler {
  readonly stream: TcpStream;
  readonly key: string;
  /** Sequence number of the stream's first byte. */
  readonly startSeq: number;
  ended = false;
  /** For the owner: used again since it last looked. */
  recent = false;
  /** Sequence number of the next byte to give out. */
  #nextSeq: number;
  /** Position of that byte in the stream. */
  #offset = 0;
  /** Segments behind a hole, by position in the stream. */
  readonly #held = new PieceList();
  /** Position at which the stream ends, once a FIN has told. */
  #finOffset = Infinity;
  #holeSince = 0;
  /** Up to where the receiver has acknowledged, as a position; -1: it was not seen to. */
  #acked = -1;

  constructor(id: number, key: string, from: Endpoint, to: Endpoint, startSeq: number, fromStart: boolean) {
    this.stream = { id, from, to, fromStart };
    this.key = key;
    this.startSeq = startSeq;
    this.#nextSeq = startSeq;
  }

  /** Cost of what waits behind a hole. */
  get heldCost(): number {
    return this.#held.cost;
  }

  /** True while bytes are missing before something that is known. */
  get hasHole(): boolean {
    return !this.ended && (!this.#held.empty || this.#finOffset < Infinity);
  }

  /** Takes a segment's payload (with `missing` more bytes that the capture cut off) and FIN flag. */
  data(
    seq: number,
    payload: Buffer,
    missing: number,
    fin: boolean,
    origin: PieceOrigin,
    now: number,
    out: CaptureItem[],
  ): void {
    let distance = seqDistance(seq, this.#nextSeq);
    if (Math.abs(distance) > MAX_WINDOW_BYTES) {
      // Gigabytes are missing, or the numbers are of another connection: go on from here.
      this.#drain(out);
      this.#skip(distance >>> 0, origin, out);
      this.#nextSeq = seq;
      distance = 0;
    }
    const position = this.#offset + distance;
    const hadHole = this.hasHole;
    if (payload.length > 0 && position + payload.length > this.#offset) {
      if (position <= this.#offset) this.#emit(payload.subarray(this.#offset - position), origin, out);
      else this.#held.insert(position, payload, origin);
    }
    if (fin) this.#finOffset = Math.min(this.#finOffset, position + payload.length + missing);
    this.#drain(out);
    if (this.#offset >= this.#finOffset) this.end('closed', origin, out);
    if (!hadHole) this.#holeSince = now;
  }

  /** The other side acknowledges everything before `ack`. */
  acknowledged(ack: number): void {
    const distance = seqDistance(ack, this.#nextSeq);
    if (Math.abs(distance) <= MAX_WINDOW_BYTES) this.#acked = Math.max(this.#acked, this.#offset + distance);
  }

  /** Gives up the hole if it will not be filled any more. */
  review(origin: PieceOrigin, now: number, out: CaptureItem[]): void {
    while (this.hasHole) {
      const age = now - this.#holeSince;
      const acked = this.#acked > this.#offset && age >= ACKED_HOLE_SECONDS;
      if (!acked && age < HOLE_SECONDS) return;
      this.skipHole(origin, now, out);
    }
  }

  /** Reports the hole as a gap and gives out what is behind it. */
  skipHole(origin: PieceOrigin, now: number, out: CaptureItem[]): void {
    if (!this.hasHole) return;
    const next = Math.min(this.#held.start, this.#finOffset);
    this.#skip(next - this.#offset, origin, out);
    this.#drain(out);
    this.#holeSince = now;
    if (this.#offset >= this.#finOffset) this.end('closed', origin, out);
  }

  /** Gives out all that is held, gaps between, and ends the stream. */
  end(reason: TcpEndReason, origin: PieceOrigin, out: CaptureItem[]): void {
    if (this.ended) return;
    while (!this.#held.empty) {
      this.#skip(this.#held.start - this.#offset, origin, out);
      this.#drain(out);
    }
    if (this.#finOffset < Infinity && this.#finOffset > this.#offset) {
      this.#skip(this.#finOffset - this.#offset, origin, out);
    }
    this.ended = true;
    const { n, sec, nsec } = origin;
    const closed = this.#finOffset < Infinity && reason !== 'reset';
    out.push({
      kind: 'tcp-end',
      n,
      sec,
      nsec,
      stream: this.stream,
      offset: this.#offset,
      reason: closed ? 'closed' : reason,
    });
  }

  #drain(out: CaptureItem[]): void {
    if (this.#held.start > this.#offset) return;
    for (const { bytes, origin } of this.#held.takeFrom(this.#offset)) this.#emit(bytes, origin, out);
  }

  #emit(payload: Buffer, { n, sec, nsec }: PieceOrigin, out: CaptureItem[]): void {
    out.push({ kind: 'tcp', n, sec, nsec, stream: this.stream, offset: this.#offset, payload });
    this.#advance(payload.length);
  }

  #skip(length: number, { n, sec, nsec }: PieceOrigin, out: CaptureItem[]): void {
    if (length <= 0) return;
    out.push({ kind: 'tcp-gap', n, sec, nsec, stream: this.stream, offset: this.#offset, length });
    this.#advance(length);
  }

  #advance(length: number): void {
    this.#offset += length;
    this.#nextSeq = (this.#nextSeq + length) >>> 0;
  }
}
