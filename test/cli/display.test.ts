import test from 'ava';

import type { CliContext, OutputStream } from '../../src/cli/context.ts';
import { formatBytes, formatDuration, formatShortCount, formatSize } from '../../src/cli/format.ts';
import { LiveDisplay } from '../../src/cli/live-display.ts';
import { createLog } from '../../src/cli/log.ts';
import { PlainDisplay } from '../../src/cli/plain-display.ts';
import { renderRepeat, renderReport } from '../../src/cli/rehearsal-report.ts';
import { type Frame, renderProgress } from '../../src/cli/rehearsal-table.ts';
import { PLAIN_STYLE, styleFor } from '../../src/cli/style.ts';
import type { MemberRow, MemberState, RehearsalOptions } from '../../src/rehearsal/types.ts';
import { fakeProgress, fakeReport, fakeRow } from './fixtures/fake-engine.ts';

const frame: Frame = { style: PLAIN_STYLE, columns: 80, rows: 24 };
const colorful = styleFor({ isTTY: true, write: () => true }, { LANG: 'C.UTF-8' }, true);
const withoutColors = (text: string): string => text.replace(/\u001B\[\d+m/g, '');

/** A terminal that keeps what it was given. */
class Terminal implements OutputStream {
  readonly isTTY = true;
  readonly columns = 80;
  readonly rows = 24;
  written = '';
  write(text: string): boolean {
    this.written += text;
    return true;
  }
}

/** What a terminal that knows the sequences of log-update shows: the text between the erasures that remains. */
function screenOf(written: string): string[] {
  const lines = [''];
  let row = 0;
  let column = 0;
  for (const [token, parameters, command] of written.matchAll(
    /\u001B\[([\d;?]*)([A-Za-z])|\n|[^\u001B\n]/g,
  )) {
    if (token === '\n') {
      row++;
      column = 0;
      lines[row] ??= '';
    } else if (command === undefined) {
      const line = (lines[row] ?? '').padEnd(column);
      lines[row] = line.slice(0, column) + token + line.slice(column + 1);
      column++;
    } else {
      const count = Number(parameters === '' ? 1 : parameters);
      if (command === 'A') row -= count;
      else if (command === 'B') row += count;
      else if (command === 'G') column = count - 1;
      else if (command === 'E') [row, column] = [row + count, 0];
      else if (command === 'K') lines[row] = parameters === '2' ? '' : (lines[row] ?? '').slice(0, column);
      else if (command === 'J') {
        lines[row] = (lines[row] ?? '').slice(0, column);
        lines.length = row + 1;
      } else if (!'mhl'.includes(command)) throw new Error(`unknown sequence ${JSON.stringify(token)}`);
    }
  }
  return lines;
}

test('the table of a usual run, as 80 columns show it', (t) => {
  t.is(
    renderProgress(fakeProgress(), 23_456, frame),
    [
      '###########.............  47%  0:23  upgrading m2 (2 of 4)',
      '',
      'member  port   version          stack    state        sent  received  in flight',
      '-------------------------------------------------------------------------------',
      'm1      41001  rollgate         UDP+TCP  up         12,345    12,340          5',
      'm2      41002  JGroups 3.6.14   UDP      leaving    12,345    12,340          5',
      'm3      41003  JGroups 3.6.14   UDP      up         12,345    12,340          5',
      'm4      41004  JGroups 3.6.14   UDP      up         12,345    12,340          5',
      '',
      '1 of 4 upgraded; at our own sockets 12.3 MB by UDP, 1.23 kB by TCP',
    ].join('\n'),
  );
});

test('a wide terminal shows addresses', (t) => {
  const text = renderProgress(fakeProgress(), 0, { ...frame, columns: 120 });
  t.true(text.includes('address'));
  t.true(text.includes('127.0.0.1:41004  JGroups 3.6.14'));
});

test('colors change nothing but colors', (t) => {
  const style = { ...colorful, unicode: false };
  const text = renderProgress(fakeProgress(), 23_456, { ...frame, style });
  t.true(text.includes('\u001B[32mup\u001B[39m'));
  t.is(withoutColors(text), renderProgress(fakeProgress(), 23_456, frame));
});

const states: readonly MemberState[] = ['starting', 'up', 'leaving', 'left', 'killed'];

test('the widest figures and words keep to 80 columns, and 20 members to 24 lines', (t) => {
  const rows = Array.from({ length: 20 }, (_, i): MemberRow => {
    const state = states[i % states.length] ?? 'up';
    const figures = { sent: 999_999, received: 123_456_789, inFlight: 1_234_567 };
    return fakeRow(i + 1, { version: 'embedded 3.6.14', stack: 'UDP+TCP', state, ...figures });
  });
  const phase = 'a phase with so many words that they are more than a line of eighty columns can hold';
  const text = renderProgress(fakeProgress({ rows, phase, members: 20 }), 3_600_000, frame);
  const lines = text.split('\n');
  t.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
  t.true(lines.length < 24);
  t.true(text.includes('and 4 more'));
  t.true(text.includes('\nm20 '));
});

test('a member between two lives has no address, and a fraction out of range does no harm', (t) => {
  const gone = fakeRow(2, { address: '', version: '', stack: '', state: 'left' });
  const rows = [fakeRow(1), gone];
  const text = renderProgress(fakeProgress({ rows, fraction: 1.5 }), 0, frame);
  t.true(text.includes('m2      -      -                -        left '));
  t.true(text.startsWith('######################## 100%'));
  t.true(
    renderProgress(fakeProgress({ fraction: -1 }), 0, frame).startsWith('........................   0%'),
  );
});

test('the live display redraws in place, and notes and log lines stay above it', (t) => {
  const terminal = new Terminal();
  let nowMs = 0;
  const display = new LiveDisplay(terminal, () => nowMs, PLAIN_STYLE);
  display.tick();
  t.true(terminal.written.includes('getting ready'));
  display.note('first note');
  display.progress(fakeProgress());
  display.aside(() => terminal.write('a warning\n'));
  nowMs = 61_000;
  display.progress(fakeProgress({ phase: 'waiting for the last messages', fraction: 1, rows: [fakeRow(1)] }));
  display.finish();
  terminal.write('\nthe report\n');
  display.tick(); // too late: changes nothing
  const screen = screenOf(terminal.written).map((line) => line.trimEnd());
  t.deepEqual(screen.slice(0, 3), [
    '* first note',
    'a warning',
    '######################## 100%  1:01  waiting for the last messages',
  ]);
  t.is(screen.filter((line) => line.startsWith('m')).length, 2); // heading and one row
  t.is(
    screen.findLast((line) => line !== ''),
    'the report',
  );
});

test('plain lines: phases at once, otherwise one every five seconds', (t) => {
  let nowMs = 0;
  let written = '';
  const display = new PlainDisplay({ write: (text) => (written += text) }, () => nowMs);
  const take = (): string => {
    const taken = written;
    written = '';
    return taken;
  };
  display.progress(fakeProgress());
  t.is(
    take(),
    '   0.0 s   47%  upgrading m2 (2 of 4): received 49,360, in flight 20, 12.3 MB by UDP, 1.23 kB by TCP\n',
  );
  nowMs = 4_900;
  display.progress(fakeProgress());
  display.tick();
  t.is(take(), '');
  nowMs = 5_000;
  display.tick();
  t.regex(take(), /^ {3}5\.0 s {3}47% /);
  nowMs = 5_100;
  display.progress(fakeProgress({ phase: 'upgrading m3 (3 of 4)' }));
  t.regex(take(), /upgrading m3/);
  display.note('UDP was retired');
  t.is(take(), '   5.1 s  UDP was retired\n');
});

test('a log line can neither steer the terminal nor pass for another one', (t) => {
  const lines: string[] = [];
  const log = createLog('warn', (line) => lines.push(line));
  log.warn('a name like \u001B[2J\u009Bx\r\n12:00:00 error: forged');
  t.is(lines.length, 1);
  t.regex(
    lines[0] ?? '',
    /^\d\d:\d\d:\d\d warn: a name like \\x1b\[2J\\x9bx\\x0d\n {4}12:00:00 error: forged\n$/,
  );
});

test('colors: only on a terminal, and not against --no-color, NO_COLOR or TERM=dumb', (t) => {
  const terminal = new Terminal();
  const painted = (stream: OutputStream, env: CliContext['env'], want: boolean): boolean =>
    styleFor(stream, env, want).paint('red', 'x') !== 'x';
  t.true(painted(terminal, {}, true));
  t.true(painted(terminal, { NO_COLOR: '' }, true));
  t.false(painted(terminal, { NO_COLOR: '1' }, true));
  t.false(painted(terminal, { TERM: 'dumb' }, true));
  t.false(painted(terminal, {}, false));
  t.false(painted({ write: () => true }, {}, true));
});

test('signs beyond ASCII only where the locale has them', (t) => {
  const unicode = (env: CliContext['env'], platform = 'linux'): boolean =>
    styleFor(new Terminal(), env, true, platform).unicode;
  t.true(unicode({ LANG: 'de_DE.UTF-8' }));
  t.true(unicode({ LC_ALL: '', LC_CTYPE: 'C.utf8' }));
  t.false(unicode({ LC_ALL: 'C', LANG: 'en_US.UTF-8' }));
  t.false(unicode({}));
  t.true(unicode({}, 'win32'));
});

test('the report of a run that held', (t) => {
  t.is(
    renderReport(fakeReport(), 'rollgate rehearse', PLAIN_STYLE),
    [
      '4 members were upgraded from embedded 3.6.14 members to rollgate.',
      '',
      '  sent           24,012  in 30.0 s',
      '  delivered      24,000  800 a second',
      '  lost                0',
      '  duplicated          0',
      '  reordered           0',
      '  corrupt             0',
      '  member left        12  undelivered, for recipient or killed sender left',
      '  bytes by UDP  12.3 MB  sent and received at our own sockets',
      '  bytes by TCP  20.0 MB',
      '',
      'PASSED  Nothing was lost, duplicated or reordered.',
      '        Not delivered because members left: 12 messages, 0.05 %.',
      '        UDP was retired 12.3 s after traffic began.',
    ].join('\n'),
  );
});

test('the report in color is the same text, aligned', (t) => {
  const report = fakeReport({
    oldPeers: 'jvm',
    lost: 1_000,
    reordered: 2,
    ok: false,
    problems: ['a problem'],
  });
  const text = renderReport(report, 'again', colorful);
  t.is(withoutColors(text), renderReport(report, 'again', PLAIN_STYLE));
  t.true(text.includes('\u001B[31m1,000\u001B[39m'));
  t.true(withoutColors(text).includes('The contract was broken: 1,000 lost, 2 reordered.'));
  t.true(withoutColors(text).includes('from JGroups 3.6.14 in real JVMs to rollgate'));
});

test('the command that repeats a run is that by which it was begun', (t) => {
  const options: RehearsalOptions = {
    members: 3,
    rate: 5,
    size: 36,
    loss: 0,
    duplicate: 0.02,
    reorder: 0,
    kill: false,
    old: 'jvm',
    oldVersion: '3.6.20',
    seed: 0,
  };
  const flags = '--members 3 --rate 5 --size 36 --duplicate 0.02 --old jvm --old-version 3.6.20 --seed 0';
  t.is(renderRepeat(options, {}), `rollgate rehearse ${flags}`);
  t.is(renderRepeat(options, { npm_lifecycle_event: 'start' }), `npm start -- ${flags}`);
  t.is(renderRepeat(options, { npm_command: 'exec' }), `npx --no-install rollgate rehearse ${flags}`);
});

test('figures for people', (t) => {
  t.deepEqual([0, 999_999, 1_000_000, 12_345_678, 999_999_999].map(formatShortCount), [
    '0',
    '999,999',
    '1.00M',
    '12.3M',
    '1.00G',
  ]);
  t.deepEqual([0, 999, 1_000, 31_500_000].map(formatBytes), ['0 B', '999 B', '1.00 kB', '31.5 MB']);
  t.deepEqual([36, 1_024, 150_000, 16_777_216].map(formatSize), ['36 B', '1 KiB', '146.5 KiB', '16 MiB']);
  t.deepEqual([0, 12_345, 59_960, 125_000].map(formatDuration), [
    '0.0 s',
    '12.3 s',
    '1 min 00 s',
    '2 min 05 s',
  ]);
});
