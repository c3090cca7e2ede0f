/** The one sentence at the end. */
import type { PairReport, Severity, VerdictLevel } from './report.ts';
import { count, counted } from './words.ts';

export function verdictOf(
  messages: number,
  found: Readonly<Record<Severity, number>>,
  pairs: readonly PairReport[],
): { level: VerdictLevel; text: string } {
  if (messages === 0) return { level: 'empty', text: 'There is no JGroups message in this capture.' };
  const gaps = pairs.reduce((sum, pair) => sum + pair.gaps, 0);
  const open = pairs.reduce((sum, pair) => sum + pair.unrepaired, 0);
  const losses =
    gaps === 0
      ? 'No loss was seen.'
      : `${counted(gaps, 'message')} ${gaps === 1 ? 'was' : 'were'} lost on the way, ` +
        (open === 0 ? `${gaps === 1 ? 'and' : 'and all'} repaired.` : `${count(open)} never repaired.`);
  const noted = [
    ...(found.error > 0 ? [counted(found.error, 'problem')] : []),
    ...(found.warning > 0 ? [counted(found.warning, 'warning')] : []),
  ].join(' and ');
  const text = noted === '' ? losses : `${noted}. ${losses}`;
  if (found.error > 0) return { level: 'trouble', text };
  if (gaps > 0) return { level: 'repaired', text };
  if (found.warning > 0) return { level: 'warnings', text };
  return { level: 'clean', text: losses };
}
