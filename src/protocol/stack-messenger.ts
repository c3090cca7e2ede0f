import { checkHost, checkPorts } from './check-endpoint.ts';
import { checkMessage } from './check-message.ts';
import type { Environment, PortPair } from './environment.ts';
import { InvariantError, LocalProtocolError } from './errors.ts';
import { FlushWaiters } from './flush-waiters.ts';
import { HandlerTable } from './handlers.ts';
import { RateLimitedLog } from './logger.ts';
import type { MemberId } from './member-id.ts';
import { type AdoptedPort, bindOptions, createOwnId, type MessengerOptions } from './messenger-options.ts';
import type {
  MessageHandler,
  MessageType,
  Messenger,
  MessengerStats,
  OutgoingMessage,
  PeerStats,
  SendResult,
  StackName,
  StackStats,
} from './messenger.ts';
import { OutcomeLedger } from './outcomes.ts';
import { Recipient } from './recipient.ts';
import { SelfDelivery } from './self-delivery.ts';
import { MESSAGE_OVERHEAD_BYTES, PendingTotal, type QueueLimits, queueLimits } from './send-limits.ts';
import { type PeerRecoveredHandler, type PeerStalledHandler, Stalls } from './stalls.ts';
import type { View } from './view.ts';

const NOBODY: readonly MemberId[] = Object.freeze([]);
/** Of nearly every message. */
const ALL_ACCEPTED: SendResult = Object.freeze({ notInView: NOBODY, refused: NOBODY, writable: true });

/**
 * What the messengers of both stacks have in common: life cycle, handlers, view, limits and the count of outcomes.
 * A stack's own messenger extends it by how a message gets to a peer.
 */
export abstract class StackMessenger implements Messenger {
  protected readonly options: MessengerOptions;
  protected readonly environment: Environment;
  protected readonly log: RateLimitedLog;
  protected readonly stalls: Stalls;
  readonly #stack: StackName;
  readonly #handlers: HandlerTable;
  readonly #limits: QueueLimits;
  readonly #total: PendingTotal;
  readonly #ledger = new OutcomeLedger();
  readonly #waiters: FlushWaiters;
  readonly #self: SelfDelivery;
  /** Unreliable messages, which are not counted. */
  readonly #selfOnce: SelfDelivery;
  readonly #peers = new Map<string, Recipient>();
  /** Recipients of a group message that was refused. */
  readonly #held = new Set<Recipient>();
  /** From senders that are not, or no longer, in the view: only counted, for anybody can make up a uuid. */
  #receivedFromStrangers = 0;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #memberId: MemberId | null = null;
  #view: View | null = null;
  #onWritable: (recipient: MemberId) => void = () => undefined;
  #started: Promise<MemberId> | null = null;
  #stopped: Promise<void> | null = null;
  /** Called whenever the last accepted message without an outcome got one. */
  onSettled: () => void = () => undefined;

