import {
  type Address,
  addressKey,
  type Datagram,
  type Digest,
  Flag,
  type GeodeAddress,
  type Message,
} from '../../../codecs/jgroups/message.ts';
import { decodeDatagram } from '../../../codecs/jgroups/registry.ts';
import type { JGroupsConfig } from '../../jgroups/config.ts';
import type { DigestEntry } from '../../jgroups/digest.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { foreignHeaders, isServiceMessage } from '../../jgroups/services.ts';
import { JGroupsStack } from '../../jgroups/stack.ts';
import { seededRng } from '../../protocol/rng.ts';
import { Alignment } from './alignment.ts';
import { type Addressed, messagesOf } from './captured-datagrams.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { idOf } from './fingerprint.ts';
import { JoinDigest } from './join-digest.ts';
import { type InstalledView, Membership, type ViewBook } from './membership.ts';
import { ReplyChecks } from './reply-checks.ts';
import { ReplyLog } from './reply-log.ts';
import { WireModel } from './wire-model.ts';

/** Who is to be replayed, from when to when. Times are milliseconds of the capture's clock. */
export interface MemberPlan {
  readonly name: string;
  readonly address: GeodeAddress;
  readonly config: JGroupsConfig;
  readonly startMs: number;
  readonly endMs: number;
  /** What the stack delivers from then on, the real member may not have got to any more. */
  readonly twilightMs: number;
  /** Hold deliveries against the wire's rules, for nobody logged them. */
  readonly selfChecked: boolean;
  /** It threw away more than is known: what it did not deliver, but was sent, is nobody's fault. */
  readonly forgiving: boolean;
  /** The lowest seqno of its group messages in the capture, if they are taken from there; else 1. */
  readonly firstSeqno: number;
}

const MAX_PROBLEMS = 20;

/**
 * JGroups reads unicasts and multicasts by two threads, and handles messages by several: what was captured shortly
 * before a view that came the other way may have been handled after it.
 */
const OTHER_THREAD_MS = 100;

/** Datagrams that are kept for that. */
const MAX_HELD = 1_000;

interface Held {
  readonly datagram: Datagram;
  readonly bytes: Buffer;
  readonly host: string;
  readonly port: number;
  readonly untilMs: number;
}

/** The production stack in the place of one real member. */
export class ReplayedMember {
  readonly plan: MemberPlan;
  readonly key: string;
  readonly stack: JGroupsStack;
  readonly model: WireModel;
  /** What the real member said, and what the stack did. */
  readonly real: ReplyLog;
  readonly ours: ReplyLog;
  /** By sender, unicasts and group messages apart: between them there is no order. */
  readonly checks = new Map<string, { readonly src: string; readonly check: DeliveryCheck }>();
  /** What would break a conversation with a real peer. */
  readonly wrong: string[] = [];
  readonly replyChecks: ReplyChecks;
  /** Views, as `viewKey` has them: of the model, and of the stack. */
  readonly views = { model: new Set<string>(), ours: new Set<string>() };
  readonly #alignment: Alignment;
  readonly #membership: Membership;
  readonly #modelMembership: Membership;
  readonly #joinDigest = new JoinDigest();
  readonly #resolve: (address: Address) => Address;
  /** With group messages of senders that are in no view yet. */
  #held: Held[] = [];
  /** Some of its group messages are not in the capture, so that ours have other numbers. */
  isMisnumbered = false;
  deliveredCount = 0;
  /** Messages of membership, discovery and failure detection. */
  serviceCount = 0;
  #nowMs: number;

