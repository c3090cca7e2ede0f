import { loadavg } from 'node:os';

import { OptionError, type BenchOptions } from './options.ts';
import { ProgressLine } from './progress.ts';
import { report, resultLines, sideLines } from './results.ts';
import { runCase } from './run-case.ts';
import {
  RESULT_COLUMNS,
  RESULT_HEAD,
  resultCells,
  SIDE_COLUMNS,
  SIDE_HEAD,
  sideCells,
  textTable,
} from './tables.ts';
import type { BenchCase, CaseResult, Effort } from './types.ts';

const FULL: Effort = { runs: 5, share: 1, maxSeconds: 4 };
const QUICK: Effort = { runs: 3, share: 0.2, maxSeconds: 0.7 };

/** What others want of the machine, in processors, from which ratios get noisy. */
const BUSY = 0.5;

/** Of the last minute. */
function othersLoad(): number {
  return Number((loadavg()[0] ?? 0).toFixed(2));
}

/** Keeps the results of a full run, and says which files it wrote. */
export type Keep = (
  results: readonly CaseResult[],
  facts: Readonly<Record<string, number>>,
) => readonly string[];

/** @returns the exit code */
export async function runBenchmark(
  all: readonly BenchCase[],
  options: BenchOptions,
  keep: Keep,
): Promise<number> {
  if (options.list) {
    for (const { name, results } of all) {
      console.log([name, ...results.map((result) => result.name).filter((one) => one !== name)].join('  '));
    }
    return 0;
  }
  let cases: readonly BenchCase[];
  try {
    cases = chosen(all, options.only);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    console.error(error.message);
    return 2;
  }
  const effort = effortOf(options);
  const load = othersLoad();
  const results = await runAll(cases, effort, options.runs);
  print(results);
  if (load > BUSY) {
    console.log(
      `\nThe machine was busy before it began (load average ${load}): expect noise, compare "cpu s/M".`,
    );
  }
  const summary = report(results);
  // a failure of another side is a result, too: the tables say so
  const isOursBroken = results.some(({ broken }) => broken['ours'] !== undefined);
  if (isFull(options) && !isOursBroken) {
    for (const path of keep(results, { runs: effort.runs, 'load before': load }))
      console.log(`wrote ${path}`);
  }
  if (options.json) console.log(JSON.stringify(summary));
  return summary.isBroken || (options.strict && !summary.met) ? 1 : 0;
}

/** Only such a run is worth keeping. */
function isFull({ quick, only, scale, ownOptions, nodeFlags }: BenchOptions): boolean {
  return !quick && only === null && scale >= 1 && Object.keys(ownOptions).length + nodeFlags.length === 0;
}

function effortOf({ quick, runs, scale }: BenchOptions): Effort {
  const base = quick ? QUICK : FULL;
  return { ...base, runs: runs ?? base.runs, share: base.share * scale };
}

function chosen(cases: readonly BenchCase[], only: readonly string[] | null): readonly BenchCase[] {
  if (only === null) return cases;
  const known = new Set(
    cases.flatMap(({ name, results }) => [name, ...results.map((result) => result.name)]),
  );
  const unknown = only.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new OptionError(`no case is called ${unknown.join(', ')}: --list has the names`);
  return cases.filter(
    ({ name, results }) => only.includes(name) || results.some((result) => only.includes(result.name)),
  );
}

/** @param runs wins over what a case wants */
async function runAll(
  cases: readonly BenchCase[],
  effort: Effort,
  runs: number | null,
): Promise<CaseResult[]> {
  const progress = new ProgressLine(cases.length);
  const results: CaseResult[] = [];
  try {
    for (const bench of cases) {
      const one = runs === null ? bench : { ...bench, effort: { ...bench.effort, runs } };
      results.push(await runCase(one, effort, progress.step));
    }
  } finally {
    progress.clear();
  }
  return results;
}

function print(results: readonly CaseResult[]): void {
  console.log(textTable(RESULT_HEAD, results.flatMap(resultLines).map(resultCells), RESULT_COLUMNS));
  for (const { bench, broken } of results) {
    for (const [side, why] of Object.entries(broken)) console.log(`${bench.name}, ${side}, failed: ${why}`);
  }
  console.log(`\n${textTable(SIDE_HEAD, results.flatMap(sideLines).map(sideCells), SIDE_COLUMNS)}`);
}
