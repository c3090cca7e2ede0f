import type { Expectation } from './expectations.ts';
import { fault } from './expectations.ts';
import type { Group } from './group.ts';
import type { ConformanceMember } from './member.ts';
import type { GroupSpec, MemberSpec } from './specs.ts';

/** Who sends to whom; `control`: one real member to another, which shows what the network alone does. */
export type Direction = 'ours -> JVM' | 'JVM -> ours' | 'ours -> ours' | 'JVM -> JVM';

export interface Cell {
  readonly group: string;
  readonly feature: string;
  readonly direction: Direction;
}

export interface Result extends Cell {
  status: 'ok' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  reason: string;
  /** Messages that had to arrive, over all pairs. */
  readonly messages: number;
  readonly ms: number;
  readonly seed: number;
}

/** Something that real members do, tried in each direction that the group has. */
export interface Feature {
  readonly name: string;
  /** Whether the group can do it at all. */
  fits(spec: GroupSpec): boolean;
  /** Whether hosts must be cut off, which only a lab can do. */
  readonly needsLab?: boolean;
  /** Of the directions that the group has; default: all. */
  readonly directions?: readonly Direction[];
  /** Sends, waits for what must arrive, and returns it. Throws if it cannot go on. */
  run(group: Group): Promise<Outcome>;
}

export interface Outcome {
  readonly expectations: readonly Expectation[];
  /** What else is wrong, beside messages. */
  readonly faults?: readonly { readonly direction: Direction; readonly reason: string }[];
}

export function directionOf(
  from: Pick<ConformanceMember, 'kind'>,
  to: Pick<ConformanceMember, 'kind'>,
): Direction {
  return `${from.kind} -> ${to.kind}`;
}

export function cellName({ group, feature, direction }: Cell): string {
  return `${group} | ${feature} | ${direction}`;
}

/** Those of a feature in a group, known before it is started. */
export function cellsOf(spec: GroupSpec, feature: Feature): Cell[] {
  const directions = directionsOf(spec.members).filter(
    (direction) => feature.directions?.includes(direction) ?? true,
  );
  return directions.map((direction) => ({ group: spec.name, feature: feature.name, direction }));
}

function directionsOf(members: readonly MemberSpec[]): Direction[] {
  const found = new Set<Direction>();
  members.forEach((from, i) => {
    members.forEach((to, j) => {
      if (i !== j) found.add(directionOf(from, to));
    });
  });
  return [...found].sort();
}

/** One result for each cell of a feature that has run. */
export function settle(group: Group, feature: Feature, outcome: Outcome, ms: number): Result[] {
  return cellsOf(group.spec, feature).map((cell) => {
    const mine = outcome.expectations.filter(({ from, to }) => directionOf(from, to) === cell.direction);
    const faults = [
      ...mine.map(fault).filter((text) => text !== null),
      ...(outcome.faults ?? [])
        .filter(({ direction }) => direction === cell.direction)
        .map(({ reason }) => reason),
    ];
    return {
      ...cell,
      status: faults.length === 0 ? 'ok' : 'failed',
      reason: faults.slice(0, 3).join('; '),
      messages: mine.reduce((sum, { count }) => sum + count, 0),
      ms: Math.round(ms),
      seed: group.seed,
    };
  });
}

export function failAll(
  spec: GroupSpec,
  feature: Feature,
  status: 'failed' | 'skipped',
  reason: string,
  seed: number,
): Result[] {
  return cellsOf(spec, feature).map((cell) => ({ ...cell, status, reason, messages: 0, ms: 0, seed }));
}
