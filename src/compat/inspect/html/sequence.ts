/** A sequence diagram: two lifelines, an arrow for each message. Positions across are in percent: it fits any width. */
import type { Arrow, Diagram } from '../report.ts';
import { counted } from '../words.ts';
import { markup, type Markup, NOTHING } from './escape.ts';

const ROW = 25;
const TOP = 46;
/** Where the lifelines are; left of the first one stands the time. */
const LEFT = 23;
const RIGHT = 95;
/** How far a message gets that was lost. */
const LOST = 0.62;
/** Names that fit over the first lifeline on the narrowest page. */
const SHORT = 17;
/** What fits between the lifelines of the narrowest page. */
const MAX_LABEL = 40;

/** The anchor of an arrow, by its frame. */
export function arrowId(diagram: number, frame: number): string {
  return `d${diagram}f${frame}`;
}

export function sequence({ parties, steps }: Diagram, index: number): Markup {
  const height = TOP + steps.length * ROW + 14;
  const anchored = new Set<number>();
  const rows = steps.map((step, i) => {
    const y = TOP + (i + 1) * ROW;
    if ('omitted' in step) {
      return markup`<text x="${(LEFT + RIGHT) / 2}%" y="${y - 3}" text-anchor="middle">… ${counted(step.omitted, 'message')} left out …</text>`;
    }
    const isFirst = !anchored.has(step.n);
    anchored.add(step.n);
    return arrow(step, y, isFirst ? arrowId(index, step.n) : null);
  });
  return markup`<svg
    class="sequence"
    height="${height}"
    role="img"
    aria-label="Messages between ${parties[0]} and ${parties[1]}"
  >
    ${parties[0].length <= SHORT ? markup`<text class="party" x="${LEFT}%" y="16" text-anchor="middle">${parties[0]}</text>` : markup`<text class="party" x="0" y="16">${parties[0]}</text>`}
    <text class="party" x="100%" y="32" text-anchor="end">${parties[1]}</text>
    <line class="life" x1="${LEFT}%" x2="${LEFT}%" y1="22" y2="${height}" />
    <line class="life" x1="${RIGHT}%" x2="${RIGHT}%" y1="38" y2="${height}" />
    ${rows}
  </svg>`;
}

function arrow({ at, n, forward, tone, label, lost }: Arrow, y: number, id: string | null): Markup {
  const [from, to] = forward ? [LEFT, RIGHT] : [RIGHT, LEFT];
  const end = lost ? from + (to - from) * LOST : to;
  const tip = forward ? 'M0 0l-8 -4v8z' : 'M0 0l8 -4v8z';
  const head = lost
    ? markup`<path class="cross" d="M-4 -4l8 8m0 -8l-8 8" />`
    : markup`<path class="${tone}" d="${tip}" />`;
  const shown = label.length <= MAX_LABEL ? label : `${label.slice(0, MAX_LABEL - 1)}…`;
  const anchor = id === null ? NOTHING : markup` id="${id}"`;
  return markup`<g${anchor}><title>${at.toFixed(6)} s, frame ${n}: ${label}${lost ? ' (did not arrive)' : ''}</title>
<text x="0" y="${y + 4}">${at.toFixed(3)}</text><text class="label" x="${(LEFT + RIGHT) / 2}%" y="${y - 5}" text-anchor="middle">${shown}</text>
<line class="${tone}" x1="${from}%" x2="${end.toFixed(2)}%" y1="${y}" y2="${y}"/><svg x="${end.toFixed(2)}%" y="${y}" width="1" height="1" overflow="visible">${head}</svg></g>`;
}
