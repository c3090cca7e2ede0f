import {
  type Address,
  addressKey,
  type Digest,
  type Message,
  type SeqnoPair,
} from '../../../codecs/jgroups/message.ts';
import { decodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { digestEntries } from '../../jgroups/digest.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { foreignHeaders } from '../../jgroups/services.ts';
import { JGroupsStack } from '../../jgroups/stack.ts';
import { type Rng, seededRng } from '../../protocol/rng.ts';
import { messagesOf } from './captured-datagrams.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { idOf } from './fingerprint.ts';
import { FlightQueue } from './flight-queue.ts';
import { JoinDigest } from './join-digest.ts';
import { announcedView, type InstalledView, Membership, type ViewBook, viewText } from './membership.ts';
import type { MemberPlan } from './replayed-member.ts';
import { digestOf, isOrdered, isUnreliable } from './replayed-member.ts';
import { connectionKey } from './scan.ts';

/** Shares of datagrams, 0 to 0.5, and what the choice is drawn from. */
export interface Faults {
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly seed: number;
}

export interface FaultReport {
  readonly faults: Faults;
  /** Datagrams. */
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly delivered: number;
  readonly expected: number;
  readonly missing: number;
  readonly extra: number;
  readonly outOfOrder: number;
  /** Messages, or fragments of one, of which a copy was lost and another one came. */
  readonly repaired: number;
  /** From the first loss to the copy that came. */
  readonly slowestRepairMs: number;
  /** Sent with NO_RELIABILITY: nobody repairs these. */
  readonly unreliableLost: number;
}

/** One way, on a local network. */
const LATENCY_MS = 0.2;
/** What is overtaken comes so much later, drawn evenly. */
const REORDER_MS = 20;
/** A repair takes a second or two; with half of all lost, ten times as long. */
const MAX_SETTLING_MS = 120_000;
/**
 * The last of a member's group messages may be lost together with the one word that its sender has of it: then a
 * round of gossip finds out, which may be lost as well. Stacks that JGroups ships have one in 50 to 100 s.
 */
const MAX_SETTLING_GOSSIPS = 24;

/**
 * Whoever has not got a view after so long is told of it: by then GMS would have noticed that it is not acknowledged,
 * or that its coordinator is gone, and nothing of that is here.
 */
const VIEW_REMINDER_MS = 10_000;

interface Member {
  readonly plan: MemberPlan;
  readonly stack: JGroupsStack;
  readonly membership: Membership;
  readonly joinDigest: JoinDigest;
  /** By sender, unicasts and group messages apart. */
  readonly checks: Map<string, DeliveryCheck>;
  /** Its end is a crash or a leave in the middle of the story, not the end of the recording. */
  ends: boolean;
}

const GROUP = ' to the group';

/**
 * The conversation of a capture between production stacks only, over a network that loses, doubles and delays: each
 * member sends what the real one sent, when it did, and repairs what is lost as it would in a cluster.
 */
export class FaultyWorld {
  readonly #faults: Faults;
  readonly #rng: Rng;
  readonly #members = new Map<string, Member>();
  readonly #places = new Map<string, Member[]>();
  readonly #flights = new FlightQueue();
  /** DATA of which a copy was lost and none came yet, with the time of the loss. */
  readonly #lostSinceMs = new Map<string, number>();
  readonly #arrived = new Set<string>();
  readonly #book: ViewBook = new Map();
  /** Views that were sent, in order of time. */
  readonly #announced: { readonly atMs: number; readonly view: InstalledView }[] = [];
  /** By `viewText`. */
  readonly #digests = new Map<string, Digest>();
  readonly #storyEndMs: number;
  readonly #settlingMs: number;
  readonly #unreliableSent = { messages: 0, delivered: 0 };
  #nowMs: number;
  #lost = 0;
  #duplicated = 0;
  #reordered = 0;
  #repaired = 0;
  #slowestRepairMs = 0;

  /**
   * @param leavers uuids of those who crash or leave before the end
   * @param storyEndMs of the last message: who leaves later leaves because the recording was over, and stays here
   * @param salt something of the capture, so that the same datagrams are not lost in all captures of a run
   */
  constructor(
    plans: readonly MemberPlan[],
    leavers: ReadonlySet<string>,
    storyEndMs: number,
    faults: Faults,
    salt: number,
  ) {
    this.#storyEndMs = storyEndMs;
    const gossipsMs = plans.map(({ config }) => (config.multicast === null ? 0 : config.desiredAvgGossipMs));
    this.#settlingMs = Math.max(MAX_SETTLING_MS, MAX_SETTLING_GOSSIPS * Math.max(...gossipsMs));
    this.#faults = faults;
    this.#rng = seededRng((faults.seed ^ Math.imul(salt, 0x9e3779b1)) >>> 0);
    this.#nowMs = Math.min(...plans.map(({ startMs }) => startMs));
    for (const plan of plans) this.#add(plan, leavers.has(plan.address.uuid));
  }

  #add(plan: MemberPlan, ends: boolean): void {
    const key = addressKey(plan.address);
    const place = `${plan.address.host}:${plan.address.port}`;
    const stack = new JGroupsStack(
      plan.config,
      plan.address,
      {
        transmit: (bytes, host, port) => this.#transmit(plan, bytes, `${host}:${port}`),
        transmitToGroup: (bytes) => {
          for (const other of this.#places.keys()) if (other !== place) this.#transmit(plan, bytes, other);
        },
        deliver: (src, payload, flags, toGroup) =>
          this.#deliver(key, addressKey(src), payload, flags, toGroup),
        service: (message, nowMs) => membership.handle(message, nowMs),
        acknowledged: () => undefined,
        complain: () => undefined,
      },
      this.#rng,
      plan.startMs,
    );
    const membership = new Membership(
      key,
      this.#book,
      (view, nowMs) => this.#install(key, view, nowMs),
      (nowMs) => stack.digestForJoiner(nowMs),
    );
    const member: Member = { plan, stack, membership, joinDigest: new JoinDigest(), checks: new Map(), ends };
    this.#members.set(key, member);
    this.#places.set(place, [...(this.#places.get(place) ?? []), member]);
  }

  installView(key: string, view: InstalledView, nowMs: number): void {
    const member = this.#members.get(key);
    if (member === undefined || nowMs > this.#storyEndMs) return;
    member.membership.install({ ...view, digest: view.digest ?? member.joinDigest.entries }, nowMs);
  }

  /** With our own digest, and only for those who are new to the member: as GMS would if its clusters did not merge. */
  #install(key: string, { viewId, members }: InstalledView, nowMs: number): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    const placed = (address: Address): Address =>
      this.#members.get(addressKey(address))?.plan.address ?? address;
    const digest = this.#digests.get(viewText(viewId)) ?? digestOf(member.joinDigest.entries ?? [], placed);
    member.stack.installView({ viewId, members: members.map(placed), digest }, nowMs);
  }

  /**
   * How far group messages had got when a view was made, here: the one in the capture is of what the real members had.
   * To be called before anybody is told of the view.
   */
  #makeDigest(sender: Member, message: Message, nowMs: number): void {
    const view = announcedView(message)?.view;
    if (view === undefined || this.#digests.has(viewText(view.viewId))) return;
    const known = sender.stack.digestForJoiner(nowMs);
    if (known === null) return;
    const told = new Map(digestEntries(known).map(({ key, pair }) => [key, pair]));
    const entries = [...this.#members].map(([key, { plan, stack }]) => {
      const own = stack.digest();
      // in a merge each tells of its own messages, else the coordinator of what it has
      const pair = view.kind === 'merge' ? ownPair(own, key) : (told.get(key) ?? NOTHING);
      return { member: plan.address, pair };
    });
    this.#digests.set(viewText(view.viewId), {
      members: entries.map(({ member }) => member),
      seqnos: entries.map(({ pair }) => pair),
    });
  }

  /** @param dest null: to the group */
  send(from: string, dest: Address | null, payload: Uint8Array, flags: number, nowMs: number): void {
    const sender = this.#members.get(from);
    if (sender === undefined || !isAlive(sender, nowMs)) return;
    if (dest === null) this.#sendToGroup(sender, from, payload, flags, nowMs);
    else {
      this.#expect(sender, from, addressKey(dest), payload, flags, false);
      sender.stack.send(dest, payload, flags, nowMs);
    }
  }

  /** Who is not in the sender's view yet may get it as well, by its digest. */
  #sendToGroup(sender: Member, from: string, payload: Uint8Array, flags: number, nowMs: number): void {
    if (sender.plan.config.multicast === null) return;
    const view = new Set(sender.membership.current?.members.map(addressKey));
    for (const key of this.#members.keys()) {
      if (key !== from) this.#expect(sender, from, key, payload, flags, true, !view.has(key));
    }
    sender.stack.sendToGroup(payload, flags, nowMs);
  }

  #expect(
    sender: Member,
    from: string,
    to: string,
    payload: Uint8Array,
    flags: number,
    toGroup: boolean,
    isStranger = false,
  ): void {
    const recipient = this.#members.get(to);
    if (recipient === undefined) return;
    if (isUnreliable(flags) && !isStranger) this.#unreliableSent.messages++;
    // who crashes may miss what was sent to it, and what it sent may be lost with it
    const excusable = isUnreliable(flags) || sender.ends || recipient.ends || isStranger;
    checkOf(recipient, from, toGroup).expect(idOf(payload), isOrdered(flags), excusable);
  }

  /** Of the membership, as it is in the capture. */
  sendService(from: string, dest: Address | null, message: Message, nowMs: number): void {
    const sender = this.#members.get(from);
    if (sender === undefined || !isAlive(sender, nowMs) || nowMs > this.#storyEndMs) return;
    const { flags, payload, headers } = message;
    this.#makeDigest(sender, message, nowMs);
    const view = sender.membership.resolve(message);
    if (view !== null) this.#announced.push({ atMs: nowMs + VIEW_REMINDER_MS, view });
    sender.stack.sendService({ dest, flags, payload, headers: foreignHeaders(headers) }, nowMs);
    if (dest === null) sender.membership.handle(message, nowMs);
    else sender.membership.handleSent(message, nowMs);
  }

  #deliver(to: string, from: string, payload: Uint8Array, flags: number, toGroup: boolean): void {
    const member = this.#members.get(to);
    if (member === undefined) return;
    if (member.membership.current === null) member.joinDigest.take(payload);
    if (isUnreliable(flags)) this.#unreliableSent.delivered++;
    checkOf(member, from, toGroup).deliver(idOf(payload), isOrdered(flags), isUnreliable(flags));
  }

  // --- the network -----------------------------------------------------------------------------------------------

  #transmit(from: MemberPlan, bytes: Buffer, place: string): void {
    const { loss, duplicate, reorder } = this.#faults;
    if (this.#rng.next() < loss) {
      this.#lost++;
      for (const key of dataKeys(bytes, place)) {
        if (!this.#arrived.has(key) && !this.#lostSinceMs.has(key)) this.#lostSinceMs.set(key, this.#nowMs);
      }
      return;
    }
    const copies = this.#rng.next() < duplicate ? 2 : 1;
    if (copies === 2) this.#duplicated++;
    for (let copy = 0; copy < copies; copy++) {
      const isLate = this.#rng.next() < reorder;
      if (isLate) this.#reordered++;
      const delayMs = LATENCY_MS + (isLate ? this.#rng.next() * REORDER_MS : 0);
      const { host, port } = from.address;
      this.#flights.add({ atMs: this.#nowMs + delayMs, bytes, host, port, place });
    }
  }

  #arrive(bytes: Buffer, host: string, port: number, place: string): void {
    for (const member of this.#places.get(place) ?? []) {
      if (!isAlive(member, this.#nowMs)) continue;
      for (const key of dataKeys(bytes, place)) this.#repair(key);
      member.stack.handleDatagram(bytes, host, port, this.#nowMs);
    }
  }

  #repair(key: string): void {
    const sinceMs = this.#lostSinceMs.get(key);
    // while nothing of it was lost, there is nothing to remember: its resends are for lost acks
    this.#arrived.add(key);
    if (this.#arrived.size > MAX_REMEMBERED) this.#forgetOldest();
    if (sinceMs === undefined) return;
    this.#lostSinceMs.delete(key);
    this.#repaired++;
    this.#slowestRepairMs = Math.max(this.#slowestRepairMs, this.#nowMs - sinceMs);
  }

  #forgetOldest(): void {
    for (const key of this.#arrived) {
      this.#arrived.delete(key);
      return;
    }
  }

  // --- time --------------------------------------------------------------------------------------------------------

  advance(toMs: number): void {
    const untilMs = Math.min(toMs, this.#nowMs + this.#settlingMs);
    for (;;) {
      const next = this.#next();
      if (next > untilMs) break;
      this.#step(next);
    }
    // a capture may be silent for years: what is not settled by then never is
    if (untilMs < toMs) this.#step(toMs);
    this.#nowMs = Math.max(this.#nowMs, toMs);
  }

  #next(): number {
    let next = Math.min(this.#flights.nextMs, this.#announced[0]?.atMs ?? Infinity);
    for (const member of this.#members.values()) {
      const due = member.stack.nextDeadlineMs();
      if (due < next && isAlive(member, due)) next = due;
    }
    return next;
  }

  #step(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    while ((this.#announced[0]?.atMs ?? Infinity) <= nowMs)
      this.#remind(this.#announced.shift()?.view, nowMs);
    for (let flight = this.#flights.take(nowMs); flight !== null; flight = this.#flights.take(nowMs)) {
      this.#arrive(flight.bytes, flight.host, flight.port, flight.place);
    }
    for (const member of this.#members.values()) {
      if (isAlive(member, nowMs) && member.stack.nextDeadlineMs() <= nowMs) member.stack.handleTimeout(nowMs);
    }
  }

  #remind(view: InstalledView | undefined, nowMs: number): void {
    if (view === undefined) return;
    for (const member of this.#members.values()) {
      if (isAlive(member, nowMs)) member.membership.install(view, nowMs);
    }
  }

  /** Runs on until all is repaired, or until nothing more can be expected. */
  finish(): FaultReport {
    const endMs = this.#nowMs + this.#settlingMs;
    while (this.#nowMs < endMs && !this.#isSettled()) this.advance(this.#nowMs + 500);
    const sum = { delivered: 0, expected: 0, missing: 0, extra: 0, outOfOrder: 0 };
    for (const { checks } of this.#members.values()) {
      for (const check of checks.values()) {
        const difference = check.difference();
        for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += difference[key];
      }
    }
    return {
      faults: this.#faults,
      lost: this.#lost,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      ...sum,
      repaired: this.#repaired,
      slowestRepairMs: this.#slowestRepairMs,
      unreliableLost: Math.max(0, this.#unreliableSent.messages - this.#unreliableSent.delivered),
    };
  }

  #isSettled(): boolean {
    if (this.#flights.nextMs !== Infinity || this.#announced.length > 0) return false;
    for (const { checks } of this.#members.values()) {
      for (const check of checks.values()) if (check.difference().missing > 0) return false;
    }
    return true;
  }
}

/** Datagrams that came and are remembered: one that is resent although it came is no repair. */
const MAX_REMEMBERED = 100_000;

function isAlive({ plan, ends }: Member, nowMs: number): boolean {
  return !ends || nowMs <= plan.endMs;
}

function checkOf(member: Member, from: string, toGroup: boolean): DeliveryCheck {
  const key = toGroup ? from + GROUP : from;
  let check = member.checks.get(key);
  if (check === undefined) {
    check = new DeliveryCheck();
    member.checks.set(key, check);
  }
  return check;
}

/** Who numbered the messages of a datagram, and how; what has no number is not there. */
function dataKeys(bytes: Buffer, place: string): string[] {
  if (bytes.length === 4) return [];
  const keys: string[] = [];
  for (const { message, src, dest } of messagesOf(decodeDatagram(bytes))) {
    if (src === null) continue;
    const header = headerOf(message, 'UNICAST3');
    const group = headerOf(message, 'NAKACK2');
    if (header?.type === 'DATA' && dest !== null) {
      keys.push(`${connectionKey(addressKey(src), addressKey(dest), header.connId)}:${header.seqno}`);
    } else if (group?.type === 'MSG' || group?.type === 'XMIT_RSP') {
      keys.push(`${addressKey(src)}>${place}:${group.seqno}`);
    }
  }
  return keys;
}

const NOTHING: SeqnoPair = { highestDelivered: 0, highestReceived: 0 };

/** What a member says of its own messages. */
function ownPair(digest: Digest | null, key: string): SeqnoPair {
  if (digest === null) return NOTHING;
  return digestEntries(digest).find((entry) => entry.key === key)?.pair ?? NOTHING;
}
