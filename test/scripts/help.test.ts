import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import test from 'ava';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function npmRun(script: string, ...args: string[]) {
  return spawnSync('npm', ['run', '--silent', script, '--', ...args], { cwd: ROOT, encoding: 'utf8' });
}

const BENCHES = ['bench:udp', 'bench:tcp', 'bench:decode', 'bench:hot-path'];

for (const script of ['hostile', 'cuts', 'conformance', 'sim', 'fuzz', ...BENCHES]) {
  test(`npm run ${script} explains itself, and an option that it has not`, (t) => {
    const help = npmRun(script, '--help');
    t.is(help.status, 0);
    t.regex(help.stdout, new RegExp(`^npm run ${script} -- \\[options\\]`));
    t.regex(help.stdout, /--help /);
    const wrong = npmRun(script, '--nope');
    t.is(wrong.status, 2);
    t.regex(wrong.stderr, /'--nope'/);
    t.notRegex(wrong.stderr, /\n +at /, 'no stack trace');
  });
}

for (const [script, option, value] of [
  ['conformance', '--jobs', 'x'],
  ['conformance', '--only', 'no such cell'],
  ['hostile', '--rounds', 'x'],
  ['hostile', '--only', 'no such attack'],
  ['cuts', '--cuts', 'x'],
  ['sim', '--seeds', 'x'],
  ['sim', '--seed', '-5'],
  ['fuzz', '--target', 'no such target'],
  ['fuzz', '--inputs', '-5'],
  ['cuts', '--cuts', '-5'],
  ['cuts', '--pairs', '-5'],
  ['hostile', '--window-ms', '-5'],
  ['conformance', '--jobs', '0'],
  ['bench:udp', '--runs', '-5'],
  ['bench:tcp', '--scale', '-1.5'],
  ['bench:decode', '--megabytes', 'x'],
  ['bench:hot-path', '--only', 'no such part'],
  ['bench:hot-path', '--seconds', '-1'],
] as const) {
  test(`npm run ${script} -- ${option} '${value}' is refused in one line, and nothing is run`, (t) => {
    const wrong = npmRun(script, option, value);
    t.is(wrong.status, 2);
    t.regex(wrong.stderr, new RegExp(`${option}.*${value}.*see --help`));
    t.is(wrong.stderr.trimEnd().split('\n').length, 1);
    t.notRegex(wrong.stdout, /0 failed/);
  });
}

for (const script of ['bench:udp', 'bench:tcp']) {
  test(`npm run ${script} -- --help says what each of its cases is`, (t) => {
    const { stdout: help } = npmRun(script, '--help');
    const list = npmRun(script, '--list').stdout.trimEnd().split('\n');
    t.true(list.length >= 13);
    for (const line of list) {
      const name = line.split(' ')[0] ?? '';
      t.regex(help, new RegExp(`^  (?:\\S+, )*${name}(?:, \\S+)*(?: {2,}\\S|\\n {10,}\\S)`, 'm'), name);
    }
  });
}

test('what a number has to be is said', (t) => {
  const negative = npmRun('cuts', '--cuts', '-5');
  t.is(negative.stderr, "--cuts wants a whole number of at least 0, not '-5'; see --help\n");
});

test('an option without its value, at the end and before another option', (t) => {
  for (const args of [['--cuts'], ['--cuts', '--tls'], ['--tls', '--cuts', '-x']]) {
    const wrong = npmRun('cuts', ...args);
    t.is(wrong.status, 2);
    t.is(wrong.stderr, '--cuts wants a value; see --help\n');
  }
});
