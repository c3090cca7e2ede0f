import type { RehearsalProgress } from '../rehearsal/types.ts';

/** Shows a rehearsal while it runs. */
export interface Display {
  progress(progress: RehearsalProgress): void;
  /** A line that stays. */
  note(text: string): void;
  /** Time has passed; called a few times a second, also when the engine says nothing. */
  tick(): void;
  /** Runs `write`, which may write to the same terminal, so that neither tears the other. */
  aside(write: () => void): void;
  /** Nothing moves after this; the last picture stays. */
  finish(): void;
}
