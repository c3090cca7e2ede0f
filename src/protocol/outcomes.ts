import { InvariantError } from './errors.ts';
import type { MemberId } from './member-id.ts';
import type { OutcomeCounts } from './messenger.ts';

function noOutcomes(): OutcomeCounts {
  return { accepted: 0, delivered: 0, memberLeft: 0, closed: 0, pending: 0 };
}

function addTo(sum: OutcomeCounts, part: Readonly<OutcomeCounts>): void {
  sum.accepted += part.accepted;
  sum.delivered += part.delivered;
  sum.memberLeft += part.memberLeft;
  sum.closed += part.closed;
  sum.pending += part.pending;
}

/** One peer's messages, ours to it and its to us. Made by `OutcomeLedger.of`. */
export class PeerOutcomes {
  /** As the newest view has it. */
  member: MemberId;
  readonly #ledger: OutcomeLedger;
  #accepted = 0;
  #delivered = 0;
  #memberLeft = 0;
  #closed = 0;
  /** Messages of this peer that were given to our handlers. */
  received = 0;

  constructor(member: MemberId, ledger: OutcomeLedger) {
    this.member = member;
    this.#ledger = ledger;
  }

  /** Put together when it is read. */
  get sent(): Readonly<OutcomeCounts> {
    const pending = this.pending;
    return {
      accepted: this.#accepted,
      delivered: this.#delivered,
      memberLeft: this.#memberLeft,
      closed: this.#closed,
      pending,
    };
  }

  /** Accepted, and no outcome yet. */
  get pending(): number {
    return this.#accepted - this.#delivered - this.#memberLeft - this.#closed;
  }

  accept(): void {
    this.#accepted++;
    this.#ledger.pending++;
  }

  /** The peer acknowledged so many. */
  deliver(count: number): void {
    const pending = this.pending;
    if (count > pending) {
      throw new InvariantError(`${count} messages end as delivered, ${pending} were pending`);
    }
    this.#delivered += count;
    this.#settle(count);
  }

  /** What is pending gets no acknowledgement any more. */
  end(outcome: 'memberLeft' | 'closed'): void {
    const count = this.pending;
    if (outcome === 'memberLeft') this.#memberLeft += count;
    else this.#closed += count;
    this.#settle(count);
  }

  #settle(count: number): void {
    if (count === 0) return;
    this.#ledger.pending -= count;
    if (this.#ledger.pending === 0) this.#ledger.onSettled();
  }
}

/**
 * What became of every accepted message, per peer, with the sums of departed peers kept: the figures always add
 * up to `accepted = delivered + memberLeft + closed + pending` (README, the contract).
 */
export class OutcomeLedger {
  readonly #peers = new Map<string, PeerOutcomes>();
  readonly #departed = noOutcomes();
  #departedReceived = 0;
  /** Accepted messages of all peers that have no outcome yet. */
  pending = 0;
  /** Called whenever `pending` falls to 0. */
  onSettled: () => void = () => undefined;

  /** The peer's counts, new ones if it has none. */
  of(member: MemberId): PeerOutcomes {
    let peer = this.#peers.get(member.uuid);
    if (peer === undefined) {
      peer = new PeerOutcomes(member, this);
      this.#peers.set(member.uuid, peer);
    } else peer.member = member;
    return peer;
  }

  find(uuid: string): PeerOutcomes | null {
    return this.#peers.get(uuid) ?? null;
  }

  /** Ends the peer's pending messages as `memberLeft` and moves its counts to the sums. */
  depart(uuid: string): void {
    const peer = this.#peers.get(uuid);
    if (peer === undefined) return;
    this.#peers.delete(uuid);
    const { sent } = peer;
    addTo(this.#departed, { ...sent, memberLeft: sent.memberLeft + sent.pending, pending: 0 });
    this.#departedReceived += peer.received;
    peer.end('memberLeft');
  }

  /** Ends everything that is pending as `closed`. */
  closeAll(): void {
    for (const peer of this.#peers.values()) peer.end('closed');
  }

  peers(): IterableIterator<PeerOutcomes> {
    return this.#peers.values();
  }

  totals(): OutcomeCounts {
    const sum = { ...this.#departed };
    for (const peer of this.#peers.values()) addTo(sum, peer.sent);
    return sum;
  }

  received(): number {
    let sum = this.#departedReceived;
    for (const peer of this.#peers.values()) sum += peer.received;
    return sum;
  }
}
