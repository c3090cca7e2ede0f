import { setTimeout as sleep } from 'node:timers/promises';

import type { Expectation } from '../expectations.ts';
import type { Group } from '../group.ts';
import type { ConformanceMember } from '../member.ts';

const PERIOD_MS = 40;
const SIZE_BYTES = 700;
/** Each time, of each member, to each other one and to the group. */
const PER_PERIOD = 2;

/** Steady traffic of all members of the view to all others while members come and go, and its books. */
export class Trickle {
  readonly #group: Group;
  readonly #unicasts: number;
  readonly #groupMessages: number;
  /** Unicasts that were sent, by `from/to` labels; group messages by the sender's label. */
  readonly #sent = new Map<string, number>();
  readonly #joined = new Map<ConformanceMember, ReadonlyMap<string, number>>();
  /** Whose sending ends here: of what they sent last, nothing can be said. */
  readonly #died = new Set<ConformanceMember>();
  #on = true;
  readonly #done: Promise<void>;

  constructor(group: Group) {
    this.#group = group;
    this.#unicasts = group.newStream();
    this.#groupMessages = group.newStream();
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    while (this.#on) {
      this.#sendAll();
      await sleep(PERIOD_MS);
    }
  }

  #sendAll(): void {
    const { members, inView, hasGroupMessages } = this.#group;
    for (const from of members) {
      for (const to of inView) {
        if (to === from) continue;
        this.#count(`${from.label}/${to.label}`);
        const burst = from.peer.burst(to.id, { ...BURST, stream: this.#unicasts });
        burst.catch(() => undefined); // it, or its recipient, has gone: what was not delivered tells
      }
      if (!hasGroupMessages) continue;
      this.#count(from.label);
      from.peer.groupBurst({ ...BURST, stream: this.#groupMessages }).catch(() => undefined);
    }
  }

  #count(key: string): void {
    this.#sent.set(key, (this.#sent.get(key) ?? 0) + PER_PERIOD);
  }

  /** To be called before it is killed: its last messages may be lost. */
  dies(member: ConformanceMember): void {
    this.#died.add(member);
  }

  /** To be called once all have the view that holds it: from now on it must get everything. */
  joined(member: ConformanceMember): void {
    this.#joined.set(member, new Map(this.#sent));
  }

  /** Ends the traffic. What must have arrived at those who live: */
  async stop(): Promise<Expectation[]> {
    this.#on = false;
    await this.#done;
    const expectations: Expectation[] = [];
    for (const to of this.#group.members) {
      for (const from of this.#group.all) {
        if (from === to) continue;
        expectations.push(...this.#expect(from, to));
      }
    }
    return expectations;
  }

  #expect(from: ConformanceMember, to: ConformanceMember): Expectation[] {
    const unicasts = this.#sent.get(`${from.label}/${to.label}`) ?? 0;
    const groupMessages = this.#sent.get(from.label) ?? 0;
    const isPrefix = this.#died.has(from);
    const optional = this.#joined.get(to)?.get(from.label) ?? 0;
    const base = { from, to, ordered: true };
    const found: Expectation[] = [];
    if (unicasts > 0) {
      found.push({ ...base, stream: this.#unicasts, count: unicasts, kind: isPrefix ? 'prefix' : 'all' });
    }
    if (groupMessages === 0) return found;
    const kind = isPrefix ? 'prefix' : optional > 0 ? { optional } : 'all';
    found.push({ ...base, stream: this.#groupMessages, count: groupMessages, kind });
    return found;
  }
}

const BURST = { count: PER_PERIOD, sizeBytes: SIZE_BYTES };
