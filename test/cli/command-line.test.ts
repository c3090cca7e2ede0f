import { readFileSync } from 'node:fs';

import test from 'ava';

import type { RunRehearsal } from '../../src/cli/context.ts';
import type { RehearsalOptions } from '../../src/rehearsal/types.ts';
import { fakeReport } from './fixtures/fake-engine.ts';
import { fakeRollgate, rollgate, runHere } from './program.ts';

/** The program as a user meets it: started as a process, judged by its output and exit code. */

const lines = (text: string): string[] => text.trimEnd().split('\n');

test('--help names the commands, the options, examples and the exit codes', async (t) => {
  const { code, stdout, stderr } = await rollgate('--help');
  t.is(code, 0);
  t.is(stderr, '');
  for (const word of ['rehearse', '--log-level', '--no-color', '--debug', 'Examples:', 'Exit codes:']) {
    t.true(stdout.includes(word), word);
  }
});

test('rehearse --help has every option, fits 80 columns and names the exit codes', async (t) => {
  const { code, stdout } = await rollgate('rehearse', '--help');
  t.is(code, 0);
  const options = ['members', 'rate', 'size', 'loss', 'duplicate', 'reorder', 'kill', 'old', 'old-version'];
  for (const option of [...options, 'seed', 'json', 'no-color', 'debug', 'log-level']) {
    t.true(stdout.includes(`--${option} `), option);
  }
  t.true(stdout.includes('Exit codes:'));
  t.deepEqual(
    lines(stdout).filter((line) => line.length > 80),
    [],
  );
});

test('--version is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const { code, stdout } = await rollgate('--version');
  t.is(code, 0);
  t.is(stdout, `${version}\n`);
});

test('without a command the help comes on standard error, and the exit code is that of wrong usage', async (t) => {
  const { code, stdout, stderr } = await rollgate();
  t.is(code, 2);
  t.is(stdout, '');
  t.true(stderr.includes('Usage: rollgate'));
});

const wrong: readonly (readonly [string, string])[] = [
  ['rehears', "error: unknown command 'rehears'\n(Did you mean rehearse?)"],
  ['rehearse --memebrs 3', "error: unknown option '--memebrs'\n(Did you mean --members?)"],
  [
    'rehearse --loss 5',
    "error: option '--loss <probability>' argument '5' is invalid: give a probability from 0 to 0.5, such as 0.05",
  ],
];

for (const [args, message] of wrong) {
  test(`rollgate ${args}: says what is wrong and ends with 2`, async (t) => {
    const { code, stdout, stderr } = await rollgate(...args.split(' '));
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.includes(message), stderr);
  });
}

test('the help of a command that there is not is an error, that of one that there is is not', async (t) => {
  const unknown = await runHere(['help', 'nope']);
  t.is(unknown.code, 2);
  t.regex(unknown.stderr, /^error: unknown command 'nope'\n/);
  t.is(unknown.stdout, '');
  const known = await runHere(['help', 'replay']);
  t.is(known.code, 0);
  t.regex(known.stdout, /Usage: rollgate replay/);
});

test('every option refuses what it cannot take, in plain words', async (t) => {
  const refused: readonly (readonly [string, string])[] = [
    ['now', "error: too many arguments for 'rehearse'. Expected 0 arguments but got 1."],
    ['--frob', "error: unknown option '--frob'"],
    ['--members 1', "'1' is invalid: give a number of members from 2 to 20"],
    ['--members 21', "'21' is invalid: give a number of members from 2 to 20"],
    ['--members four', "'four' is invalid: give a number of members from 2 to 20"],
    ['--members', "error: option '--members <number>' argument missing"],
    ['--rate 0', "'0' is invalid: give a number of messages a second from 1 to 100000"],
    ['--size 35', "'35' is invalid: give a number of bytes from 36 to 16777216"],
    ['--size 1e3', "'1e3' is invalid: give a number of bytes from 36 to 16777216"],
    ['--loss 5%', "'5%' is invalid: give a probability from 0 to 0.5, such as 0.05"],
    ['--duplicate=-0.1', "'-0.1' is invalid: give a probability from 0 to 0.5, such as 0.05"],
    ['--reorder 0.51', "'0.51' is invalid: give a probability from 0 to 0.5, such as 0.05"],
    ['--old tomcat', "'tomcat' is invalid: give jvm, embedded or auto"],
    ['--old-version 3.6.15', "'3.6.15' is invalid: give 3.6.14 or 3.6.20"],
    ['--seed 1.5', "'1.5' is invalid: give a whole number from 0 to 4294967295"],
    ['--seed 4294967296', "'4294967296' is invalid: give a whole number from 0 to 4294967295"],
    ['--log-level loud', "'loud' is invalid: give error, warn, info or debug"],
  ];
  for (const [args, message] of refused) {
    const { code, stdout, stderr } = await runHere(['rehearse', ...args.split(' ')]);
    t.is(code, 2, args);
    t.is(stdout, '', args);
    t.true(stderr.includes(message), stderr);
  }
});

test('the options reach the rehearsal, limits included', async (t) => {
  const runs: RehearsalOptions[] = [];
  const engine: RunRehearsal = (options) => {
    runs.push(options);
    return Promise.resolve(fakeReport());
  };
  const args =
    'rehearse --members 20 --rate 100000 --size 16777216 --loss 0.5 --duplicate .02 --reorder 0 --kill ' +
    '--old jvm --old-version 3.6.20 --seed 4294967295';
  t.is((await runHere(args.split(' '), engine)).code, 0);
  t.deepEqual(runs, [
    {
      members: 20,
      rate: 100_000,
      size: 16_777_216,
      loss: 0.5,
      duplicate: 0.02,
      reorder: 0,
      kill: true,
      old: 'jvm',
      oldVersion: '3.6.20',
      seed: 4_294_967_295,
    },
  ]);
});

