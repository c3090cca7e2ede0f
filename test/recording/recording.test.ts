/** `rollgate record`: its fixtures, its scripts, and a recording of real peers made here. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { prepareProgram } from '../../src/recording/programs.ts';
import { record } from '../../src/recording/record.ts';
import type { Recording } from '../../src/recording/recorder.ts';
import { plan } from '../../src/recording/scenarios.ts';
import { parseScript, type PeerVersion } from '../../src/recording/script.ts';
import { Tcpdump } from '../../src/recording/tcpdump.ts';
import { RecordingError, TruthLog } from '../../src/recording/truth-log.ts';
import { complaints, readRecorded } from './capture.ts';

const FIXTURES = fileURLToPath(new URL('../../compat-fixtures/', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'rollgate-record-'));
/** Undefined where recordings of these peers can be made. */
async function whatIsMissing(version: PeerVersion): Promise<string | undefined> {
  try {
    await prepareProgram(version, { timeoutMs: 240_000 });
    const tcpdump = await Tcpdump.start(join(folder, 'probe.pcap'), 'udp port 9');
    await tcpdump.stop();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const missing = {
  '3.6.14': await whatIsMissing('3.6.14'),
  '2.12.2': await whatIsMissing('2.12.2'),
};

test.after.always(() => rm(folder, { recursive: true, force: true }));

for (const { version, scenario, firstPort } of plan()) {
  const name = `${version}/${scenario.name}`;
  test(`fixture ${name}: is that script's, decodes, re-encodes, and tells of every message`, (t) => {
    const recorded = readRecorded(join(FIXTURES, name));
    t.is(recorded.scenario, scenario.script(version, firstPort), 'record it anew: the script has changed');
    t.deepEqual(complaints(recorded), []);
    const events = new Set(recorded.truth.map(({ ev }) => ev));
    for (const ev of ['up', 'view', 'send', 'deliver', 'wire-down', 'wire-up', 'quit'])
      t.true(events.has(ev), ev);
    if (/loss/.test(scenario.name)) t.true(events.has('rx-dropped'));
  });
}

test('scripts: what means nothing is refused by its line', (t) => {
  const peer = 'GeodePeer idx=0 version=3.6.14 base=21000';
  t.deepEqual(
    parseScript(`${peer}\n---\np0: send 1 2 3 - 4\n*: view 1 0:0\nsleep 0.5\nkill 0\nawait view 2\n`).steps,
    [
      { do: 'command', index: 0, command: 'send 1 2 3 - 4' },
      { do: 'command', index: null, command: 'view 1 0:0' },
      { do: 'sleep', ms: 500 },
      { do: 'kill', index: 0 },
      { do: 'await-view', members: 2 },
    ],
  );
  for (const line of ['p1: send', 'sleep', 'sleep x', 'start 1', 'await', 'await view', 'dance']) {
    t.throws(() => parseScript(`${peer}\n---\n${line}`), {
      message: `the script has a line that means nothing: ${line}`,
    });
  }
  t.throws(() => parseScript('GeodePeer idx=0 version=3.5\n---\n'), { message: /means nothing/ });
  t.throws(() => parseScript(peer), { message: /no line '---'/ });
});

test('the truth log knows what is owed, to whom, and who is gone', async (t) => {
  const log = new TruthLog();
  const event = (peer: string, ev: string, more: Record<string, string | number>) => ({
    t: 0,
    peer,
    ev,
    ...more,
  });
  const message = { label: 1, len: 10, sha: 'ab' };
  for (const peer of ['p0', 'p1', 'p2']) log.add(event(peer, 'view', { id: 1, members: '0:0,1:1,2:2' }));
  t.true(log.haveViewOf(3, ['p0', 'p2']));
  log.add(event('p0', 'send', { dest: 'ALL', ...message }));
  t.deepEqual(log.undelivered(), ['1 of 10 bytes from p0 to p1', '1 of 10 bytes from p0 to p2']);
  log.add(event('p2', 'killed-9', {}));
  const waited = log.until('it', () => log.undelivered().length === 0, 5_000, new AbortController().signal);
  log.add(event('p1', 'deliver', { src: 'p0', dest: 'ALL', ...message }));
  await waited;
  t.deepEqual(log.unasked(), []);
  log.add(event('p1', 'deliver', { src: 'p0', dest: 'ALL', ...message }));
  t.deepEqual(log.unasked(), ['1 of 10 bytes from p0 to p1']);
  const never = log.until('rain', () => false, 20, new AbortController().signal);
  await t.throwsAsync(never, { instanceOf: RecordingError, message: 'waited 0.02 s for rain' });
  log.fail(new Error('p1 is no more'));
  const late = log.until('it', () => true, 5_000, new AbortController().signal);
  await t.throwsAsync(late, { message: 'p1 is no more' });
});

function recordingTest(
  version: keyof typeof missing,
  title: string,
  body: (t: ExecutionContext) => Promise<void>,
): void {
  const reason = missing[version];
  if (reason === undefined) test.serial(title, body);
  else if (process.env['ROLLGATE_REQUIRE_JVM'] === '1') test.serial(title, (t) => t.fail(reason));
  else test.serial.skip(`${title} (skipped: ${reason})`, body);
}

async function recordHere(
  version: PeerVersion,
  scenario: string,
  signal: AbortSignal,
): Promise<Recording | Error | undefined> {
  let result: Recording | Error | undefined;
  const events = {
    note: () => undefined,
    started: () => undefined,
    recorded: (_name: string, recording: Recording) => (result = recording),
    failed: (_name: string, error: Error) => (result = error),
  };
  await record({ versions: [version], scenarios: [scenario], folder }, events, signal);
  return result;
}

recordingTest('3.6.14', 'a recording made here decodes, and its truth is complete', async (t) => {
  const result = await recordHere('3.6.14', 'first-message-loss', new AbortController().signal);
  t.like(result, { sent: 14, delivered: 14 });
  const recorded = readRecorded(join(folder, '3.6.14/first-message-loss'));
  t.deepEqual(complaints(recorded), []);
  t.true(recorded.truth.some(({ ev }) => ev === 'rx-dropped'));
  t.deepEqual((await readdir(join(folder, '3.6.14/first-message-loss'))).sort(), [
    'capture.pcap',
    'scenario.txt',
    'truth.jsonl',
  ]);
});

recordingTest('2.12.2', 'JGroups 2.12 is recorded as well', async (t) => {
  const result = await recordHere('2.12.2', 'unicast', new AbortController().signal);
  t.like(result, { sent: 27, delivered: 27 });
  t.deepEqual(complaints(readRecorded(join(folder, '2.12.2/unicast'))), []);
});

recordingTest('3.6.14', 'an interrupted recording leaves nothing half done', async (t) => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 1_500);
  t.like(await recordHere('3.6.14', 'credit-request', abort.signal), { message: 'interrupted' });
  t.deepEqual(await readdir(join(folder, '3.6.14/credit-request')), []);
});
