import test from 'ava';

import {
  compare,
  isSlowed,
  type Slowdown,
  TARGET_RATIO,
  type Window,
} from '../../scripts/hostile/verdict.ts';

const at = (perSecond: number, perCpuSecond = perSecond): Window => ({ perSecond, perCpuSecond });
const stretch = (...rates: number[]): Window[] => rates.map((rate) => at(rate));

test('each stretch under attack is held against the quiet ones around it', (t) => {
  const { rate, perCpu } = compare([stretch(100), stretch(100)], [stretch(80)]);
  t.is(rate, 0.8);
  t.is(perCpu, 0.8);
});

test('a machine that gets slower all the time is not the attack', (t) => {
  const quiet = [100, 80, 60, 40].map((rate) => stretch(rate));
  const attacked = [90, 70, 50].map((rate) => stretch(rate));
  t.is(compare(quiet, attacked).rate, 1);
});

test('medians: one bad window, and one bad round of three, do not count', (t) => {
  const windows = compare([stretch(100, 1, 100), stretch(100, 100, 9_000)], [stretch(95, 95, 2)]);
  t.is(windows.rate, 0.95);
  const rounds = compare(
    [stretch(100), stretch(100), stretch(100), stretch(100)],
    [stretch(96), stretch(10), stretch(97)],
  );
  t.is(rounds.rate, 0.96);
  const slow = compare(
    [stretch(100), stretch(100), stretch(100), stretch(100)],
    [stretch(80), stretch(99), stretch(81)],
  );
  t.is(slow.rate, 0.81);
});

test('rates in time and per processor time are compared each for itself', (t) => {
  const { rate, perCpu, quiet, attacked } = compare([[at(100, 400)], [at(100, 400)]], [[at(50, 380)]]);
  t.is(rate, 0.5);
  t.is(perCpu, 0.95);
  t.deepEqual(quiet, at(100, 400));
  t.deepEqual(attacked, at(50, 380));
});

test('what was given is not changed', (t) => {
  const quiet = [stretch(3, 1, 2), stretch(3, 1, 2)];
  compare(quiet, [stretch(3, 1, 2)]);
  t.deepEqual(quiet[0], stretch(3, 1, 2));
});

const verdict = (rate: number, perCpu: number, bound = TARGET_RATIO): boolean => {
  const slowdown: Slowdown = { quiet: at(1), attacked: at(rate, perCpu), rate, perCpu };
  return isSlowed(slowdown, bound);
};

test('slowed: both below the bound, or the rate at half of it whatever the other', (t) => {
  t.false(verdict(0.9, 0.9));
  t.false(verdict(1, 0.5), 'it keeps its rate');
  t.false(verdict(0.6, 0.9), 'others took the processor');
  t.true(verdict(0.89, 0.89));
  t.true(verdict(0.49, 1), 'it waited for something');
  t.false(verdict(0.5, 1));
  t.false(verdict(0.8, 0.8, 0.75), 'a machine known to be busy');
  t.true(verdict(0.7, 0.7, 0.75));
});

test('nothing delivered, or nothing measured, is slow', (t) => {
  t.true(verdict(0, NaN));
  t.true(verdict(NaN, NaN));
  const dead = compare([stretch(0), stretch(0)], [stretch(0)]);
  t.true(isSlowed(dead, TARGET_RATIO));
  t.true(isSlowed(compare([stretch(100), stretch(100)], [[]]), TARGET_RATIO));
});
