import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const REPLY_TIMEOUT_MS = 60_000;

/** Room for what the benchmarks have `--initial-old-space-size=512` for; with that much garbage no growth would show. */
const HEAP_FLAG = '--initial-old-space-size=128';

/** What a process of this script is asked, and its answer to that. */
interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A process with an event loop of its own: it answers one question after another. */
export class Actor {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #nextId = 1;
  #ended: Error | null = null;

  /** @param file below this folder */
  constructor(file: string) {
    this.#name = file;
    this.#child = fork(join(import.meta.dirname, file), {
      execArgv: ['--import=tsx', HEAP_FLAG],
    });
    this.#child.on('message', (reply) => this.#handleReply(reply as Reply));
    this.#child.on('exit', (code, signal) => {
      this.#ended = new Error(`${file} ended with ${code ?? signal ?? 'nothing'}`);
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
    });
  }

  /** @throws {Error} if the process fails at it, dies, or says nothing for a minute */
  async ask<T>(what: string, argument: unknown = null): Promise<T> {
    if (this.#ended !== null) throw this.#ended;
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.send({ id, what, argument });
    const timer = setTimeout(() => {
      this.#waiting.get(id)?.reject(new Error(`${this.#name} did not answer ${what}`));
    }, REPLY_TIMEOUT_MS);
    try {
      return (await answer) as T;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** From now on it runs on these processors alone. @returns false: there is no way to say so here */
  pin(processors: readonly number[]): boolean {
    const { pid } = this.#child;
    if (pid === undefined || processors.length === 0) return false;
    const { status } = spawnSync('taskset', ['-apc', processors.join(','), String(pid)], { stdio: 'ignore' });
    return status === 0;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  #handleReply({ id, value, error }: Reply): void {
    const waiter = this.#waiting.get(id);
    if (error === undefined) waiter?.resolve(value);
    else waiter?.reject(new Error(`${this.#name}: ${error}`));
  }
}

/** Those that we may run on, by number; empty: it cannot be told. */
export function processors(): number[] {
  let list: string | undefined;
  try {
    list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  } catch {
    return []; // not Linux
  }
  return (list ?? '').split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    if (first === undefined || last === undefined) return [];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

export type Answers = Readonly<Record<string, (argument: never) => unknown>>;

/** The other end: answers by name until the parent goes. */
export function answer(answers: Answers): void {
  process.on('message', (question) => {
    const { id, what, argument } = question as { id: number; what: string; argument: never };
    Promise.resolve()
      .then(() => answers[what]?.(argument))
      .then(
        (value) => process.send?.({ id, value: value ?? null }),
        (error: unknown) => process.send?.({ id, error: String(error) }),
      );
  });
  process.on('disconnect', () => process.exit(0));
}
