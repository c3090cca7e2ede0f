import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';

import type { CliContext, RunRehearsal } from './context.ts';
import { readPackageVersion } from './package-version.ts';

/** Enough for the disk, and for the work of each to be small beside that of its frames. */
const INPUT_CHUNK_BYTES = 256 * 1024;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The command line's world as this process has it. */
export function processContext(runRehearsal: RunRehearsal): CliContext {
  return {
    args: process.argv.slice(2),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    version: readPackageVersion(),
    runRehearsal,
    runRecording: async (...args) => {
      const { record } = await import('../recording/record.ts');
      return record(...args);
    },
    openInput: (path, signal) =>
      path === '-'
        ? addAbortSignal(signal, process.stdin)
        : createReadStream(path, { signal, highWaterMark: INPUT_CHUNK_BYTES }),
    writeFile,
    nowMs: () => performance.now(),
    onInterrupt: (handler) => {
      for (const signal of SIGNALS) process.on(signal, handler);
      return () => {
        for (const signal of SIGNALS) process.off(signal, handler);
      };
    },
    exitNow: (code) => process.exit(code),
  };
}
