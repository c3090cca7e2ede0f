import {
  type Address,
  addressKey,
  type Digest,
  Flag,
  type GeodeAddress,
  type ViewId,
} from '../../codecs/jgroups/message.ts';
import { InvariantError, LocalProtocolError } from '../protocol/errors.ts';
import type { UdpPeerStats } from '../protocol/messenger.ts';
import type { Rng } from '../protocol/rng.ts';
import type { JGroupsConfig, ProtocolName } from './config.ts';
import type { ProtocolContext } from './context.ts';
import { JGroupsCounters } from './counters.ts';
import { PeerTable } from './peer-counters.ts';
import { FRAG2 } from './frag2.ts';
import { MFC } from './mfc.ts';
import { NAKACK2 } from './nakack2.ts';
import type { Audience, Confirm, GroupView, InMessage, OutMessage, Protocol } from './protocol.ts';
import { RSVP } from './rsvp.ts';
import { Services } from './services.ts';
import { STABLE } from './stable.ts';
import { Transport, type TransportEvents } from './transport.ts';
import { type StallListener, StallWatch } from './stall-watch.ts';
import { UFC } from './ufc.ts';
import { UNICAST3 } from './unicast3.ts';
import { waitSources } from './wait-sources.ts';

/** What the stack wants done. Called synchronously, also from within calls into the stack. */
export interface StackEvents extends TransportEvents {
  /** @param toGroup it was sent to the group, not to this member alone */
  deliver(src: Address, payload: Uint8Array, flags: number, toGroup: boolean): void;
  /**
   * A message of JGroups' membership, discovery or failure detection, which this stack has not. Left out: the
   * application gets such messages like others, as in JGroups.
   */
  service?(message: InMessage, nowMs: number): void;
  /** Unicasts: acknowledged by the peer; group messages: stable, so that every member has them. */
  acknowledged(peer: string, messages: number, bytes: number): void;
  /** So many group messages of ours are with all members, whoever of those they were for is still there. */
  groupStable?(messages: number): void;
}

/** A view to install. Without `viewId` it is nobody's: the first member is taken for its creator, and 0 for its id. */
export interface StackView {
  readonly viewId?: ViewId;
  /** In the view's order, this member included. */
  readonly members: readonly Address[];
  /**
   * How far the others' group messages have got, for members that are new here: a joiner gets it from its
   * coordinator, which must have taken it before anybody installed this view.
   */
  readonly digest?: Digest;
}

/**
 * The legacy stack of one member, sans I/O: datagrams, sends, views and time go in; datagrams, deliveries and the
 * next deadline come out. Which protocols it has, and in which order, is its configuration's; below them is the
 * transport. A message to send falls through `down` of each; one that arrives rises through `up`.
 */
export class JGroupsStack {
  readonly counters = new JGroupsCounters();
  readonly #config: JGroupsConfig;
  readonly #self: GeodeAddress;
  readonly #selfKey: string;
  readonly #events: StackEvents;
  readonly #transport: Transport;
  /** From the bottom. */
  readonly #protocols: readonly Protocol[];
  readonly #unicast3: UNICAST3;
  readonly #nakack2: NAKACK2 | undefined;
  readonly #stable: STABLE | undefined;
  readonly #ufc: UFC | undefined;
  readonly #mfc: MFC | undefined;
  readonly #rsvp: RSVP | undefined;
  readonly #peers = new PeerTable();
  readonly #services: Services | null;
  #stallWatch: StallWatch | null = null;
  #audience: Audience = { epoch: 0, members: [] };

