import { addressKey, Flag, type Header, type RsvpHeader } from '../../codecs/jgroups/message.ts';
import type { ProtocolContext } from './context.ts';
import {
  type Confirm,
  controlMessage,
  type GroupView,
  headerOf,
  type InMessage,
  type OutMessage,
  Protocol,
} from './protocol.ts';

const WANTED = Flag.RSVP | Flag.RSVP_NB;
const RESPONSE_FLAGS = Flag.RSVP | Flag.INTERNAL | Flag.DONT_BUNDLE | Flag.OOB;

/**
 * Messages that wait to be confirmed at once. Ids are Java shorts, and one in use cannot be given out again; a quarter
 * of them leaves room to go on counting.
 */
const MAX_WAITING = 16_384;

/** One message, from its sending until all of its recipients have confirmed it or it is too late. */
interface Wait {
  readonly dest: OutMessage['dest'];
  /** Keys of recipients that have not answered. */
  readonly missing: Set<string>;
  readonly left: string[];
  readonly endsAtMs: number;
  readonly settle: Confirm['settle'] | undefined;
}

/**
 * Messages that their recipients confirm once the application has had them (JGroups' RSVP, the highest protocol of its
 * udp.xml). The request is a header on the message itself, the answer a message to its sender, both reliable. While
 * somebody has not answered a group message, an empty one follows now and then: whoever lost the first notices that it
 * is missing.
 *
 * JGroups' RSVP leaves unicasts alone where UNICAST3 is below, but answers those that ask; we ask. A member without
 * RSVP in its stack never answers.
 */
export class RSVP extends Protocol {
  readonly #context: ProtocolContext;
  readonly #waits = new Map<number, Wait>();
  #members: readonly string[] = [];
  #nextId = 0;
  #resendAtMs = Infinity;
  /** The earliest end of a wait, or earlier. */
  #endsAtMs = Infinity;

  constructor(context: ProtocolContext) {
    super();
    this.#context = context;
  }

  /** With too many that wait, nobody is asked: the message goes, and its wait has ended. */
  down(message: OutMessage, nowMs: number): void {
    if ((message.flags & WANTED) === 0) {
      this.below.down(message, nowMs);
      return;
    }
    const { rsvpTimeoutMs, rsvpResendIntervalMs } = this.#context.config;
    const { dest, confirm } = message;
    const missing = new Set(dest === null ? this.#members : [addressKey(dest)]);
    missing.delete(this.#context.selfKey); // what comes back to ourselves is sure to
    const endsAtMs = nowMs + (confirm?.timeoutMs ?? rsvpTimeoutMs);
    const wait: Wait = { dest, missing, left: [], endsAtMs, settle: confirm?.settle };
    const id = this.#takeId();
    this.#waits.set(id, wait);
    this.#endsAtMs = Math.min(this.#endsAtMs, endsAtMs);
    if (dest === null) this.#resendAtMs = Math.min(this.#resendAtMs, nowMs + rsvpResendIntervalMs);
    if (this.#waits.size <= MAX_WAITING) message.headers.push({ protocol: 'RSVP', type: 'REQ', id });
    this.below.down(message, nowMs);
    if (this.#waits.size > MAX_WAITING) this.#settle(id, wait, 'timeout');
    else this.#settleIfDone(id, wait);
  }

  #takeId(): number {
    let id = this.#nextId;
    while (this.#waits.has(id)) id = next(id);
    this.#nextId = next(id);
    return id;
  }

  up(message: InMessage, nowMs: number): void {
    const header = (message.flags & WANTED) === 0 ? undefined : headerOf(message, 'RSVP');
    if (header === undefined) this.above.up(message, nowMs);
    else this.#handle(message, header, nowMs);
  }

  #handle(message: InMessage, header: RsvpHeader, nowMs: number): void {
    switch (header.type) {
      case 'REQ':
        try {
          this.above.up(message, nowMs);
        } finally {
          if (message.from !== this.#context.selfKey) this.#respond(message, header.id, nowMs);
        }
        return;
      case 'RSP': {
        const wait = this.#waits.get(header.id);
        if (wait?.missing.delete(message.from) === true) this.#settleIfDone(header.id, wait);
        return;
      }
      case 'REQ_ONLY': // it has done its work by having come: nothing before it is missing
    }
  }

  #respond({ src }: InMessage, id: number, nowMs: number): void {
    this.#context.counters.confirmationsSent++;
    const header: Header = { protocol: 'RSVP', type: 'RSP', id };
    this.below.down(controlMessage(src, RESPONSE_FLAGS, header), nowMs);
  }

  #settleIfDone(id: number, wait: Wait): void {
    if (wait.missing.size === 0) this.#settle(id, wait, 'timeout');
  }

  /** @param reason why those that are missing are */
  #settle(id: number, { missing, left, settle }: Wait, reason: 'timeout' | 'closed'): void {
    this.#waits.delete(id);
    this.#context.counters.unconfirmed += missing.size + left.length;
    settle?.({ missing: [...missing], reason, left });
  }

  installView({ keys, audience }: GroupView): void {
    this.#members = audience.members;
    for (const { missing, left } of this.#waits.values()) {
      for (const key of missing) {
        if (keys.has(key)) continue;
        missing.delete(key);
        left.push(key);
      }
    }
  }

  /** Nobody is told of it before every protocol has the view. */
  override viewInstalled(): void {
    for (const [id, wait] of [...this.#waits]) this.#settleIfDone(id, wait);
  }

  override nextDeadlineMs(): number {
    return Math.min(this.#resendAtMs, this.#endsAtMs);
  }

  override handleTimeout(nowMs: number): void {
    if (nowMs >= this.#endsAtMs) this.#endWaits(nowMs);
    if (nowMs >= this.#resendAtMs) this.#remind(nowMs);
  }

  #endWaits(nowMs: number): void {
    this.#endsAtMs = Infinity;
    for (const [id, wait] of [...this.#waits]) {
      if (nowMs >= wait.endsAtMs) this.#settle(id, wait, 'timeout');
      else this.#endsAtMs = Math.min(this.#endsAtMs, wait.endsAtMs);
    }
  }

  /** One for all: any later group message shows what is missing before. UNICAST3 does the like for unicasts. */
  #remind(nowMs: number): void {
    this.#resendAtMs = Infinity;
    for (const [id, { dest }] of this.#waits) {
      if (dest !== null) continue;
      this.#resendAtMs = nowMs + this.#context.config.rsvpResendIntervalMs;
      this.below.down(controlMessage(null, Flag.RSVP, { protocol: 'RSVP', type: 'REQ_ONLY', id }), nowMs);
      return;
    }
  }

  /** No answer will be heard any more. */
  stop(): void {
    for (const [id, wait] of [...this.#waits]) this.#settle(id, wait, 'closed');
  }
}

function next(id: number): number {
  return id >= 0x7fff ? -0x8000 : id + 1;
}
