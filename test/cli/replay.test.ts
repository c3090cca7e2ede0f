import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { rollgate, runHere } from './program.ts';

/** `rollgate replay` as a user meets it. */

const fixtures = fileURLToPath(new URL('../../compat-fixtures/3.6.14/', import.meta.url));
const unicast = join(fixtures, 'unicast');
const truthOfUnicast = readFileSync(join(unicast, 'truth.jsonl'), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'rollgate-replay-'));
test.after.always(() => rmSync(scratch, { recursive: true }));

const lines = (text: string): string[] => text.trimEnd().split('\n');
const replay = (...args: string[]): ReturnType<typeof runHere> => runHere(['replay', ...args]);

test('as a program: a table, a verdict, and 0', async (t) => {
  const { code, stdout, stderr } = await rollgate('replay', fixtures);
  t.is(code, 0);
  t.is(stderr, '');
  t.regex(stdout, /^Capture +Replay +Datagrams +Delivered +Result\n/);
  t.regex(stdout, /^unicast +full +(\d+) +(\d+)\/\2 +ok$/m);
  t.regex(stdout, /^PASSED {2}\d+ captures: /m);
  t.deepEqual(
    lines(stdout).filter((line) => line.length > 80),
    [],
  );
});

test('--help has every option, fits 80 columns and names the exit codes', async (t) => {
  const { code, stdout } = await replay('--help');
  t.is(code, 0);
  for (const word of ['--faults', '--junit', '--json', 'Exit codes:', 'truth.jsonl']) {
    t.true(stdout.includes(word), word);
  }
  t.deepEqual(
    lines(stdout).filter((line) => line.length > 80),
    [],
  );
});

test('--json prints one object, with the figures of each capture', async (t) => {
  const { code, stdout } = await replay('--json', unicast, join(fixtures, 'loss', 'capture.pcap'));
  t.is(code, 0);
  t.is(lines(stdout).length, 1);
  const { ok, captures } = JSON.parse(stdout) as { ok: boolean; captures: Record<string, unknown>[] };
  t.true(ok);
  t.deepEqual(
    captures.map(({ name }) => name),
    ['unicast', 'loss'],
  );
  const datagrams = captures[0]?.['datagrams'];
  const expected = truthOfUnicast.match(/"ev": ?"deliver"/g)?.length;
  t.true(typeof datagrams === 'number' && datagrams > 30);
  t.like(captures[0], {
    undecodable: 0,
    reencodedIdentical: datagrams,
    delivered: expected,
    expected,
    missing: 0,
    extra: 0,
    outOfOrder: 0,
    ok: true,
  });
});

test('what does not hold is said, and ends with 1', async (t) => {
  const folder = join(scratch, 'tampered');
  cpSync(unicast, folder, { recursive: true });
  const isFifth = (line: string): boolean => line.includes('"deliver"') && /"label": ?5,/.test(line);
  const truth = lines(truthOfUnicast).filter((line) => !isFifth(line));
  writeFileSync(join(folder, 'truth.jsonl'), truth.join('\n'));
  const { code, stdout } = await replay(folder);
  t.is(code, 1);
  t.regex(stdout, /^tampered +full .* FAILED$/m);
  t.regex(stdout, /p1 from p0: 0 missing, 1 extra, 0 out of order/);
  t.regex(stdout, /^FAILED {2}1 of 1 capture: /m);
  const json = await replay('--json', folder);
  t.is(json.code, 1);
  t.like(JSON.parse(json.stdout), { ok: false, captures: [{ name: 'tampered', extra: 1, ok: false }] });
});

test('what cannot be read is said on standard error, and ends with 2; the rest is replayed', async (t) => {
  const text = join(scratch, 'notes.pcap');
  writeFileSync(text, 'this is no capture');
  const bad = join(scratch, 'bad');
  cpSync(unicast, bad, { recursive: true });
  writeFileSync(join(bad, 'truth.jsonl'), 'nothing\n');
  const { code, stdout, stderr } = await replay(unicast, text, bad, join(scratch, 'absent'));
  t.is(code, 2);
  t.regex(stdout, /^unicast .* ok$/m);
  t.deepEqual(lines(stderr), [
    'error: notes.pcap: this is no capture file (pcap or pcapng)',
    'error: bad: truth.jsonl, line 1: this is no JSON',
    `error: ${join(scratch, 'absent')}: no such file or folder`,
  ]);
  const empty = mkdtempSync(join(scratch, 'empty-'));
  const none = await replay('--json', empty);
  t.is(none.code, 2);
  t.is(none.stderr, `error: ${empty}: there is no capture in this folder\n`);
  t.deepEqual((JSON.parse(none.stdout) as { ok: boolean }).ok, false);
});

test('--junit writes a testcase for each capture and check', async (t) => {
  const file = join(scratch, 'replay.xml');
  const { code } = await replay('--junit', file, fixtures);
  t.is(code, 0);
  const xml = readFileSync(file, 'utf8');
  t.true(xml.startsWith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites tests='));
  t.true(xml.includes('<testcase classname="unicast" name="delivers what the members delivered"/>'));
  t.true(xml.includes('failures="0"'));
});

test('--faults says what would have happened', async (t) => {
  const args = ['--faults', 'loss=0.2,reorder=0.1,duplicate=0.05,seed=7', fixtures];
  const { code, stdout } = await replay(...args);
  t.is(code, 0);
  t.regex(stdout, /^With loss 0\.2, reorder 0\.1, duplicate 0\.05, seed 7:$/m);
  t.regex(
    stdout.replaceAll(/\s+/g, ' '),
    /With these faults your upgrade would have lost nothing: \d+ messages were repaired, the slowest after \d/,
  );
  t.deepEqual(
    lines(stdout).filter((line) => line.length > 80),
    [],
  );
  const { faults } = JSON.parse((await replay('--json', ...args)).stdout) as { faults: { repaired: number } };
  t.true(faults.repaired > 0);
});

test('wrong faults are refused', async (t) => {
  for (const [text, message] of [
    ['los=0.1', 'give loss=, reorder=, duplicate= and seed='],
    ['loss=0.6', 'give a probability from 0 to 0.5'],
    ['loss', 'give a probability from 0 to 0.5'],
    ['seed=1.5', 'give a seed from 0 to 4294967295'],
  ] as const) {
    const { code, stderr } = await replay('--faults', text, unicast);
    t.is(code, 2);
    t.true(stderr.includes(message), stderr);
  }
  const { code, stderr } = await replay();
  t.is(code, 2);
  t.true(stderr.includes("missing required argument 'path'"));
});
