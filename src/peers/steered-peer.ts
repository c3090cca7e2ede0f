import type { MemberId } from '../protocol/member-id.ts';
import type { View } from '../protocol/view.ts';
import { Conversation, describeExit, JvmPeerError } from './conversation.ts';
import type { EventOf, JvmPeerEvent, JvmPeerStats } from './events.ts';
import { type ExitInfo, JvmProcess } from './jvm-process.ts';

/** A process that understands the commands of `RollgatePeer.java`. */
export interface PeerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** What `args` ask for; the port may be 0 for any. */
  readonly wanted: MemberId;
  /** For tables and logs. */
  readonly version: string;
  readonly startTimeoutMs?: number;
  readonly onEvent?: (event: JvmPeerEvent) => void;
  /** Called once when the process has ended, for whatever reason. */
  readonly onExit?: (exit: ExitInfo) => void;
}

export interface BurstOptions {
  readonly count: number;
  readonly sizeBytes: number;
  /** O: OOB, K: SKIP_BARRIER, F: NO_FC, R: NO_RELIABILITY, B: may be bundled, C: to be confirmed (RSVP); -: none. */
  readonly flags?: string;
  /** Each stream of messages to a recipient has numbers of its own: 0 (the default) to 8191. */
  readonly stream?: number;
  /** Default: none, for flow control may hold it up for as long as the recipient likes. */
  readonly timeoutMs?: number;
}

/** Recipient of group messages, in events and statistics. */
export const GROUP = 'group';

const START_TIMEOUT_MS = 30_000;
const COMMAND_TIMEOUT_MS = 30_000;
/** The JVM itself gives up an orderly end after 8 s. */
const QUIT_TIMEOUT_MS = 10_000;

/** What a started peer is made of. */
export interface StartedPeer {
  readonly process: JvmProcess;
  readonly conversation: Conversation;
  readonly memberId: MemberId;
  readonly version: string;
}

/** A member in a process of its own, steered by lines; it ends with this process at the latest. */
export class SteeredPeer {
  readonly memberId: MemberId;
  readonly version: string;
  /** Resolves when the process has ended. */
  readonly exited: Promise<ExitInfo>;
  readonly #process: JvmProcess;
  readonly #conversation: Conversation;
  #statsId = 0;

  protected constructor({ process, conversation, memberId, version }: StartedPeer) {
    this.#process = process;
    this.#conversation = conversation;
    this.memberId = memberId;
    this.version = version;
    this.exited = process.exited;
  }

  /** @throws {JvmPeerError} if it does not come up, for instance because its port is taken */
  static async run(command: PeerCommand): Promise<SteeredPeer> {
    return new SteeredPeer(await startPeerProcess(command));
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The last lines of standard error. */
  get stderr(): readonly string[] {
    return this.#process.stderr;
  }

  /** Resolves when its stack has the view, which must hold this member. */
  async installView(view: View): Promise<void> {
    const members = view.members.map(({ host, port, viewId, uuid }) => `${host}:${port}:${viewId}:${uuid}`);
    this.#process.write(`view ${view.id} ${members.join(' ')}`);
    await this.#conversation.expect('view', 'view', (event) => event.id === view.id, COMMAND_TIMEOUT_MS);
  }

  /** Numbered messages to all other members of the view in turn, so many a second in all. */
  startTraffic(messagesPerSecond: number, sizeBytes: number): void {
    this.#process.write(`traffic ${messagesPerSecond} ${sizeBytes}`);
  }

  /** Resolves when the last message of the traffic was taken by the stack. */
  async stopTraffic(timeoutMs = COMMAND_TIMEOUT_MS): Promise<void> {
    this.#process.write('traffic off');
    await this.#conversation.expect('traffic-off', 'traffic', () => true, timeoutMs);
  }

  /** Numbered messages to one member as fast as the stack takes them; resolves when it took the last. */
  async burst(to: MemberId, options: BurstOptions): Promise<void> {
    const { count, sizeBytes, flags = '-', stream = 0 } = options;
    this.#process.write(`burst ${to.uuid} ${count} ${sizeBytes} ${flags} ${stream}`);
    await this.#conversation.expect(
      'burst-done',
      'burst',
      ofBurst(to.uuid, options),
      options.timeoutMs ?? null,
    );
  }

