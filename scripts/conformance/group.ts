import { mkdirSync } from 'node:fs';

import type { PeerProgram } from '../../src/peers/maven.ts';
import { createView, type View } from '../../src/protocol/view.ts';
import { seededRng, type Rng } from '../../src/protocol/rng.ts';
import { type Host, type Lab } from './lab.ts';
import { ConformanceMember } from './member.ts';
import type { GroupSpec, MemberSpec } from './specs.ts';

export interface GroupOptions {
  readonly spec: GroupSpec;
  readonly lab: Lab;
  readonly seed: number;
  readonly programs: ReadonlyMap<string, PeerProgram>;
  /** Where events and captures of its members go. */
  readonly folder: string;
}

/** Started so far by this process. */
let groups = 0;

/** The processes of one group, their view, and the streams of messages that were sent in it. */
export class Group {
  readonly spec: GroupSpec;
  readonly lab: Lab;
  readonly seed: number;
  /** Alive or not, in the order of their start. */
  readonly all: ConformanceMember[] = [];
  readonly #options: GroupOptions;
  readonly #rng: Rng;
  readonly #freeHosts: Host[];
  #inView: readonly ConformanceMember[] = [];
  /** Of the range for anybody's use that the system gives nobody by itself. */
  readonly #multicastPort = 10_400 + (groups++ % 20_000);
  #viewId = 0;
  #lastStream = 0;
  #started = 0;

  private constructor(options: GroupOptions) {
    this.#options = options;
    this.spec = options.spec;
    this.lab = options.lab;
    this.seed = options.seed;
    this.#rng = seededRng(options.seed);
    this.#freeHosts = [...options.lab.hosts];
  }

  static async start(options: GroupOptions): Promise<Group> {
    mkdirSync(options.folder, { recursive: true });
    const group = new Group(options);
    try {
      const members = await Promise.all(options.spec.members.map((spec) => group.startMember(spec)));
      await group.installView(members);
      return group;
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  /** @param place the host and port of a member that is gone; default: a free host, any port */
  async startMember(spec: MemberSpec, place?: ConformanceMember): Promise<ConformanceMember> {
    const host = place?.options.host ?? this.#freeHosts.shift();
    if (host === undefined) throw new Error('the lab has no free host');
    const { folder, programs } = this.#options;
    const number = ++this.#started;
    const member = await ConformanceMember.start({
      spec,
      group: this.spec,
      host,
      port: place?.id.port ?? 0,
      uuid: hex(this.#rng),
      label: `${spec.kind === 'JVM' ? `jvm${spec.version}` : 'ours'}-${number}`,
      seed: this.seed * 100 + number,
      multicastPort: this.#multicastPort,
      losesOwn: !this.lab.losesDatagrams,
      programs,
      folder,
    });
    this.all.push(member);
    return member;
  }

  /** A member's host can be given to another one. */
  release(member: ConformanceMember): void {
    this.#freeHosts.push(member.options.host);
  }

  get hasGroupMessages(): boolean {
    return this.spec.carrier !== 'none';
  }

  /** Members of the view that live, oldest first. */
  get members(): readonly ConformanceMember[] {
    return this.#inView.filter(({ alive }) => alive);
  }

  /** Members of the view, some of which may be dead. */
  get inView(): readonly ConformanceMember[] {
    return this.#inView;
  }

  /** Who coordinates: the oldest of the view. */
  get coordinator(): ConformanceMember {
    const [first] = this.members;
    if (first === undefined) throw new Error('nobody is left');
    return first;
  }

  newStream(): number {
    return ++this.#lastStream;
  }

  async installView(members: readonly ConformanceMember[]): Promise<View> {
    const view = createView(
      ++this.#viewId,
      members.map(({ id }) => id),
    );
    this.#inView = members;
    await Promise.all(members.filter(({ alive }) => alive).map(({ peer }) => peer.installView(view)));
    return view;
  }

  /** Ordered pairs of living members of the view. */
  pairs(): [ConformanceMember, ConformanceMember][] {
    const { members } = this;
    return members.flatMap((from) =>
      members.filter((to) => to !== from).map((to): [ConformanceMember, ConformanceMember] => [from, to]),
    );
  }

  /** Ends all processes; those of ours in an orderly way, so that their captures are written out. */
  async close(): Promise<void> {
    await Promise.all(
      this.all.map(async (member) => {
        const isOurs = member.alive && member.kind === 'ours';
        await (isOurs ? member.quit() : member.kill()).catch(() => undefined);
        member.flushLog();
      }),
    );
  }
}

function hex(rng: Rng): string {
  return Array.from({ length: 32 }, () => Math.floor(rng.next() * 16).toString(16)).join('');
}
