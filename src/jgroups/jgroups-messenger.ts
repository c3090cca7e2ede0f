import { isIpLiteral } from '../../codecs/bytes/ip.ts';
import {
  type Address,
  type Digest,
  Flag,
  type GeodeAddress,
  type ViewId,
} from '../../codecs/jgroups/message.ts';
import type { Confirmation } from '../protocol/confirmation.ts';
import type { DatagramSocket, PortPair, Timer } from '../protocol/environment.ts';
import { InvariantError, LocalProtocolError } from '../protocol/errors.ts';
import { createMemberId, formatMember, type MemberId } from '../protocol/member-id.ts';
import type { MessengerOptions } from '../protocol/messenger-options.ts';
import type { OutgoingMessage, PeerStats, StackStats } from '../protocol/messenger.ts';
import { StackMessenger } from '../protocol/stack-messenger.ts';
import { memberTimeoutOf } from '../protocol/stalls.ts';
import type { View } from '../protocol/view.ts';
import { type JGroupsConfig, resolveConfig } from './config.ts';
import { ConfirmationCollector } from './confirmation.ts';
import { digestEntries } from './digest.ts';
import { largestPayload } from './frag2.ts';
import type { Audience } from './protocol.ts';
import { PING, PING_FLAGS, PONG, quorumPing } from './quorum-ping.ts';
import { JGroupsStack } from './stack.ts';

/** What Geode sets on its messages beside DONT_BUNDLE (WIRE-3.6 section 13), and what our unordered ones need. */
const SendFlags = {
  ordered: 0,
  unordered: Flag.OOB,
  highPriority: Flag.OOB | Flag.NO_FC | Flag.SKIP_BARRIER,
  unreliable: Flag.OOB | Flag.NO_FC | Flag.NO_RELIABILITY,
} as const;

export interface JGroupsMessengerOptions extends MessengerOptions {
  /** Settings of the stack that differ from Geode's. */
  readonly jgroups?: Partial<JGroupsConfig>;
  /**
   * Messages wait until the end of the turn for others to the same recipient, to share a datagram. Default: as Geode
   * has it, messages to members leave at once while little is under way to them; those to the group are bundled.
   */
  readonly bundle?: boolean;
}

/** The legacy stack behind the messenger's contract: one member that talks reliable UDP with JGroups 3.6 peers. */
export class JGroupsMessenger extends StackMessenger {
  readonly #config: JGroupsConfig;
  readonly #bundle: boolean | undefined;
  readonly #memberTimeoutMs: number;
  readonly #timer: Timer;
  /** By uuid, of the members of the view that can be reached by UDP. */
  readonly #addresses = new Map<string, GeodeAddress>();
  /** When the timer is set to go off, so that it is only touched when that changes. */
  #armedForMs = Infinity;
  #socket: DatagramSocket | null = null;
  #groupSocket: DatagramSocket | null = null;
  #stack: JGroupsStack | null = null;
  /** Of the view that is being installed. */
  #digest: Digest | undefined;
  #dormant = false;
  /** Of the message that is being sent. */
  #collector: ConfirmationCollector | null = null;
  /** While dormant: a member of the view sent a datagram. */
  onHeardDormant: (member: MemberId) => void = () => undefined;
  /** An answer to `ping`. A sender that is not in the view is known by its address alone. */
  onPong: (sender: MemberId) => void = () => undefined;

  /** @throws {LocalProtocolError} `ERR_OPTIONS` or `ERR_HOST` for options that cannot work */
  constructor(options: JGroupsMessengerOptions) {
    super(options, 'udp');
    this.#config = resolveConfig({ ...options.jgroups, cluster: options.cluster });
    this.#bundle = options.bundle;
    this.#memberTimeoutMs = memberTimeoutOf(options);
    this.#timer = options.environment.createTimer(() => this.#handleTimeout());
  }

