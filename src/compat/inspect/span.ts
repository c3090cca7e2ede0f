import type { Span } from './report.ts';

/** Mean and maximum of durations, in seconds. */
export class SpanSum {
  #count = 0;
  #sum = 0;
  #max = 0;

  add(seconds: number): void {
    const value = Math.max(0, seconds);
    this.#count++;
    this.#sum += value;
    if (value > this.#max) this.#max = value;
  }

  report(): Span {
    const round = (value: number): number => Math.round(value * 1e6) / 1e6;
    if (this.#count === 0) return { count: 0, mean: null, max: null };
    return { count: this.#count, mean: round(this.#sum / this.#count), max: round(this.#max) };
  }
}
