import { LocalProtocolError } from './errors.ts';

/** Names of a type's properties: the compiler sees to it that none is missing and none too many. */
export type KnownNames<T> = { readonly [name in keyof T]-?: true };

/** A typing mistake or two; more of a difference is another word. */
const MAX_DISTANCE = 3;

export function optionsError(message: string): LocalProtocolError {
  return new LocalProtocolError('ERR_OPTIONS', message);
}

/** For defaults behind which options are spread: one that is undefined is one that was not given. */
export function present<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/**
 * For options that a type checker has not seen: one whose name is mistyped would be left out of account in silence.
 * @param where the option that they belong to, such as `limits`; empty for the outermost ones
 * @param options undefined: none were given
 * @param error makes what is thrown. Default: `ERR_OPTIONS`
 * @throws {LocalProtocolError} for what is no object, or has a property of another name
 */
export function checkOptionNames(
  where: string,
  options: unknown,
  known: Readonly<Record<string, unknown>>,
  error: (message: string) => Error = optionsError,
): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const names = Object.keys(known).slice(0, 3).join(', ');
    throw error(`${where} must be an object with options such as ${names}, not ${describe(options)}`);
  }
  const prefix = where === '' ? '' : `${where}.`;
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const meant = closest(name, Object.keys(known));
    const question = meant === null ? '' : `, did you mean ${prefix}${meant}?`;
    throw error(`unknown option ${prefix}${name}${question}`);
  }
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value;
}

/** Null: none is like it. */
function closest(name: string, known: readonly string[]): string | null {
  const best = nearest(name, known, Math.floor(name.length / 2));
  // maxMessages for hardLimitMessages: the last word is what was remembered of it
  return best ?? known.find((candidate) => lastWord(candidate) === lastWord(name)) ?? null;
}

/** The known name with the fewest typing mistakes between, if these are no more than `most` and no more than 3. */
export function nearest(name: string, known: readonly string[], most: number): string | null {
  const wanted = name.toLowerCase();
  let best: string | null = null;
  let least = Math.min(MAX_DISTANCE, most) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function lastWord(name: string): string {
  return /[A-Z]?[a-z0-9]+$/.exec(name)?.[0] ?? name;
}

/** Letters to change, put in, leave out, or two neighbours to swap (Damerau and Levenshtein's, restricted). */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_DISTANCE) return Infinity;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? Infinity;
}
