import type { CaptureResult, FaultResult, ReplayKind, ReplayReport } from '../compat/replay/result.ts';
import { formatCount } from './format.ts';
import type { Style } from './style.ts';
import { alignTable, wrap } from './text-table.ts';

/** What `rollgate replay` says to people; at most 80 columns, but for names and problems that are longer. */

const KINDS: Readonly<Record<ReplayKind, string>> = {
  full: 'full',
  'self-checked': 'self-checked',
  'decode-only': 'decode only',
};

const HEAD = ['Capture', 'Replay', 'Datagrams', 'Delivered', 'Result'];

const WIDTH = 80;

const MAX_NAME = 36;

/** Of one capture. */
const MAX_LINES = 8;

export function renderReplay(report: ReplayReport, style: Style): string {
  const { captures } = report;
  const parts = [
    ...table(captures, style),
    ...decodeOnly(captures),
    ...differences(captures),
    ...faults(report),
    ...problems(captures, style),
    '',
    verdict(captures, style),
  ];
  return parts.join('\n');
}

function table(captures: readonly CaptureResult[], style: Style): string[] {
  const rows = captures.map(({ name, replay, datagrams, delivered, expected, ok }) => {
    const share = replay === 'decode-only' ? '-' : `${formatCount(delivered)}/${formatCount(expected)}`;
    return [clip(name), KINDS[replay], formatCount(datagrams), share, ok ? 'ok' : 'FAILED'];
  });
  const [head = '', ...lines] = alignTable([HEAD, ...rows], 'llrrl');
  return [
    style.paint('bold', head),
    ...lines.map((line) =>
      line.replace(/ok$|FAILED$/, (word) => style.paint(word === 'ok' ? 'green' : 'red', word)),
    ),
  ];
}

function clip(name: string): string {
  return name.length <= MAX_NAME ? name : `...${name.slice(3 - MAX_NAME)}`;
}

/** Why, and which; those of one reason together. */
function decodeOnly(captures: readonly CaptureResult[]): string[] {
  const reasons = new Map<string, string[]>();
  for (const { replay, reason, name } of captures) {
    if (replay !== 'decode-only' || reason === undefined) continue;
    reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  }
  const lines: string[] = [];
  for (const [reason, names] of reasons) {
    lines.push('', ...wrapped(`Only decoded (${reason}):`, ''), ...wrapped(names.join(', ')));
  }
  return lines;
}

function differences(captures: readonly CaptureResult[]): string[] {
  const lines = captures.flatMap(({ name, replies }) => some(replies?.differ ?? [], `${name}: `));
  if (lines.length === 0) return [];
  return ['', 'What ours would have done otherwise, in time only, as no peer would mind:', ...lines];
}

function faults({ captures, faults: all }: ReplayReport): string[] {
  if (all === undefined) return [];
  const { loss, reorder, duplicate, seed } = all.faults;
  const lines = captures.flatMap(({ name, faults: result }) =>
    result === undefined ? [] : wrapped(`${name}: ${result.ok ? repairs(result) : result.verdict}`),
  );
  const title = `With loss ${loss}, reorder ${reorder}, duplicate ${duplicate}, seed ${seed}:`;
  return ['', title, ...lines, '', ...wrapped(sentence(all.verdict), '')];
}

function repairs({ expected, repaired, slowestRepairMs }: FaultResult): string {
  const messages = `all ${formatCount(expected)} messages delivered`;
  if (repaired === 0) return messages;
  return `${messages}, ${formatCount(repaired)} repaired, the slowest after ${(slowestRepairMs / 1000).toFixed(1)} s`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function problems(captures: readonly CaptureResult[], style: Style): string[] {
  return captures
    .filter(({ ok }) => !ok)
    .flatMap((capture) => [
      '',
      style.paint('red', `${capture.name}:`),
      ...some(capture.problems.length > 0 ? capture.problems : [capture.reason ?? 'failed'], ''),
    ]);
}

function some(lines: readonly string[], prefix: string): string[] {
  const shown = lines.slice(0, MAX_LINES).flatMap((line) => wrapped(prefix + line));
  const more = lines.length - MAX_LINES;
  return more > 0 ? [...shown, `  ${prefix}and ${more} more (--json has them)`] : shown;
}

function wrapped(text: string, indent = '  '): string[] {
  return wrap(indent + text, WIDTH, indent.length + 2);
}

function verdict(captures: readonly CaptureResult[], style: Style): string {
  const failed = captures.filter(({ ok }) => !ok).length;
  const sum = (field: 'datagrams' | 'delivered' | 'missing' | 'extra' | 'outOfOrder'): number =>
    captures.reduce((total, capture) => total + capture[field], 0);
  const word = style.paint(
    'bold',
    failed === 0 ? style.paint('green', 'PASSED') : style.paint('red', 'FAILED'),
  );
  const of = failed === 0 ? `${captures.length}` : `${failed} of ${captures.length}`;
  const noun = captures.length === 1 ? 'capture' : 'captures';
  const order = `${sum('missing')} missing, ${sum('extra')} extra, ${sum('outOfOrder')} out of order`;
  return [
    `${word}  ${of} ${noun}: ${formatCount(sum('datagrams'))} datagrams decoded,`,
    `        ${formatCount(sum('delivered'))} messages delivered; ${order}`,
  ].join('\n');
}
