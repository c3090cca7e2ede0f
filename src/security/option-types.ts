import { checkType, oneOf, TEXT, type ValueType } from '../protocol/option-types.ts';
import { tlsError } from './errors.ts';

/** Types of values that only options of TLS have. */

export const PEM: ValueType = { words: 'PEM, as text or the path of a file', has: TEXT.has };

export const PEMS: ValueType = {
  words: `${PEM.words}, or a list of such`,
  has: (value) => PEM.has(value) || (Array.isArray(value) && value.every(PEM.has)),
};

export const MODE: ValueType = oneOf('off', 'accept-both', 'required');

/**
 * @param where the option's whole name
 * @param value undefined: it is not there, which is right
 * @throws {LocalProtocolError} `ERR_TLS`
 */
export function checkTlsType(where: string, value: unknown, type: ValueType): void {
  checkType(where, value, type, tlsError);
}
