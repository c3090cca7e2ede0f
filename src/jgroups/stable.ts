import { CodecError } from '../../codecs/bytes/errors.ts';
import {
  type Address,
  addressKey,
  Flag,
  type Header,
  type SeqnoPair,
  type StableHeader,
  type ViewId,
} from '../../codecs/jgroups/message.ts';
import { decodePayload, encodePayload } from '../../codecs/jgroups/v3_6/payload.ts';
import type { ProtocolContext } from './context.ts';
import { type DigestEntry, digestEntries } from './digest.ts';
import type { NAKACK2 } from './nakack2.ts';
import {
  controlMessage,
  type GroupView,
  headerOf,
  type InMessage,
  type OutMessage,
  Protocol,
} from './protocol.ts';
import { NOBODY_WAITED_FOR, type Wait, type Waits } from './stall-watch.ts';

const FLAGS = Flag.OOB | Flag.INTERNAL | Flag.NO_RELIABILITY;

/** How long a joiner may take from its digest to the view: GMS gives it 20 s as well. */
const MAX_SUSPEND_MS = 20_000;

/** What the coordinator was told of one member's messages in this round. */
interface Tally {
  readonly member: Address;
  lowestDelivered: number;
  highestReceived: number;
  /** By how many members. */
  told: number;
}

/**
 * Finds out which group messages every member has (WIRE-3.6 section 7): each tells the coordinator, the first member
 * of the view, how far it has got; when all have, the coordinator tells everybody what is stable. Nothing of it is
 * reliable: the next round makes good what is lost.
 */
export class STABLE extends Protocol {
  readonly #context: ProtocolContext;
  readonly #nakack2: NAKACK2;
  #view: GroupView | null = null;
  /** Who has told in this round. */
  readonly #votes = new Set<string>();
  /** Null: nobody has told yet, which is all that others than the coordinator ever see. */
  #tallies: Map<string, Tally> | null = null;
  /** Payload bytes of group messages since something became stable or we gossiped for their sake. */
  #bytes = 0;
  #nextGossipMs: number;
  /** Rounds that ended, by all votes or by a view. */
  #rounds = 0;
  /** By key of a member: all have its messages up to here, or they came before its time or ours. */
  #stable = new Map<string, number>();
  #suspendedUntilMs = -Infinity;
  #gossipedAtMs = -Infinity;

  constructor(context: ProtocolContext, nakack2: NAKACK2) {
    super();
    this.#context = context;
    this.#nakack2 = nakack2;
    this.#nextGossipMs = context.startMs + this.#interval();
  }

  /** Uniform, so that the members' gossips spread. */
  #interval(): number {
    const { desiredAvgGossipMs } = this.#context.config;
    return Math.floor(this.#context.rng.next() * 2 * desiredAvgGossipMs) || desiredAvgGossipMs / 2;
  }

  /** Own messages count as well: else a coordinator that only sends would hold up everybody until its timer. */
  down(message: OutMessage, nowMs: number): void {
    this.below.down(message, nowMs);
    if (message.dest === null) this.#count(message.payload, nowMs);
  }

