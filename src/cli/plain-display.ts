import type { RehearsalProgress } from '../rehearsal/types.ts';
import type { OutputStream } from './context.ts';
import type { Display } from './display.ts';
import { formatBytes, formatCount } from './format.ts';

/** Without news, one line in this time says that the run goes on. */
const INTERVAL_MS = 5_000;

/** For pipes and log files: a line for each new phase and one every few seconds. */
export class PlainDisplay implements Display {
  readonly #stream: OutputStream;
  readonly #nowMs: () => number;
  readonly #startMs: number;
  #last: RehearsalProgress | null = null;
  #lastLineMs: number;

  constructor(stream: OutputStream, nowMs: () => number) {
    this.#stream = stream;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
    this.#lastLineMs = this.#startMs;
  }

  progress(progress: RehearsalProgress): void {
    const isNewPhase = progress.phase !== this.#last?.phase;
    this.#last = progress;
    if (isNewPhase) this.#line(summary(progress));
    else this.tick();
  }

  note(text: string): void {
    this.#line(text);
  }

  tick(): void {
    if (this.#nowMs() - this.#lastLineMs < INTERVAL_MS) return;
    this.#line(this.#last === null ? 'getting ready' : summary(this.#last));
  }

  aside(write: () => void): void {
    write();
  }

  finish(): void {
    // lines stay as they are
  }

  #line(text: string): void {
    this.#lastLineMs = this.#nowMs();
    const seconds = ((this.#lastLineMs - this.#startMs) / 1000).toFixed(1);
    this.#stream.write(`${seconds.padStart(6)} s  ${text}\n`);
  }
}

function summary({ phase, fraction, rows, bytesUdp, bytesTcp }: RehearsalProgress): string {
  const total = (key: 'sent' | 'received' | 'inFlight'): string =>
    formatCount(rows.reduce((sum, row) => sum + row[key], 0));
  const bytes = `${formatBytes(bytesUdp)} by UDP, ${formatBytes(bytesTcp)} by TCP`;
  const counts = `received ${total('received')}, in flight ${total('inFlight')}, ${bytes}`;
  return `${String(Math.floor(fraction * 100)).padStart(3)}%  ${phase}: ${counts}`;
}
