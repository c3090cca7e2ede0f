import { tlsError } from './errors.ts';

/** Types of values, for callers without a type checker. */

export interface ValueType {
  /** As it stands behind "is". */
  readonly words: string;
  readonly has: (value: unknown) => boolean;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isFlag = (value: unknown): boolean => typeof value === 'boolean';

export const TEXT: ValueType = { words: 'a string', has: isText };
export const FLAG: ValueType = { words: 'true or false', has: isFlag };
export const PEM: ValueType = { words: 'PEM, as text or the path of a file', has: isText };

export const PEMS: ValueType = {
  words: `${PEM.words}, or a list of such`,
  has: (value) => isText(value) || isTexts(value),
};

export const FLAG_OR_FUNCTION: ValueType = {
  words: `${FLAG.words}, or a function`,
  has: (value) => isFlag(value) || typeof value === 'function',
};

export const MODE: ValueType = {
  words: 'off, accept-both or required',
  has: (value) => value === 'off' || value === 'accept-both' || value === 'required',
};

export function listOf(what: string): ValueType {
  return { words: `a list of ${what}`, has: isTexts };
}

/**
 * @param where the option's whole name
 * @param value undefined: it is not there, which is right
 * @throws {LocalProtocolError} `ERR_TLS`
 */
export function checkType(where: string, value: unknown, { words, has }: ValueType): void {
  if (value !== undefined && !has(value)) throw tlsError(`${where} is ${words}, not ${describe(value)}`);
}

/** Options that hold secrets want strings, so that none of them is shown here. */
function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (value === null) return 'null';
  if (Buffer.isBuffer(value)) return 'a Buffer';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