  /** @param config of `resolveConfig`, which checks it */
  constructor(config: JGroupsConfig, self: GeodeAddress, events: StackEvents, rng: Rng, nowMs: number) {
    this.#config = config;
    this.#self = self;
    this.#selfKey = addressKey(self);
    this.#events = events;
    const context: ProtocolContext = {
      config,
      counters: this.counters,
      self,
      selfKey: this.#selfKey,
      rng,
      peers: this.#peers,
      complain: (peer, what) => events.complain('protocol', peer, what),
      malformed: (peer, what) => {
        this.counters.malformed++;
        this.#peers.of(peer).malformed++;
        events.complain('protocol', peer, what);
      },
      acknowledged: (peer, messages, bytes) => events.acknowledged(peer, messages, bytes),
      groupStable: (messages) => events.groupStable?.(messages),
      startMs: nowMs,
    };
    this.#services =
      events.service === undefined ? null : new Services((message, ms) => events.service?.(message, ms));
    this.#protocols = createProtocols(context, this.#services);
    const unicast3 = this.#protocols.find((protocol) => protocol instanceof UNICAST3);
    if (unicast3 === undefined) throw new InvariantError('a stack without UNICAST3');
    this.#unicast3 = unicast3;
    this.#nakack2 = this.#protocols.find((protocol) => protocol instanceof NAKACK2);
    this.#stable = this.#protocols.find((protocol) => protocol instanceof STABLE);
    this.#ufc = this.#protocols.find((protocol) => protocol instanceof UFC);
    this.#mfc = this.#protocols.find((protocol) => protocol instanceof MFC);
    this.#rsvp = this.#protocols.find((protocol) => protocol instanceof RSVP);
    const top = {
      up: (message: InMessage) => this.#deliver(message),
      upBatch: (messages: readonly InMessage[]) => messages.forEach((message) => this.#deliver(message)),
    };
    this.#transport = new Transport(context, events, this.#protocols[0] ?? top);
    this.#protocols.forEach((protocol, i) =>
      protocol.connect(this.#protocols[i + 1] ?? top, this.#protocols[i - 1] ?? this.#transport),
    );
  }

  // --- inputs ----------------------------------------------------------------------------------------------

  /** @param flags bits of `Flag`; with NO_RELIABILITY the message is not counted as pending */
  send(dest: Address, payload: Uint8Array, flags: number, nowMs: number): void {
    const isReliable = (flags & Flag.NO_RELIABILITY) === 0;
    const pendingBytes = isReliable ? payload.length : 0;
    this.#down({ dest, flags, headers: [], payload, completes: isReliable ? 1 : 0, pendingBytes }, nowMs);
  }

  /**
   * To all members of the view, in order with our other group messages, in none with our unicasts, as in JGroups.
   * @param loopback also to ourselves (JGroups' default; Geode sets DONT_LOOPBACK)
   * @param audience whose acknowledgement counts; `audience` of an earlier time if it was accepted then
   * @throws {LocalProtocolError} `ERR_MULTICAST` if the configuration has no multicast
   */
  sendToGroup(
    payload: Uint8Array,
    flags: number,
    nowMs: number,
    loopback = false,
    audience = this.#audience,
  ): void {
    if (this.#config.multicast === null) {
      throw new LocalProtocolError('ERR_MULTICAST', 'a group message, and multicast is off');
    }
    const isReliable = (flags & Flag.NO_RELIABILITY) === 0;
    const pendingBytes = isReliable ? payload.length : 0;
    const completes = isReliable ? 1 : 0;
    this.#down(
      { dest: null, flags, headers: [], payload, completes, pendingBytes, audience, loopback },
      nowMs,
    );
  }

  /** The others in the view, as group messages remember them. */
  get audience(): Audience {
    return this.#audience;
  }

  /** `STABLE.setHasty`. */
  setHasty(hasty: boolean): void {
    this.#stable?.setHasty(hasty);
  }

  /** Whether recipients can be asked to confirm that the application has had a message. */
  get canConfirm(): boolean {
    return this.#rsvp !== undefined;
  }

