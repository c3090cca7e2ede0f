import { Flag, type Frag2Header, type Header } from '../../codecs/jgroups/message.ts';
import type { ProtocolContext } from './context.ts';
import type { JGroupsCounters } from './counters.ts';
import type { PeerTable } from './peer-counters.ts';
import { type GroupView, headerOf, type InMessage, type OutMessage, Protocol } from './protocol.ts';

/** What one sender may have in unfinished reliable messages: past it new fragments are dropped, loudly. */
const MAX_PARTIAL_BYTES = 256 * 1024 * 1024;

/** The same for all senders together that are no members: anybody can make up a sender. */
const MAX_STRANGERS_BYTES = 64 * 1024 * 1024;

/** Of unreliable messages, which never get finished if one fragment is lost: the oldest make room. */
const MAX_UNRELIABLE_BYTES = 16 * 1024 * 1024;

/** Counted for each fragment on top of its bytes, so that many tiny ones cannot pass the limit by. */
const FRAGMENT_OVERHEAD_BYTES = 256;

/** Bytes of the largest payload to send: half of what a receiver like us holds, for others may be under way. */
export function largestPayload(fragSize: number): number {
  return Math.floor(MAX_PARTIAL_BYTES / 2 / (fragSize + FRAGMENT_OVERHEAD_BYTES)) * fragSize;
}

interface Partial {
  /** By number. */
  readonly fragments: Map<number, Uint8Array>;
  readonly numFrags: number;
  /** Payload bytes so far. */
  bytes: number;
  /** Of fragment 0, the only one that carries the other headers. */
  headers: readonly Header[];
}

/**
 * Unfinished messages of one sender, by id, oldest first. There is mostly one at a time, which is kept beside the map:
 * of a map in which entries come and go with each message, V8 links the tables it outgrew one to the next, and once
 * one of them is old, all that they ever held lives until a full collection: a sixth of the time of one who receives 64 KiB.
 */
class Pool {
  #newestId = 0;
  #newest: Partial | null = null;
  #older: Map<number, Partial> | null = null;
  /** Of all of them, overhead included. */
  bytes = 0;

