import { createHash } from 'node:crypto';

import type { Inspection } from '../inspector.ts';
import type { Anomaly, Diagram, InspectReport, PairReport } from '../report.ts';
import { bytes, count, counted, duration, plain } from '../words.ts';
import { markup, Markup, NOTHING } from './escape.ts';
import { SCRIPT } from './script.ts';
import { arrowId, sequence } from './sequence.ts';
import { STYLE } from './style.ts';
import { membersTable, pairsTable, viewsTable } from './tables.ts';
import { timeline } from './timeline.ts';

/** Sequence diagrams on one page, the most troubled ones first. */
const MAX_DIAGRAMS = 60;

/**
 * The story of a capture as one page. It loads nothing and can be opened from disk; its policy forbids all but the
 * script and style that stand in it, so that no name in the capture can do more than be read.
 * @param version of rollgate, for the footer
 */
export function renderPage({ report, diagrams }: Inspection, version: string): string {
  const drawn = drawnDiagrams(report, diagrams);
  const policy = `default-src 'none'; style-src ${hashOf(STYLE)}; script-src ${hashOf(SCRIPT)}; base-uri 'none'; form-action 'none'`;
  const title = plain(report.file.split('/').pop() ?? report.file, 80);
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title} – rollgate inspect</title>
        <style>${new Markup(STYLE)}</style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="dim">${when(report)}</p>
        </header>
        <main>
          ${summary(report)}
          <h2 id="timeline">Timeline</h2>
          ${timeline(report)}
          <h2 id="anomalies">Anomalies</h2>
          ${anomalies(report, drawn)}
          <h2 id="members">Members and versions</h2>
          <p>${census(report)}</p>
          ${membersTable(report)}
          ${
            report.views.length === 0
              ? NOTHING
              : markup`<h2 id="views">Views</h2>
                  ${viewsTable(report.views)}`
          }
          <h2 id="pairs">Pairs</h2>
          ${pairsTable(sortedPairs(report.pairs), (pair) => placeOf(pair, drawn))}
          <h2 id="diagrams">Sequence diagrams</h2>
          ${sequences(report, drawn, diagrams.length)}
        </main>
        <footer>Made by rollgate ${version}. Times are seconds since the capture’s first message.</footer>
        <script>${new Markup(SCRIPT)}</script>
      </body>
    </html>
    `.text;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function when({ start, duration: lasted }: InspectReport): string {
  if (start === null) return 'No message.';
  return `${new Date(start * 1000).toISOString().replace('T', ' ').slice(0, 23)} UTC, ${duration(lasted)}`;
}

function summary(report: InspectReport): Markup {
  const { verdict, pairs, beside, skipped } = report;
  const sum = (key: 'gaps' | 'retransmissions'): number =>
    pairs.reduce((total, pair) => total + pair[key], 0);
  const tiles: readonly (readonly [string, string])[] = [
    [count(report.messages), 'messages'],
    [bytes(report.bytes), 'of payload'],
    [count(report.members.length), 'members'],
    [count(sum('gaps')), 'lost on the way'],
    [count(sum('retransmissions')), 'sent again'],
    [count(report.undecodable), 'not decodable'],
  ];
  const others = [...Object.entries(beside), ...Object.entries(skipped)]
    .map(([name, number]) => `${count(number)} ${name}`)
    .join(', ');
  return markup`<div class="card verdict ${verdict.level}"><b>${verdict.level}</b>${verdict.text}</div>
    <div class="tiles">
      ${tiles.map(([figure, name]) => markup`<div><b>${figure}</b><span>${name}</span></div>`)}
    </div>
    ${others === '' ? NOTHING : markup`<p class="dim">Beside them: ${others}.</p>`}`;
}

function census({ versions }: InspectReport): string {
  const parts = versions.map(({ version, members, messages }) => {
    const name = /^\d/.test(version) ? `JGroups ${version}` : version;
    return `${name}: ${counted(members, 'member')}, ${counted(messages, 'message')}`;
  });
  return parts.length === 0 ? 'None.' : `${parts.join('; ')}.`;
}

function anomalies({ anomalies: all, leftOut }: InspectReport, drawn: readonly Diagram[]): Markup {
  if (all.length === 0) return markup`<div class="card">Nothing out of the ordinary was seen.</div>`;
  const items = all.map((anomaly, i) => {
    const place = anomalyPlace(anomaly, drawn);
    const link = place === null ? NOTHING : markup` <a href="#${place}">show</a>`;
    return markup`<li id="a${i}">
      <time>${anomaly.at.toFixed(3)} s</time><span class="tag ${anomaly.severity}">${anomaly.severity}</span>
      <div class="what">
        <p>${anomaly.text}${link}</p>
        <p class="dim">${anomaly.meaning}</p>
      </div>
    </li>`;
  });
  const rest =
    leftOut.anomalies > 0
      ? markup`<p class="dim">And ${count(leftOut.anomalies)} more of these kinds.</p>`
      : NOTHING;
  return markup`<ol class="card scroll anomalies">
      ${items}
    </ol>
    ${rest}`;
}

/** The arrow of its frame, or else the diagram of its pair. */
function anomalyPlace({ pair, n }: Anomaly, drawn: readonly Diagram[]): string | null {
  const index = drawn.findIndex((diagram) =>
    pair === null ? hasFrame(diagram, n) : diagram.pairs.includes(pair),
  );
  const diagram = drawn[index];
  if (diagram === undefined) return null;
  return hasFrame(diagram, n) ? arrowId(index, n) : `d${index}`;
}

function hasFrame(diagram: Diagram, n: number): boolean {
  return n > 0 && diagram.steps.some((step) => !('omitted' in step) && step.n === n);
}

function placeOf(pair: string, drawn: readonly Diagram[]): string | null {
  const index = drawn.findIndex((diagram) => diagram.pairs.includes(pair));
  return index < 0 ? null : `d${index}`;
}

function trouble(pair: PairReport): number {
  return pair.gaps + pair.retransmissions + pair.unrepaired + pair.stalls.count + pair.stalls.open;
}

function sortedPairs(pairs: readonly PairReport[]): PairReport[] {
  return [...pairs].sort((a, b) => trouble(b) - trouble(a) || b.messages - a.messages);
}

function drawnDiagrams({ pairs }: InspectReport, diagrams: readonly Diagram[]): Diagram[] {
  const rank = new Map(sortedPairs(pairs).map((pair, i) => [pair.id, i]));
  const best = (diagram: Diagram): number =>
    Math.min(Infinity, ...diagram.pairs.map((pair) => rank.get(pair) ?? Infinity));
  return [...diagrams].sort((a, b) => best(a) - best(b)).slice(0, MAX_DIAGRAMS);
}

function sequences({ pairs }: InspectReport, drawn: readonly Diagram[], total: number): Markup {
  const byId = new Map(pairs.map((pair) => [pair.id, pair]));
  const details = drawn.map((diagram, i) => {
    const own = diagram.pairs.flatMap((pair) => byId.get(pair) ?? []);
    const lost = own.reduce((sum, pair) => sum + pair.gaps, 0);
    const messages = own.reduce((sum, pair) => sum + pair.messages, 0);
    const figures = `${counted(messages, 'message')}${lost > 0 ? `, ${count(lost)} lost on the way` : ''}`;
    const open = i === 0 ? new Markup(' open') : NOTHING;
    return markup`<details class="card" id="d${i}" ${open}>
      <summary>
        <b>${diagram.parties[0]} ↔ ${diagram.parties[1]}</b><span class="dim">${figures}</span>
      </summary>
      ${sequence(diagram, i)}
    </details>`;
  });
  const rest =
    total > drawn.length
      ? markup`<p class="dim">And ${count(total - drawn.length)} more pairs of members, without a diagram.</p>`
      : NOTHING;
  return markup`<div class="controls" hidden>
      <button id="open" type="button">Open all</button><button id="close" type="button">Close all</button>
    </div>
    <div class="legend">
      <span><i class="k-data"></i>message</span><span><i class="k-again"></i>sent again</span><span><i class="k-bad"></i>request, or lost (cross)</span><span><i class="k-ack"></i>acknowledgement</span><span><i class="k-credit"></i>credits</span>
    </div>
    <p class="dim">
      Each shows how a conversation begins, and then what is of note with what came just before.
    </p>
    ${details}${rest}`;
}
