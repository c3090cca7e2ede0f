import {
  type Address,
  addressKey,
  Flag,
  type Message,
  type ViewId,
} from '../../../codecs/jgroups/message.ts';
import type { JGroupsConfig } from '../../jgroups/config.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import type { Addressed } from './captured-datagrams.ts';
import { CreditCheck } from './credit-check.ts';
import { creditsOf } from './credits.ts';
import { GroupChecks } from './group-checks.ts';
import { type ReplyLog, seqnosOf, wasSent } from './reply-log.ts';
import { FLOW_PROTOCOLS, type FlowProtocol, type WireModel } from './wire-model.ts';
import { list } from './words.ts';

/** On top of two ticks, after which an idle sender must have told of its last message. */
const SLACK_MS = 100;

/** Whose checks they are. */
export interface ReplyCheckContext {
  readonly key: string;
  readonly plan: { readonly config: JGroupsConfig; readonly startMs: number };
  readonly model: WireModel;
  /** What the stack said. */
  readonly ours: ReplyLog;
  readonly nameOf: (key: string) => string;
  readonly problem: (what: string) => void;
}

/** Holds each message that the stack sends against the rules of the wire. */
export class ReplyChecks {
  readonly group: GroupChecks;
  /** By peer: DATA that was asked for and not sent again, as seqnos of the real member and the stack. */
  readonly unanswered = new Map<string, Map<number, number>>();
  readonly #context: ReplyCheckContext;
  readonly #credits: Readonly<Record<FlowProtocol, CreditCheck>>;
  /** Seqnos that were sent during the call that is under way, by peer. */
  #sentNow = new Map<string, Set<number>>();
  /** Own messages up to here went to the group for the first time. */
  #sentToGroup = 0;
  /** Of a tick, and all intervals after it. */
  #ticksFromMs: number;

  constructor(context: ReplyCheckContext) {
    const { maxCredits } = context.plan.config;
    this.#context = context;
    this.#ticksFromMs = context.plan.startMs;
    this.#credits = { UFC: new CreditCheck(maxCredits), MFC: new CreditCheck(maxCredits) };
    const { key, model, ours, nameOf, problem } = context;
    this.group = new GroupChecks({ key, model: model.group, ours, nameOf, problem });
  }

