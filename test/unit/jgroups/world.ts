import {
  type Address,
  addressKey,
  type Datagram,
  type Digest,
  Flag,
  type GeodeAddress,
  type Header,
  type Message,
  type Nakack2Header,
  type Unicast3Header,
} from '../../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { decodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { decodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { VERSION_3_6_14 } from '../../../codecs/jgroups/version.ts';
import { GEODE_STACK, type JGroupsConfig } from '../../../src/jgroups/config.ts';
import { headerOf } from '../../../src/jgroups/protocol.ts';
import { JGroupsStack } from '../../../src/jgroups/stack.ts';
import { seededRng } from '../../../src/protocol/rng.ts';

/** Where datagrams to the multicast address go, as far as `Sent` tells. */
export const GROUP_PORT = 45_588;

/** A Geode address of its own for each number: uuid and port end in it. */
export function addressOf(n: number, viewId = 1): GeodeAddress {
  const uuid = n.toString(16).padStart(32, '0');
  return { kind: 'geode', host: '127.0.0.1', scopeId: 0, port: 41_000 + (n % 20_000), uuid, viewId };
}

export function data(seqno: number, connId = 0, first = seqno === 1): Unicast3Header {
  return { protocol: 'UNICAST3', type: 'DATA', seqno, connId, first };
}

export function ack(seqno: number, connId: number, timestamp: number): Unicast3Header {
  return { protocol: 'UNICAST3', type: 'ACK', seqno, connId, timestamp };
}

export interface Sent {
  readonly atMs: number;
  readonly bytes: Buffer;
  readonly port: number;
  /** What `describe` makes of it. */
  readonly text: string;
}

export interface Delivered {
  readonly from: Address;
  readonly payload: Buffer;
  readonly flags: number;
}

/** One stack with everything that it put out. */
export class Member {
  readonly address: GeodeAddress;
  readonly stack: JGroupsStack;
  readonly world: World;
  /** Since `take` was called last. */
  sent: Sent[] = [];
  readonly delivered: Delivered[] = [];
  readonly complaints: string[] = [];
  readonly acked = { messages: 0, bytes: 0 };
  /** By whom, as `name messages`, in the order told. */
  readonly ackedBy: string[] = [];
  onDeliver: (delivered: Delivered) => void = () => undefined;

  constructor(world: World, n: number, config: Partial<JGroupsConfig>) {
    this.world = world;
    this.address = addressOf(n);
    this.stack = new JGroupsStack(
      { ...GEODE_STACK, ...config },
      this.address,
      {
        transmit: (bytes, _host, port) => {
          const sent = { atMs: world.nowMs, bytes, port, text: describe(bytes) };
          this.sent.push(sent);
          world.carry(this, sent);
        },
        deliver: (from, payload, flags) => {
          const delivered = { from, payload: Buffer.from(payload), flags };
          this.delivered.push(delivered);
          this.onDeliver(delivered);
        },
        acknowledged: (peer, messages, bytes) => {
          this.ackedBy.push(`${Number.parseInt(peer, 16)} ${messages}`);
          this.acked.messages += messages;
          this.acked.bytes += bytes;
        },
        complain: (kind, peer, what) => this.complaints.push(`${kind} ${peer}: ${what}`),
        transmitToGroup: (bytes) => {
          const sent = { atMs: world.nowMs, bytes, port: GROUP_PORT, text: describe(bytes) };
          this.sent.push(sent);
          world.carry(this, sent);
        },
      },
      seededRng(n),
      world.nowMs,
    );
  }

  send(to: { readonly address: Address }, payload: string | Buffer, flags: number = Flag.DONT_BUNDLE): void {
    this.stack.send(to.address, Buffer.from(payload), flags, this.world.nowMs);
  }

  sendToGroup(payload: string | Buffer, flags: number = Flag.DONT_BUNDLE, loopback = false): void {
    this.stack.sendToGroup(Buffer.from(payload), flags, this.world.nowMs, loopback);
  }

  view(...members: readonly { readonly address: Address }[]): void {
    this.install(0, [this, ...members]);
  }

  /** A view in its order; the first member made it. */
  install(id: number, members: readonly { readonly address: Address }[], digest?: Digest): void {
    const addresses = members.map((member) => member.address);
    const viewId = { creator: addresses[0] as Address, id };
    const known = digest === undefined ? {} : { digest };
    this.stack.installView({ viewId, members: addresses, ...known }, this.world.nowMs);
  }

  /** A datagram from the wire. */
  handle(bytes: Uint8Array, fromPort = 49_999): void {
    this.stack.handleDatagram(bytes, '127.0.0.1', fromPort, this.world.nowMs);
  }

  /** What was sent since the last call, as text. */
  take(): string[] {
    return this.takeSent().map(({ text }) => text);
  }

