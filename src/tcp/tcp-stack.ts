import { type AwaitedMessage, WAIT } from '../protocol/confirmation.ts';
import type { Environment, StreamListener, Timer } from '../protocol/environment.ts';
import type { RateLimitedLog } from '../protocol/logger.ts';
import type { MemberId } from '../protocol/member-id.ts';
import { randomHex } from '../protocol/messenger-options.ts';
import type { OutgoingMessage, StackStats, TcpPeerStats } from '../protocol/messenger.ts';
import type { PeerTlsStats } from '../protocol/security.ts';
import type { View } from '../protocol/view.ts';
import { Acceptor } from './acceptor.ts';
import { createCounters, type TcpContext, type Timed } from './context.ts';
import type { DoorLimits } from './door.ts';
import { type TcpTimings, UNRELIABLE_MAX_AGE_MS } from './limits.ts';
import { printable } from './printable.ts';
import { Sender } from './sender.ts';
import { Turn } from './turn.ts';

export interface TcpStackParts {
  readonly environment: Environment;
  readonly cluster: string;
  readonly timings: TcpTimings;
  readonly doorLimits: DoorLimits;
  readonly log: RateLimitedLog;
  readonly listener: StreamListener;
  readonly self: MemberId;
  /** Called synchronously, and may call back into the stack. */
  readonly deliver: (sender: MemberId, payload: Uint8Array) => void;
  readonly acknowledged: (recipientUuid: string, messages: number, bytes: number) => void;
  /** @param cause why the last connection was lost, empty if none was */
  readonly peerStalled: (recipient: MemberId, reason: string, cause: string) => void;
  readonly peerRecovered: (recipient: MemberId) => void;
}

/** A running TCP stack: its senders, its door, and the one timer that drives them all. */
export class TcpStack implements TcpContext {
  readonly environment: Environment;
  readonly self: MemberId;
  readonly cluster: string;
  readonly session: string;
  readonly timings: TcpTimings;
  readonly doorLimits: DoorLimits;
  readonly log: RateLimitedLog;
  readonly counters = createCounters();
  readonly bytes = { sent: 0, received: 0 };
  readonly turn: Turn;
  readonly connections = new Set<Timed>();
  readonly #parts: TcpStackParts;
  readonly #connect: StreamListener['connect'];
  readonly #timer: Timer;
  /** When the timer is set to go off: for a deadline, or for a turn to be made. */
  #armedMs = Infinity;
  /** No deadline of anybody is before that. */
  #deadlineMs = Infinity;
  readonly #senders = new Map<string, Sender>();
  readonly #acceptor: Acceptor;
  #nextConnId = 1;
  #closed = false;
  #onAllClosed: () => void = () => undefined;

