/** Messages by time as bars, with what went wrong above them. Positions are in percent, so that it fits any width. */
import type { Anomaly, InspectReport } from '../report.ts';
import { count, counted, duration } from '../words.ts';
import { markup, type Markup, NOTHING } from './escape.ts';

const HEIGHT = 110;
const TOP = 18;
/** Bars of one message among thousands must still be seen. */
const MIN_BAR = 1.5;

/** @param from number of intervals that are shown at least, so that a short capture has no giant bars */
export function timeline(report: InspectReport, from = 24): Markup {
  const { interval, intervals } = report.timeline;
  if (intervals.length === 0) return NOTHING;
  const slots = Math.max(from, intervals.length);
  const top = Math.max(1, ...intervals.map(({ messages }) => messages));
  const bars = intervals.map((slot, i) => {
    const x = percent(i / slots);
    const width = percent(0.86 / slots);
    const tall = (value: number): number => (value === 0 ? 0 : Math.max(MIN_BAR, (value / top) * HEIGHT));
    const bar = (kind: string, value: number): Markup => {
      const height = tall(value);
      return markup`<rect
        class="${kind}"
        x="${x}"
        width="${width}"
        y="${(TOP + HEIGHT - height).toFixed(1)}"
        height="${height.toFixed(1)}"
      />`;
    };
    if (slot.messages + slot.errors === 0) return NOTHING;
    const remarks = [
      `${duration(i * interval)}: ${counted(slot.messages, 'message')}`,
      ...(slot.retransmissions > 0 ? [`${count(slot.retransmissions)} sent again`] : []),
      ...(slot.requests > 0 ? [counted(slot.requests, 'request')] : []),
      ...(slot.errors > 0 ? [`${count(slot.errors)} did not decode`] : []),
    ].join(', ');
    return markup`<g><title>${remarks}</title>${bar('bar', slot.messages)}${slot.retransmissions > 0 ? bar('again', slot.retransmissions) : NOTHING}${slot.errors > 0 ? bar('broken', slot.errors) : NOTHING}</g>`;
  });
  const span = slots * interval;
  const bottom = TOP + HEIGHT;
  return markup`<div class="card timeline">
    <svg height="${bottom + 48}" role="img" aria-label="Messages by time">
      <text x="0" y="11">${counted(top, 'message')} in ${duration(interval)}</text>
      ${bars}
      <line class="base" x1="0" x2="100%" y1="${bottom}" y2="${bottom}" />
      ${marks(report.anomalies, span, bottom + 14)} ${axis(span, bottom + 42)}
    </svg>
    <div class="legend">
      <span><i class="k-bar"></i>messages</span><span><i class="k-again"></i>of these, sent again</span><span><i class="k-bad"></i>not decodable</span><span><i class="k-dot"></i>anomalies</span>
    </div>
  </div>`;
}

function marks(anomalies: readonly Anomaly[], span: number, y: number): Markup[] {
  return anomalies.map((anomaly, i) =>
    anomaly.n === 0
      ? NOTHING
      : markup`<a href="#a${i}"><title>${anomaly.text}</title><circle class="${anomaly.severity}" cx="${percent(clamp(anomaly.at / span))}" cy="${y}" r="5.5"
        /></a>`,
  );
}

function axis(span: number, y: number): Markup[] {
  return [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const anchor = part === 0 ? 'start' : part === 1 ? 'end' : 'middle';
    return markup`<text x="${percent(part)}" y="${y}" text-anchor="${anchor}">${part === 0 ? '0' : duration(part * span)}</text>`;
  });
}

function clamp(part: number): number {
  return Math.min(0.995, Math.max(0.005, part));
}

function percent(part: number): string {
  return `${(part * 100).toFixed(3)}%`;
}
