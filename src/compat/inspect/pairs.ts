/** All pairs of a capture, up to a limit. */
import type { MessageRecord } from '../record.ts';
import { MAX_OPEN_IN_ALL, MAX_PAIRS } from './limits.ts';
import type { Member, Members } from './members.ts';
import { Pair } from './pair.ts';
import type { PairReport } from './report.ts';
import type { Asked, Budget } from './seqno-tracker.ts';

export class Pairs implements Iterable<Pair> {
  readonly #byKey = new Map<string, Pair>();
  readonly #budget: Budget = { left: MAX_OPEN_IN_ALL };
  readonly #members: Members;
  readonly #onSettled: (pair: Pair, asked: Asked, repaired: boolean) => void;
  /** Messages of pairs beyond the limit. */
  leftOut = 0;

  constructor(members: Members, onSettled: (pair: Pair, asked: Asked, repaired: boolean) => void) {
    this.#members = members;
    this.#onSettled = onSettled;
  }

  [Symbol.iterator](): Iterator<Pair> {
    return this.#byKey.values();
  }

  unicast(record: MessageRecord, from: Member, to: Member): Pair | null {
    return this.#pair(record, from, to, 'unicast');
  }

  /** Where a group message went: to one member, if there is no IP multicast, or to all at once. */
  groupOf(record: MessageRecord): Member | string {
    if (isMulticast(record.to)) return `group ${record.to}`;
    return this.#members.of(null, record.to, record.ts, record.n) ?? `group ${record.to}`;
  }

  group(record: MessageRecord, from: Member, to: Member | string): Pair | null {
    return this.#pair(record, from, to, 'group');
  }

  /** By which group messages of one member reach another: the pair of these two, or that of all by IP multicast. */
  groupBetween(record: MessageRecord, from: Member, to: Member): Pair | null {
    const own = this.#byKey.get(keyOf(from, to, 'group'));
    if (own !== undefined) return own;
    for (const pair of this) {
      if (pair.kind === 'group' && pair.from === from && typeof pair.to === 'string') return pair;
    }
    return this.group(record, from, to);
  }

  report(): PairReport[] {
    return [...this].map((pair) => pair.report());
  }

  #pair(record: MessageRecord, from: Member, to: Member | string, kind: Pair['kind']): Pair | null {
    const key = keyOf(from, to, kind);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= MAX_PAIRS) {
      this.leftOut++;
      return null;
    }
    const id = `p${this.#byKey.size + 1}`;
    const pair = new Pair(id, from, to, kind, record.transport, this.#budget, this.#onSettled);
    this.#byKey.set(key, pair);
    return pair;
  }
}

function keyOf(from: Member, to: Member | string, kind: Pair['kind']): string {
  return `${kind} ${from.key} ${typeof to === 'string' ? to : to.key}`;
}

/** 224.0.0.0/4 and ff00::/8, and IPv4's broadcast address. */
function isMulticast(endpoint: string): boolean {
  const first = Number.parseInt(endpoint, 10);
  return (
    endpoint.startsWith('[ff') || (first >= 224 && first <= 239) || endpoint.startsWith('255.255.255.255:')
  );
}
