import { crc32 } from 'node:zlib';

import type { MemberId } from '../../src/protocol/member-id.ts';
import type { IncomingMessage, MessengerStats, PeerStats } from '../../src/protocol/messenger.ts';
import { GroupLog, Pair, Violation } from './pair.ts';
import { formatPayload, parsePayload } from './payload.ts';

export { Violation } from './pair.ts';

interface Watched {
  readonly uuid: string;
  readonly name: string;
  readonly index: number;
  active: boolean;
  left: boolean;
  received: number;
  readonly group: GroupLog;
}

/** Sees every `send` and every delivery, and says when the contract does not hold. */
export class Checker {
  sent = 0;
  delivered = 0;
  unreliableSent = 0;
  unreliableDelivered = 0;
  readonly #members: Watched[] = [];
  readonly #byUuid = new Map<string, Watched>();
  /** By sender index, then recipient index. */
  readonly #pairs: Map<number, Pair>[] = [];
  readonly #unreliable = new Map<string, Set<number>>();
  readonly #groupChangesStacks: boolean;

  /** @param groupChangesStacks group messages may also go by TCP */
  constructor(groupChangesStacks = false) {
    this.#groupChangesStacks = groupChangesStacks;
  }

  /** @returns the number by which the member's payloads name it */
  join({ uuid }: MemberId, name: string): number {
    const index = this.#members.length;
    if (this.#byUuid.has(uuid)) throw new Violation('identity', `the uuid ${uuid} came twice`);
    const member: Watched = {
      uuid,
      name,
      index,
      active: true,
      left: false,
      received: 0,
      group: new GroupLog(),
    };
    this.#members.push(member);
    this.#byUuid.set(uuid, member);
    this.#pairs.push(new Map());
    return index;
  }

  accept(sender: number, recipient: MemberId, payload: Buffer, ordered: boolean, atMs: number): void {
    this.sent++;
    this.#pair(sender, this.#watched(recipient).index).accept(
      parsePayload(payload).number,
      ordered,
      crc32(payload),
      atMs,
    );
  }

  /**
   * One message for all of them, in order with the sender's other group messages only. A stack that sends it to each
   * on its own may have refused it for others.
   */
  acceptGroup(
    sender: number,
    recipients: readonly MemberId[],
    refused: readonly MemberId[],
    payload: Buffer,
    ordered: boolean,
    atMs: number,
  ): void {
    this.sent += recipients.length;
    const { number } = parsePayload(payload);
    const message = this.#members[sender]!.group.add(number, ordered, crc32(payload), atMs);
    for (const recipient of recipients) {
      this.#pair(sender, this.#watched(recipient).index).acceptGroup(message);
    }
    for (const recipient of refused) {
      this.#pair(sender, this.#watched(recipient).index).refuseGroup(message);
    }
  }

  /**
   * The joiner will start from a digest that this member has given out now: what it had delivered by then must not
   * come again. Of its own messages only the stack below knows how far they have got.
   */
  digestGiven(by: number, joiner: number): void {
    for (const { index } of this.#members) {
      if (index === by || index === joiner) continue;
      this.#pair(index, joiner).startAt(this.#pair(index, by).nextInGroup ?? 0);
    }
  }

  acceptUnreliable(sender: number, payload: Buffer): void {
    this.unreliableSent++;
    const key = `${sender}`;
    const crcs = this.#unreliable.get(key) ?? new Set();
    crcs.add(crc32(payload));
    this.#unreliable.set(key, crcs);
  }

