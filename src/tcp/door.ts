import { writeIp } from '../../codecs/bytes/ip.ts';
import { ByteWriter } from '../../codecs/bytes/writer.ts';
import { RejectCode } from '../../codecs/tcp/v1/frame-types.ts';
import type { View } from '../protocol/view.ts';
import { FailureLimit } from './failure-limit.ts';
import type { Refusal } from './handshake.ts';

/** What strangers may cost. Connections that others open; those that we open are as many as the view has members. */
export interface DoorLimits {
  /** Accepted and not closed yet. Default 4,096: 1,000 members, each with one that may just be replaced, and strangers. */
  readonly maxConnections: number;
  /**
   * Of one address (IPv4) or network (IPv6, /64) that no member of the view has: all connections. Of one that a member
   * has: those without a HELLO so far. Default 256: a host's worth of members that start at once.
   */
  readonly maxPerAddress: number;
  /** Without a HELLO so far. Default 1,024. */
  readonly maxGreeting: number;
  /** Bytes held of all that have no HELLO so far. Default 4 MiB: 64 of the largest HELLO there can be, 10,000 real ones. */
  readonly maxGreetingBytes: number;
  /**
   * Of one address or network that no member of the view has: connections that end before WELCOME, or of senders that no
   * view names and that send nothing, within 20 s. Of one that members have: as many, and four times as many for each of
   * these. More are reset unread. Default 20: with each a TLS handshake, 1 ms or two of processor time in a second.
   * Infinity: no limit.
   */
  readonly maxFailures: number;
}

export const DEFAULT_DOOR_LIMITS: DoorLimits = {
  maxConnections: 4_096,
  maxPerAddress: 256,
  maxGreeting: 1_024,
  maxGreetingBytes: 4 * 1024 * 1024,
  maxFailures: 20,
};

/** Refusals that tell of us, or of others' number: whoever hears them has done nothing wrong. */
const NOT_ITS_FAULT: ReadonlySet<number> = new Set([
  RejectCode.BUSY,
  RejectCode.CROWDED,
  RejectCode.STOPPING,
]);

/** Refused connections that are given time to read why; beyond that they are closed without a word. */
export const MAX_LINGERING_REFUSALS = 512;

interface Visitor {
  readonly address: string;
  /** Until when it may send its HELLO; Infinity once it has. */
  deadlineMs: number;
  /** Held of it without a HELLO. */
  bytes: number;
}

/** Somebody has to go. */
export interface Eviction<T> extends Refusal {
  readonly connection: T;
}

/**
 * Who may stand at the door. The rule: addresses of the view's members come before others. Of those others no more
 * come in than half of each limit. For a newcomer from a member's address, when all is full, the connection goes that
 * has waited longest for its HELLO: a member sends its own at once, so that whoever just sits there makes room.
 */
export class Door<T extends object> {
  readonly #limits: DoorLimits;
  readonly #visitors = new Map<object, Visitor>();
  /** Without a HELLO so far, in order of arrival and so of deadlines. */
  readonly #greeting = new Map<T, Visitor>();
  readonly #openOf = new Map<string, number>();
  readonly #greetingOf = new Map<string, number>();
  readonly #failures: FailureLimit;
  #membersOf: ReadonlyMap<string, number> = new Map();
  #members = 0;
  #strangers = 0;
  #greetingStrangers = 0;
  #greetingBytes = 0;

  constructor(limits: DoorLimits) {
    this.#limits = limits;
    this.#failures = new FailureLimit(limits.maxFailures);
  }

  get open(): number {
    return this.#visitors.size;
  }

