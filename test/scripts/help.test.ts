import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import test from 'ava';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function npmRun(script: string, ...args: string[]) {
  return spawnSync('npm', ['run', '--silent', script, '--', ...args], { cwd: ROOT, encoding: 'utf8' });
}

for (const script of ['hostile', 'cuts', 'conformance', 'sim', 'fuzz', 'bench:udp', 'bench:tcp']) {
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
  ['fuzz', '--target', 'no such target'],
] as const) {
  test(`npm run ${script} -- ${option} '${value}' is refused in one line, and nothing is run`, (t) => {
    const wrong = npmRun(script, option, value);
    t.is(wrong.status, 2);
    t.regex(wrong.stderr, new RegExp(`${option}.*${value}.*see --help`));
    t.notRegex(wrong.stderr, /\n +at /, 'no stack trace');
    t.notRegex(wrong.stdout, /0 failed/);
  });
}
