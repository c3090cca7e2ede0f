/**
 * The segments of a TCP connection of which only the bytes were seen: a handshake, data with sequence numbers and
 * acknowledgements that fit, an end. How the bytes were really cut and acknowledged nobody knows any more.
 */
import type { TcpFields } from './packet-writer.ts';
import { TcpFlag } from './transport.ts';

/** @param outgoing from our end. The fields are only valid during the call. */
export type SegmentSink = (outgoing: boolean, fields: TcpFields, payload: Uint8Array) => void;

const NOTHING = new Uint8Array(0);

/** One direction. */
interface Side {
  /** Of the next byte. */
  seq: number;
  finished: boolean;
}

export class TcpScript {
  readonly #sink: SegmentSink;
  readonly #maxSegmentBytes: number;
  readonly #ours: Side;
  readonly #theirs: Side;
  readonly #fields = { seq: 0, ack: 0, flags: 0 };

  /**
   * @param startSeq of the first SYN; another one for each connection between the same two endpoints, else a reader
   * takes the second for a repetition of the first
   */
  constructor(sink: SegmentSink, maxSegmentBytes: number, startSeq: number) {
    this.#sink = sink;
    this.#maxSegmentBytes = maxSegmentBytes;
    this.#ours = { seq: startSeq >>> 0, finished: false };
    this.#theirs = { seq: (startSeq ^ 0x8000_0000) >>> 0, finished: false };
  }

  /** The handshake. @param outgoing our end opens the connection */
  open(outgoing: boolean): void {
    this.#segment(outgoing, TcpFlag.SYN, NOTHING, 1);
    this.#segment(!outgoing, TcpFlag.SYN | TcpFlag.ACK, NOTHING, 1);
    this.#segment(outgoing, TcpFlag.ACK, NOTHING, 0);
  }

  data(outgoing: boolean, bytes: Uint8Array): void {
    if (this.#side(outgoing).finished) return;
    for (let at = 0; at < bytes.length; at += this.#maxSegmentBytes) {
      const payload = bytes.subarray(at, at + this.#maxSegmentBytes);
      this.#segment(outgoing, TcpFlag.PSH | TcpFlag.ACK, payload, payload.length);
    }
  }

  /** Nothing follows in this direction. */
  finish(outgoing: boolean): void {
    const side = this.#side(outgoing);
    if (side.finished) return;
    this.#segment(outgoing, TcpFlag.FIN | TcpFlag.ACK, NOTHING, 1);
    side.finished = true;
    if (this.#side(!outgoing).finished) this.#segment(!outgoing, TcpFlag.ACK, NOTHING, 0);
  }

  /** Nothing follows in either direction. @param outgoing our end breaks the connection */
  reset(outgoing: boolean): void {
    if (this.#ours.finished && this.#theirs.finished) return;
    this.#segment(outgoing, TcpFlag.RST | TcpFlag.ACK, NOTHING, 0);
    this.#ours.finished = true;
    this.#theirs.finished = true;
  }

  #side(outgoing: boolean): Side {
    return outgoing ? this.#ours : this.#theirs;
  }

  /** @param length what it takes of the sequence numbers */
  #segment(outgoing: boolean, flags: number, payload: Uint8Array, length: number): void {
    const side = this.#side(outgoing);
    this.#fields.seq = side.seq;
    this.#fields.ack = (flags & TcpFlag.ACK) === 0 ? 0 : this.#side(!outgoing).seq;
    this.#fields.flags = flags;
    this.#sink(outgoing, this.#fields, payload);
    side.seq = (side.seq + length) >>> 0;
  }
}
