/** Figures for people. */

const GROUPED = new Intl.NumberFormat('en-US');

/** `1,234,567`. */
export function formatCount(count: number): string {
  return GROUPED.format(count);
}

/** At most seven characters: `999,999`, `1.23M`, `12.3G`. */
export function formatShortCount(count: number): string {
  if (count < 1_000_000) return formatCount(count);
  return scaled(count, 1000, ['', 'k', 'M', 'G', 'T']);
}

/** `512 B`, `1.02 kB`, `31.5 MB`: powers of 1000. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1000, [' B', ' kB', ' MB', ' GB', ' TB']);
}

/** Payload sizes, which are given in powers of 1024: `36 B`, `1 KiB`, `146.5 KiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const [value, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'KiB'] : [bytes / 1024 / 1024, 'MiB'];
  return `${Number(value.toFixed(1))} ${unit}`;
}

/** `12.3 s`, `2 min 05 s`. */
export function formatDuration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** `0:07`, `12:34`. */
export function formatClock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `5 %`, `2.5 %`. */
export function formatPercent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(2))} %`;
}

/** Three significant digits with the unit that keeps the number below `base`. */
function scaled(value: number, base: number, units: readonly string[]): string {
  let step = 0;
  let rest = value;
  while (rest >= base - 0.5 && step < units.length - 1) {
    rest /= base;
    step++;
  }
  const digits = step === 0 || rest >= 100 ? 0 : rest >= 10 ? 1 : 2;
  return rest.toFixed(digits) + (units[step] ?? '');
}
