import { randomBytes } from 'node:crypto';

import { createMemberId, type MemberId } from '../protocol/member-id.ts';
import type { View } from '../protocol/view.ts';
import { Conversation, describeExit, JvmPeerError } from './conversation.ts';
import type { EventOf, JvmPeerEvent, JvmPeerStats } from './events.ts';
import { type ExitInfo, JvmProcess } from './jvm-process.ts';
import { type JGroupsVersion, type PeerProgram, preparePeer } from './maven.ts';

export interface JvmPeerOptions {
  readonly version: JGroupsVersion;
  /** IP literal. Default 127.0.0.1. */
  readonly host?: string;
  /** 0, the default, takes any free one. */
  readonly port?: number;
  /** 32 hex digits. Default: random. */
  readonly uuid?: string;
  /** The view in which it joined. Default 0. */
  readonly viewId?: number;
  /** For logs only. */
  readonly name?: string;
  /** Ordinal that its member id advertises. Default 150, Geode 1.15. */
  readonly memberVersion?: number;
  /** SO_RCVBUF of its socket. Default 65535, as Geode's. */
  readonly receiveBufferBytes?: number;
  /** More placeholders of Geode's stack file, such as `FC_MAX_CREDITS`. */
  readonly stack?: Readonly<Record<string, string | number>>;
  /** Geode's stack file: `jgroups-config.xml` (the default) or `jgroups-mcast.xml`. */
  readonly stackFile?: string;
  readonly heapMegabytes?: number;
  /** More options for the JVM; they win over the defaults. */
  readonly jvmOptions?: readonly string[];
  /** Default: prepared by Maven for `version`. */
  readonly program?: PeerProgram;
  readonly startTimeoutMs?: number;
  readonly onEvent?: (event: JvmPeerEvent) => void;
  /** Called once when the JVM has ended, for whatever reason. */
  readonly onExit?: (exit: ExitInfo) => void;
}

export interface BurstOptions {
  readonly count: number;
  readonly sizeBytes: number;
  /** O: OOB, K: SKIP_BARRIER, F: NO_FC, R: NO_RELIABILITY, B: may be bundled. */
  readonly flags?: string;
  /** Default: none, for flow control may hold it up for as long as the recipient likes. */
  readonly timeoutMs?: number;
}

const START_TIMEOUT_MS = 30_000;
const COMMAND_TIMEOUT_MS = 30_000;
/** The JVM itself gives up an orderly end after 8 s. */
const QUIT_TIMEOUT_MS = 10_000;
const GEODE_1_15 = 150;

/**
 * A real JGroups 3.6 member with Geode's stack (WIRE-3.6 section 13) in a JVM of its own. It ends with this process
 * at the latest.
 */
export class JvmPeer {
  readonly memberId: MemberId;
  readonly version: JGroupsVersion;
  /** Resolves when the JVM has ended. */
  readonly exited: Promise<ExitInfo>;
  readonly #process: JvmProcess;
  readonly #conversation: Conversation;
  #statsId = 0;

  private constructor(
    jvm: JvmProcess,
    conversation: Conversation,
    memberId: MemberId,
    version: JGroupsVersion,
  ) {
    this.#process = jvm;
    this.#conversation = conversation;
    this.memberId = memberId;
    this.version = version;
    this.exited = jvm.exited;
  }

  /**
   * @throws {JavaMissingError} if it cannot be had
   * @throws {JvmPeerError} if it does not come up, for instance because its port is taken
   */
  static async start(options: JvmPeerOptions): Promise<JvmPeer> {
    const program = options.program ?? (await preparePeer(options.version));
    const uuid = options.uuid ?? randomBytes(16).toString('hex');
    // Checks uuid and port before they reach a command line.
    const wanted = createMemberId({
      host: options.host ?? '127.0.0.1',
      port: options.port ?? 0,
      uuid,
      viewId: options.viewId ?? 0,
      version: options.memberVersion ?? GEODE_1_15,
      name: options.name ?? '',
    });
    const jvm = new JvmProcess(program.java, jvmArguments(options, program, wanted));
    const conversation = new Conversation(jvm, options.onEvent);
    void jvm.exited.then((exit) => options.onExit?.(exit));
    const timeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
    try {
      const up = await conversation.expect('up', 'start', () => true, timeoutMs);
      return new JvmPeer(jvm, conversation, { ...wanted, port: up.port }, program.version);
    } catch (error) {
      await jvm.kill();
      throw error;
    }
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
    this.#process.write(`burst ${to.uuid} ${options.count} ${options.sizeBytes} ${options.flags ?? ''}`);
    const fits = (event: EventOf<'burst-done'>): boolean =>
      event.to === to.uuid && event.count === options.count;
    await this.#conversation.expect('burst-done', 'burst', fits, options.timeoutMs ?? null);
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

function jvmArguments(options: JvmPeerOptions, program: PeerProgram, wanted: MemberId): string[] {
  const placeholders = { UDP_RECV_BUFFER_SIZE: options.receiveBufferBytes ?? 65_535, ...options.stack };
  return [
    `-Xmx${options.heapMegabytes ?? 128}m`,
    '-XX:+UseSerialGC',
    // The second compiler costs more than it brings in the minutes that a peer lives.
    '-XX:TieredStopAtLevel=1',
    '-Djava.net.preferIPv4Stack=true',
    // Without log4j-core its API complains; only errors of Geode's classes are of interest.
    '-Dlog4j2.loggerContextFactory=org.apache.logging.log4j.simple.SimpleLoggerContextFactory',
    ...(options.jvmOptions ?? []),
    '-cp',
    program.classpath,
    'RollgatePeer',
    `host=${wanted.host}`,
    `port=${wanted.port}`,
    `uuid=${wanted.uuid}`,
    `viewId=${wanted.viewId}`,
    ...(options.stackFile === undefined ? [] : [`config=${options.stackFile}`]),
    ...Object.entries(placeholders).map(([name, value]) => `${name}=${value}`),
  ];
}