test('an interrupt that comes twice ends the program at once', async (t) => {
  let interrupt: () => void = () => t.fail('nobody listens');
  const exits: number[] = [];
  const engine: RunRehearsal = (_options, _events, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        interrupt();
        reject(new Error('aborted'));
      });
      interrupt();
    });
  const { code, stdout } = await runHere(['rehearse'], engine, {
    onInterrupt: (handler) => {
      interrupt = handler;
      return () => undefined;
    },
    exitNow: (exitCode) => exits.push(exitCode),
  });
  t.deepEqual(exits, [130]);
  t.is(code, 130);
  t.true(stdout.includes('Interrupted'));
});

test('a rehearsal into a pipe: plain lines, the report, exit code 0', async (t) => {
  const { code, stdout, stderr } = await fakeRollgate('ok', ['rehearse', '--seed', '42']);
  t.is(code, 0);
  t.deepEqual(lines(stdout)[0], 'Upgrade rehearsal: 4 members, 200 messages/s each, 1 KiB, seed 42');
  t.regex(stdout, /^ +\d+\.\d s {2}old members are embedded ones/m);
  t.regex(stdout, /^ +\d+\.\d s {3}47% {2}upgrading m2 \(2 of 4\)/m);
  t.regex(
    stdout,
    /PASSED {2}Nothing was lost, duplicated or reordered\.\n +Not delivered .*\n +UDP was retired 12\.3 s/,
  );
  t.false(stdout.includes('\u001B'));
  t.regex(stderr, /^\d\d:\d\d:\d\d warn: m3\(127\.0\.0\.1:41003\): a datagram of 3 bytes is too short\n$/);
});

test('a seed is drawn and shown where none is given', async (t) => {
  const runs = await Promise.all([fakeRollgate('ok', ['rehearse']), fakeRollgate('ok', ['rehearse'])]);
  const seeds = runs.map(({ stdout }) => /, seed (\d+)$/m.exec(stdout)?.[1]);
  t.truthy(seeds[0]);
  t.not(seeds[0], seeds[1]);
});

test('a broken contract: exit code 1, what went wrong, and how to repeat it', async (t) => {
  const args = ['rehearse', '--seed', '7', '--loss', '0.05', '--kill'];
  const { code, stdout } = await fakeRollgate('broken', args);
  t.is(code, 1);
  t.true(stdout.includes('FAILED  The contract was broken: 3 lost.\n'));
  t.true(stdout.includes('- 3 messages from m1 to m2 were never delivered\n'));
  t.is(
    lines(stdout).at(-1)?.trim(),
    'rollgate rehearse --members 4 --rate 200 --size 1024 --loss 0.05 --kill ' +
      '--old embedded --old-version 3.6.14 --seed 7',
  );
});

test('--json: one object on standard output, all else on standard error', async (t) => {
  const { code, stdout, stderr } = await fakeRollgate('broken', ['rehearse', '--json', '--seed', '7']);
  t.is(code, 1);
  t.is(lines(stdout).length, 1);
  const report = JSON.parse(stdout) as Record<string, unknown>;
  t.deepEqual(Object.keys(report), [
    'oldPeers',
    'oldVersion',
    'members',
    'sent',
    'delivered',
    'lost',
    'duplicated',
    'reordered',
    'corrupt',
    'memberLeft',
    'udpRetired',
    'udpRetiredAtMs',
    'bytesUdp',
    'bytesTcp',
    'durationMs',
    'ok',
    'problems',
    'seed',
  ]);
  t.is(report['lost'], 3);
  t.is(report['udpRetiredAtMs'], null);
  t.is(report['seed'], 7);
  t.true(stderr.includes('FAILED'));
});

test('a failure is one line; its stack comes with --debug only', async (t) => {
  const { code, stderr } = await fakeRollgate('fails', ['rehearse', '--log-level', 'error']);
  t.is(code, 2);
  t.is(stderr, 'error: mvn could not be started\n');
  const debug = await fakeRollgate('fails', ['--debug', 'rehearse', '--log-level', 'error']);
  t.is(debug.code, 2);
  t.regex(debug.stderr, /^error: mvn could not be started\nError: .*\n +at /);
  t.regex(debug.stderr, /^caused by Error: ENOENT$/m);
});

test('a bug of ours says so, and what to do', async (t) => {
  const { code, stderr } = await fakeRollgate('buggy', ['rehearse', '--log-level', 'error']);
  t.is(code, 2);
  t.is(
    stderr,
    'error: a bug in rollgate: x is not a function (run it again with --debug and report what it prints)\n',
  );
});

test('--log-level lets more through', async (t) => {
  const { stderr } = await fakeRollgate('ok', ['rehearse', '--log-level', 'info']);
  t.true(stderr.includes(' info: an unimportant thing\n'));
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends a rehearsal in order, with 130 and no report`, async (t) => {
    let isSent = false;
    const { code, stdout } = await fakeRollgate('hangs', ['rehearse', '--json'], (child, output) => {
      if (isSent || !output.includes('upgrading m2')) return;
      isSent = true;
      child.kill(signal);
    });
    t.is(code, 130);
    t.is(stdout, '');
  });
}
