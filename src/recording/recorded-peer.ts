import { describeExit, JvmPeerError } from '../peers/conversation.ts';
import { JvmProcess } from '../peers/jvm-process.ts';
import type { RecordingProgram } from './programs.ts';
import type { PeerLine } from './script.ts';
import type { TruthEvent, TruthLog } from './truth-log.ts';

/** The JVM itself gives up an orderly end after 8 s. */
const QUIT_TIMEOUT_MS = 10_000;

/** One process of a scenario (src/recording/java). */
export class RecordedPeer {
  /** As the truth calls it. */
  readonly name: string;
  readonly #process: JvmProcess;
  readonly #truth: TruthLog;
  #isUp = false;
  #commands = 0;
  #killed = false;

  constructor(line: PeerLine, program: RecordingProgram, truth: TruthLog) {
    this.name = line.program === 'GeodePeer' ? `p${line.index}` : String.fromCharCode(65 + line.index);
    this.#truth = truth;
    this.#process = new JvmProcess(program.java, [
      '-Xmx128m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Djava.net.preferIPv4Stack=true',
      '-Djgroups.bind_addr=127.0.0.1',
      '-Dlog4j2.loggerContextFactory=org.apache.logging.log4j.simple.SimpleLoggerContextFactory',
      '-cp',
      program.classpath,
      line.program,
      ...line.args,
    ]);
    this.#process.onLine = (text) => this.#handleLine(text);
    void this.#process.exited.then((exit) => {
      if (!exit.expected) truth.fail(new JvmPeerError(`${this.name} ${describeExit(exit)}`, exit.stderr));
    });
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get isKilled(): boolean {
    return this.#killed;
  }

  /** True while commands are being carried out. */
  get isBusy(): boolean {
    return this.#commands > 0;
  }

  tell(command: string): void {
    this.#commands++;
    this.#process.write(command);
  }

  /** @throws {JvmPeerError} if it had to be killed */
  async quit(): Promise<void> {
    this.#process.expectExit();
    this.#process.write('quit');
    const timer = setTimeout(() => void this.#process.kill(), QUIT_TIMEOUT_MS);
    const exit = await this.#process.exited;
    clearTimeout(timer);
    if (exit.code !== 0) {
      throw new JvmPeerError(
        `${this.name} did not end in an orderly way: ${describeExit(exit)}`,
        exit.stderr,
      );
    }
  }

  /** As a crash. The time of it is in the truth. */
  async crash(): Promise<void> {
    this.#killed = true;
    this.#commands = 0;
    this.#truth.add({ t: Date.now(), peer: this.name, ev: 'killed-9' });
    await this.kill();
  }

  async kill(): Promise<void> {
    await this.#process.kill();
  }

  #handleLine(text: string): void {
    const event = parse(text);
    if (event === null) return;
    if (event.ev === 'error') {
      const { command, message } = event;
      this.#truth.fail(new JvmPeerError(`${this.name}: '${String(command)}' failed: ${String(message)}`));
      return;
    }
    if (event.ev === 'done') {
      this.#commands--;
      this.#truth.wake();
      return;
    }
    if (event.ev === 'up') this.#isUp = true;
    this.#truth.add(event);
  }
}

/** Null for a line that is no event: JGroups and the JVM write on standard output too. */
function parse(text: string): TruthEvent | null {
  if (!text.startsWith('{')) return null;
  try {
    // our own program, of the same version
    return JSON.parse(text) as TruthEvent;
  } catch {
    return null;
  }
}
