import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/**
 * Options of a script that is started by hand. `--help` prints `help` and ends; an option that is none is told in one
 * line, with exit code 2.
 */
export function scriptOptions<const T extends Options>(help: string, options: T): Values<T> {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    console.log(help);
    process.exit(0);
  }
  try {
    return parseScriptArgs(args, options);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/**
 * As `parseArgs`, but that errors are one line, and `--cuts -5` is the value -5: node takes it for an option that
 * may be missing its value, and says so at length.
 * @throws {Error} for an option that there is not, or that lacks its value
 */
export function parseScriptArgs<const T extends Options>(args: readonly string[], options: T): Values<T> {
  try {
    return parseArgs({ args: bindValues(args, options), options }).values;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(text.split(/\.\s|\n/)[0] ?? text, { cause: error });
  }
}

function bindValues(args: readonly string[], options: Options): string[] {
  const bound: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const name = arg.startsWith('--') ? arg.slice(2) : '';
    if (!Object.hasOwn(options, name) || options[name]?.type !== 'string') {
      bound.push(arg);
      continue;
    }
    const value = rest.shift();
    // what looks like another option is one: a value of that kind can be given as --name=value
    if (value === undefined || /^-+[a-z]/i.test(value)) throw new Error(`${arg} wants a value`);
    bound.push(`${arg}=${value}`);
  }
  return bound;
}

/** Ends for an option that cannot work. */
export function refuse(message: string): never {
  console.error(`${message}; see --help`);
  process.exit(2);
}

/** Of an option; ends if it is none. */
export function wholeNumber(name: string, text: string, least = 0): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
  return refuse(`--${name} wants a whole number of at least ${least}, not '${text}'`);
}
