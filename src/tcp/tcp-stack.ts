import { CodecError } from '../../codecs/bytes/errors.ts';
import { encodeHello } from '../../codecs/tcp/v1/handshake.ts';
import { MAX_MESSAGE_BYTES } from '../../codecs/tcp/v1/limits.ts';
import type { Environment, Stream, StreamListener, Timer } from '../protocol/environment.ts';
import { LocalProtocolError } from '../protocol/errors.ts';
import { RateLimitedLog } from '../protocol/logger.ts';
import type { MemberId } from '../protocol/member-id.ts';
import { queueLimits, randomHex } from '../protocol/messenger-options.ts';
import type { MessengerOptions } from '../protocol/messenger-options.ts';
import type { OutgoingMessage, PeerStats, SendResult, StackStats } from '../protocol/messenger.ts';
import type { OutcomeLedger } from '../protocol/outcomes.ts';
import { SelfDelivery } from '../protocol/self-delivery.ts';
import type { View } from '../protocol/view.ts';
import { Acceptor } from './acceptor.ts';
import { createCounters } from './context.ts';
import type { TcpContext, Timed } from './context.ts';
import { createHello } from './handshake.ts';
import { DEFAULT_TIMINGS } from './limits.ts';
import type { TcpTimings } from './limits.ts';
import { Sender } from './sender.ts';
import { Turn } from './turn.ts';
import { MAX_UNRELIABLE_BYTES } from './unreliable-queue.ts';

export interface TcpStackParts {
  readonly options: MessengerOptions & { readonly timings?: Partial<TcpTimings> };
  readonly listener: StreamListener;
  readonly self: MemberId;
  readonly ledger: OutcomeLedger;
  readonly dispatch: (sender: MemberId, payload: Uint8Array) => void;
  readonly announceWritable: (recipient: MemberId) => void;
}

const NOBODY: readonly MemberId[] = [];

/** A running TCP stack: its senders, its door, and the one timer that drives them all. */
export class TcpStack implements TcpContext {
  readonly environment: Environment;
  readonly self: MemberId;
  readonly cluster: string;
  readonly session: string;
  readonly limits;
  readonly timings: TcpTimings;
  readonly log: RateLimitedLog;
  readonly counters = createCounters();
  readonly bytes = { sent: 0, received: 0 };
  readonly turn: Turn;
  readonly connections = new Set<Timed>();
  readonly #listener: StreamListener;
  readonly #ledger: OutcomeLedger;
  readonly #dispatch: (sender: MemberId, payload: Uint8Array) => void;
  readonly #announceWritable: (recipient: MemberId) => void;
  readonly #connect: (host: string, port: number) => Stream;
  readonly #timer: Timer;
  #wakeMs = Infinity;
  readonly #senders = new Map<string, Sender>();
  readonly #acceptor: Acceptor;
  readonly #toSelf: SelfDelivery;
  readonly #toSelfUnreliably: SelfDelivery;
  #nextConnId = 1;
  #stopped = false;
  #onAllClosed: () => void = () => undefined;
  view: View | null = null;

