import { createMemberId, type MemberId } from '../../../src/protocol/member-id.ts';
import { JvmProcess } from '../../../src/peers/jvm-process.ts';
import { cpuSeconds, droppedDatagrams, residentBytes } from './proc.ts';

/** A measurement that is worth nothing: something was lost, doubled, late or ended. */
export class BrokenRun extends Error {
  constructor(message: string, stderr: readonly string[] = []) {
    super([message, ...telling(stderr)].join('\n  '));
    this.name = 'BrokenRun';
  }
}

/** Of a process that crashed: what it names an error, or else what it said last. */
function telling(stderr: readonly string[]): readonly string[] {
  const errors = stderr.filter((line) => /error|exception/i.test(line));
  return errors.length > 0 ? errors.slice(0, STDERR_LINES) : stderr.slice(-STDERR_LINES);
}

const STDERR_LINES = 5;

export type BenchEvent = Readonly<Record<string, unknown>> & { readonly ev: string };

interface Waiter {
  readonly ev: string;
  readonly resolve: (event: BenchEvent) => void;
  readonly reject: (error: Error) => void;
}

const COMMAND_TIMEOUT_MS = 30_000;
const HOST = '127.0.0.1';

/** The driver's end of a member of a benchmark: a node or Java process that knows the commands of worker.ts. */
export class BenchProcess {
  readonly name: string;
  #memberIds: readonly MemberId[] = [];
  #pid: number | null = null;
  readonly #process: JvmProcess;
  readonly #waiters = new Set<Waiter>();
  #broken: BrokenRun | null = null;

  private constructor(name: string, program: string, args: readonly string[]) {
    this.name = name;
    this.#process = new JvmProcess(program, args);
    this.#process.onLine = (line) => this.#handleLine(line);
    void this.#process.exited.then(({ expected, stderr }) => {
      if (!expected) this.#fail(new BrokenRun(`${name} ended`, stderr));
    });
  }

  static async start(name: string, program: string, args: readonly string[]): Promise<BenchProcess> {
    const one = new BenchProcess(name, program, args);
    try {
      const up = await one.wait('up');
      const members = (up['members'] ?? [up]) as readonly Readonly<Record<string, unknown>>[];
      one.#memberIds = members.map(({ uuid, port }) =>
        createMemberId({ host: HOST, port: Number(port), uuid: String(uuid), viewId: 0 }),
      );
      one.#pid = typeof up['pid'] === 'number' ? up['pid'] : null;
      return one;
    } catch (error) {
      await one.kill();
      throw error;
    }
  }

  /** Of the only one, or the first. */
  get memberId(): MemberId {
    const [first] = this.#memberIds;
    if (first === undefined) throw new BrokenRun(`${this.name} is not up`);
    return first;
  }

  get memberIds(): readonly MemberId[] {
    return this.#memberIds;
  }

  /** Of the process that does the work. */
  get pid(): number {
    return this.#pid ?? this.#process.pid ?? -1;
  }

  cpuSeconds(): number {
    return cpuSeconds(this.pid);
  }

  residentBytes(): number {
    return residentBytes(this.pid);
  }

  droppedDatagrams(): number {
    return droppedDatagrams(this.memberId.port);
  }

  /** Sends a command and waits for the event that answers it. */
  request(command: string, ev: string, timeoutMs = COMMAND_TIMEOUT_MS): Promise<BenchEvent> {
    const answer = this.wait(ev, timeoutMs);
    this.#process.write(command);
    return answer;
  }

  wait(ev: string, timeoutMs = COMMAND_TIMEOUT_MS): Promise<BenchEvent> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(
          new BrokenRun(`${this.name} has not said '${ev}' after ${timeoutMs} ms`, this.#process.stderr),
        );
      }, timeoutMs);
      const waiter: Waiter = {
        ev,
        resolve: (event) => {
          clearTimeout(timer);
          resolve(event);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  async installView(id: number, members: readonly MemberId[]): Promise<void> {
    const words = members.map(({ host, port, viewId, uuid }) => `${host}:${port}:${viewId}:${uuid}`);
    await this.request(`view ${id} ${words.join(' ')}`, 'view');
  }

  /** SIGSTOP: it does nothing until `resume`. */
  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  async kill(): Promise<void> {
    this.#fail(new BrokenRun(`${this.name} was ended`));
    await this.#process.kill();
  }

  #handleLine(line: string): void {
    const event = parse(line);
    if (event === null) return;
    if (event.ev === 'fault' || event.ev === 'error') {
      this.#fail(new BrokenRun(`${this.name}: ${String(event['message'])}`, this.#process.stderr));
      return;
    }
    for (const waiter of this.#waiters) {
      if (waiter.ev !== event.ev) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(event);
      return;
    }
  }

  #fail(error: BrokenRun): void {
    this.#broken ??= error;
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }
}

/** Null for a line that is no event: a JVM in trouble writes on standard output itself. */
function parse(line: string): BenchEvent | null {
  try {
    const value: unknown = JSON.parse(line);
    const isEvent =
      typeof value === 'object' && value !== null && 'ev' in value && typeof value.ev === 'string';
    return isEvent ? (value as BenchEvent) : null;
  } catch {
    return null;
  }
}
