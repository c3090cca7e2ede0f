import { existsSync } from 'node:fs';
import { basename, delimiter } from 'node:path';

import {
  compileClasses,
  javaSources,
  type JGroupsVersion,
  PEER_SOURCES,
  type PrepareOptions,
  resolveJars,
} from '../peers/maven.ts';
import { JavaMissingError, javaProgram, javaVersion } from '../peers/programs.ts';
import type { PeerVersion } from './script.ts';

/** How to start the peers of one version. */
export interface RecordingProgram {
  readonly java: string;
  readonly classpath: string;
}

/** Debian's; it is on no other wire than the 2.12.2 of 2011. */
const JGROUPS_2_12 = '/usr/share/java/jgroups-2.12.2.Final.jar';
/** From `src/`. */
const COMMON_SOURCES = 'recording/java/common';
/** What the 2.12 peer shares with the one of 3.6, which needs classes that 2.12 does not have. */
const SHARED_WITH_2_12 = new Set(['Json.java', 'Events.java']);

/**
 * Resolves, compiles, or takes from the cache.
 * @throws {JavaMissingError} in one line for a user
 */
export async function prepareProgram(
  version: PeerVersion,
  options: PrepareOptions = {},
): Promise<RecordingProgram> {
  await javaVersion();
  const own = await javaSources([
    COMMON_SOURCES,
    `recording/java/${version.slice(0, version.lastIndexOf('.'))}`,
  ]);
  const shared = await javaSources([PEER_SOURCES]);
  if (version === '2.12.2') {
    for (const file of shared.keys()) if (!SHARED_WITH_2_12.has(basename(file))) shared.delete(file);
  }
  const jars = version === '2.12.2' ? jarOf212() : await jarsOf36(version, options);
  const sources = new Map([...shared, ...own]);
  const classes = await compileClasses(`recording-${version}`, jars, sources, options);
  return { java: javaProgram('java'), classpath: [classes, jars].join(delimiter) };
}

function jarsOf36(version: JGroupsVersion, options: PrepareOptions): Promise<string> {
  return resolveJars(version, options);
}

function jarOf212(): string {
  const jar = process.env['ROLLGATE_JGROUPS_2_12_JAR'] ?? JGROUPS_2_12;
  if (!existsSync(jar)) {
    throw new JavaMissingError(
      `JGroups 2.12.2 is not installed: no ${jar} (Debian: apt-get install libjgroups-java)`,
    );
  }
  return jar;
}
