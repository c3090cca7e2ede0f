import { checkOptionNames, optionsError } from './check-options.ts';

/** Types of options' values, for callers without a type checker. Ranges are judged where the values are used. */

export interface ValueType {
  /** As it stands behind "is". */
  readonly words: string;
  readonly has: (value: unknown) => boolean;
}

/**
 * A type for each of an interface's options: the compiler sees to it that none is missing and none too many.
 * Null: the value is judged elsewhere.
 */
export type OptionTypes<T> = { readonly [name in keyof T]-?: ValueType | null };

/** Strings that are shown in errors are cut to so many characters. */
const MAX_SHOWN = 50;

const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isFunction = (value: unknown): boolean => typeof value === 'function';

export const TEXT: ValueType = { words: 'a string', has: isText };
export const NAME: ValueType = {
  words: 'a string that is not empty',
  has: (value) => isText(value) && value !== '',
};
export const FLAG: ValueType = { words: 'true or false', has: isFlag };
export const FUNCTION: ValueType = { words: 'a function', has: isFunction };

export const FLAG_OR_FUNCTION: ValueType = {
  words: `${FLAG.words}, or a function`,
  has: (value) => isFlag(value) || isFunction(value),
};

export const NUMBER: ValueType = { words: 'a number', has: Number.isFinite };
export const MILLISECONDS: ValueType = { words: 'a number of milliseconds', has: Number.isFinite };
export const BYTES: ValueType = { words: 'a number of bytes', has: Number.isFinite };
export const SHARE: ValueType = { words: 'a number from 0 to 1', has: Number.isFinite };

/** What Infinity switches off. */
export const LIMIT: ValueType = {
  words: 'a number, or Infinity for no limit',
  has: (value) => Number.isFinite(value) || value === Infinity,
};

export function oneOf(...words: readonly string[]): ValueType {
  const last = words.at(-1) ?? '';
  const others = words.slice(0, -1).join(', ');
  return {
    words: others === '' ? last : `${others} or ${last}`,
    has: (value) => words.some((word) => word === value),
  };
}

export function listOf(what: string): ValueType {
  return { words: `a list of ${what}`, has: isTexts };
}

/** @param names of the methods that are called */
export function withMethods(...names: readonly string[]): ValueType {
  return {
    words: `an object with the methods ${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`,
    has: (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.every((name) => isFunction((value as Readonly<Record<string, unknown>>)[name])),
  };
}

/**
 * @param where the option's whole name
 * @param value undefined: it is not there, which is right
 * @param error makes what is thrown. Default: `ERR_OPTIONS`
 * @throws {LocalProtocolError} for a value of another type
 */
export function checkType(
  where: string,
  value: unknown,
  { words, has }: ValueType,
  error: (message: string) => Error = optionsError,
): void {
  if (value !== undefined && !has(value)) throw error(`${where} is ${words}, not ${describe(value)}`);
}

/**
 * Names first, then values.
 * @param where the option that they belong to, such as `limits`; empty for the outermost ones
 * @param options undefined: none were given
 * @throws {LocalProtocolError} `ERR_OPTIONS` for the first that is not as it should be
 */
export function checkOptions(
  where: string,
  options: unknown,
  types: Readonly<Record<string, ValueType | null>>,
): void {
  checkOptionNames(where, options, types);
  const values = (options ?? {}) as Readonly<Record<string, unknown>>;
  const prefix = where === '' ? '' : `${where}.`;
  for (const [name, type] of Object.entries(types))
    if (type !== null) checkType(`${prefix}${name}`, values[name], type);
}

/**
 * Options that hold secrets want strings, so that none of them is shown here; nor is a number, which a secret may be
 * that has lost its quotes, but for one that is none or pairs, which would look right by their type alone.
 */
function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length > MAX_SHOWN ? `'${value.slice(0, MAX_SHOWN)}...'` : `'${value}'`;
  if (value === null) return 'null';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Buffer.isBuffer(value)) return 'a Buffer';
  if (Array.isArray(value)) return isPair(value) ? `[${value.join(', ')}]` : 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

export function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((item) => typeof item === 'number');
}