  installView(keys: ReadonlySet<string>, viewId: ViewId): void {
    const others = new Set([...keys].filter((key) => key !== this.#context.key));
    for (const protocol of FLOW_PROTOCOLS) this.#credits[protocol].installView(others);
    this.group.installView(keys, viewId);
  }

  // --- what comes ------------------------------------------------------------------------------------------

  replenished(from: string, protocol: FlowProtocol, message: Message): void {
    if (headerOf(message, protocol)?.type === 'REPLENISH')
      this.#credits[protocol].replenish(from, creditsOf(message));
  }

  /** Before the model and the stack get these. */
  begin(messages: readonly Addressed[]): void {
    this.#sentNow = new Map();
    this.group.expect(messages.map(({ src }) => addressKey(src as Address)));
  }

  /** @param message as the stack gets it, in its own numbers */
  handle(from: string, message: Message, nowMs: number): void {
    this.group.handle(from, message, nowMs);
  }

  /** @param mine a seqno of the real member's messages to a peer as the stack has it */
  end(messages: readonly Addressed[], mine: (peer: string, seqno: number) => number): void {
    this.group.settle();
    for (const { message, src } of messages) {
      if (headerOf(message, 'UNICAST3')?.type !== 'XMIT_REQ') continue;
      const peer = addressKey(src as Address);
      for (const seqno of seqnosOf(message)) this.#asked(peer, seqno, mine(peer, seqno));
    }
  }

  #asked(peer: string, seqno: number, mine: number): void {
    const latest = [...this.#context.ours.of(peer).data.values()].at(-1);
    const isOwed =
      this.#sentNow.get(peer)?.has(mine) !== true && latest !== undefined && wasSent(latest, mine);
    if (!isOwed) return;
    const unanswered = this.unanswered.get(peer) ?? new Map<number, number>();
    this.unanswered.set(peer, unanswered);
    unanswered.set(mine, seqno);
  }

  /** A message is here that was missing. */
  gapClosed(src: string, seqno: number, sinceMs: number, timeMs: number, toGroup: boolean): void {
    const { ours, model, nameOf, problem } = this.#context;
    const { asked, groupAsked } = ours.of(src);
    if (this.#ticks(sinceMs, timeMs, toGroup) < 2 || (toGroup ? groupAsked : asked).has(seqno)) return;
    // of one of whom nothing was delivered yet, all are asked for once, then a few at a time (MemberWindow)
    if (toGroup && !model.group.isCertain(src) && groupAsked.size > 0) return;
    const what = toGroup ? `group message ${seqno}` : `${seqno}`;
    problem(`did not ask ${nameOf(src)} for ${what}, missing for ${Math.round(timeMs - sinceMs)} ms`);
  }

  /** Of the stack, in between: the first that sees a gap remembers it, the second asks (WIRE-3.6 section 5). */
  #ticks(sinceMs: number, untilMs: number, toGroup: boolean): number {
    const intervalMs = this.#intervalMs(toGroup);
    if (sinceMs < this.#ticksFromMs) return this.#ticks(this.#ticksFromMs, untilMs, toGroup);
    const before = Math.floor((sinceMs - this.#ticksFromMs) / intervalMs);
    // one at the time at which a message comes may be before or after it
    return Math.ceil((untilMs - this.#ticksFromMs) / intervalMs) - 1 - before;
  }

  #intervalMs(toGroup: boolean): number {
    const { xmitIntervalMs, mcastXmitIntervalMs } = this.#context.plan.config;
    return toGroup ? mcastXmitIntervalMs : xmitIntervalMs;
  }

  /** The clock jumped: ticks go on from now. */
  resumeTicks(nowMs: number): void {
    this.#ticksFromMs = nowMs;
  }

  // --- what the stack sends --------------------------------------------------------------------------------

  /** @param isService it is of the membership, which needs no credits */
  check(dest: Address | null, message: Message, isService: boolean, nowMs: number): void {
    this.group.check(dest, message, nowMs);
    const to = dest === null ? null : addressKey(dest);
    const isNew = to === null ? this.#isNewToGroup(message) : this.#checkUnicast(to, message);
    if (isNew && !isService) this.#checkCredits(to, message);
  }

  #isNewToGroup(message: Message): boolean {
    const header = headerOf(message, 'NAKACK2');
    if (header?.type !== 'MSG' || header.seqno <= this.#sentToGroup) return false;
    this.#sentToGroup = header.seqno;
    return true;
  }

  /** Whether it is a message that was not sent before. */
  #checkUnicast(dest: string, message: Message): boolean {
    const { model, nameOf, problem, ours } = this.#context;
    const header = headerOf(message, 'UNICAST3');
    if (header?.type === 'DATA') {
      const { seqno } = header;
      const sent = this.#sentNow.get(dest);
      if (sent === undefined) this.#sentNow.set(dest, new Set([seqno]));
      else sent.add(seqno);
      this.unanswered.get(dest)?.delete(seqno);
      return ours.of(dest).data.get(header.connId)?.resent.has(seqno) !== true;
    }
    if (header?.type === 'ACK') {
      const most = model.contiguous(dest, header.connId);
      if (most !== null && header.seqno > most) {
        problem(`acknowledged ${header.seqno} of ${nameOf(dest)}, which had come only up to ${most}`);
      }
    } else if (header?.type === 'XMIT_REQ') {
      const present = seqnosOf(message).filter((seqno) => !model.isMissing(dest, seqno));
      if (present.length > 0) {
        problem(`asked ${nameOf(dest)} again for ${list(present)}, which was not missing`);
      }
    }
    return false;
  }

  #checkCredits(dest: string | null, message: Message): void {
    const { nameOf, problem } = this.#context;
    const protocol = dest === null ? 'MFC' : 'UFC';
    const isControl = FLOW_PROTOCOLS.some((name) => headerOf(message, name) !== undefined);
    if (isControl || (message.flags & Flag.NO_FC) !== 0 || message.payload === null) return;
    if (!this.#context.plan.config.protocols.includes(protocol)) return;
    const debtor = this.#credits[protocol].take(dest, message.payload.length);
    if (debtor !== null)
      problem(`sent ${message.payload.length} bytes for which ${nameOf(debtor)} gave no credits`);
  }

  /** To be called once, at the end. */
  finish(nowMs: number): void {
    for (const { src, seqno, sinceMs } of this.#context.model.open()) {
      this.gapClosed(src, seqno, sinceMs, nowMs, false);
    }
    for (const { src, seqno, sinceMs } of this.#context.model.group.open()) {
      this.gapClosed(src, seqno, sinceMs, nowMs, true);
    }
    this.group.finish(nowMs, 2 * this.#intervalMs(true) + SLACK_MS);
  }
}
