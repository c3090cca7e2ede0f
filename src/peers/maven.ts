import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { firstLine, JavaMissingError, javaProgram, javaVersion, run } from './programs.ts';

export const JGROUPS_VERSIONS = ['3.6.14', '3.6.20'] as const;
export type JGroupsVersion = (typeof JGROUPS_VERSIONS)[number];

/** A compiled peer and what it needs. */
export interface PeerProgram {
  readonly version: JGroupsVersion;
  readonly java: string;
  readonly classpath: string;
}

export interface PrepareOptions {
  /** Where artifacts and classes are kept. Default: `ROLLGATE_CACHE`, or `rollgate` in the user's cache folder. */
  readonly cacheFolder?: string;
  /** For Maven's downloads; a first resolve takes about 15 s. Default 60 s. */
  readonly timeoutMs?: number;
}

export type JavaProbe =
  | { readonly ok: true; readonly javaVersion: number; readonly program: PeerProgram }
  | { readonly ok: false; readonly reason: string };

/** Geode's membership class files (they run with both JGroups versions) and what they load at run time. */
const GEODE_VERSION = '1.15.1';
const GEODE_ARTIFACTS = ['geode-membership', 'geode-logging', 'geode-serialization'];
const LOG4J_VERSION = '2.17.2';
/** Maven's own default differs from release to release; this one works with Maven 3.2.5 and later. */
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
const COMPILE_TIMEOUT_MS = 60_000;
/** Of the peer that rehearsals and tests steer; from `src/`. */
export const PEER_SOURCES = 'peers/java';

export function isJGroupsVersion(version: string): version is JGroupsVersion {
  return (JGROUPS_VERSIONS as readonly string[]).includes(version);
}

/** Whether real peers can be had here; prepares them on the way, so that a start afterwards is quick. */
export async function probeJava(
  version: JGroupsVersion = '3.6.14',
  options: PrepareOptions = {},
): Promise<JavaProbe> {
  try {
    const java = await javaVersion();
    return { ok: true, javaVersion: java, program: await preparePeer(version, options) };
  } catch (error) {
    if (error instanceof JavaMissingError) return { ok: false, reason: error.message };
    return { ok: false, reason: `cannot prepare the Java peer: ${String(error)}` };
  }
}

/**
 * Resolves the artifacts and compiles the peer, both once per cache folder. Processes may do it at the same time.
 * @throws {JavaMissingError} if javac or mvn are missing, or Maven cannot resolve an artifact
 */
export async function preparePeer(
  version: JGroupsVersion,
  options: PrepareOptions = {},
): Promise<PeerProgram> {
  const jars = await resolveJars(version, options);
  const classes = await compileClasses(version, jars, await javaSources([PEER_SOURCES]), options);
  return { version, java: javaProgram('java'), classpath: [classes, jars].join(delimiter) };
}

/**
 * A class path with JGroups 3.6 and Geode's membership classes.
 * @throws {JavaMissingError} if mvn is missing or cannot resolve an artifact
 */
export async function resolveJars(version: JGroupsVersion, options: PrepareOptions = {}): Promise<string> {
  const pom = pomFor(version);
  const folder = await cached(options.cacheFolder ?? null, `jars-${version}-${digest([pom])}`, (draft) =>
    download(draft, pom, options.timeoutMs ?? 60_000),
  );
  return join(folder, '*');
}

/**
 * The folder with the compiled classes.
 * @param name of the result, for whoever looks into the cache
 * @param sources path to text, of `javaSources`
 * @throws {JavaMissingError} if javac is missing or finds fault
 */
export function compileClasses(
  name: string,
  classpath: string,
  sources: ReadonlyMap<string, string>,
  options: PrepareOptions = {},
): Promise<string> {
  return cached(
    options.cacheFolder ?? null,
    `classes-${name}-${digest([classpath, ...sources.values()])}`,
    (folder) => compile(folder, classpath, [...sources.keys()]),
  );
}

function defaultCacheFolder(): string {
  const own = process.env['ROLLGATE_CACHE'];
  if (own !== undefined && own !== '') return own;
  const xdg = process.env['XDG_CACHE_HOME'];
  return join(xdg === undefined || xdg === '' ? join(homedir(), '.cache') : xdg, 'rollgate');
}

