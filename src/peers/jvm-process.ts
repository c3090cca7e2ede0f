import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Lines of standard error kept for error reports, and how long each may be. */
const STDERR_LINES = 40;
const STDERR_LINE_CHARACTERS = 500;

export interface ExitInfo {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** True after `kill()` or an orderly end. */
  readonly expected: boolean;
  /** The last lines of standard error. */
  readonly stderr: readonly string[];
}

const alive = new Set<ChildProcess>();
let hooked = false;

/** A JVM ends by itself when its standard input does, but not while it is stopped: so it is killed as well. */
function killAtExit(child: ChildProcess): void {
  alive.add(child);
  if (hooked) return;
  hooked = true;
  process.on('exit', () => {
    for (const one of alive) one.kill('SIGKILL');
  });
}

/** One JVM as a process: lines in, lines out, signals. */
export class JvmProcess {
  readonly exited: Promise<ExitInfo>;
  onLine: (line: string) => void = () => undefined;
  readonly #child: ChildProcess;
  readonly #stderr: string[] = [];
  #expected = false;
  #guard: ChildProcess | null = null;

  constructor(program: string, args: readonly string[]) {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    killAtExit(child);
    // A write that comes after its end: `exited` tells of the end.
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => this.onLine(line));
    createInterface({ input: child.stderr }).on('line', (line) => this.#keep(line));
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        alive.delete(child);
        this.#releaseGuard();
        resolve({ code, signal, expected: this.#expected, stderr: [...this.#stderr] });
      };
      child.on('error', (error) => {
        this.#keep(error.message);
        if (child.pid === undefined) end(null, null);
      });
      child.on('close', end);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stderr(): readonly string[] {
    return this.#stderr;
  }

  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** From now on its end is no accident. */
  expectExit(): void {
    this.#expected = true;
  }

  /** SIGKILL, as a crash; also ends a stopped one. Idempotent. */
  kill(): Promise<ExitInfo> {
    this.#expected = true;
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  /** SIGSTOP, as a long garbage collection. */
  pause(): void {
    if (this.#guard !== null || this.#child.pid === undefined) return;
    this.#child.kill('SIGSTOP');
    // Were we killed now, a stopped JVM would not notice: this shell does, by the end of its input.
    const script = 'read -r line || kill -KILL "$0"';
    const guard = spawn('sh', ['-c', script, String(this.#child.pid)], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guard.on('error', () => undefined);
    guard.stdin.on('error', () => undefined);
    this.#guard = guard;
  }

  /** SIGCONT. */
  resume(): void {
    this.#child.kill('SIGCONT');
    this.#releaseGuard();
  }

  #releaseGuard(): void {
    this.#guard?.stdin?.end('done\n');
    this.#guard = null;
  }

  #keep(line: string): void {
    this.#stderr.push(line.slice(0, STDERR_LINE_CHARACTERS));
    if (this.#stderr.length > STDERR_LINES) this.#stderr.shift();
  }
}
