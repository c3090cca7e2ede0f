import { createLogUpdate } from 'log-update';

import type { RehearsalProgress } from '../rehearsal/types.ts';
import type { OutputStream } from './context.ts';
import type { Display } from './display.ts';
import { type Frame, renderBar, renderProgress } from './rehearsal-table.ts';
import type { Style } from './style.ts';

/** Progress bar and table at the foot of a terminal, redrawn in place; notes scroll away above them. */
export class LiveDisplay implements Display {
  readonly #stream: OutputStream;
  readonly #nowMs: () => number;
  readonly #style: Style;
  readonly #startMs: number;
  readonly #update: ReturnType<typeof createLogUpdate>;
  #last: RehearsalProgress | null = null;
  #isFinished = false;

  constructor(stream: OutputStream, nowMs: () => number, style: Style) {
    this.#stream = stream;
    this.#nowMs = nowMs;
    this.#style = style;
    this.#startMs = nowMs();
    this.#update = createLogUpdate(stream as NodeJS.WritableStream);
  }

  progress(progress: RehearsalProgress): void {
    this.#last = progress;
    this.tick();
  }

  note(text: string): void {
    this.aside(() =>
      this.#stream.write(`${this.#style.paint('cyan', this.#style.unicode ? '•' : '*')} ${text}\n`),
    );
  }

  tick(): void {
    if (!this.#isFinished) this.#update(this.#picture());
  }

  aside(write: () => void): void {
    if (!this.#isFinished) this.#update.clear();
    write();
    this.tick();
  }

  finish(): void {
    if (this.#isFinished) return;
    // of a run that ended before it began only the notes are worth keeping
    if (this.#last === null) this.#update.clear();
    else this.tick();
    this.#update.done();
    this.#isFinished = true;
  }

  #picture(): string {
    const elapsedMs = this.#nowMs() - this.#startMs;
    const { columns = 80, rows = 24 } = this.#stream;
    const frame: Frame = { style: this.#style, columns, rows };
    if (this.#last === null) return renderBar({ fraction: 0, phase: 'getting ready' }, elapsedMs, frame);
    return renderProgress(this.#last, elapsedMs, frame);
  }
}
