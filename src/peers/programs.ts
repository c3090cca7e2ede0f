import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Java, Maven or an artifact cannot be had; the message is one line for a user. */
export class JavaMissingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JavaMissingError';
  }
}

export interface RunResult {
  /** Null if it was ended by a signal. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Standard output and error, without colours. */
  readonly output: string;
}

/** Output kept of one program; Maven's with -q is a few lines. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const LEAST_JAVA = 11;

/** `java` or `javac`: JAVA_HOME's, as Maven takes it, or the one on PATH. */
export function javaProgram(name: 'java' | 'javac'): string {
  const home = process.env['JAVA_HOME'];
  const inHome = home === undefined || home === '' ? '' : join(home, 'bin', name);
  return inHome !== '' && existsSync(inHome) ? inHome : name;
}

/**
 * Runs a program to its end.
 * @throws {JavaMissingError} if it is not on PATH
 */
export function run(program: string, args: readonly string[], timeoutMs: number): Promise<RunResult> {
  const options = { timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES, killSignal: 'SIGKILL' as const };
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error !== null && 'code' in error && typeof error.code === 'string') {
        const reason = error.code === 'ENOENT' ? 'not found on PATH' : `cannot be run (${error.code})`;
        reject(new JavaMissingError(`${program} ${reason}`));
        return;
      }
      const output = stripVTControlCharacters(`${stdout}\n${stderr}`);
      resolve({ exitCode: child.exitCode, timedOut: error?.killed === true, output });
    });
  });
}

/**
 * The feature release of the Java that will be used, such as 17.
 * @throws {JavaMissingError} if there is none, or none that is new enough
 */
export async function javaVersion(): Promise<number> {
  const { exitCode, output } = await run(javaProgram('java'), ['-version'], 20_000);
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  if (exitCode !== 0 || match?.[1] === undefined) {
    throw new JavaMissingError(`java -version failed: ${firstLine(output)}`);
  }
  const version = Number(match[1]);
  if (version < LEAST_JAVA) {
    throw new JavaMissingError(`java ${version} is too old: ${LEAST_JAVA} or later is needed`);
  }
  return version;
}

/** The first line that says something, cut to the length of a few lines. */
export function firstLine(output: string, beginning = ''): string {
  const lines = output.split('\n').map((line) => line.trim());
  const line = lines.find((candidate) => candidate !== '' && candidate.startsWith(beginning));
  return (line ?? 'it said nothing').slice(beginning.length, beginning.length + 600).trim();
}
