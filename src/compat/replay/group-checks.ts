import { CodecError } from '../../../codecs/bytes/errors.ts';
import {
  type Address,
  addressKey,
  type Message,
  type Nakack2Header,
  type StableHeader,
  type ViewId,
} from '../../../codecs/jgroups/message.ts';
import { decodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { digestEntries } from '../../jgroups/digest.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { LocalProtocolError } from '../../protocol/errors.ts';
import type { GroupModel } from './group-model.ts';
import { idOf } from './fingerprint.ts';
import type { ReplyLog } from './reply-log.ts';
import { seqnosOf } from './reply-log.ts';
import { list } from './words.ts';

/** Own messages whose content is remembered. */
const MAX_REMEMBERED = 50_000;

type NumberedHeader = Extract<Nakack2Header, { seqno: number }>;

/** Whose checks they are. */
export interface GroupCheckContext {
  readonly key: string;
  readonly model: GroupModel;
  /** What the stack said. */
  readonly ours: ReplyLog;
  readonly nameOf: (key: string) => string;
  readonly problem: (what: string) => void;
}

/** Holds what the stack says about group messages against the rules of the wire (WIRE-3.6 sections 6 and 7). */
export class GroupChecks {
  readonly #context: GroupCheckContext;
  /** Content of own messages, by seqno. */
  readonly #sent = new Map<number, string>();
  #lastSentMs = -Infinity;
  /** By peer: own seqnos that it asked for. */
  readonly #requested = new Map<string, Set<number>>();
  /** By peer: those of them that were not sent again yet. */
  readonly unanswered = new Map<string, Set<number>>();
  /** By member: how far it told that each sender's messages had got there, in the view that we have. */
  readonly #gossips = new Map<string, ReadonlyMap<string, number>>();
  /** Of the senders whose messages are being handled: how far they had got before. */
  #before = new Map<string, number>();
  #others: ReadonlySet<string> = new Set();
  #viewId: ViewId | null = null;

  constructor(context: GroupCheckContext) {
    this.#context = context;
  }

  installView(keys: ReadonlySet<string>, viewId: ViewId): void {
    this.#others = new Set([...keys].filter((key) => key !== this.#context.key));
    this.#viewId = viewId;
    this.#gossips.clear();
    // what waited for the view comes now
    for (const key of this.#others) {
      if (!this.#before.has(key)) this.#before.set(key, this.#context.model.contiguous(key));
    }
  }

  // --- what comes ------------------------------------------------------------------------------------------

  /** Before the model and the stack get a datagram with messages of these senders. */
  expect(senders: Iterable<string>): void {
    const { model } = this.#context;
    this.#before = new Map([...senders].map((key) => [key, model.contiguous(key)]));
  }

  /** All was handled. */
  settle(): void {
    this.#before = new Map();
  }

  /** @param message as the stack gets it, in its own numbers */
  handle(from: string, message: Message, nowMs: number): void {
    const header = headerOf(message, 'NAKACK2');
    if (header?.type === 'XMIT_REQ' && addressKey(header.sender) === this.#context.key)
      this.#request(from, message);
    const stable = headerOf(message, 'STABLE');
    if (stable === undefined || !this.#isOurView(stable) || !this.#others.has(from)) return;
    const pairs = pairsOf(message);
    if (stable.type === 'STABLE_GOSSIP') {
      this.#gossips.set(from, new Map(pairs.map(({ key, highestDelivered }) => [key, highestDelivered])));
      return;
    }
    // who has less than was received somewhere asks for that one
    for (const { key, highestReceived } of pairs) this.#context.model.hear(key, highestReceived, nowMs);
  }

  #isOurView({ viewId }: StableHeader): boolean {
    const ours = this.#viewId;
    return (
      viewId !== null && viewId.id === ours?.id && addressKey(viewId.creator) === addressKey(ours.creator)
    );
  }

  #request(from: string, message: Message): void {
    const requested = setOf(this.#requested, from);
    const unanswered = setOf(this.unanswered, from);
    for (const seqno of seqnosOf(message)) {
      requested.add(seqno);
      if (this.#sent.has(seqno)) unanswered.add(seqno);
    }
  }

  // --- what the stack sends --------------------------------------------------------------------------------

  /** @param dest null: to the group */
  check(dest: Address | null, message: Message, nowMs: number): void {
    const header = headerOf(message, 'NAKACK2');
    if (header?.type === 'XMIT_REQ') this.#checkRequest(addressKey(header.sender), message);
    else if (header !== undefined) this.#checkNumbered(dest, message, header, nowMs);
    const stable = headerOf(message, 'STABLE');
    if (stable !== undefined) this.#checkDigest(stable, message);
  }

  #checkRequest(sender: string, message: Message): void {
    const { model, nameOf, problem } = this.#context;
    // one of whom nothing was delivered yet is probed with what is there (MemberWindow)
    if (!model.isCertain(sender)) return;
    // of a bundle, what is OOB is handled on its own: it may tell of a message that is beside it
    const before = this.#before.get(sender) ?? Infinity;
    const isPresent = (seqno: number): boolean => !model.isMissing(sender, seqno) && seqno <= before;
    const present = seqnosOf(message).filter(isPresent);
    if (present.length === 0) return;
    problem(`asked ${nameOf(sender)} again for group message ${list(present)}, which was not missing`);
  }

  #checkNumbered(dest: Address | null, message: Message, header: NumberedHeader, nowMs: number): void {
    const { problem, key } = this.#context;
    const { seqno } = header;
    const isOwn = message.src !== null && addressKey(message.src) === key;
    if (!isOwn) return;
    switch (header.type) {
      case 'MSG':
        if (dest !== null) problem(`sent its group message ${seqno} to one member`);
        this.#checkMessage(seqno, idOf(message.payload ?? EMPTY), nowMs);
        return;
      case 'XMIT_RSP':
        this.#checkAnswer(dest, seqno, idOf(message.payload ?? EMPTY));
        return;
      case 'HIGHEST_SEQNO':
        // more than those if it was alone when it sent the others
        if (seqno < this.#highestSent)
          problem(`told the group of ${seqno} messages, and sent ${this.#highestSent}`);
    }
  }

  get #highestSent(): number {
    return this.#context.ours.group.sent;
  }

  #checkMessage(seqno: number, id: string, nowMs: number): void {
    const { problem } = this.#context;
    const known = this.#sent.get(seqno);
    if (known === undefined) {
      this.#sent.set(seqno, id);
      this.#lastSentMs = nowMs;
      if (this.#sent.size > MAX_REMEMBERED)
        for (const oldest of this.#sent.keys()) {
          this.#sent.delete(oldest);
          break;
        }
    } else if (known !== id) problem(`sent another message as its group message ${seqno}`);
    for (const seqnos of this.unanswered.values()) if (known !== undefined) seqnos.delete(seqno);
  }

  #checkAnswer(dest: Address | null, seqno: number, id: string): void {
    const { problem, nameOf } = this.#context;
    const to = dest === null ? '' : addressKey(dest);
    if (this.#requested.get(to)?.has(seqno) !== true) {
      problem(`sent ${nameOf(to)} group message ${seqno} again, which it had not asked for`);
    }
    const known = this.#sent.get(seqno);
    if (known !== undefined && known !== id)
      problem(`sent ${nameOf(to)} another message as its group message ${seqno}`);
    this.unanswered.get(to)?.delete(seqno);
  }

  #checkDigest(header: StableHeader, message: Message): void {
    const { key: self, nameOf, problem } = this.#context;
    const { type } = header;
    // the stack may be a view behind the model, within one datagram
    if (!this.#isOurView(header)) return;
    for (const { key, highestDelivered } of pairsOf(message)) {
      if (key === self) continue;
      const [least, most] = this.#bounds(key, type);
      if (highestDelivered > most || highestDelivered < least) {
        const what = type === 'STABILITY' ? 'stable' : 'delivered';
        problem(
          `said that of ${nameOf(key)} ${highestDelivered} group messages are ${what}, and ${most} are`,
        );
      }
    }
    if (type === 'STABLE_GOSSIP') return;
    const silent = [...this.#others].filter((key) => !this.#gossips.has(key));
    if (silent.length > 0)
      problem(`said what is stable before ${list(silent.map(nameOf))} had told what it has`);
  }

  /** Of what may be said to be delivered of a sender. */
  #bounds(sender: string, type: StableHeader['type']): [least: number, most: number] {
    const delivered = this.#context.model.contiguous(sender);
    if (type === 'STABLE_GOSSIP') return [this.#before.get(sender) ?? delivered, delivered];
    let most = delivered;
    for (const gossip of this.#gossips.values()) most = Math.min(most, gossip.get(sender) ?? 0);
    return [0, most];
  }

  /** @param patienceMs how long it may take until an idle sender tells of its last message */
  finish(nowMs: number, patienceMs: number): void {
    const { ours, problem } = this.#context;
    const { sent, told } = ours.group;
    if (this.#others.size === 0 || told >= sent || nowMs - this.#lastSentMs <= patienceMs) return;
    problem(`did not tell the group of its last message, ${sent}`);
  }
}

interface Told {
  readonly key: string;
  readonly highestDelivered: number;
  readonly highestReceived: number;
}

function pairsOf(message: Message): Told[] {
  try {
    const payload = decodePayload(message);
    if (payload?.kind !== 'digest' || payload.digest === null) return [];
    return digestEntries(payload.digest).map(({ key, pair }) => ({ key, ...pair }));
  } catch (error) {
    if (error instanceof CodecError || error instanceof LocalProtocolError) return [];
    throw error;
  }
}

function setOf(sets: Map<string, Set<number>>, key: string): Set<number> {
  let set = sets.get(key);
  if (set === undefined) sets.set(key, (set = new Set()));
  return set;
}

const EMPTY = new Uint8Array(0);
