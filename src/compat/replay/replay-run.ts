import { type Address, addressKey, type Datagram, type Message } from '../../../codecs/jgroups/message.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { encoded, withMessages } from './alignment.ts';
import { type CapturedDatagram, messagesOf } from './captured-datagrams.ts';
import type { FaultyWorld } from './faulty-world.ts';
import { announcedView, type InstalledView } from './membership.ts';
import { isMulticast } from './places.ts';
import { geodeAddress, payloadOf, type ReplayPlan } from './plan.ts';
import { isNumberedForGroup, ReplayedMember } from './replayed-member.ts';
import { connectionKey, isOf36 } from './scan.ts';
import { GROUP, SentMessages } from './sent-messages.ts';
import type { TruthSend, TruthView } from './truth.ts';

/** Members tick for so long after the last thing that happened: two rounds of acks and requests, and more. */
const AFTERMATH_MS = 1_500;

/** A capture may be silent for hours, and its clock may jump by years: after this long nothing changes any more. */
const MAX_IDLE_MS = 60_000;

/** A member's own log is of whole milliseconds, and says what was before: what led to it has come by then. */
const AFTER_THE_WIRE_MS = 100;

/** A view that JGroups' own membership made, and of which the capture does not tell by then, it never tells. */
const UNTOLD_MS = 1_000;

interface TimedEvent {
  readonly timeMs: number;
  readonly run: (nowMs: number) => void;
}

/** The second reading of a capture: each datagram goes to the stack that stands for its recipient. */
export class ReplayRun {
  readonly members: readonly ReplayedMember[];
  /** Conversations that were under way when the capture began. */
  adopted = 0;
  /** Views that only their members' logs tell of. */
  untold = 0;
  readonly #plan: ReplayPlan;
  readonly #dropped: ReadonlyMap<string, ReadonlySet<number>>;
  readonly #begun: ReadonlySet<string>;
  readonly #adoptedKeys = new Set<string>();
  readonly #faulty: FaultyWorld | null;
  /** By `host:port`. */
  readonly #places = new Map<string, ReplayedMember[]>();
  readonly #byKey = new Map<string, ReplayedMember>();
  readonly #sent = new Map<string, SentMessages>();
  readonly #inView: Address[] = [];
  readonly #seen = new Set<string>();
  readonly #events: readonly TimedEvent[];
  #nextEvent = 0;
  #nowMs: number;

  constructor(
    plan: ReplayPlan,
    dropped: ReadonlyMap<string, ReadonlySet<number>>,
    begun: ReadonlySet<string>,
    faulty: FaultyWorld | null,
  ) {
    this.#plan = plan;
    this.#dropped = dropped;
    this.#begun = begun;
    this.#faulty = faulty;
    this.#nowMs = Math.min(...plan.members.map(({ startMs }) => startMs));
    const resolve = (address: Address): Address => plan.addressOf(addressKey(address)) ?? address;
    const books = { ours: new Map(), model: new Map() };
    this.members = plan.members.map((member) => new ReplayedMember(member, plan.nameOf, resolve, books));
    for (const member of this.members) {
      const { host, port } = member.plan.address;
      const place = `${host}:${port}`;
      this.#places.set(place, [...(this.#places.get(place) ?? []), member]);
      this.#byKey.set(member.key, member);
    }
    this.#events = [
      ...plan.views.map((view) => ({
        timeMs: timeOf(view, plan),
        run: (ms: number) => this.#view(view, ms),
      })),
      ...(plan.sends ?? []).map((send) => ({
        timeMs: send.timeMs,
        run: (ms: number) => this.#send(send, ms),
      })),
    ].sort((a, b) => a.timeMs - b.timeMs);
    if (plan.growsView && this.#hasGroup) this.#guessGroup();
  }

  take(captured: CapturedDatagram): void {
    this.#advance(captured.timeMs);
    const { datagram, raw } = captured;
    if (raw !== null) this.#probe(captured, raw);
    else if (datagram !== null && isOf36(datagram)) {
      this.#datagram(datagram, captured);
    }
  }

