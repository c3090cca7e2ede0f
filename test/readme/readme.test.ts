import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';

import { OPTION_NAMES } from '../../src/check-create-options.ts';
import { createMessenger } from '../../src/index.ts';
import { createCounters } from '../../src/tcp/context.ts';
import { fakeReport } from '../cli/fixtures/fake-engine.ts';
import { runHere } from '../cli/program.ts';
import { writeServerFiles } from '../tls/server-files.ts';
import { UDP_LIKE } from '../unit/jgroups/xml/samples.ts';

/** What the documents tell a reader to do is done here. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const readme = read('README.md');

/** Contents of the fenced blocks in a language. */
function blocks(markdown: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  return [...markdown.matchAll(fence)].map(([, content]) => content ?? '');
}

/** Programs of the documents, each with the output that is shown next after it, or none. */
function programs(): { program: string; output: string }[] {
  return [readme, read('docs/api.md')].flatMap(programsOf);
}

function programsOf(markdown: string): { program: string; output: string }[] {
  return markdown
    .split(/^(?=```js\n)/m)
    .map((part) => ({ program: blocks(part, 'js')[0] ?? '', output: blocks(part, 'text')[0] ?? '' }))
    .filter(({ program }) => program !== '');
}

test('the library examples run as they stand, and print what the documents say', async (t) => {
  t.is(programs().length, 6);
  t.is(blocks(readme, 'ts').length, 0, 'only programs that are run here');
  const folder = mkdtempSync(join(tmpdir(), 'rollgate-readme-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'udp.xml'), UDP_LIKE);
  writeServerFiles(folder);
  const library = pathToFileURL(join(root, 'src/index.ts')).href;
  const sorted = (text: string): string[] => text.trimEnd().split('\n').sort();
  for (const { program, output } of programs()) {
    const file = join(folder, 'example.mjs');
    writeFileSync(file, program.replace("from 'rollgate'", `from ${JSON.stringify(library)}`));
    const tsx = `--import=${import.meta.resolve('tsx')}`;
    const options = { cwd: folder, timeout: 60_000 };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [tsx, file], options);
    t.deepEqual(sorted(stdout), sorted(output));
    // udp.xml asks for 5 MB, and how much there may be is up to the machine
    t.is(stderr.replace(/^warning: UDP receive buffer: .*\n/gm, ''), '');
  }
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

test('the page of the API has every option, counter and method', (t) => {
  const page = read('docs/api.md');
  const messenger = createMessenger({ host: '127.0.0.1', cluster: 'demo', member: { version: 200 } });
  const counters = Object.keys(createCounters());
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(messenger));
  const names = [...OPTION_NAMES, ...counters, ...methods.filter((name) => name !== 'constructor')];
  t.true(names.length > 60);
  for (const name of names) t.regex(page, new RegExp(`[\`.]${name}[\`(]`), name);
});
