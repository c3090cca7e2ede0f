import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** It throws if not all that is sent is delivered. */
test('bench:hot-path measures the codec and the stack', async (t) => {
  const args = ['--only', 'codec,stack', '--seconds', '0.02'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import=tsx', 'scripts/bench/hot-path.ts', ...args],
    { cwd: root, timeout: 60_000 },
  );
  t.regex(stdout, /1 MiB in fragments/);
});
