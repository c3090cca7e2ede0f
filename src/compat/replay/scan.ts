import { CodecError } from '../../../codecs/bytes/errors.ts';
import { ByteReader } from '../../../codecs/bytes/reader.ts';
import {
  type Address,
  addressKey,
  type Datagram,
  Flag,
  type Message,
} from '../../../codecs/jgroups/message.ts';
import {
  type AnyDatagram,
  encodeAnyDatagram,
  type AnyHeader,
  wireVersion,
} from '../../../codecs/jgroups/registry.ts';
import { formatVersion } from '../../../codecs/jgroups/version.ts';
import { GEODE_STACK } from '../../jgroups/config.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { type Addressed, type CapturedDatagram, messagesOf } from './captured-datagrams.ts';
import { DropMatcher } from './drop-matcher.ts';
import type { TruthDrop, TruthPeer } from './truth.ts';

/** Members that are told apart; a capture of more is not replayed. */
export const MAX_MEMBERS = 1_000;

/** Headers of the stack without multicast: all that the production stack has. */
const SPOKEN: readonly string[] = ['TP', 'UNICAST3', 'UFC', 'FRAG2'];

export interface SeenMember {
  readonly uuid: string;
  address: Address;
  readonly firstMs: number;
  /** Of what it sent itself; null: it only received. */
  version: number | null;
}

/** What the first reading of a capture tells: whether all decodes, and what a replay needs to know beforehand. */
export class CaptureScan {
  readonly members = new Map<string, SeenMember>();
  readonly errors: string[] = [];
  datagrams = 0;
  messages = 0;
  undecodable = 0;
  reencodedIdentical = 0;
  probes = 0;
  overTcp = 0;
  unknownHeaders = 0;
  cluster: string | null = null;
  /** Why parts of it cannot go through the stack; each once. */
  readonly obstacles = new Set<string>();
  readonly drops: DropMatcher;
  /** Connections, by `connectionKey`, of which the first message is in the capture. */
  readonly begun = new Set<string>();
  #fragSize = 0;
  #leastReplenish = Infinity;
  #mostRequested = 0;
  /** `from>to` of those who asked for credits, to what they asked for and did not get yet. */
  readonly #requests = new Map<string, number>();
  /** Of the first tick of each member that shows, by uuid: an ack or a gap request. */
  readonly ticksMs = new Map<string, number>();
  readonly #askers = new Set<string>();

  constructor(peers: readonly TruthPeer[], drops: readonly TruthDrop[]) {
    this.drops = new DropMatcher(peers, drops);
  }

  take(captured: CapturedDatagram): void {
    this.datagrams++;
    this.drops.take(captured);
    if (captured.transport === 'tcp') this.overTcp++;
    if (captured.raw !== null) {
      this.probes++;
      this.reencodedIdentical++;
      return;
    }
    const { datagram, error, n } = captured;
    if (datagram === null) {
      this.undecodable++;
      if (this.errors.length < 10) this.errors.push(`frame ${n}: ${error?.message ?? 'does not decode'}`);
      return;
    }
    this.#encode(datagram, captured);
    if (datagram.kind === 'bundle' && datagram.unparsed !== undefined) this.messages += datagram.unparsed;
    this.#look(datagram, captured.timeMs);
  }

  #encode(datagram: AnyDatagram, { bytes, n }: CapturedDatagram): void {
    let what = 'encodes to other bytes';
    try {
      if (encodeAnyDatagram(datagram).equals(bytes)) {
        this.reencodedIdentical++;
        return;
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      what = `does not encode: ${error.message}`;
    }
    if (this.errors.length < 10) this.errors.push(`frame ${n}: ${what}`);
  }

