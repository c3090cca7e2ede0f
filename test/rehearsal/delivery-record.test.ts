import test from 'ava';
import fc from 'fast-check';

import { DeliveryRecord } from '../../src/rehearsal/delivery-record.ts';

const SENDER = 'aa'.repeat(16);

function record(numbers: readonly number[]): DeliveryRecord {
  const result = new DeliveryRecord(SENDER);
  for (const number of numbers) result.handle({ sender: SENDER, number }, 100);
  return result;
}

const none = { duplicated: 0, reordered: 0, missing: 0, corrupt: 0 };

test('in order', (t) => {
  t.deepEqual(record([1, 2, 3]).counts, { ...none, delivered: 3, highest: 3, bytes: 300 });
});

test('a gap is missing, its filling is reordered, a second copy is duplicated', (t) => {
  t.deepEqual(record([1, 5]).counts, { ...none, delivered: 2, highest: 5, missing: 3, bytes: 200 });
  t.deepEqual(record([1, 5]).gaps(), [[2, 4]]);
  t.deepEqual(record([1, 5, 3]).gaps(), [
    [2, 2],
    [4, 4],
  ]);
  const counts = record([1, 5, 3, 3, 5, 1, 2, 4]).counts;
  t.deepEqual(counts, { ...none, delivered: 5, highest: 5, reordered: 3, duplicated: 3, bytes: 800 });
});

test('corrupt messages and such as name another sender are corrupt and nothing else', (t) => {
  const one = record([1]);
  one.handle('corrupt', 50);
  one.handle({ sender: 'bb'.repeat(16), number: 2 }, 50);
  t.deepEqual(one.counts, { ...none, delivered: 1, highest: 1, corrupt: 2, bytes: 200 });
});

test('agrees with a naive set, whatever comes in whatever order', (t) => {
  const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 80 });
  fc.assert(
    fc.property(numbers, (sequence) => {
      const seen = new Set<number>();
      let [reordered, duplicated, highest] = [0, 0, 0];
      for (const number of sequence) {
        if (seen.has(number)) duplicated++;
        else if (number < highest) reordered++;
        seen.add(number);
        highest = Math.max(highest, number);
      }
      const { counts } = record(sequence);
      t.like(counts, { delivered: seen.size, highest, reordered, duplicated, missing: highest - seen.size });
      const inGaps = record(sequence)
        .gaps(100)
        .reduce((sum, [low, high]) => sum + high - low + 1, 0);
      t.is(inGaps, counts.missing);
    }),
  );
});

test('more gaps than are remembered: memory stays bounded, what is missing stays counted', (t) => {
  const one = record(Array.from({ length: 10_100 }, (_, i) => 2 * i + 2));
  t.is(one.counts.missing, 10_100);
  t.is(one.gaps(Infinity).length, 10_000);
  one.handle({ sender: SENDER, number: 1 }, 1);
  t.like(one.counts, { missing: 10_100, duplicated: 1 }, 'the oldest gap is forgotten');
  one.handle({ sender: SENDER, number: 20_199 }, 1);
  t.like(one.counts, { missing: 10_099, reordered: 1 });
});
