import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * Options of a script that is started by hand. `--help` prints `help` and ends; an option that is none is told in one
 * line, with exit code 2.
 */
export function scriptOptions<const T extends Options>(
  help: string,
  options: T,
): ReturnType<typeof parseArgs<{ options: T }>>['values'] {
  if (process.argv.slice(2).includes('--help')) {
    console.log(help);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error instanceof Error ? (error.message.split(/[.\n]/)[0] ?? '') : String(error));
  }
}

/** Ends for an option that cannot work. */
export function refuse(message: string): never {
  console.error(`${message}; see --help`);
  process.exit(2);
}

/** Of an option; ends if it is none. */
export function wholeNumber(name: string, text: string, least = 0): number {
  const value = Number(text);
  if (text !== '' && Number.isSafeInteger(value) && value >= least) return value;
  return refuse(`--${name} must be a whole number from ${least}, not '${text}'`);
}
