import type { Digest } from '../../codecs/jgroups/message.ts';
import type { Environment } from '../../src/protocol/environment.ts';
import type { Logger } from '../../src/protocol/logger.ts';
import { createMemberId, type MemberId } from '../../src/protocol/member-id.ts';
import type { IncomingMessage, Messenger } from '../../src/protocol/messenger.ts';
import { below, seededRng, type Rng } from '../../src/protocol/rng.ts';
import { createView, type View } from '../../src/protocol/view.ts';
import { Violation, type Checker } from './checker.ts';
import { Traffic } from './traffic.ts';
import type { Tuning } from './tuning.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { VirtualEnvironment, type Death } from './virtual-environment.ts';
import type { VirtualNetwork } from './virtual-network.ts';

/** What a messenger under test is made of. */
export interface MemberOptions {
  readonly host: string;
  readonly ports: readonly [number, number];
  readonly name: string;
  /** Old ones speak UDP only. */
  readonly kind: 'old' | 'new';
  /** Version ordinal that the member advertises. */
  readonly version: number;
}

export type MessengerFactory = (
  environment: Environment,
  options: MemberOptions,
  tuning: Tuning,
) => Messenger;

/** A messenger with group messages: a member that joins is told where they start. */
interface GroupMessenger extends Messenger {
  digestForJoiner(): Digest | null;
  installView(view: View, options?: { readonly digest?: Digest }): void;
}

export interface ClusterOptions {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly checker: Checker;
  readonly create: MessengerFactory;
  readonly seed: number;
  readonly tuning: Tuning;
  readonly trace?: (line: string) => void;
}

export interface SimulatedMember {
  readonly options: MemberOptions;
  readonly messenger: Messenger;
  readonly environment: VirtualEnvironment;
  /** The checker's name for it. */
  readonly index: number;
  readonly traffic: Traffic;
  id: MemberId;
  /** The one that it has installed. */
  view: View | null;
  /** To come with its first view. */
  digest: Digest | null;
  state: 'running' | 'gone';
}