  /**
   * As `send`, or `sendToGroup` if `dest` is null, and `confirm.settle` is called once all have confirmed it or it is
   * too late. A member without RSVP in its stack never does.
   * @throws {LocalProtocolError} `ERR_RSVP` if the configuration has no RSVP, `ERR_MULTICAST` as `sendToGroup`
   */
  sendConfirmed(
    dest: Address | null,
    payload: Uint8Array,
    flags: number,
    confirm: Confirm,
    nowMs: number,
  ): void {
    if (!this.canConfirm) throw new LocalProtocolError('ERR_RSVP', 'the stack is without RSVP');
    if (dest === null && this.#config.multicast === null) {
      throw new LocalProtocolError('ERR_MULTICAST', 'a group message, and multicast is off');
    }
    const group = dest === null ? { audience: this.#audience } : {};
    const wanted = flags | Flag.RSVP;
    this.#down(
      { ...counted(payload, flags), ...group, dest, flags: wanted, headers: [], payload, confirm },
      nowMs,
    );
  }

  /**
   * A message of the one who keeps the membership, as JGroups' GMS sends them: reliable and in order with our others,
   * with no flow control and in one piece. `dest` null: to the group.
   * @param headers its own
   * @throws {InvariantError} if the stack was made without `StackEvents.service`
   */
  sendService(
    { dest, flags, headers, payload }: Pick<OutMessage, 'dest' | 'flags' | 'headers' | 'payload'>,
    nowMs: number,
  ): void {
    if (this.#services === null) throw new InvariantError('a service message, and there is no service');
    const message: OutMessage = {
      dest,
      flags,
      headers: [...headers],
      payload,
      completes: 0,
      pendingBytes: 0,
    };
    this.#services.down(message, nowMs);
  }

  #down(message: OutMessage, nowMs: number): void {
    (this.#protocols.at(-1) ?? this.#transport).down(message, nowMs);
  }

  /** Uuid of who sent a datagram to this member; null if it is for nobody here or makes no sense. Changes nothing. */
  senderOf(bytes: Uint8Array): string | null {
    return this.#transport.senderOf(bytes);
  }

  handleDatagram(bytes: Uint8Array, host: string, port: number, nowMs: number): void {
    this.#transport.handleDatagram(bytes, host, port, nowMs);
    this.#flush(nowMs);
  }

  /** What was collected in this turn to be sent together leaves; `nextDeadlineMs` is at once while there is something. */
  #flush(nowMs: number): void {
    this.#unicast3.flush(nowMs);
    this.#transport.flush();
  }

