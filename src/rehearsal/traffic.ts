import type { Environment, Timer } from '../protocol/environment.ts';
import type { MemberId } from '../protocol/member-id.ts';
import type { Messenger } from '../protocol/messenger.ts';
import { encodeNumberedPayload } from './numbered-payload.ts';

const TICK_MS = 5;

/** Behind by more than this, the generator lets go what it did not send: it paces, it does not catch up for ever. */
const MAX_BEHIND_MS = 1_000;

/** Numbered messages from one messenger to all others of the view in turn, so many a second in all. */
export class Traffic {
  /** Accepted messages, by the recipient's uuid; never forgotten, so that numbers go on where they stopped. */
  readonly sent = new Map<string, number>();
  readonly #environment: Environment;
  readonly #messenger: Messenger;
  readonly #timer: Timer;
  #recipients: readonly MemberId[] = [];
  #turn = 0;
  #intervalMs = Infinity;
  #size = 0;
  #nextMs = 0;

  constructor(environment: Environment, messenger: Messenger) {
    this.#environment = environment;
    this.#messenger = messenger;
    this.#timer = environment.createTimer(() => this.#tick());
  }

  setRecipients(recipients: readonly MemberId[]): void {
    this.#recipients = recipients;
  }

  start(messagesPerSecond: number, size: number): void {
    this.#intervalMs = 1_000 / messagesPerSecond;
    this.#size = size;
    this.#nextMs = this.#environment.nowMs();
    this.#timer.set(this.#nextMs);
  }

  stop(): void {
    this.#timer.clear();
  }

  #tick(): void {
    const nowMs = this.#environment.nowMs();
    this.#nextMs = Math.max(this.#nextMs, nowMs - MAX_BEHIND_MS);
    while (this.#nextMs <= nowMs && this.#sendOne()) this.#nextMs += this.#intervalMs;
    this.#timer.set(nowMs + TICK_MS);
  }

  /** False: the recipient has no room; its turn comes again. */
  #sendOne(): boolean {
    const recipient = this.#recipients[this.#turn % this.#recipients.length];
    if (recipient === undefined) return true;
    const number = (this.sent.get(recipient.uuid) ?? 0) + 1;
    const payload = encodeNumberedPayload(this.#messenger.memberId.uuid, number, this.#size);
    const { refused, notInView } = this.#messenger.send({ recipients: [recipient], payload });
    this.#turn++;
    if (refused.length > 0) return false;
    if (notInView.length === 0) this.sent.set(recipient.uuid, number);
    return true;
  }
}
