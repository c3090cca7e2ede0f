import { LocalProtocolError } from './errors.ts';
import type { MemberId } from './member-id.ts';
import type { OutgoingMessage, SendResult } from './messenger.ts';

/** Why a recipient has not confirmed a message; with the last three it was not even sent to it. */
export type UnconfirmedReason = 'timeout' | 'memberLeft' | 'closed' | 'notInView' | 'refused' | 'unreachable';

/** Who has confirmed that its application had a message. The sender itself is not asked. */
export interface Confirmation {
  readonly confirmed: readonly MemberId[];
  readonly unconfirmed: readonly { readonly member: MemberId; readonly reason: UnconfirmedReason }[];
}

/** How long recipients have to confirm unless the caller says otherwise: JGroups' RSVP has the same. */
export const DEFAULT_CONFIRM_TIMEOUT_MS = 10_000;

/** @throws {LocalProtocolError} `ERR_MESSAGE` for what is no time */
export function checkTimeout(timeoutMs: number): void {
  if (timeoutMs >= 0) return;
  throw new LocalProtocolError('ERR_MESSAGE', `timeoutMs must be milliseconds, 0 or more, not ${timeoutMs}`);
}

/** Of parts of one message. */
export function joinConfirmations(parts: readonly Confirmation[]): Confirmation {
  return {
    confirmed: parts.flatMap(({ confirmed }) => confirmed),
    unconfirmed: parts.flatMap(({ unconfirmed }) => unconfirmed),
  };
}

/** On a message whose acknowledgement somebody waits for; a symbol, so that no caller can bring one. */
export const WAIT = Symbol('wait');

export interface AwaitedMessage extends OutgoingMessage {
  readonly [WAIT]?: AcknowledgementWait;
}

/** Who has acknowledged one message that went to each recipient by itself. Settles a promise and calls nobody else. */
export class AcknowledgementWait {
  readonly result: Promise<Confirmation>;
  readonly #waiting: Map<string, MemberId>;
  readonly #confirmed: MemberId[] = [];
  readonly #unconfirmed: { member: MemberId; reason: UnconfirmedReason }[] = [];
  #resolve!: (confirmation: Confirmation) => void;
  #isSent = false;

  /** @param members who is expected to acknowledge */
  constructor(members: readonly MemberId[]) {
    this.#waiting = new Map(members.map((member) => [member.uuid, member]));
    this.result = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** The message was sent; these will not get it. */
  handleSent({ notInView, refused }: SendResult): void {
    for (const member of notInView) this.#fail(member, 'notInView');
    for (const member of refused) this.#fail(member, 'refused');
    this.#isSent = true;
    this.#settleIfDone();
  }

  handleAcknowledged(uuid: string): void {
    const member = this.#waiting.get(uuid);
    if (member === undefined) return;
    this.#waiting.delete(uuid);
    this.#confirmed.push(member);
    this.#settleIfDone();
  }

  /** The members are not waited for any more; those that are left if none are named. */
  end(reason: UnconfirmedReason, uuids: readonly string[] = [...this.#waiting.keys()]): void {
    for (const uuid of uuids) {
      const member = this.#waiting.get(uuid);
      if (member !== undefined) this.#fail(member, reason);
    }
    this.#settleIfDone();
  }

  #fail(member: MemberId, reason: UnconfirmedReason): void {
    this.#waiting.delete(member.uuid);
    this.#unconfirmed.push({ member, reason });
  }

  #settleIfDone(): void {
    if (!this.#isSent || this.#waiting.size > 0) return;
    this.#resolve({ confirmed: this.#confirmed, unconfirmed: this.#unconfirmed });
  }
}
