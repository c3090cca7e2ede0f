import type { DeliveryCounts } from './delivery-record.ts';

/** What a member knows at the end of its part: how much it sent to whom and what it got from whom, by uuid. */
export interface Tally {
  readonly sent: ReadonlyMap<string, number>;
  readonly received: ReadonlyMap<string, Readonly<DeliveryCounts>>;
  /** Of `sent`, those that the recipient acknowledged; absent where the member cannot tell. */
  readonly acknowledged?: ReadonlyMap<string, number>;
}

/** How a member's part ended: it was there to the end, left in good order, or was killed. */
export type Ending = 'stayed' | 'left' | 'killed';

export interface Account {
  readonly name: string;
  readonly ending: Ending;
  readonly tally: Tally;
}

export interface Sums {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
  reordered: number;
  corrupt: number;
  memberLeft: number;
}

const NOTHING: DeliveryCounts = {
  delivered: 0,
  highest: 0,
  duplicated: 0,
  reordered: 0,
  missing: 0,
  corrupt: 0,
  bytes: 0,
};

/**
 * Holds what each member sent against what each recipient got, pair by pair.
 * @param accounts by uuid, all members that ever took part
 * @param problem is told of each pair for which the contract did not hold
 */
export function settle(accounts: ReadonlyMap<string, Account>, problem: (text: string) => void): Sums {
  const sums: Sums = {
    sent: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupt: 0,
    memberLeft: 0,
  };
  for (const [from, sender] of accounts) {
    for (const [to, recipient] of accounts) {
      if (from === to) continue;
      const got = recipient.tally.received.get(from) ?? NOTHING;
      // a killed sender's last words about what it sent may be older than its last messages
      const sent = Math.max(sender.tally.sent.get(to) ?? 0, got.highest);
      const lost = lostOf(sender, recipient, to, sent, got);
      sums.sent += sent;
      sums.delivered += got.delivered;
      sums.lost += lost;
      sums.memberLeft += sent - got.delivered - lost;
      sums.duplicated += got.duplicated;
      sums.reordered += got.reordered;
      sums.corrupt += got.corrupt;
      const broken = { lost, duplicated: got.duplicated, reordered: got.reordered, corrupt: got.corrupt };
      for (const [what, count] of Object.entries(broken)) {
        if (count > 0) problem(`${sender.name} -> ${recipient.name}: ${count} of ${sent} ${what}`);
      }
    }
  }
  return sums;
}

/** Of what did not arrive, the part that nothing excuses. */
function lostOf(
  sender: Account,
  recipient: Account,
  to: string,
  sent: number,
  got: Readonly<DeliveryCounts>,
): number {
  const undelivered = sent - got.delivered;
  switch (recipient.ending) {
    case 'stayed':
      // a killed sender takes along what nobody acknowledged, but may leave no hole
      return sender.ending === 'killed' ? got.missing : undelivered;
    case 'left':
      // it said last what it had got: what was acknowledged to its senders must be in there
      return Math.max(got.missing, (sender.tally.acknowledged?.get(to) ?? 0) - got.delivered, 0);
    case 'killed':
      return got.missing;
  }
}
