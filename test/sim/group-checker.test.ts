import test from 'ava';

import { Violation } from './checker.ts';
import { GROUP_DEFECTS } from './group-defects.ts';
import { runSeed } from './scenario.ts';
import { groupMulticast, groupUnicasts } from './subjects.ts';

type DefectName = keyof typeof GROUP_DEFECTS;

/** As which property each mistake shows. */
const PROPERTIES: Readonly<Record<DefectName, readonly string[]>> = {
  'lets STABLE purge too early': ['counts', 'flush', 'liveness', 'order'],
  'counts votes of another view': ['counts', 'flush', 'liveness', 'order'],
  'does not ask for the last seqno that it hears of': ['liveness'],
  'sends nothing again': ['liveness'],
  'gives digests that are one ahead': ['counts', 'flush', 'liveness', 'order'],
  'gives digests that are one behind': ['digest'],
  'takes no notice of a digest': ['digest'],
  'sends a group message twice': ['duplicate'],
  'swaps group messages': ['order'],
  'skips a group message': ['order', 'counts', 'liveness'],
  'repeats OOB messages': ['duplicate'],
  'does not go on behind what it gave up': ['liveness'],
  'uses no credits that it gets': ['liveness'],
  'says to nobody that there is room again': ['liveness'],
};

const MAX_SEEDS = 200;

for (const [name, make] of Object.entries(GROUP_DEFECTS)) {
  test.serial(`a stack that ${name} is caught`, async (t) => {
    const takeBack = make();
    t.teardown(takeBack);
    for (let seed = 1; seed <= MAX_SEEDS; seed++) {
      const subject = seed % 2 === 0 ? groupUnicasts : groupMulticast;
      const { failure } = await runSeed(subject, seed);
      if (failure === null) continue;
      const property = failure instanceof Violation ? failure.property : failure.name;
      t.log(`seed ${seed}: ${failure.message}`);
      t.true(PROPERTIES[name as DefectName].includes(property), failure.stack);
      return;
    }
    t.fail(`${MAX_SEEDS} seeds passed`);
  });
}
