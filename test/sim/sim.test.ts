import test from 'ava';

import { runSeed } from './scenario.ts';
import { SUBJECTS } from './subjects.ts';

/** A few dozen here; `npx tsx test/sim/run.ts --seeds 1000` runs more. */
const SEEDS = 30;

/** A story of some length for every subject. */
const REPLAYED_SEED = 4;

for (const subject of SUBJECTS) {
  test(`${subject.name}: the contract holds for ${SEEDS} seeds`, async (t) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { failure, kind } = await runSeed(subject, seed);
      const again = `npx tsx test/sim/run.ts --subject ${subject.name} --seed ${seed} --trace`;
      t.is(failure, null, `seed ${seed} (${kind}): ${failure?.stack ?? ''}\nagain: ${again}`);
    }
  });

  test(`${subject.name}: a seed replays to the last event`, async (t) => {
    const run = async (): Promise<string[]> => {
      const lines: string[] = [];
      await runSeed(subject, REPLAYED_SEED, (line) => lines.push(line));
      return lines;
    };
    const [first, second] = [await run(), await run()];
    t.true(first.length > 100);
    t.deepEqual(second, first);
  });
}
