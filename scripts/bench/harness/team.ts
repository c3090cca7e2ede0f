import type { BenchProcess } from './bench-process.ts';
import { BrokenRun } from './bench-process.ts';
import { unlessStalled } from './stall-watch.ts';
import { ringOf } from './stamped-payload.ts';
import type { Sample } from './types.ts';

export interface OneWayJob {
  /** Messages to each receiver. */
  readonly count: number;
  readonly sizeBytes: number;
  /** Messages may share a datagram or a write. */
  readonly bundle?: boolean;
}

/** One measurement that takes longer than for a thousand messages a second, or than five minutes, hangs. */
function timeoutMs(messages: number): number {
  return Math.min(MAX_TIMEOUT_MS, 120_000 + messages);
}
const MAX_TIMEOUT_MS = 300_000;
const DRAIN_TIMEOUT_MS = 30_000;
const LEAST_WARM_UP = 1_000;
const SETTLED_ROUNDS = 2;

/** A sender and its receivers, each a process, which know each other by a view. */
export class Team {
  readonly sender: BenchProcess;
  readonly receivers: readonly BenchProcess[];
  /** Processes that only stand between; their processor time is not counted. */
  readonly helpers: readonly BenchProcess[];
  /** Processes that carry the messages; their processor time is. */
  readonly carriers: readonly BenchProcess[];

  constructor(
    sender: BenchProcess,
    receivers: readonly BenchProcess[],
    helpers: readonly BenchProcess[] = [],
    carriers: readonly BenchProcess[] = [],
  ) {
    this.sender = sender;
    this.receivers = receivers;
    this.helpers = helpers;
    this.carriers = carriers;
  }

