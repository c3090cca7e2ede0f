/** Mutated input for everything that takes bytes from strangers. */

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { refuse, scriptOptions, wholeNumber } from '../script-options.ts';
import { seededRng } from '../../src/protocol/rng.ts';
import { mutate } from './mutate.ts';
import { type Target, targets } from './targets.ts';

/** No input may hold up the rest for so long, on the slowest machine that we know. */
const SLOW_MS = 250;
/** Room for what the runtime keeps; an allocation by an unchecked length shows as far more. */
const MAX_GROWTH_BYTES = 512 * 1024 * 1024;

const HELP = `npm run fuzz -- [options]

Mutated input for everything that takes bytes from strangers.

  --inputs N           for all targets together (default 20000)
  --seed N             (default 1)
  --target TEXT        targets with this in their names
  --help               this text

It ends with 1 if something crashes, is slow or grows without bound, with 2 if an option is wrong.`;

const values = scriptOptions(HELP, {
  inputs: { type: 'string', default: '20000' },
  seed: { type: 'string', default: '1' },
  /** Only targets with this in their names. */
  target: { type: 'string', default: '' },
});
const inputs = wholeNumber('inputs', values.inputs, 1);
const seed = wholeNumber('seed', values.seed);

let failed = 0;
const all = (await targets()).filter(({ name }) => name.includes(values.target));
if (all.length === 0) refuse(`--target: no target's name has '${values.target}' in it`);
for (const [i, target] of all.entries())
  failed += await fuzz(target, Math.ceil(inputs / all.length), seed * 1_000 + i);
console.log(`${inputs} fuzz inputs with seed ${seed}: ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function fuzz(target: Target, count: number, targetSeed: number): Promise<number> {
  const rng = seededRng(targetSeed);
  const before = process.memoryUsage().rss;
  let failures = 0;
  let slowestMs = 0;
  for (let i = 0; i < count && failures < 10; i++) {
    const bytes = mutate(rng, target.corpus);
    const start = performance.now();
    try {
      const done = target.run(bytes);
      if (done instanceof Promise) await done;
    } catch (error) {
      failures++;
      report(target, bytes, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    const took = performance.now() - start;
    slowestMs = Math.max(slowestMs, took);
    if (took > SLOW_MS && (await isSlow(target, bytes))) {
      failures++;
      report(target, bytes, `took ${took.toFixed(0)} ms`);
    }
  }
  const growth = process.memoryUsage().rss - before;
  if (growth > MAX_GROWTH_BYTES) {
    failures++;
    console.log(`${target.name}: memory grew by ${growth} bytes`);
  }
  console.log(
    `${target.name}: ${count} inputs, ${failures} failed, slowest ${slowestMs.toFixed(1)} ms, memory +${Math.round(growth / 1e6)} MB`,
  );
  return failures;
}

/** On a shared machine anything is slow once: an input is at fault if it is slow each time. */
async function isSlow(target: Target, bytes: Uint8Array): Promise<boolean> {
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await target.run(bytes);
    if (performance.now() - start <= SLOW_MS) return false;
  }
  return true;
}

function report(target: Target, bytes: Uint8Array, what: string): void {
  const file = join(tmpdir(), `rollgate-fuzz-${process.pid}-${Date.now()}.bin`);
  writeFileSync(file, bytes);
  console.log(`${target.name}: ${what}\n  input of ${bytes.length} bytes kept in ${file}`);
}