  end(): void {
    const last = this.#events.at(-1)?.timeMs ?? -Infinity;
    this.#advance(Math.max(last, this.#nowMs) + AFTERMATH_MS);
    for (const member of this.members) member.finish(Math.min(this.#nowMs, member.plan.endMs));
  }

  // --- time ----------------------------------------------------------------------------------------------------

  #advance(toMs: number): void {
    for (;;) {
      const event = this.#events[this.#nextEvent];
      if (event === undefined || event.timeMs > toMs) break;
      this.#nextEvent++;
      this.#tick(event.timeMs);
      event.run(this.#nowMs);
    }
    this.#tick(toMs);
  }

  #tick(toMs: number): void {
    if (toMs <= this.#nowMs) return;
    const until = Math.min(toMs, this.#nowMs + MAX_IDLE_MS);
    for (const member of this.members) {
      // one that has ended says what it would have said at its next ticks; it hears nothing any more
      const end = Math.min(until, member.plan.endMs + AFTERMATH_MS);
      for (let due = member.nextDeadlineMs(); due <= end; due = member.nextDeadlineMs())
        member.handleTimeout(due);
      if (until < toMs && end === until) member.handleTimeout(toMs);
    }
    this.#faulty?.advance(toMs);
    this.#nowMs = toMs;
  }

  // --- what the members' own logs say ----------------------------------------------------------------------------

  #view({ peer, viewId, members, byGms }: TruthView, nowMs: number): void {
    const member = this.#byKey.get(peer);
    const [first] = members;
    if (member?.isAlive(nowMs) !== true || first === undefined) return;
    const addresses = members.map((one) => (byGms ? this.#addressOf(one.uuid) : geodeAddress(one)));
    const creator = this.#addressOf(viewId?.creator ?? first.uuid);
    // without ids, each is newer than the one before
    const id = viewId?.id ?? (member.view?.viewId.id ?? -1) + 1;
    const view: InstalledView = { viewId: { creator, id }, members: addresses, digest: null, isMerge: false };
    if (byGms && (member.view?.viewId.id ?? -1) >= id) return;
    if (byGms && members.length > 1) this.untold++;
    member.installView(view, nowMs);
    this.#faulty?.installView(peer, view, nowMs);
  }

  #addressOf(uuid: string): Address {
    return this.#plan.addressOf(uuid) ?? { kind: 'uuid', uuid };
  }

  #send(send: TruthSend, nowMs: number): void {
    const dest = send.dest === null ? null : this.#plan.addressOf(send.dest);
    const member = this.#byKey.get(send.peer);
    if (dest === undefined || member === undefined || send.dest === send.peer) return;
    this.#sendFrom(member, dest, payloadOf(send), send.flags, nowMs);
  }

  /** @param dest null: to the group */
  #sendFrom(
    member: ReplayedMember,
    dest: Address | null,
    payload: Uint8Array,
    flags: number,
    nowMs: number,
  ): void {
    member.send(dest, payload, flags, nowMs);
    this.#faulty?.send(member.key, dest, payload, flags, nowMs);
  }

  // --- what the capture says ---------------------------------------------------------------------------------------

  #probe({ from, to, bytes }: CapturedDatagram, raw: 'ping' | 'pong'): void {
    if (raw === 'pong') for (const member of this.#at(from.host, from.port)) member.real.pongs++;
    for (const member of this.#at(to.host, to.port)) {
      member.receiveProbe(bytes, from.host, from.port, this.#nowMs);
    }
  }

  #at(host: string, port: number): ReplayedMember[] {
    const all = this.#places.get(`${host}:${port}`) ?? [];
    return all.filter((member) => member.isAlive(this.#nowMs));
  }

  #datagram(datagram: Datagram, captured: CapturedDatagram): void {
    const messages = messagesOf(datagram);
    const src = messages[0]?.src ?? null;
    if (src === null) return;
    if (this.#plan.growsView) for (const { dest } of messages) this.#grow([src, dest]);
    this.#sentBy(src, datagram);
    const { from, index } = captured;
    for (const member of this.#recipients(captured, addressKey(src))) {
      if (this.#dropped.get(member.key)?.has(index) === true) continue;
      const [adopted, bytes] = this.#adopt(datagram, captured.bytes);
      this.#adoptGroup(member, datagram);
      member.receive(adopted, bytes, from.host, from.port, this.#nowMs);
    }
  }

  #recipients({ transport, to }: CapturedDatagram, src: string): ReplayedMember[] {
    if (transport === 'udp' && !isMulticast(to.host)) return this.#at(to.host, to.port);
    const there = isMulticast(to.host) ? null : this.#plan.membersAt(to);
    return this.members.filter((member) => {
      return member.key !== src && there?.has(member.key) !== false && member.isAlive(this.#nowMs);
    });
  }

  #grow(addresses: readonly (Address | null)[]): void {
    let grown = false;
    for (const address of addresses) {
      if (address === null || address.kind === 'ip' || this.#seen.has(address.uuid)) continue;
      this.#seen.add(address.uuid);
      this.#inView.push(address);
      grown = true;
    }
    if (!grown) return;
    if (!this.#hasGroup)
      this.#installGuess(
        this.members.filter(({ key }) => this.#seen.has(key)),
        this.#inView,
      );
  }

  get #hasGroup(): boolean {
    return this.members.some(({ plan }) => plan.config.multicast !== null);
  }

  /**
   * A group is one from the start, but for those who are let in: whoever came later would miss what was stable before,
   * and the views on the wire are differences to those before.
   */
  #guessGroup(): void {
    const members = this.members.filter(({ key }) => !this.#plan.joiners.has(key));
    this.#installGuess(
      members,
      members.map(({ plan }) => plan.address),
    );
  }

  #installGuess(members: readonly ReplayedMember[], addresses: readonly Address[]): void {
    const [creator] = addresses;
    if (creator === undefined) return;
    const guess: InstalledView = {
      viewId: { creator, id: 0 },
      members: addresses.map((address) => this.#addressOf(addressKey(address))),
      digest: null,
      isMerge: false,
      isGuess: true,
    };
    for (const member of members) {
      member.installView(guess, this.#nowMs);
      this.#faulty?.installView(member.key, guess, this.#nowMs);
    }
  }

  #sentBy(src: Address, datagram: Datagram): void {
    const member = this.#byKey.get(addressKey(src));
    if (member === undefined) return;
    this.#resend(member, datagram);
    member.noteReal(datagram);
  }

  /** What the real member's membership sent, ours sends as well; its application's messages where no log has them. */
  #resend(member: ReplayedMember, datagram: Datagram): void {
    let sent = this.#sent.get(member.key);
    if (sent === undefined) {
      sent = new SentMessages(member.key);
      this.#sent.set(member.key, sent);
    }
    for (const { message, src, dest } of messagesOf(datagram)) {
      if (src === null || dest?.kind === 'ip') continue;
      const toGroup = dest === null || isNumberedForGroup(message);
      const news = sent.take(toGroup ? GROUP : addressKey(dest), addressKey(src), message);
      if (news === null) continue;
      const { whole } = news;
      const to = toGroup ? null : this.#addressOf(addressKey(dest));
      if (whole === null) {
        this.#tellGuessers(message);
        member.sendService(to, message, this.#nowMs);
        this.#faulty?.sendService(member.key, to, message, this.#nowMs);
      } else if (this.#plan.sends === null) {
        this.#sendFrom(member, to, whole.payload, whole.flags, this.#nowMs);
      }
      const numbered = toGroup && this.#plan.sends === null ? headerOf(message, 'NAKACK2') : undefined;
      if (numbered !== undefined && 'seqno' in numbered) member.noteGroupSeqno(numbered.seqno);
    }
  }

  /**
   * A coordinator lets somebody in when the others have acknowledged the view: whoever got it before the capture began
   * has it by now.
   */
  #tellGuessers(message: Message): void {
    if (!this.#plan.growsView || headerOf(message, 'GMS')?.type !== 'JOIN_RSP') return;
    const view = announcedView(message)?.view;
    if (view === undefined || view.kind === 'delta') return;
    const { viewId, members } = view;
    for (const member of this.members) {
      if (member.view?.isGuess !== true) continue;
      const known: InstalledView = { viewId, members, digest: null, isMerge: false };
      member.installView(known, this.#nowMs);
      this.#faulty?.installView(member.key, known, this.#nowMs);
    }
  }

  /** As `#adopt`, of the messages of senders whose first group message is not in the capture. */
  #adoptGroup(member: ReplayedMember, datagram: Datagram): void {
    for (const { message, src } of member.forUs(datagram)) {
      const header = headerOf(message, 'NAKACK2');
      if (header === undefined || header.type === 'XMIT_REQ' || src === null) continue;
      if (this.#plan.hasFirstOf(addressKey(src))) continue;
      const delivered = header.type === 'HIGHEST_SEQNO' ? header.seqno : header.seqno - 1;
      if (member.adoptGroup(src, delivered)) this.adopted++;
    }
  }

  /**
   * A conversation that was under way when the capture began is taken up where it shows first: as if its sender had
   * been asked for its first message, and had answered (WIRE-3.6 section 5).
   */
  #adopt(datagram: Datagram, bytes: Buffer): [Datagram, Buffer] {
    const before = this.#adoptedKeys.size;
    const messages = messagesOf(datagram).map(({ message, src, dest }) => {
      const header = headerOf(message, 'UNICAST3');
      if (header?.type !== 'DATA' || header.first || src === null || dest === null) return message;
      const key = connectionKey(addressKey(src), addressKey(dest), header.connId);
      if (this.#begun.has(key) || this.#adoptedKeys.has(key)) return message;
      this.#adoptedKeys.add(key);
      const headers = message.headers.map((other) => (other === header ? { ...header, first: true } : other));
      return { ...message, headers } satisfies Message;
    });
    if (this.#adoptedKeys.size === before) return [datagram, bytes];
    this.adopted += this.#adoptedKeys.size - before;
    const adopted = withMessages(datagram, messages);
    return [adopted, encoded(adopted) ?? bytes];
  }
}

/** When to install a view that a log tells of. */
function timeOf({ timeMs, byGms, peer, members }: TruthView, { views }: ReplayPlan): number {
  if (!byGms) return timeMs;
  if (members.length > 1) return timeMs + UNTOLD_MS;
  // nobody need be told of a view of one: it may not be on the wire
  const isFirst = views.find((view) => view.peer === peer)?.timeMs === timeMs;
  return isFirst ? timeMs : timeMs + AFTER_THE_WIRE_MS;
}
