import type { MessengerStats } from '../../src/protocol/messenger.ts';
import { below, seededRng, type Rng } from '../../src/protocol/rng.ts';
import { Checker, Violation } from './checker.ts';
import { Cluster, type MessengerFactory, type SimulatedMember } from './cluster.ts';
import { randomFaults } from './faults.ts';
import { SCRIPTS, type ScenarioKind, type Stage } from './scripts.ts';
import { plainTuning, type Tuning } from './tuning.ts';
import { VirtualClock } from './virtual-clock.ts';
import { type NetworkFaults, PERFECT, VirtualNetwork } from './virtual-network.ts';

/** What is tried. */
export interface Subject {
  readonly name: string;
  readonly create: MessengerFactory;
  readonly kinds: readonly ScenarioKind[];
  /** Default: `plainTuning`. */
  readonly tune?: (rng: Rng) => Tuning;
  /** Default: `randomFaults`. */
  readonly faults?: (rng: Rng) => NetworkFaults;
  /** Which kinds of members a cluster has at first; an upgrade begins with old ones. */
  readonly mix: 'old' | 'new' | 'mixed';
  /** Version ordinals that old and new members advertise. */
  readonly versions: { readonly old: number; readonly new: number };
  /** May an old member join a cluster that had none any more? Default true (DESIGN.md decision 7). */
  readonly oldMayReturn?: boolean;
  /** No old member is left: has this one given up UDP? Not checked if absent. */
  readonly isRetired?: (stats: MessengerStats) => boolean;
}

/** What one seed came to. */
export interface Outcome {
  readonly seed: number;
  readonly kind: ScenarioKind;
  /** Null: the contract held. */
  readonly failure: Error | null;
  readonly virtualMs: number;
  readonly events: number;
  readonly sent: number;
  readonly delivered: number;
  readonly network: VirtualNetwork['counters'];
}

/** Members are on 10.0.0.1 and up, all on this port, as Geode's are if nobody says otherwise. */
const PORT = 41_000;
const COUNT_CHECK_MS = 200;

/** After the faults end, everything has to be delivered and acknowledged within this. */
const LIVENESS_MS = 60_000;
const QUIET_POLL_MS = 50;

/** Then nothing may happen any more; what the slowest link held back has arrived by then. */
const AFTERMATH_MS = 1_500;

/** A seed that takes longer is stuck in its script. */
const MAX_VIRTUAL_MS = 600_000;

/**
 * Derives a whole run from one seed: members, faults, schedule, traffic. First comes safety under faults, then the
 * network heals and liveness is checked (TigerBeetle's VOPR).
 */
export async function runSeed(
  subject: Subject,
  seed: number,
  trace?: (line: string) => void,
): Promise<Outcome> {
  const rng = seededRng(seed);
  const clock = new VirtualClock();
  const stamped =
    trace === undefined
      ? {}
      : { trace: (line: string) => trace(`${clock.nowMs.toFixed(3).padStart(10)} ${line}`) };
  const kind = subject.kinds[below(rng, subject.kinds.length)]!;
  const tuning = (subject.tune ?? plainTuning)(rng);
  const network = new VirtualNetwork(clock, {
    seed: below(rng, 0x1_0000_0000),
    ...tuning.network,
    ...stamped,
  });
  const cluster = new Cluster({
    clock,
    network,
    checker: new Checker(subject.mix === 'mixed'),
    create: subject.create,
    seed: below(rng, 0x1_0000_0000),
    tuning,
    ...stamped,
  });
  cluster.trace(`tuning ${JSON.stringify(tuning)}`);
  const scenario = new Scenario(subject, kind, cluster, rng);
  let finished = false;
  scenario
    .run()
    .catch((error: unknown) => cluster.fail(error as Error))
    .finally(() => (finished = true));
  try {
    const isOver = (): boolean => finished || cluster.failure !== null;
    if (!(await clock.runUntil(MAX_VIRTUAL_MS, isOver))) {
      cluster.fail(new Error(`the script did not end within ${MAX_VIRTUAL_MS} virtual ms`));
    }
  } catch (error) {
    cluster.fail(error as Error);
  }
  return {
    seed,
    kind,
    failure: cluster.failure,
    virtualMs: clock.nowMs,
    events: clock.eventsRun,
    sent: cluster.checker.sent,
    delivered: cluster.checker.delivered,
    network: network.counters,
  };
}

class Scenario implements Stage {
  readonly cluster: Cluster;
  readonly rng: Rng;
  readonly subject: Subject;
  readonly #kind: ScenarioKind;
  readonly #intervalMs: number;
  #names = 0;
  #hosts = 0;