  takeSent(): Sent[] {
    const sent = this.sent;
    this.sent = [];
    return sent;
  }

  /** All payloads that were delivered, as text. */
  get texts(): string[] {
    return this.delivered.map(({ payload }) => payload.toString());
  }
}

/** A peer that says exactly what a test wants it to say, and answers nothing. */
export class Puppet {
  readonly address: Address;
  readonly port: number;
  readonly #world: World;

  constructor(world: World, address: GeodeAddress) {
    this.#world = world;
    this.address = address;
    this.port = address.port;
  }

  message(to: Member, headers: Header[], payload: string | Uint8Array | null = null, flags = 0): Message {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    return { dest: to.address, src: this.address, flags, headers, payload: bytes };
  }

  /** A datagram with one message; the TP header is put on. */
  say(to: Member, headers: Header[], payload: string | Uint8Array | null = null, flags = 0): void {
    to.handle(single(this.message(to, headers, payload, flags)), this.port);
  }

  /** A group message; the TP header is put on. */
  cry(to: Member, headers: Header[], payload: string | Uint8Array | null = null, flags = 0): void {
    to.handle(single({ ...this.message(to, headers, payload, flags), dest: null }), this.port);
  }

  /** A group message with a payload that tells its seqno. */
  msg(to: Member, seqno: number, flags = 0, type: 'MSG' | 'XMIT_RSP' = 'MSG'): void {
    const header: Header = { protocol: 'NAKACK2', type, seqno };
    if (type === 'MSG') this.cry(to, [header], `m${seqno}`, flags);
    else this.say(to, [header], `m${seqno}`, flags);
  }

  /** DATA with a payload that tells its seqno. */
  data(to: Member, seqno: number, connId = 0, first = seqno === 1, flags = 0): void {
    this.say(to, [data(seqno, connId, first)], `m${seqno}`, flags);
  }

  bundle(to: Member, messages: readonly Message[], toGroup = false): void {
    const bytes = encodeDatagram({
      kind: 'bundle',
      version: VERSION_3_6_14,
      multicast: toGroup,
      dest: toGroup ? null : to.address,
      src: this.address,
      cluster: 'AG',
      messages: messages.map((message) => ({ ...message, dest: null, src: null })),
    });
    to.handle(bytes, this.#world === to.world ? this.port : 0);
  }
}

export function single(message: Message, cluster: string | null = 'AG', version = VERSION_3_6_14): Buffer {
  return encodeDatagram({
    kind: 'single',
    version,
    multicast: message.dest === null,
    message: { ...message, headers: [...message.headers, { protocol: 'TP', cluster }] },
  });
}

interface InFlight {
  readonly from: Member;
  readonly sent: Sent;
}

/** Members, one clock and a network that carries everything at once, unless a test interferes. */
export class World {
  nowMs = 0;
  readonly #members: Member[] = [];
  #inFlight: InFlight[] = [];
  #carrying = false;
  /** True: the datagram is lost. */
  lose: (sent: Sent, from: Member) => boolean = () => false;
  /** Puts what is in flight into another order, or some of it twice. */
  shuffle: <T>(inFlight: T[]) => T[] = (inFlight) => inFlight;