  constructor(parts: TcpStackParts) {
    const { environment, listener } = parts;
    this.#parts = parts;
    this.environment = environment;
    this.self = parts.self;
    this.cluster = parts.cluster;
    this.timings = parts.timings;
    this.doorLimits = parts.doorLimits;
    this.log = parts.log;
    this.session = randomHex(environment.rng, 8);
    this.turn = new Turn(() => this.#arm(environment.nowMs()));
    this.#timer = environment.createTimer(() => this.#handleTimer());
    this.#acceptor = new Acceptor(this);
    this.#connect = (host, port, peer) => listener.connect(host, port, peer);
    listener.admits = (host) => this.#acceptor.admits(host);
    listener.onConnection = (stream) => this.#acceptor.accept(stream);
  }

  /** @param recipient a member of the view */
  send(recipient: MemberId, message: AwaitedMessage): void {
    const { payload, ordered, highPriority } = message;
    const wait = message[WAIT];
    const acknowledged = wait === undefined ? null : () => wait.handleAcknowledged(recipient.uuid);
    this.#senderOf(recipient).send(payload, ordered === false, highPriority === true, acknowledged);
  }

  sendUnreliably(recipient: MemberId, message: OutgoingMessage): void {
    this.#senderOf(recipient).sendUnreliably(message.payload, message.maxAgeMs ?? UNRELIABLE_MAX_AGE_MS);
  }

  /** @param departed uuids of members that were in the view before */
  installView(view: View, departed: readonly string[]): void {
    this.turn.enter();
    for (const uuid of departed) {
      this.#senders.get(uuid)?.close('DEPARTED', `view ${view.id} has dropped you`);
      this.#senders.delete(uuid);
    }
    for (const member of view.members) {
      const sender = this.#senders.get(member.uuid);
      if (sender !== undefined) sender.recipient = member;
    }
    this.#acceptor.installView(view, departed);
    this.turn.leave();
  }

  /** Nothing is delivered or acknowledged any more from here on. Resolves once the port is free. */
  async close(): Promise<void> {
    this.#closed = true;
    this.turn.enter();
    for (const sender of this.#senders.values()) sender.close('STOPPED', 'this member is stopping');
    this.#senders.clear();
    this.#acceptor.close();
    this.turn.leave();
    if (this.connections.size > 0) await this.#linger();
    this.#timer.clear();
    this.#armedMs = -Infinity; // never armed again
    await this.#parts.listener.close();
  }

  /** Null: nothing was sent to this member. */
  peerConnection(uuid: string): TcpPeerStats | null {
    return this.#senders.get(uuid)?.stats(this.environment.nowMs()) ?? null;
  }

  /** How the connections to and from this member are protected. */
  peerTls(uuid: string): PeerTlsStats {
    return { sending: this.#senders.get(uuid)?.link ?? null, receiving: this.#acceptor.linkOf(uuid) };
  }

  stats(): Omit<StackStats, 'state'> {
    return {
      bytesSent: this.bytes.sent,
      bytesReceived: this.bytes.received,
      counters: { ...this.counters, connections: this.connections.size },
    };
  }

  // --- for connections, senders and receivers --------------------------------------------------------------

  wake(deadlineMs: number): void {
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    this.#arm(deadlineMs);
  }

  deliver(sender: MemberId, payload: Uint8Array): void {
    if (!this.#closed) this.#parts.deliver(sender, payload);
  }

  acknowledged(recipientUuid: string, messages: number, bytes: number): void {
    if (!this.#closed) this.#parts.acknowledged(recipientUuid, messages, bytes);
  }

  peerStalled(recipient: MemberId, reason: string, cause: string): void {
    if (this.#closed) return;
    this.counters.peerStalls++;
    this.#parts.peerStalled(recipient, reason, printable(cause));
  }

  peerRecovered(recipient: MemberId): void {
    if (!this.#closed) this.#parts.peerRecovered(recipient);
  }

  handleClosed(connection: Timed): void {
    this.connections.delete(connection);
    this.#acceptor.handleGone(connection);
    if (this.connections.size === 0) this.#onAllClosed();
  }

  // --- the rest --------------------------------------------------------------------------------------------

  #senderOf(recipient: MemberId): Sender {
    let sender = this.#senders.get(recipient.uuid);
    if (sender === undefined) {
      sender = new Sender(this, this.#connect, recipient, this.#nextConnId++);
      this.#senders.set(recipient.uuid, sender);
    }
    return sender;
  }

  #arm(atMs: number): void {
    if (atMs >= this.#armedMs) return;
    this.#armedMs = atMs;
    this.#timer.set(atMs);
  }

  #handleTimer(): void {
    const nowMs = this.environment.nowMs();
    const lateMs = nowMs - this.#armedMs;
    this.#armedMs = Infinity;
    this.turn.enter();
    if (lateMs >= this.timings.stallTimeoutMs / 2)
      for (const sender of this.#senders.values()) sender.handleAbsence(nowMs);
    const isDue = nowMs >= this.#deadlineMs;
    if (isDue) this.#handleTimeout(nowMs);
    this.turn.leave();
    if (isDue) this.#deadlineMs = this.#nextDeadline();
    this.#arm(this.#deadlineMs);
  }

  /** Looks at everybody; a turn that only writes what was sent does without. */
  #handleTimeout(nowMs: number): void {
    for (const sender of this.#senders.values()) sender.handleTimeout(nowMs);
    for (const connection of this.connections) connection.handleTimeout(nowMs);
    this.#acceptor.handleTimeout(nowMs);
  }

  #nextDeadline(): number {
    let deadlineMs = this.#acceptor.nextDeadline();
    for (const sender of this.#senders.values()) deadlineMs = Math.min(deadlineMs, sender.nextDeadline());
    for (const connection of this.connections) deadlineMs = Math.min(deadlineMs, connection.nextDeadline());
    return deadlineMs;
  }

  /** Last frames are given a moment to get out: acks among them become the senders' outcomes. */
  #linger(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.environment.createTimer(resolve);
      timer.set(this.environment.nowMs() + this.timings.lingerMs);
      this.#onAllClosed = () => {
        timer.clear();
        resolve();
      };
    });
  }
}
