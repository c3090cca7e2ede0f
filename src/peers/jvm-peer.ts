import { randomBytes } from 'node:crypto';

import { createMemberId, type MemberId } from '../protocol/member-id.ts';
import type { JvmPeerEvent } from './events.ts';
import type { ExitInfo } from './jvm-process.ts';
import { type JGroupsVersion, type PeerProgram, preparePeer } from './maven.ts';
import { startPeerProcess, type StartedPeer, SteeredPeer } from './steered-peer.ts';

export type { BurstOptions } from './steered-peer.ts';

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
  /** What group messages go by in `jgroups-mcast.xml`. Default: IP multicast, as that file has it. */
  readonly group?: 'unicasts' | 'ip';
  /**
   * With JGroups' RSVP as the highest protocol, which none of Geode's stacks has: how long it waits until all have
   * confirmed a message, before the burst fails.
   */
  readonly rsvpTimeoutMs?: number;
  readonly heapMegabytes?: number;
  /** More options for the JVM; they win over the defaults. */
  readonly jvmOptions?: readonly string[];
  /** A command that runs the JVM, such as `nsenter --net=...`. Default: none. */
  readonly wrapper?: readonly [string, ...string[]];
  /** Default: prepared by Maven for `version`. */
  readonly program?: PeerProgram;
  readonly startTimeoutMs?: number;
  readonly onEvent?: (event: JvmPeerEvent) => void;
  /** Called once when the JVM has ended, for whatever reason. */
  readonly onExit?: (exit: ExitInfo) => void;
}

const GEODE_1_15 = 150;

/**
 * A real JGroups 3.6 member with Geode's stack (WIRE-3.6 section 13) in a JVM of its own.
 */
export class JvmPeer extends SteeredPeer {
  declare readonly version: JGroupsVersion;

  /** With which JGroups it really runs, the peer's program tells. */
  private constructor(started: StartedPeer & { readonly version: JGroupsVersion }) {
    super(started);
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
    const { version } = program;
    const java = [program.java, ...jvmArguments(options, program, wanted)];
    const [command = program.java, ...args] = [...(options.wrapper ?? []), ...java];
    const { startTimeoutMs, onEvent, onExit } = options;
    const started = await startPeerProcess({
      program: command,
      args,
      wanted,
      version,
      ...(startTimeoutMs === undefined ? {} : { startTimeoutMs }),
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(onExit === undefined ? {} : { onExit }),
    });
    return new JvmPeer({ ...started, version });
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
    ...(options.group === undefined ? [] : [`group=${options.group}`]),
    ...(options.rsvpTimeoutMs === undefined ? [] : [`rsvp=${options.rsvpTimeoutMs}`]),
    ...(options.stackFile === undefined ? [] : [`config=${options.stackFile}`]),
    ...Object.entries(placeholders).map(([name, value]) => `${name}=${value}`),
  ];
}
