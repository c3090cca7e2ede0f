import { parseScriptArgs } from '../../script-options.ts';

/** What a user asked for that cannot be. */
export class OptionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OptionError';
  }
}

/** Options that all benchmarks of a stack have. */
export interface BenchOptions {
  readonly quick: boolean;
  /** Names of cases or results; null: all. */
  readonly only: readonly string[] | null;
  readonly list: boolean;
  readonly runs: number | null;
  readonly scale: number;
  readonly messages: number | null;
  /** Processor time at most, for each team; null: what is usual. */
  readonly warmUpSeconds: number | null;
  readonly ownOptions: Readonly<Record<string, unknown>>;
  readonly nodeFlags: readonly string[];
  readonly json: boolean;
  readonly strict: boolean;
  /** Other libraries that a benchmark would get for itself stay out of it. */
  readonly withoutRivals: boolean;
  readonly help: boolean;
}

/** @throws {OptionError} */
export function parseOptions(args: readonly string[]): BenchOptions {
  const values = parse(args);
  const scale = Number(values.scale);
  if (!(scale > 0)) throw new OptionError(`--scale ${values.scale} is not above 0`);
  return {
    quick: values.quick,
    only: values.only === undefined ? null : values.only.split(','),
    list: values.list,
    runs: values.runs === undefined ? null : count('--runs', values.runs),
    scale,
    warmUpSeconds: values['warm-up'] === undefined ? null : seconds('--warm-up', values['warm-up']),
    messages: values.messages === undefined ? null : count('--messages', values.messages),
    ownOptions: record('--own', values.own),
    nodeFlags: values['node-flags'].split(',').filter((flag) => flag !== ''),
    json: values.json,
    strict: values.strict,
    withoutRivals: values['without-rivals'],
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseScriptArgs(args, {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      runs: { type: 'string' },
      scale: { type: 'string', default: '1' },
      messages: { type: 'string' },
      'warm-up': { type: 'string' },
      own: { type: 'string', default: '{}' },
      'node-flags': { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      'without-rivals': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    });
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

/** `50m` is fifty million. */
function count(option: string, text: string): number {
  const [, digits, unit] = /^([1-9]\d*)([km]?)$/i.exec(text) ?? [];
  if (digits === undefined) throw new OptionError(`${option} ${text} is no whole number above 0`);
  return Number(digits) * ({ k: 1e3, m: 1e6 }[unit?.toLowerCase() ?? ''] ?? 1);
}

function seconds(option: string, text: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0)) throw new OptionError(`${option} ${text} is no number of seconds`);
  return value;
}

function record(option: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // said below
  }
  throw new OptionError(`${option} ${text} is no JSON object`);
}

/** The options, or the exit code of a program that has nothing to do: it has said why in a line, or its help. */
export function optionsOrExit(args: readonly string[], help: string): BenchOptions | number {
  let options: BenchOptions;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    console.error(`${error.message}; see --help`);
    return 2;
  }
  if (!options.help) return options;
  console.log(help);
  return 0;
}