  /** @throws {LocalProtocolError} `ERR_OPTIONS` for limits or names that cannot be */
  constructor(parts: TcpStackParts) {
    const { options, listener, self } = parts;
    this.environment = options.environment;
    this.self = self;
    this.cluster = options.cluster;
    this.session = randomHex(options.environment.rng, 8);
    this.limits = queueLimits(options);
    this.timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.log = new RateLimitedLog(options.environment.logger);
    this.turn = new Turn(() => this.wake(this.environment.nowMs()));
    this.#ledger = parts.ledger;
    this.#dispatch = parts.dispatch;
    this.#announceWritable = parts.announceWritable;
    this.#checkNames();
    this.#timer = this.environment.createTimer(() => this.#handleTimer());
    this.#acceptor = new Acceptor(this, (uuid) => this.#ledger.depart(uuid));
    this.#toSelf = new SelfDelivery(this.environment, (payload) => this.#deliverToSelf(payload, true));
    this.#toSelfUnreliably = new SelfDelivery(this.environment, (payload) =>
      this.#deliverToSelf(payload, false),
    );
    this.#listener = listener;
    this.#connect = (host, port) => listener.connect(host, port);
    listener.onConnection = (stream) => this.#acceptor.accept(stream);
  }

  /** @throws {LocalProtocolError} `ERR_TOO_LARGE` for a payload over 64 MiB */
  send(message: OutgoingMessage): SendResult {
    const { payload } = message;
    checkSize(payload, MAX_MESSAGE_BYTES);
    const highPriority = message.highPriority === true;
    const unordered = message.ordered === false;
    return this.#toEach(message, (recipient) => {
      if (recipient.uuid === this.self.uuid) return this.#sendToSelf(payload, true);
      return this.#senderOf(recipient).send(payload, unordered, highPriority);
    });
  }

  /** @throws {LocalProtocolError} `ERR_TOO_LARGE` for a payload that does not go into one frame (1 MiB) */
  sendUnreliably(message: OutgoingMessage): SendResult {
    const { payload } = message;
    checkSize(payload, MAX_UNRELIABLE_BYTES);
    return this.#toEach(message, (recipient) => {
      if (recipient.uuid === this.self.uuid) return this.#sendToSelf(payload, false);
      return this.#senderOf(recipient).sendUnreliably(payload);
    });
  }

  installView(view: View): void {
    const before = this.view;
    if (before !== null && view.id <= before.id) return;
    this.view = view;
    const left = before === null ? [] : before.members.filter((member) => view.find(member.uuid) === null);
    const uuids = left.map((member) => member.uuid);
    this.turn.enter();
    for (const uuid of uuids) {
      this.#senders.get(uuid)?.close('DEPARTED', `view ${view.id} has dropped you`);
      this.#senders.delete(uuid);
    }
    for (const member of view.members) {
      const sender = this.#senders.get(member.uuid);
      if (sender !== undefined) sender.recipient = member;
    }
    this.#acceptor.installView(view, uuids);
    for (const uuid of uuids) this.#ledger.depart(uuid);
    this.turn.leave();
  }

  /** Resolves once the port is free. Everything else has happened when this returns. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#toSelf.stop();
    this.#toSelfUnreliably.stop();
    this.turn.enter();
    for (const sender of this.#senders.values()) sender.close('STOPPED', 'this member is stopping');
    this.#acceptor.close();
    this.turn.leave();
    this.#ledger.closeAll();
    return this.#closeListener();
  }

  stats(): { peers: PeerStats[]; figures: StackStats } {
    const peers: PeerStats[] = [];
    for (const member of this.view?.members ?? NOBODY)
      if (member.uuid !== this.self.uuid) this.#ledger.of(member);
    for (const { member, sent, received } of this.#ledger.peers()) {
      const isSelf = member.uuid === this.self.uuid;
      const pendingBytes = isSelf ? this.#toSelf.pendingBytes : this.#senders.get(member.uuid)?.pendingBytes;
      peers.push({ member, stack: 'tcp', sent: { ...sent }, received, pendingBytes: pendingBytes ?? 0 });
    }
    return {
      peers,
      figures: {
        bytesSent: this.bytes.sent,
        bytesReceived: this.bytes.received,
        counters: { ...this.counters, connections: this.connections.size },
      },
    };
  }

  wake(deadlineMs: number): void {
    if (deadlineMs >= this.#wakeMs) return;
    this.#wakeMs = deadlineMs;
    this.#timer.set(deadlineMs);
  }

  deliver(sender: MemberId, payload: Uint8Array): void {
    if (this.#stopped) return;
    this.#ledger.of(sender).received++;
    this.#dispatch(sender, payload);
  }

  announceWritable(recipient: MemberId): void {
    if (!this.#stopped) this.#announceWritable(recipient);
  }

  handleAllClosed(): void {
    this.#onAllClosed();
  }

  #toEach(message: OutgoingMessage, accept: (recipient: MemberId) => boolean): SendResult {
    const notInView: MemberId[] = [];
    const refused: MemberId[] = [];
    let writable = true;
    const isAll = message.recipients === 'all';
    for (const recipient of isAll ? (this.view?.members ?? NOBODY) : message.recipients) {
      if (isAll && recipient.uuid === this.self.uuid) continue;
      const member = isAll ? recipient : (this.view?.find(recipient.uuid) ?? null);
      if (member === null) {
        notInView.push(recipient);
        continue;
      }
      if (!accept(member)) refused.push(recipient);
      if (this.#senders.get(member.uuid)?.writable === false) writable = false;
    }
    return { notInView, refused, writable: writable && refused.length === 0 };
  }

  #senderOf(recipient: MemberId): Sender {
    let sender = this.#senders.get(recipient.uuid);
    if (sender === undefined) {
      const outcomes = this.#ledger.of(recipient);
      sender = new Sender(this, this.#connect, recipient, this.#nextConnId++, outcomes);
      this.#senders.set(recipient.uuid, sender);
    }
    return sender;
  }

  #sendToSelf(payload: Uint8Array, reliably: boolean): boolean {
    if (reliably) this.#ledger.of(this.self).accept();
    (reliably ? this.#toSelf : this.#toSelfUnreliably).send(payload);
    return true;
  }

  #deliverToSelf(payload: Uint8Array, reliably: boolean): void {
    if (reliably) this.#ledger.of(this.self).deliver(1);
    this.turn.enter();
    this.deliver(this.self, payload);
    this.turn.leave();
  }

  #handleTimer(): void {
    const nowMs = this.environment.nowMs();
    this.#wakeMs = Infinity;
    this.turn.enter();
    for (const sender of this.#senders.values()) sender.handleTimeout(nowMs);
    for (const connection of this.connections) connection.handleTimeout(nowMs);
    this.#acceptor.handleTimeout(nowMs);
    this.turn.leave();
    let deadlineMs = this.#acceptor.nextDeadline();
    for (const sender of this.#senders.values()) deadlineMs = Math.min(deadlineMs, sender.nextDeadline());
    for (const connection of this.connections) deadlineMs = Math.min(deadlineMs, connection.nextDeadline());
    this.wake(deadlineMs);
  }

  /** Last frames are given a moment to get out, for acks among them make outcomes. */
  async #closeListener(): Promise<void> {
    if (this.connections.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.environment.createTimer(resolve);
        timer.set(this.environment.nowMs() + this.timings.lingerMs);
        this.#onAllClosed = () => {
          timer.clear();
          resolve();
        };
      });
    }
    this.#timer.clear();
    this.#wakeMs = -Infinity; // never armed again
    await this.#listener.close();
  }

  /** What goes into every HELLO is encoded once, so that bad names show at the start and not at each connection. */
  #checkNames(): void {
    const { self, cluster, session } = this;
    try {
      encodeHello(createHello({ self, cluster, session, recipient: self, connId: 0, nextSeqno: 1 }));
    } catch (error) {
      if (!(error instanceof CodecError || error instanceof RangeError)) throw error;
      throw new LocalProtocolError('ERR_OPTIONS', `the wire cannot carry the own id: ${error.message}`);
    }
  }
}

function checkSize(payload: Uint8Array, limit: number): void {
  if (payload.length <= limit) return;
  throw new LocalProtocolError('ERR_TOO_LARGE', `${payload.length} bytes are over the limit of ${limit}`);
}
