#!/usr/bin/env node
import { ExitCode } from './exit-code.ts';
import { processContext } from './process-context.ts';
import { runCli } from './program.ts';

// `rollgate --help | head` closes our standard output early, which is nobody's fault
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`error: standard output cannot be written: ${error.message}\n`);
  process.exit(ExitCode.usage);
});

process.exitCode = await runCli(
  processContext(async (...args) => {
    // loaded when it is needed: --help and a mistyped flag answer at once
    const { runRehearsal } = await import('../rehearsal/rehearsal.ts');
    return runRehearsal(...args);
  }),
);
