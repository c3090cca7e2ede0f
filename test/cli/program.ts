import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { CliContext, RunRehearsal } from '../../src/cli/context.ts';
import { runCli } from '../../src/cli/program.ts';
import { fakeEngine, type FakeOutcome } from './fixtures/fake-engine.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program as a user starts it. */
export function rollgate(...args: string[]): Promise<Ended> {
  return ended(start(path('../../src/cli/rollgate.ts'), args, {}));
}

/** The same with a made-up rehearsal. @param whileRunning is called with each piece of output */
export function fakeRollgate(
  outcome: FakeOutcome,
  args: readonly string[],
  whileRunning: (child: ChildProcess, output: string) => void = () => undefined,
): Promise<Ended> {
  const child = start(path('fixtures/fake-rollgate.ts'), args, { FAKE_ENGINE: outcome });
  return ended(child, whileRunning);
}

/** The command line in this process: quicker, for what no process is needed. */
export async function runHere(
  args: readonly string[],
  runRehearsal: RunRehearsal = fakeEngine('ok'),
  changes: Partial<CliContext> = {},
): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  const code = await runCli({
    args,
    env: {},
    stdout: { write: (text) => (output.stdout += text) },
    stderr: { write: (text) => (output.stderr += text) },
    version: '0.0.0',
    runRehearsal,
    runRecording: () => Promise.reject(new Error('nothing is recorded here')),
    writeFile,
    openInput: (file) => createReadStream(file),
    nowMs: () => 0,
    onInterrupt: () => () => undefined,
    exitNow: () => undefined,
    ...changes,
  });
  return { code, ...output };
}

function start(script: string, args: readonly string[], env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, ['--import=tsx', script, ...args], {
    // started by hand, not by an npm script
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function ended(
  child: ChildProcess,
  whileRunning: (child: ChildProcess, output: string) => void = () => undefined,
): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      whileRunning(child, output.stdout + output.stderr);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
}
