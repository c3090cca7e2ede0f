/** A bar for each target: how far it is reached, as SVG that is legible on light and dark paper. */

import type { ResultLine } from './results.ts';
import { figure, sideLabel } from './tables.ts';

const WIDTH = 760;
const ROW = 26;
const TOP = 54;
const LABEL_WIDTH = 230;
const BAR_WIDTH = 300;
/** Bars end here: what is three times as good as asked needs no longer one. */
const MOST = 2;

/** 1 is the target; more is better. Null without a result. */
function attained({ ratio, ours, target, lowerIsBetter }: ResultLine): number | null {
  const value = ratio ?? ours;
  if (value === null || target === null) return null;
  return lowerIsBetter ? target / value : value / target;
}

/** @param lines with a target */
export function barChart(title: string, lines: readonly ResultLine[]): string {
  const height = TOP + lines.length * ROW + 14;
  const at = (share: number): number => LABEL_WIDTH + (Math.min(share, MOST) / MOST) * BAR_WIDTH;
  const target = at(1).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(title)}">`,
    STYLE,
    `  <text class="title" x="8" y="20">${escapeXml(title)}</text>`,
    `  <text class="dim" x="${target}" y="42" text-anchor="middle">target</text>`,
    ...lines.map((line, i) => bar(line, TOP + i * ROW, at)),
    `  <line class="target" x1="${target}" x2="${target}" y1="${TOP - 6}" y2="${height - 8}"/>`,
    '</svg>',
    '',
  ].join('\n');
}

function bar(line: ResultLine, y: number, at: (share: number) => number): string {
  const share = attained(line);
  const from = at(0);
  const width = (share === null ? 0 : Math.max(1, at(share) - from)).toFixed(1);
  const kind = line.met === true ? 'met' : 'missed';
  const middle = y + ROW / 2 + 1;
  return [
    `  <text class="label" x="8" y="${middle}">${escapeXml(line.name)}</text>`,
    `  <rect class="${kind}" x="${from}" y="${y}" width="${width}" height="${ROW - 8}" rx="2"/>`,
    `  <text class="label" x="${LABEL_WIDTH + BAR_WIDTH + 12}" y="${middle}">${escapeXml(says(line))}</text>`,
  ].join('\n');
}

function says({ ratio, against, ours, unit, target, error, lowerIsBetter }: ResultLine): string {
  if (error !== undefined) return 'broken';
  const value =
    ratio === null || against === null
      ? `${figure(ours)} ${unit}`
      : `${figure(ratio)} of ${sideLabel(against)}`;
  return `${value} (${lowerIsBetter ? 'at most' : 'at least'} ${figure(target)})`;
}

const STYLE = `  <style>
    text { font: 12px system-ui, sans-serif; dominant-baseline: middle; }
    .title { font-weight: 600; font-size: 14px; fill: #24292f; }
    .label { fill: #24292f; }
    .dim { fill: #57606a; }
    .target { stroke: #57606a; stroke-width: 1.5; stroke-dasharray: 4 3; }
    .met { fill: #2f9e63; }
    .missed { fill: #d1822a; }
    @media (prefers-color-scheme: dark) {
      .title, .label { fill: #e6edf3; }
      .dim { fill: #9da7b3; }
      .target { stroke: #9da7b3; }
    }
  </style>`;

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
