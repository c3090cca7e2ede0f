import fc from 'fast-check';
import test from 'ava';

import { UNKNOWN_VERSION } from '../../../src/protocol/member-id.ts';
import type { StackState } from '../../../src/protocol/messenger.ts';
import { nextState } from '../../../src/upgrade/retirement.ts';
import { DEFAULT_ROUTING_POLICY, route, type RoutingPolicy } from '../../../src/upgrade/routing.ts';

const policy = (changes: Partial<RoutingPolicy> = {}): RoutingPolicy => ({
  ...DEFAULT_ROUTING_POLICY,
  ...changes,
});

const table: readonly [version: number, stack: 'udp' | 'tcp', reason: RegExp][] = [
  [UNKNOWN_VERSION, 'udp', /advertises no version/],
  [0, 'udp', /version 0 is before 200/],
  [45, 'udp', /before 200/],
  [150, 'udp', /before 200/],
  [160, 'udp', /before 200/],
  [199, 'udp', /version 199 is before 200/],
  [200, 'tcp', /version 200 speaks TCP/],
  [250, 'tcp', /speaks TCP/],
  [299, 'tcp', /speaks TCP/],
  [300, 'udp', /version 300 is beyond 299/],
  [32_767, 'udp', /beyond 299/],
  [-2, 'udp', /version -2/],
  [200.5, 'udp', /version 200\.5/],
  [NaN, 'udp', /version NaN/],
  [Infinity, 'udp', /version Infinity/],
];

for (const [version, stack, reason] of table) {
  test(`version ${version} goes by ${stack}`, (t) => {
    const chosen = route({ version }, policy());
    t.is(chosen.stack, stack);
    t.regex(chosen.reason, reason);
  });
}

test('switched off, everybody is reached by UDP', (t) => {
  for (const [version] of table) t.is(route({ version }, policy({ tcp: 'off' })).stack, 'udp');
  t.regex(route({ version: 200 }, policy({ tcp: 'off' })).reason, /policy/);
});

test('the range is what the policy says, both ends included', (t) => {
  const own = policy({ tcpVersions: [150, 160] });
  t.deepEqual(
    [149, 150, 160, 161, 200].map((version) => route({ version }, own).stack),
    ['udp', 'tcp', 'tcp', 'udp', 'udp'],
  );
});

test("whatever one peer advertises, it never changes another's route", (t) => {
  const absurd = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(UNKNOWN_VERSION, NaN, -0, 2 ** 53));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 400 }), { maxLength: 20 }), absurd, (versions, other) => {
      const before = versions.map((version) => route({ version }, DEFAULT_ROUTING_POLICY));
      const its = route({ version: other }, DEFAULT_ROUTING_POLICY);
      const after = versions.map((version) => route({ version }, DEFAULT_ROUTING_POLICY));
      t.deepEqual(after, before);
      t.is(its.stack, Number.isInteger(other) && other >= 200 && other <= 299 ? 'tcp' : 'udp');
      t.true(its.reason.length > 0);
    }),
  );
});

const states: readonly [from: StackState, needed: boolean, pending: number, to: StackState][] = [
  ['active', true, 0, 'active'],
  ['active', true, 5, 'active'],
  ['active', false, 5, 'draining'],
  ['active', false, 0, 'dormant'],
  ['draining', false, 1, 'draining'],
  ['draining', false, 0, 'dormant'],
  ['draining', true, 1, 'active'],
  ['dormant', false, 0, 'dormant'],
  ['dormant', true, 0, 'active'],
  ['closed', true, 0, 'closed'],
  ['closed', true, 9, 'closed'],
  ['closed', false, 0, 'closed'],
  ['closed', false, 9, 'closed'],
];

for (const [from, needed, pending, to] of states) {
  test(`UDP that is ${from}, ${needed ? 'needed' : 'not needed'}, with ${pending} pending, is ${to}`, (t) => {
    t.is(nextState(from, { needed, pending }), to);
  });
}
