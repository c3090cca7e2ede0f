/** Kinds of errors that no wrong usage and no missing thing brings up: they are ours. */
const OUR_FAULTS = new Set(['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError', 'InvariantError']);

/**
 * An error as a user reads it: one line that says what is wrong, and what to do where it is our fault.
 * @param withStack adds where it came up, and what caused it
 */
export function describeError(error: unknown, withStack: boolean): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  const isOurs = OUR_FAULTS.has(error.name);
  const line = `error: ${isOurs ? 'a bug in rollgate: ' : ''}${error.message.split('\n')[0] ?? ''}`;
  if (withStack) return `${line}\n${stackOf(error)}`;
  return isOurs ? `${line} (run it again with --debug and report what it prints)` : line;
}

function stackOf(error: Error): string {
  const stack = error.stack ?? error.name;
  return error.cause instanceof Error ? `${stack}\ncaused by ${stackOf(error.cause)}` : stack;
}