  /** @throws {LocalProtocolError} `ERR_DIGEST` for a digest whose members and seqnos do not fit together */
  installView({ members, viewId, digest }: StackView, nowMs: number): void {
    if (digest !== undefined) this.#nakack2?.setDigest(digest, members);
    const keys = new Set(members.map(addressKey));
    const others = [...keys].filter((key) => key !== this.#selfKey);
    this.#audience = { epoch: this.#audience.epoch + 1, members: others };
    const view: GroupView = {
      viewId: viewId ?? { creator: members[0] ?? this.#self, id: 0 },
      members,
      keys,
      audience: this.#audience,
    };
    this.#peers.installView(keys);
    this.#stallWatch?.installView(keys);
    this.#transport.installView(view);
    for (const protocol of this.#protocols) protocol.installView(view, nowMs);
    for (const protocol of this.#protocols) protocol.viewInstalled(nowMs);
    this.#flush(nowMs);
  }

  /** How far each member's group messages have got here. Null without multicast. */
  digest(): Digest | null {
    return this.#nakack2?.digest() ?? null;
  }

  /**
   * As `digest`, for a joiner to start from. Until the next view, or for 20 s, nothing more becomes stable.
   */
  digestForJoiner(nowMs: number): Digest | null {
    this.#stable?.suspend(nowMs);
    return this.digest();
  }

  /**
   * After a merge, or for a joiner before its first view: a member's messages that the digest has and we have not
   * are given up. Own messages are never touched.
   * @throws {LocalProtocolError} `ERR_DIGEST`
   */
  mergeDigest(digest: Digest): void {
    this.#nakack2?.mergeDigest(digest);
  }

  /** @param peer key of a member */
  peerStats(peer: string, nowMs: number): UdpPeerStats {
    const { retransmitted, requested, duplicates, malformed } = this.#peers.find(peer);
    const { sent, acked, window, queue, gaps } = this.#unicast3.peerStats(peer);
    const { credits, queue: blocked, blockedMs } = this.#ufc?.peerStats(peer, nowMs) ?? NO_FLOW_CONTROL;
    const stats = {
      sent,
      acked,
      window,
      retransmitted,
      requested,
      duplicates,
      gaps,
      credits,
      queue: queue + blocked,
      blockedMs,
      malformed,
    };
    if (this.#nakack2 === undefined) return stats;
    return { ...stats, group: this.#nakack2.peerStats(peer, this.#mfc?.creditsOf(peer) ?? null) };
  }

  handleTimeout(nowMs: number): void {
    this.#transport.handleTimeout(nowMs);
    for (const protocol of this.#protocols) protocol.handleTimeout(nowMs);
    this.#flush(nowMs);
    this.#stallWatch?.handleTick(nowMs);
  }

  nextDeadlineMs(): number {
    let next = this.#transport.nextDeadlineMs();
    for (const protocol of this.#protocols) next = Math.min(next, protocol.nextDeadlineMs());
    return next;
  }

  /**
   * From now on `listener` is told of members that take nothing though something waits for them, once a stall. It may
   * call the stack.
   */
  watchPeers(memberTimeoutMs: number, listener: StallListener, nowMs: number): void {
    const protocols = {
      unicast3: this.#unicast3,
      nakack2: this.#nakack2,
      stable: this.#stable,
      ufc: this.#ufc,
      mfc: this.#mfc,
    };
    const sources = waitSources(protocols, this.#config, memberTimeoutMs);
    this.#stallWatch = new StallWatch(sources, listener, this.#config.xmitIntervalMs, nowMs);
  }

  /** While the stack sleeps nobody is waited for, nor stalled. Calls the listener: to be called last. */
  forgetStalls(): void {
    this.#stallWatch?.forget();
  }

  /** Last words before the socket closes, or the stack sleeps: peers need not resend what was delivered here. */
  stop(nowMs: number): void {
    this.#unicast3.sendPendingAcks(nowMs);
    this.#flush(nowMs);
  }

  /** It will not be used any more: who waits for something is told. */
  close(): void {
    this.#rsvp?.stop();
  }

  #deliver(message: InMessage): void {
    this.#events.deliver(message.src, message.payload ?? EMPTY, message.flags, message.toGroup);
  }
}

/** @param services goes below flow control and fragmentation, where JGroups has GMS */
function createProtocols(context: ProtocolContext, services: Services | null): Protocol[] {
  let nakack2: NAKACK2 | null = null;
  const protocols = context.config.protocols.map((name): Protocol => {
    switch (name) {
      case 'NAKACK2':
        return (nakack2 = new NAKACK2(context));
      case 'UNICAST3':
        return new UNICAST3(context);
      case 'STABLE':
        if (nakack2 === null) throw new InvariantError('STABLE without NAKACK2 below it');
        return new STABLE(context, nakack2);
      case 'UFC':
        return new UFC(context);
      case 'MFC':
        return new MFC(context);
      case 'FRAG2':
        return new FRAG2(context);
      case 'RSVP':
        return new RSVP(context);
    }
  });
  if (services === null) return protocols;
  const at = context.config.protocols.findIndex((name) => ABOVE_SERVICES.includes(name));
  return protocols.toSpliced(at < 0 ? protocols.length : at, 0, services);
}

const ABOVE_SERVICES: readonly ProtocolName[] = ['UFC', 'MFC', 'FRAG2'];

function counted(payload: Uint8Array, flags: number): Pick<OutMessage, 'completes' | 'pendingBytes'> {
  const reliable = (flags & Flag.NO_RELIABILITY) === 0;
  return { completes: reliable ? 1 : 0, pendingBytes: reliable ? payload.length : 0 };
}

const NO_FLOW_CONTROL = { credits: null, queue: 0, blockedMs: 0 };
const EMPTY = new Uint8Array(0);
