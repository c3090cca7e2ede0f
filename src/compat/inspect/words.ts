/** Figures and names as people read them. */
import { MAX_NAME_CHARS } from './limits.ts';

const GROUPED = new Intl.NumberFormat('en-US');

/** `1,234,567`. */
export function count(value: number): string {
  return GROUPED.format(value);
}

/** `1 message`, `2,000 messages`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** `0.4 ms`, `12 ms`, `1.25 s`, `2 min 05 s`. */
export function duration(seconds: number): string {
  if (seconds < 0.001) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${Number(seconds.toFixed(2))} s`;
  const whole = Math.round(seconds);
  return `${count(Math.floor(whole / 60))} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** `512 B`, `1.5 kB`, `31.5 MB`: powers of 1000. */
export function bytes(value: number): string {
  let rest = value;
  let unit = 0;
  while (rest >= 999.5 && unit < 5) {
    rest /= 1000;
    unit++;
  }
  return `${unit === 0 ? rest : Number(rest.toPrecision(3))} ${['B', 'kB', 'MB', 'GB', 'TB', 'PB'][unit] ?? ''}`;
}

/** `5, 8 and 11`; at most `limit` of them. */
export function listed(items: readonly (string | number)[], limit = 6): string {
  if (items.length > limit) return `${items.slice(0, limit).join(', ')} and ${items.length - limit} more`;
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1] ?? ''}`;
}

/** `once`, `twice`, `5 times`. */
export function times(value: number): string {
  return value === 1 ? 'once' : value === 2 ? 'twice' : `${count(value)} times`;
}

/** A name that a peer chose, on one line, with nothing in it that a terminal or a page would obey. */
export function plain(name: string, limit = MAX_NAME_CHARS): string {
  const safe = name.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, '?');
  return safe.length <= limit ? safe : `${safe.slice(0, limit - 1)}…`;
}
