import { ReceiveWindow } from '../protocol/seqno-window.ts';
import type { InMessage } from './protocol.ts';

/**
 * How far ahead of a gap messages are stored. A sender can have 0.5 to 1 s of traffic in flight before the gap is
 * asked for; at 200,000 messages a second that is 200,000. Beyond it messages are dropped and asked for later.
 */
export const MAX_AHEAD = 262_144;

/**
 * Payload bytes of one sender that wait behind a gap, with an overhead for each message. Flow control allows
 * `maxCredits` (1 MiB) of them; who sends past it is not heard until the gap is closed.
 */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MESSAGE_OVERHEAD_BYTES = 256;

/** Stands in the window for an OOB message, which was delivered on arrival. */
export const DELIVERED = Symbol('delivered');

/** One sender's messages in order, with the rule by which UNICAST3 and NAKACK2 ask for those that are missing. */
export class InboundWindow extends ReceiveWindow<InMessage | typeof DELIVERED> {
  /** Of the messages in the window. */
  #waitingBytes = 0;
  /** The highest gap that the last tick saw; null: none. Gaps are asked for at the second tick that sees them. */
  #rememberedGap: number | null = null;

  /** @param first the seqno that is expected first */
  constructor(first: number) {
    super(first, MAX_AHEAD);
  }

  /** A message that waits; undefined if it is not there, or is a placeholder. */
  stored(seqno: number): InMessage | undefined {
    const item = this.at(seqno);
    return item === DELIVERED ? undefined : item;
  }

  has(seqno: number): boolean {
    return seqno <= this.delivered || this.at(seqno) !== undefined;
  }

  /** As `ReceiveWindow.add`, with a bound on bytes. The message that all others wait for is always taken. */
  override add(seqno: number, item: InMessage | typeof DELIVERED): 'added' | 'duplicate' | 'beyond' {
    const bytes = storedBytes(item);
    const isNext = seqno <= this.delivered + 1;
    if (!isNext && this.#waitingBytes + bytes > MAX_WAITING_BYTES) return 'beyond';
    const outcome = super.add(seqno, item);
    if (outcome === 'added') this.#waitingBytes += bytes;
    return outcome;
  }

  /** The next message in order, once; OOB ones are passed over. */
  override next(): InMessage | undefined {
    for (;;) {
      const item = super.next();
      if (item === undefined) return undefined;
      this.#waitingBytes -= storedBytes(item);
      if (item !== DELIVERED) return item;
    }
  }

  /** Gives up what is missing below `seqno`, and what waits there. */
  override skipTo(seqno: number): void {
    super.skipTo(seqno, (item) => (this.#waitingBytes -= storedBytes(item)));
    this.#rememberedGap = null;
  }

  /** Once a tick: the seqnos to ask for now. */
  gapsToRequest(limit: number): number[] {
    const missing = this.missing(limit);
    const highest = missing.at(-1);
    const remembered = this.#rememberedGap;
    if (highest === undefined) {
      this.#rememberedGap = null;
      return missing;
    }
    if (remembered === null || highest > remembered) this.#rememberedGap = highest;
    if (remembered === null) return [];
    return missing.filter((seqno) => seqno <= remembered);
  }
}

function storedBytes(item: InMessage | typeof DELIVERED): number {
  return item === DELIVERED ? 0 : MESSAGE_OVERHEAD_BYTES + (item.payload?.length ?? 0);
}
