/** What docs/tls.md tells a reader to write is run here. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';

import { temporaryFolder } from './certificates.ts';
import { writeServerFiles } from './server-files.ts';

const markdown = readFileSync(fileURLToPath(new URL('../../docs/tls.md', import.meta.url)), 'utf8');
const library = new URL('../../src/index.ts', import.meta.url).href;

test('the examples of docs/tls.md make a messenger with TLS', async (t) => {
  const folder = temporaryFolder(t);
  writeServerFiles(folder);
  const snippets = [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, content]) => content ?? '');
  const modes: string[] = [];
  for (const snippet of snippets) {
    const program = snippet.replace("from 'rollgate'", `from ${JSON.stringify(library)}`);
    const file = join(folder, 'example.mts');
    writeFileSync(file, `${program}\nconsole.log(messenger.stats().tls?.mode);\n`);
    const args = [`--import=${import.meta.resolve('tsx')}`, file];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      cwd: folder,
      timeout: 60_000,
    });
    t.is(stderr, '');
    modes.push(stdout.trim());
  }
  t.deepEqual(modes, ['required', 'accept-both']);
});