  find(id: number): Partial | undefined {
    if (this.#newest !== null && id === this.#newestId) return this.#newest;
    return this.#older?.get(id);
  }

  add(id: number, partial: Partial): void {
    if (this.#newest !== null) (this.#older ??= new Map<number, Partial>()).set(this.#newestId, this.#newest);
    this.#newestId = id;
    this.#newest = partial;
  }

  remove(id: number, partial: Partial): void {
    if (partial === this.#newest) this.#newest = null;
    else this.#older?.delete(id);
    if (this.#older?.size === 0) this.#older = null;
    this.bytes -= costOf(partial);
  }

  /** Returns how many fragments that were. */
  removeOldest(): number {
    const [oldest] = this.#older ?? [];
    const [id, partial] = oldest ?? [this.#newestId, this.#newest];
    if (partial === null) return 0;
    this.remove(id, partial);
    return partial.fragments.size;
  }
}

/**
 * How long unfinished messages of one that is no member are kept after its last fragment: one that left may be sending
 * its last messages, and one that joins may be here before the view that has it, for which GMS gives it as long.
 */
const FORGET_MS = 20_000;

interface Sender {
  readonly reliable: Pool;
  readonly unreliable: Pool;
  /** It was a member. */
  left: boolean;
  /** Infinity for a member. */
  forgetAtMs: number;
}

/** Cuts large messages into fragments and joins them again (WIRE-3.6 section 8). */
export class FRAG2 extends Protocol {
  readonly #fragSize: number;
  readonly #counters: JGroupsCounters;
  readonly #peers: PeerTable;
  readonly #complain: (from: string, what: string) => void;
  readonly #senders = new Map<string, Sender>();
  #members: ReadonlySet<string> = new Set();
  /** Of all senders that are no members. */
  #strangersBytes = 0;
  /** No later than the first `forgetAtMs`. */
  #sweepAtMs = Infinity;
  #lastId = 0;

  constructor(context: ProtocolContext) {
    super();
    this.#fragSize = context.config.fragSize;
    this.#counters = context.counters;
    this.#peers = context.peers;
    this.#complain = context.complain;
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
    const whole = this.#add(message, header, nowMs);
    if (whole !== null) this.above.up({ ...message, ...whole }, nowMs);
  }

  /**
   * What a sender that left began it may still finish: UNICAST3 goes on for a while, and acknowledges it. What one
   * began before it left and came back ended as `memberLeft`, if it is the same process at all.
   */
  installView({ keys: members }: GroupView, nowMs: number): void {
    for (const [from, sender] of this.#senders) {
      if (members.has(from)) {
        if (sender.left) this.#senders.delete(from);
        else sender.forgetAtMs = Infinity;
      } else if (this.#members.has(from)) {
        sender.left = true;
        this.#keepForNow(sender, nowMs);
      }
    }
    this.#members = members;
    this.#countStrangers();
  }

  #keepForNow(sender: Sender, nowMs: number): void {
    sender.forgetAtMs = nowMs + FORGET_MS;
    this.#sweepAtMs = Math.min(this.#sweepAtMs, sender.forgetAtMs);
  }

  override nextDeadlineMs(): number {
    return this.#sweepAtMs;
  }

  override handleTimeout(nowMs: number): void {
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = Infinity;
    for (const [from, { forgetAtMs }] of this.#senders) {
      if (forgetAtMs <= nowMs) this.#senders.delete(from);
      else this.#sweepAtMs = Math.min(this.#sweepAtMs, forgetAtMs);
    }
    this.#countStrangers();
  }

  #countStrangers(): void {
    this.#strangersBytes = 0;
    for (const [from, { reliable }] of this.#senders) this.#countStranger(from, reliable.bytes);
  }

  #add(message: InMessage, header: Frag2Header, nowMs: number): Whole | null {
    const { id, fragNo, numFrags } = header;
    const payload = message.payload ?? EMPTY;
    const isReliable = (message.flags & Flag.NO_RELIABILITY) === 0;
    const sender = this.#sender(message.from, nowMs);
    const pool = isReliable ? sender.reliable : sender.unreliable;
    let partial = pool.find(id);
    if (partial?.fragments.has(fragNo) === true && partial.numFrags === numFrags) {
      this.#counters.duplicates++; // of an unreliable one: nobody else looks
      return null;
    }
    const cost = payload.length + FRAGMENT_OVERHEAD_BYTES;
    if (
      (partial !== undefined && partial.numFrags !== numFrags) ||
      !this.#fits(message.from, sender, pool, cost)
    ) {
      this.#counters.fragmentsDropped++;
      this.#peers.of(message.from).malformed++;
      this.#complain(
        message.from,
        `fragment ${fragNo} of ${numFrags} of its message ${id} does not fit; dropped`,
      );
      this.#forgetIfEmpty(message.from, sender);
      return null;
    }
    if (partial === undefined || pool.find(id) !== partial) {
      partial = { fragments: new Map(), numFrags, bytes: 0, headers: [] };
      pool.add(id, partial);
    }
    // views of the receive buffer stay valid: every datagram has a buffer of its own
    partial.fragments.set(fragNo, payload);
    partial.bytes += payload.length;
    pool.bytes += cost;
    this.#countStranger(message.from, cost);
    if (fragNo === 0) partial.headers = message.headers.filter(({ protocol }) => protocol !== 'FRAG2');
    if (partial.fragments.size < numFrags) return null;
    pool.remove(id, partial);
    this.#countStranger(message.from, -costOf(partial));
    this.#forgetIfEmpty(message.from, sender);
    return { headers: partial.headers, payload: join(partial) };
  }

  #sender(from: string, nowMs: number): Sender {
    let sender = this.#senders.get(from);
    if (sender === undefined) {
      sender = { reliable: new Pool(), unreliable: new Pool(), left: false, forgetAtMs: Infinity };
      this.#senders.set(from, sender);
    }
    if (!this.#members.has(from)) this.#keepForNow(sender, nowMs);
    return sender;
  }

  /** Makes room where something may be dropped for it. */
  #fits(from: string, sender: Sender, pool: Pool, cost: number): boolean {
    if (pool === sender.unreliable) {
      if (!this.#members.has(from) || cost > MAX_UNRELIABLE_BYTES) return false;
      while (pool.bytes + cost > MAX_UNRELIABLE_BYTES) this.#counters.fragmentsDropped += pool.removeOldest();
      return true;
    }
    if (pool.bytes + cost > MAX_PARTIAL_BYTES) return false;
    return this.#members.has(from) || this.#strangersBytes + cost <= MAX_STRANGERS_BYTES;
  }

  #countStranger(from: string, bytes: number): void {
    if (!this.#members.has(from)) this.#strangersBytes += bytes;
  }

  /** Members are kept: a map in which entries come and go with each message is made anew all the time. */
  #forgetIfEmpty(from: string, sender: Sender): void {
    if (this.#members.has(from)) return;
    if (sender.reliable.bytes + sender.unreliable.bytes === 0) this.#senders.delete(from);
  }
}

type Whole = Pick<InMessage, 'headers' | 'payload'>;

const EMPTY = new Uint8Array(0);

function costOf(partial: Partial): number {
  return partial.bytes + partial.fragments.size * FRAGMENT_OVERHEAD_BYTES;
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
