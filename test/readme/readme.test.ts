import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';

import { fakeReport } from '../cli/fixtures/fake-engine.ts';
import { runHere } from '../cli/program.ts';

/** What the documents tell a reader to do is done here. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const readme = read('README.md');

/** Contents of the fenced blocks in a language. */
function blocks(markdown: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  return [...markdown.matchAll(fence)].map(([, content]) => content ?? '');
}

test('the library example prints what the README says', async (t) => {
  const example = blocks(readme, 'js').find((block) => block.includes("from 'rollgate'")) ?? '';
  const expected = blocks(readme, 'text').at(-1) ?? '';
  t.true(example !== '' && expected !== '');
  const folder = mkdtempSync(join(tmpdir(), 'rollgate-readme-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'example.mjs');
  const library = pathToFileURL(join(root, 'src/index.ts')).href;
  writeFileSync(file, example.replace("from 'rollgate'", `from ${JSON.stringify(library)}`));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import=tsx', file], {
    cwd: root,
    timeout: 60_000,
  });
  const sorted = (text: string): string[] => text.trimEnd().split('\n').sort();
  t.deepEqual(sorted(stdout), sorted(expected));
  t.is(stderr, '');
});

test('every rehearsal that the README shows is a valid command', async (t) => {
  const commands = readme
    .split('\n')
    .map((line) => /^(?:npm start --|npx --no-install rollgate rehearse) (.*)$/.exec(line)?.[1])
    .filter((args) => args !== undefined);
  t.true(commands.length >= 7);
  for (const args of commands) {
    const engine = () => Promise.resolve(fakeReport());
    const { code, stderr } = await runHere(['rehearse', ...args.split(' ')], engine);
    t.is(code, 0, `${args}: ${stderr}`);
  }
});

test('npm scripts and files that the documents name exist, and so do the targets of their links', (t) => {
  const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
  const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
  for (const document of documents) {
    const text = read(document);
    for (const [, script] of text.matchAll(/npm run ([\w:-]+)/g)) {
      t.true(Object.hasOwn(scripts, script ?? ''), `${document}: npm run ${script ?? ''}`);
    }
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      t.true(existsSync(join(root, dirname(document), target ?? '')), `${document} links to ${target ?? ''}`);
    }
    for (const [, path] of text.matchAll(/`((?:src|codecs|test)\/[\w./-]*)`/g)) {
      t.true(existsSync(join(root, path ?? '')), `${document} names ${path ?? ''}`);
    }
  }
});

test('the line of the README that says which Node is needed is that of package.json', (t) => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  t.true(readme.includes(`Node ${engines.node.replace('>=', '')} or newer`));
});
