import Table from 'cli-table3';

import type { MemberRow, MemberState, RehearsalProgress } from '../rehearsal/types.ts';
import { formatBytes, formatClock, formatShortCount } from './format.ts';
import type { Style, Tint } from './style.ts';

/** The live picture of a rehearsal as text: a function of what the engine said last and of the terminal's size. */

export interface Frame {
  readonly style: Style;
  /** Size of the terminal in characters. */
  readonly columns: number;
  readonly rows: number;
}

const STATE_TINT: Readonly<Record<MemberState, Tint>> = {
  starting: 'yellow',
  up: 'green',
  leaving: 'yellow',
  left: 'dim',
  killed: 'red',
};

/** Lines around the table: bar, blank, heading, rule, blank, sums, and the one where the cursor rests. */
const LINES_AROUND = 7;

/** Below this width the table shows ports instead of addresses: with them it has 79 columns. */
const WIDE_COLUMNS = 92;

/** A bar's width; what stands beside it takes the rest of 80 columns. */
const BAR_COLUMNS = 24;

/** Bar, table and sums. */
export function renderProgress(progress: RehearsalProgress, elapsedMs: number, frame: Frame): string {
  const { style } = frame;
  return [
    renderBar(progress, elapsedMs, frame),
    '',
    renderTable(fitRows(progress.rows, frame.rows - LINES_AROUND), frame),
    '',
    style.paint(
      'dim',
      `${progress.upgraded} of ${progress.members} upgraded; at our own sockets ` +
        `${formatBytes(progress.bytesUdp)} by UDP, ${formatBytes(progress.bytesTcp)} by TCP`,
    ),
  ].join('\n');
}

/** `████████░░░░  47%  0:23  upgrading m2 (2 of 4)`. */
export function renderBar(
  progress: Pick<RehearsalProgress, 'fraction' | 'phase'>,
  elapsedMs: number,
  { style, columns }: Frame,
): string {
  const fraction = Math.min(1, Math.max(0, progress.fraction));
  const [full, empty] = style.unicode ? ['█', '░'] : ['#', '.'];
  const filled = Math.floor(fraction * BAR_COLUMNS);
  const bar =
    style.paint('green', full.repeat(filled)) + style.paint('dim', empty.repeat(BAR_COLUMNS - filled));
  const percent = `${Math.floor(fraction * 100)}%`.padStart(4);
  const facts = `${percent}  ${formatClock(elapsedMs)}  `;
  const room = columns - BAR_COLUMNS - 1 - facts.length - 1;
  return `${bar} ${facts}${style.paint('bold', clip(progress.phase, room))}`;
}

/** Members that are gone make room first: their figures no longer change. */
function fitRows(rows: readonly MemberRow[], room: number): { shown: readonly MemberRow[]; hidden: number } {
  if (rows.length <= room) return { shown: rows, hidden: 0 };
  const isGone = (row: MemberRow): boolean => row.state === 'left' || row.state === 'killed';
  let excess = rows.length - Math.max(1, room - 1); // a line says how many are hidden
  const kept = rows.filter((row) => !isGone(row) || excess-- <= 0);
  const shown = kept.slice(0, Math.max(1, room - 1));
  return { shown, hidden: rows.length - shown.length };
}

function renderTable(rows: ReturnType<typeof fitRows>, { style, columns }: Frame): string {
  const portOnly = columns < WIDE_COLUMNS && onOneHost(rows.shown);
  const table = new Table({
    head: HEADINGS.map((heading) => (heading === 'address' && portOnly ? 'port' : heading)),
    // the widest that each can become, so that the columns stay where they are from one picture to the next
    colWidths: [null, portOnly ? 5 : null, 15, 7, 8, 7, 8, 9],
    colAligns: ['left', 'left', 'left', 'left', 'left', 'right', 'right', 'right'],
    chars: { ...NO_LINES, middle: columns < 79 ? ' ' : '  ' },
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows.shown) table.push(cells(row, portOnly, style));
  const [head = '', ...lines] = table.toString().split('\n');
  const rule = (style.unicode ? '─' : '-').repeat(head.length);
  if (rows.hidden > 0) lines.push(style.paint('dim', `and ${rows.hidden} more`));
  return [style.paint('bold', head), style.paint('dim', rule), ...lines].join('\n');
}

const HEADINGS = ['member', 'address', 'version', 'stack', 'state', 'sent', 'received', 'in flight'] as const;

const NO_LINES: Readonly<Record<Table.CharName, string>> = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

function cells(row: MemberRow, portOnly: boolean, style: Style): string[] {
  const [address, version, stack] = [
    portOnly ? row.address.slice(row.address.lastIndexOf(':') + 1) : row.address,
    row.version,
    row.stack,
  ].map((text) => (text === '' ? '-' : text)) as [string, string, string];
  return [
    clip(row.name, 16),
    address,
    version,
    stack === 'TCP' ? style.paint('green', stack) : stack,
    style.paint(STATE_TINT[row.state], row.state),
    formatShortCount(row.sent),
    formatShortCount(row.received),
    formatShortCount(row.inFlight),
  ];
}

function onOneHost(rows: readonly MemberRow[]): boolean {
  const hosts = rows
    .filter(({ address }) => address !== '')
    .map(({ address }) => address.slice(0, address.lastIndexOf(':')));
  return new Set(hosts).size <= 1;
}

function clip(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 3))}...`;
}
