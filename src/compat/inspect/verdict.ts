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
      ? 'Nothing was lost on the way.'
      : `${counted(gaps, 'message')} ${gaps === 1 ? 'was' : 'were'} lost on the way, ` +
        (open === 0 ? `${gaps === 1 ? 'and' : 'and all'} repaired.` : `${count(open)} never repaired.`);
  const warnings = found.warning > 0 ? ` ${counted(found.warning, 'warning')}.` : '';
  if (found.error > 0) {
    return {
      level: 'trouble',
      text: `${counted(found.error, 'problem')} that nothing repaired. ${losses}${warnings}`,
    };
  }
  if (found.warning > 0 || gaps > 0) return { level: 'repaired', text: `${losses}${warnings}` };
  return { level: 'clean', text: losses };
}
