/**
 * Random groups: members join, leave and crash while group messages and unicasts are lost, repeated and held back.
 * Everything is delivered once and in the order of its sender, and once the network is well again, completely.
 */

import test from 'ava';

import { type Digest, Flag } from '../../../codecs/jgroups/message.ts';
import { GEODE_MULTICAST_STACK, type JGroupsConfig } from '../../../src/jgroups/config.ts';
import { below, type Rng, seededRng } from '../../../src/protocol/rng.ts';
import { keyOf, type Member, World } from './world.ts';

const SEEDS = 60;
const STEPS = 60;

interface Node {
  readonly member: Member;
  view: readonly Node[];
  alive: boolean;
  /** Sent, by whom it is for: numbers in the order sent. */
  readonly sent: Map<Node, { group: number[]; single: number[] }>;
  numbers: number;
  acked: number;
}

class Run {
  readonly world = new World();
  readonly rng: Rng;
  readonly config: Partial<JGroupsConfig>;
  nodes: Node[] = [];
  /** The newest view. */
  members: readonly Node[] = [];
  #viewId = 0;
  #installs: { readonly atMs: number; readonly run: () => void }[] = [];
  #loss: number;

  constructor(seed: number) {
    this.rng = seededRng(seed);
    this.#loss = this.rng.next() * 0.3;
    this.config = {
      ...GEODE_MULTICAST_STACK,
      useMcastXmit: this.rng.next() < 0.2,
      discardDeliveredMsgs: this.rng.next() < 0.7,
      maxCredits: this.rng.next() < 0.5 ? 5_000 : 1_048_576,
      stableMaxBytes: this.rng.next() < 0.5 ? 3_000 : 400_000,
      fragSize: 1_000,
    };
    this.world.lose = (sent, from) => this.#isLost(sent.port, from);
    this.world.shuffle = (inFlight) => this.#disturb(inFlight);
    const count = 3 + below(this.rng, 3);
    for (let i = 0; i < count; i++) this.#add();
    this.change([...this.nodes]);
  }

