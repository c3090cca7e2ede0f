/**
 * Runs seeds: `npx tsx test/sim/run.ts --seeds 1000 [--from 1] [--subject name]`, or one seed with all that
 * happens in it: `--seed 77 --trace`. Exit code 1 if a seed fails.
 */
import { parseArgs } from 'node:util';

import { runSeed, type Outcome, type Subject } from './scenario.ts';
import { SUBJECTS } from './subjects.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    subject: { type: 'string' },
    trace: { type: 'boolean', default: false },
    /** Ends the run after so many failed seeds. */
    failures: { type: 'string', default: '5' },
  },
});

const PROGRESS_MS = 5_000;

class Totals {
  passed = 0;
  failed = 0;
  #virtualMs = 0;
  #sent = 0;
  #delivered = 0;
  readonly #kinds = new Map<string, number>();
  readonly #network: Record<string, number> = {};

  add({ kind, failure, virtualMs, sent, delivered, network }: Outcome): void {
    if (failure === null) this.passed++;
    else this.failed++;
    this.#virtualMs += virtualMs;
    this.#sent += sent;
    this.#delivered += delivered;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    for (const [name, count] of Object.entries(network))
      this.#network[name] = (this.#network[name] ?? 0) + count;
  }

  describe(realMs: number): string {
    const kinds = [...this.#kinds].map(([kind, count]) => `${kind} ${count}`).join(', ');
    const network = Object.entries(this.#network).map(([name, count]) => `${name} ${count}`);
    const rate = ((this.passed + this.failed) / (realMs / 1_000)).toFixed(1);
    return [
      `scenarios: ${kinds}`,
      `network: ${network.join(', ')}`,
      `${this.passed} seeds passed, ${this.failed} failed (${rate} a second; ${Math.round(this.#virtualMs / 1_000)} ` +
        `virtual seconds, ${this.#sent} messages accepted, ${this.#delivered} delivered)`,
    ].join('\n');
  }
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name} must be a whole number, not '${text}'`);
}

function chosenSubjects(): readonly Subject[] {
  if (values.subject === undefined) return SUBJECTS;
  const chosen = SUBJECTS.filter(({ name }) => name === values.subject);
  if (chosen.length > 0) return chosen;
  const names = SUBJECTS.map(({ name }) => name).join(', ');
  throw new Error(`--subject: '${values.subject}' is none of ${names}`);
}

function report(subject: Subject, { seed, kind, failure }: Outcome): void {
  console.log(`seed ${seed} (${subject.name}, ${kind}) FAILED: ${failure?.message ?? ''}`);
  if (failure !== null && failure.name !== 'Violation') console.log(failure.stack);
  console.log(`  again: npx tsx test/sim/run.ts --subject ${subject.name} --seed ${seed} --trace`);
}

const first = whole('from', values.seed ?? values.from);
const count = values.seed === undefined ? whole('seeds', values.seeds) : 1;
const maxFailures = whole('failures', values.failures);
const trace = values.trace ? (line: string) => console.log(line) : undefined;
const subjects = chosenSubjects();
const totals = new Totals();
const startedMs = performance.now();
let saidMs = startedMs;

let current = '';
process.on('unhandledRejection', (error) => {
  console.log(`${current}: nobody handled this rejection:`, error);
  process.exit(1);
});

run: for (const subject of subjects) {
  for (let seed = first; seed < first + count; seed++) {
    current = `npx tsx test/sim/run.ts --subject ${subject.name} --seed ${seed} --trace`;
    const outcome = await runSeed(subject, seed, trace);
    totals.add(outcome);
    if (outcome.failure !== null) report(subject, outcome);
    if (totals.failed >= maxFailures) break run;
    if (performance.now() - saidMs < PROGRESS_MS) continue;
    saidMs = performance.now();
    console.log(`${subject.name}: seed ${seed} of ${first + count - 1}, ${totals.failed} failed`);
  }
}
console.log(totals.describe(performance.now() - startedMs));
process.exitCode = totals.failed > 0 ? 1 : 0;