  /** Connections whose address no member has are strangers from now on, and the other way round. */
  installView(view: View): void {
    const membersOf = new Map<string, number>();
    for (const { host } of view.members) add(membersOf, addressOf(host), 1);
    this.#membersOf = membersOf;
    this.#failures.installView(membersOf);
    this.#members = view.members.length;
    this.#strangers = 0;
    this.#greetingStrangers = 0;
    for (const { address } of this.#visitors.values()) this.#strangers += this.#stranger(address);
    for (const { address } of this.#greeting.values()) this.#greetingStrangers += this.#stranger(address);
  }

  /** Whether too many connections of that host have failed for another one to be looked at. */
  isBarred(host: string, nowMs: number): boolean {
    return this.#failures.isBarred(addressOf(host), nowMs);
  }

  /**
   * A connection of that host ended before WELCOME, or was a stranger's and brought no message.
   * @param code of the REJECT, or null: it was not refused
   */
  handleFailed(host: string, code: number | null, nowMs: number): void {
    if (code === null || !NOT_ITS_FAULT.has(code)) this.#failures.handleFailure(addressOf(host), nowMs);
  }

  /** A member, or somebody with a certificate, was sent WELCOME. */
  handleWelcomed(host: string): void {
    this.#failures.handleSuccess(addressOf(host));
  }

  /** @returns null: it may come in; an eviction of itself: it may not; of another: it may, in that one's place */
  admit(connection: T, host: string, deadlineMs: number): Eviction<T> | null {
    const address = addressOf(host);
    const judged = this.#judge(connection, address);
    const visitor = { address, deadlineMs, bytes: 0 };
    this.#visitors.set(connection, visitor);
    this.#strangers += this.#stranger(address);
    add(this.#openOf, address, 1);
    if (judged?.connection !== connection) {
      this.#greeting.set(connection, visitor);
      this.#greetingStrangers += this.#stranger(address);
      add(this.#greetingOf, address, 1);
    }
    return judged;
  }

  /** It holds that many bytes more. @returns whom that is too much of, if it is too much */
  handleBytes(connection: T, bytes: number): Eviction<T> | null {
    const visitor = this.#greeting.get(connection);
    if (visitor === undefined) return null;
    visitor.bytes += bytes;
    this.#greetingBytes += bytes;
    if (this.#greetingBytes <= this.#limits.maxGreetingBytes) return null;
    let greediest: [T, Visitor] = [connection, visitor];
    for (const entry of this.#greeting) if (entry[1].bytes > greediest[1].bytes) greediest = entry;
    return evict(greediest[0], 'GREEDY', `${greediest[1].bytes} bytes without a HELLO are too many just now`);
  }

  /** It has sent its HELLO, or is refused. */
  handleGreeted(connection: T): void {
    const visitor = this.#greeting.get(connection);
    if (visitor === undefined) return;
    this.#greeting.delete(connection);
    this.#greetingBytes -= visitor.bytes;
    this.#greetingStrangers -= this.#stranger(visitor.address);
    add(this.#greetingOf, visitor.address, -1);
  }

  /** Its stream is closed, or it was never one of ours. */
  handleClosed(connection: object): void {
    const visitor = this.#visitors.get(connection);
    if (visitor === undefined) return;
    this.handleGreeted(connection as T);
    this.#visitors.delete(connection);
    this.#strangers -= this.#stranger(visitor.address);
    add(this.#openOf, visitor.address, -1);
  }

  /** Those without a HELLO so far. */
  greeting(): IterableIterator<T> {
    return this.#greeting.keys();
  }

  /** Infinity: nobody has to send a HELLO. */
  nextDeadline(): number {
    for (const { deadlineMs } of this.#greeting.values()) return deadlineMs;
    return Infinity;
  }

  /** The next one whose time is over, or null. */
  nextLate(nowMs: number): T | null {
    for (const [connection, { deadlineMs }] of this.#greeting) return deadlineMs > nowMs ? null : connection;
    return null;
  }

  #judge(connection: T, address: string): Eviction<T> | null {
    const { maxConnections, maxPerAddress, maxGreeting } = this.#limits;
    if (!this.#membersOf.has(address)) {
      if ((this.#openOf.get(address) ?? 0) >= maxPerAddress)
        return evict(
          connection,
          'ADDRESS_BUSY',
          `${maxPerAddress} connections of your address are the limit`,
        );
      if (this.#strangers >= maxConnections / 2 || this.#greetingStrangers >= maxGreeting / 2)
        return evict(connection, 'BUSY', 'too many connections of addresses that no member has');
      if (this.open >= maxConnections || this.#greeting.size >= maxGreeting)
        return evict(connection, 'BUSY', 'too many connections');
      return null;
    }
    if ((this.#greetingOf.get(address) ?? 0) >= maxPerAddress) return this.#makeRoom(connection, address);
    if (this.#greeting.size >= maxGreeting) return this.#makeRoom(connection, null);
    // a view that needs more than the limit has it: each member holds one
    if (this.open < Math.max(maxConnections, 2 * this.#members + maxGreeting)) return null;
    return this.#makeRoom(connection, null);
  }

  /** @param address whose oldest one is to go; null: anybody's */
  #makeRoom(newcomer: T, address: string | null): Eviction<T> {
    for (const [connection, visitor] of this.#greeting) {
      if (address !== null && visitor.address !== address) continue;
      return evict(connection, 'CROWDED', 'others came later and you had sent no HELLO');
    }
    return evict(newcomer, 'BUSY', 'too many connections');
  }

  #stranger(address: string): 0 | 1 {
    return this.#membersOf.has(address) ? 0 : 1;
  }
}

function evict<T>(connection: T, code: keyof typeof RejectCode, reason: string): Eviction<T> {
  return { connection, code: RejectCode[code], reason };
}

function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

/** Whom a limit counts as one: an IPv4 address, or an IPv6 network, of which anybody has more addresses than we have room. */
export function addressOf(host: string): string {
  const plain = host.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!plain.includes(':')) return plain;
  try {
    const writer = new ByteWriter(16);
    writeIp(writer, plain, 'host');
    return writer.finish().toString('hex', 0, 8);
  } catch {
    return plain; // a member's id may hold anything
  }
}
