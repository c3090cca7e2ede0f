import type { CliContext, RunRehearsal } from './context.ts';
import { readPackageVersion } from './package-version.ts';

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
