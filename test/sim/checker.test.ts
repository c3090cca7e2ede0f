import test from 'ava';

import { Violation } from './checker.ts';
import type { Defect } from './reference-messenger.ts';
import { runSeed } from './scenario.ts';
import { referenceSubject } from './subjects.ts';

/** A checker that lets a mistake pass is worth nothing: each of these messengers makes one. */
const DEFECTS: Readonly<Record<Defect, readonly string[]>> = {
  loses: ['order', 'liveness', 'counts'],
  duplicates: ['duplicate'],
  reorders: ['order'],
  corrupts: ['corruption'],
  misdelivers: ['phantom', 'order', 'counts'],
  miscounts: ['counts'],
  'counts-unacknowledged': ['counts'],
  'forgets-on-view': ['order', 'liveness', 'counts'],
  'never-resends': ['liveness'],
  'never-writable': ['liveness'],
  'reuses-buffers': ['Error'],
  'never-retires': ['retirement'],
  'delivers-after-stop': ['after-stop'],
  'flushes-too-early': ['flush'],
};

const MAX_SEEDS = 150;

for (const [defect, properties] of Object.entries(DEFECTS)) {
  test(`a messenger that ${defect.replaceAll('-', ' ')} is caught`, async (t) => {
    const subject = referenceSubject(defect as Defect);
    for (let seed = 1; seed <= MAX_SEEDS; seed++) {
      const { failure } = await runSeed(subject, seed);
      if (failure === null) continue;
      const property = failure instanceof Violation ? failure.property : failure.name;
      t.log(`seed ${seed}: ${failure.message}`);
      t.true(properties.includes(property), failure.stack);
      return;
    }
    t.fail(`${MAX_SEEDS} seeds passed`);
  });
}
