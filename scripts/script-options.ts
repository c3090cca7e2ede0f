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
    console.error(`${error instanceof Error ? error.message.split('.')[0] : String(error)}; see --help`);
    process.exit(2);
  }
}
