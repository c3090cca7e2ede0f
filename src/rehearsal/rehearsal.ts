import { createNodeEnvironment } from '../io/node-environment.ts';
import { JGroupsMessenger } from '../jgroups/jgroups-messenger.ts';
import { JvmPeerError } from '../peers/conversation.ts';
import { probeJava } from '../peers/maven.ts';
import type { Environment } from '../protocol/environment.ts';
import { TransportError } from '../protocol/errors.ts';
import type { Logger } from '../protocol/logger.ts';
import { below, seededRng } from '../protocol/rng.ts';
import { DelegatingMessenger } from '../upgrade/delegating-messenger.ts';
import { DEFAULT_ROUTING_POLICY } from '../upgrade/routing.ts';
import { settle } from './accounts.ts';
import { Cluster, type Slot, stackOf } from './cluster.ts';
import { JvmMember, OwnMember, type RehearsalMember } from './members.ts';
import type { RehearsalEvents, RehearsalOptions, RehearsalReport } from './types.ts';

const HOST = '127.0.0.1';
const CLUSTER = 'AG';
/** Geode 1.15: what old members advertise. */
const OLD_VERSION = 150;
/** Geode gives a UDP-only member this much; with its smaller default of 64 KiB large messages crawl (PEERS section 6). */
const RECEIVE_BUFFER_BYTES = 1_048_576;
/** Traffic between two steps. */
const DWELL_MS = 1_500;
/** From the death of a member to the view without it. Geode takes 12 s, which proves no more. */
const DETECTION_MS = 500;
/** JGroups keeps a closing connection for 10 s; the gaps of 5 % loss are mended in 1 to 2 s. */
const LINGER_MS = 4_000;
const DRAIN_TIMEOUT_MS = 30_000;
const SETTLE_TIMEOUT_MS = 60_000;
const PROGRESS_MS = 250;

/** Real peers were asked for and cannot be had. */
export class OldPeersError extends Error {
  constructor(reason: string) {
    super(`real JGroups members cannot be had: ${reason}; --old embedded runs without them`);
    this.name = 'OldPeersError';
  }
}

/**
 * Upgrades a cluster of old members to new ones, one by one, under constant traffic from all to all, and counts
 * what became of every message.
 * @throws {OldPeersError} if JVMs were asked for and cannot be had
 * @throws whatever `signal` was aborted with
 */
export async function runRehearsal(
  options: RehearsalOptions,
  events: RehearsalEvents,
  signal: AbortSignal,
  logger?: Logger,
): Promise<RehearsalReport> {
  const oldPeers = await chooseOldPeers(options, events);
  const rehearsal = new Rehearsal(options, oldPeers, events, signal, logger);
  try {
    return await rehearsal.run();
  } finally {
    await rehearsal.end();
  }
}

async function chooseOldPeers(
  options: RehearsalOptions,
  events: RehearsalEvents,
): Promise<'jvm' | 'embedded'> {
  if (options.old === 'embedded') return 'embedded';
  events.note(`looking for Java, Maven and JGroups ${options.oldVersion}`);
  const probe = await probeJava(options.oldVersion);
  if (probe.ok) return 'jvm';
  if (options.old === 'jvm') throw new OldPeersError(probe.reason);
  events.note(`old members are embedded ones, for real JGroups members cannot be had: ${probe.reason}`);
  return 'embedded';
}

class Rehearsal {
  readonly #options: RehearsalOptions;
  readonly #oldPeers: 'jvm' | 'embedded';
  readonly #events: RehearsalEvents;
  readonly #signal: AbortSignal;
  readonly #logger: Logger | undefined;
  readonly #clock: Environment;
  readonly #cluster: Cluster;
  /** All that were started: none may outlive the rehearsal. */
  readonly #started: RehearsalMember[] = [];
  #phase = '';
  #upgraded = 0;
  #startMs = 0;
  #retiredAtMs: number | null = null;
  readonly #bytesOfGone = { udp: 0, tcp: 0 };

  constructor(
    options: RehearsalOptions,
    oldPeers: 'jvm' | 'embedded',
    events: RehearsalEvents,
    signal: AbortSignal,
    logger: Logger | undefined,
  ) {
    this.#options = options;
    this.#oldPeers = oldPeers;
    this.#events = events;
    this.#signal = signal;
    this.#logger = logger;
    this.#clock = createNodeEnvironment();
    this.#cluster = new Cluster(options.members);
  }