  #add(): Node {
    const member = this.world.member(this.config);
    const node: Node = { member, view: [], alive: true, sent: new Map(), numbers: 0, acked: 0 };
    this.nodes.push(node);
    return node;
  }

  #isLost(port: number, from: Member): boolean {
    const isDead = ({ member, alive }: Node): boolean =>
      !alive && (member === from || member.address.port === port);
    return this.nodes.some(isDead) || this.rng.next() < this.#loss;
  }

  #held: unknown[] = [];

  #disturb<T>(inFlight: T[]): T[] {
    const out: T[] = [];
    const all = [...(this.#held as T[]), ...inFlight];
    this.#held = [];
    for (const datagram of all) {
      if (this.rng.next() < this.#loss / 2) out.push(datagram);
      if (this.rng.next() < this.#loss / 2) this.#held.push(datagram);
      else
        out.splice(this.rng.next() < this.#loss ? below(this.rng, out.length + 1) : out.length, 0, datagram);
    }
    return out;
  }

  /** Everybody learns of the view in its own time; joiners mostly get the digest that the coordinator has now. */
  change(members: readonly Node[]): void {
    const id = ++this.#viewId;
    const joiners = members.filter((node) => !this.members.includes(node));
    const isFirst = this.members.length === 0;
    const digest = isFirst ? null : (this.members[0]?.member.stack.digestForJoiner(this.world.nowMs) ?? null);
    this.members = members;
    for (const node of members) {
      const isJoiner = joiners.includes(node);
      const known = isJoiner && digest !== null && this.rng.next() < 0.7 ? digest : undefined;
      const atMs = this.world.nowMs + this.rng.next() * 300;
      this.#installs.push({ atMs, run: () => this.#install(node, id, members, known) });
    }
  }

  #latest = new Map<Node, number>();

  #install(node: Node, id: number, members: readonly Node[], digest: Digest | undefined): void {
    if (!node.alive || (this.#latest.get(node) ?? 0) > id) return;
    this.#latest.set(node, id);
    node.view = members;
    node.member.install(
      id,
      members.map(({ member }) => member),
      digest,
    );
  }

  step(): void {
    this.world.run(10 + this.rng.next() * 90);
    const due = this.#installs.filter(({ atMs }) => atMs <= this.world.nowMs);
    this.#installs = this.#installs.filter(({ atMs }) => atMs > this.world.nowMs);
    for (const { run } of due) run();
  }

  get isSettled(): boolean {
    return this.#installs.length === 0;
  }

  changeMembership(): void {
    const draw = this.rng.next();
    const rest = this.members.filter(({ alive }) => alive);
    if (draw < 0.5 && this.nodes.length < 9) {
      this.change([...rest, this.#add()]);
    } else if (rest.length > 2) {
      const gone = rest[below(this.rng, rest.length)] as Node;
      gone.alive = false;
      this.change(rest.filter((node) => node !== gone));
    }
  }

  send(): void {
    for (const node of this.nodes) {
      if (!node.alive || node.view.length === 0) continue;
      for (let burst = below(this.rng, 4); burst > 0; burst--) this.#sendOne(node);
    }
  }

  #sendOne(node: Node): void {
    const others = node.view.filter((other) => other !== node);
    const isGroup = this.rng.next() < 0.7;
    const recipients = isGroup ? others : others.slice(0, 1);
    const isOob = this.rng.next() < 0.1;
    const number = ++node.numbers;
    const kind = isOob ? 'oob' : isGroup ? 'group' : 'single';
    const size = this.rng.next() < 0.1 ? 2_500 : below(this.rng, 300);
    const payload = `${kind} ${number} `.padEnd(size, '.');
    for (const other of recipients) {
      let sent = node.sent.get(other);
      if (sent === undefined) node.sent.set(other, (sent = { group: [], single: [] }));
      (isGroup ? sent.group : sent.single).push(number);
    }
    const flags = isOob ? Flag.OOB : 0;
    if (isGroup) node.member.sendToGroup(payload, flags);
    else for (const { member } of recipients) node.member.send(member, payload, flags);
  }

  heal(): void {
    this.#loss = 0;
  }
}

/** What `to` got from `from`: numbers by kind, in the order delivered. */
function received(from: Node, to: Node): { kind: string; number: number }[] {
  return to.member.delivered
    .filter((delivered) => keyOf({ address: delivered.from }) === keyOf(from.member))
    .map(({ payload }) => {
      const [kind = '', number] = payload.toString().split(' ');
      return { kind, number: Number(number) };
    });
}

function faults(run: Run): string[] {
  const found: string[] = [];
  const name = ({ member }: Node): string => String(member.address.port - 41_000);
  for (const from of run.nodes) {
    for (const to of run.nodes) {
      if (from === to) continue;
      const got = received(from, to);
      const numbers = got.map(({ number }) => number);
      const pair = `${name(from)} > ${name(to)}`;
      if (new Set(numbers).size < numbers.length) found.push(`${pair}: twice: ${numbers.join(' ')}`);
      for (const kind of ['group', 'single']) {
        const ordered = got.filter((one) => one.kind === kind).map(({ number }) => number);
        const sorted = ordered.toSorted((a, b) => a - b);
        if (ordered.some((number, i) => number !== sorted[i]))
          found.push(`${pair}: out of order: ${ordered.join(' ')}`);
      }
      if (!run.members.includes(from) || !run.members.includes(to)) continue;
      const sent = from.sent.get(to);
      const missing = [...(sent?.group ?? []), ...(sent?.single ?? [])].filter(
        (number) => !numbers.includes(number),
      );
      if (missing.length > 0) found.push(`${pair}: never: ${missing.join(' ')}`);
    }
  }
  return found;
}

test(`${SEEDS} random groups: once, in order, and all of it once the network is well`, (t) => {
  let deliveries = 0;
  let changes = 0;
  let givenUp = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = new Run(seed);
    for (let step = 0; step < STEPS; step++) {
      run.step();
      run.send();
      if (run.rng.next() < 0.05) {
        run.changeMembership();
        changes++;
      }
    }
    run.heal();
    while (!run.isSettled) run.step();
    run.world.run(40_000);
    t.deepEqual(faults(run), [], `seed ${seed}`);
    for (const node of run.members) {
      deliveries += node.member.delivered.length;
      givenUp += node.member.stack.counters.givenUp;
      const { members } = run;
      let pending = 0;
      for (const other of members) {
        const sent = node.sent.get(other);
        pending += (sent?.group.length ?? 0) + (sent?.single.length ?? 0);
      }
      const acked = node.member.ackedBy.reduce((sum, text) => {
        const [key, count] = text.split(' ').map(Number);
        return members.some(({ member }) => member.address.port - 41_000 === key) ? sum + (count ?? 0) : sum;
      }, 0);
      t.is(acked, pending, `seed ${seed}: every message to a member that stayed has its outcome`);
    }
  }
  t.log(`${deliveries} deliveries, ${changes} changes of membership, ${givenUp} seqnos given up`);
  t.true(deliveries > 10_000 && changes > 50);
});
