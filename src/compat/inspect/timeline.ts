/** Counts by time, in a bounded number of intervals: when there are too many, two become one. */
import { FIRST_INTERVAL_S, MAX_INTERVALS } from './limits.ts';
import type { IntervalReport, TimelineReport } from './report.ts';

type Counts = { -readonly [K in keyof IntervalReport]: IntervalReport[K] };

const none = (): Counts => ({ messages: 0, bytes: 0, retransmissions: 0, requests: 0, errors: 0 });

export class Timeline {
  #start: number | null = null;
  #interval = FIRST_INTERVAL_S;
  #intervals: Counts[] = [];

  /** The first record of the capture, if it is no message. */
  begin(ts: number): void {
    this.#start ??= ts;
  }

  add(ts: number, what: keyof IntervalReport, amount = 1): void {
    const at = this.#at(ts);
    const intervals = this.#intervals;
    while (intervals.length <= at) intervals.push(none());
    const counts = intervals[at];
    if (counts !== undefined) counts[what] += amount;
  }

  report(): TimelineReport {
    return { interval: this.#interval, intervals: this.#intervals };
  }

  /** What is older than the first, for frames may be out of order, counts with the first. */
  #at(ts: number): number {
    this.#start ??= ts;
    const elapsed = Math.max(0, ts - this.#start);
    while (elapsed >= this.#interval * MAX_INTERVALS) this.#double();
    return Math.min(MAX_INTERVALS - 1, Math.floor(elapsed / this.#interval));
  }

  #double(): void {
    this.#interval *= 2;
    const halved: Counts[] = [];
    this.#intervals.forEach((counts, i) => {
      const into = (halved[i >> 1] ??= none());
      for (const key of Object.keys(into) as (keyof Counts)[]) into[key] += counts[key];
    });
    this.#intervals = halved;
  }
}
