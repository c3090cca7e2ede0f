/**
 * Cuts connections under load: first cuts of all kinds, then resets alone, with the product's own timings, to see how soon
 * messages flow again.
 */

import { scriptOptions, wholeNumber } from '../../scripts/script-options.ts';
import { seededRng } from '../../src/protocol/rng.ts';
import { IMPATIENT } from './members.ts';
import { createPlans, createResets } from './plans.ts';
import { mutualTls } from '../tls/mutual-tls.ts';
import { type CutResult, describe, percentile, runCuts } from './run-cuts.ts';

const HELP = `npm run cuts -- [options]

Cuts connections under load, at every byte of the first 4 KiB of each direction if there are 8,192 cuts and more, and
at random ones; then resets connections, to see how soon messages flow again. Some five minutes.

  --cuts N             of all kinds (default 10000)
  --resets N           (default 1000)
  --tls                by TLS
  --seed N             (default 1)
  --pairs N            members that are cut at a time, in pairs (default 16)
  --recovery-ms N      for the first message after a reset (default 50)
  --timeout-s N        for all (default 900)
  --help               this text

It ends with 1 if a message is lost, repeated or out of order, or the median or p99 after a reset is over the
target three times; with 2 if an option is wrong.`;

const values = scriptOptions(HELP, {
  cuts: { type: 'string', default: '10000' },
  resets: { type: 'string', default: '1000' },
  seed: { type: 'string', default: '1' },
  /** Of the cuts of all kinds. */
  pairs: { type: 'string', default: '16' },
  'timeout-s': { type: 'string', default: '900' },
  tls: { type: 'boolean', default: false },
  /** The target, for the first message after a reset on loopback; a machine with other work is asked for less. */
  'recovery-ms': { type: 'string', default: '50' },
});

/** Pairs that reset connections at a time: few, so that one's wait is not another's work. */
const RESET_PAIRS = 2;

/** The machine has other things to do as well: it is our fault if it takes too long each time. */
const ATTEMPTS = 3;

const PROGRESS_MS = 10_000;

type NumberName = 'cuts' | 'resets' | 'seed' | 'pairs' | 'timeout-s' | 'recovery-ms';

function whole(name: NumberName): number {
  return wholeNumber(name, values[name]);
}

function progressOf(wanted: number): (cuts: number) => void {
  let saidMs = performance.now();
  return (cuts) => {
    if (performance.now() - saidMs < PROGRESS_MS) return;
    saidMs = performance.now();
    console.log(`${cuts} of ${wanted} cuts`);
  };
}

async function main(): Promise<void> {
  const [seed, cuts, resets] = [whole('seed'), whole('cuts'), whole('resets')];
  const timeoutMs = whole('timeout-s') * 1_000;
  const targetMs = whole('recovery-ms');
  const rng = seededRng(seed);
  const tls = values.tls ? { tls: mutualTls() } : {};
  let failed = false;
  const report = (name: string, result: CutResult): void => {
    console.log(describe(name, result));
    failed ||= result.wrong.length > 0;
  };
  if (cuts > 0) {
    const plans = createPlans(cuts, rng);
    const progress = progressOf(cuts);
    const pairs = Math.max(1, whole('pairs'));
    const result = await runCuts({ plans, rng, pairs, timeoutMs, progress, timings: IMPATIENT, ...tls });
    report(`seed ${seed}`, result);
  }
  if (resets > 0) {
    let soon = false;
    for (let attempt = 1; attempt <= ATTEMPTS && !soon; attempt++) {
      const plans = createResets(resets, rng);
      const result = await runCuts({
        plans,
        rng,
        pairs: RESET_PAIRS,
        timeoutMs,
        progress: progressOf(resets),
        ...tls,
      });
      report('resets alone', result);
      soon = [0.5, 0.99].every((share) => percentile(result.recoveryMs, share) < targetMs);
      if (!soon) console.log(`  over the target of ${targetMs} ms`);
    }
    failed ||= !soon;
  }
  process.exitCode = failed ? 1 : 0;
}

await main();
