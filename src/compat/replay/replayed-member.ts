import {
  type Address,
  addressKey,
  type Datagram,
  Flag,
  type GeodeAddress,
  type Message,
} from '../../../codecs/jgroups/message.ts';
import { decodeDatagram } from '../../../codecs/jgroups/registry.ts';
import type { JGroupsConfig } from '../../jgroups/config.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { JGroupsStack } from '../../jgroups/stack.ts';
import { seededRng } from '../../protocol/rng.ts';
import { Alignment } from './alignment.ts';
import { messagesOf } from './captured-datagrams.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { idOf } from './fingerprint.ts';
import { ReplyLog, seqnosOf, wasSent } from './reply-log.ts';
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
}

const MAX_PROBLEMS = 20;

/** Two ticks, and what a clock may be off. */
const SLACK_MS = 100;

/** The production stack in the place of one real member. */
export class ReplayedMember {
  readonly plan: MemberPlan;
  readonly key: string;
  readonly stack: JGroupsStack;
  readonly model: WireModel;
  /** What the real member said, and what the stack did. */
  readonly real = new ReplyLog();
  readonly ours = new ReplyLog();
  readonly checks = new Map<string, DeliveryCheck>();
  /** What would break a conversation with a real peer. */
  readonly wrong: string[] = [];
  /** By peer: DATA that was asked for and not sent again at once, as `connId:seqno` of the real member. */
  readonly unanswered = new Map<string, Set<number>>();
  readonly #alignment = new Alignment();
  readonly #nameOf: (key: string) => string;
  deliveredCount = 0;
  #nowMs: number;
  /** Seqnos that were sent during the call that is under way, by peer. */
  #sentNow = new Map<string, Set<number>>();

  constructor(plan: MemberPlan, nameOf: (key: string) => string) {
    this.plan = plan;
    this.key = addressKey(plan.address);
    this.#nameOf = nameOf;
    this.#nowMs = plan.startMs;
    this.stack = new JGroupsStack(
      plan.config,
      plan.address,
      {
        transmit: (bytes) => this.#transmitted(bytes),
        deliver: (src, payload, flags) => this.#delivered(src, payload, flags),
        acknowledged: () => undefined,
        complain: () => undefined,
        transmitToGroup: () => undefined,
      },
      seededRng(1),
      plan.startMs,
    );
    this.model = new WireModel({
      deliverable: (src, payload, flags) => {
        if (plan.selfChecked) this.check(src).expect(idOf(payload), isOrdered(flags), isUnreliable(flags));
      },
      filled: (src, seqno, sinceMs, timeMs) => this.#gapClosed(src, seqno, sinceMs, timeMs),
    });
  }

  check(src: string): DeliveryCheck {
    let check = this.checks.get(src);
    if (check === undefined) {
      check = new DeliveryCheck();
      this.checks.set(src, check);
    }
    return check;
  }

  isAlive(timeMs: number): boolean {
    return timeMs <= this.plan.endMs;
  }

  nextDeadlineMs(): number {
    return this.stack.nextDeadlineMs();
  }

  handleTimeout(nowMs: number): void {
    this.#nowMs = nowMs;
    this.stack.handleTimeout(nowMs);
  }

  installView(members: readonly Address[], nowMs: number): void {
    this.#nowMs = nowMs;
    this.stack.installView({ members }, nowMs);
  }

  send(dest: Address, payload: Uint8Array, flags: number, nowMs: number): void {
    this.#nowMs = nowMs;
    this.stack.send(dest, payload, flags, nowMs);
  }

  /** The real member sent this. */
  noteReal(datagram: Datagram): void {
    for (const { message, dest } of messagesOf(datagram)) {
      if (dest === null) continue;
      const key = addressKey(dest);
      this.real.note(key, message);
      this.#alignment.note('real', key, message);
    }
  }

  receiveProbe(bytes: Buffer, host: string, port: number, nowMs: number): void {
    this.#nowMs = nowMs;
    this.stack.handleDatagram(bytes, host, port, nowMs);
  }

