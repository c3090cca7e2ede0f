import type { Logger } from '../protocol/logger.ts';
import type { record } from '../recording/record.ts';
import type { RehearsalEvents, RehearsalOptions, RehearsalReport } from '../rehearsal/types.ts';
import type { ExitCode } from './exit-code.ts';

/** What a command writes to: standard output or standard error, or a test's stand-in. */
export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  /** Width and height of the terminal in characters; undefined if it is none. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** False: wait for `drain` before the next one. */
  write(text: string): unknown;
  once?(event: 'drain', listener: () => void): unknown;
}

/**
 * The bytes of a file, or of standard input for `-`, in chunks that nobody writes to again. Rejects with the file
 * system's error, or when the signal is aborted.
 */
export type OpenInput = (path: string, signal: AbortSignal) => AsyncIterable<Uint8Array>;

export type RunRehearsal = (
  options: RehearsalOptions,
  events: RehearsalEvents,
  signal: AbortSignal,
  logger: Logger,
) => Promise<RehearsalReport>;

export type RunRecording = typeof record;

/** All that the command line needs of the world, so that a test can start it with another one. */
export interface CliContext {
  /** Arguments without node and the script. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly version: string;
  readonly runRehearsal: RunRehearsal;
  readonly runRecording: RunRecording;
  readonly openInput: OpenInput;
  /** Replaces the file if there is one. Rejects with the file system's error. */
  readonly writeFile: (path: string, text: string) => Promise<void>;
  /** Milliseconds, monotonic. */
  readonly nowMs: () => number;
  /** Calls `handler` at every SIGINT and SIGTERM until the returned function is called. */
  onInterrupt(handler: () => void): () => void;
  /** Ends the process at once, for the user who interrupts twice. */
  exitNow(code: ExitCode): void;
}

/** Options that every command has. */
export interface GlobalFlags {
  readonly color: boolean;
  readonly debug?: boolean;
  readonly logLevel: LogLevel;
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];
