/**
 * Conformance with live peers: our legacy stack and real JGroups JVMs. What the kernel loses has no seed. A cell that
 * cannot run here is skipped, which fails the run unless `--allow-skips` is given.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { refuse, scriptOptions, wholeNumber } from '../script-options.ts';
import { JGROUPS_VERSIONS, type PeerProgram, preparePeer } from '../../src/peers/maven.ts';
import { cellName, cellsOf, type Feature, type Result } from './cells.ts';
import { featuresOf } from './features/index.ts';
import { rootWrapper, whyNoLab } from './lab.ts';
import { matrixDocument, summary, tables } from './report.ts';
import { runGroup } from './run-group.ts';
import { allGroups, type GroupSpec } from './specs.ts';

const HELP = `npm run conformance -- [options]

Our UDP stack and real JGroups 3.6.14 and 3.6.20 members in groups of two to six, every feature in every direction, on
networks from clean to one that loses every fifth datagram. Needs Linux, network namespaces (root or sudo), Java and
Maven. The whole matrix takes some ten minutes and writes docs/conformance.md.

  --quick              a part of it; nothing is written
  --only TEXT          groups and features whose cells have this in their names; again for more; nothing is written
  --list               which cells there are
  --seed N             of the faults at our members' sockets (default 1); what the kernel loses has none
  --jobs N             groups at a time (default 6)
  --keep FOLDER        where logs and captures of failed groups go
  --allow-skips        a cell that cannot run here is no failure
  --json               the last line is one JSON object
  --help               this text

It ends with 1 if a cell fails or is skipped, with 2 if an option is wrong.`;

const values = scriptOptions(HELP, {
  only: { type: 'string', multiple: true, default: [] },
  list: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  seed: { type: 'string', default: '1' },
  jobs: { type: 'string', default: '6' },
  keep: { type: 'string' },
  'allow-skips': { type: 'boolean', default: false },
});

interface Job {
  readonly spec: GroupSpec;
  readonly features: readonly Feature[];
}

const DOCUMENT = join(import.meta.dirname, '../../docs/conformance.md');

const seed = wholeNumber('seed', values.seed);
const atATime = wholeNumber('jobs', values.jobs, 1);
const jobs = selectJobs();
if (jobs.length === 0) refuse(`--only: no cell's name has '${values.only.join("' or '")}' in it`);
if (values.list) {
  for (const { spec, features } of jobs) {
    for (const feature of features) for (const cell of cellsOf(spec, feature)) console.log(cellName(cell));
  }
} else {
  const wrapper = await rootWrapper();
  process.exitCode = wrapper === null ? await runAll() : await runAs(wrapper);
}

/** This program once more, by way of another one. */
async function runAs([program, ...args]: readonly [string, ...string[]]): Promise<number> {
  const again = spawn(program, [...args, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  const [code] = (await once(again, 'exit')) as [number | null];
  return code ?? 1;
}

function selectJobs(): Job[] {
  const wanted = (name: string): boolean => values.only.some((text) => name.includes(text));
  return allGroups(JGROUPS_VERSIONS)
    .filter((spec) => !values.quick || isQuick(spec))
    .map((spec) => {
      const features = featuresOf(spec).filter(
        (feature) =>
          values.only.length === 0 || cellsOf(spec, feature).some((cell) => wanted(cellName(cell))),
      );
      return { spec, features };
    })
    .filter(({ features }) => features.length > 0)
    .sort((a, b) => effort(b.spec) - effort(a.spec));
}

/** What takes longest begins first, so that nothing is left to run alone at the end. */
function effort({ members, network, kind }: GroupSpec): number {
  return members.length * (1 + 10 * network.loss) * (kind === 'pair' ? 0.5 : 1);
}

/** The old version on a bad network, the new one on a clean one, a mixed group on one between. */
function isQuick({ kind, versions, network }: GroupSpec): boolean {
  if (versions === 'mixed') return network.name === '5 %';
  if (versions === '3.6.14') return network.name === '5 %';
  return network.name === 'clean' && kind !== 'credits';
}

async function runAll(): Promise<number> {
  const start = performance.now();
  const noLab = await whyNoLab();
  if (noLab !== null) {
    console.log(
      `no network namespaces with nftables here (${noLab}): our members lose datagrams at their own sockets, ` +
        'between JVMs nothing is lost, and some cells are skipped. Root, util-linux, iproute2 and nftables are needed.',
    );
  }
  const programs = new Map<string, PeerProgram>();
  for (const version of JGROUPS_VERSIONS) {
    programs.set(version, await preparePeer(version, { timeoutMs: 240_000 }));
  }
  const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'rollgate-conformance-')));
  await mkdir(folder, { recursive: true });
  // all processes end with this one, and their namespaces with them
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
      process.exit(130);
    });
  }
  const results: Result[] = [];
  const queue = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      results.push(
        ...(await runGroup(job.spec, job.features, { seed, programs, folder, noLab, onResults: tell })),
      );
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return finish(results, folder, performance.now() - start);
}

async function finish(results: readonly Result[], folder: string, ms: number): Promise<number> {
  const failed = results.filter(({ status }) => status === 'failed');
  const skipped = results.filter(({ status }) => status === 'skipped');
  console.log(`\n${tables(results)}\n`);
  for (const result of failed) console.log(describe(result));
  if (failed.length > 0) console.log(`logs and captures: ${folder}`);
  else if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
  console.log(`${summary(results)} (${Math.round(ms / 1000)} s, seed ${seed})`);
  const isFull = !values.quick && values.only.length === 0;
  if (isFull && skipped.length === 0) await writeFile(DOCUMENT, matrixDocument(results));
  const passed = failed.length === 0 && (skipped.length === 0 || values['allow-skips']);
  if (values.json) console.log(JSON.stringify({ passed, seed, cells: results }));
  return passed ? 0 : 1;
}

function tell(results: readonly Result[], ms: number): void {
  const [first] = results;
  if (first === undefined) return;
  const statuses = new Set(results.map(({ status }) => status));
  const word = statuses.has('failed') ? 'FAILED ' : statuses.has('skipped') ? 'skipped' : 'ok     ';
  const seconds = (ms / 1000).toFixed(1).padStart(5);
  console.log(`${word} ${seconds} s  ${first.group} | ${first.feature} | ${results.length} directions`);
  for (const result of results) if (result.status !== 'ok') console.log(`        ${describe(result)}`);
}

function describe(result: Result): string {
  return `${result.status.toUpperCase()} ${cellName(result)}: ${result.reason} (seed ${result.seed})`;
}