  /** @param datagram what `bytes` say */
  receive(datagram: Datagram, bytes: Buffer, host: string, port: number, nowMs: number): void {
    this.#nowMs = nowMs;
    const forUs = messagesOf(datagram).filter(({ src, dest }) => {
      return src !== null && dest !== null && addressKey(dest) === this.key && addressKey(src) !== this.key;
    });
    if (forUs.some(({ cluster }) => cluster !== this.plan.config.cluster)) return;
    for (const { message, src } of forUs) this.model.receive(addressKey(src as Address), message, nowMs);
    this.#sentNow = new Map();
    this.stack.handleDatagram(this.#alignment.translate(datagram, bytes), host, port, nowMs);
    for (const { message, src } of forUs) this.#checkResends(addressKey(src as Address), message);
  }

  #checkResends(src: string, message: Message): void {
    if (headerOf(message, 'UNICAST3')?.type !== 'XMIT_REQ') return;
    const sent = this.#sentNow.get(src);
    for (const seqno of seqnosOf(message)) {
      const list = this.unanswered.get(src) ?? new Set();
      this.unanswered.set(src, list);
      const mine = this.#alignment.seqno(src, seqno);
      const latest = [...this.ours.of(src).data.values()].at(-1);
      if (sent?.has(mine) === true) list.delete(seqno);
      else if (latest !== undefined && wasSent(latest, mine)) list.add(seqno);
    }
  }

  // --- what the stack does -----------------------------------------------------------------------------------

  #delivered(src: Address, payload: Uint8Array, flags: number): void {
    this.deliveredCount++;
    const isTwilight = this.#nowMs >= this.plan.twilightMs;
    const excusable = isUnreliable(flags) || isTwilight || this.plan.forgiving;
    this.check(addressKey(src)).deliver(idOf(payload), isOrdered(flags), excusable);
  }

  #transmitted(bytes: Buffer): void {
    if (bytes.length === 4) {
      this.ours.pongs++;
      return;
    }
    for (const { message, dest } of messagesOf(decodeDatagram(bytes))) {
      if (dest === null) continue;
      const key = addressKey(dest);
      this.ours.note(key, message);
      this.#alignment.note('ours', key, message);
      this.#checkReply(key, message);
    }
  }

  #checkReply(dest: string, message: Message): void {
    const header = headerOf(message, 'UNICAST3');
    if (header?.type === 'DATA') {
      const sent = this.#sentNow.get(dest);
      if (sent === undefined) this.#sentNow.set(dest, new Set([header.seqno]));
      else sent.add(header.seqno);
    } else if (header?.type === 'ACK') {
      const most = this.model.contiguous(dest, header.connId);
      if (most === null || header.seqno <= most) return;
      this.problem(
        `acknowledged ${header.seqno} of ${this.#nameOf(dest)}, which had come only up to ${most}`,
      );
    } else if (header?.type === 'XMIT_REQ') {
      const present = seqnosOf(message).filter((seqno) => !this.model.isMissing(dest, seqno));
      if (present.length > 0) {
        this.problem(`asked ${this.#nameOf(dest)} again for ${list(present)}, which was not missing`);
      }
    }
  }

  #gapClosed(src: string, seqno: number, sinceMs: number, timeMs: number): void {
    if (timeMs - sinceMs <= this.#patienceMs || this.ours.of(src).asked.has(seqno)) return;
    this.problem(
      `did not ask ${this.#nameOf(src)} for ${seqno}, missing for ${Math.round(timeMs - sinceMs)} ms`,
    );
  }

  /** The first tick sees a gap, the second asks (WIRE-3.6 section 5). */
  get #patienceMs(): number {
    return 2 * this.plan.config.xmitIntervalMs + SLACK_MS;
  }

  /** To be called once, at the end of its time. */
  finish(nowMs: number): void {
    for (const { src, seqno, sinceMs } of this.model.open()) this.#gapClosed(src, seqno, sinceMs, nowMs);
  }

  problem(what: string): void {
    if (this.wrong.length < MAX_PROBLEMS) this.wrong.push(`${this.plan.name}: ours ${what}`);
  }
}

export function isOrdered(flags: number): boolean {
  return (flags & (Flag.OOB | Flag.NO_RELIABILITY)) === 0;
}

export function isUnreliable(flags: number): boolean {
  return (flags & Flag.NO_RELIABILITY) !== 0;
}

/** `5, 8, 11 and 3 more`. */
export function list(items: Iterable<number | string>, most = 5): string {
  const all = [...items];
  const shown = all.slice(0, most).join(', ');
  return all.length <= most ? shown : `${shown} and ${all.length - most} more`;
}
