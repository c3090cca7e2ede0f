/**
 * The messengers of both stacks for a member whose group messages change stacks: each counts what
 * its recipients have, and can hold messages back until the other one's have arrived.
 */
import { JGroupsMessenger } from '../jgroups/jgroups-messenger.ts';
import type { Audience } from '../jgroups/protocol.ts';
import type { MemberId } from '../protocol/member-id.ts';
import type { OutgoingMessage } from '../protocol/messenger.ts';
import type { View } from '../protocol/view.ts';
import { TcpMessenger } from '../tcp/tcp-messenger.ts';
import { HoldQueue } from './hold-queue.ts';
import { type Condition, SentCount, SentCounts } from './sent-counts.ts';

/** Holds back messages to single members. */
export class OrderedTcpMessenger extends TcpMessenger {
  readonly #counts = new SentCounts();
  /** By uuid, of those that have to wait. */
  readonly #queues = new Map<string, HoldQueue<{ member: MemberId; message: OutgoingMessage }>>();
  onAcknowledged: () => void = () => undefined;

  /** Ordered messages to the member wait for this from now on. */
  hold(uuid: string, until: Condition): void {
    let queue = this.#queues.get(uuid);
    if (queue === undefined) this.#queues.set(uuid, (queue = new HoldQueue()));
    queue.holdUntil(until);
  }

  /** Sends what need not wait any more. */
  release(): void {
    if (!this.running) return;
    for (const [uuid, queue] of this.#queues) {
      queue.release(({ member, message }) => super.transmit(member, message, true));
      if (queue.isDone) this.#queues.delete(uuid);
    }
  }

  /** Everybody has all that was accepted so far. */
  settled(): Condition {
    return this.#counts.settled();
  }

  protected override transmit(member: MemberId, message: OutgoingMessage, reliable: boolean): void {
    if (reliable) {
      const ordered = isOrdered(message);
      this.#counts.of(member.uuid).accept(ordered);
      if (ordered && this.#queues.get(member.uuid)?.push({ member, message }) === true) return;
    }
    super.transmit(member, message, reliable);
  }

  protected override acknowledged(uuid: string, messages: number, bytes: number): void {
    this.#counts.acknowledge(uuid, messages);
    super.acknowledged(uuid, messages, bytes);
    this.onAcknowledged();
  }

  protected override viewInstalled(view: View, departed: readonly string[]): void {
    super.viewInstalled(view, departed);
    this.#counts.installView(view);
    for (const uuid of departed) this.#queues.delete(uuid);
  }
}

/** Holds back group messages. */
export class OrderedGroupMessenger extends JGroupsMessenger {
  readonly #count = new SentCount();
  readonly #queue = new HoldQueue<{ message: OutgoingMessage; audience: Audience }>();
  onGroupStable: () => void = () => undefined;

  /** Ordered group messages wait for this from now on. */
  holdGroup(until: Condition): void {
    this.#queue.holdUntil(until);
  }

  /** Ordered group messages have to wait just now. */
  get holdsGroup(): boolean {
    return !this.#queue.isDone;
  }

  /** Sends what need not wait any more. */
  releaseGroup(): void {
    if (!this.running) return;
    this.#queue.release(({ message, audience }) => super.transmitToGroup(message, true, audience));
  }

  /**
   * All members have all group messages that were accepted so far: also those members that came later, and messages
   * whose recipients have all left, for a joiner may get them still.
   */
  settled(): Condition {
    return this.#count.settled();
  }

  /** Group messages that not all members have. */
  get unstable(): number {
    return this.#count.pending;
  }

  protected override transmitToGroup(message: OutgoingMessage, reliable: boolean): void {
    if (reliable) {
      const ordered = isOrdered(message);
      this.#count.accept(ordered);
      if (ordered && this.#queue.push({ message, audience: this.audience })) return;
    }
    super.transmitToGroup(message, reliable);
  }

  protected override groupStable(messages: number): void {
    this.#count.acknowledge(messages);
    this.onGroupStable();
  }
}

export function isOrdered({ ordered, highPriority }: OutgoingMessage): boolean {
  return ordered !== false && highPriority !== true;
}