  up(message: InMessage, nowMs: number): void {
    const header = headerOf(message, 'STABLE');
    if (header !== undefined) {
      this.#handle(message, header, nowMs);
      return;
    }
    if (message.toGroup && message.from !== this.#context.selfKey) this.#count(message.payload, nowMs);
    this.above.up(message, nowMs);
  }

  #count(payload: Uint8Array | null, nowMs: number): void {
    const { stableMaxBytes } = this.#context.config;
    this.#bytes += payload?.length ?? 0;
    if (stableMaxBytes === 0 || this.#bytes < stableMaxBytes) return;
    this.#bytes = 0;
    this.#gossip(nowMs);
  }

  /**
   * A joiner was given our digest: until the view with it is here we tell nobody that we have more. So nothing becomes
   * stable, and is thrown away by its sender, that the joiner still needs.
   */
  suspend(nowMs: number): void {
    this.#suspendedUntilMs = nowMs + MAX_SUSPEND_MS;
  }

  /**
   * Hasty, the members do not wait for their next gossip: who has messages that are not stable tells its last seqno
   * at each tick of NAKACK2, and whoever hears that gossips. All of a view have to be hasty, or it takes as long as
   * ever; to real JGroups members nothing of it is strange.
   */
  setHasty(hasty: boolean): void {
    this.#nakack2.onUnstable = hasty ? (nowMs) => this.#gossipSoon(nowMs) : null;
  }

  /** Several members may tell of theirs in one tick. */
  #gossipSoon(nowMs: number): void {
    if (nowMs - this.#gossipedAtMs >= this.#context.config.mcastXmitIntervalMs / 2) this.#gossip(nowMs);
  }

  installView(view: GroupView): void {
    this.#view = view;
    const before = this.#stable;
    this.#stable = new Map();
    for (const { key, pair } of digestEntries(this.#nakack2.digest())) {
      this.#stable.set(key, before.get(key) ?? pair.highestDelivered);
    }
    this.#suspendedUntilMs = -Infinity;
    this.#startRound();
  }

  #startRound(): void {
    this.#votes.clear();
    this.#tallies = null;
    this.#rounds++;
  }

  override nextDeadlineMs(): number {
    return this.#nextGossipMs;
  }

  override handleTimeout(nowMs: number): void {
    if (nowMs < this.#nextGossipMs) return;
    this.#nextGossipMs = nowMs + this.#interval();
    this.#gossip(nowMs);
  }

  #gossip(nowMs: number): void {
    const view = this.#view;
    const [coordinator] = view?.members ?? [];
    if (view === null || coordinator === undefined || nowMs < this.#suspendedUntilMs) return;
    this.#gossipedAtMs = nowMs;
    const digest = this.#nakack2.digest();
    if (this.#isCoordinator(view)) {
      this.#vote(this.#context.selfKey, digestEntries(digest), nowMs);
      return;
    }
    this.#context.counters.gossipsSent++;
    const header: Header = { protocol: 'STABLE', type: 'STABLE_GOSSIP', viewId: view.viewId };
    const payload = encodePayload({ kind: 'digest', digest });
    this.below.down(controlMessage(coordinator, FLAGS, header, payload), nowMs);
  }

  // --- what others tell ------------------------------------------------------------------------------------

  #handle(message: InMessage, header: StableHeader, nowMs: number): void {
    const { counters } = this.#context;
    const view = this.#view;
    // as JGroups: what was found in another view says nothing about this one
    if (view === null || !isSameView(header.viewId, view.viewId) || !view.keys.has(message.from)) return;
    const entries = this.#decode(message);
    if (entries === null) return;
    if (header.type === 'STABLE_GOSSIP') {
      counters.gossipsReceived++;
      this.#vote(message.from, entries, nowMs);
      return;
    }
    counters.stabilitiesReceived++;
    this.#bytes = 0;
    this.#startRound();
    this.#settle(entries, nowMs);
  }

  #settle(entries: readonly DigestEntry[], nowMs: number): void {
    for (const { key, pair } of entries) {
      const stable = this.#stable.get(key) ?? Infinity;
      if (pair.highestDelivered > stable) this.#stable.set(key, pair.highestDelivered);
    }
    this.#nakack2.stable(entries, nowMs);
  }

