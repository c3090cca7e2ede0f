import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import { format } from 'prettier';

import { BrokenRun } from '../../scripts/bench/harness/bench-process.ts';
import { writeDocuments } from '../../scripts/bench/harness/documents.ts';
import { OptionError, parseOptions } from '../../scripts/bench/harness/options.ts';
import { report, sideLines } from '../../scripts/bench/harness/results.ts';
import { runCase } from '../../scripts/bench/harness/run-case.ts';
import { Expectation, stampedPayloads } from '../../scripts/bench/harness/stamped-payload.ts';
import { unlessStalled } from '../../scripts/bench/harness/stall-watch.ts';
import { spreadOf } from '../../scripts/bench/harness/statistics.ts';
import { sideCells } from '../../scripts/bench/harness/tables.ts';
import type { BenchCase, CaseResult, Sample } from '../../scripts/bench/harness/types.ts';
import { growthOf } from '../../scripts/bench/own/memory.ts';

const EFFORT = { runs: 3, share: 1, maxSeconds: 1 };

function sample(metrics: Sample['metrics'], messages = 1): Sample {
  return { metrics, messages, cpuSeconds: messages / 1e5, residentBytes: 1e6, drops: 0 };
}

/** A case whose sides reach these rates, one after the other and again. */
function benchCase(rates: Readonly<Record<string, readonly number[]>>, turns: string[] = []): BenchCase {
  return {
    name: 'oneway',
    title: 'one way',
    count: 1_000,
    sides: Object.fromEntries(
      Object.entries(rates).map(([side, all]) => {
        let next = 0;
        const work = (count: number): Promise<Sample> => {
          turns.push(`${side} ${count}`);
          return Promise.resolve(sample({ rate: all[next++ % all.length] ?? NaN }, count));
        };
        return [side, work];
      }),
    ),
    pace: ({ metrics }) => metrics['rate'] ?? 0,
    results: [
      { name: 'oneway', title: 'one way', metric: 'rate', unit: 'msg/s', against: 'jvm', target: 0.9 },
      { name: 'oneway-raw', title: 'one way', metric: 'rate', unit: 'msg/s', against: 'raw', target: null },
    ],
  };
}

const run = (bench: BenchCase): Promise<CaseResult> => runCase(bench, EFFORT, () => undefined);

test('sides warm up, then take turns; a slow one does less', async (t) => {
  const turns: string[] = [];
  await run(benchCase({ ours: [5_000], jvm: [400] }, turns));
  const round = ['ours 1000', 'jvm 400'];
  t.deepEqual(turns, ['ours 250', 'jvm 250', ...round, ...round, ...round]);
});

test('medians are held against each other, not means', async (t) => {
  const { cases, more, met } = report([
    await run(benchCase({ ours: [1, 900, 1, 950], jvm: [1, 1_000, 1_000, 5_000], raw: [1_000] })),
  ]);
  t.like(cases[0], { name: 'oneway', ours: 900, jvm: 1_000, raw: 1_000, ratio: 0.9, target: 0.9, met: true });
  t.deepEqual(cases[0]?.spread['ours'], [1, 950]);
  t.is(cases.length, 1);
  t.like(more[0], { name: 'oneway-raw', ratio: 0.9, target: null, met: null });
  t.true(met);
  t.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 });
});

test('a target that is a limit', async (t) => {
  const bench = benchCase({ ours: [120], raw: [100] });
  const limit = { name: 'p50', title: '', metric: 'rate', unit: 'us', against: 'raw', lowerIsBetter: true };
  const of = async (target: number): Promise<boolean | null | undefined> =>
    report([await run({ ...bench, results: [{ ...limit, target }] })]).cases[0]?.met;
  t.true(await of(1.2));
  t.false(await of(1.19));
  const bytes = { ...limit, against: null };
  t.true(report([await run({ ...bench, results: [{ ...bytes, target: 120 }] })]).met);
  t.false(report([await run({ ...bench, results: [{ ...bytes, target: 119 }] })]).met);
});

test('a broken side has no figure, and no target is met by it', async (t) => {
  const bench = benchCase({ ours: [900], jvm: [1_000], raw: [1_000] });
  let calls = 0;
  const lossy = async (): Promise<Sample> => {
    if (++calls === 3) throw new BrokenRun('message 7 is missing');
    return Promise.resolve(sample({ rate: 1 }));
  };
  const result = await run({ ...bench, sides: { ...bench.sides, ours: lossy } });
  t.is(calls, 3, 'it is not tried again');
  const { cases, met } = report([result]);
  t.like(cases[0], { ours: null, jvm: 1_000, ratio: null, met: false });
  t.regex(cases[0]?.error ?? '', /message 7 is missing/);
  t.false(met);
});

