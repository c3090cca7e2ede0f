import { setTimeout as sleep } from 'node:timers/promises';

import { createMemberId, type MemberId } from '../../src/protocol/member-id.ts';
import type { AttackFigures } from './attacker.ts';
import type { Attack } from './attacks.ts';
import type { MemberSetup, Sample } from './member.ts';
import { Actor, processors } from './processes.ts';
import { compare, type Slowdown, type Window } from './verdict.ts';

/** Of each stretch of time, quiet or under attack. */
const WINDOWS = 3;
/** All clients have connected by then, or as many as will. */
const CONNECT_MS = 15_000;
/**
 * What the first of them do at once is over by then, for what is measured goes on: so much processor time of the
 * victim, and for each client what a handshake takes on a slow machine. Not by the clock: on a busy machine the victim
 * would still be at it.
 */
const SETTLE_CPU_MS = 500;
const SETTLE_CPU_MS_EACH = 2;
const MAX_SETTLE_CPU_MS = 3_000;
const MAX_SETTLE_MS = 15_000;
const POLL_MS = 50;
/** For the pair to get going again. */
const QUIET_MS = 300;
const WARM_UP_MS = 1_000;

const LATECOMER_UUID = 'e'.repeat(32);

export interface SiegeOptions extends MemberSetup {
  readonly rounds: number;
  readonly windowMs: number;
  /** The clients attack somebody else beside the pair: what that costs the pair is the machine's part of it. */
  readonly decoy: boolean;
}

export interface Outcome extends Slowdown {
  readonly figures: AttackFigures;
  /** Of a member that was not connected, at its worst; null: it did not get in. */
  readonly probeMs: number | null;
  /** At its most, above what the victim had before all attacks. */
  readonly growthBytes: number;
}

/** A healthy pair, whoever attacks it, and a stop-watch. */
export class Siege {
  readonly #victim = new Actor('member.ts');
  readonly #sender = new Actor('member.ts');
  readonly #attacker = new Actor('attacker.ts');
  readonly #decoy: Actor | null;
  /** Of the decoy: for clients without TLS, and for those that shake hands. */
  #decoyPorts: readonly [number, number] = [0, 0];
  readonly #options: SiegeOptions;
  #victimId: MemberId | null = null;
  #rssBefore = 0;
  #maxRssBytes = 0;

  constructor(options: SiegeOptions) {
    this.#options = options;
    this.#decoy = options.decoy ? new Actor('decoy.ts') : null;
  }

  /** @returns whether the victim has a processor for itself, as if the others were on other machines */
  async start(): Promise<boolean> {
    const { tls, burnMs } = this.#options;
    const victimId = await this.#victim.ask<MemberId>('start', { tls, burnMs });
    const senderId = await this.#sender.ask<MemberId>('start', { tls, burnMs: 0 });
    const latecomer = createMemberId({ ...senderId, uuid: LATECOMER_UUID, name: 'latecomer' });
    await this.#victim.ask('installView', [victimId, senderId, latecomer]);
    await this.#sender.ask('installView', [victimId, senderId]);
    this.#victimId = victimId;
    const isAlone = this.#separate();
    if (this.#decoy !== null) this.#decoyPorts = await this.#decoy.ask<[number, number]>('start', tls);
    await this.#sender.ask('startLoad', victimId);
    await sleep(WARM_UP_MS);
    this.#rssBefore = (await this.#victim.ask<Sample>('sample')).rssBytes;
    return isAlone;
  }

  /** Quiet and attack take turns, and it is quiet at the end. */
  async suffer(attack: Attack, wanted: number): Promise<Outcome> {
    const [quiet, attacked]: [Window[][], Window[][]] = [[], []];
    let probeMs: number | null = 0;
    let figures: AttackFigures = { open: 0, opened: 0, closed: 0 };
    this.#maxRssBytes = 0;
    quiet.push(await this.#measure());
    for (let round = 0; round < this.#options.rounds; round++) {
      await this.#attacker.ask('start', { name: attack.name, victim: this.#targetOf(attack), limit: wanted });
      await this.#awaitClients(wanted);
      attacked.push(await this.#measure());
      const now = await this.#attacker.ask<AttackFigures>('figures');
      figures = {
        open: Math.max(figures.open, now.open),
        opened: figures.opened + now.opened,
        closed: figures.closed + now.closed,
      };
      const tookMs = await this.#probe();
      probeMs = tookMs === null || probeMs === null ? null : Math.max(probeMs, tookMs);
      await this.#attacker.ask('stop');
      await sleep(QUIET_MS);
      quiet.push(await this.#measure());
    }
    const growthBytes = this.#maxRssBytes - this.#rssBefore;
    return { ...compare(quiet, attacked), figures, probeMs, growthBytes };
  }

  /** @returns what did not hold */
  async finish(): Promise<string[]> {
    const { accepted, acknowledged } = await this.#sender.ask<{ accepted: number; acknowledged: number }>(
      'stopLoad',
    );
    const { counters } = await this.#victim.ask<Sample>('sample');
    console.log(`${accepted} messages of the healthy member; the victim counts ${JSON.stringify(counters)}`);
    return accepted === acknowledged
      ? []
      : [`${accepted} messages were accepted, ${acknowledged} acknowledged`];
  }

  end(): void {
    for (const actor of [this.#victim, this.#sender, this.#attacker, this.#decoy]) actor?.end();
  }

  #separate(): boolean {
    const [first, ...rest] = processors();
    if (first === undefined || rest.length === 0) return false;
    const others = [this.#sender, this.#attacker, this.#decoy].filter((actor) => actor !== null);
    return this.#victim.pin([first]) && others.every((actor) => actor.pin(rest));
  }

  #targetOf({ shakesHands }: Attack): MemberId | null {
    if (this.#decoy === null || this.#victimId === null) return this.#victimId;
    return { ...this.#victimId, port: this.#decoyPorts[shakesHands ? 1 : 0] };
  }

  #probe(): Promise<number | null> {
    return this.#sender.ask<number | null>('probe', { victim: this.#victimId, uuid: LATECOMER_UUID });
  }

  async #awaitClients(wanted: number): Promise<void> {
    const endMs = performance.now() + CONNECT_MS;
    while (
      (await this.#attacker.ask<AttackFigures>('figures')).opened < wanted &&
      performance.now() < endMs
    ) {
      await sleep(POLL_MS);
    }
    await this.#settle(wanted);
  }

  async #settle(clients: number): Promise<void> {
    const cpuMs = async (): Promise<number> => (await this.#victim.ask<Sample>('sample')).cpuMs;
    const endCpuMs =
      (await cpuMs()) + Math.min(MAX_SETTLE_CPU_MS, SETTLE_CPU_MS + SETTLE_CPU_MS_EACH * clients);
    const endMs = performance.now() + MAX_SETTLE_MS;
    while ((await cpuMs()) < endCpuMs && performance.now() < endMs) await sleep(POLL_MS);
  }

  async #measure(): Promise<Window[]> {
    const windows: Window[] = [];
    let last = await this.#victim.ask<Sample>('sample');
    for (let i = 0; i < WINDOWS; i++) {
      await sleep(this.#options.windowMs);
      const now = await this.#victim.ask<Sample>('sample');
      const delivered = now.delivered - last.delivered;
      windows.push({
        perSecond: (1_000 * delivered) / (now.atMs - last.atMs),
        perCpuSecond: (1_000 * delivered) / (now.cpuMs - last.cpuMs),
      });
      this.#maxRssBytes = Math.max(this.#maxRssBytes, now.rssBytes);
      last = now;
    }
    return windows;
  }
}
