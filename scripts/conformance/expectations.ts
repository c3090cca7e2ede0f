/** What must have been delivered, and the wait for it. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { ConformanceMember } from './member.ts';

/** Messages 1..count of one stream from one member to another. */
export interface Expectation {
  readonly from: ConformanceMember;
  readonly to: ConformanceMember;
  readonly stream: number;
  readonly count: number;
  readonly ordered: boolean;
  /**
   * `all`: exactly once. `prefix`: the sender died, so the last ones may be missing. `suffix`: the recipient joined
   * after `optional` messages were sent, and may have none or some of the last of these. `some`: at most what was sent,
   * and so many at least.
   */
  readonly kind: 'all' | 'prefix' | { readonly optional: number } | { readonly least: number };
}

/** Nothing at all was delivered for so long: it is stuck. Four gap requests that are lost, twice over. */
const STALL_MS = 25_000;
/** For one feature, however slowly it goes on. */
const LIMIT_MS = 150_000;
const POLL_MS = 20;

/** Waits until all has arrived, or nothing moves any more. */
export async function arrival(expectations: readonly Expectation[]): Promise<void> {
  const start = performance.now();
  const recipients = new Set(expectations.map(({ to }) => to));
  for (;;) {
    if (expectations.every(hasArrived)) return;
    const now = performance.now();
    const last = Math.max(start, ...[...recipients].map(({ lastDeliveryMs }) => lastDeliveryMs));
    if (now - last > STALL_MS || now - start > LIMIT_MS) return;
    await sleep(POLL_MS);
  }
}

function hasArrived({ from, to, stream, count, kind }: Expectation): boolean {
  const { delivered, highest, missing } = to.received(from.id.uuid, stream);
  if (kind === 'all') return delivered >= count;
  if (kind === 'prefix') return true;
  if ('least' in kind) return delivered >= kind.least;
  return count <= kind.optional || (highest >= count && missing <= kind.optional);
}

/** What is wrong, in words; null if nothing is. */
export function fault(expectation: Expectation): string | null {
  const { from, to, stream, count, ordered, kind } = expectation;
  const got = to.received(from.id.uuid, stream);
  const wrong: string[] = [];
  if (got.duplicated > 0 && !isAtMost(kind)) wrong.push(`${got.duplicated} twice`);
  if (ordered && got.reordered > 0) wrong.push(`${got.reordered} out of order`);
  if (got.highest > count) wrong.push(`number ${got.highest} was never sent`);
  wrong.push(...incomplete(expectation));
  if (wrong.length === 0) return null;
  return `${from.label} -> ${to.label}: ${got.delivered} of ${count} delivered, ${wrong.join(', ')}`;
}

function incomplete({ from, to, stream, count, kind }: Expectation): string[] {
  const { delivered, highest, missing } = to.received(from.id.uuid, stream);
  if (kind === 'all') return delivered === count ? [] : [gapText(highest, to.gaps(from.id.uuid, stream))];
  if (kind === 'prefix') return missing === 0 ? [] : [gapText(highest, to.gaps(from.id.uuid, stream))];
  if ('least' in kind) return delivered >= kind.least ? [] : [`at least ${kind.least} were expected`];
  if (highest === 0) return count <= kind.optional ? [] : ['nothing of what came after the join'];
  const [first, ...others] = to.gaps(from.id.uuid, stream);
  const isSuffix =
    first === undefined || (first[0] === 1 && first[1] <= kind.optional && others.length === 0);
  const isComplete = highest === count || count <= kind.optional;
  return isSuffix && isComplete
    ? []
    : [`joined after ${kind.optional}: ${gapText(highest, first === undefined ? [] : [first, ...others])}`];
}

function isAtMost(kind: Expectation['kind']): boolean {
  return typeof kind === 'object' && 'least' in kind;
}

function gapText(highest: number, gaps: readonly (readonly [number, number])[]): string {
  const text = gaps.map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`)).join(' ');
  return `the highest is ${highest}${text === '' ? '' : `, missing ${text}`}`;
}
