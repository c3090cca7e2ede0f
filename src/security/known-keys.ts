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

/** The known key with the fewest typing mistakes between, if these are not more than `limit`. */
export function nearest(key: string, known: readonly string[], limit: number): string | null {
  let best: string | null = null;
  let least = limit + 1;
  for (const name of known) {
    if (Math.abs(name.length - key.length) >= least) continue;
    const mistakes = distance(key.toLowerCase(), name.toLowerCase());
    if (mistakes >= least) continue;
    best = name;
    least = mistakes;
  }
  return best;
}

/** Characters that are too many, missing or wrong (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const wrong = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(wrong, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
