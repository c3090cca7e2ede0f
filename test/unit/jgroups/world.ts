import {
  type Address,
  addressKey,
  type Datagram,
  Flag,
  type GeodeAddress,
  type Header,
  type Message,
  type Unicast3Header,
} from '../../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { decodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { VERSION_3_6_14 } from '../../../codecs/jgroups/version.ts';
import { GEODE_STACK, type JGroupsConfig } from '../../../src/jgroups/config.ts';
import { headerOf } from '../../../src/jgroups/protocol.ts';
import { JGroupsStack } from '../../../src/jgroups/stack.ts';

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
        acknowledged: (_peer, messages, bytes) => {
          this.acked.messages += messages;
          this.acked.bytes += bytes;
        },
        complain: (kind, peer, what) => this.complaints.push(`${kind} ${peer}: ${what}`),
      },
      world.nowMs,
    );
  }

  send(to: Pick<Member, 'address'>, payload: string | Buffer, flags: number = Flag.DONT_BUNDLE): void {
    this.stack.send(to.address, Buffer.from(payload), flags, this.world.nowMs);
  }

  view(...members: readonly { readonly address: Address }[]): void {
    this.stack.installView(
      [this, ...members].map((member) => member.address),
      this.world.nowMs,
    );
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

  /** DATA with a payload that tells its seqno. */
  data(to: Member, seqno: number, connId = 0, first = seqno === 1, flags = 0): void {
    this.say(to, [data(seqno, connId, first)], `m${seqno}`, flags);
  }

  bundle(to: Member, messages: readonly Message[]): void {
    const bytes = encodeDatagram({
      kind: 'bundle',
      version: VERSION_3_6_14,
      multicast: false,
      dest: to.address,
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
    multicast: false,
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

  member(config: Partial<JGroupsConfig> = {}): Member {
    const member = new Member(this, this.#members.length + 1, config);
    this.#members.push(member);
    return member;
  }

  /** Members that all have a view of each other. */
  members(count: number, config: Partial<JGroupsConfig> = {}): Member[] {
    const members = Array.from({ length: count }, () => this.member(config));
    for (const member of members) member.view(...members.filter((other) => other !== member));
    return members;
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
      const batch = this.#inFlight;
      this.#inFlight = [];
      for (const { from, sent } of batch) {
        if (this.lose(sent, from)) continue;
        const to = this.#members.find(({ address }) => address.port === sent.port);
        to?.handle(sent.bytes, from.address.port);
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
  const ufc = headerOf(message, 'UFC');
  const frag2 = headerOf(message, 'FRAG2');
  const parts = unicast3 === undefined ? ['plain'] : [describeUnicast3(unicast3, message.payload)];
  if (ufc !== undefined) parts.push(`${ufc.type} ${Buffer.from(message.payload ?? []).readBigInt64BE()}`);
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

/** The message of a datagram that was sent. */
export function messageOf(sent: Sent | undefined): Message {
  if (sent === undefined) throw new Error('nothing was sent');
  const datagram = decodeDatagram(sent.bytes);
  if (datagram.kind !== 'single') throw new Error('a bundle');
  return datagram.message;
}

export const keyOf = (member: { readonly address: Address }): string => addressKey(member.address);