  member(config: Partial<JGroupsConfig> = {}): Member {
    const member = new Member(this, this.#members.length + 1, config);
    this.#members.push(member);
    return member;
  }

  /** Members that all have view 1 of each other. */
  members(count: number, config: Partial<JGroupsConfig> = {}): Member[] {
    const members = Array.from({ length: count }, () => this.member(config));
    this.install(1, members);
    return members;
  }

  install(id: number, members: readonly Member[]): void {
    for (const member of members) member.install(id, members);
  }

  puppet(n = 99): Puppet {
    return new Puppet(this, addressOf(n));
  }

  /** Never from within the sender's call, as on a real network. */
  carry(from: Member, sent: Sent): void {
    this.#inFlight.push({ from, sent });
  }

  /** Delivers all that is in flight, and what that brings about, without time passing. */
  settle(): void {
    if (this.#carrying) return;
    this.#carrying = true;
    while (this.#inFlight.length > 0) {
      const batch = this.shuffle(this.#inFlight);
      this.#inFlight = [];
      for (const { from, sent } of batch) {
        if (this.lose(sent, from)) continue;
        for (const to of this.#members) {
          if (sent.port === GROUP_PORT || to.address.port === sent.port) {
            to.handle(sent.bytes, from.address.port);
          }
        }
      }
    }
    this.#carrying = false;
  }

  /** Lets time pass, with a stop at every deadline. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    this.settle();
    for (;;) {
      const deadline = Math.min(...this.#members.map(({ stack }) => stack.nextDeadlineMs()));
      if (deadline > endMs) break;
      this.nowMs = Math.max(this.nowMs, deadline);
      for (const { stack } of this.#members) stack.handleTimeout(this.nowMs);
      this.settle();
    }
    this.nowMs = endMs;
  }
}

/** E.g. 'DATA 1 conn 0 first', 'ACK 5 conn 0 ts 1', 'XMIT_REQ 2,3', 'DATA 7 conn 0 REPLENISH 15000'. */
export function describe(bytes: Uint8Array): string {
  if (bytes.length === 4) return Buffer.from(bytes).toString('latin1');
  const datagram: Datagram = decodeDatagram(bytes);
  if (datagram.kind === 'bundle') return `bundle of ${datagram.messages.length}`;
  const { message } = datagram;
  const unicast3 = headerOf(message, 'UNICAST3');
  const nakack2 = headerOf(message, 'NAKACK2');
  const stable = headerOf(message, 'STABLE');
  const frag2 = headerOf(message, 'FRAG2');
  const parts: string[] = [];
  if (unicast3 !== undefined) parts.push(describeUnicast3(unicast3, message.payload));
  if (nakack2 !== undefined) parts.push(describeNakack2(nakack2, message.payload));
  if (stable !== undefined)
    parts.push(`${stable.type} view ${stable.viewId?.id ?? 'none'}`, describeDigest(message));
  for (const fc of [headerOf(message, 'UFC'), headerOf(message, 'MFC')]) {
    const credits = Buffer.from(message.payload ?? []);
    if (fc?.protocol === 'MFC') parts.push(`MFC ${fc.type} ${credits.readBigInt64BE()}`);
    else if (fc !== undefined) parts.push(`${fc.type} ${credits.readBigInt64BE()}`);
  }
  if (parts.length === 0) parts.push('plain');
  if (frag2 !== undefined) parts.push(`frag ${frag2.id}:${frag2.fragNo}/${frag2.numFrags}`);
  return parts.join(' ');
}

function describeUnicast3(header: Unicast3Header, payload: Uint8Array | null): string {
  switch (header.type) {
    case 'DATA':
      return `DATA ${header.seqno} conn ${header.connId}${header.first ? ' first' : ''}`;
    case 'ACK':
      return `ACK ${header.seqno} conn ${header.connId} ts ${header.timestamp}`;
    case 'SEND_FIRST_SEQNO':
      return `SEND_FIRST_SEQNO ts ${header.timestamp}`;
    case 'XMIT_REQ':
      return `XMIT_REQ ${decodeSeqnoList(payload ?? new Uint8Array(0)).join(',')}`;
    case 'CLOSE':
      return `CLOSE conn ${header.connId}`;
  }
}

/** E.g. 'MSG 5', 'NAK XMIT_REQ 99: 2,3' for messages of member 99. */
function describeNakack2(header: Nakack2Header, payload: Uint8Array | null): string {
  if (header.type !== 'XMIT_REQ') return `${header.type} ${header.seqno}`;
  const sender = Number.parseInt(addressKey(header.sender), 16);
  return `NAK XMIT_REQ ${sender}: ${decodeSeqnoList(payload ?? new Uint8Array(0)).join(',')}`;
}

/** E.g. '1:3-5 2:0-0': member 1's are delivered up to 3 and received up to 5. */
function describeDigest(message: Message): string {
  const payload = decodePayload(message);
  if (payload?.kind !== 'digest' || payload.digest === null) return 'no digest';
  return digestText(payload.digest);
}

export function digestText({ members, seqnos }: Digest): string {
  return seqnos
    .map(({ highestDelivered, highestReceived }, i) => {
      const member = members?.[i];
      const name = member === undefined ? '?' : Number.parseInt(addressKey(member), 16);
      return `${name}:${highestDelivered}-${highestReceived}`;
    })
    .join(' ');
}

/** The message of a datagram that was sent. */
export function messageOf(sent: Sent | undefined): Message {
  if (sent === undefined) throw new Error('nothing was sent');
  const datagram = decodeDatagram(sent.bytes);
  if (datagram.kind !== 'single') throw new Error('a bundle');
  return datagram.message;
}

export const keyOf = (member: { readonly address: Address }): string => addressKey(member.address);

/** The messages of a datagram that was sent, whether one or several. */
export function messagesOf(sent: Sent): readonly Message[] {
  const datagram = decodeDatagram(sent.bytes);
  return datagram.kind === 'single' ? [datagram.message] : datagram.messages;
}

/** Seqnos of a datagram's DATA messages; those of fillers, which have no payload, are negative. */
export function seqnosOf(sent: Sent): number[] {
  return messagesOf(sent).flatMap((message) => {
    const header = headerOf(message, 'UNICAST3');
    if (header?.type !== 'DATA') return [];
    return message.payload === null ? [-header.seqno] : [header.seqno];
  });
}
