import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { RecordingError } from './truth-log.ts';

/** Nothing can be captured or written here; the message is one line for a user. */
export class CaptureError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CaptureError';
  }
}

const START_TIMEOUT_MS = 10_000;
/** Not in immediate mode: its buffer has a place of the largest size for each packet, and overflows in a burst. */
const BUFFER_KIB = 32 * 1024;
const FLUSH_TIMEOUT_MS = 5_000;
const STATISTICS_PERIOD_MS = 100;
const STOP_TIMEOUT_MS = 3_000;
const LOOPBACK = process.platform === 'linux' ? 'lo' : 'lo0';

/** A capture of the loopback interface into a file. */
export class Tcpdump {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  /** Ends tcpdump if we are gone before it: an idle one would never notice. */
  readonly #guard: ChildProcess;
  readonly #lines: string[] = [];
  #onLine: (() => void) | null = null;
  #ended = false;
  /** Packets that came before the filter was in place: the kernel counts them, and they are in no file. */
  #strangers = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.#lines.push(line.replace(/^tcpdump: /, ''));
        this.#onLine?.();
      });
    }
    this.#guard = spawn('sh', ['-c', 'read -r line || kill -TERM "$0"', String(child.pid)], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#guard.on('error', () => undefined);
    this.#guard.stdin?.on('error', () => undefined);
    this.#exited = new Promise((resolve) => {
      child.on('close', () => {
        this.#ended = true;
        this.#guard.stdin?.end('done\n');
        this.#onLine?.();
        resolve();
      });
    });
  }

  /**
   * Resolves when all packets from now on are captured.
   * @param filter as tcpdump has it: `udp portrange 21000-21039`
   * @throws {CaptureError} if it is not installed or not permitted
   */
  static async start(file: string, filter: string): Promise<Tcpdump> {
    const child = await spawnTcpdump(file, filter);
    const tcpdump = new Tcpdump(child);
    try {
      await tcpdump.#awaitStart();
    } catch (error) {
      await tcpdump.kill();
      throw error;
    }
    return tcpdump;
  }

  async #awaitStart(): Promise<void> {
    // It says so when the filter is in place and the kernel captures (tcpdump 4.9 to 4.99).
    const isListening = (lines: readonly string[]): boolean =>
      lines.some((line) => /listening on/.test(line));
    if (!(await this.#until(isListening, START_TIMEOUT_MS))) throw new CaptureError(this.#whyNot());
    this.#strangers = (await this.#statistics()).received;
  }

  /**
   * Stops when all that the kernel saw is in the file; resolves to the number of packets.
   * @throws {RecordingError} if packets were lost
   */
  async stop(): Promise<number> {
    const deadline = performance.now() + FLUSH_TIMEOUT_MS;
    for (;;) {
      const { captured, received, dropped } = await this.#statistics();
      if (dropped > 0) throw new RecordingError(`tcpdump lost ${dropped} packets: the machine is too busy`);
      // On Linux's loopback the kernel counts each packet twice, going out and coming in.
      const seen = received - this.#strangers;
      if (seen === captured || seen === 2 * captured) {
        this.#child.kill('SIGINT');
        await this.#exited;
        return captured;
      }
      if (performance.now() > deadline) {
        throw new RecordingError(
          `tcpdump wrote ${captured} packets, and the kernel counted ${seen} (each may count twice)`,
        );
      }
    }
  }

  /** Idempotent. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #statistics(): Promise<{ captured: number; received: number; dropped: number }> {
    const before = this.#lines.length;
    this.#child.kill('SIGUSR1');
    await this.#until((lines) => lines.length > before, STOP_TIMEOUT_MS);
    await new Promise((resolve) => setTimeout(resolve, STATISTICS_PERIOD_MS));
    const line = this.#lines.slice(before).join(' ');
    const match = /(\d+) packets? captured, (\d+) packets? received by filter, (\d+) packets? dropped/.exec(
      line,
    );
    if (match === null)
      throw new CaptureError(this.#ended ? this.#whyNot() : `tcpdump says nothing of its packets: ${line}`);
    return { captured: Number(match[1]), received: Number(match[2]), dropped: Number(match[3]) };
  }

  async #until(holds: (lines: readonly string[]) => boolean, timeoutMs: number): Promise<boolean> {
    if (holds(this.#lines)) return true;
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        clearTimeout(timer);
        this.#onLine = null;
        resolve(result);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      this.#onLine = () => {
        if (holds(this.#lines)) end(true);
        else if (this.#ended) end(false);
      };
    });
  }

  #whyNot(): string {
    const said = this.#lines.join(' ');
    if (/permi/i.test(said)) {
      return 'tcpdump may not capture here: run this as root, or setcap cap_net_raw+ep on tcpdump';
    }
    return `tcpdump does not capture: ${said === '' ? 'it said nothing' : said.slice(0, 300)}`;
  }
}

async function spawnTcpdump(file: string, filter: string): Promise<ChildProcess> {
  // To standard output: where it is started by root it writes files as somebody else.
  const output = openSync(file, 'w');
  try {
    const args = ['-i', LOOPBACK, '-n', '-s', '0', '-B', String(BUFFER_KIB), '-U', '-w', '-', filter];
    const child = spawn('tcpdump', args, { stdio: ['ignore', output, 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          new CaptureError(
            error.code === 'ENOENT'
              ? 'tcpdump is not installed (Debian: apt-get install tcpdump)'
              : `tcpdump cannot be run (${error.code ?? error.message})`,
          ),
        );
      });
    });
    return child;
  } finally {
    closeSync(output);
  }
}
