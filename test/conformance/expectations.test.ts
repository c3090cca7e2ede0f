/** The judge of the conformance matrix must be able to say no. */

import test from 'ava';

import { fault } from '../../scripts/conformance/expectations.ts';
import type { Expectation } from '../../scripts/conformance/expectations.ts';
import type { ConformanceMember } from '../../scripts/conformance/member.ts';
import { DeliveryRecord } from '../../src/rehearsal/delivery-record.ts';

const SENDER = '0123456789abcdef0123456789abcdef';

/** A recipient that delivered these numbers, in this order. */
function recipient(...numbers: readonly number[]): ConformanceMember {
  const record = new DeliveryRecord(SENDER);
  for (const number of numbers) record.handle({ sender: SENDER, number }, 100);
  return {
    label: 'jvm-1',
    received: () => record.counts,
    gaps: () => record.gaps(),
  } as unknown as ConformanceMember;
}

const from = { label: 'ours-2', id: { uuid: SENDER } } as unknown as ConformanceMember;

function judge(
  to: ConformanceMember,
  count: number,
  options: Partial<Pick<Expectation, 'kind' | 'ordered'>> = {},
): string | null {
  return fault({ from, to, stream: 1, count, ordered: true, kind: 'all', ...options });
}

test('all, in order, once: nothing is wrong', (t) => {
  t.is(judge(recipient(1, 2, 3), 3), null);
  t.is(judge(recipient(), 0), null);
});

test('what is lost, doubled, late or never sent is named', (t) => {
  t.is(judge(recipient(1, 3), 3), 'ours-2 -> jvm-1: 2 of 3 delivered, the highest is 3, missing 2');
  t.is(judge(recipient(1, 2), 3), 'ours-2 -> jvm-1: 2 of 3 delivered, the highest is 2');
  t.is(judge(recipient(1, 2, 2, 3), 3), 'ours-2 -> jvm-1: 3 of 3 delivered, 1 twice');
  t.is(judge(recipient(1, 3, 2), 3), 'ours-2 -> jvm-1: 3 of 3 delivered, 1 out of order');
  t.regex(judge(recipient(1, 2, 3, 4), 3) ?? '', /number 4 was never sent/);
});

test('what has no order may come in any, but once', (t) => {
  t.is(judge(recipient(3, 1, 2), 3, { ordered: false }), null);
  t.regex(judge(recipient(3, 1, 1, 2), 3, { ordered: false }) ?? '', /1 twice/);
});

test('of a dead sender the last messages may be missing, none between', (t) => {
  t.is(judge(recipient(1, 2), 5, { kind: 'prefix' }), null);
  t.is(judge(recipient(), 5, { kind: 'prefix' }), null);
  t.regex(judge(recipient(1, 3), 5, { kind: 'prefix' }) ?? '', /missing 2/);
});

test('a joiner has all from some number on, and that is no later than its view', (t) => {
  const kind = { optional: 4 };
  t.is(judge(recipient(5, 6, 7), 7, { kind }), null);
  t.is(judge(recipient(3, 4, 5, 6, 7), 7, { kind }), null);
  t.is(judge(recipient(), 4, { kind }), null);
  t.regex(judge(recipient(6, 7), 7, { kind }) ?? '', /joined after 4: the highest is 7, missing 1-5/);
  t.regex(judge(recipient(4, 6, 7), 7, { kind }) ?? '', /missing 1-3 5/);
  t.regex(judge(recipient(5, 6), 7, { kind }) ?? '', /the highest is 6/);
  t.regex(judge(recipient(), 7, { kind }) ?? '', /nothing of what came after the join/);
});

test('of unreliable messages some must arrive, and a datagram that came twice is no fault', (t) => {
  const kind = { least: 2 };
  t.is(judge(recipient(1, 3, 3), 4, { kind, ordered: false }), null);
  t.regex(judge(recipient(1), 4, { kind, ordered: false }) ?? '', /at least 2 were expected/);
});
