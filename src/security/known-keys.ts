import { nearest } from '../protocol/check-options.ts';
import { tlsError } from './errors.ts';

/**
 * For callers without a type checker: a key that is misspelt would be an option that is silently not there.
 * @param where such as `tls.keystore`
 * @throws {LocalProtocolError} `ERR_TLS` naming the first key that is not known, and the one that may be meant
 */
export function checkKeys(value: unknown, known: readonly string[], where: string): void {
  if (typeof value !== 'object' || value === null) throw tlsError(`${where} is not an object of options`);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw tlsError(`unknown option ${where}.${key}${suggest(key, known)}`);
  }
}

/** `, did you mean X?`, or what there is if nothing is near. */
export function suggest(key: string, known: readonly string[]): string {
  const near = nearest(key, known, Math.max(2, Math.floor(key.length / 3)));
  return near === null ? `; there are ${known.join(', ')}` : `: did you mean ${near}?`;
}
