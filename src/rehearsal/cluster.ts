import type { MemberId } from '../protocol/member-id.ts';
import { createView } from '../protocol/view.ts';
import type { Account, Ending, Tally } from './accounts.ts';
import type { RehearsalMember } from './members.ts';
import type { MemberRow, MemberState } from './types.ts';

/** One node of the cluster: an old member first, a new one later. */
export interface Slot {
  readonly name: string;
  member: RehearsalMember | null;
  state: MemberState;
  /** Of the member that is there now, as last heard. */
  tally: Tally;
  /** Messages of the members that were there before: without them a departure looks like loss. */
  readonly before: { sent: number; received: number };
}

const EMPTY: Tally = { sent: new Map(), received: new Map() };

/** Who is where, which view they have, and the books of those that are gone. */
export class Cluster {
  readonly slots: readonly Slot[];
  /** By uuid: members whose part is over. */
  readonly closed = new Map<string, Account>();
  #viewId = 0;
  #members: MemberId[] = [];

  constructor(size: number) {
    this.slots = Array.from({ length: size }, (_, i) => ({
      name: `m${i + 1}`,
      member: null,
      state: 'starting',
      tally: EMPTY,
      before: { sent: 0, received: 0 },
    }));
  }

  get live(): RehearsalMember[] {
    return this.slots.flatMap(({ member }) => (member === null ? [] : [member]));
  }

  get viewId(): number {
    return this.#viewId;
  }

  /** The oldest member comes first, as in Geode's views. */
  async join(members: readonly RehearsalMember[]): Promise<void> {
    const viewId = this.#viewId + 1;
    this.#members = [...this.#members, ...members.map(({ id }) => ({ ...id, viewId }))];
    // newcomers first: whoever has the view may send to them at once
    await this.#install(viewId, [...members, ...this.live.filter((member) => !members.includes(member))]);
  }

  /** A view without the member for all others; it itself gets none, as a member that left does not. */
  async remove(member: RehearsalMember): Promise<void> {
    this.#members = this.#members.filter(({ uuid }) => uuid !== member.id.uuid);
    const others = this.live.filter((other) => other !== member);
    await this.#install(this.#viewId + 1, others);
  }

  async #install(viewId: number, recipients: readonly RehearsalMember[]): Promise<void> {
    this.#viewId = viewId;
    const view = createView(viewId, this.#members);
    for (const member of recipients) await member.installView(view);
  }

  /** Closes the books of the member in a slot. */
  async close(slot: Slot, ending: Ending): Promise<void> {
    if (slot.member === null) return;
    const { id, version } = slot.member;
    const tally = await slot.member.tally();
    this.closed.set(id.uuid, { name: `${slot.name} (${version})`, ending, tally });
    slot.before.sent += sentIn(tally);
    slot.before.received += receivedIn(tally);
    slot.member = null;
    slot.tally = EMPTY;
  }

  /** Asks all members how far they are. */
  async refresh(): Promise<void> {
    for (const slot of this.slots) if (slot.member !== null) slot.tally = await slot.member.tally();
  }

  /** Messages between members of the current view that were sent and not yet delivered, as of the last refresh. */
  inFlight(from?: Slot): number {
    let sum = 0;
    for (const sender of from === undefined ? this.slots : [from]) {
      const uuid = sender.member?.id.uuid;
      for (const recipient of this.slots) {
        const to = recipient.member?.id.uuid;
        if (uuid === undefined || to === undefined || uuid === to) continue;
        sum += Math.max(
          0,
          (sender.tally.sent.get(to) ?? 0) - (recipient.tally.received.get(uuid)?.delivered ?? 0),
        );
      }
    }
    return sum;
  }

  /** Messages on their way to one member, also from senders whose view has dropped it; as of the last refresh. */
  inFlightTo(slot: Slot): number {
    const to = slot.member?.id.uuid ?? '';
    let sum = 0;
    for (const { member, tally } of this.slots) {
      if (member === null || member.id.uuid === to) continue;
      sum += (tally.sent.get(to) ?? 0) - (slot.tally.received.get(member.id.uuid)?.delivered ?? 0);
    }
    return sum;
  }

  rows(): MemberRow[] {
    return this.slots.map((slot) => ({
      name: slot.name,
      address: slot.member === null ? '' : `${slot.member.id.host}:${slot.member.id.port}`,
      version: slot.member?.version ?? '',
      stack: slot.member === null ? '' : stackOf(slot.member),
      state: slot.state,
      sent: slot.before.sent + sentIn(slot.tally),
      received: slot.before.received + receivedIn(slot.tally),
      inFlight: this.inFlight(slot),
    }));
  }
}

/** What a member speaks now. */
export function stackOf(member: RehearsalMember): string {
  const stacks = member.messenger?.stats().stacks;
  if (stacks?.tcp === undefined) return 'UDP';
  return stacks.udp?.state === 'dormant' ? 'TCP' : 'UDP+TCP';
}

function sentIn({ sent }: Tally): number {
  let total = 0;
  for (const count of sent.values()) total += count;
  return total;
}

function receivedIn({ received }: Tally): number {
  let total = 0;
  for (const { delivered } of received.values()) total += delivered;
  return total;
}
