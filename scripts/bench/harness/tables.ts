/** Results as text for people: the same cells for the terminal and for Markdown. */

import { alignTable } from '../../../src/cli/text-table.ts';
import type { ResultLine, SideLine } from './results.ts';

/** `12,345`, `1.23`, `-`. */
export function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

export const RESULT_COLUMNS = 'lrrrlrrl';
export const RESULT_HEAD = ['case', 'ours', 'JVM', 'raw', 'unit', 'ratio', 'target', 'met'];

export function resultCells(line: ResultLine): string[] {
  const { name, ours, jvm, raw, unit, ratio, against } = line;
  const held = ratio === null || against === null ? '-' : `${figure(ratio)} of ${sideLabel(against)}`;
  return [name, figure(ours), figure(jvm), figure(raw), unit, held, targetText(line), metText(line)];
}

function targetText({ target, lowerIsBetter }: ResultLine): string {
  return target === null ? '-' : `${lowerIsBetter ? 'at most' : 'at least'} ${figure(target)}`;
}

function metText({ met, error }: ResultLine): string {
  if (error !== undefined) return 'BROKEN';
  return met === null ? '-' : met ? 'yes' : 'no';
}

export const SIDE_COLUMNS = 'llrrrlrrr';
export const SIDE_HEAD = ['case', 'side', 'median', 'min', 'max', 'unit', 'cpu s/M', 'MB', 'drops'];

export function sideCells(line: SideLine): string[] {
  return [
    line.name,
    sideLabel(line.side),
    figure(line.median),
    figure(line.min),
    figure(line.max),
    line.failed === undefined ? line.unit : `failed: ${line.failed.replaceAll('|', '/')}`,
    figure(line.cpuSecondsPerMillion),
    figure(line.residentMegabytes),
    figure(line.drops),
  ];
}

export function sideLabel(side: string): string {
  return side.replaceAll('jvm', 'JVM');
}

export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: string,
): string {
  const [title = '', ...lines] = alignTable([head, ...rows], columns);
  const width = Math.max(title.length, ...lines.map((line) => line.length));
  return [title, '-'.repeat(width), ...lines].join('\n');
}

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: string,
): string {
  // prettier's own layout, so that it finds nothing to change
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells
      .map((cell, i) => (columns[i] === 'r' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join(' | ')} |`;
  const rule = widths.map((width, i) =>
    columns[i] === 'r' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}
