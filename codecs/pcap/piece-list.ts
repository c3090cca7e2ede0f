/** Ranges of bytes, sorted and apart from each other, each a copy: what fragments and stream segments wait in. */
import { PIECE_OVERHEAD_BYTES } from './limits.ts';

export interface Piece {
  readonly start: number;
  readonly bytes: Buffer;
  /** Where it came from; for IP fragments unused. */
  readonly origin: PieceOrigin;
}

/** Frame number and time of a piece. */
export interface PieceOrigin {
  readonly n: number;
  readonly sec: number;
  readonly nsec: number;
}

const NOWHERE: PieceOrigin = { n: 0, sec: 0, nsec: 0 };

export class PieceList {
  #pieces: Piece[] = [];
  #bytes = 0;

  /** Sum of the lengths. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What it costs to hold them. */
  get cost(): number {
    return this.#bytes + this.#pieces.length * PIECE_OVERHEAD_BYTES;
  }

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Start of the first piece; Infinity if there is none. */
  get start(): number {
    return this.#pieces[0]?.start ?? Infinity;
  }

  /** End of the last piece; 0 if there is none. */
  get end(): number {
    const last = this.#pieces.at(-1);
    return last === undefined ? 0 : last.start + last.bytes.length;
  }

  /**
   * Copies in what is new of `bytes`; what came first stays.
   * @returns false if bytes that were there already are different
   */
  insert(start: number, bytes: Buffer, origin = NOWHERE): boolean {
    const end = start + bytes.length;
    let agrees = true;
    let at = start;
    let index = this.#firstEndingAfter(start);
    while (at < end) {
      const next = this.#pieces[index];
      const until = next === undefined ? end : Math.min(end, next.start);
      if (at < until) {
        this.#pieces.splice(index, 0, {
          start: at,
          bytes: Buffer.from(bytes.subarray(at - start, until - start)),
          origin,
        });
        this.#bytes += until - at;
        at = until;
        index++;
        continue;
      }
      if (next === undefined) break;
      const shared = Math.min(end, next.start + next.bytes.length);
      const mine = bytes.subarray(at - start, shared - start);
      agrees &&= mine.equals(next.bytes.subarray(at - next.start, shared - next.start));
      at = shared;
      index++;
    }
    return agrees;
  }

  /** Takes out the pieces that follow on `from` without a hole; what lies before `from` is cut off. */
  takeFrom(from: number): Piece[] {
    const taken: Piece[] = [];
    let at = from;
    let count = 0;
    for (const piece of this.#pieces) {
      if (piece.start > at) break;
      count++;
      this.#bytes -= piece.bytes.length;
      const end = piece.start + piece.bytes.length;
      if (end <= at) continue;
      taken.push({ start: at, bytes: piece.bytes.subarray(at - piece.start), origin: piece.origin });
      at = end;
    }
    if (count > 0) this.#pieces.splice(0, count);
    return taken;
  }

  /** All bytes in one buffer; the pieces must be without holes. */
  join(): Buffer {
    const whole = Buffer.allocUnsafe(this.#bytes);
    let at = 0;
    for (const { bytes } of this.#pieces) at += bytes.copy(whole, at);
    return whole;
  }

  /** Index of the first piece that ends after `offset`. */
  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const piece = this.#pieces[middle] as Piece;
      if (piece.start + piece.bytes.length > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
