/** Puts IP packets together from their fragments, in the capture's time, in bounded memory. */
import { CodecError } from '../bytes/errors.ts';
import type { Fragment, IpPacket } from './ip.ts';
import { seconds } from './item.ts';
import type { CaptureItem, IncompleteItem } from './item.ts';
import {
  FRAGMENT_TIMEOUT_SECONDS,
  MAX_FRAGMENT_BYTES,
  MAX_IP_PAYLOAD_BYTES,
  PIECE_OVERHEAD_BYTES,
} from './limits.ts';
import { PieceList } from './piece-list.ts';
import type { Frame } from './record.ts';

/** A packet of which fragments are missing. */
interface Partial {
  readonly first: Frame;
  readonly since: number;
  readonly src: string;
  readonly dst: string;
  readonly pieces: PieceList;
  /** Known once the first fragment is there: others need not say it truly. */
  protocol: number | null;
  /** Length of the whole payload, once the last fragment is there. */
  total: number | null;
}

export class IpReassembly {
  /** In the order of their first fragments, which is nearly that of capture time. */
  readonly #partials = new Map<string, Partial>();
  #held = 0;

  /** Bytes held, overhead included. */
  get heldBytes(): number {
    return this.#held;
  }

  /**
   * Takes a fragment; returns the whole packet if this completes it, with a payload of its own.
   * @throws {CodecError} if the fragment is malformed or contradicts an earlier one; the packet is then given up
   */
  add(packet: IpPacket, fragment: Fragment, frame: Frame, out: CaptureItem[]): IpPacket | null {
    const now = seconds(frame);
    this.#expire(now, out);
    const { start, end } = checkRange(packet, fragment);
    const partial = this.#partials.get(fragment.key) ?? this.#open(packet, fragment, frame, now);
    try {
      this.#store(partial, packet, fragment, start, end);
    } catch (error) {
      this.#forget(fragment.key, partial);
      throw error;
    }
    if (partial.total === null || partial.pieces.bytes < partial.total) {
      this.#shed(out);
      return null;
    }
    this.#forget(fragment.key, partial);
    return {
      ...packet,
      protocol: partial.protocol ?? packet.protocol,
      bytes: partial.pieces.join(),
      start: 0,
      end: partial.total,
      missing: 0,
      fragment: null,
    };
  }

  /** Reports what never became whole. */
  end(out: CaptureItem[]): void {
    for (const [key, partial] of this.#partials) {
      this.#forget(key, partial);
      out.push(incomplete(partial, 'end'));
    }
  }

  #open(packet: IpPacket, fragment: Fragment, frame: Frame, since: number): Partial {
    const partial: Partial = {
      // Without its bytes: the frame is a view of a chunk that should not be kept alive.
      first: { ...frame, bytes: EMPTY },
      since,
      src: packet.src.text,
      dst: packet.dst.text,
      pieces: new PieceList(),
      protocol: null,
      total: null,
    };
    this.#partials.set(fragment.key, partial);
    this.#held += PIECE_OVERHEAD_BYTES;
    return partial;
  }

  #store(partial: Partial, packet: IpPacket, fragment: Fragment, start: number, end: number): void {
    if (!fragment.more) {
      if (partial.total !== null && partial.total !== end) throw contradiction(packet, 'two different ends');
      partial.total = end;
    }
    const last = Math.max(partial.pieces.end, end);
    if (partial.total !== null && last > partial.total) throw contradiction(packet, 'data behind the end');
    if (start === 0) partial.protocol = packet.protocol;
    const before = partial.pieces.cost;
    const agrees = partial.pieces.insert(start, packet.bytes.subarray(packet.start, packet.end));
    this.#held += partial.pieces.cost - before;
    // Hosts differ in which of two overlapping fragments they believe, so nobody can say what was received.
    if (!agrees) throw contradiction(packet, 'overlapping fragments that differ');
  }

  #expire(now: number, out: CaptureItem[]): void {
    for (const [key, partial] of this.#partials) {
      if (now - partial.since <= FRAGMENT_TIMEOUT_SECONDS) return;
      this.#forget(key, partial);
      out.push(incomplete(partial, 'timeout'));
    }
  }

  #shed(out: CaptureItem[]): void {
    for (const [key, partial] of this.#partials) {
      if (this.#held <= MAX_FRAGMENT_BYTES) return;
      this.#forget(key, partial);
      out.push(incomplete(partial, 'forgotten'));
    }
  }

  #forget(key: string, partial: Partial): void {
    if (this.#partials.delete(key)) this.#held -= partial.pieces.cost + PIECE_OVERHEAD_BYTES;
  }
}

const EMPTY = Buffer.alloc(0);

function checkRange(packet: IpPacket, fragment: Fragment): { start: number; end: number } {
  const length = packet.end - packet.start;
  const start = fragment.offset;
  const end = start + length;
  if (end > MAX_IP_PAYLOAD_BYTES) {
    throw new CodecError('ERR_LIMIT', packet.start, 'fragment offset', `ends at ${end}, past any IP packet`);
  }
  if (length === 0 || (fragment.more && length % 8 !== 0)) {
    throw new CodecError('ERR_VALUE', packet.start, 'fragment length', `${length} before another fragment`);
  }
  return { start, end };
}

function contradiction(packet: IpPacket, what: string): CodecError {
  return new CodecError('ERR_VALUE', packet.start, 'fragment', `${what}: the packet is given up`);
}

function incomplete(partial: Partial, reason: IncompleteItem['reason']): IncompleteItem {
  const { n, sec, nsec } = partial.first;
  const { src: from, dst: to } = partial;
  return { kind: 'incomplete', n, sec, nsec, from, to, received: partial.pieces.bytes, reason };
}