  protected open(pair: PortPair, self: MemberId): void {
    const socket = pair.udp;
    if (socket === null) throw new InvariantError('the legacy stack needs the UDP half of the port');
    const { environment } = this;
    const { multicast } = this.#config;
    const group = typeof multicast === 'object' ? multicast : null;
    if (group !== null && (pair.multicast ?? null) === null) {
      throw new LocalProtocolError('ERR_MULTICAST', `nothing here can hear ${group.address}:${group.port}`);
    }
    const sendParts = socket.sendParts?.bind(socket);
    const stack = new JGroupsStack(
      this.#config,
      toAddress(self),
      {
        transmit: (datagram, host, port) => this.#socket?.send(datagram, host, port),
        ...(sendParts === undefined
          ? {}
          : {
              transmitParts: (head, payload, host, port) => {
                if (this.#socket !== null) sendParts(head, payload, host, port);
              },
            }),
        transmitToGroup: (datagram) => {
          if (group !== null) this.#socket?.send(datagram, group.address, group.port);
        },
        deliver: (src, payload, flags) => {
          if (!this.running) return;
          const ping = this.#config.answersPings ? quorumPing(payload, flags) : null;
          if (ping === null) this.deliver(this.#sender(src), payload);
          else this.#handlePing(src, ping);
        },
        acknowledged: (peer, messages, bytes) => this.acknowledged(peer, messages, bytes),
        groupStable: (messages) => this.groupStable(messages),
        complain: (kind, peer, what) => {
          // in every rolling upgrade late resends reach the member that has the port now
          const level = kind === 'dest' ? 'info' : 'warn';
          this.log[level](`${kind} ${peer}`, environment.nowMs(), () => `${this.#name(peer)}: ${what}`);
        },
      },
      environment.rng,
      environment.nowMs(),
    );
    this.#watchPeers(stack);
    this.#socket = socket;
    this.#groupSocket = pair.multicast ?? null;
    this.#stack = stack;
    const hear = (bytes: Uint8Array, host: string, port: number): void => {
      if (!this.running) return;
      if (this.#dormant) this.#hearDormant(bytes); // which may wake it up
      if (this.#dormant) return;
      const nowMs = environment.nowMs();
      stack.handleDatagram(bytes, host, port, nowMs);
      this.#armAfter(nowMs);
    };
    socket.onDatagram = hear;
    if (this.#groupSocket !== null) this.#groupSocket.onDatagram = hear;
    this.#arm();
  }

  #watchPeers(stack: JGroupsStack): void {
    const tell = (peer: string, call: (member: MemberId) => void): void => {
      const member = this.view?.find(peer) ?? null;
      if (this.running && member !== null) call(member);
    };
    const listener = {
      peerStalled: (peer: string, reason: string) => {
        stack.counters.peerStalls++;
        tell(peer, (member) => this.stalls.stalled(member, reason));
      },
      peerRecovered: (peer: string) => tell(peer, (member) => this.stalls.recovered(member)),
      groupStalled: (peer: string, reason: string) => {
        this.log.warn('group stalled', this.environment.nowMs(), () => {
          return `messages to the group are stalled: ${reason}; its coordinator ${this.#name(peer)} may know for whom`;
        });
      },
    };
    stack.watchPeers(this.#memberTimeoutMs, listener, this.environment.nowMs());
  }

  protected transmit(member: MemberId, message: OutgoingMessage, reliable: boolean): void {
    const address = this.#addresses.get(member.uuid);
    if (address === undefined) {
      this.#complainOfAddress(member); // and it ends as `memberLeft`
      this.#collector?.handleUnreachable(member);
      return;
    }
    const nowMs = this.environment.nowMs();
    const flags = sendFlags(message, reliable, this.#bundle ?? false);
    const confirm = this.#collector?.ask([member]);
    if (confirm === undefined) this.#running().send(address, message.payload, flags, nowMs);
    else this.#running().sendConfirmed(address, message.payload, flags, confirm, nowMs);
    this.#armAfter(nowMs);
  }

  /**
   * As `send`; resolves when every recipient has confirmed that its application had the message, or after the time.
   * Needs RSVP in the stack (`jgroups.protocols`), here and at the recipients: Geode's stacks are without it.
   * @param timeoutMs default: `jgroups.rsvpTimeoutMs`
   * @throws {LocalProtocolError} as `send`, and `ERR_RSVP` if the stack has no RSVP
   */
  sendAndConfirm(
    message: OutgoingMessage,
    timeoutMs: number = this.#config.rsvpTimeoutMs,
  ): Promise<Confirmation> {
    if (!this.#config.protocols.includes('RSVP')) {
      throw new LocalProtocolError('ERR_RSVP', 'to be confirmed, messages need RSVP among jgroups.protocols');
    }
    const collector = new ConfirmationCollector(timeoutMs);
    this.#collector = collector;
    try {
      collector.finish(this.send(message));
    } finally {
      this.#collector = null;
    }
    return collector.result;
  }

  /** 'all' is a group message if `jgroups.multicast` says so. */
  override get hasGroup(): boolean {
    return this.#config.multicast !== null;
  }

  /** The others in the view, for `transmitToGroup`. */
  protected get audience(): Audience {
    return this.#running().audience;
  }

  /** So many group messages are with all members, whoever of those they were for is still there. */
  protected groupStable(_messages: number): void {
    // outcomes are counted by member
  }

  /** For a stack that is to get done with its group messages: they become stable within two ticks. */
  setHasty(hasty: boolean): void {
    this.#running().setHasty(hasty);
  }

  /** @param audience of when the message was accepted, if that was under an earlier view */
  protected override transmitToGroup(message: OutgoingMessage, reliable: boolean, audience?: Audience): void {
    const flags = sendFlags(message, reliable, this.#bundle ?? true);
    const nowMs = this.environment.nowMs();
    const self = this.memberId.uuid;
    const confirm = this.#collector?.ask(this.view?.members.filter(({ uuid }) => uuid !== self) ?? []);
    if (confirm === undefined) this.#running().sendToGroup(message.payload, flags, nowMs, false, audience);
    else this.#running().sendConfirmed(null, message.payload, flags, confirm, nowMs);
    this.#arm();
  }

  /**
   * @param options `digest`: for the first view of a joiner, what its coordinator's `digestForJoiner()` was. Without it, group messages that members sent shortly before may be delivered here too, and those
   *   sent after may come some seconds late.
   * @throws {LocalProtocolError} `ERR_VIEW`, or `ERR_DIGEST` for a digest that is none
   */
  override installView(view: View, options: { readonly digest?: Digest } = {}): void {
    if (options.digest !== undefined) digestEntries(options.digest, view.members.map(toAddress));
    this.#digest = options.digest;
    try {
      super.installView(view);
    } finally {
      this.#digest = undefined;
    }
  }

  /**
   * How far the group messages of each member have got here: for a joiner, which is to install its first view with it.
   * To be taken before anybody installs that view; nothing becomes stable until it is installed here, or for 20 s.
   * Null without multicast.
   */
  digestForJoiner(): Digest | null {
    return this.#running().digestForJoiner(this.environment.nowMs());
  }

  protected viewInstalled(view: View): void {
    const before = new Map(this.#addresses);
    this.#addresses.clear();
    for (const member of view.members) {
      if (canReach(member)) this.#addresses.set(member.uuid, addressOf(member, before.get(member.uuid)));
      else this.#complainOfAddress(member);
    }
    const members = [...this.#addresses.values()];
    const digest = this.#digest === undefined ? {} : { digest: withMembers(this.#digest, view) };
    const viewId = viewIdOf(view);
    const ids = viewId === null ? {} : { viewId };
    this.#running().installView({ members, ...ids, ...digest }, this.environment.nowMs());
    this.#arm();
  }

  /**
   * Geode's quorum check: asks a member, of the view or of an earlier one, whether it is there. The answer comes by
   * `onPong`, or never. Not for a dormant messenger.
   * @throws {LocalProtocolError} `ERR_HOST` for a member that has no address to send to
   */
  ping(member: MemberId): void {
    if (!canReach(member)) {
      throw new LocalProtocolError('ERR_HOST', `${formatMember(member)} cannot be reached by UDP`);
    }
    this.#running().send(toAddress(member), PING, PING_FLAGS, this.environment.nowMs());
    this.#arm();
  }

  #handlePing(src: Address, kind: 'ping' | 'pong'): void {
    const stack = this.#running();
    if (kind === 'ping') {
      stack.counters.pingsAnswered++;
      stack.send(src, PONG, PING_FLAGS, this.environment.nowMs());
    } else {
      stack.counters.pongsReceived++;
      this.onPong(this.#sender(src));
    }
  }

  #complainOfAddress(member: MemberId): void {
    this.log.warn(
      `address ${member.uuid}`,
      this.environment.nowMs(),
      () =>
        `${formatMember(member)} cannot be reached by UDP: its host must be an IP address, its port not 0, its view id an int`,
    );
  }

  checkSize(length: number, reliable: boolean): void {
    // a fragment of an unreliable message that is lost would leave the others at the receiver for good
    const limit = reliable ? largestPayload(this.#config.fragSize) : this.#config.fragSize;
    if (length > limit) {
      throw new LocalProtocolError('ERR_TOO_LARGE', `${length} bytes are over the limit of ${limit}`);
    }
  }

  protected async close(): Promise<void> {
    this.#timer.clear();
    if (!this.#dormant) this.#running().stop(this.environment.nowMs());
    this.#running().close();
    const socket = this.#socket;
    this.#socket = null; // a handler may be running: what it brings about is not sent any more
    await Promise.all([socket?.close(), this.#groupSocket?.close()]);
  }

  protected stackStats(): Omit<StackStats, 'state'> {
    if (this.#stack === null) return { bytesSent: 0, bytesReceived: 0, counters: {} };
    const { bytesSent, bytesReceived, ...counters } = this.#stack.counters;
    return { bytesSent, bytesReceived, counters };
  }

  protected override peerStats(uuid: string): Pick<PeerStats, 'udp'> {
    const isHere = this.#stack !== null && uuid !== this.memberId.uuid && this.#addresses.has(uuid);
    return isHere ? { udp: this.#running().peerStats(uuid, this.environment.nowMs()) } : {};
  }

  /**
   * Dormant, it neither sends nor hears anything, but keeps its port and its connections: nothing is lost when it
   * wakes up, for peers resend.
   */
  setDormant(dormant: boolean): void {
    if (dormant && !this.#dormant && this.running) this.#running().stop(this.environment.nowMs());
    this.#dormant = dormant;
    this.#armedForMs = Infinity;
    this.#timer.clear();
    if (this.running) this.#arm();
    if (dormant) this.#stack?.forgetStalls();
  }

  #hearDormant(bytes: Uint8Array): void {
    const uuid = this.#running().senderOf(bytes);
    const member = uuid === null ? null : (this.view?.find(uuid) ?? null);
    if (member !== null) this.onHeardDormant(member);
  }

  #running(): JGroupsStack {
    if (this.#stack === null) throw new InvariantError('the stack is used before start()');
    return this.#stack;
  }

  #handleTimeout(): void {
    this.#armedForMs = Infinity;
    if (!this.running || this.#dormant) return;
    this.#running().handleTimeout(this.environment.nowMs());
    this.#arm();
  }

  /** For each message and datagram: a timer that is due already goes off when the turn ends, and is set anew then. */
  #armAfter(nowMs: number): void {
    if (this.#armedForMs > nowMs) this.#arm();
  }

  #arm(): void {
    if (this.#dormant || this.#stack === null) return;
    const deadlineMs = this.#stack.nextDeadlineMs();
    if (deadlineMs === this.#armedForMs) return;
    this.#armedForMs = deadlineMs;
    this.#timer.set(deadlineMs);
  }

  /** The id that the view has for an address; for a stranger what the address tells. */
  #sender(src: Address): MemberId {
    if (src.kind === 'ip') throw new InvariantError('a physical address is nobody');
    const member = this.view?.find(src.uuid);
    if (member !== undefined && member !== null) return member;
    if (src.kind === 'uuid') return createMemberId({ uuid: src.uuid, host: '', port: 0 });
    return createMemberId({ uuid: src.uuid, host: src.host, port: src.port, viewId: src.viewId });
  }

  /** @param peer a uuid or `host:port` */
  #name(peer: string): string {
    const member =
      this.view?.find(peer) ?? this.view?.members.find(({ host, port }) => `${host}:${port}` === peer);
    return member === undefined ? peer : formatMember(member);
  }
}

function sendFlags(message: OutgoingMessage, reliable: boolean, bundle: boolean): number {
  const dontBundle = message.dontBundle ?? !bundle;
  return kindFlags(message, reliable) | (dontBundle ? Flag.DONT_BUNDLE : 0);
}

function kindFlags(message: OutgoingMessage, reliable: boolean): number {
  if (!reliable) return SendFlags.unreliable;
  if (message.highPriority === true) return SendFlags.highPriority;
  return message.ordered === false ? SendFlags.unordered : SendFlags.ordered;
}

/** What Geode's address has room for, and a socket can send to. */
function canReach({ host, port, viewId }: MemberId): boolean {
  return isIpLiteral(host) && port > 0 && viewId === (viewId | 0);
}

/** A digest without members is in the order of its view. */
function withMembers(digest: Digest, view: View): Digest {
  return digest.members === null ? { ...digest, members: view.members.map(toAddress) } : digest;
}

/** As peers compare it: by the number and its creator's uuid. Null for a view of nobody. */
function viewIdOf({ id, creator }: View): ViewId | null {
  if (creator === null) return null;
  const host = isIpLiteral(creator.host) ? creator.host : '';
  return { id, creator: toAddress({ ...creator, host, viewId: creator.viewId | 0 }) };
}

/** The same object as long as it says the same: connections keep it, and its bytes are kept by object. */
function addressOf(member: MemberId, known: GeodeAddress | undefined): GeodeAddress {
  const isSame = known?.host === member.host && known.port === member.port && known.viewId === member.viewId;
  return isSame ? known : toAddress(member);
}

/** Geode's address of a member. IPv6 scope ids are a host's own affair and not sent. */
function toAddress(member: MemberId): GeodeAddress {
  const { host, port, uuid, viewId } = member;
  return { kind: 'geode', host, scopeId: 0, port, uuid, viewId };
}
