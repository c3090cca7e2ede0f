/** Keeps the anomalies of a capture: the first ones of each kind and pair, and how many there were beyond. */
import { MAX_ALIKE, MAX_ANOMALIES } from './limits.ts';
import type { Anomaly, AnomalyKind, Severity } from './report.ts';

export interface Finding {
  readonly ts: number;
  readonly n: number;
  readonly severity: Severity;
  readonly kind: AnomalyKind;
  readonly pair?: string | null;
  readonly text: string;
  readonly meaning: string;
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note'];

export class Anomalies {
  readonly #kept: Readonly<Record<Severity, Finding[]>> = { error: [], warning: [], note: [] };
  readonly #alike = new Map<string, number>();
  /** Found of each severity, kept or not. */
  readonly found: Record<Severity, number> = { error: 0, warning: 0, note: 0 };

  add(finding: Finding): void {
    const kept = this.#kept[finding.severity];
    if (isRepetition(finding, kept[kept.length - 1])) return;
    this.found[finding.severity]++;
    if (kept.length >= MAX_ANOMALIES) return;
    const key = `${finding.severity} ${finding.kind} ${finding.pair ?? ''}`;
    const alike = (this.#alike.get(key) ?? 0) + 1;
    if (alike > MAX_ALIKE) return;
    this.#alike.set(key, alike);
    kept.push(finding);
  }

  get leftOut(): number {
    return SEVERITIES.reduce((sum, severity) => sum + this.found[severity] - this.#kept[severity].length, 0);
  }

  /** By time. */
  list(start: number): Anomaly[] {
    return SEVERITIES.flatMap((severity) => this.#kept[severity])
      .sort((a, b) => a.ts - b.ts || a.n - b.n)
      .map(({ ts, n, severity, kind, pair, text, meaning }) => ({
        ts,
        at: since(ts, start),
        n,
        severity,
        kind,
        pair: pair ?? null,
        text,
        meaning,
      }));
  }
}

/** What a member tells all others one by one is one event. */
function isRepetition(finding: Finding, before: Finding | undefined): boolean {
  return before !== undefined && before.text === finding.text && finding.ts - before.ts < REPETITION_S;
}

const REPETITION_S = 10;

/** Seconds between two times of a capture, to the microsecond: what doubles since the epoch can tell. */
export function since(ts: number, start: number): number {
  return Math.round((ts - start) * 1e6) / 1e6;
}