  #look(datagram: AnyDatagram, timeMs: number): void {
    const isSpoken = isOf36(datagram);
    if (!isSpoken) {
      this.obstacles.add(`JGroups ${formatVersion(datagram.version)} can be read here, but not spoken`);
    }
    const count = datagram.kind === 'single' ? 1 : datagram.messages.length;
    this.messages += count;
    const messages = datagram.kind === 'single' ? [datagram.message] : datagram.messages;
    for (const message of messages) this.#headers(message.headers);
    if (!isSpoken) return;
    // of a version that is spoken, all are messages of 3.6
    for (const addressed of messagesOf(datagram)) this.#message(addressed, datagram.version, timeMs);
  }

  #headers(headers: readonly AnyHeader[]): void {
    for (const { protocol } of headers) {
      if (SPOKEN.includes(protocol)) continue;
      if (protocol === 'UNKNOWN') this.unknownHeaders++;
      this.obstacles.add(obstacleOf(protocol));
    }
  }

  #message({ message, src, dest, cluster }: Addressed, version: number, timeMs: number): void {
    if (src !== null) this.#member(src, timeMs, version);
    if (dest !== null) this.#member(dest, timeMs, null);
    if (cluster !== null) this.cluster ??= cluster;
    const fragment = headerOf(message, 'FRAG2');
    if (fragment?.fragNo === 0) this.#fragSize = Math.max(this.#fragSize, message.payload?.length ?? 0);
    if (src === null || dest === null) return;
    const [from, to] = [addressKey(src), addressKey(dest)];
    const reliable = headerOf(message, 'UNICAST3');
    if (reliable?.type === 'DATA' && reliable.first) this.begun.add(connectionKey(from, to, reliable.connId));
    else if (reliable?.type === 'ACK' && !this.ticksMs.has(from)) this.ticksMs.set(from, timeMs);
    else if (reliable?.type === 'XMIT_REQ' && !this.#askers.has(from)) {
      this.#askers.add(from); // an ack may also come at once, a gap request never does
      this.ticksMs.set(from, timeMs);
    }
    this.#credits(message, from, to);
  }

  #member(address: Address, timeMs: number, version: number | null): void {
    if (address.kind === 'ip') return;
    const seen = this.members.get(address.uuid);
    if (seen === undefined) {
      if (this.members.size >= MAX_MEMBERS) this.obstacles.add(`more than ${MAX_MEMBERS} members`);
      else this.members.set(address.uuid, { uuid: address.uuid, address, firstMs: timeMs, version });
      return;
    }
    seen.address = address; // its view id is -1 while it joins
    seen.version ??= version;
  }

  #credits(message: Message, from: string, to: string): void {
    const header = headerOf(message, 'UFC');
    if (header === undefined || (message.flags & Flag.NO_RELIABILITY) !== 0) return;
    const amount = creditsOf(message);
    if (header.type === 'CREDIT_REQUEST') {
      this.#requests.set(`${from}>${to}`, amount);
      this.#mostRequested = Math.max(this.#mostRequested, amount);
    } else if (this.#requests.get(`${to}>${from}`) === amount) this.#requests.delete(`${to}>${from}`);
    else this.#leastReplenish = Math.min(this.#leastReplenish, amount);
  }

  /** UFC's `max_credits` as the peers had it: credits are given once 3/4 of it are used up (WIRE-3.6 section 9). */
  get maxCredits(): number {
    const { maxCredits, minThreshold } = GEODE_STACK;
    const used = 1 - minThreshold;
    const least = this.#leastReplenish;
    const isDefault = least === Infinity || (least >= maxCredits * used && least <= maxCredits);
    const told = isDefault ? maxCredits : Math.floor(least / used);
    return Math.max(told, this.#mostRequested, 1);
  }

  get fragSize(): number {
    const isPossible = this.#fragSize > 0 && this.#fragSize <= 65_000;
    return isPossible ? this.#fragSize : GEODE_STACK.fragSize;
  }
}

/** Of the wire that the stack speaks. */
export function isOf36(datagram: AnyDatagram): datagram is Datagram {
  return wireVersion(datagram.version)?.spoken === true;
}

function obstacleOf(protocol: string): string {
  switch (protocol) {
    case 'NAKACK2':
    case 'STABLE':
    case 'MFC':
      return 'group messages need NAKACK2, which the stack does not have yet';
    case 'UNKNOWN':
      return 'some messages have a header of an unknown class';
    default:
      return `the stack has no ${protocol}`;
  }
}

/** One direction between two members, under one connection id. */
export function connectionKey(from: string, to: string, connId: number): string {
  return `${from}>${to}#${connId}`;
}

/** Bytes that a message of flow control gives or asks for; 0 if it does not say. */
export function creditsOf({ payload }: Message): number {
  if (payload === null) return 0;
  try {
    return new ByteReader(payload).safeU64('credits');
  } catch (error) {
    if (error instanceof CodecError) return 0;
    throw error;
  }
}
