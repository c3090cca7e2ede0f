import type { DatagramSocket, Environment, PortPair, Stream, Timer } from '../../src/protocol/environment.ts';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { createMemberId, type MemberId } from '../../src/protocol/member-id.ts';
import type {
  IncomingMessage,
  MessageHandler,
  MessageType,
  Messenger,
  MessengerStats,
  OutcomeCounts,
  OutgoingMessage,
  SendResult,
  StackName,
} from '../../src/protocol/messenger.ts';
import { below } from '../../src/protocol/rng.ts';
import type { View } from '../../src/protocol/view.ts';
import type { MemberOptions } from './cluster.ts';
import {
  encodePacket,
  LAST,
  PacketReader,
  parsePacket,
  ReferencePeer,
  UNRELIABLE,
} from './reference-peer.ts';

/** Mistakes to make on purpose: the checker must see each of them. */
export type Defect =
  | 'loses'
  | 'duplicates'
  | 'reorders'
  | 'corrupts'
  | 'misdelivers'
  | 'miscounts'
  | 'counts-unacknowledged'
  | 'forgets-on-view'
  | 'never-resends'
  | 'never-writable'
  | 'reuses-buffers'
  | 'never-retires'
  | 'delivers-after-stop'
  | 'flushes-too-early';

export interface ReferenceOptions extends MemberOptions {
  /** Versions from here on understand the streams. */
  readonly newVersion: number;
  readonly typeOf?: (payload: Uint8Array) => MessageType | null;
  readonly defect?: Defect;
}

const BUFFERS = { udpReceiveBufferBytes: 1_000_000, udpSendBufferBytes: 1_000_000 };
const WINDOW_PACKETS = 64;
const RESEND_MS = { udp: 60, tcp: 400 };
const STALL_MS = 1_200;
const HIGH_WATER_BYTES = 256 * 1024;
const HARD_LIMIT_BYTES = 1024 * 1024;

/**
 * The smallest messenger that keeps the contract: go-back-N over whatever stack a recipient speaks. It is what the
 * simulator, the checker and the contract suite are tried with; nobody should use it for anything else.
 */
export class ReferenceMessenger implements Messenger {
  readonly #environment: Environment;
  readonly #options: ReferenceOptions;
  readonly #peers = new Map<string, ReferencePeer>();
  readonly #handlers = new Map<MessageType, MessageHandler>();
  readonly #totals: OutcomeCounts = { accepted: 0, delivered: 0, memberLeft: 0, closed: 0, pending: 0 };
  readonly #timer: Timer;
  #defaultHandler: MessageHandler = () => undefined;
  #writableHandler: (recipient: MemberId) => void = () => undefined;
  #state: 'new' | 'started' | 'closed' = 'new';
  #id: MemberId | null = null;
  #pair: PortPair | null = null;
  #udp: DatagramSocket | null = null;
  #view: View | null = null;
  #received = 0;
  #deliveries = 0;
  #held: (() => void) | null = null;
  #starting: Promise<MemberId> | null = null;
  #flushes: (() => void)[] = [];

  constructor(environment: Environment, options: ReferenceOptions) {
    this.#environment = environment;
    this.#options = options;
    this.#timer = environment.createTimer(() => this.#tick());
  }

