/** Runs seeds of the simulator. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { refuse, scriptOptions, wholeNumber } from '../../scripts/script-options.ts';
import { runSeed, type Subject } from './scenario.ts';
import { SUBJECTS } from './subjects.ts';
import { type Line, Totals } from './totals.ts';

const HELP = `npm run sim -- [options]

The simulator: whole clusters in virtual time, with faults, from a seed. A seed that fails prints how to run it again.

  --seeds N            (default 100)
  --from N             the first of them (default 1)
  --jobs N             processes that share them (default 1)
  --subject NAME       this one only; else they take turns
  --each               every seed for all subjects
  --seed N --trace     one seed, with all that happens in it
  --failures N         ends after so many failed seeds (default 5)
  --help               this text

It ends with 1 if a seed fails, with 2 if an option is wrong.`;

const values = scriptOptions(HELP, {
  seeds: { type: 'string', default: '100' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  subject: { type: 'string' },
  each: { type: 'boolean', default: false },
  trace: { type: 'boolean', default: false },
  /** Processes that share the seeds. */
  jobs: { type: 'string', default: '1' },
  /** Of the jobs, this one: what the others are told by the first. */
  job: { type: 'string' },
  /** Ends the run after so many failed seeds. */
  failures: { type: 'string', default: '5' },
});

const PROGRESS_MS = 5_000;

function chosenSubjects(): readonly Subject[] {
  if (values.subject === undefined) return SUBJECTS;
  const chosen = SUBJECTS.filter(({ name }) => name === values.subject);
  if (chosen.length > 0) return chosen;
  const names = SUBJECTS.map(({ name }) => name).join(', ');
  return refuse(`--subject: '${values.subject}' is none of ${names}`);
}

const first = values.seed === undefined ? wholeNumber('from', values.from) : wholeNumber('seed', values.seed);
const count = values.seed === undefined ? wholeNumber('seeds', values.seeds) : 1;
const jobs = Math.max(1, wholeNumber('jobs', values.jobs));
const maxFailures = wholeNumber('failures', values.failures);
const subjects = chosenSubjects();

function again(subject: string, seed: number): string {
  return `npx tsx test/sim/run.ts --subject ${subject} --seed ${seed} --trace`;
}

/** Those of the first subject first. */
function* runs(): Generator<{ subject: Subject; seed: number }> {
  for (const [turn, subject] of subjects.entries()) {
    for (let seed = first; seed < first + count; seed++) {
      if (values.each || seed % subjects.length === turn) yield { subject, seed };
    }
  }
}

async function runShare(job: number, handle: (line: Line) => boolean): Promise<void> {
  const trace = values.trace ? (line: string) => console.log(line) : undefined;
  let current = '';
  process.on('unhandledRejection', (error) => {
    console.log(`${current}: nobody handled this rejection:`, error);
    process.exit(1);
  });
  let index = 0;
  for (const { subject, seed } of runs()) {
    if (index++ % jobs !== job) continue;
    current = again(subject.name, seed);
    const { failure, ...outcome } = await runSeed(subject, seed, trace);
    const isTold = failure === null || failure.name === 'Violation';
    const text = isTold ? (failure?.message ?? null) : (failure.stack ?? failure.message);
    if (!handle({ ...outcome, subject: subject.name, failure: text })) return;
  }
}

async function main(): Promise<void> {
  const totals = new Totals();
  const startedMs = performance.now();
  let saidMs = startedMs;
  const wanted = [...runs()].length;
  const handle = (line: Line): boolean => {
    totals.add(line);
    const { subject, seed, kind, failure } = line;
    if (failure !== null) {
      console.log(`seed ${seed} (${subject}, ${kind}) FAILED: ${failure}\n  again: ${again(subject, seed)}`);
    }
    if (performance.now() - saidMs >= PROGRESS_MS) {
      saidMs = performance.now();
      console.log(`${totals.passed + totals.failed} of ${wanted}, ${totals.failed} failed`);
    }
    return totals.failed < maxFailures;
  };
  if (jobs === 1) await runShare(0, handle);
  else await runJobs(handle);
  console.log(totals.describe(performance.now() - startedMs));
  const isDone = totals.passed + totals.failed === wanted;
  process.exitCode = totals.failed > 0 || !isDone ? 1 : 0;
}

/** A job that ends without having said all of its outcomes is missing in the sum. */
async function runJobs(handle: (line: Line) => boolean): Promise<void> {
  const children = Array.from({ length: jobs }, (_, job) => {
    return fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--job', String(job)]);
  });
  await Promise.all(
    children.map((child) => {
      child.on('message', (line) => {
        if (!handle(line as Line)) for (const other of children) other.kill();
      });
      return new Promise((resolve) => child.on('disconnect', resolve)); // all that it said has been heard
    }),
  );
}

if (values.job === undefined) await main();
else await runShare(wholeNumber('job', values.job), (line) => process.send?.(line) ?? true);
