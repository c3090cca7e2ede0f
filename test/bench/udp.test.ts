import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { jvmTest } from '../interop/jvm.ts';

/** The benchmark as a user starts it; that its figures mean anything is not to be seen in so few messages. */

const root = fileURLToPath(new URL('../../', import.meta.url));

jvmTest('bench:udp measures all sides and ends with one line of JSON', async (t) => {
  t.timeout(120_000);
  const args = ['--quick', '--only', 'oneway-1024', '--scale', '0.01', '--runs', '1', '--warm-up', '0'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import=tsx', 'scripts/bench/udp.ts', ...args, '--json'],
    { cwd: root, timeout: 100_000 },
  );
  const lines = stdout.trimEnd().split('\n');
  const { cases, more, met } = JSON.parse(lines.at(-1) ?? '') as {
    cases: Record<string, unknown>[];
    more: unknown[];
    met: unknown;
  };
  t.deepEqual(
    cases.map(({ name, target }) => [name, target]),
    [
      ['oneway-1024', 0.9],
      ['oneway-1024-raw', 0.85],
    ],
  );
  t.deepEqual(more, []);
  t.is(
    met,
    cases.every((one) => one['met']),
  );
  for (const { ours, jvm, raw, ratio, name, error } of cases) {
    t.is(error, undefined);
    for (const value of [ours, jvm, raw, ratio]) t.true(typeof value === 'number' && value > 0);
    const other = name === 'oneway-1024' ? jvm : raw;
    t.true(Math.abs(Number(ours) / Number(other) / Number(ratio) - 1) < 0.01);
  }
  t.regex(stdout, /^oneway-1024 +ours to JVM /m);
});