  /** @throws {LocalProtocolError} `ERR_HOST`, `ERR_PORTS` or `ERR_OPTIONS` for what cannot work */
  constructor(options: MessengerOptions, stack: StackName) {
    checkHost(options.host);
    checkPorts(options.ports);
    this.options = options;
    this.environment = options.environment;
    this.#stack = stack;
    this.log = new RateLimitedLog(options.environment.logger);
    this.stalls = new Stalls(options.environment, this.log);
    this.#handlers = new HandlerTable(options.environment, options.typeOf);
    this.#limits = queueLimits(options);
    this.#total = options.pendingTotal ?? new PendingTotal(options.limits);
    this.#total.onRoom(() => this.#announceAll());
    this.#waiters = new FlushWaiters(options.environment, this.#ledger);
    const release = this.#ledger.onSettled;
    this.#ledger.onSettled = () => {
      release();
      this.onSettled();
    };
    this.#self = new SelfDelivery(options.environment, (payload) => this.#deliverToSelf(payload, true));
    this.#selfOnce = new SelfDelivery(options.environment, (payload) => this.#deliverToSelf(payload, false));
  }

  // --- what a stack adds -----------------------------------------------------------------------------------

  /** Takes its half of the port; called once. */
  protected abstract open(pair: PortPair, self: MemberId): void;
  /** Accepts a message for a member of the view; the outcome comes by `acknowledged`. */
  protected abstract transmit(member: MemberId, message: OutgoingMessage, reliable: boolean): void;
  /** Whether `transmitToGroup` can be used: then 'all' is one message, not one for each member. */
  protected get hasGroup(): boolean {
    return false;
  }
  /** Accepts a message for all other members of the view at once; outcomes come by `acknowledged`, one a member. */
  protected transmitToGroup(_message: OutgoingMessage, _reliable: boolean): void {
    throw new InvariantError(`the stack ${this.#stack} has no group messages`);
  }
  /** `departed`: uuids that were in the view before. */
  protected abstract viewInstalled(view: View, departed: readonly string[]): void;
  /** Says goodbye and frees the port. */
  protected abstract close(): Promise<void>;
  protected abstract stackStats(): Omit<StackStats, 'state'>;
  /** What the stack has to tell of one peer beside the counts of outcomes. */
  protected peerStats(_uuid: string): Pick<PeerStats, 'udp' | 'tcp' | 'tls'> {
    return {};
  }
  /** @throws {LocalProtocolError} `ERR_TOO_LARGE` */
  abstract checkSize(length: number, reliable: boolean): void;

  /** The peer acknowledged so many messages with so many payload bytes in all. */
  protected acknowledged(uuid: string, messages: number, bytes: number): void {
    const peer = this.#peers.get(uuid);
    if (peer === undefined) return;
    const cost = bytes + messages * MESSAGE_OVERHEAD_BYTES;
    peer.settle(cost, messages);
    this.#total.remove(cost, messages);
    if (peer.awaitsRoom && peer.hasRoom) this.#announceRoom(peer);
  }

  /** The limit on all recipients together was what some waited for. */
  #announceAll(): void {
    for (const peer of [...this.#peers.values()])
      if (peer.awaitsRoom && peer.hasRoom) this.#announceRoom(peer);
  }

  /** If a group message was refused for the sake of one of its recipients, all wait until every one has room. */
  #announceRoom(peer: Recipient): void {
    if (this.#held.has(peer)) this.#releaseGroup();
    else this.#announce(peer, true);
  }

  #releaseGroup(): void {
    for (const peer of this.#held) if (!peer.hasRoom) return;
    const held = [...this.#held];
    this.#held.clear();
    for (const peer of held) if (peer.awaitsRoom) this.#announce(peer, true);
  }

  #announce(peer: Recipient, ready: boolean): void {
    peer.announce(ready);
    try {
      this.#onWritable(peer.member);
    } catch (error) {
      this.log.warn(
        'writable handler',
        this.environment.nowMs(),
        () => `the writable handler failed: ${String(error)}`,
      );
    }
  }

  /** Hands a message to the application. `sender` is the view's id of it, where the view has one. */
  protected deliver(sender: MemberId, payload: Uint8Array): void {
    const peer = this.#peers.get(sender.uuid);
    if (peer === undefined) this.#receivedFromStrangers++;
    else peer.outcomes.received++;
    this.#handlers.dispatch(sender, payload, this.#stack, peer !== undefined);
  }

  protected get view(): View | null {
    return this.#view;
  }

  /** Accepted messages without an outcome. */
  get pending(): number {
    return this.#ledger.pending;
  }

  protected get running(): boolean {
    return this.#state === 'running';
  }

  // --- life ------------------------------------------------------------------------------------------------

  /** @param adopted a port that is bound already, and the id that belongs to it; without it one is bound here */
  start(adopted?: AdoptedPort): Promise<MemberId> {
    if (this.#stopped !== null) return this.#start(adopted); // which says that it was stopped
    this.#started ??= this.#start(adopted);
    return this.#started;
  }

  async #start(adopted?: AdoptedPort): Promise<MemberId> {
    try {
      this.#checkNotStopped();
      if (adopted !== undefined) return this.#run(adopted);
      const halves = { udp: this.#stack === 'udp', tcp: this.#stack === 'tcp' };
      const pair = await this.environment.bind(bindOptions(this.options, halves));
      try {
        this.#checkNotStopped();
      } catch (error) {
        await Promise.all([pair.udp?.close(), pair.tcp?.close(), pair.multicast?.close()]);
        throw error;
      }
      return this.#run({ pair, memberId: createOwnId(this.options, pair.port) });
    } catch (error) {
      this.#started = null; // another port may be free
      throw error;
    }
  }

  #checkNotStopped(): void {
    if (this.#stopped !== null) throw new LocalProtocolError('ERR_CLOSED', 'the messenger was stopped');
  }

  #run({ pair, memberId }: AdoptedPort): MemberId {
    this.#memberId = memberId;
    this.open(pair, memberId);
    this.#state = 'running';
    return memberId;
  }

  get memberId(): MemberId {
    if (this.#memberId === null) throw new LocalProtocolError('ERR_NOT_STARTED', 'call start() first');
    return this.#memberId;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const wasRunning = this.#state === 'running';
    this.#state = 'stopped';
    this.#self.stop();
    this.#selfOnce.stop();
    if (wasRunning) await this.close();
    const peers = [...this.#peers.values()];
    this.#peers.clear();
    this.#held.clear();
    for (const peer of peers) this.#forget(peer);
    this.#ledger.closeAll();
    for (const peer of peers) peer.announce(false);
  }

  #checkRunning(): MemberId {
    const self = this.memberId;
    if (this.#state !== 'running') throw new LocalProtocolError('ERR_CLOSED', 'the messenger was stopped');
    return self;
  }

  // --- messages --------------------------------------------------------------------------------------------

  send(message: OutgoingMessage): SendResult {
    return this.#send(message, true);
  }

  sendUnreliably(message: OutgoingMessage): SendResult {
    return this.#send(message, false);
  }

  #send(message: OutgoingMessage, reliable: boolean): SendResult {
    const self = this.#checkRunning();
    checkMessage(message);
    this.checkSize(message.payload.length, reliable);
    if (message.recipients === 'all' && this.hasGroup) return this.#sendToGroup(message, reliable);
    let notInView: MemberId[] | null = null;
    let refused: MemberId[] | null = null;
    let writable = true;
    for (const recipient of this.#recipients(message, self)) {
      const peer = this.#peers.get(recipient.uuid);
      if (peer === undefined) (notInView ??= []).push(recipient);
      else if (!reliable) this.#sendOnce(peer, message);
      else if (!this.#accept(peer, message)) {
        (refused ??= []).push(peer.member);
        writable = false;
      } else if (peer.checkMark()) writable = false;
    }
    if (writable && notInView === null) return ALL_ACCEPTED;
    return { notInView: notInView ?? NOBODY, refused: refused ?? NOBODY, writable };
  }

  /** To all or to none: one group message reaches every member. */
  #sendToGroup(message: OutgoingMessage, reliable: boolean): SendResult {
    const peers = [...this.#peers.values()].filter(({ isSelf }) => !isSelf);
    if (peers.length === 0) return { notInView: [], refused: [], writable: true };
    if (!reliable) {
      this.transmitToGroup(message, false);
      return { notInView: [], refused: [], writable: true };
    }
    const cost = message.payload.length + MESSAGE_OVERHEAD_BYTES;
    const urgent = message.highPriority === true;
    const lacking = peers.filter((peer) => !peer.checkRoom(cost, urgent));
    if (lacking.length > 0) {
      for (const peer of peers) {
        if (urgent) peer.awaitsRoom = true;
        else peer.refuse();
        this.#held.add(peer);
      }
      return { notInView: [], refused: peers.map(({ outcomes }) => outcomes.member), writable: false };
    }
    for (const peer of peers) peer.accept(cost);
    this.transmitToGroup(message, true);
    let writable = true;
    for (const peer of peers) if (peer.checkMark()) writable = false;
    return { notInView: [], refused: [], writable };
  }

  /** Each member once. */
  #recipients(message: OutgoingMessage, self: MemberId): Iterable<MemberId> {
    const { recipients } = message;
    if (recipients === 'all')
      return (this.#view?.members ?? []).filter((member) => member.uuid !== self.uuid);
    if (recipients.length < 2) return recipients;
    return new Map(recipients.map((member) => [member.uuid, member])).values();
  }

  #sendOnce(peer: Recipient, message: OutgoingMessage): void {
    if (peer.isSelf) this.#selfOnce.send(message.payload);
    else this.transmit(peer.member, message, false);
  }

  /** False: the queue is at its hard limit. */
  #accept(peer: Recipient, message: OutgoingMessage): boolean {
    const cost = message.payload.length + MESSAGE_OVERHEAD_BYTES;
    if (!peer.checkRoom(cost, message.highPriority === true)) return false;
    peer.accept(cost);
    if (peer.isSelf) this.#self.send(message.payload);
    else this.transmit(peer.member, message, true);
    return true;
  }

  #deliverToSelf(payload: Uint8Array, reliable: boolean): void {
    const self = this.memberId;
    if (reliable) this.acknowledged(self.uuid, 1, payload.length);
    this.deliver(self, payload);
  }

  addHandler(type: MessageType, handler: MessageHandler): void {
    this.#handlers.add(type, handler);
  }

  setDefaultHandler(handler: MessageHandler): void {
    this.#handlers.setDefault(handler);
  }

  setWritableHandler(handler: (recipient: MemberId) => void): void {
    this.#onWritable = handler;
  }

  /**
   * Called once when a recipient stalls: something waits for it, and it took nothing for `memberTimeoutMs`; told within
   * twice that. For a health monitor: retries go on until a view drops the member. `reason` is for people. The handler
   * may call the messenger.
   *
   * By TCP nothing was acknowledged, whether the member refuses connections, hangs or does not read, or it fell silent
   * without any waiting. By UDP it acknowledged nothing, or gave none of the credits that messages wait for; since acks
   * come at ticks of half a second, and may be lost, that takes 2 s at least. With multicast a coordinator is told as
   * well who does not gossip, four mean gossip intervals later.
   */
  setPeerStalledHandler(handler: PeerStalledHandler): void {
    this.stalls.onStalled = handler;
  }

  /** Called once when a stalled recipient gets on again; not for one that left the view. */
  setPeerRecoveredHandler(handler: PeerRecoveredHandler): void {
    this.stalls.onRecovered = handler;
  }

  ready(recipient: MemberId): Promise<boolean> {
    const peer = this.#peers.get(recipient.uuid);
    if (peer === undefined || !this.running) return Promise.resolve(false);
    if (!peer.awaitsRoom && !peer.checkMark()) return Promise.resolve(true);
    return peer.wait();
  }

  flush(timeoutMs: number): Promise<boolean> {
    return this.#waiters.wait(timeoutMs);
  }

  // --- views -----------------------------------------------------------------------------------------------

  installView(view: View): void {
    const self = this.#checkRunning();
    if (view.find(self.uuid) === null) {
      throw new LocalProtocolError('ERR_VIEW', `view ${view.id} does not contain this member, ${self.uuid}`);
    }
    if (this.#view !== null && view.id <= this.#view.id) {
      const { id } = this.#view;
      this.log.warn(
        'stale view',
        this.environment.nowMs(),
        () => `view ${view.id} is not newer than ${id}; ignored`,
      );
      return;
    }
    this.#view = view;
    const departedPeers = [...this.#peers.values()].filter(
      ({ outcomes }) => view.find(outcomes.member.uuid) === null,
    );
    const departed = departedPeers.map(({ outcomes }) => outcomes.member.uuid);
    for (const uuid of departed) this.#peers.delete(uuid);
    for (const member of view.members) {
      const outcomes = this.#ledger.of(member);
      if (!this.#peers.has(member.uuid))
        this.#peers.set(
          member.uuid,
          new Recipient(outcomes, member.uuid === self.uuid, this.#limits, this.#total),
        );
    }
    this.viewInstalled(view, departed);
    for (const peer of departedPeers) {
      this.#held.delete(peer);
      this.#forget(peer);
      this.#ledger.depart(peer.member.uuid);
    }
    // who waits for room must not wait for ever
    for (const peer of departedPeers) if (peer.awaitsRoom) this.#announce(peer, false);
    if (this.#held.size > 0) this.#releaseGroup();
  }

  /** What is pending for it weighs on nobody any more. */
  #forget(peer: Recipient): void {
    this.#total.remove(peer.pendingBytes, peer.outcomes.pending);
  }

  stats(): MessengerStats {
    return {
      viewId: this.#view?.id ?? -1,
      totals: this.#ledger.totals(),
      received: this.#ledger.received() + this.#receivedFromStrangers,
      peers: [...this.#ledger.peers()].map((outcomes) => ({
        member: outcomes.member,
        stack: this.#stack,
        sent: outcomes.sent,
        received: outcomes.received,
        pendingBytes: this.#peers.get(outcomes.member.uuid)?.pendingBytes ?? 0,
        ...this.peerStats(outcomes.member.uuid),
      })),
      stacks: { [this.#stack]: this.#stackStats() },
      ...tlsStats(this.environment),
    };
  }

  #stackStats(): StackStats {
    const { counters, ...bytes } = this.stackStats();
    const { unhandled, failed } = this.#handlers;
    const state = this.#state === 'stopped' ? 'closed' : 'active';
    return { state, ...bytes, counters: { ...counters, unhandled, handlerFailures: failed } };
  }
}

function tlsStats({ tls }: Environment): Pick<MessengerStats, 'tls'> {
  return tls === undefined || tls === null ? {} : { tls: tls.stats() };
}
