import type { MemberId } from '../../src/protocol/member-id.ts';
import type { OutgoingMessage, SendResult } from '../../src/protocol/messenger.ts';
import { below, seededRng, type Rng } from '../../src/protocol/rng.ts';
import type { View } from '../../src/protocol/view.ts';
import { Violation } from './checker.ts';
import type { Cluster, SimulatedMember } from './cluster.ts';
import { createPayload, randomPayloadSize } from './payload.ts';

/** The application at one member: sends numbered messages of all kinds to whom its view names. */
export class Traffic {
  /** Recipients for which `send` said "wait". */
  readonly unwritable = new Set<string>();
  readonly #cluster: Cluster;
  readonly #rng: Rng;
  readonly #groupShare: number;
  #running = false;
  #number = 0;

  constructor(cluster: Cluster, seed: number) {
    this.#cluster = cluster;
    this.#groupShare = cluster.tuning.groupShare;
    this.#rng = seededRng(seed);
  }

  /** Sends a message every `intervalMs` on average; sometimes several at once. */
  start(member: SimulatedMember, intervalMs: number): void {
    this.#running = true;
    const tick = (): void => {
      if (!this.#running) return;
      member.environment.post(() => {
        const burst = this.#rng.next() < 0.05 ? 1 + below(this.#rng, 20) : 1;
        for (let count = 0; count < burst; count++) this.#sendOne(member);
      });
      this.#cluster.clock.after(this.#rng.next() * 2 * intervalMs, tick);
    };
    this.#cluster.clock.after(this.#rng.next() * intervalMs, tick);
  }

  stop(): void {
    this.#running = false;
  }

  handleWritable(recipient: MemberId): void {
    this.unwritable.delete(recipient.uuid);
  }

  /** Nobody becomes writable who has left. */
  handleView(view: View): void {
    for (const uuid of this.unwritable) if (view.find(uuid) === null) this.unwritable.delete(uuid);
  }

  #sendOne(member: SimulatedMember): void {
    const { view } = member;
    if (view === null || member.state !== 'running' || !this.#running) return;
    const others = view.members.filter(({ uuid }) => uuid !== member.id.uuid);
    const recipients = this.#chooseRecipients(member.id, others);
    if (recipients !== 'all' && recipients.length === 0) return;
    const number = this.#number++;
    const unreliable = this.#rng.next() < 0.03;
    const draw = this.#rng.next();
    const size = unreliable ? below(this.#rng, 1_000) : randomPayloadSize(this.#rng);
    const payload = createPayload({ sender: member.index, number, unreliable }, size, this.#rng);
    const message: OutgoingMessage = {
      recipients,
      payload,
      ...(draw < 0.15 ? { ordered: false } : {}),
      ...(draw > 0.9 ? { highPriority: true } : {}),
    };
    this.#cluster.attempt(() => {
      if (unreliable) {
        this.#cluster.checker.acceptUnreliable(member.index, payload);
        member.messenger.sendUnreliably(message);
      } else {
        const ordered = draw >= 0.15 && draw <= 0.9;
        this.#note(member, others, message, payload, ordered, member.messenger.send(message));
      }
    });
  }

  #chooseRecipients(self: MemberId, others: readonly MemberId[]): readonly MemberId[] | 'all' {
    if (this.#rng.next() < this.#groupShare) return 'all';
    const draw = this.#rng.next();
    const strangers = this.#cluster.members.map(({ id }) => id).filter(({ uuid }) => uuid !== self.uuid);
    if (draw < 0.02 && strangers.length > 0) return [strangers[below(this.#rng, strangers.length)]!];
    const writable = others.filter(({ uuid }) => !this.unwritable.has(uuid));
    if (draw < 0.1) return writable.filter(() => this.#rng.next() < 0.5);
    const one = writable[below(this.#rng, writable.length)];
    return one === undefined ? [] : [one];
  }

  #note(
    member: SimulatedMember,
    others: readonly MemberId[],
    message: OutgoingMessage,
    payload: Buffer,
    ordered: boolean,
    result: SendResult,
  ): void {
    const { checker, clock, tuning } = this.#cluster;
    const wanted = message.recipients === 'all' ? others : message.recipients;
    const accepted: MemberId[] = [];
    for (const recipient of wanted) {
      const missing = isIn(result.notInView, recipient);
      if (missing === isIn(others, recipient)) {
        const text = missing ? 'is in the view and was not accepted' : 'is not in the view and was accepted';
        throw new Violation('notInView', `${member.options.name} > ${recipient.name}: ${text}`);
      }
      const refused = isIn(result.refused, recipient);
      if (refused && result.writable) throw new Violation('backpressure', 'refused, and yet writable');
      if (refused) this.unwritable.add(recipient.uuid);
      if (!missing && !refused) accepted.push(recipient);
    }
    if (message.recipients === 'all' && tuning.hasGroup) {
      const { index } = member;
      if (accepted.length > 0)
        checker.acceptGroup(index, accepted, result.refused, payload, ordered, clock.nowMs);
    } else {
      for (const recipient of accepted)
        checker.accept(member.index, recipient, payload, ordered, clock.nowMs);
    }
    const [only] = wanted;
    if (!result.writable && wanted.length === 1 && only !== undefined) this.unwritable.add(only.uuid);
  }
}

function isIn(members: readonly MemberId[], { uuid }: MemberId): boolean {
  return members.some((other) => other.uuid === uuid);
}