  #decode(message: InMessage): DigestEntry[] | null {
    let problem = 'it has none';
    try {
      const payload = decodePayload({ ...message, dest: null });
      if (payload?.kind === 'digest' && payload.digest !== null) return digestEntries(payload.digest);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      problem = error.message;
    }
    this.#context.malformed(message.from, `the digest of its stability message is malformed: ${problem}`);
    return null;
  }

  /** The first word of each member counts in a round. */
  #vote(from: string, entries: readonly DigestEntry[], nowMs: number): void {
    const view = this.#view;
    if (view === null || !view.keys.has(from) || this.#votes.has(from)) return;
    this.#votes.add(from);
    const tallies = (this.#tallies ??= createTallies(view));
    for (const { key, pair } of entries) {
      const tally = tallies.get(key);
      if (tally === undefined) continue;
      tally.lowestDelivered = Math.min(tally.lowestDelivered, pair.highestDelivered);
      tally.highestReceived = Math.max(tally.highestReceived, pair.highestReceived);
      tally.told++;
    }
    if (this.#votes.size === view.keys.size) this.#finishRound(view, tallies, nowMs);
  }

  #finishRound(view: GroupView, tallies: ReadonlyMap<string, Tally>, nowMs: number): void {
    const entries: DigestEntry[] = [];
    for (const [key, tally] of tallies) {
      entries.push({ member: tally.member, key, pair: result(tally, view.keys.size) });
    }
    this.#startRound();
    this.#bytes = 0;
    this.#context.counters.stabilitiesSent++;
    const header: Header = { protocol: 'STABLE', type: 'STABILITY', viewId: view.viewId };
    const digest = {
      members: entries.map(({ member }) => member),
      seqnos: entries.map(({ pair }) => pair),
    };
    this.below.down(controlMessage(null, FLAGS, header, encodePayload({ kind: 'digest', digest })), nowMs);
    this.#settle(entries, nowMs);
  }

  // --- who holds it up -------------------------------------------------------------------------------------

  /** For the coordinator: members that have not told in this round, while somebody's messages are not stable. */
  waits(): Waits {
    const view = this.#view;
    if (view === null || !this.#isCoordinator(view) || this.#tallies === null) return NOBODY_WAITED_FOR;
    const messages = this.#unstable;
    if (messages === 0) return NOBODY_WAITED_FOR;
    const waits = new Map<string, Wait>();
    for (const key of view.keys) {
      if (key === this.#context.selfKey || this.#votes.has(key)) continue;
      waits.set(key, { messages, mark: this.#rounds });
    }
    return waits;
  }

  /** For the others, which do not know who holds up their messages: the coordinator, which does. */
  waitsForCoordinator(): Waits {
    const view = this.#view;
    const [coordinator] = view?.members ?? [];
    const messages = this.#nakack2.unstable;
    if (view === null || coordinator === undefined || messages === 0 || this.#isCoordinator(view))
      return NOBODY_WAITED_FOR;
    return new Map([[addressKey(coordinator), { messages, mark: this.#nakack2.stableSeqno }]]);
  }

  #isCoordinator({ members }: GroupView): boolean {
    const [first] = members;
    return first !== undefined && addressKey(first) === this.#context.selfKey;
  }

  /** Messages that we have and that are not stable, as far as is known: votes may be older than they. */
  get #unstable(): number {
    let messages = 0;
    for (const { key, pair } of digestEntries(this.#nakack2.digest())) {
      messages += Math.max(0, pair.highestReceived - (this.#stable.get(key) ?? Infinity));
    }
    return messages;
  }
}

function createTallies({ members }: GroupView): Map<string, Tally> {
  return new Map(
    members.map((member) => [
      addressKey(member),
      { member, lowestDelivered: Infinity, highestReceived: 0, told: 0 },
    ]),
  );
}

/** A member that somebody did not tell of is not stable at all. */
function result({ lowestDelivered, highestReceived, told }: Tally, members: number): SeqnoPair {
  const highestDelivered = told === members ? lowestDelivered : 0;
  return { highestDelivered, highestReceived: Math.max(highestDelivered, highestReceived) };
}

function isSameView(a: ViewId | null, b: ViewId): boolean {
  return a !== null && a.id === b.id && addressKey(a.creator) === addressKey(b.creator);
}
