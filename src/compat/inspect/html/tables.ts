/** The tables of the page. */
import type { InspectReport, MemberReport, PairReport, ViewReport } from '../report.ts';
import { bytes, count, duration, listed } from '../words.ts';
import { markup, type Markup, NOTHING } from './escape.ts';

/** Rows of each table; beyond, `rollgate inspect --json` has them. */
const MAX_ROWS = 200;

export function membersTable({ members }: InspectReport): Markup {
  const rows = members.slice(0, MAX_ROWS).map(
    (member) =>
      markup`<tr>
        <td>${member.label}</td>
        <td>${member.name ?? '–'}</td>
        <td>${Object.keys(member.versions).join(', ') || '–'}</td>
        <td>${geode(member)}</td>
        <td>${ADDRESS[member.address]}</td>
        <td>${listed(member.clusters) || '–'}</td>
        <td class="n">${count(member.sent)}</td>
        <td class="n">${count(member.received)}</td>
      </tr>`,
  );
  return table(
    ['Member', 'Name', 'JGroups', 'Geode', 'Address', 'Cluster', '>Sent', '>Received'],
    rows,
    members.length,
  );
}

const ADDRESS: Readonly<Record<MemberReport['address'], string>> = {
  geode: 'with host and port',
  uuid: 'plain UUID',
  endpoint: 'not said',
};

function geode({ geodeOrdinal, geodeRelease }: MemberReport): string {
  if (geodeOrdinal === null) return '–';
  return geodeRelease === null ? String(geodeOrdinal) : `${geodeRelease} (${geodeOrdinal})`;
}

export function viewsTable(views: readonly ViewReport[]): Markup {
  const rows = views.slice(0, MAX_ROWS).map(
    (view) =>
      markup`<tr>
        <td class="n">${view.at.toFixed(3)}</td>
        <td class="n">${view.id}</td>
        <td>${view.creator}</td>
        <td class="n">${view.size || '–'}</td>
        <td class="text">${changes(view)}</td>
        <td>${view.source}</td>
      </tr>`,
  );
  return table(['>Time (s)', '>View', 'Made by', '>Members', 'Changes', 'Seen in'], rows, views.length);
}

function changes({ joined, left, members }: ViewReport): string {
  const parts = [
    ...(joined.length > 0 ? [`joined: ${listed(joined, 12)}`] : []),
    ...(left.length > 0 ? [`left: ${listed(left, 12)}`] : []),
  ];
  return parts.length > 0 ? parts.join('; ') : listed(members, 12);
}

/** @param place where a pair's diagram is, if it has one */
export function pairsTable(pairs: readonly PairReport[], place: (pair: string) => string | null): Markup {
  const rows = pairs.slice(0, MAX_ROWS).map((pair) => {
    const href = place(pair.id);
    const name = `${pair.from} → ${pair.to}`;
    const { repair, ackLatency, stalls, fragmented } = pair;
    const stalled = stalls.count + stalls.open;
    return markup`<tr>
      <td>${href === null ? name : markup`<a href="#${href}">${name}</a>`}</td>
      <td>${pair.kind === 'group' ? 'group' : pair.transport.toUpperCase()}</td>
      <td class="n">${count(pair.messages)}</td>
      <td class="n">${bytes(pair.bytes)}</td>
      ${figure(pair.gaps)}${figure(pair.unrepaired)}${figure(pair.retransmissions, false)}
      <td>${askers(pair)}</td>
      <td class="n">${repair.max === null ? '–' : duration(repair.max)}</td>
      ${figure(pair.duplicates, false)}
      <td class="n">${ackLatency.mean === null ? '–' : duration(ackLatency.mean)}</td>
      ${figure(stalled)}
      <td class="n">
        ${fragmented.complete + fragmented.incomplete === 0 ? '–' : `${fragmented.complete} of ${fragmented.complete + fragmented.incomplete}`}
      </td>
    </tr>`;
  });
  const head = [
    'From → to',
    'By',
    '>Messages',
    '>Bytes',
    '>Lost',
    '>Not repaired',
    '>Sent again',
    'Asked for by',
    '>Repair, max.',
    '>Copies',
    '>Ack. after',
    '>Credit stalls',
    '>Fragmented',
  ];
  return table(head, rows, pairs.length);
}

function askers({ askers: all }: PairReport): string {
  return (
    listed(
      Object.entries(all).map(([who, seqnos]) => `${who} (${seqnos})`),
      3,
    ) || '–'
  );
}

function figure(value: number, isBad = true): Markup {
  return value === 0
    ? markup`<td class="n">–</td>`
    : markup`<td class="n${isBad ? ' bad' : ''}">${count(value)}</td>`;
}

/** A heading that begins with > is that of figures. */
function table(head: readonly string[], rows: readonly Markup[], total: number): Markup {
  const titles = head.map((title) =>
    title.startsWith('>') ? markup`<th class="n">${title.slice(1)}</th>` : markup`<th>${title}</th>`,
  );
  const hidden = total - rows.length;
  const rest = hidden > 0 ? markup`<p class="dim">And ${count(hidden)} more.</p>` : NOTHING;
  return markup`<div class="card scroll">
      <table>
        <thead>
          <tr>
            ${titles}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    ${rest}`;
}