  async run(): Promise<RehearsalReport> {
    const { rate, size } = this.#options;
    await this.#startOldMembers();
    this.#startMs = this.#clock.nowMs();
    for (const member of this.#cluster.live) member.startTraffic(rate, size);
    await this.#dwell(DWELL_MS);
    for (const slot of this.#order()) {
      await this.#upgrade(slot);
      await this.#dwell(DWELL_MS);
    }
    return this.#finish();
  }

  /** Kills what is still there. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#started.map((member) => member.kill()));
  }

  // --- steps -----------------------------------------------------------------------------------------------

  async #startOldMembers(): Promise<void> {
    this.#say(`starting ${this.#options.members} old members`);
    await Promise.all(
      this.#cluster.slots.map(async (slot) => {
        slot.member = await this.#startOldMember(slot.name);
        slot.state = 'up';
      }),
    );
    await this.#cluster.join(this.#cluster.live);
  }

  /** In the order of the seed, for the place in the view makes a difference. */
  #order(): Slot[] {
    const rng = seededRng(this.#options.seed);
    const rest = [...this.#cluster.slots];
    return this.#cluster.slots.map(() => rest.splice(below(rng, rest.length), 1)[0] as Slot);
  }

  async #upgrade(slot: Slot): Promise<void> {
    this.#say(`upgrading ${slot.name} (${this.#upgraded + 1} of ${this.#options.members})`);
    const old = slot.member as RehearsalMember;
    await (this.#options.kill ? this.#kill(slot, old) : this.#leave(slot, old));
    slot.state = 'starting';
    const fresh = await this.#startNewMember(slot.name, old.id.port);
    slot.member = fresh;
    await this.#cluster.join([fresh]);
    slot.state = 'up';
    this.#upgraded++;
    fresh.startTraffic(this.#options.rate, this.#options.size);
    this.#checkRetired();
  }

  async #leave(slot: Slot, old: RehearsalMember): Promise<void> {
    slot.state = 'leaving';
    const drained = await this.#drain(slot, old);
    await this.#cluster.remove(old);
    await this.#linger(slot);
    this.#keepBytes(old);
    await (drained ? old.leave() : old.kill());
    // who goes with messages that nobody acknowledged takes them along, as a killed one does
    await this.#cluster.close(slot, drained ? 'left' : 'killed');
    slot.state = 'left';
  }

  /** True once all that the leaver has sent is acknowledged. */
  async #drain(slot: Slot, old: RehearsalMember): Promise<boolean> {
    try {
      await this.#watch(old.stopTraffic());
      if (await this.#watch(old.drain(DRAIN_TIMEOUT_MS))) return true;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof JvmPeerError)) throw error;
    }
    const seconds = DRAIN_TIMEOUT_MS / 1_000;
    this.#events.note(
      `${slot.name} leaves with messages that were not acknowledged within ${seconds} s: lower --rate or --size`,
    );
    return false;
  }

  /** What was on its way to a leaver when the view dropped it still gets there, if the leaver waits a moment. */
  async #linger(slot: Slot): Promise<void> {
    const deadlineMs = this.#clock.nowMs() + LINGER_MS;
    do await this.#dwell(PROGRESS_MS);
    while (this.#cluster.inFlightTo(slot) > 0 && this.#clock.nowMs() < deadlineMs);
  }

  async #kill(slot: Slot, old: RehearsalMember): Promise<void> {
    this.#keepBytes(old);
    await old.kill();
    slot.state = 'killed';
    await this.#dwell(DETECTION_MS);
    await this.#cluster.remove(old);
    await this.#cluster.close(slot, 'killed');
  }

