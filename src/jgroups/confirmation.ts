import type { Confirmation, UnconfirmedReason } from '../protocol/confirmation.ts';
import type { MemberId } from '../protocol/member-id.ts';
import type { SendResult } from '../protocol/messenger.ts';
import type { Confirm } from './protocol.ts';

/** The answers to one message, which may go to several recipients one by one, or to all as one. */
export class ConfirmationCollector {
  readonly timeoutMs: number;
  /** Settles once all have been asked and have answered, or will not. */
  readonly result: Promise<Confirmation>;
  readonly #confirmed: MemberId[] = [];
  readonly #unconfirmed: { member: MemberId; reason: UnconfirmedReason }[] = [];
  #resolve!: (confirmation: Confirmation) => void;
  #waits = 0;
  #allAsked = false;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.result = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** For one message on the wire, to these. */
  ask(members: readonly MemberId[]): Confirm {
    this.#waits++;
    const { timeoutMs } = this;
    const settle: Confirm['settle'] = ({ missing, reason, left }) => {
      for (const member of members) {
        if (missing.includes(member.uuid)) this.#unconfirmed.push({ member, reason });
        else if (left.includes(member.uuid)) this.#unconfirmed.push({ member, reason: 'memberLeft' });
        else this.#confirmed.push(member);
      }
      this.#waits--;
      this.#settleIfDone();
    };
    return { timeoutMs, settle };
  }

  /** The member has no address that a message could be sent to. */
  handleUnreachable(member: MemberId): void {
    this.#unconfirmed.push({ member, reason: 'unreachable' });
  }

  /** Everybody was asked but for these. */
  finish({ notInView, refused }: SendResult): void {
    for (const member of notInView) this.#unconfirmed.push({ member, reason: 'notInView' });
    for (const member of refused) this.#unconfirmed.push({ member, reason: 'refused' });
    this.#allAsked = true;
    this.#settleIfDone();
  }

  #settleIfDone(): void {
    if (!this.#allAsked || this.#waits > 0) return;
    this.#resolve({ confirmed: this.#confirmed, unconfirmed: this.#unconfirmed });
  }
}