  deliver(recipient: number, incoming: IncomingMessage): void {
    const member = this.#members[recipient]!;
    const payload = Buffer.from(incoming.payload);
    if (!member.active) throw new Violation('after-stop', `${member.name} got ${formatPayload(payload)}`);
    const { sender, number, unreliable } = parsePayload(payload);
    const claimed = this.#members[sender];
    if (claimed === undefined || incoming.sender.uuid !== claimed.uuid) {
      throw new Violation(
        'sender',
        `${member.name} got ${formatPayload(payload)} as ${incoming.sender.name}'s`,
      );
    }
    member.received++;
    if (unreliable) {
      this.unreliableDelivered++;
      if (this.#unreliable.get(`${sender}`)?.has(crc32(payload)) === true) return;
      throw new Violation('corruption', `${member.name} got an unreliable message that nobody sent`);
    }
    this.delivered++;
    this.#pair(sender, recipient).deliver(number, crc32(payload));
  }

  /** From here on messages from and to this member may be lost. */
  release(index: number): void {
    const member = this.#members[index]!;
    member.left = true;
    for (const [sender, pairs] of this.#pairs.entries()) {
      for (const [recipient, pair] of pairs) {
        if (sender === index || recipient === index) pair.obliged = false;
      }
    }
  }

  /** The member was stopped or died: nothing may be delivered to it any more. */
  retire(index: number): void {
    this.#members[index]!.active = false;
  }

  /** Accepted messages that must still be delivered. */
  get outstanding(): number {
    let sum = 0;
    for (const pairs of this.#pairs) for (const pair of pairs.values()) sum += pair.outstanding;
    return sum;
  }

  /** Of one member, as a sender. */
  outstandingOf(index: number): number {
    let sum = 0;
    for (const pair of this.#pairs[index]!.values()) sum += pair.outstanding;
    return sum;
  }

  /** For the report of a liveness failure. */
  describeOutstanding(): string {
    const lines: string[] = [];
    for (const pairs of this.#pairs) {
      for (const pair of pairs.values()) {
        const missing = pair.obliged ? pair.firstMissing() : undefined;
        if (missing === undefined) continue;
        const { number, ordered, atMs, lane } = missing;
        const kind = `${ordered ? 'ordered' : 'unordered'} ${lane}`;
        lines.push(
          `${pair.name}: ${pair.outstanding} missing, first ${number} (${kind}, sent at ${atMs.toFixed(1)} ms)`,
        );
      }
    }
    return lines.join('; ');
  }

  /** The messenger's own counts against each other and against what was seen. */
  checkStats(index: number, stats: MessengerStats, stopped: boolean): void {
    const { name } = this.#members[index]!;
    const fail = (what: string): never => {
      throw new Violation(
        'counts',
        `${name}: ${what} in ${JSON.stringify({ ...stats.totals, received: stats.received })}`,
      );
    };
    const { accepted, delivered, memberLeft, closed, pending } = stats.totals;
    const seen = this.#sums(index);
    if (Math.min(accepted, delivered, memberLeft, closed, pending) < 0) fail('a count is negative');
    if (accepted !== delivered + memberLeft + closed + pending) fail('the outcomes do not add up');
    if (accepted !== seen.accepted) fail(`${seen.accepted} were accepted`);
    if (delivered > seen.delivered) fail(`only ${seen.delivered} were delivered`);
    if (memberLeft > seen.released) fail(`only ${seen.released} were for members that left`);
    if (!stopped && closed !== 0) fail('closed while running');
    if (stopped && pending !== 0) fail('pending though stopped');
    if (stats.received !== this.#members[index]!.received)
      fail(`${this.#members[index]!.received} were received`);
    this.#checkPeers(index, stats.peers, fail);
  }

  #checkPeers(index: number, peers: readonly PeerStats[], fail: (what: string) => never): void {
    const sums = new Map<string, { accepted: number; delivered: number; received: number }>();
    for (const { member, sent, received } of peers) {
      if (sent.accepted !== sent.delivered + sent.memberLeft + sent.closed + sent.pending) {
        fail(`the outcomes for ${member.name} do not add up`);
      }
      const sum = sums.get(member.uuid) ?? { accepted: 0, delivered: 0, received: 0 };
      sum.accepted += sent.accepted;
      sum.delivered += sent.delivered;
      sum.received += received;
      sums.set(member.uuid, sum);
    }
    for (const [uuid, sum] of sums) {
      const peer = this.#byUuid.get(uuid);
      if (peer === undefined) continue;
      const pair = this.#pair(index, peer.index);
      if (sum.accepted > pair.accepted) fail(`more accepted for ${peer.name} than were sent`);
      if (sum.delivered > pair.delivered) fail(`more delivered to ${peer.name} than it got`);
      if (!pair.obliged) continue;
      if (sum.accepted !== pair.accepted)
        fail(`${sum.accepted} accepted for ${peer.name}, not ${pair.accepted}`);
    }
  }

  #sums(index: number): { accepted: number; delivered: number; released: number } {
    const sums = { accepted: 0, delivered: 0, released: 0 };
    for (const [recipient, pair] of this.#pairs[index]!) {
      sums.accepted += pair.accepted;
      sums.delivered += pair.delivered;
      if (this.#members[recipient]!.left) sums.released += pair.accepted;
    }
    return sums;
  }

  #watched(id: MemberId): Watched {
    const member = this.#byUuid.get(id.uuid);
    if (member === undefined) throw new Error(`nobody joined with the uuid ${id.uuid}`);
    return member;
  }

  #pair(sender: number, recipient: number): Pair {
    let pair = this.#pairs[sender]!.get(recipient);
    if (pair === undefined) {
      const [from, to] = [this.#members[sender]!, this.#members[recipient]!];
      pair = new Pair(`${from.name}>${to.name}`, from.group, this.#groupChangesStacks);
      pair.obliged = !from.left && !to.left;
      this.#pairs[sender]!.set(recipient, pair);
    }
    return pair;
  }
}
