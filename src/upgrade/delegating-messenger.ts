import { JGroupsMessenger, type JGroupsMessengerOptions } from '../jgroups/jgroups-messenger.ts';
import type { Digest } from '../../codecs/jgroups/message.ts';
import type { Timer } from '../protocol/environment.ts';
import { present } from '../protocol/check-options.ts';
import { checkMessage } from '../protocol/check-message.ts';
import {
  checkTimeout,
  type Confirmation,
  DEFAULT_CONFIRM_TIMEOUT_MS,
  joinConfirmations,
} from '../protocol/confirmation.ts';
import { LocalProtocolError } from '../protocol/errors.ts';
import { formatMember, type MemberId } from '../protocol/member-id.ts';
import { bindOptions, createOwnId, type MessengerOptions } from '../protocol/messenger-options.ts';
import type {
  MessageHandler,
  MessageType,
  Messenger,
  MessengerStats,
  OutgoingMessage,
  SendResult,
  StackName,
  StackState,
} from '../protocol/messenger.ts';
import { PendingTotal } from '../protocol/send-limits.ts';
import type { PeerRecoveredHandler, PeerStalledHandler } from '../protocol/stalls.ts';
import type { View } from '../protocol/view.ts';
import { TcpMessenger, type TcpMessengerOptions } from '../tcp/tcp-messenger.ts';
import { GroupSwitch } from './group-switch.ts';
import { JointStalls } from './joint-stalls.ts';
import { mergeStats } from './merged-stats.ts';
import { isOrdered } from './ordered-messengers.ts';
import { nextState } from './retirement.ts';
import { DEFAULT_ROUTING_POLICY, type Route, route, type RoutingPolicy } from './routing.ts';

export interface DelegatingMessengerOptions
  extends JGroupsMessengerOptions, Omit<TcpMessengerOptions, keyof MessengerOptions> {
  readonly routing?: Partial<RoutingPolicy>;
}

/**
 * How long the legacy stack stays awake for a member that still has group messages for us. It tells of them every half
 * a second, so that several of its datagrams can be lost; and it wakes us up again if that was not enough.
 */
const LINGER_MS = 5_000;

/**
 * One member with two stacks on one port number. Each recipient is reached by one of them, chosen by the version
 * that it advertises; the legacy stack goes to sleep once the view holds no member that needs it.
 */
export class DelegatingMessenger implements Messenger {
  readonly #options: DelegatingMessengerOptions;
  readonly #policy: RoutingPolicy;
  readonly #udp: JGroupsMessenger;
  readonly #tcp: TcpMessenger;
  /** Null without JGroups' multicast: then a message to all is one to each. */
  readonly #group: GroupSwitch | null;
  readonly #stalls = new JointStalls();
  readonly #lingerTimer: Timer;
  /** By uuid, for the members of the view. A member keeps its stack while it is in the view: that keeps its order. */
  #routes = new Map<string, Route>();
  /** All members but this one, by stack: whom 'all' means. */
  #others: Record<StackName, MemberId[]> = { udp: [], tcp: [] };
  #udpState: StackState = 'active';
  #view: View | null = null;
  /** A member of the view used UDP though by its version it should not: we listen. */
  #heardByUdp = false;
  #started: Promise<MemberId> | null = null;

