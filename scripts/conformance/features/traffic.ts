/** Bursts of every kind of message, from every member to every other at once. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { BurstOptions } from '../../../src/peers/steered-peer.ts';
import { type Direction, directionOf, type Feature, type Outcome } from '../cells.ts';
import { arrival, type Expectation } from '../expectations.ts';
import type { Group } from '../group.ts';
import type { ConformanceMember } from '../member.ts';

export interface Kind {
  readonly count: number;
  readonly sizeBytes: number;
  readonly flags?: string;
  readonly to: 'members' | 'group';
}

/** Bursts block for as long as flow control lets them: the wait for what must arrive has the time limit. */
const BURST_TIMEOUT_MS = 150_000;
/** What is lost on purpose is given up after this. */
const UNRELIABLE_WAIT_MS = 1_500;

/** On a bad network each gap costs a second or two: fewer messages have as many gaps. */
export function scaled(group: Group, count: number): number {
  const { loss } = group.spec.network;
  return Math.max(3, Math.round(loss >= 0.2 ? count / 4 : loss >= 0.05 ? count / 2 : count));
}

/** Starts the bursts and says what must come of them; the promise is of their ends. */
export function startBursts(
  group: Group,
  kind: Kind,
  senders: readonly ConformanceMember[] = group.members,
): { expectations: Expectation[]; sent: Promise<void> } {
  const stream = group.newStream();
  const count = scaled(group, kind.count);
  const flags = kind.flags ?? '-';
  const burst: BurstOptions = {
    count,
    sizeBytes: kind.sizeBytes,
    flags,
    stream,
    timeoutMs: BURST_TIMEOUT_MS,
  };
  const expectations: Expectation[] = [];
  const bursts: Promise<void>[] = [];
  for (const [from, to] of group.pairs()) {
    if (!senders.includes(from)) continue;
    const kept = { from, to, stream, count, ordered: !flags.includes('O') };
    expectations.push({ ...kept, kind: flags.includes('R') ? { least: leastOf(group, count) } : 'all' });
    if (kind.to === 'members') bursts.push(from.peer.burst(to.id, burst));
  }
  if (kind.to === 'group') for (const from of senders) bursts.push(from.peer.groupBurst(burst));
  return { expectations, sent: Promise.all(bursts).then(() => undefined) };
}

/** Of what may be lost: all on a clean network, else what no chance takes away in a million years. */
function leastOf({ spec: { network } }: Group, count: number): number {
  return network.loss === 0 && network.reorder === 0 ? count : Math.floor(count * (1 - network.loss) * 0.4);
}

/** Several kinds at once. */
export async function exchange(
  group: Group,
  kinds: readonly Kind[],
  senders?: readonly ConformanceMember[],
): Promise<Outcome> {
  const started = kinds.map((kind) => startBursts(group, kind, senders));
  const expectations = started.flatMap((one) => one.expectations);
  const ends = Promise.all(started.map(({ sent }) => sent));
  // a burst that hangs shows as messages that do not arrive, which tells more than a time limit
  ends.catch(() => undefined);
  await arrival(expectations);
  const isComplete = expectations.every(
    ({ from, to, stream, count }) => to.received(from.id.uuid, stream).delivered >= count,
  );
  if (isComplete) await ends;
  else if (kinds.some(({ flags = '' }) => flags.includes('R'))) await sleep(UNRELIABLE_WAIT_MS);
  return { expectations };
}

const always = (): boolean => true;
const hasGroup: Feature['fits'] = ({ carrier }) => carrier !== 'none';

function unicast(name: string, kind: Omit<Kind, 'to'>, fits: Feature['fits'] = always): Feature {
  return { name, fits, run: (group) => exchange(group, [{ ...kind, to: 'members' }]) };
}

function grouped(name: string, kind: Omit<Kind, 'to'>): Feature {
  return { name, fits: hasGroup, run: (group) => exchange(group, [{ ...kind, to: 'group' }]) };
}

/** What is sent in one go shares datagrams, if it may. */
function bundled(name: string, to: Kind['to']): Feature {
  return {
    name,
    fits: to === 'group' ? hasGroup : always,
    async run(group) {
      const ours = group.members.filter(({ kind }) => kind === 'ours');
      const before = await Promise.all(ours.map(bundlesOf));
      const outcome = await exchange(group, [{ count: 200, sizeBytes: 300, flags: 'B', to }]);
      const after = await Promise.all(ours.map(bundlesOf));
      const faults = ours
        .filter((_, i) => !((after[i] ?? 0) > (before[i] ?? 0)))
        .map(({ label }) => ({ direction: 'ours -> JVM' as const, reason: `${label} bundled nothing` }));
      return { ...outcome, faults };
    },
  };
}

async function bundlesOf({ peer }: ConformanceMember): Promise<number> {
  return (await peer.stats()).counters?.['bundlesSent'] ?? NaN;
}

const LARGE = 150_000;

export const UNICAST_FEATURES: readonly Feature[] = [
  unicast('unicast, ordered', { count: 200, sizeBytes: 1024 }),
  unicast('unicast, unordered (OOB)', { count: 200, sizeBytes: 512, flags: 'O' }),
  unicast('unicast, high priority', { count: 100, sizeBytes: 512, flags: 'OKF' }),
  unicast('unicast, unreliable', { count: 40, sizeBytes: 512, flags: 'OFR' }),
  bundled('unicast, bundled', 'members'),
  unicast('unicast, 150 kB in fragments', { count: 6, sizeBytes: LARGE }),
  unicast('unicast, 150 kB in fragments, unordered', { count: 4, sizeBytes: LARGE, flags: 'O' }),
  {
    name: 'unicasts of all kinds at once',
    fits: always,
    run: (group) =>
      exchange(group, [
        { count: 80, sizeBytes: 1024, to: 'members' },
        { count: 40, sizeBytes: 300, flags: 'B', to: 'members' },
        { count: 40, sizeBytes: 300, flags: 'O', to: 'members' },
        { count: 20, sizeBytes: 100, flags: 'OKF', to: 'members' },
        { count: 4, sizeBytes: LARGE, to: 'members' },
      ]),
  },
];

