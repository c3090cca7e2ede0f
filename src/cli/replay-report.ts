import type { CaptureResult, ReplayKind, ReplayReport } from '../compat/replay/result.ts';
import { formatCount } from './format.ts';
import { PLAIN_STYLE, type Style, type Tint } from './style.ts';

/** What `rollgate replay` says to people; at most 80 columns, but for names and problems that are longer. */

const KINDS: Readonly<Record<ReplayKind, string>> = {
  full: 'full',
  'self-checked': 'self-checked',
  'decode-only': 'decode only',
};

const MAX_NAME = 36;

/** Of one capture. */
const MAX_LINES = 8;

export function renderReplay({ captures }: ReplayReport, style: Style): string {
  const parts = [
    ...table(captures, style),
    ...decodeOnly(captures),
    ...differences(captures),
    ...faults(captures),
    ...problems(captures, style),
    '',
    verdict(captures, style),
  ];
  return parts.join('\n');
}

function table(captures: readonly CaptureResult[], style: Style): string[] {
  const width = Math.min(MAX_NAME, Math.max(7, ...captures.map(({ name }) => name.length)));
  const row = (cells: readonly string[], tint: Tint | null, of: Style): string => {
    const [name = '', kind = '', datagrams = '', delivered = '', result = ''] = cells;
    const start = `${name.padEnd(width)}  ${kind.padEnd(12)}  ${datagrams.padStart(9)}  ${delivered.padStart(11)}`;
    return `${start}  ${tint === null ? result : of.paint(tint, result)}`;
  };
  return [
    style.paint('bold', row(['Capture', 'Replay', 'Datagrams', 'Delivered', 'Result'], null, PLAIN_STYLE)),
    ...captures.map((capture) => {
      const { name, replay, datagrams, delivered, expected, ok } = capture;
      const share = replay === 'decode-only' ? '-' : `${formatCount(delivered)}/${formatCount(expected)}`;
      const cells = [clip(name), KINDS[replay], formatCount(datagrams), share, ok ? 'ok' : 'FAILED'];
      return row(cells, ok ? 'green' : 'red', style);
    }),
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
    lines.push('', `Only decoded, for ${reason}:`, ...wrapped(names.join(', ')));
  }
  return lines;
}

function differences(captures: readonly CaptureResult[]): string[] {
  const lines = captures.flatMap(({ name, replies }) => some(replies?.differ ?? [], `${name}: `));
  if (lines.length === 0) return [];
  return ['', 'What ours would have done otherwise, in time only, as no peer would mind:', ...lines];
}

function faults(captures: readonly CaptureResult[]): string[] {
  const lines: string[] = [];
  for (const { name, faults: result } of captures) {
    if (result !== undefined) lines.push(`  ${name}: ${result.verdict}`);
  }
  const first = captures.find((capture) => capture.faults !== undefined)?.faults?.faults;
  if (first === undefined) return [];
  const { loss, reorder, duplicate, seed } = first;
  const title = `With loss ${loss}, reorder ${reorder}, duplicate ${duplicate} and seed ${seed}:`;
  return ['', title, ...lines.flatMap((line) => wrapped(line.trim()))];
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

/** Indented by two, lines that continue by four. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '  ';
  for (const word of text.split(' ')) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + 1 + word.length > 80) {
      lines.push(line);
      line = `    ${word}`;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line];
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