  start(): Promise<MemberId> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<MemberId> {
    const { host, ports, kind, version, name } = this.#options;
    const isNew = kind === 'new';
    const pair = await this.#environment.bind({ ...BUFFERS, host, ports, udp: true, tcp: isNew });
    this.#pair = pair;
    this.#udp = pair.udp;
    if (pair.udp !== null) pair.udp.onDatagram = (bytes) => this.#handlePacket(Buffer.from(bytes), 'udp');
    if (pair.tcp !== null) pair.tcp.onConnection = (stream) => this.#read(stream);
    const digits = Array.from({ length: 32 }, () => below(this.#environment.rng, 16).toString(16));
    this.#id = createMemberId({ host, port: pair.port, uuid: digits.join(''), version, name });
    this.#state = 'started';
    this.#timer.set(this.#environment.nowMs() + 20);
    return this.#id;
  }

  get memberId(): MemberId {
    if (this.#id === null) throw new LocalProtocolError('ERR_NOT_STARTED', 'not started');
    return this.#id;
  }

  send(message: OutgoingMessage): SendResult {
    return this.#send(message, (peer) => {
      const reserve = message.highPriority === true ? HARD_LIMIT_BYTES / 8 : 0;
      if (peer.pendingBytes >= HARD_LIMIT_BYTES + reserve) return false;
      peer.enqueue(this.memberId.uuid, message.payload);
      this.#totals.accepted++;
      this.#transmit(peer, false);
      return true;
    });
  }

  sendUnreliably(message: OutgoingMessage): SendResult {
    return this.#send(message, (peer) => {
      const { payload: body } = message;
      const [from, to] = [this.memberId.uuid, peer.member.uuid];
      if (body.length <= 60_000) {
        this.#carry(peer, encodePacket({ kind: 'data', from, to, seqno: 0, flags: UNRELIABLE, body }));
      }
      return true;
    });
  }

  #send(message: OutgoingMessage, accept: (peer: ReferencePeer) => boolean): SendResult {
    const { uuid } = this.memberId;
    if (this.#state === 'closed') throw new LocalProtocolError('ERR_CLOSED', 'stopped');
    const all = (this.#view?.members ?? []).filter((member) => member.uuid !== uuid);
    const notInView: MemberId[] = [];
    const refused: MemberId[] = [];
    let writable = true;
    for (const recipient of message.recipients === 'all' ? all : message.recipients) {
      const peer = this.#peers.get(recipient.uuid);
      if (peer === undefined) {
        notInView.push(recipient);
        continue;
      }
      if (!accept(peer)) refused.push(recipient);
      if (peer.pendingBytes < HIGH_WATER_BYTES) continue;
      peer.blocked = true;
      writable = false;
    }
    return { notInView, refused, writable };
  }

  addHandler(type: MessageType, handler: MessageHandler): void {
    if (this.#handlers.has(type)) throw new LocalProtocolError('ERR_HANDLER', `${type} has a handler`);
    this.#handlers.set(type, handler);
  }

  setDefaultHandler(handler: MessageHandler): void {
    this.#defaultHandler = handler;
  }

  setWritableHandler(handler: (recipient: MemberId) => void): void {
    this.#writableHandler = handler;
  }

  async ready(recipient: MemberId): Promise<boolean> {
    for (;;) {
      const peer = this.#peers.get(recipient.uuid);
      if (peer === undefined || this.#state === 'closed') return false;
      if (peer.pendingBytes < HIGH_WATER_BYTES / 2) return true;
      await new Promise<void>((resolve) => this.#flushes.push(resolve)); // the next tick
    }
  }

  installView(view: View): void {
    if (view.find(this.memberId.uuid) === null) throw new LocalProtocolError('ERR_VIEW', 'without oneself');
    if (this.#view !== null && view.id <= this.#view.id) return;
    this.#view = view;
    for (const [uuid, peer] of this.#peers) {
      if (view.find(uuid) !== null) {
        if (this.#options.defect === 'forgets-on-view') peer.unacked.length = 0;
        continue;
      }
      this.#finish(peer, 'memberLeft');
      this.#peers.delete(uuid);
    }
    for (const member of view.members) {
      if (member.uuid !== this.memberId.uuid && !this.#peers.has(member.uuid)) {
        this.#peers.set(member.uuid, new ReferencePeer(member));
      }
    }
    const isRetired = view.members.every(({ version }) => version >= this.#options.newVersion);
    if (!isRetired) {
      if (this.#udp === null) void this.#bindUdpAgain();
    } else if (this.#options.defect !== 'never-retires') {
      void this.#udp?.close();
      this.#udp = null;
    }
  }

  /** An old member came back. */
  async #bindUdpAgain(): Promise<void> {
    const { host, port } = this.memberId;
    const { udp } = await this.#environment.bind({
      ...BUFFERS,
      host,
      ports: [port, port],
      udp: true,
      tcp: false,
    });
    this.#udp = udp;
    if (udp !== null) udp.onDatagram = (bytes) => this.#handlePacket(Buffer.from(bytes), 'udp');
  }

  flush(timeoutMs: number): Promise<boolean> {
    if (this.#options.defect === 'flushes-too-early') return Promise.resolve(true);
    const deadline = this.#environment.nowMs() + timeoutMs;
    return new Promise((resolve) => {
      const check = (): void => {
        const isDone = this.stats().totals.pending === 0;
        if (isDone || this.#environment.nowMs() >= deadline) resolve(isDone);
        else this.#flushes.push(check);
      };
      check();
    });
  }

  async stop(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#timer.clear();
    for (const peer of this.#peers.values()) this.#finish(peer, 'closed');
    for (const check of this.#flushes.splice(0)) check();
    await this.#udp?.close();
    if (this.#options.defect !== 'delivers-after-stop') await this.#pair?.tcp?.close();
  }

  stats(): MessengerStats {
    let pending = 0;
    for (const { counts } of this.#peers.values()) pending += counts.pending;
    const totals = { ...this.#totals, pending };
    if (this.#options.defect === 'counts-unacknowledged') {
      totals.delivered += pending;
      totals.pending = 0;
    }
    return {
      viewId: this.#view?.id ?? -1,
      totals,
      received: this.#received,
      peers: [...this.#peers.values()].map(({ member, counts, received, pendingBytes }) => {
        return { member, stack: this.#route(member), sent: { ...counts }, received, pendingBytes };
      }),
      stacks: {
        udp: {
          state: this.#udp === null ? 'closed' : 'active',
          bytesSent: 0,
          bytesReceived: 0,
          counters: {},
        },
      },
    };
  }

  #finish(peer: ReferencePeer, outcome: 'memberLeft' | 'closed'): void {
    this.#totals[outcome] += peer.counts.pending;
    peer.finish(outcome);
  }

  #tick(): void {
    const now = this.#environment.nowMs();
    for (const peer of this.#peers.values()) {
      if (peer.unacked.length === 0) {
        peer.progressMs = now;
        continue;
      }
      if (peer.stream !== null && now - peer.progressMs > STALL_MS) {
        peer.progressMs = now;
        peer.stream.destroy();
        peer.stream = null;
      }
      if (now - peer.sentMs >= RESEND_MS[this.#route(peer.member)]) this.#transmit(peer, true);
    }
    for (const check of this.#flushes.splice(0)) check();
    if (this.#state === 'started') this.#timer.set(now + 20);
  }

  #transmit(peer: ReferencePeer, again: boolean): void {
    if (again && this.#options.defect === 'never-resends') return;
    const start = again ? 0 : peer.inFlight;
    const end = Math.min(peer.unacked.length, WINDOW_PACKETS);
    for (let index = start; index < end; index++) {
      const { frame } = peer.unacked[index]!;
      this.#carry(peer, frame);
      if (this.#options.defect === 'reuses-buffers' && index === 7) frame[20]! ^= 1;
    }
    peer.inFlight = Math.max(peer.inFlight, end);
    if (end > start) peer.sentMs = this.#environment.nowMs();
  }

  #route(member: MemberId): StackName {
    const isNew = this.#options.kind === 'new' && member.version >= this.#options.newVersion;
    return isNew ? 'tcp' : 'udp';
  }

  #carry(peer: ReferencePeer, frame: Buffer): void {
    const { host, port } = peer.member;
    if (this.#route(peer.member) === 'udp') {
      this.#udp?.send(frame.subarray(4), host, port);
      return;
    }
    if (peer.stream === null) {
      const stream = this.#pair!.tcp!.connect(host, port);
      peer.stream = stream;
      stream.onClose = () => {
        if (peer.stream === stream) peer.stream = null;
      };
    }
    peer.stream.write(frame);
  }

  #read(stream: Stream): void {
    const reader = new PacketReader();
    stream.onData = (bytes) => reader.read(bytes, (packet) => this.#handlePacket(packet, 'tcp'));
  }

  #handlePacket(bytes: Buffer, stack: StackName): void {
    const packet = parsePacket(bytes);
    if (packet === null) return;
    const { kind, from, to, seqno, flags, body } = packet;
    const { defect } = this.#options;
    if (this.#state === 'closed' && defect !== 'delivers-after-stop') return;
    if (to !== this.memberId.uuid && defect !== 'misdelivers') return;
    const peer = this.#peers.get(from);
    if (peer === undefined) return;
    if (kind === 'ack') {
      this.#handleAck(peer, seqno);
      return;
    }
    if ((flags & UNRELIABLE) !== 0) {
      this.#deliver(peer, body, stack);
      return;
    }
    // As if a connection that is not known here were one's own.
    if (to !== this.memberId.uuid && peer.expected === 0) peer.expected = seqno;
    const isRepeated = defect === 'duplicates' && seqno === peer.expected - 1 && (flags & LAST) !== 0;
    if (seqno === peer.expected || isRepeated) {
      if (!isRepeated) peer.expected = seqno + 1;
      this.#handleData(peer, body, (flags & LAST) !== 0, stack);
    }
    const ack = { kind: 'ack', from: this.memberId.uuid, to: from, seqno: peer.expected, flags: 0 } as const;
    this.#carry(peer, encodePacket(ack));
  }

  #handleData(peer: ReferencePeer, body: Buffer, last: boolean, stack: StackName): void {
    peer.parts.push(body);
    if (!last) return;
    const payload = Buffer.concat(peer.parts);
    peer.parts = [];
    const { defect } = this.#options;
    const isUnlucky = this.#deliveries++ % 40 === 39;
    if (defect === 'loses' && isUnlucky) return;
    if (defect === 'corrupts' && isUnlucky && payload.length > 12) payload[payload.length - 1]! ^= 1;
    if (defect === 'reorders' && isUnlucky && this.#held === null) {
      this.#held = () => this.#deliver(peer, payload, stack);
      return;
    }
    this.#deliver(peer, payload, stack);
    const held = this.#held;
    this.#held = null;
    held?.();
  }

  #handleAck(peer: ReferencePeer, seqno: number): void {
    const before = peer.counts.delivered;
    if (!peer.acknowledge(seqno)) return;
    const isMiscounted = this.#options.defect === 'miscounts' && this.#deliveries % 40 === 39;
    this.#totals.delivered += peer.counts.delivered - before + (isMiscounted ? 1 : 0);
    peer.progressMs = this.#environment.nowMs();
    this.#transmit(peer, false);
    if (
      peer.blocked &&
      peer.pendingBytes < HIGH_WATER_BYTES / 2 &&
      this.#options.defect !== 'never-writable'
    ) {
      peer.blocked = false;
      this.#writableHandler(peer.member);
    }
  }

  #deliver(peer: ReferencePeer, payload: Buffer, stack: StackName): void {
    this.#received++;
    peer.received++;
    const type = this.#options.typeOf?.(payload) ?? null;
    const message: IncomingMessage = { sender: peer.member, inView: true, payload, type, stack };
    const handler = (type === null ? undefined : this.#handlers.get(type)) ?? this.#defaultHandler;
    try {
      handler(message);
    } catch (error) {
      this.#environment.logger.error(`a handler threw: ${String(error)}`);
    }
  }
}
