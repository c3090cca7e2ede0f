import type { RehearsalOptions, RehearsalReport } from '../rehearsal/types.ts';
import type { CliContext } from './context.ts';
import { formatBytes, formatCount, formatDuration, formatPercent, formatSize } from './format.ts';
import type { Style } from './style.ts';

/** What `rollgate rehearse` says before and after the run, for people and for programs. */

/** What stands above the run; with the seed, so that even a run that is cut short can be repeated. */
export function renderIntroduction(options: RehearsalOptions): string {
  const { members, rate, size, kill, seed } = options;
  const faults = (['loss', 'duplicate', 'reorder'] as const)
    .filter((name) => options[name] > 0)
    .map((name) => `${name} ${formatPercent(options[name])}`);
  return [
    `Upgrade rehearsal: ${members} members, ${formatCount(rate)} messages/s each, ${formatSize(size)}, seed ${seed}`,
    ...(faults.length > 0 ? [`Injected at our UDP sockets: ${faults.join(', ')}`] : []),
    ...(kill ? ['Old members are killed instead of leaving'] : []),
  ].join('\n');
}

/** The one JSON object of `--json`, in one line. Keys are append-only. */
export function renderJson(report: RehearsalReport, seed: number): string {
  return JSON.stringify({
    oldPeers: report.oldPeers,
    oldVersion: report.oldVersion,
    members: report.members,
    sent: report.sent,
    delivered: report.delivered,
    lost: report.lost,
    duplicated: report.duplicated,
    reordered: report.reordered,
    corrupt: report.corrupt,
    memberLeft: report.memberLeft,
    udpRetired: report.udpRetired,
    udpRetiredAtMs: report.udpRetiredAtMs,
    bytesUdp: report.bytesUdp,
    bytesTcp: report.bytesTcp,
    durationMs: report.durationMs,
    ok: report.ok,
    problems: report.problems,
    seed,
  });
}

/** The report for people. `repeat` is the command line that repeats the run. */
export function renderReport(report: RehearsalReport, repeat: string, style: Style): string {
  const seconds = report.durationMs / 1000;
  const rate = seconds > 0 ? `${formatCount(Math.round(report.delivered / seconds))} a second` : '';
  const bad = (count: number): string => style.paint(count === 0 ? 'green' : 'red', formatCount(count));
  const lines: (readonly [string, string, string])[] = [
    ['sent', formatCount(report.sent), `in ${formatDuration(report.durationMs)}`],
    ['delivered', formatCount(report.delivered), rate],
    ['lost', bad(report.lost), ''],
    ['duplicated', bad(report.duplicated), ''],
    ['reordered', bad(report.reordered), ''],
    ['corrupt', bad(report.corrupt), ''],
    ['member left', formatCount(report.memberLeft), 'undelivered, for recipient or killed sender left'],
    ['bytes by UDP', formatBytes(report.bytesUdp), 'sent and received at our own sockets'],
    ['bytes by TCP', formatBytes(report.bytesTcp), ''],
  ];
  const verdict = style.paint(
    'bold',
    style.paint(report.ok ? 'green' : 'red', report.ok ? 'PASSED' : 'FAILED'),
  );
  const [first = '', ...others] = renderVerdict(report);
  const parts = [
    describePeers(report),
    '',
    ...align(lines, style),
    '',
    `${verdict}  ${first}`,
    ...others.map((sentence) => `        ${sentence}`),
  ];
  if (!report.ok) {
    parts.push(
      ...report.problems.map((problem) => `        - ${problem}`),
      '',
      'To repeat this run:',
      `  ${repeat}`,
    );
  }
  return parts.join('\n');
}

/** What came out, in sentences. */
export function renderVerdict(report: RehearsalReport): string[] {
  const counts = (['lost', 'duplicated', 'reordered', 'corrupt'] as const)
    .filter((name) => report[name] > 0)
    .map((name) => `${formatCount(report[name])} ${name}`);
  const broken = `The contract was broken: ${counts.join(', ')}.`;
  const messages = counts.length > 0 ? broken : 'Nothing was lost, duplicated or reordered.';
  return [messages, ...describeUndelivered(report), describeRetirement(report)];
}

/** Not part of the contract, but nobody shall overlook it. */
function describeUndelivered({ memberLeft, sent }: RehearsalReport): string[] {
  if (memberLeft === 0) return [];
  const share = formatPercent(memberLeft / sent);
  return [`Not delivered because members left: ${formatCount(memberLeft)} messages, ${share}.`];
}

function describeRetirement({ udpRetired, udpRetiredAtMs }: RehearsalReport): string {
  if (!udpRetired) return 'UDP was not retired.';
  if (udpRetiredAtMs === null) return 'UDP was retired.';
  return `UDP was retired ${formatDuration(udpRetiredAtMs)} after traffic began.`;
}

function describePeers({ members, oldPeers, oldVersion }: RehearsalReport): string {
  const peers = oldPeers === 'jvm' ? `JGroups ${oldVersion} in real JVMs` : `embedded ${oldVersion} members`;
  return `${members} members were upgraded from ${peers} to rollgate.`;
}

function align(lines: readonly (readonly [string, string, string])[], style: Style): string[] {
  const width = Math.max(...lines.map(([, value]) => visibleLength(value)));
  return lines.map(([name, value, remark]) => {
    const padded = ' '.repeat(width - visibleLength(value)) + value;
    return `  ${name.padEnd(12)}  ${padded}  ${style.paint('dim', remark)}`.trimEnd();
  });
}

function visibleLength(text: string): number {
  return text.replace(/\u001B\[\d+m/g, '').length;
}

/** The command that repeats a run, begun in the way in which this one was. */
export function renderRepeat(options: RehearsalOptions, env: CliContext['env']): string {
  const { members, rate, size, old, oldVersion, kill, seed } = options;
  const faults = (['loss', 'duplicate', 'reorder'] as const)
    .filter((name) => options[name] > 0)
    .map((name) => `--${name} ${options[name]}`);
  return [
    startedBy(env),
    `--members ${members} --rate ${rate} --size ${size}`,
    ...faults,
    ...(kill ? ['--kill'] : []),
    `--old ${old} --old-version ${oldVersion} --seed ${seed}`,
  ].join(' ');
}

function startedBy(env: CliContext['env']): string {
  if (env['npm_lifecycle_event'] === 'start') return 'npm start --';
  if (env['npm_command'] === 'exec') return 'npx --no-install rollgate rehearse';
  return 'rollgate rehearse';
}
