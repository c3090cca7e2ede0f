import type { Result } from './cells.ts';
import { NETWORKS } from './specs.ts';

/** `pair 3.6.14 5 %` is a row of its kind in the column of its versions and network. */
interface Column {
  readonly versions: string;
  readonly network: string;
}

const MARK: Readonly<Record<Result['status'], string>> = { ok: 'ok', failed: 'FAILED', skipped: 'skipped' };

const HEADINGS: Readonly<Record<string, string>> = {
  pair: "A pair, Geode's stack without multicast, receive buffer of the JVM 64 KiB",
  group: 'Groups, group messages by a datagram for each member (`ip_mcast=false`)',
  multicast: 'Groups, group messages by IP multicast',
  credits: 'Groups of three, credits of 20,000 bytes',
  confirmed: 'Groups of three with RSVP',
};

/** A table for each kind of group: a row for each feature and direction. */
export function tables(results: readonly Result[]): string {
  return Object.keys(HEADINGS)
    .filter((kind) => results.some(({ group }) => group.startsWith(`${kind} `)))
    .map(
      (kind) =>
        `## ${HEADINGS[kind] ?? kind}\n\n${table(results.filter(({ group }) => group.startsWith(`${kind} `)))}`,
    )
    .join('\n\n');
}

function table(results: readonly Result[]): string {
  const columns = columnsOf(results);
  const rows = new Map<string, Map<string, Result['status']>>();
  for (const { feature, direction, group, status } of results) {
    const key = `${feature} | ${direction}`;
    const row = rows.get(key) ?? new Map<string, Result['status']>();
    rows.set(key, row);
    const { versions, network } = columnOf(group);
    const column = `${versions} ${network}`;
    if (row.get(column) !== 'failed') row.set(column, status);
  }
  const body = [...rows].map(([key, row]) => [
    ...key.split(' | '),
    ...columns.map(({ versions, network }) => {
      const status = row.get(`${versions} ${network}`);
      return status === undefined ? '' : MARK[status];
    }),
  ]);
  const head = ['feature', 'direction', ...columns.map(({ versions, network }) => `${versions}, ${network}`)];
  return layOut([head, ...body]);
}

function columnsOf(results: readonly Result[]): Column[] {
  const found = new Map(results.map(({ group }) => [group, columnOf(group)]));
  const order = NETWORKS.map(({ name }) => name as string);
  return [...found.values()].sort(
    (a, b) => a.versions.localeCompare(b.versions) || order.indexOf(a.network) - order.indexOf(b.network),
  );
}

function columnOf(group: string): Column {
  const [, versions = '', ...network] = group.split(' ');
  return { versions, network: network.join(' ') };
}

/** Markdown, as prettier would have it. */
function layOut(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, i) => Math.max(3, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, i) => (row[i] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.slice(1).map(line)].join('\n');
}

export function summary(results: readonly Result[]): string {
  const count = (status: Result['status']): number =>
    results.filter((result) => result.status === status).length;
  return `${count('ok')} cells ok, ${count('failed')} failed, ${count('skipped')} skipped`;
}

/** docs/conformance.md: nothing in it changes from one run to the next but what went wrong. */
export function matrixDocument(results: readonly Result[]): string {
  const messages = results.filter(({ status }) => status === 'ok').length;
  return `# Conformance with live JGroups members

Written by \`npm run conformance\` (a full run of it; see [development.md](development.md)). Our legacy stack and real
JGroups 3.6.14 and 3.6.20 members with Geode's own stack files, each a process of its own in a network namespace of its
own. A column is a version and a network: "clean", or a share of the datagrams that nftables drops at each receiver,
with 2 % of our datagrams twice and 5 % of them late, in both directions. "mixed" are groups of 3 to 6 members
with both versions; all others are a pair, or a group of two real members and one of ours.

A cell is ok if everything that was sent was delivered exactly once, in order where it has an order, with its payload
intact, by the recipient's own log (unreliable messages: no more than was sent, and no fewer than the loss allows), for
all pairs of members of that direction. "JVM -> JVM" is the control: two real members on the same network.

${summary(results)}; ${messages === results.length ? 'nothing is left out' : 'see below'}.

${tables(results)}
`;
}