  constructor(options: DelegatingMessengerOptions) {
    this.#options = options;
    this.#policy = { ...DEFAULT_ROUTING_POLICY, ...present(options.routing ?? {}) };
    if (
      this.#policy.tcp === 'off' &&
      route(options.member, { ...this.#policy, tcp: 'auto' }).stack === 'tcp'
    ) {
      // the others would put their UDP to sleep, and never hear this member
      throw new LocalProtocolError(
        'ERR_OPTIONS',
        `a member with TCP switched off must not advertise version ${options.member.version}, which speaks TCP`,
      );
    }
    const shared = { ...options, pendingTotal: options.pendingTotal ?? new PendingTotal(options.limits) };
    this.#group = (options.jgroups?.multicast ?? null) === null ? null : new GroupSwitch(shared);
    this.#udp = this.#group?.udp ?? new JGroupsMessenger(shared);
    this.#tcp = this.#group?.tcp ?? new TcpMessenger(shared);
    this.#lingerTimer = options.environment.createTimer(() => this.#listenNoLonger());
    this.#udp.onSettled = () => this.#retire();
    if (this.#group !== null) this.#group.onSettled = () => this.#retire();
    this.#udp.onHeardDormant = (member) => this.#wake(member);
    this.#udp.setPeerStalledHandler((member, reason) => this.#stalls.stalled('udp', member, reason));
    this.#tcp.setPeerStalledHandler((member, reason) => this.#stalls.stalled('tcp', member, reason));
    this.#udp.setPeerRecoveredHandler((member) => this.#stalls.recovered('udp', member));
    this.#tcp.setPeerRecoveredHandler((member) => this.#stalls.recovered('tcp', member));
  }

  // --- life ------------------------------------------------------------------------------------------------

  start(): Promise<MemberId> {
    if (this.#udpState === 'closed') {
      return Promise.reject(new LocalProtocolError('ERR_CLOSED', 'the messenger was stopped'));
    }
    this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = null; // another port may be free
      throw error;
    });
    return this.#started;
  }

  async #start(): Promise<MemberId> {
    const { environment } = this.#options;
    const pair = await environment.bind(bindOptions(this.#options, { udp: true, tcp: true }));
    if (this.#udpState === 'closed') {
      await Promise.all([pair.udp?.close(), pair.tcp?.close(), pair.multicast?.close()]);
      throw new LocalProtocolError('ERR_CLOSED', 'the messenger was stopped before its port was bound');
    }
    const adopted = { pair, memberId: createOwnId(this.#options, pair.port) };
    await Promise.all([this.#udp.start(adopted), this.#tcp.start(adopted)]);
    return adopted.memberId;
  }

  get memberId(): MemberId {
    return this.#tcp.memberId;
  }

  async stop(): Promise<void> {
    this.#udpState = 'closed';
    this.#lingerTimer.clear();
    await Promise.all([this.#udp.stop(), this.#tcp.stop()]);
  }

  // --- messages --------------------------------------------------------------------------------------------

  send(message: OutgoingMessage): SendResult {
    return this.#send(message, true);
  }

  sendUnreliably(message: OutgoingMessage): SendResult {
    return this.#send(message, false);
  }

  #send(message: OutgoingMessage, reliable: boolean): SendResult {
    checkMessage(message);
    if (message.recipients === 'all' && this.#group?.byGroup === true) {
      return reliable ? this.#udp.send(message) : this.#udp.sendUnreliably(message);
    }
    const { udp, tcp } = this.#split(message, reliable);
    if (udp.length === 0) return sendBy(this.#tcp, message, tcp, reliable);
    const byUdp = sendBy(this.#udp, message, udp, reliable);
    if (tcp.length === 0) return byUdp;
    const byTcp = sendBy(this.#tcp, message, tcp, reliable);
    return {
      notInView: [...byUdp.notInView, ...byTcp.notInView],
      refused: [...byUdp.refused, ...byTcp.refused],
      writable: byUdp.writable && byTcp.writable,
    };
  }

  /**
   * As `send`; resolves when every recipient has confirmed that its application had the message, or after the time.
   * By TCP that is its acknowledgement. By UDP it is JGroups' RSVP, which the members there need in their stacks, and we
   * in `jgroups.protocols`; Geode's are without it. This member itself is not asked.
   *
   * While messages to all are about to change stacks, an ordered one may have to wait for others: it is then not sent at
   * all, and all its recipients are `refused`.
   * @param timeoutMs 0 or more. Default: `jgroups.rsvpTimeoutMs`, which is 10,000 unless set
   * @throws {LocalProtocolError} as `send`, before anything is sent, and `ERR_RSVP` if recipients are reached by UDP and
   *   the stack has no RSVP
   */
  sendAndConfirm(
    message: OutgoingMessage,
    timeoutMs: number = this.#options.jgroups?.rsvpTimeoutMs ?? DEFAULT_CONFIRM_TIMEOUT_MS,
  ): Promise<Confirmation> {
    checkMessage(message);
    checkTimeout(timeoutMs);
    const group = this.#group;
    if (message.recipients === 'all' && group?.byGroup === true) {
      if (!group.udp.holdsGroup || !isOrdered(message)) return this.#udp.sendAndConfirm(message, timeoutMs);
      const others = [...this.#others.udp, ...this.#others.tcp];
      const unconfirmed = others.map((member) => ({ member, reason: 'refused' as const }));
      return Promise.resolve({ confirmed: [], unconfirmed });
    }
    const { udp, tcp } = this.#split(message, true);
    const byUdp =
      udp.length === 0 ? [] : [this.#udp.sendAndConfirm({ ...message, recipients: udp }, timeoutMs)];
    const byTcp = this.#tcp.sendAndConfirm({ ...message, recipients: tcp }, timeoutMs);
    return Promise.all([...byUdp, byTcp]).then(joinConfirmations);
  }

  /** @throws {LocalProtocolError} `ERR_TOO_LARGE` */
  #split(message: OutgoingMessage, reliable: boolean): Record<StackName, readonly MemberId[]> {
    const byStack = this.#byStack(message.recipients);
    if (byStack.udp.length > 0) this.#udp.checkSize(message.payload.length, reliable);
    this.#tcp.checkSize(message.payload.length, reliable);
    return byStack;
  }

  /** Whoever is not in the view goes to the TCP side, which says so; so does this member itself. */
  #byStack(recipients: OutgoingMessage['recipients']): Record<StackName, readonly MemberId[]> {
    if (recipients === 'all') return this.#others;
    const byStack: Record<StackName, MemberId[]> = { udp: [], tcp: [] };
    for (const recipient of recipients)
      byStack[this.#routes.get(recipient.uuid)?.stack ?? 'tcp'].push(recipient);
    return byStack;
  }

  /** Which stack carries messages to a member, and why. Those to all may go another way: see `GroupSwitch`. */
  explain(recipient: MemberId): Route {
    return this.#routes.get(recipient.uuid) ?? route(recipient, this.#policy);
  }

  addHandler(type: MessageType, handler: MessageHandler): void {
    this.#udp.addHandler(type, handler);
    this.#tcp.addHandler(type, handler);
  }

  setDefaultHandler(handler: MessageHandler): void {
    this.#udp.setDefaultHandler(handler);
    this.#tcp.setDefaultHandler(handler);
  }

  setWritableHandler(handler: (recipient: MemberId) => void): void {
    this.#udp.setWritableHandler(handler);
    this.#tcp.setWritableHandler(handler);
  }

  /** See `StackMessenger`. A member that stalls on both stacks is told once. */
  setPeerStalledHandler(handler: PeerStalledHandler): void {
    this.#stalls.onStalled = handler;
  }

  /** Called once when a stalled recipient gets on again, on all stacks that it stalled on; not for one that left. */
  setPeerRecoveredHandler(handler: PeerRecoveredHandler): void {
    this.#stalls.onRecovered = handler;
  }

  /**
   * Asks an old member, of this view or an earlier one, whether it is there (Geode's quorum check). The answer comes to
   * the handler of `setPongHandler`, or never.
   * @throws {LocalProtocolError} `ERR_NOT_STARTED`, `ERR_CLOSED`; `ERR_HOST` for a member without an address to send to;
   *   `ERR_DORMANT` while UDP sleeps, since no answer would be heard
   */
  ping(member: MemberId): void {
    const { logger } = this.#options.environment;
    logger.debug(`${formatMember(this.memberId)} pings ${formatMember(member)}`);
    if (this.#udpState === 'closed') throw new LocalProtocolError('ERR_CLOSED', 'the messenger was stopped');
    if (this.#udpState === 'dormant')
      throw new LocalProtocolError('ERR_DORMANT', 'UDP sleeps: the view has no member that is reached by it');
    this.#udp.ping(member);
  }

  /** Of answers to `ping`. A sender that is not in the view is known by its address alone. */
  setPongHandler(handler: (sender: MemberId) => void): void {
    this.#udp.onPong = (sender) => {
      try {
        handler(sender);
      } catch (error) {
        this.#options.environment.logger.warn(`the pong handler failed: ${String(error)}`);
      }
    };
  }

  async ready(recipient: MemberId): Promise<boolean> {
    const ready = await Promise.all([this.#udp.ready(recipient), this.#tcp.ready(recipient)]);
    return ready.every(Boolean);
  }

  async flush(timeoutMs: number): Promise<boolean> {
    const settled = await Promise.all([this.#udp.flush(timeoutMs), this.#tcp.flush(timeoutMs)]);
    return settled.every(Boolean);
  }

  // --- views -----------------------------------------------------------------------------------------------

  /** @param options `digest`: with multicast, for a joiner's first view; see `digestForJoiner` */
  installView(view: View, options: { readonly digest?: Digest } = {}): void {
    const isNewer = this.#view === null || view.id > this.#view.id;
    this.#udp.installView(view, options); // says what is wrong with it, and that it is stale
    if (!isNewer) return;
    this.#tcp.installView(view);
    this.#view = view;
    this.#stalls.installView(view);
    this.#lingerTimer.clear();
    this.#route(view);
    this.#listenNoLonger();
  }

  /**
   * How far the group messages of each member have got here: for a joiner, which is to install its first view with it.
   * To be taken before anybody installs that view. Null without multicast.
   */
  digestForJoiner(): Digest | null {
    return this.#udp.digestForJoiner();
  }

  #route(view: View): void {
    const self = this.memberId;
    const routes = new Map<string, Route>();
    const others: Record<StackName, MemberId[]> = { udp: [], tcp: [] };
    for (const member of view.members) {
      if (member.uuid === self.uuid) continue;
      const known = this.#routes.get(member.uuid);
      const chosen = known ?? route(member, this.#policy);
      if (known === undefined) {
        const { logger } = this.#options.environment;
        logger.info(`${formatMember(member)} is reached by ${chosen.stack}: ${chosen.reason}`);
      }
      routes.set(member.uuid, chosen);
      others[chosen.stack].push(member);
    }
    this.#routes = routes;
    this.#others = others;
    this.#group?.viewInstalled(others.udp.length > 0 || this.#isOld, others.tcp);
  }

  /** Then the others reach this member by UDP. */
  get #isOld(): boolean {
    return this.explain(this.memberId).stack === 'udp';
  }

  /** Moves the legacy stack to the state that view and pending messages call for. */
  #retire(): void {
    const needed = this.#view === null || this.#others.udp.length > 0 || this.#isOld || this.#heardByUdp;
    const pending = this.#udp.pending + (this.#group?.udp.unstable ?? 0);
    const state = nextState(this.#udpState, { needed, pending });
    if (state === this.#udpState) return;
    const { logger } = this.#options.environment;
    logger.info(`UDP is ${state} (was ${this.#udpState}) with view ${this.#view?.id ?? 'none'}`);
    this.#udpState = state;
    this.#udp.setDormant(state === 'dormant');
  }

  #wake(member: MemberId): void {
    const { environment } = this.#options;
    const { logger } = environment;
    const who = `${formatMember(member)} uses UDP though it advertises version ${member.version}`;
    this.#heardByUdp = true;
    if (this.#group === null) logger.warn(`${who}; UDP is woken up until the next view`);
    else {
      logger.info(
        `${who}, as members do until all have their last group messages; UDP is woken up for a while`,
      );
      this.#lingerTimer.set(environment.nowMs() + LINGER_MS);
    }
    this.#retire();
  }

  #listenNoLonger(): void {
    this.#heardByUdp = false;
    this.#retire();
  }

  stats(): MessengerStats {
    const stackOf = (uuid: string): StackName => this.#routes.get(uuid)?.stack ?? 'tcp';
    return mergeStats(this.#udp.stats(), this.#tcp.stats(), this.#udpState, stackOf);
  }
}

function sendBy(
  messenger: Messenger,
  message: OutgoingMessage,
  to: readonly MemberId[],
  reliable: boolean,
): SendResult {
  const part = { ...message, recipients: to };
  return reliable ? messenger.send(part) : messenger.sendUnreliably(part);
}
