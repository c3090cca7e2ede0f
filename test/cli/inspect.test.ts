import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import type { InspectReport } from '../../src/compat/inspect/report.ts';
import { rollgate, runHere } from './program.ts';

const capture = (scenario: string): string =>
  fileURLToPath(new URL(`../../compat-fixtures/3.6.14-decoded/${scenario}/capture.pcap`, import.meta.url));

test('inspect tells the story of a capture within 80 columns, and ends with a verdict', async (t) => {
  const { code, stdout, stderr } = await rollgate('inspect', capture('loss'));
  t.is(code, 0);
  t.is(stderr, '');
  for (const title of ['Versions', 'Members', 'Pairs', 'Anomalies'])
    t.regex(stdout, new RegExp(`^${title}$`, 'm'));
  t.regex(stdout, /127\.0\.0\.1:41640 > 127\.0\.0\.1:41641 +udp +19 +153 kB +3 +5 +-$/m);
  t.true(stdout.includes('asked for by 127.0.0.1:41641 (3)'));
  t.true(stdout.endsWith('REPAIRED  1 warning. 3 messages were lost on the way, and all repaired.\n'));
  const [, ...others] = stdout.split('\n');
  t.deepEqual(
    others.filter((line) => line.length > 80),
    [],
    'but for the name of the file',
  );
});

test('inspect --json prints one object', async (t) => {
  const { code, stdout } = await runHere(['inspect', '--json', capture('fragment')]);
  t.is(code, 0);
  const report = JSON.parse(stdout) as InspectReport;
  t.is(stdout.trimEnd().split('\n').length, 1);
  t.true(report.ok);
  t.is(report.verdict.level, 'clean');
  t.is(report.pairs.length, 2);
  t.is(report.pairs[0]?.fragmented.complete, 2);
});

test('inspect ends with 1 where something was not repaired', async (t) => {
  const { code, stdout } = await runHere(['inspect', capture('viewchange')]);
  t.is(code, 1);
  t.true(stdout.includes('it was never acknowledged') || stdout.includes('never\n'), stdout);
  t.true(stdout.includes('TROUBLE'));
});

test('inspect --html writes a page beside the report', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rollgate-'));
  try {
    const out = join(folder, 'story.html');
    const { code, stdout } = await runHere(['inspect', '--html', out, capture('unicast')]);
    t.is(code, 0);
    t.true(stdout.includes('CLEAN'));
    t.true((await readFile(out, 'utf8')).startsWith('<!doctype html>'));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('inspect says what it cannot read or write, and ends with 2', async (t) => {
  const missing = await runHere(['inspect', '/no/such.pcap']);
  t.is(missing.code, 2);
  t.is(missing.stderr, 'error: cannot read /no/such.pcap: there is no such file\n');
  const text = fileURLToPath(import.meta.url);
  const wrong = await runHere(['inspect', text]);
  t.is(wrong.code, 2);
  t.true(wrong.stderr.startsWith(`error: ${text} is no capture: `), wrong.stderr);
  t.is(wrong.stdout, '');
  const unwritable = await runHere(['inspect', '--html', '/no/such/folder/x.html', capture('unicast')]);
  t.is(unwritable.code, 2);
  t.true(unwritable.stderr.startsWith('error: cannot write /no/such/folder/x.html: '));
});

test('inspect - reads standard input', async (t) => {
  const bytes = await readFile(capture('unicast'));
  const openInput = async function* (): AsyncIterable<Uint8Array> {
    await Promise.resolve();
    yield bytes;
  };
  const { code, stdout } = await runHere(['inspect', '-'], undefined, { openInput });
  t.is(code, 0);
  t.true(stdout.startsWith('standard input\n37 messages'));
});

test('inspect --help fits 80 columns and names the exit codes', async (t) => {
  const { code, stdout } = await runHere(['inspect', '--help']);
  t.is(code, 0);
  for (const part of ['--json', '--html <out>', 'Exit codes:']) t.true(stdout.includes(part), part);
  t.deepEqual(
    stdout.split('\n').filter((line) => line.length > 80),
    [],
  );
});
