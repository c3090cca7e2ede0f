import type { FaultReport } from './faulty-world.ts';
import type { FaultResult } from './result.ts';

/** Of several runs with the same faults. Null: there were none. */
export function sumOfFaults(results: readonly FaultResult[]): FaultResult | null {
  const [first] = results;
  if (first === undefined) return null;
  const sum = (field: Countable): number => results.reduce((total, result) => total + result[field], 0);
  return faultResult({
    faults: first.faults,
    lost: sum('lost'),
    duplicated: sum('duplicated'),
    reordered: sum('reordered'),
    delivered: sum('delivered'),
    expected: sum('expected'),
    missing: sum('missing'),
    extra: sum('extra'),
    outOfOrder: sum('outOfOrder'),
    repaired: sum('repaired'),
    slowestRepairMs: Math.max(...results.map(({ slowestRepairMs }) => slowestRepairMs)),
    unreliableLost: sum('unreliableLost'),
  });
}

type Countable = Exclude<keyof FaultReport, 'faults' | 'slowestRepairMs'>;

/** Says what a run with faults means. */
export function faultResult(report: FaultReport): FaultResult {
  const ok = report.missing + report.extra + report.outOfOrder === 0;
  const { slowestRepairMs } = report;
  return { ...report, slowestRepairMs: Math.round(slowestRepairMs), ok, verdict: verdictOf(report, ok) };
}

function verdictOf(report: FaultReport, ok: boolean): string {
  if (!ok) {
    const what = [
      report.missing > 0 ? `lost ${messages(report.missing)}` : '',
      report.extra > 0 ? `delivered ${messages(report.extra)} twice` : '',
      report.outOfOrder > 0 ? `delivered ${messages(report.outOfOrder)} out of order` : '',
    ].filter((part) => part !== '');
    return `with these faults your upgrade would have ${what.join(' and ')}`;
  }
  const { repaired, slowestRepairMs, unreliableLost } = report;
  const repairs =
    repaired === 0
      ? 'nothing had to be repaired'
      : `${messages(repaired)} ${repaired === 1 ? 'was' : 'were'} repaired, ` +
        `${repaired === 1 ? '' : 'the slowest '}after ${(slowestRepairMs / 1000).toFixed(1)} s`;
  const unreliable =
    unreliableLost === 0
      ? ''
      : `; ${messages(unreliableLost)} sent as unreliable ${unreliableLost === 1 ? 'was' : 'were'} lost, ` +
        'as their sender allowed';
  return `with these faults your upgrade would have lost nothing: ${repairs}${unreliable}`;
}

function messages(count: number): string {
  return count === 1 ? '1 message' : `${count} messages`;
}
