import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { isJGroupsVersion, probeJava } from '../../src/peers/maven.ts';

/** Programs of our own on PATH stand for Java and Maven: nothing is downloaded here. */
const JAVA = `echo 'openjdk version "17.0.9" 2023-10-17' >&2`;
const JAVAC = `while [ "$1" != -d ]; do shift; done; echo class > "$2/RollgatePeer.class"`;
const MVN = `echo run >> "$ROLLGATE_TEST_LOG"; for last; do :; done; echo jar > "\${last#*=}/some.jar"`;

let folder = '';
let bin = '';
let cacheFolder = '';

test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollgate-maven-'));
  [bin, cacheFolder] = [await mkdtemp(join(folder, 'bin-')), join(folder, 'cache')];
  process.env['PATH'] = `${bin}:/usr/bin/none`;
  process.env['ROLLGATE_TEST_LOG'] = join(folder, 'log');
  delete process.env['JAVA_HOME'];
});

test.afterEach.always(() => rm(folder, { recursive: true, force: true }));

async function install(programs: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
}

test.serial('what is missing is said in one line', async (t) => {
  t.deepEqual(await probeJava('3.6.14', { cacheFolder }), { ok: false, reason: 'java not found on PATH' });
  await install({ java: JAVA });
  t.deepEqual(await probeJava('3.6.14', { cacheFolder }), { ok: false, reason: 'mvn not found on PATH' });
  await install({ mvn: MVN });
  t.deepEqual(await probeJava('3.6.14', { cacheFolder }), { ok: false, reason: 'javac not found on PATH' });
  await install({ java: `echo 'java version "1.8.0_392"' >&2` });
  t.deepEqual(await probeJava('3.6.14', { cacheFolder }), {
    ok: false,
    reason: 'java 8 is too old: 11 or later is needed',
  });
});

test.serial("Maven's complaint is cut down to the artifact and the cause", async (t) => {
  const complaint =
    '[ERROR] Failed to execute goal on project jgroups-peer: Could not resolve dependencies for project ' +
    'rollgate:jgroups-peer:jar:1: Could not find artifact org.jgroups:jgroups:jar:3.6.14.Final in central -> [Help 1]';
  await install({ java: JAVA, javac: JAVAC, mvn: `echo '${complaint}'; echo '[ERROR] more'; exit 1` });
  t.deepEqual(await probeJava('3.6.14', { cacheFolder }), {
    ok: false,
    reason:
      'Maven could not resolve org.jgroups:jgroups:3.6.14.Final: ' +
      'Could not find artifact org.jgroups:jgroups:jar:3.6.14.Final in central',
  });
  t.deepEqual(await readdir(cacheFolder), [], 'nothing half made is left');
});

test.serial('a Maven that hangs is stopped', async (t) => {
  await install({ java: JAVA, javac: JAVAC, mvn: 'exec /bin/sleep 60' });
  t.deepEqual(await probeJava('3.6.14', { cacheFolder, timeoutMs: 200 }), {
    ok: false,
    reason: 'mvn took longer than 0.2 s and was stopped',
  });
});

test.serial('made once per version, also by several at once', async (t) => {
  await install({ java: JAVA, javac: JAVAC, mvn: MVN });
  const results = await Promise.all(Array.from({ length: 4 }, () => probeJava('3.6.14', { cacheFolder })));
  t.true(results.every((result) => result.ok));
  t.is(new Set(results.map((result) => (result.ok ? result.program.classpath : ''))).size, 1);
  const runs = (await readFile(join(folder, 'log'), 'utf8')).length;
  t.true((await probeJava('3.6.14', { cacheFolder })).ok);
  t.is((await readFile(join(folder, 'log'), 'utf8')).length, runs, 'taken from the cache');
  t.true((await probeJava('3.6.20', { cacheFolder })).ok);
  const made = await readdir(cacheFolder);
  t.deepEqual(made.map((name) => name.replace(/-[^-]*$/, '')).sort(), [
    'classes-3.6.14',
    'classes-3.6.20',
    'jars-3.6.14',
    'jars-3.6.20',
  ]);
});

test('versions', (t) => {
  t.true(isJGroupsVersion('3.6.20'));
  t.false(isJGroupsVersion('3.6.15'));
});