  /**
   * @param resolve knows where a member is that has a plain UUID
   * @param books of the capture, apart for the stack and for the model that it is held against
   */
  constructor(
    plan: MemberPlan,
    nameOf: (key: string) => string,
    resolve: (address: Address) => Address,
    books: { readonly ours: ViewBook; readonly model: ViewBook },
  ) {
    const { config, address, startMs } = plan;
    this.plan = plan;
    this.key = addressKey(address);
    this.#resolve = resolve;
    this.#nowMs = startMs;
    this.real = new ReplyLog(config.useMcastXmit);
    this.ours = new ReplyLog(config.useMcastXmit);
    this.#alignment = new Alignment(this.key, plan.firstSeqno);
    this.stack = this.#createStack();
    this.model = this.#createModel();
    this.#membership = new Membership(
      this.key,
      books.ours,
      (view, nowMs) => this.#installInStack(view, nowMs),
      (nowMs) => this.stack.digestForJoiner(nowMs),
    );
    this.#modelMembership = new Membership(this.key, books.model, (view, nowMs) =>
      this.#installInModel(view, nowMs),
    );
    const { model, ours } = this;
    this.replyChecks = new ReplyChecks({
      key: this.key,
      plan,
      model,
      ours,
      nameOf,
      problem: (what) => this.#problem(what),
    });
  }

  #createStack(): JGroupsStack {
    const { config, address, startMs } = this.plan;
    return new JGroupsStack(
      config,
      address,
      {
        transmit: (bytes) => this.#transmitted(bytes),
        transmitToGroup: (bytes) => this.#transmitted(bytes),
        deliver: (src, payload, flags, toGroup) => this.#delivered(src, payload, flags, toGroup),
        service: (message, nowMs) => {
          this.serviceCount++;
          this.#membership.handle(message, nowMs);
        },
        acknowledged: () => undefined,
        complain: () => undefined,
      },
      seededRng(1),
      startMs,
    );
  }

  #createModel(): WireModel {
    const { selfChecked } = this.plan;
    return new WireModel(this.key, {
      deliverable: (src, payload, flags, toGroup) => {
        if (!this.model.group.hasView) this.#joinDigest.take(payload);
        if (selfChecked)
          this.check(src, toGroup).expect(idOf(payload), isOrdered(flags), isUnreliable(flags));
      },
      service: (_src, message) => this.#modelMembership.handle(message, this.#nowMs),
      credits: (src, protocol, message) => this.replyChecks.replenished(src, protocol, message),
      filled: (src, seqno, sinceMs, timeMs, toGroup) =>
        this.replyChecks.gapClosed(src, seqno, sinceMs, timeMs, toGroup),
    });
  }

  check(src: string, toGroup: boolean): DeliveryCheck {
    const key = toGroup ? `${src} to the group` : src;
    let entry = this.checks.get(key);
    if (entry === undefined) {
      entry = { src, check: new DeliveryCheck() };
      this.checks.set(key, entry);
    }
    return entry.check;
  }

  isAlive(timeMs: number): boolean {
    return timeMs <= this.plan.endMs;
  }

  // --- time and views ----------------------------------------------------------------------------------------

  nextDeadlineMs(): number {
    return this.stack.nextDeadlineMs();
  }

  handleTimeout(nowMs: number): void {
    this.#nowMs = nowMs;
    if (nowMs > this.stack.nextDeadlineMs()) this.replyChecks.resumeTicks(nowMs);
    this.stack.handleTimeout(nowMs);
  }

  /** The view that it should have. */
  get view(): InstalledView | null {
    return this.#modelMembership.current;
  }

  /** From outside, as Geode does it. */
  installView(view: InstalledView, nowMs: number): void {
    this.#nowMs = nowMs;
    const given = { ...view, digest: view.digest ?? this.#joinDigest.entries };
    this.#modelMembership.install(given, nowMs);
    this.#membership.install(given, nowMs);
    this.#settle(nowMs);
    this.replyChecks.group.settle();
    this.#receiveHeld(nowMs);
  }

  #installInModel(view: InstalledView, nowMs: number): void {
    const keys = new Set(view.members.map(addressKey));
    this.views.model.add(viewKey(view.viewId.id, keys));
    const starts = (view.digest ?? []).map(({ key, pair }) => ({
      sender: key,
      delivered: pair.highestDelivered,
    }));
    this.replyChecks.installView(keys, view.viewId);
    this.model.group.installView(keys, starts, view.isMerge, nowMs);
  }

  #installInStack({ viewId, members, digest, isMerge }: InstalledView, nowMs: number): void {
    this.views.ours.add(viewKey(viewId.id, members.map(addressKey)));
    const known = members.map(this.#resolve);
    const plain = digest === null ? null : digestOf(digest, this.#resolve);
    if (plain !== null && isMerge) this.stack.mergeDigest(plain);
    this.stack.installView({ viewId, members: known, ...(plain === null ? {} : { digest: plain }) }, nowMs);
  }

  /**
   * Where a sender's group messages begin for this member if the capture does not tell how it came to hear of them: at
   * the first that it gets.
   */
  adoptGroup(sender: Address, delivered: number): boolean {
    const key = addressKey(sender);
    const { group } = this.model;
    if (!group.has(key) || group.isStartKnown(key)) return false;
    group.start(key, delivered);
    this.stack.mergeDigest({
      members: [this.#resolve(sender)],
      seqnos: [{ highestDelivered: delivered, highestReceived: delivered }],
    });
    return true;
  }

  // --- what it sends -----------------------------------------------------------------------------------------

  /** @param dest null: to the group */
  send(dest: Address | null, payload: Uint8Array, flags: number, nowMs: number): void {
    this.#nowMs = nowMs;
    if (dest !== null) this.stack.send(dest, payload, flags, nowMs);
    else if (this.plan.config.multicast !== null) this.stack.sendToGroup(payload, flags, nowMs);
    this.#settle(nowMs);
  }

  /** Of its membership, as the real member sent it. */
  sendService(dest: Address | null, message: Message, nowMs: number): void {
    this.#nowMs = nowMs;
    const { flags, payload } = message;
    this.stack.sendService({ dest, flags, payload, headers: foreignHeaders(message.headers) }, nowMs);
    this.#settle(nowMs);
    // what it sends to the group it gets too
    const verb = dest === null ? 'handle' : 'handleSent';
    this.#modelMembership[verb](message, nowMs);
    this.#membership[verb](message, nowMs);
    this.#settle(nowMs);
    this.replyChecks.group.settle();
    this.#receiveHeld(nowMs);
  }

  /** The real member's seqno of the group message that was sent last, where messages are taken from the wire. */
  noteGroupSeqno(seqno: number): void {
    if (seqno !== this.realGroupSeqno(this.ours.group.sent)) this.isMisnumbered = true;
  }

  /** A seqno of the stack's group messages as the real member has it. */
  realGroupSeqno(seqno: number): number {
    return this.#alignment.realGroupSeqno(seqno);
  }

  /** The real member sent this. */
  noteReal(datagram: Datagram): void {
    for (const { message, dest } of messagesOf(datagram)) {
      const key = dest === null ? null : addressKey(dest);
      this.real.note(key, message);
      if (key !== null) this.#alignment.note('real', key, message);
    }
  }

  // --- what it receives --------------------------------------------------------------------------------------

  receiveProbe(bytes: Buffer, host: string, port: number, nowMs: number): void {
    this.#nowMs = nowMs;
    this.stack.handleDatagram(bytes, host, port, nowMs);
  }

  /** Of a datagram that reached it, what is meant for it. */
  forUs(datagram: Datagram): Addressed[] {
    const { cluster, multicast } = this.plan.config;
    const forUs = messagesOf(datagram).filter(({ src, dest }) => {
      if (src === null || src.kind === 'ip' || addressKey(src) === this.key) return false;
      return dest === null ? multicast !== null : addressKey(dest) === this.key;
    });
    return forUs.some((message) => message.cluster !== cluster) ? [] : forUs;
  }

  /** @param datagram what `bytes` say */
  receive(datagram: Datagram, bytes: Buffer, host: string, port: number, nowMs: number): void {
    this.#nowMs = nowMs;
    const [translated, translatedBytes] = this.#alignment.translate(datagram, bytes);
    const theirs = this.forUs(datagram);
    const isEarly = theirs.some(({ message, src }) => this.#isFromStranger(message, src));
    const ours = translated === datagram ? theirs : this.forUs(translated);
    this.replyChecks.begin(theirs);
    for (const { message, src, dest } of theirs) {
      this.model.receive(addressKey(src as Address), message, dest === null, nowMs);
    }
    for (const { message, src } of ours) this.replyChecks.handle(addressKey(src as Address), message, nowMs);
    this.stack.handleDatagram(translatedBytes, host, port, nowMs);
    this.#settle(nowMs);
    this.replyChecks.end(theirs, (peer, seqno) => this.#alignment.seqno(peer, seqno));
    this.#receiveHeld(nowMs);
    if (!isEarly) return;
    this.#held.push({ datagram, bytes, host, port, untilMs: nowMs + OTHER_THREAD_MS });
    if (this.#held.length > MAX_HELD) this.#held.shift();
  }

  #isFromStranger(message: Message, src: Address | null): boolean {
    const { group } = this.model;
    return group.hasView && src !== null && isNumberedForGroup(message) && !group.has(addressKey(src));
  }

  /** Once their senders are in a view. */
  #receiveHeld(nowMs: number): void {
    if (this.#held.length === 0) return;
    const held = this.#held.filter(({ untilMs }) => nowMs <= untilMs);
    const isReady = ({ datagram }: Held): boolean =>
      this.forUs(datagram).some(({ src }) => src !== null && this.model.group.has(addressKey(src)));
    this.#held = held.filter((one) => !isReady(one));
    for (const one of held)
      if (isReady(one)) this.receive(one.datagram, one.bytes, one.host, one.port, nowMs);
  }

  /** What it has to do at once. */
  #settle(nowMs: number): void {
    for (let i = 0; i < MAX_TURNS && this.stack.nextDeadlineMs() <= nowMs; i++)
      this.stack.handleTimeout(nowMs);
  }

  // --- what the stack does -----------------------------------------------------------------------------------

  #delivered(src: Address, payload: Uint8Array, flags: number, toGroup: boolean): void {
    this.deliveredCount++;
    const isTwilight = this.#nowMs >= this.plan.twilightMs;
    const excusable = isUnreliable(flags) || isTwilight || this.plan.forgiving;
    this.check(addressKey(src), toGroup).deliver(idOf(payload), isOrdered(flags), excusable);
  }

  #transmitted(bytes: Buffer): void {
    if (bytes.length === 4) {
      this.ours.pongs++;
      return;
    }
    for (const { message, src, dest } of messagesOf(decodeDatagram(bytes))) {
      const key = dest === null ? null : addressKey(dest);
      this.ours.note(key, message);
      if (key !== null) this.#alignment.note('ours', key, message);
      this.replyChecks.check(dest, { ...message, src }, isServiceMessage(message), this.#nowMs);
    }
  }

  /** To be called once, at the end of its time. */
  finish(nowMs: number): void {
    this.replyChecks.finish(nowMs);
    for (const view of this.views.model) {
      if (!this.views.ours.has(view)) this.#problem(`did not install view ${view.split(' ', 1).join('')}`);
    }
  }

  #problem(what: string): void {
    if (this.wrong.length < MAX_PROBLEMS) this.wrong.push(`${this.plan.name}: ours ${what}`);
  }
}

/** What is to be done at once may lead to more of it, not without end. */
const MAX_TURNS = 100;

/** Also where a copy of it goes to one member. */
export function isNumberedForGroup({ headers, flags }: Pick<Message, 'headers' | 'flags'>): boolean {
  const header = headerOf({ headers }, 'NAKACK2');
  return (header?.type === 'MSG' || header?.type === 'XMIT_RSP') && !isUnreliable(flags);
}

/** Tells a view from others. */
export function viewKey(id: number, members: Iterable<string>): string {
  return `${id} ${[...members].join(' ')}`;
}

/** @param resolve knows where members are */
export function digestOf(entries: readonly DigestEntry[], resolve: (address: Address) => Address): Digest {
  return { members: entries.map(({ member }) => resolve(member)), seqnos: entries.map(({ pair }) => pair) };
}

export function isOrdered(flags: number): boolean {
  return (flags & (Flag.OOB | Flag.NO_RELIABILITY)) === 0;
}

export function isUnreliable(flags: number): boolean {
  return (flags & Flag.NO_RELIABILITY) !== 0;
}