  get #members(): BenchProcess[] {
    return [this.sender, ...this.receivers];
  }

  get #workers(): BenchProcess[] {
    return [...this.#members, ...this.carriers];
  }

  /** @param relayPort where the sender is to find its receiver, if not at its own port */
  async installView(relayPort?: number): Promise<void> {
    const ids = this.#members.flatMap((member) => member.memberIds);
    const seen = ids.map((id) =>
      relayPort === undefined || id === this.sender.memberId ? id : { ...id, port: relayPort },
    );
    await this.sender.installView(1, seen);
    await Promise.all(this.receivers.map((one) => one.installView(1, ids)));
  }

  /** Messages as fast as they are taken, to each receiver; every one is awaited and checked there. */
  async oneWay({ count, sizeBytes, bundle = false }: OneWayJob): Promise<Sample> {
    const ring = ringOf(sizeBytes);
    await this.#drain();
    await Promise.all(
      this.receivers.map((one) => one.request(`expect ${count} ${sizeBytes} ${ring}`, 'expecting')),
    );
    const before = this.#usage();
    const recipients = this.receivers.flatMap((one) => one.memberIds);
    const uuids = recipients.map(({ uuid }) => uuid).join(',');
    const senderBefore = this.sender.cpuSeconds();
    const kind = bundle ? 'bundle' : 'dont-bundle';
    const send = `send ${count} ${sizeBytes} ${ring} ${kind} ${uuids}`;
    const [sent, ...received] = await unlessStalled(
      Promise.all([
        this.sender.request(send, 'sent', timeoutMs(count)),
        ...this.receivers.map((one) => one.wait('received', timeoutMs(count))),
      ]),
      () => receivedBy(this.receivers),
      count * recipients.length,
    );
    const usage = this.#usageSince(before, count);
    const senderCpuSeconds = this.sender.cpuSeconds() - senderBefore;
    const endNs = Math.max(...received.map((event) => Number(event['lastNs'])));
    const seconds = (endNs - Number(sent['startNs'])) / 1e9;
    const metrics = {
      rate: count / seconds,
      megabytes: (count * sizeBytes) / seconds / 1e6,
      senderCpuPerDelivery: (senderCpuSeconds / count / recipients.length) * 1e6,
    };
    return { metrics, ...usage };
  }

  /** One message there and back at a time, in microseconds. */
  async roundTrip(count: number, sizeBytes: number): Promise<Sample> {
    const [receiver] = this.receivers;
    if (receiver === undefined) throw new BrokenRun('nobody to answer');
    await this.#drain();
    await receiver.request('echo on', 'echoing');
    const before = this.#usage();
    const ping = `ping ${count} ${sizeBytes} ${receiver.memberId.uuid}`;
    const { p50Ns, p99Ns } = await unlessStalled(
      this.sender.request(ping, 'pinged', timeoutMs(count)),
      () => receivedBy([this.sender]),
      count,
    );
    const usage = this.#usageSince(before, count);
    await receiver.request('echo off', 'echoing');
    return { metrics: { p50: Number(p50Ns) / 1e3, p99: Number(p99Ns) / 1e3 }, ...usage };
  }

  /**
   * Repeats a measurement, not bundled and bundled, until a message costs no less processor time than before: by then
   * what it is measured by is compiled, in a JVM and in node alike.
   * @param maxSeconds of processor time for a sender and a receiver, for a busy machine gives little of it; by the
   *   clock three times that
   * @param kinds bundled or not
   */
  async warmUp(maxSeconds: number, kinds: readonly boolean[] = [false, true]): Promise<void> {
    const budget = (maxSeconds * this.#members.length) / 2 / kinds.length;
    for (const bundle of kinds) {
      const deadline = performance.now() + 3e3 * budget;
      let [count, best, settled, spent] = [LEAST_WARM_UP, Infinity, 0, 0];
      while (settled < SETTLED_ROUNDS && spent < budget && performance.now() < deadline) {
        const { metrics, cpuSeconds } = await this.oneWay({ count, sizeBytes: 1024, bundle });
        const cost = cpuSeconds / count;
        spent += cpuSeconds;
        // the system counts in hundredths of a second
        if (cpuSeconds > 0.2) {
          settled = cost > 0.9 * best ? settled + 1 : 0;
          best = Math.min(best, cost);
        }
        const affordable = ((metrics['rate'] ?? 0) * maxSeconds) / 8;
        count = Math.round(Math.max(LEAST_WARM_UP, Math.min(4 * count, affordable)));
      }
    }
  }

  /** A measurement begins with nothing pending. It is awaited then, and not after the one before: others go first. */
  async #drain(): Promise<void> {
    for (const member of this.#members) {
      const { ok } = await member.request(`drain ${DRAIN_TIMEOUT_MS}`, 'drained', 2 * DRAIN_TIMEOUT_MS);
      if (ok !== true) throw new BrokenRun(`${member.name}: not all is acknowledged`);
    }
  }

  #usage(): { cpuSeconds: number; drops: number } {
    const sum = (of: (one: BenchProcess) => number): number =>
      this.#workers.reduce((total, one) => total + of(one), 0);
    const relayDrops = this.helpers.reduce((total, one) => total + one.droppedDatagrams(), 0);
    return {
      cpuSeconds: sum((one) => one.cpuSeconds()),
      drops: sum((one) => one.droppedDatagrams()) + relayDrops,
    };
  }

  #usageSince(before: { cpuSeconds: number; drops: number }, messages: number): Omit<Sample, 'metrics'> {
    const now = this.#usage();
    return {
      messages,
      cpuSeconds: now.cpuSeconds - before.cpuSeconds,
      residentBytes: this.#workers.reduce((sum, one) => sum + one.residentBytes(), 0),
      drops: now.drops - before.drops,
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#workers, ...this.helpers].map((one) => one.kill()));
  }
}

/** Messages or answers of the measurement that is under way. */
async function receivedBy(processes: readonly BenchProcess[]): Promise<number> {
  const answers = await Promise.all(processes.map((one) => one.request('progress', 'progress')));
  return answers.reduce((sum, { received }) => sum + Number(received), 0);
}

/** Teams by name, started when first needed and kept: a warm JVM stays warm. */
export class Teams {
  readonly #create: (name: string) => Promise<Team>;
  readonly #teams = new Map<string, Promise<Team>>();

  constructor(create: (name: string) => Promise<Team>) {
    this.#create = create;
  }

  of(name: string): Promise<Team> {
    let team = this.#teams.get(name);
    if (team === undefined) this.#teams.set(name, (team = this.#create(name)));
    return team;
  }

  /** Of a broken measurement: who comes next gets a new one. */
  async discard(name: string): Promise<void> {
    const team = this.#teams.get(name);
    this.#teams.delete(name);
    await (await team?.catch(() => undefined))?.stop();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#teams.keys()].map((name) => this.discard(name)));
  }
}