/**
 * Made in a folder of its own and then renamed: whoever comes second takes what is there.
 * @param cacheFolder null: the default, as `PrepareOptions` has it
 */
export async function cached(
  cacheFolder: string | null,
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = cacheFolder ?? defaultCacheFolder();
  const target = join(cache, name);
  if (existsSync(target)) return target;
  const draft = join(cache, `.${name}-${randomBytes(6).toString('hex')}`);
  try {
    await makeFolders(draft);
    await make(draft);
    await rename(draft, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined); // the cause was thrown already
  }
  return target;
}

/** Folder by folder: node's own recursive way never ends where a parent refuses with ENOENT, as /proc does. */
async function makeFolders(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeFolders(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    if (existsSync(path)) return; // another process was quicker
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new JavaMissingError(
      `cannot make the folder ${path} (${code}): set ROLLGATE_CACHE to a folder that can be written`,
    );
  }
}

async function download(folder: string, pom: string, timeoutMs: number): Promise<void> {
  const pomFile = join(folder, 'pom.xml');
  await writeFile(pomFile, pom);
  const args = ['-q', '-B', '-f', pomFile, DEPENDENCY_PLUGIN, `-DoutputDirectory=${folder}`];
  const result = await run('mvn', args, timeoutMs);
  if (result.timedOut)
    throw new JavaMissingError(`mvn took longer than ${timeoutMs / 1000} s and was stopped`);
  if (result.exitCode !== 0) throw new JavaMissingError(`Maven could not resolve ${blame(result.output)}`);
}

/** Of Maven's lengthy complaint: the artifact and the cause. */
function blame(output: string): string {
  const line = firstLine(output, '[ERROR]')
    .replace(/ -> \[Help.*$/, '')
    .replace(/^.*rollgate:jgroups-peer:jar:1: /, '');
  const artifact = /(?:artifact|resolved:) ([\w.-]+:[\w.-]+):\w+:([\w.-]+)/.exec(line);
  const name = artifact === null ? 'the artifacts' : `${artifact[1] ?? ''}:${artifact[2] ?? ''}`;
  return `${name}: ${line}`;
}

async function compile(folder: string, classpath: string, sources: readonly string[]): Promise<void> {
  // -Xlint:-path: the jars' manifests name others that are not needed.
  const args = ['--release', '11', '-Xlint:-path', '-cp', classpath, '-d', folder, ...sources];
  const result = await run(javaProgram('javac'), args, COMPILE_TIMEOUT_MS);
  if (result.exitCode !== 0) {
    throw new JavaMissingError(`javac could not compile the peer: ${firstLine(result.output)}`);
  }
}

/** Path to text, in the order of the folders, which are given from `src/`. */
export async function javaSources(folders: readonly string[]): Promise<Map<string, string>> {
  // In the source tree, or beside the compiled code: the package has that in dist/ and the Java sources in src/.
  const roots = ['..', '../../../src'].map((path) => join(import.meta.dirname, path));
  const sources = new Map<string, string>();
  for (const name of folders) {
    const folder = roots.map((root) => join(root, name)).find((path) => existsSync(path));
    if (folder === undefined) {
      throw new JavaMissingError('the sources of the Java peer are not in this package');
    }
    for (const file of (await readdir(folder)).filter((entry) => entry.endsWith('.java')).sort()) {
      sources.set(join(folder, file), await readFile(join(folder, file), 'utf8'));
    }
  }
  return sources;
}

function digest(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:${text}`);
  return hash.digest('hex').slice(0, 12);
}

/** Without what the artifacts themselves depend on: a peer needs five jars of about forty. */
function pomFor(version: JGroupsVersion): string {
  const dependencies = [
    ['org.jgroups', 'jgroups', `${version}.Final`],
    ...GEODE_ARTIFACTS.map((artifact) => ['org.apache.geode', artifact, GEODE_VERSION]),
    ['org.apache.logging.log4j', 'log4j-api', LOG4J_VERSION],
  ].map(
    ([group, artifact, artifactVersion]) => `    <dependency>
      <groupId>${group ?? ''}</groupId>
      <artifactId>${artifact ?? ''}</artifactId>
      <version>${artifactVersion ?? ''}</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>rollgate</groupId>
  <artifactId>jgroups-peer</artifactId>
  <version>1</version>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}