  async #finish(): Promise<RehearsalReport> {
    this.#say('waiting for the last messages');
    for (const member of this.#cluster.live) await this.#watch(member.stopTraffic());
    const deadlineMs = this.#clock.nowMs() + SETTLE_TIMEOUT_MS;
    do await this.#dwell(PROGRESS_MS);
    while (this.#cluster.inFlight() > 0 && this.#clock.nowMs() < deadlineMs);
    const durationMs = Math.round(this.#clock.nowMs() - this.#startMs);
    this.#say('done');
    const bytes = this.#bytes();
    const udpRetired = this.#cluster.live.every((member) => stackOf(member) === 'TCP');
    for (const slot of this.#cluster.slots) await this.#cluster.close(slot, 'stayed');
    const problems: string[] = [];
    const sums = settle(this.#cluster.closed, (problem) => problems.push(problem));
    if (!udpRetired) problems.push('UDP was not retired by all members');
    return {
      oldPeers: this.#oldPeers,
      oldVersion: this.#options.oldVersion,
      members: this.#options.members,
      ...sums,
      udpRetired,
      udpRetiredAtMs: this.#retiredAtMs,
      bytesUdp: bytes.udp,
      bytesTcp: bytes.tcp,
      durationMs,
      ok: problems.length === 0,
      problems,
    };
  }

  // --- members ---------------------------------------------------------------------------------------------

  async #startOldMember(name: string): Promise<RehearsalMember> {
    const { oldVersion } = this.#options;
    if (this.#oldPeers === 'jvm') {
      const peer = { version: oldVersion, host: HOST, name, memberVersion: OLD_VERSION };
      return this.#keep(await JvmMember.start({ ...peer, receiveBufferBytes: RECEIVE_BUFFER_BYTES }));
    }
    const environment = this.#environment(name);
    const messenger = new JGroupsMessenger({
      ...this.#common(environment, [0, 0]),
      member: { name, version: OLD_VERSION },
    });
    return this.#keep(await OwnMember.start(environment, messenger, `embedded ${oldVersion}`));
  }

  /** On the old one's port if it is free for both protocols, as a restarted node would be; else on any. */
  async #startNewMember(name: string, port: number): Promise<RehearsalMember> {
    const environment = this.#environment(name);
    const start = (ports: readonly [number, number]): Promise<OwnMember> => {
      const member = { name, version: DEFAULT_ROUTING_POLICY.tcpVersions[0] };
      const messenger = new DelegatingMessenger({ ...this.#common(environment, ports), member });
      return OwnMember.start(environment, messenger, 'rollgate');
    };
    try {
      return this.#keep(await start([port, port]));
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      return this.#keep(await start([0, 0]));
    }
  }

  #keep(member: RehearsalMember): RehearsalMember {
    this.#started.push(member);
    return member;
  }

  #common(environment: Environment, ports: readonly [number, number]) {
    return { environment, cluster: CLUSTER, host: HOST, ports, udpReceiveBufferBytes: RECEIVE_BUFFER_BYTES };
  }

  #environment(name: string): Environment {
    const { loss, duplicate, reorder } = this.#options;
    const seed = this.#options.seed * 1_000 + this.#started.length + Number(name.slice(1));
    return createNodeEnvironment({
      ...(this.#logger === undefined ? {} : { logger: this.#logger }),
      ...(loss + duplicate + reorder > 0 ? { faults: { loss, duplicate, reorder, seed } } : {}),
    });
  }

  // --- time and progress -----------------------------------------------------------------------------------

  #say(phase: string): void {
    this.#phase = phase;
    this.#report();
  }

  async #dwell(ms: number): Promise<void> {
    const untilMs = this.#clock.nowMs() + ms;
    for (let nowMs = this.#clock.nowMs(); nowMs < untilMs; nowMs = this.#clock.nowMs()) {
      await this.#sleep(Math.min(PROGRESS_MS, untilMs - nowMs));
      await this.#tick();
    }
  }

  /** Shows progress while something takes its time. */
  async #watch<T>(work: Promise<T>): Promise<T> {
    const pending = Symbol('pending');
    for (;;) {
      const result = await Promise.race([work, this.#sleep(PROGRESS_MS).then(() => pending)]);
      if (result !== pending) return work;
      await this.#tick();
    }
  }

  async #tick(): Promise<void> {
    this.#signal.throwIfAborted();
    await this.#cluster.refresh();
    this.#checkRetired();
    this.#report();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.createTimer(resolve).set(this.#clock.nowMs() + ms);
    });
  }

  #checkRetired(): void {
    if (this.#retiredAtMs !== null || this.#upgraded < this.#options.members) return;
    if (!this.#cluster.live.every((member) => stackOf(member) === 'TCP')) return;
    this.#retiredAtMs = Math.round(this.#clock.nowMs() - this.#startMs);
    this.#events.note(`UDP was retired by all members with view ${this.#cluster.viewId}`);
  }

  #report(): void {
    const bytes = this.#bytes();
    this.#events.progress({
      phase: this.#phase,
      fraction: Math.min(1, (this.#upgraded + (this.#startMs > 0 ? 0.5 : 0)) / (this.#options.members + 0.5)),
      elapsedMs: this.#startMs === 0 ? 0 : this.#clock.nowMs() - this.#startMs,
      upgraded: this.#upgraded,
      members: this.#options.members,
      bytesUdp: bytes.udp,
      bytesTcp: bytes.tcp,
      rows: this.#cluster.rows(),
    });
  }

  #keepBytes(member: RehearsalMember): void {
    const bytes = bytesOf(member);
    this.#bytesOfGone.udp += bytes.udp;
    this.#bytesOfGone.tcp += bytes.tcp;
  }

  #bytes(): { udp: number; tcp: number } {
    const bytes = { ...this.#bytesOfGone };
    for (const member of this.#cluster.live) {
      const more = bytesOf(member);
      bytes.udp += more.udp;
      bytes.tcp += more.tcp;
    }
    return bytes;
  }
}

function bytesOf(member: RehearsalMember): { udp: number; tcp: number } {
  const stacks = member.messenger?.stats().stacks;
  const total = (stack: 'udp' | 'tcp'): number =>
    (stacks?.[stack]?.bytesSent ?? 0) + (stacks?.[stack]?.bytesReceived ?? 0);
  return { udp: total('udp'), tcp: total('tcp') };
}
