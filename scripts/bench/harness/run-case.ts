import { summarize } from './statistics.ts';
import type { BenchCase, CaseResult, Effort, Sample, SideName } from './types.ts';

/** Told after each measurement. */
export type Progress = (step: { bench: BenchCase; side: SideName; run: number; runs: number }) => void;

/** A side that could not be measured is left out of the rest of the case. */
interface Side {
  readonly name: SideName;
  readonly work: (count: number) => Promise<Sample>;
  readonly samples: Sample[];
  count: number;
  broken: string | null;
}

/** The least that a slow side does of a case's work. */
const LEAST_COUNT = 100;

/**
 * All sides warm up by a part of the work, then they take turns, A B C A B C: what else the machine does meanwhile
 * hits all of them alike.
 */
export async function runCase(bench: BenchCase, wanted: Effort, progress: Progress): Promise<CaseResult> {
  const effort = { ...wanted, ...bench.effort };
  const full = Math.max(1, Math.round(bench.count * effort.share));
  const sides = Object.entries(bench.sides).map(([name, work]): Side => {
    return { name, work, samples: [], count: full, broken: null };
  });
  const take = async (side: Side, count: number): Promise<Sample | null> => {
    if (side.broken !== null) return null;
    try {
      return await side.work(count);
    } catch (error) {
      side.broken = error instanceof Error ? error.message : String(error);
      return null;
    }
  };
  if (bench.warmUp !== false) {
    for (const side of sides) {
      progress({ bench, side: side.name, run: 0, runs: effort.runs });
      const sample = await take(side, Math.max(1, Math.ceil(full / 4)));
      if (sample === null || bench.pace === null) continue;
      const most = Math.max(LEAST_COUNT, Math.ceil(bench.pace(sample) * effort.maxSeconds));
      side.count = Math.min(full, most);
    }
  }
  for (let run = 1; run <= effort.runs; run++) {
    for (const side of sides) {
      progress({ bench, side: side.name, run, runs: effort.runs });
      const sample = await take(side, side.count);
      if (sample !== null) side.samples.push(sample);
    }
  }
  return {
    bench,
    sides: Object.fromEntries(
      sides.filter(({ broken }) => broken === null).map(({ name, samples }) => [name, summarize(samples)]),
    ),
    broken: Object.fromEntries(
      sides.flatMap(({ name, broken }) => (broken === null ? [] : [[name, broken] as const])),
    ),
  };
}
