import test from 'ava';

import type { RunRecording } from '../../src/cli/context.ts';
import { CaptureError } from '../../src/recording/tcpdump.ts';
import { RecordingError } from '../../src/recording/truth-log.ts';
import { fakeEngine } from './fixtures/fake-engine.ts';
import { type Ended, runHere } from './program.ts';

/** `rollgate record` as a user meets it, with made-up recordings. */

const lines = (text: string): string[] => text.trimEnd().split('\n');

const COUNTS = { packets: 1_041, sent: 35, delivered: 34, dropped: 0 };

function recordWith(runRecording: RunRecording, ...args: string[]): Promise<Ended> {
  return runHere(['record', ...args], fakeEngine('ok'), { runRecording });
}

const nothing: RunRecording = () => Promise.reject(new Error('nothing is to be recorded'));

test('--help and --list fit 80 columns', async (t) => {
  for (const args of [['--help'], ['--list']]) {
    const { code, stdout, stderr } = await recordWith(nothing, ...args);
    t.is(code, 0);
    t.is(stderr, '');
    t.deepEqual(
      lines(stdout).filter((line) => line.length > 80),
      [],
    );
  }
  const { stdout } = await recordWith(nothing, '--list', '--peer', '2.12.2');
  t.deepEqual(
    lines(stdout).filter((line) => !line.startsWith(' ')),
    ['2.12.2/unicast', '2.12.2/nakack-loss'],
  );
});

test('what it cannot take is refused in plain words', async (t) => {
  const refused: readonly (readonly [string[], string])[] = [
    [['--peer', '3.6.15'], "argument '3.6.15' is invalid: give 3.6.14, 3.6.20, 2.12.2 or all"],
    [['--scenario', 'x'], "argument 'x' is invalid: give unicast, fragments,"],
    [
      ['--peer', '2.12.2', '--scenario', 'mcast'],
      "error: JGroups 2.12.2 has no scenario 'mcast' (--list names all)",
    ],
    [['here'], "too many arguments for 'record'"],
  ];
  for (const [args, message] of refused) {
    const { code, stdout, stderr } = await recordWith(nothing, ...args);
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.includes(message), stderr);
  }
});

test('a line a scenario; what failed is said, and ends with 1', async (t) => {
  const asked: unknown[] = [];
  const run: RunRecording = (options, events) => {
    asked.push(options);
    events.note('preparing JGroups 2.12.2');
    for (const name of ['2.12.2/unicast', '2.12.2/nakack-loss']) {
      events.started(name);
      if (name.endsWith('loss')) events.failed(name, new RecordingError('not delivered: 1 of 90 bytes'));
      else events.recorded(name, COUNTS);
    }
    return Promise.resolve();
  };
  const { code, stdout, stderr } = await recordWith(run, '--peer', '2.12.2', '--out', '/x');
  t.is(code, 1);
  t.deepEqual(asked, [{ versions: ['2.12.2'], scenarios: ['unicast', 'nakack-loss'], folder: '/x' }]);
  t.is(stderr, 'preparing JGroups 2.12.2\n');
  t.deepEqual(
    lines(stdout).map((line) => line.replace(/ +/g, ' ')),
    [
      '2.12.2/unicast 1,041 packets, 35 sent, 34 delivered (0.0 s)',
      '2.12.2/nakack-loss error: not delivered: 1 of 90 bytes',
      '',
      '1 of 2 recorded in /x',
    ],
  );
  const good = await recordWith(
    (_options, events) => {
      events.recorded('2.12.2/unicast', { ...COUNTS, dropped: 3 });
      return Promise.resolve();
    },
    '--peer',
    '2.12.2',
    '--scenario',
    'unicast',
  );
  t.is(good.code, 0);
  t.true(good.stdout.includes('34 delivered, 3 dropped (0.0 s)'));
  t.true(good.stdout.endsWith('1 of 1 recorded in compat-fixtures\n'));
});

test('what is missing is said in a line, and ends with 2', async (t) => {
  const run: RunRecording = () => Promise.reject(new CaptureError('tcpdump is not installed'));
  const { code, stdout, stderr } = await recordWith(run);
  t.is(code, 2);
  t.is(stdout, '');
  t.is(stderr, 'error: tcpdump is not installed\n');
});

test('an interrupt ends it with 130', async (t) => {
  let interrupt = (): void => undefined;
  const run: RunRecording = async (_options, events, signal) => {
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    interrupt();
    await aborted;
    events.failed('3.6.14/unicast', new RecordingError('interrupted'));
  };
  const { code, stdout } = await runHere(['record'], fakeEngine('ok'), {
    runRecording: run,
    onInterrupt: (handler) => {
      interrupt = handler;
      return () => undefined;
    },
  });
  t.is(code, 130);
  t.is(stdout, 'Interrupted: all peers were stopped.\n');
});
