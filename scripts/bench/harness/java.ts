import { compileClasses, javaSources, PEER_SOURCES, resolveJars } from '../../../src/peers/maven.ts';

const VERSION = '3.6.14';
const BENCH_SOURCES = '../scripts/bench/java';

let classpath: Promise<string> | null = null;

/** @throws {JavaMissingError} if Java, Maven or an artifact cannot be had */
export function benchClasspath(): Promise<string> {
  classpath ??= (async () => {
    const jars = await resolveJars(VERSION, { timeoutMs: 240_000 });
    const sources = await javaSources([PEER_SOURCES, BENCH_SOURCES]);
    return `${await compileClasses(`bench-${VERSION}`, jars, sources)}:${jars}`;
  })();
  return classpath;
}
