/** Cases whose sides are teams that do the same work. */

import type { Team, Teams } from './team.ts';
import type { BenchCase, Effort, ResultSpec, Sample, SideName } from './types.ts';

/** Side to team. */
export type Sides = Readonly<Record<SideName, string>>;

export type Work = (team: Team, count: number) => Promise<Sample>;

export function sidesOf(teams: Teams, names: Sides, work: Work): BenchCase['sides'] {
  return Object.fromEntries(
    Object.entries(names).map(([side, team]) => [
      side,
      async (count: number) => {
        try {
          return await work(await teams.of(team), count);
        } catch (error) {
          await teams.discard(team); // what is left of this measurement must not reach the next
          throw error;
        }
      },
    ]),
  );
}

export const byRate = ({ metrics }: Sample): number => metrics['rate'] ?? 0;

export interface OneWay {
  readonly name: string;
  readonly title: string;
  readonly sizeBytes: number;
  readonly count: number;
  readonly sides: Sides;
  readonly bundle?: boolean;
  readonly results: readonly Partial<ResultSpec>[];
  readonly effort?: Partial<Effort>;
}

export function oneWay(teams: Teams, spec: OneWay): BenchCase {
  const { name, title, sizeBytes, bundle = false, count, effort } = spec;
  return {
    name,
    title,
    count,
    sides: sidesOf(teams, spec.sides, (team, n) => team.oneWay({ count: n, sizeBytes, bundle })),
    pace: byRate,
    results: spec.results.map((result) => ({
      name,
      title,
      metric: 'rate',
      unit: 'msg/s',
      against: 'jvm',
      target: null,
      ...result,
    })),
    ...(effort === undefined ? {} : { effort }),
  };
}