/** Members on a virtual network, and whoever decides who is in the view: the tests' membership service. */
export class Cluster {
  readonly members: SimulatedMember[] = [];
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly checker: Checker;
  readonly rng: Rng;
  readonly tuning: Tuning;
  /** The first thing that went wrong. */
  failure: Error | null = null;
  readonly #options: ClusterOptions;
  #viewId = 0;
  /** The newest, which not everybody has installed yet. */
  #view: View | null = null;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.network = options.network;
    this.checker = options.checker;
    this.rng = seededRng(options.seed);
    this.tuning = options.tuning;
  }

  get running(): readonly SimulatedMember[] {
    return this.members.filter((member) => member.state === 'running');
  }

  /** Starts a member; it is in no view yet. */
  async join(options: MemberOptions): Promise<SimulatedMember> {
    const seed = below(this.rng, 0x1_0000_0000);
    const environment = new VirtualEnvironment(this.network, seed, this.#logger(options.name));
    const messenger = this.#options.create(environment, options, this.tuning);
    const id = await this.clock.wait(messenger.start());
    const index = this.checker.join(id, options.name);
    const traffic = new Traffic(this, below(this.rng, 0x1_0000_0000));
    const member: SimulatedMember = {
      options,
      messenger,
      environment,
      index,
      traffic,
      id,
      view: null,
      digest: null,
      state: 'running',
    };
    messenger.setDefaultHandler((message) => this.#handleMessage(member, message));
    messenger.setWritableHandler((recipient) => traffic.handleWritable(recipient));
    this.members.push(member);
    this.trace(`${options.name} started as ${id.uuid.slice(0, 8)} on ${id.host}:${id.port}`);
    return member;
  }

  /** A new view of these members, which each of them learns of in its own time. */
  changeView(members: readonly SimulatedMember[]): void {
    this.#giveDigests(members);
    const id = ++this.#viewId;
    for (const member of members) {
      if (member.id.viewId === -1) member.id = createMemberId({ ...member.id, viewId: id });
    }
    const view = createView(
      id,
      members.map((member) => member.id),
    );
    for (const member of this.running)
      if (view.find(member.id.uuid) === null) this.checker.release(member.index);
    this.#view = view;
    this.trace(`view ${id}: ${members.map((member) => member.options.name).join(' ')}`);
    for (const member of members) {
      this.clock.after(this.rng.next() * this.tuning.viewDelayMs, () => this.#installView(member, view));
    }
  }

  /**
   * As JGroups' and Geode's coordinators do it: the first of the members that stay makes the new view, having installed
   * the one before, and nobody installs the new one before the digest was taken.
   */
  #giveDigests(members: readonly SimulatedMember[]): void {
    const previous = this.#view;
    if (previous === null || this.tuning.digestShare === 0) return;
    const coordinator = members.find(({ id, environment }) => {
      return previous.find(id.uuid) !== null && !environment.isPaused;
    });
    if (coordinator?.state !== 'running' || !hasGroup(coordinator.messenger)) return;
    for (const joiner of members) {
      const isNew = previous.find(joiner.id.uuid) === null && hasGroup(joiner.messenger);
      if (!isNew || joiner.digest !== null || this.rng.next() >= this.tuning.digestShare) continue;
      this.#installView(coordinator, previous);
      joiner.digest = coordinator.messenger.digestForJoiner();
      if (joiner.digest === null) continue;
      this.checker.digestGiven(coordinator.index, joiner.index);
      this.trace(`${coordinator.options.name} gives ${joiner.options.name} a digest`);
    }
  }

  /** Sends what it still has to send, is dropped from the view, and stops. */
  async leave(member: SimulatedMember): Promise<void> {
    this.trace(`${member.options.name} leaves`);
    member.traffic.stop();
    const flushed = await this.clock.wait(member.messenger.flush(2_000));
    if (member.state !== 'running') return;
    const outstanding = this.checker.outstandingOf(member.index);
    if (flushed && outstanding > 0) {
      this.fail(new Violation('flush', `${member.options.name} said true with ${outstanding} undelivered`));
    }
    this.changeView(this.running.filter((other) => other !== member));
    await this.clock.sleep(this.rng.next() * this.tuning.viewDelayMs);
    await this.stop(member);
  }

  async stop(member: SimulatedMember): Promise<void> {
    if (member.state !== 'running') return;
    member.traffic.stop();
    member.state = 'gone';
    this.checker.release(member.index);
    await this.clock.wait(member.messenger.stop());
    this.checker.retire(member.index);
    this.attempt(() => this.checker.checkStats(member.index, member.messenger.stats(), true));
    this.trace(`${member.options.name} stopped`);
  }

  /** The others do not know yet. */
  crash(member: SimulatedMember, death: Death): void {
    if (member.state !== 'running') return;
    this.trace(`${member.options.name} crashes (${death})`);
    member.traffic.stop();
    member.state = 'gone';
    this.checker.release(member.index);
    this.checker.retire(member.index);
    member.environment.kill(death);
  }

  /** All links between the two groups, in one direction or both. */
  partition(from: readonly SimulatedMember[], to: readonly SimulatedMember[], bothWays: boolean): void {
    for (const a of from) {
      for (const b of to) {
        this.network.block(a.options.host, b.options.host);
        if (bothWays) this.network.block(b.options.host, a.options.host);
      }
    }
    const names = (group: readonly SimulatedMember[]): string => group.map((m) => m.options.name).join(',');
    this.trace(`partition ${names(from)} ${bothWays ? '<>' : '>'} ${names(to)}`);
  }

  unpartition(): void {
    for (const a of this.members)
      for (const b of this.members) this.network.unblock(a.options.host, b.options.host);
    this.trace('partition healed');
  }

  checkCounts(): void {
    for (const member of this.running) {
      this.attempt(() => this.checker.checkStats(member.index, member.messenger.stats(), false));
    }
  }

  /** Nothing accepted is without an outcome, and nobody waits for room in a queue. */
  get isQuiet(): boolean {
    if (this.checker.outstanding > 0) return false;
    return this.running.every(({ messenger, traffic }) => {
      return messenger.stats().totals.pending === 0 && traffic.unwritable.size === 0;
    });
  }

  describePending(): string {
    const lines = this.running.map(({ options, messenger, traffic }) => {
      const { pending } = messenger.stats().totals;
      return pending === 0 && traffic.unwritable.size === 0
        ? ''
        : `${options.name}: ${pending} pending, ${traffic.unwritable.size} recipients never writable again`;
    });
    return [this.checker.describeOutstanding(), ...lines].filter((line) => line !== '').join('; ');
  }

  /** Runs `check`; what it throws ends the run. */
  attempt(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.trace(`FAILED ${error.message}`);
  }

  trace(line: string): void {
    this.#options.trace?.(line);
  }

  #installView(member: SimulatedMember, view: View): void {
    member.environment.post(() => {
      if (member.state !== 'running') return; // or stopped while it stood still
      this.trace(`${member.options.name} installs view ${view.id}`);
      const { messenger, digest } = member;
      this.attempt(() => {
        if (digest !== null && hasGroup(messenger)) messenger.installView(view, { digest });
        else messenger.installView(view);
      });
      member.digest = null;
      if (member.view === null || view.id > member.view.id) {
        member.view = view;
        member.traffic.handleView(view);
      }
    });
  }

  #handleMessage(member: SimulatedMember, message: IncomingMessage): void {
    // A messenger must survive a handler that throws: what goes wrong here is kept, not thrown.
    this.attempt(() => this.checker.deliver(member.index, message));
  }

  #logger(name: string): Logger {
    const trace = this.#options.trace;
    if (trace === undefined) return { debug: nothing, info: nothing, warn: nothing, error: nothing };
    return {
      debug: nothing,
      info: (message) => trace(`${name} info: ${message}`),
      warn: (message) => trace(`${name} warning: ${message}`),
      error: (message) => trace(`${name} error: ${message}`),
    };
  }
}

function hasGroup(messenger: Messenger): messenger is GroupMessenger {
  return 'digestForJoiner' in messenger;
}

const nothing = (): void => undefined;