export const GROUP_FEATURES: readonly Feature[] = [
  grouped('group, ordered', { count: 200, sizeBytes: 1024 }),
  grouped('group, unordered (OOB)', { count: 100, sizeBytes: 512, flags: 'O' }),
  grouped('group, high priority', { count: 60, sizeBytes: 512, flags: 'OKF' }),
  grouped('group, unreliable', { count: 40, sizeBytes: 512, flags: 'OFR' }),
  bundled('group, bundled', 'group'),
  grouped('group, 150 kB in fragments', { count: 4, sizeBytes: LARGE }),
  {
    name: 'group messages and unicasts at once',
    fits: hasGroup,
    run: (group) =>
      exchange(group, [
        { count: 100, sizeBytes: 1024, to: 'group' },
        { count: 100, sizeBytes: 1024, to: 'members' },
        { count: 2, sizeBytes: LARGE, to: 'group' },
        { count: 2, sizeBytes: LARGE, to: 'members' },
        { count: 30, sizeBytes: 300, flags: 'OKF', to: 'members' },
      ]),
  },
];

/** Larger than all the credits of the group `credits`, in one piece: only ours sends it (WIRE-3.6 section 9). */
const OVER_CREDITS = 30_000;

/** The sender goes on when all have confirmed that their application has the message. */
function confirmed(name: string, to: Kind['to'], senders: ConformanceMember['kind'][]): Feature {
  const all: readonly Direction[] = ['JVM -> JVM', 'JVM -> ours', 'ours -> JVM', 'ours -> ours'];
  return {
    name,
    fits: ({ rsvpTimeoutMs }) => rsvpTimeoutMs !== undefined,
    directions: all.filter((direction) => senders.some((kind) => direction.startsWith(kind))),
    async run(group) {
      const faults: { direction: Direction; reason: string }[] = [];
      const expectations: Expectation[] = [];
      const bursts = group.members
        .filter(({ kind }) => senders.includes(kind))
        .map(async (from) => {
          const started = startBursts(group, { count: 20, sizeBytes: 1024, flags: 'C', to }, [from]);
          expectations.push(...started.expectations);
          const reason = await started.sent.then(
            () => null,
            (error: unknown) => `${from.label}: ${String(error)}`,
          );
          if (reason === null) return;
          const directions = new Set(started.expectations.map(({ to: other }) => directionOf(from, other)));
          faults.push(...[...directions].map((direction) => ({ direction, reason })));
        });
      await Promise.all(bursts);
      await arrival(expectations);
      return { expectations, faults };
    },
  };
}

export const CONFIRMED_FEATURES: readonly Feature[] = [
  confirmed('group, confirmed (RSVP)', 'group', ['JVM', 'ours']),
  // JGroups' own RSVP leaves unicasts alone
  confirmed('unicast, confirmed (RSVP)', 'members', ['ours']),
];

/** Some hundred times the credits in all. */
export const CREDIT_FEATURES: readonly Feature[] = [
  unasked('credits: unicasts of ten times as many bytes', 'members'),
  unicast('credits: 150 kB in fragments', { count: 3, sizeBytes: LARGE }),
  unasked('credits: group messages of ten times as many bytes', 'group'),
  grouped('credits: group messages of 150 kB', { count: 2, sizeBytes: LARGE }),
  overCredits('credits: a unicast larger than all credits', 'members'),
  overCredits('credits: a group message larger than all credits', 'group'),
];

/** Where nothing is lost credits come by themselves; who has to ask for them has stood still for 5 s. */
function unasked(name: string, to: Kind['to']): Feature {
  return {
    name,
    fits: hasGroup,
    async run(group) {
      const before = await creditRequestsOf(group);
      const outcome = await exchange(group, [{ count: 200, sizeBytes: 1_000, to }]);
      if (group.spec.network.loss > 0 || group.spec.network.reorder > 0) return outcome;
      const after = await creditRequestsOf(group);
      const faults = group.members.flatMap((from, i) => {
        const asked = (after[i] ?? NaN) - (before[i] ?? NaN);
        if (asked === 0) return [];
        const others = group.members.filter((other) => other !== from);
        const reason = `${from.label} had to ask for credits ${asked} times`;
        return [...new Set(others.map((other) => directionOf(from, other)))].map((direction) => ({
          direction,
          reason,
        }));
      });
      return { ...outcome, faults };
    },
  };
}

async function creditRequestsOf(group: Group): Promise<number[]> {
  const stats = await Promise.all(group.members.map(({ peer }) => peer.stats()));
  return stats.map(({ creditRequests }) => creditRequests);
}

function overCredits(name: string, to: Kind['to']): Feature {
  return {
    name,
    fits: hasGroup,
    directions: ['ours -> JVM', 'ours -> ours'],
    run: (group) =>
      exchange(
        group,
        [{ count: 12, sizeBytes: OVER_CREDITS, to }],
        group.members.filter(({ kind }) => kind === 'ours'),
      ),
  };
}