test('a side that nobody is held against may fail: the tables say why, and nothing is broken', async (t) => {
  const bench = benchCase({ ours: [900], jvm: [1_000], raw: [1_000], other: [1] });
  const fails = (): Promise<Sample> => Promise.reject(new BrokenRun('gone | away', ['error: more']));
  const rival = await run({ ...bench, sides: { ...bench.sides, other: fails } });
  t.false(report([rival]).isBroken);
  const cells = sideLines(rival).map(sideCells);
  t.is(cells.length, 4);
  t.deepEqual(cells.at(-1), ['oneway', 'other', '-', '-', '-', 'failed: gone / away', '-', '-', '-']);
  t.true(report([await run({ ...bench, sides: { ...bench.sides, raw: fails } })]).isBroken);
});

test('work that stalls is given up, and it is said how far it came', async (t) => {
  const limits = { everyMs: 1, looks: 3 };
  const never = new Promise<string>(() => undefined);
  let received = 0;
  const slow = (): Promise<number> => Promise.resolve(Math.min(7, ++received));
  await t.throwsAsync(unlessStalled(never, slow, 10, limits), {
    instanceOf: BrokenRun,
    message: 'nothing came for 0.003 s after 7 of 10 messages',
  });
  t.is(received, 10);
  const ends = new Promise<string>((resolve) => setTimeout(() => resolve('done'), 50));
  let more = 0;
  t.is(await unlessStalled(ends, () => Promise.resolve(++more), 10, limits), 'done');
  const gone = (): Promise<number> => Promise.reject(new BrokenRun('it ended'));
  await t.throwsAsync(unlessStalled(never, gone, 10, limits), { message: 'it ended' });
});

test('growth is of medians at both ends', (t) => {
  const steps = Array.from({ length: 50 }, (_, i) => 100 + i);
  t.is(growthOf(steps), 147 / 102);
  t.is(growthOf([500, ...Array.from({ length: 48 }, () => 100), 900]), 1, 'one value does not count');
});

test('what is lost, doubled, out of order, damaged or too much is found', (t) => {
  const ring = stampedPayloads(100, 5);
  const expect = (stamps: readonly number[], count = 7): string[] => {
    const told: string[] = [];
    const expectation = new Expectation(
      { count, sizeBytes: 100, ring: 5 },
      () => told.push('done'),
      (message) => told.push(message),
    );
    for (const stamp of stamps) expectation.handle(ring[stamp] ?? Buffer.alloc(100, stamp));
    return told;
  };
  t.deepEqual(expect([0, 1, 2, 3, 4, 0, 1]), ['done']);
  t.deepEqual(expect([0, 1, 2, 3, 4, 0]), []);
  t.regex(expect([0, 1, 3])[0] ?? '', /message 3 of 7 has stamp 3 and 100 bytes, due were 2 and 100/);
  t.regex(expect([0, 0])[0] ?? '', /message 2 of 7 has stamp 0/);
  t.regex(expect([0, 2, 1])[0] ?? '', /message 2 of 7 has stamp 2/);
  t.regex(expect([0, 9])[0] ?? '', /message 2 of 7/);
  t.regex(expect([0, 1], 1)[1] ?? '', /message 2 of 1/);
});

test('options are checked', (t) => {
  t.like(parseOptions(['--quick', '--only', 'a,b', '--messages', '50m', '--own', '{"x":1}']), {
    quick: true,
    only: ['a', 'b'],
    messages: 50_000_000,
    ownOptions: { x: 1 },
    runs: null,
  });
  for (const wrong of ['--fast', '--runs=0', '--scale=-1', '--messages=many', '--own=[]', '--warm-up=x']) {
    t.throws(() => parseOptions([wrong]), { instanceOf: OptionError }, wrong);
  }
});

test('a full run is kept in docs and between the markers of the README', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'rollgate-bench-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(root, 'README.md'), '# x\n\n<!-- b -->\n<!-- /b -->\n\nmore\n');
  writeFileSync(join(root, 'docs/b.md'), '# old\n\n## Notes\n\nWhat was tried.\n');
  const spec = {
    name: 'b',
    title: 'Speed',
    chartTitle: 'Targets & more',
    sidesNote: 'Processor seconds.',
    introduction: 'How.',
    notesHeading: '## Notes',
  };
  const results = [await run(benchCase({ ours: [12_345.6], jvm: [10_000], raw: [20_000] }))];
  const written = writeDocuments(root, spec, results, { runs: 3 });
  t.is(written.length, 4);
  t.true(written.every((path) => existsSync(path)));
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  for (const path of ['README.md', 'docs/b.md']) {
    const text = read(path);
    t.is(await format(text, { parser: 'markdown', proseWrap: 'preserve' }), text, `${path} is formatted`);
    t.regex(text, /\| oneway +\| 12,350 \| 10,000 \|/);
  }
  t.regex(read('README.md'), /\n\nmore\n$/);
  t.regex(read('docs/b.md'), /\n## Notes\n\nWhat was tried.\n$/);
  t.like(JSON.parse(read('docs/b.json')), { cases: [{ ratio: 1.235 }], met: true, about: { runs: 3 } });
  t.regex(read('docs/b.svg'), /^<svg [^]*Targets &amp; more[^]*<\/svg>\n$/);
  writeDocuments(root, spec, results, { runs: 3 });
  t.is(read('README.md').split('<!-- b -->').length, 2, 'a second run replaces the first');
});