  /** As `burst`, with group messages to all other members of the view. */
  async groupBurst(options: BurstOptions): Promise<void> {
    const { count, sizeBytes, flags = '-', stream = 0 } = options;
    this.#process.write(`group ${count} ${sizeBytes} ${flags} ${stream}`);
    await this.#conversation.expect(
      'burst-done',
      'group',
      ofBurst(GROUP, options),
      options.timeoutMs ?? null,
    );
  }

  /** One message as it is. Nothing tells when it was sent. */
  sendRaw(to: MemberId, payload: Uint8Array, flags = ''): void {
    this.#process.write(`raw ${to.uuid} ${Buffer.from(payload).toString('hex')} ${flags}`);
  }

  async stats(timeoutMs = COMMAND_TIMEOUT_MS): Promise<JvmPeerStats> {
    const id = ++this.#statsId;
    this.#process.write(`stats ${id}`);
    return this.#conversation.expect('stats', 'stats', (event) => event.id === id, timeoutMs);
  }

  /**
   * How far each member's group messages have got here, for a joiner; nothing becomes stable until the next view.
   * JGroups' own bytes of a digest with addresses (WIRE-3.6 section 7). Null without multicast.
   */
  async digestForJoiner(timeoutMs = COMMAND_TIMEOUT_MS): Promise<Uint8Array | null> {
    this.#process.write('digest');
    const { hex } = await this.#conversation.expect('digest', 'digest', () => true, timeoutMs);
    return hex === '' ? null : Buffer.from(hex, 'hex');
  }

  /** What a joiner does with it, before its first view. */
  async mergeDigest(digest: Uint8Array, timeoutMs = COMMAND_TIMEOUT_MS): Promise<void> {
    this.#process.write(`merge-digest ${Buffer.from(digest).toString('hex')}`);
    await this.#conversation.expect('digest-merged', 'merge-digest', () => true, timeoutMs);
  }

  /**
   * Geode's port-availability probe, 4 raw bytes from a socket of its own; resolves to the answer, which is `pong`,
   * or to nothing after the time.
   */
  async ping(host: string, port: number, timeoutMs: number): Promise<string> {
    this.#process.write(`ping ${host} ${port} ${timeoutMs}`);
    const { text } = await this.#conversation.expect(
      'pong',
      'ping',
      () => true,
      timeoutMs + COMMAND_TIMEOUT_MS,
    );
    return text;
  }

  /** Statistics come as events from now on; 0 for no more. */
  reportStatsEvery(periodMs: number): void {
    this.#process.write(`stats every ${periodMs}`);
  }

  /** Resolves to true when no burst runs and all that was sent to the view is acknowledged; to false after the time. */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#process.write(`drain ${timeoutMs}`);
    return (await this.#conversation.expect('drained', 'drain', () => true, timeoutMs + COMMAND_TIMEOUT_MS))
      .ok;
  }

  /** While on, it sends every numbered message back to its sender as it is. */
  setEcho(on: boolean): void {
    this.#process.write(`echo ${on ? 'on' : 'off'}`);
  }

  /** While on, it tells of each delivered message by an event. */
  setReportDeliveries(on: boolean): void {
    this.#process.write(`deliveries ${on ? 'on' : 'off'}`);
  }

  /**
   * Orderly end: the channel is closed, pending acknowledgements go out. Drain first where nothing may be lost.
   * @throws {JvmPeerError} if it had to be killed
   */
  async quit(): Promise<void> {
    this.#process.expectExit();
    this.#process.write('quit');
    const timer = setTimeout(() => void this.#process.kill(), QUIT_TIMEOUT_MS);
    const exit = await this.exited;
    clearTimeout(timer);
    if (exit.code !== 0) {
      throw new JvmPeerError(`the peer did not end in an orderly way: ${describeExit(exit)}`, exit.stderr);
    }
  }

  /** As a crash: nothing is said to anybody. Idempotent. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Stops the whole JVM, as a long garbage collection does. Commands wait until `resume()`. */
  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }
}

function ofBurst(to: string, { count, stream = 0 }: BurstOptions): (event: EventOf<'burst-done'>) => boolean {
  return (event) => event.to === to && event.count === count && event.stream === stream;
}

/** @throws {JvmPeerError} if it does not come up */
export async function startPeerProcess(command: PeerCommand): Promise<StartedPeer> {
  const { wanted, version } = command;
  const process = new JvmProcess(command.program, command.args);
  const conversation = new Conversation(process, command.onEvent);
  void process.exited.then((exit) => command.onExit?.(exit));
  try {
    const up = await conversation.expect(
      'up',
      'start',
      () => true,
      command.startTimeoutMs ?? START_TIMEOUT_MS,
    );
    return { process, conversation, memberId: { ...wanted, port: up.port }, version };
  } catch (error) {
    await process.kill();
    throw error;
  }
}
