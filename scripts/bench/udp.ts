/**
 * `npm run bench:udp`: our legacy stack, the real JGroups 3.6.14 in JVMs and raw node:dgram do the same work in the
 * same run, one after the other and again.
 */

import { parseArgs } from 'node:util';

import { report } from './harness/results.ts';
import { runCase } from './harness/run-case.ts';
import { ProgressLine } from './harness/progress.ts';
import { resultLines, sideLines } from './harness/results.ts';
import {
  RESULT_COLUMNS,
  RESULT_HEAD,
  resultCells,
  SIDE_COLUMNS,
  SIDE_HEAD,
  sideCells,
  textTable,
} from './harness/tables.ts';
import { Teams } from './harness/team.ts';
import type { BenchCase, CaseResult, Effort } from './harness/types.ts';
import { udpCases } from './udp/cases.ts';
import type { Programs } from './udp/processes.ts';
import { createTeam } from './udp/teams.ts';

const HELP = `npm run bench:udp -- [options]

Our UDP stack, JGroups 3.6.14 in JVMs and raw node:dgram do the same work in turns.

  --quick            shorter runs, less of them
  --only A,B         these cases or results only
  --runs N           runs of each case (default 5; with --quick 3)
  --scale X          X times the messages of each case
  --messages N       of memory-flat, such as 50m
  --own JSON         options of our messenger that differ from its defaults
  --node-flags A,B   for the node processes, such as --cpu-prof
  --json             the last line is one JSON object
  --strict           ends with 1 if a target is not met
  --help             this text

It ends with 1 if a measurement broke (a message lost, doubled or out of order, a process ended), with 2 if an
option is wrong. A target that is not met is said, and no failure, but with --strict.`;

const FULL: Effort = { runs: 5, share: 1, maxSeconds: 4 };
const QUICK: Effort = { runs: 3, share: 0.2, maxSeconds: 0.7 };

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    runs: { type: 'string' },
    scale: { type: 'string', default: '1' },
    messages: { type: 'string' },
    own: { type: 'string', default: '{}' },
    'node-flags': { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const programs: Programs = {
    ownOptions: JSON.parse(values.own) as Programs['ownOptions'],
    nodeFlags: values['node-flags'].split(',').filter((flag) => flag !== ''),
  };
  const teams = new Teams((name) => createTeam(name, programs, values.quick ? 3 : 8));
  const messages = values.messages === undefined ? null : count(values.messages);
  const cases = chosen(udpCases({ teams, programs, quick: values.quick, messages }), values.only);
  const base = values.quick ? QUICK : FULL;
  const effort = { ...base, share: base.share * Number(values.scale) };
  const results = await runAll(cases, effort, teams);
  print(results);
  const summary = report(results);
  if (values.json) console.log(JSON.stringify(summary));
  if (results.some(({ broken }) => Object.keys(broken).length > 0)) return 1;
  return values.strict && !summary.met ? 1 : 0;
}

async function runAll(cases: readonly BenchCase[], effort: Effort, teams: Teams): Promise<CaseResult[]> {
  const progress = new ProgressLine(cases.length);
  const results: CaseResult[] = [];
  try {
    for (const bench of cases) {
      const one = values.runs === undefined ? bench : withRuns(bench, Number(values.runs));
      results.push(await runCase(one, effort, progress.step));
    }
  } finally {
    progress.clear();
    await teams.stop();
  }
  return results;
}

function withRuns(bench: BenchCase, runs: number): BenchCase {
  return { ...bench, effort: { ...bench.effort, runs } };
}

function chosen(cases: readonly BenchCase[], only: string | undefined): BenchCase[] {
  if (only === undefined) return [...cases];
  const names = only.split(',');
  return cases.filter(
    ({ name, results }) => names.includes(name) || results.some((result) => names.includes(result.name)),
  );
}

/** `50m` is fifty million. */
function count(text: string): number {
  const [, digits, unit] = /^(\d+)([km]?)$/i.exec(text) ?? [];
  if (digits === undefined) throw new Error(`--messages ${text} is no number`);
  return Number(digits) * ({ k: 1e3, m: 1e6 }[unit?.toLowerCase() ?? ''] ?? 1);
}

function print(results: readonly CaseResult[]): void {
  const lines = results.flatMap(resultLines);
  console.log(textTable(RESULT_HEAD, lines.map(resultCells), RESULT_COLUMNS));
  for (const { name, error } of lines) if (error !== undefined) console.log(`${name} broke: ${error}`);
  console.log();
  console.log(textTable(SIDE_HEAD, results.flatMap(sideLines).map(sideCells), SIDE_COLUMNS));
}
