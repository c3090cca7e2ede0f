import { CodecError } from '../../../codecs/bytes/errors.ts';
import { type Address, addressKey, type Datagram, type Message } from '../../../codecs/jgroups/message.ts';
import {
  type AnyDatagram,
  encodeAnyDatagram,
  type AnyHeader,
  wireVersion,
} from '../../../codecs/jgroups/registry.ts';
import type { ProtocolPayload } from '../../../codecs/jgroups/payload.ts';
import { decodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { formatVersion } from '../../../codecs/jgroups/version.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { isService, isServiceMessage } from '../../jgroups/services.ts';
import { type Addressed, type CapturedDatagram, messagesOf } from './captured-datagrams.ts';
import { DropMatcher } from './drop-matcher.ts';
import { StackKnowledge } from './knowledge.ts';
import { Places } from './places.ts';
import type { TruthDrop, TruthPeer } from './truth.ts';

/** Members that are told apart; a capture of more is not replayed. */
export const MAX_MEMBERS = 1_000;

/** Headers of the production stack's protocols; messages of services (GMS, discovery, ...) go past it. */
const SPOKEN: readonly string[] = ['TP', 'UNICAST3', 'NAKACK2', 'STABLE', 'UFC', 'MFC', 'FRAG2', 'RSVP'];

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
  unknownHeaders = 0;
  /** Why parts of it cannot go through the stack; each once. */
  readonly obstacles = new Set<string>();
  readonly drops: DropMatcher;
  readonly places = new Places();
  readonly knowledge = new StackKnowledge();
  /** Connections, by `connectionKey`, of which the first message is in the capture. */
  readonly begun = new Set<string>();
  /** Lowest seqno of each member's group messages, by uuid. */
  readonly firstSeqnos = new Map<string, number>();
  /** Uuids of members that were let in by a coordinator: until then they have no view. */
  readonly joiners = new Set<string>();
  /** When members were left out of a view of JGroups' own membership, by uuid. */
  readonly leftMs = new Map<string, number>();
  /** Of the first tick of each member that shows, by uuid: an ack or a gap request. */
  readonly ticksMs = new Map<string, number>();
  /** Of the first tick for group messages, where each member tells of its last one. */
  readonly groupTicksMs = new Map<string, number>();
  /** Of the last message of an application, or a copy of it. */
  lastMessageMs = -Infinity;
  /** Uuids of those who asked for unicasts again. */
  readonly #askers = new Set<string>();
  /** Members of the last full view that each member was in. */
  readonly #viewOf = new Map<string, ReadonlySet<string>>();

  constructor(peers: readonly TruthPeer[], drops: readonly TruthDrop[]) {
    this.drops = new DropMatcher(peers, drops);
  }

  take(captured: CapturedDatagram): void {
    this.datagrams++;
    this.drops.take(captured);
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
    this.#look(datagram, captured);
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

  #look(datagram: AnyDatagram, captured: CapturedDatagram): void {
    const isSpoken = isOf36(datagram);
    if (!isSpoken) {
      this.obstacles.add(`JGroups ${formatVersion(datagram.version)} can be read here, but not spoken`);
    }
    const messages = datagram.kind === 'single' ? [datagram.message] : datagram.messages;
    this.messages += messages.length;
    for (const message of messages) this.#headers(message.headers, isSpoken);
    if (!isSpoken) return;
    // of a version that is spoken, all are messages of 3.6
    for (const addressed of messagesOf(datagram)) this.#message(addressed, datagram.version, captured);
  }

  #headers(headers: readonly AnyHeader[], isSpoken: boolean): void {
    for (const { protocol } of headers) {
      if (protocol === 'UNKNOWN') this.unknownHeaders++;
      if (!isSpoken || SPOKEN.includes(protocol)) continue;
      if (protocol === 'UNKNOWN') this.obstacles.add('some messages have a header of an unknown class');
      else if (!isService(protocol)) this.obstacles.add(`the stack has no ${protocol}`);
    }
  }

  #message(addressed: Addressed, version: number, captured: CapturedDatagram): void {
    const { message, src, dest } = addressed;
    const { timeMs } = captured;
    if (src !== null) this.#member(src, timeMs, version);
    if (dest !== null) this.#member(dest, timeMs, null);
    this.places.take(captured, addressed);
    this.knowledge.take(captured, addressed);
    if (src === null) return;
    if (isOfApplication(message)) this.lastMessageMs = Math.max(this.lastMessageMs, timeMs);
    const from = addressKey(src);
    const group = headerOf(message, 'NAKACK2');
    if (group?.type === 'MSG' || group?.type === 'XMIT_RSP') {
      this.firstSeqnos.set(from, Math.min(group.seqno, this.firstSeqnos.get(from) ?? Infinity));
    }
    if (group?.type === 'HIGHEST_SEQNO' && !this.groupTicksMs.has(from)) this.groupTicksMs.set(from, timeMs);
    if (headerOf(message, 'GMS')?.type === 'VIEW') this.#view(message, timeMs);
    if (dest === null) return;
    const to = addressKey(dest);
    if (headerOf(message, 'GMS')?.type === 'JOIN_RSP') this.joiners.add(to);
    this.#connection(addressed, from, to, timeMs);
  }

  /** Whoever creates a view leaves out those of his former view that are gone; one that merges has parts of others. */
  #view(message: Message, timeMs: number): void {
    const content = payloadOf(message);
    if (content?.kind !== 'view-and-digest' || content.view === null) return;
    const { view } = content;
    if (view.kind === 'delta') {
      for (const member of view.left) this.#left(addressKey(member), timeMs);
      return;
    }
    const creator = addressKey(view.viewId.creator);
    const members = new Set(view.members.map(addressKey));
    for (const member of this.#viewOf.get(creator) ?? [])
      if (!members.has(member)) this.#left(member, timeMs);
    for (const member of members) this.#viewOf.set(member, members);
  }

  #left(member: string, timeMs: number): void {
    if (!this.leftMs.has(member)) this.leftMs.set(member, timeMs);
  }

  #connection({ message }: Addressed, from: string, to: string, timeMs: number): void {
    const reliable = headerOf(message, 'UNICAST3');
    if (reliable?.type === 'DATA' && reliable.first) this.begun.add(connectionKey(from, to, reliable.connId));
    else if (reliable?.type === 'ACK' && !this.ticksMs.has(from)) this.ticksMs.set(from, timeMs);
    else if (reliable?.type === 'XMIT_REQ' && !this.#askers.has(from)) {
      this.#askers.add(from); // an ack may also come at once, a gap request never does
      this.ticksMs.set(from, timeMs);
    }
  }

  /** A tick of a member, of the kind that shows more; in a real stack both go on for themselves. */
  tickOf(uuid: string): number | undefined {
    return this.#askers.has(uuid)
      ? this.ticksMs.get(uuid)
      : (this.groupTicksMs.get(uuid) ?? this.ticksMs.get(uuid));
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
}

/** Null: it has none, or it makes no sense. */
function payloadOf(message: Message): ProtocolPayload | null {
  try {
    return decodePayload(message);
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}

function isOfApplication(message: Message): boolean {
  if (isServiceMessage(message) || headerOf(message, 'UFC') !== undefined) return false;
  if (headerOf(message, 'MFC') !== undefined || headerOf(message, 'STABLE') !== undefined) return false;
  const type = headerOf(message, 'UNICAST3')?.type ?? headerOf(message, 'NAKACK2')?.type ?? 'MSG';
  return type === 'DATA' || type === 'MSG' || type === 'XMIT_RSP';
}

/** Of the wire that the stack speaks. */
export function isOf36(datagram: AnyDatagram): datagram is Datagram {
  return wireVersion(datagram.version)?.spoken === true;
}

/** One direction between two members, under one connection id. */
export function connectionKey(from: string, to: string, connId: number): string {
  return `${from}>${to}#${connId}`;
}
