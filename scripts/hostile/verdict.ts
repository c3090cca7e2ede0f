/** What decides whether an attack slows the healthy pair, though other work on the machine does so as well. */

/** A short window of time. */
export interface Window {
  /** Messages that the victim delivered, per second and per second of its processor time. */
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

export interface Slowdown {
  /** Medians. */
  readonly quiet: Window;
  readonly attacked: Window;
  /** Under attack against quiet. */
  readonly rate: number;
  readonly perCpu: number;
}

/** The target: slowed by no more than 10 %. */
export const TARGET_RATIO = 0.9;

/** Below this part of the bound it does not matter what the victim did with its time: it may just have waited. */
const MIN_RATE_OF_BOUND = 0.55;

/**
 * Each stretch under attack is held against the quiet ones just before and after it, so that a machine that slowly gets
 * busier does not count; the median of that over all rounds is what an attack does.
 * @param quiet one stretch of windows more than `attacked`
 */
export function compare(
  quiet: readonly (readonly Window[])[],
  attacked: readonly (readonly Window[])[],
): Slowdown {
  const ratios = (of: (window: Window) => number): number[] => {
    const calm = quiet.map((windows) => median(windows.map(of)));
    return attacked.map((windows, round) => {
      const around = ((calm[round] ?? NaN) + (calm[round + 1] ?? NaN)) / 2;
      return median(windows.map(of)) / around;
    });
  };
  return {
    quiet: medians(quiet.flat()),
    attacked: medians(attacked.flat()),
    rate: median(ratios(({ perSecond }) => perSecond)),
    perCpu: median(ratios(({ perCpuSecond }) => perCpuSecond)),
  };
}

/**
 * The rule: the pair is slowed if both its rate and its messages per processor time of the victim fall below the bound,
 * which is 90 % unless a machine is known to be too busy for that, or if the rate falls to about half of that. The rate alone also falls when others take the processor, as the attacker itself
 * does; the victim's own processor time does not tell that it waited for nothing. An attack is to blame if that is so
 * in each attempt. Figures that are none (nothing was delivered) count as slow.
 */
export function isSlowed({ rate, perCpu }: Slowdown, bound: number): boolean {
  const keepsPace = rate >= bound || perCpu >= bound;
  return !(keepsPace && rate >= MIN_RATE_OF_BOUND * bound);
}

function medians(windows: readonly Window[]): Window {
  return {
    perSecond: median(windows.map(({ perSecond }) => perSecond)),
    perCpuSecond: median(windows.map(({ perCpuSecond }) => perCpuSecond)),
  };
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1] ?? NaN;
}
