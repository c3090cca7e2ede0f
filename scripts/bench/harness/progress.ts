import type { Progress } from './run-case.ts';

/** One line on a terminal's standard error that is written over; nothing elsewhere. */
export class ProgressLine {
  readonly #total: number;
  readonly #startMs = performance.now();
  readonly #isTerminal = process.stderr.isTTY;
  #casesDone = 0;
  #current = '';

  /** @param total cases */
  constructor(total: number) {
    this.#total = total;
  }

  readonly step: Progress = ({ bench, side, run, runs }) => {
    if (bench.name !== this.#current) {
      if (this.#current !== '') this.#casesDone++;
      this.#current = bench.name;
    }
    const what = run === 0 ? 'warming up' : `run ${run} of ${runs}`;
    this.#write(`${this.#casesDone + 1} of ${this.#total}  ${bench.name}  ${side}, ${what}`);
  };

  clear(): void {
    if (this.#isTerminal) process.stderr.write('\r\u001B[K');
  }

  #write(text: string): void {
    if (!this.#isTerminal) return;
    const seconds = Math.round((performance.now() - this.#startMs) / 1e3);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    process.stderr.write(`\r\u001B[K${`${clock}  ${text}`.slice(0, (process.stderr.columns || 80) - 1)}`);
  }
}
