/** The stack files of Geode and JGroups as they are published. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import type { ExecutionContext } from 'ava';

import { GEODE_MULTICAST_STACK, GEODE_STACK, UDP_XML_STACK } from '../../src/jgroups/config.ts';
import { jgroupsConfigFromXml } from '../../src/jgroups/xml/config-from-xml.ts';
import { JGROUPS_VERSIONS, type JGroupsVersion, resolveJars } from '../../src/peers/maven.ts';
import { javaProgram } from '../../src/peers/programs.ts';
import { jvmTest } from './jvm.ts';

const GEODE_PATH = 'org/apache/geode/distributed/internal/membership/gms/messenger';

/** The text of a file in a jar of the class path. */
async function fileOfJar(
  t: ExecutionContext,
  version: JGroupsVersion,
  jar: RegExp,
  path: string,
): Promise<string> {
  const folder = dirname(await resolveJars(version));
  const name = readdirSync(folder).find((file) => jar.test(file)) ?? 'none';
  const scratch = mkdtempSync(join(tmpdir(), 'rollgate-jar-'));
  t.teardown(() => rmSync(scratch, { recursive: true }));
  const program = javaProgram('javac').replace(/javac$/, 'jar');
  await promisify(execFile)(program, ['xf', join(folder, name), path], { cwd: scratch, timeout: 30_000 });
  return readFileSync(join(scratch, path), 'utf8');
}

jvmTest("Geode's own stack files make Geode's stacks", async (t) => {
  const plain = await fileOfJar(t, '3.6.14', /^geode-membership-/, `${GEODE_PATH}/jgroups-config.xml`);
  const without = jgroupsConfigFromXml(plain, { gemfire: {} });
  t.deepEqual(without.config, GEODE_STACK);
  t.deepEqual([without.notRun, without.warnings], [[], []]);
  const text = await fileOfJar(t, '3.6.14', /^geode-membership-/, `${GEODE_PATH}/jgroups-mcast.xml`);
  const multicast = { address: '239.192.81.1', port: 10_334, ttl: 32, receiveBufferBytes: 1_048_576 };
  const gemfire = { 'mcast-port': '10334' };
  const { config, notRun, warnings } = jgroupsConfigFromXml(text, { gemfire });
  t.deepEqual(config, { ...GEODE_MULTICAST_STACK, multicast });
  t.deepEqual([notRun, warnings], [[], []]);
});

jvmTest("JGroups' own udp.xml makes its stack, in both versions", async (t) => {
  for (const version of JGROUPS_VERSIONS) {
    const text = await fileOfJar(t, version, /^jgroups-/, 'udp.xml');
    const { config, notRun, warnings } = jgroupsConfigFromXml(text);
    const multicast = { address: '228.8.8.8', port: 45_588, ttl: 4, receiveBufferBytes: 5_000_000 };
    t.deepEqual(config, { ...UDP_XML_STACK, multicast }, version);
    t.deepEqual(warnings, []);
    t.log(`${version}: not run: ${notRun.join(' ')}`);
    for (const name of ['PING', 'GMS', 'FD_SOCK', 'MERGE3']) t.true(notRun.includes(name));
  }
});
