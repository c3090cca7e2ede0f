/** From measurements to the lines that are printed and kept. */

import type { CaseResult, ResultSpec, SideName } from './types.ts';

/** One line of `--json` and of the tables. */
export interface ResultLine {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** Medians; null where there is no such side, or its measurement broke. */
  readonly ours: number | null;
  readonly jvm: number | null;
  readonly raw: number | null;
  /** Ours by the side that it is held against; null for an absolute target. */
  readonly ratio: number | null;
  readonly target: number | null;
  readonly met: boolean | null;
  /** The target is a limit. */
  readonly lowerIsBetter: boolean;
  readonly against: SideName | null;
  /** Lowest and highest, by side. */
  readonly spread: Readonly<Record<SideName, readonly [number, number]>>;
  /** Processor time of ours by that of the other side, for a message. */
  readonly cpuRatio: number | null;
  /** What went wrong. */
  readonly error?: string;
}

/** One side of one case, for the second table. */
export interface SideLine {
  readonly name: string;
  readonly side: SideName;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly cpuSecondsPerMillion: number;
  readonly residentMegabytes: number;
  readonly drops: number;
  /** Why there are no figures. */
  readonly failed?: string;
}

export function resultLines({ bench, sides, broken }: CaseResult): ResultLine[] {
  return bench.results.map((spec) => {
    const median = (side: SideName): number | null => sides[side]?.spread[spec.metric]?.median ?? null;
    const [ours, other] = [median('ours'), spec.against === null ? null : median(spec.against)];
    const ratio = ours === null || other === null ? null : ours / other;
    const concerned = ['ours', ...(spec.against === null ? [] : [spec.against])];
    const errors = concerned.flatMap((side) =>
      broken[side] === undefined ? [] : [`${side}: ${broken[side]}`],
    );
    return {
      name: spec.name,
      title: spec.title,
      unit: spec.unit,
      ours: rounded(ours),
      jvm: rounded(median('jvm')),
      raw: rounded(median('raw')),
      ratio: rounded(ratio),
      target: spec.target,
      met: isMet(spec, spec.against === null ? ours : ratio),
      lowerIsBetter: spec.lowerIsBetter === true,
      against: spec.against,
      spread: spreads(spec, sides),
      cpuRatio: rounded(cpuRatio(spec, sides)),
      ...(errors.length === 0 ? {} : { error: errors.join('; ') }),
    };
  });
}

function isMet({ target, lowerIsBetter }: ResultSpec, value: number | null): boolean | null {
  if (target === null) return null;
  if (value === null) return false;
  return lowerIsBetter === true ? value <= target : value >= target;
}

function spreads(spec: ResultSpec, sides: CaseResult['sides']): ResultLine['spread'] {
  return Object.fromEntries(
    Object.entries(sides).flatMap(([side, { spread }]) => {
      const one = spread[spec.metric];
      return one === undefined ? [] : [[side, [rounded(one.min) ?? NaN, rounded(one.max) ?? NaN]] as const];
    }),
  );
}

function cpuRatio({ against }: ResultSpec, sides: CaseResult['sides']): number | null {
  const ours = sides['ours']?.cpuSecondsPerMillion;
  const other = against === null ? undefined : sides[against]?.cpuSecondsPerMillion;
  return ours === undefined || other === undefined || other === 0 ? null : ours / other;
}

export function sideLines({ bench, sides, broken }: CaseResult): SideLine[] {
  // results that differ in whom they are held against have the same figures
  const specs = [...new Map(bench.results.map((spec) => [spec.metric, spec])).values()];
  const measured = specs.flatMap((spec) =>
    Object.entries(sides).flatMap(([side, result]) => {
      const spread = result.spread[spec.metric];
      if (spread === undefined) return [];
      return [
        {
          name: specs.length === 1 ? bench.name : spec.name,
          side,
          unit: spec.unit,
          median: spread.median,
          min: spread.min,
          max: spread.max,
          cpuSecondsPerMillion: result.cpuSecondsPerMillion,
          residentMegabytes: result.residentMegabytes,
          drops: result.drops,
        },
      ];
    }),
  );
  return [...measured, ...Object.entries(broken).map(([side, why]) => failedLine(bench.name, side, why))];
}

function failedLine(name: string, side: SideName, why: string): SideLine {
  const none = {
    median: NaN,
    min: NaN,
    max: NaN,
    cpuSecondsPerMillion: NaN,
    residentMegabytes: NaN,
    drops: NaN,
  };
  return { name, side, unit: '', ...none, failed: why.split('\n', 1)[0] ?? '' };
}

/** Four digits say all that a measurement knows. */
export function rounded(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(4));
}

export interface Report {
  /** Those with a target. */
  readonly cases: readonly ResultLine[];
  /** For information. */
  readonly more: readonly ResultLine[];
  readonly met: boolean;
  /** A measurement of ours failed, or of a side that ours is held against. Others only stand beside them. */
  readonly isBroken: boolean;
}

export function report(results: readonly CaseResult[]): Report {
  const lines = results.flatMap(resultLines);
  const cases = lines.filter(({ target }) => target !== null);
  return {
    cases,
    more: lines.filter(({ target }) => target === null),
    met: cases.length > 0 && cases.every(({ met }) => met === true),
    isBroken: lines.some(({ error }) => error !== undefined),
  };
}
