import type { Anomaly, InspectReport, PairReport, Severity } from '../compat/inspect/report.ts';
import { bytes, counted, duration, listed } from '../compat/inspect/words.ts';
import { formatCount, formatShortCount } from './format.ts';
import type { Style, Tint } from './style.ts';
import { alignTable, wrap } from './text-table.ts';

/** What `rollgate inspect` says to people. It fits 80 columns. */

/** Rows of each part; `--json` and the page have more. */
const MAX_ROWS = 40;
const WIDTH = 80;

const TINT: Readonly<Record<Severity, Tint>> = { error: 'red', warning: 'yellow', note: 'cyan' };

export function renderInspection(report: InspectReport, style: Style): string {
  const parts = [
    introduction(report),
    section('Versions', versions(report), style),
    section('Members', members(report, style), style),
    section('Views', views(report), style),
    section('Pairs', pairs(report, style), style),
    section('Anomalies', anomalies(report, style), style),
    verdict(report, style),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function introduction(report: InspectReport): string {
  const { file, start, messages, undecodable, beside, skipped } = report;
  const when =
    start === null ? '' : ` from ${new Date(start * 1000).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
  const others = [...Object.entries(beside), ...Object.entries(skipped)];
  return [
    file,
    `${counted(messages, 'message')}, ${bytes(report.bytes)} of payload, ${duration(report.duration)}${when}`,
    ...(undecodable > 0 ? [`${counted(undecodable, 'frame')} did not decode`] : []),
    ...(others.length === 0
      ? []
      : wrap(
          `Beside them: ${others.map(([name, count]) => `${formatCount(count)} ${name}`).join(', ')}`,
          WIDTH,
          2,
        )),
  ].join('\n');
}

function section(title: string, lines: readonly string[], style: Style): string {
  if (lines.length === 0) return '';
  return [style.paint('bold', title), ...lines.map((line) => `  ${line}`)].join('\n');
}

function versions({ versions: census }: InspectReport): string[] {
  return alignTable(
    census.map(({ version, members: count, messages }) => [
      /^\d/.test(version) ? `JGroups ${version}` : version,
      counted(count, 'member'),
      counted(messages, 'message'),
    ]),
    'lrr',
  );
}

function members({ members: all, leftOut }: InspectReport, style: Style): string[] {
  const rows = all
    .slice(0, MAX_ROWS)
    .map((member) => [
      clip(member.label, 26),
      clip(member.name ?? '-', 12),
      clip(Object.keys(member.versions).join(' ') || '-', 12),
      member.geodeOrdinal === null ? '-' : String(member.geodeOrdinal),
      member.viewId === null ? '-' : String(member.viewId),
      formatShortCount(member.sent),
      formatShortCount(member.received),
    ]);
  if (rows.length === 0) return [];
  const head = ['member', 'name', 'version', 'geode', 'view', 'sent', 'received'];
  return [
    ...withHead(head, rows, 'lllrrrr', style),
    ...more(all.length - rows.length + leftOut.members, style),
  ];
}

function views({ views: all, leftOut }: InspectReport): string[] {
  const lines = all.slice(0, MAX_ROWS).flatMap((view) => {
    const changes = [
      ...(view.joined.length > 0 ? [`joined ${listed(view.joined, 4)}`] : []),
      ...(view.left.length > 0 ? [`left ${listed(view.left, 4)}`] : []),
      ...(view.joined.length + view.left.length === 0 && view.size > 0 ? [listed(view.members, 4)] : []),
    ].join('; ');
    const size = view.size > 0 ? `${counted(view.size, 'member')}: ` : '';
    return wrap(`${clock(view.at)}  view ${view.id} of ${view.creator}, ${size}${changes}`, WIDTH - 2, 12);
  });
  const hidden = Math.max(0, all.length - MAX_ROWS) + leftOut.views;
  return hidden > 0 ? [...lines, `and ${counted(hidden, 'more view')}`] : lines;
}

function pairs({ pairs: all, leftOut }: InspectReport, style: Style): string[] {
  const sorted = [...all]
    .sort((a, b) => trouble(b) - trouble(a) || b.messages - a.messages)
    .slice(0, MAX_ROWS);
  if (sorted.length === 0) return [];
  const figures = sorted.map((pair) => [
    pair.kind === 'group' ? 'group' : pair.transport,
    formatShortCount(pair.messages),
    bytes(pair.bytes),
    figure(pair.gaps),
    figure(pair.retransmissions),
    figure(pair.duplicates),
  ]);
  const head = ['by', 'msgs', 'bytes', 'lost', 'again', 'dup'];
  const named = sorted.map((pair, i) => [nameOf(pair), ...(figures[i] ?? [])]);
  let table = withHead(['from > to', ...head], named, 'llrrrrr', style);
  // where names take too much room they get lines of their own
  const wide = alignTable(named, 'llrrrrr').some((line) => line.length > WIDTH - 2);
  if (wide)
    table = withHead(
      ['from > to', ...head],
      figures.map((cells) => ['', ...cells]),
      'llrrrrr',
      style,
    );
  const [titles = '', ...lines] = table;
  const body = lines.flatMap((line, i) => {
    const pair = sorted[i];
    if (pair === undefined) return [];
    return [
      ...(wide ? [clip(nameOf(pair), WIDTH - 2)] : []),
      line,
      ...wrap(remarks(pair), WIDTH - 6, 0).map((text) => `    ${style.paint('dim', text)}`),
    ];
  });
  return [
    titles,
    ...body,
    ...more(all.length - sorted.length, style),
    ...(leftOut.pairs > 0 ? [`${counted(leftOut.pairs, 'message')} of further pairs are not followed`] : []),
  ];
}

/** That a group is one is said beside it. */
function nameOf({ from, to }: PairReport): string {
  return `${from} > ${to.replace(/^group /, '')}`;
}

/** What went on in a pair, as far as it is out of the ordinary; else an empty text. */
function remarks(pair: PairReport): string {
  const { repair, delay, stalls, fragmented, ackLatency } = pair;
  const asked = Object.entries(pair.askers).map(([who, seqnos]) => `${who} (${seqnos})`);
  return [
    ...(asked.length > 0 ? [`asked for by ${listed(asked, 3)}`] : []),
    ...(repair.max === null ? [] : [`repaired within ${duration(repair.max)}`]),
    ...(delay.max === null ? [] : [`late by up to ${duration(delay.max)}`]),
    ...(pair.unrepaired > 0 ? [`${formatCount(pair.unrepaired)} never repaired`] : []),
    ...(pair.overtaken > 0 ? [`${formatCount(pair.overtaken)} overtaken`] : []),
    ...(pair.firstSeqnoRequests > 0
      ? [`asked ${counted(pair.firstSeqnoRequests, 'time')} to begin again`]
      : []),
    ...(pair.connections > 1 ? [counted(pair.connections, 'connection')] : []),
    ...(stalls.count + stalls.open > 0
      ? [
          `${counted(stalls.count + stalls.open, 'credit stall')}${stalls.max === null ? '' : `, up to ${duration(stalls.max)}`}`,
        ]
      : []),
    ...(fragmented.complete > 0 ? [counted(fragmented.complete, 'fragmented message')] : []),
    ...(fragmented.incomplete > 0
      ? [`${formatCount(fragmented.incomplete)} of which fragments are missing`]
      : []),
    ...(pair.unacknowledged > 0 ? [`${formatCount(pair.unacknowledged)} not acknowledged`] : []),
    ...(ackLatency.mean === null || asked.length === 0
      ? []
      : [`acknowledged after ${duration(ackLatency.mean)} on average`]),
  ].join('; ');
}

function trouble(pair: PairReport): number {
  return pair.gaps + pair.retransmissions + pair.unrepaired + pair.stalls.count + pair.stalls.open;
}

function anomalies({ anomalies: all, leftOut }: InspectReport, style: Style): string[] {
  const order: readonly Severity[] = ['error', 'warning', 'note'];
  const kept = new Set(
    [...all].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity)).slice(0, MAX_ROWS),
  );
  const lines = all.filter((anomaly) => kept.has(anomaly)).flatMap((anomaly) => describe(anomaly, style));
  return [...lines, ...more(all.length - kept.size + leftOut.anomalies, style)];
}

function describe({ at, severity, text, meaning }: Anomaly, style: Style): string[] {
  const indent = 20;
  const [first = '', ...others] = wrap(`${' '.repeat(indent)}${text}`, WIDTH - 2, indent);
  return [
    `${clock(at)}  ${style.paint(TINT[severity], severity.padEnd(8))}  ${first.slice(indent)}`,
    ...others,
    ...wrap(`${' '.repeat(indent)}${meaning}`, WIDTH - 2, indent).map((line) => style.paint('dim', line)),
  ];
}

function verdict({ verdict: { level, text } }: InspectReport, style: Style): string {
  const tint: Tint =
    level === 'clean' ? 'green' : level === 'repaired' || level === 'warnings' ? 'yellow' : 'red';
  const word = level.toUpperCase();
  const [first = '', ...others] = wrap(`${' '.repeat(word.length + 2)}${text}`, WIDTH, word.length + 2);
  return [`${style.paint('bold', style.paint(tint, word))}  ${first.slice(word.length + 2)}`, ...others].join(
    '\n',
  );
}

function withHead(
  head: readonly string[],
  rows: readonly string[][],
  columns: string,
  style: Style,
): string[] {
  const [titles = '', ...lines] = alignTable([head, ...rows], columns);
  return [style.paint('dim', titles), ...lines];
}

function more(hidden: number, style: Style): string[] {
  return hidden > 0 ? [style.paint('dim', `and ${formatCount(hidden)} more`)] : [];
}

function figure(value: number): string {
  return value === 0 ? '-' : formatShortCount(value);
}

/** Seconds since the start, in eight columns. */
function clock(at: number): string {
  return at.toFixed(at < 10_000 ? 3 : 0).padStart(8);
}

function clip(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}
