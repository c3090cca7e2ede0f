import type { Sample, SideResult, Spread } from './types.ts';

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

export function summarize(samples: readonly Sample[]): SideResult {
  const median = (of: (sample: Sample) => number): number => spreadOf(samples.map(of)).median;
  const names = Object.keys(samples[0]?.metrics ?? {});
  return {
    samples,
    spread: Object.fromEntries(
      names.map((name) => [name, spreadOf(samples.map(({ metrics }) => metrics[name] ?? NaN))]),
    ),
    cpuSecondsPerMillion: median(({ cpuSeconds, messages }) => (cpuSeconds / messages) * 1e6),
    residentMegabytes: median(({ residentBytes }) => residentBytes / 1e6),
    drops: median(({ drops }) => drops),
  };
}
