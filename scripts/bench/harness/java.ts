import { compileClasses, javaSources, PEER_SOURCES, resolveJars } from '../../../src/peers/maven.ts';
import { javaProgram } from '../../../src/peers/programs.ts';
import { BenchProcess } from './bench-process.ts';

const VERSION = '3.6.14';
const BENCH_SOURCES = '../scripts/bench/java';
/** As PEERS section 6 has them: what its figures were measured with. */
const JVM_FLAGS = ['-Xms512m', '-Xmx1g', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true'];
/** Without log4j-core its API complains. */
const LOG_FLAG = '-Dlog4j2.loggerContextFactory=org.apache.logging.log4j.simple.SimpleLoggerContextFactory';

let classpath: Promise<string> | null = null;

/** @throws {JavaMissingError} if Java, Maven or an artifact cannot be had */
function benchClasspath(): Promise<string> {
  classpath ??= (async () => {
    const jars = await resolveJars(VERSION, { timeoutMs: 240_000 });
    const sources = await javaSources([PEER_SOURCES, BENCH_SOURCES]);
    return `${await compileClasses(`bench-${VERSION}`, jars, sources)}:${jars}`;
  })();
  return classpath;
}

/**
 * A real JGroups member.
 * @throws {JavaMissingError} if Java, Maven or an artifact cannot be had
 */
export async function startJvm(name: string, args: readonly string[]): Promise<BenchProcess> {
  const flags = [...JVM_FLAGS, LOG_FLAG, '-cp', await benchClasspath()];
  return BenchProcess.start(name, javaProgram('java'), [...flags, 'BenchPeer', ...args]);
}
