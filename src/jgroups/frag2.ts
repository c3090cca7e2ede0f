import type { Header } from '../../codecs/jgroups/message.ts';
import type { JGroupsCounters } from './counters.ts';
import { headerOf, type InMessage, type OutMessage, Protocol } from './protocol.ts';

/** What one sender may have in unfinished messages: past it new fragments are dropped, loudly. */
const MAX_PARTIAL_BYTES = 256 * 1024 * 1024;

/** Counted for each fragment on top of its bytes, so that many tiny ones cannot pass the limit by. */
const FRAGMENT_OVERHEAD_BYTES = 256;

interface Partial {
  /** By number. */
  readonly fragments: Map<number, Uint8Array>;
  readonly numFrags: number;
  /** Payload bytes so far. */
  bytes: number;
  /** Of fragment 0, the only one that carries the other headers. */
  headers: readonly Header[];
}

interface Sender {
  readonly partials: Map<number, Partial>;
  /** Of all its partials, overhead included. */
  bytes: number;
}

/** Cuts large messages into fragments and joins them again (WIRE-3.6 section 8). */
export class FRAG2 extends Protocol {
  readonly #fragSize: number;
  readonly #counters: JGroupsCounters;
  readonly #complain: (from: string, what: string) => void;
  readonly #senders = new Map<string, Sender>();
  #lastId = 0;

  constructor(fragSize: number, counters: JGroupsCounters, complain: (from: string, what: string) => void) {
    super();
    this.#fragSize = fragSize;
    this.#counters = counters;
    this.#complain = complain;
  }

  down(message: OutMessage, nowMs: number): void {
    const { payload } = message;
    if (payload === null || payload.length <= this.#fragSize) {
      this.below.down(message, nowMs);
      return;
    }
    const id = ++this.#lastId;
    const numFrags = Math.ceil(payload.length / this.#fragSize);
    for (let fragNo = 0; fragNo < numFrags; fragNo++) {
      const start = fragNo * this.#fragSize;
      const piece = payload.subarray(start, start + this.#fragSize);
      const header = { protocol: 'FRAG2', id, fragNo, numFrags } as const;
      const fragment: OutMessage = {
        ...message,
        headers: fragNo === 0 ? [...message.headers, header] : [header],
        payload: piece,
        completes: fragNo === numFrags - 1 ? message.completes : 0,
        pendingBytes: message.pendingBytes === 0 ? 0 : piece.length,
      };
      this.below.down(fragment, nowMs);
    }
  }

  up(message: InMessage, nowMs: number): void {
    const header = headerOf(message, 'FRAG2');
    if (header === undefined) {
      this.above.up(message, nowMs);
      return;
    }
    const whole = this.#add(message, header.id, header.fragNo, header.numFrags);
    if (whole !== null) this.above.up({ ...message, ...whole }, nowMs);
  }

  /** A sender that left will never finish what it began. */
  installView(members: ReadonlySet<string>): void {
    for (const from of this.#senders.keys()) if (!members.has(from)) this.#senders.delete(from);
  }

  #add(message: InMessage, id: number, fragNo: number, numFrags: number): Whole | null {
    const { from } = message;
    const payload = message.payload ?? new Uint8Array(0);
    const cost = payload.length + FRAGMENT_OVERHEAD_BYTES;
    let sender = this.#senders.get(from);
    if (sender === undefined) this.#senders.set(from, (sender = { partials: new Map(), bytes: 0 }));
    let partial = sender.partials.get(id);
    if (sender.bytes + cost > MAX_PARTIAL_BYTES || !fits(partial, fragNo, numFrags)) {
      this.#counters.fragmentsDropped++;
      this.#complain(from, `fragment ${fragNo} of ${numFrags} of its message ${id} does not fit; dropped`);
      return null;
    }
    if (partial === undefined) {
      partial = { fragments: new Map(), numFrags, bytes: 0, headers: [] };
      sender.partials.set(id, partial);
    }
    // views of the receive buffer stay valid: every datagram has a buffer of its own
    partial.fragments.set(fragNo, payload);
    partial.bytes += payload.length;
    sender.bytes += cost;
    if (fragNo === 0) partial.headers = message.headers.filter((header) => header.protocol !== 'FRAG2');
    if (partial.fragments.size < numFrags) return null;
    sender.partials.delete(id);
    sender.bytes -= partial.bytes + numFrags * FRAGMENT_OVERHEAD_BYTES;
    return { headers: partial.headers, payload: join(partial) };
  }
}

type Whole = Pick<InMessage, 'headers' | 'payload'>;

/** A fragment that is there already, or that tells another number of fragments than the others, does not. */
function fits(partial: Partial | undefined, fragNo: number, numFrags: number): boolean {
  return partial === undefined || (partial.numFrags === numFrags && !partial.fragments.has(fragNo));
}

function join(partial: Partial): Uint8Array {
  const whole = Buffer.allocUnsafe(partial.bytes);
  let offset = 0;
  for (let fragNo = 0; fragNo < partial.numFrags; fragNo++) {
    const fragment = partial.fragments.get(fragNo) as Uint8Array;
    whole.set(fragment, offset);
    offset += fragment.length;
  }
  return whole;
}