  constructor(subject: Subject, kind: ScenarioKind, cluster: Cluster, rng: Rng) {
    this.subject = subject;
    this.cluster = cluster;
    this.rng = rng;
    this.#kind = kind;
    this.#intervalMs = 15 + rng.next() * 60;
  }

  async run(): Promise<void> {
    const { cluster, rng } = this;
    const { clock } = cluster;
    const size = 2 + below(rng, 5);
    for (let count = 0; count < size; count++) await this.#start(this.#firstKind());
    cluster.changeView(cluster.running);
    this.#checkCountsRegularly();
    this.changeFaults();
    await Promise.all([SCRIPTS[this.#kind](this), clock.sleep(1_000 + rng.next() * 1_500)]);
    this.#heal();
    // Half the time the traffic goes on for a while: a sender that only speaks when spoken to is caught by silence.
    if (rng.next() < 0.5) await clock.sleep(300);
    for (const { traffic } of cluster.running) traffic.stop();
    await this.#checkLiveness();
    await clock.sleep(AFTERMATH_MS);
    await this.#checkRetirement();
    await this.#stopAll();
  }

  join(kind: 'old' | 'new', host?: string): Promise<SimulatedMember> {
    const { mix, oldMayReturn = true } = this.subject;
    const hasOld = this.cluster.running.some(({ options }) => options.kind === 'old');
    return this.#start(mix === 'mixed' && !oldMayReturn && !hasOld ? 'new' : kind, host);
  }

  async #start(kind: 'old' | 'new', host?: string): Promise<SimulatedMember> {
    const member = await this.cluster.join({
      host: host ?? `10.0.0.${++this.#hosts}`,
      ports: [PORT, PORT + 9],
      name: `${kind}${++this.#names}`,
      kind,
      version: this.subject.versions[kind],
    });
    member.traffic.start(member, this.#intervalMs);
    return member;
  }

  changeFaults(): void {
    this.cluster.network.faults = (this.subject.faults ?? randomFaults)(this.rng);
  }

  async sleep(minMs: number, maxMs: number): Promise<void> {
    await this.cluster.clock.sleep(minMs + this.rng.next() * (maxMs - minMs));
  }

  #firstKind(): 'old' | 'new' {
    if (this.subject.mix !== 'mixed') return this.subject.mix;
    return this.rng.next() < (this.#kind === 'upgrade' ? 0.9 : 0.5) ? 'old' : 'new';
  }

  #heal(): void {
    this.cluster.trace('all faults end');
    this.cluster.network.faults = PERFECT;
    this.cluster.unpartition();
    for (const { environment } of this.cluster.running) environment.resume();
  }

  #checkCountsRegularly(): void {
    this.cluster.clock.after(COUNT_CHECK_MS, () => {
      this.cluster.checkCounts();
      this.#checkCountsRegularly();
    });
  }

  async #checkLiveness(): Promise<void> {
    const { cluster } = this;
    if (await this.#within(LIVENESS_MS, () => cluster.isQuiet)) return;
    const text = `${LIVENESS_MS} ms after the faults ended: ${cluster.describePending()}`;
    throw new Violation('liveness', text);
  }

  async #checkRetirement(): Promise<void> {
    const { isRetired } = this.subject;
    const { running } = this.cluster;
    if (isRetired === undefined || running.some(({ options }) => options.kind === 'old')) return;
    const areAll = (): boolean => running.every(({ messenger }) => isRetired(messenger.stats()));
    if (await this.#within(LIVENESS_MS, areAll)) return;
    const names = running.filter(({ messenger }) => !isRetired(messenger.stats()));
    throw new Violation('retirement', `UDP is still there at ${names.map((m) => m.options.name).join(', ')}`);
  }

  async #stopAll(): Promise<void> {
    const { cluster } = this;
    cluster.checkCounts();
    for (const { messenger, options } of cluster.running) {
      if (await cluster.clock.wait(messenger.flush(1_000))) continue;
      throw new Violation('flush', `${options.name} has nothing pending, and flush said false`);
    }
    const last = cluster.running;
    for (const member of last) await cluster.stop(member);
    await cluster.clock.sleep(100);
    for (const { messenger, options } of last) {
      const { closed } = messenger.stats().totals;
      if (closed > 0) throw new Violation('counts', `${options.name} closed ${closed} delivered messages`);
    }
  }

  async #within(limitMs: number, isDone: () => boolean): Promise<boolean> {
    const { clock } = this.cluster;
    const endMs = clock.nowMs + limitMs;
    while (!isDone()) {
      if (clock.nowMs >= endMs) return false;
      await clock.sleep(QUIET_POLL_MS);
    }
    return true;
  }
}
