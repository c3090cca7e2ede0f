import { below, type Rng } from '../../src/protocol/rng.ts';
import type { Cluster, SimulatedMember } from './cluster.ts';

/** What happens to the cluster while the network misbehaves. */
export type ScenarioKind = 'static' | 'upgrade' | 'crash' | 'partition' | 'storm' | 'churn' | 'restart';

export const ALL_KINDS: readonly ScenarioKind[] = ['static', 'upgrade', 'crash', 'partition', 'storm'];

/** For members of one kind, which nobody upgrades. */
export const GROUP_KINDS: readonly ScenarioKind[] = [
  'static',
  'crash',
  'partition',
  'storm',
  'churn',
  'churn',
];

/** For TCP alone. */
export const TCP_KINDS: readonly ScenarioKind[] = [
  'static',
  'static',
  'crash',
  'partition',
  'storm',
  'churn',
  'restart',
];

/** What a script may do. */
export interface Stage {
  readonly cluster: Cluster;
  readonly rng: Rng;
  /** Starts a member and its traffic; a script has to put it into a view. Without a host it gets a new one. */
  join(kind: 'old' | 'new', host?: string): Promise<SimulatedMember>;
  changeFaults(): void;
  sleep(minMs: number, maxMs: number): Promise<void>;
}

type Script = (stage: Stage) => Promise<void>;

export const SCRIPTS: Readonly<Record<ScenarioKind, Script>> = {
  static: runStatic,
  upgrade: runUpgrade,
  crash: runCrash,
  partition: runPartition,
  storm: runStorm,
  churn: runChurn,
  restart: runRestart,
};

async function runStatic(stage: Stage): Promise<void> {
  await stage.sleep(300, 1_000);
  stage.changeFaults();
  if (stage.rng.next() < 0.3) await pause(stage);
}

/** Every old member makes way for a new one, on the same host and port or on another host. */
async function runUpgrade(stage: Stage): Promise<void> {
  const { cluster, rng } = stage;
  const old = cluster.running.filter(({ options }) => options.kind === 'old');
  while (old.length > 0) {
    const [member] = old.splice(below(rng, old.length), 1);
    await stage.sleep(50, 400);
    if (rng.next() < 0.8) await cluster.leave(member!);
    else await crashAndDetect(stage, member!);
    const newcomer = await stage.join('new', rng.next() < 0.6 ? member!.options.host : undefined);
    cluster.changeView([...cluster.running.filter((other) => other !== newcomer), newcomer]);
    if (rng.next() < 0.2) stage.changeFaults();
  }
  await stage.sleep(50, 500);
}

async function runCrash(stage: Stage): Promise<void> {
  const { cluster, rng } = stage;
  for (let count = 1 + below(rng, 2); count > 0; count--) {
    await stage.sleep(100, 600);
    const victim = oneOf(rng, cluster.running);
    await crashAndDetect(stage, victim);
    if (rng.next() < 0.3) continue;
    const host = rng.next() < 0.6 ? victim.options.host : undefined;
    const newcomer = await stage.join(victim.options.kind, host);
    cluster.changeView([...cluster.running.filter((other) => other !== newcomer), newcomer]);
  }
}

/** Groups do not see each other for a while; sometimes one of them is dropped from the view and has to come back. */
async function runPartition(stage: Stage): Promise<void> {
  const { cluster, rng } = stage;
  await stage.sleep(100, 500);
  const shuffled = cluster.running
    .map((member) => ({ member, key: rng.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ member }) => member);
  const few = shuffled.slice(0, 1 + below(rng, Math.max(1, Math.floor(shuffled.length / 2))));
  const many = shuffled.slice(few.length);
  cluster.partition(few, many, rng.next() < 0.6);
  await stage.sleep(100, 3_000);
  if (rng.next() < 0.6) {
    cluster.unpartition();
    await stage.sleep(50, 500);
    return;
  }
  for (const member of few) member.traffic.stop();
  cluster.changeView(many);
  await stage.sleep(100, 1_000);
  cluster.unpartition();
  for (const member of few) {
    await cluster.stop(member);
    await stage.join(member.options.kind, member.options.host);
    cluster.changeView(cluster.running.filter((other) => !few.includes(other)));
  }
}

/** Connections break again and again, processes stand still. */
async function runStorm(stage: Stage): Promise<void> {
  const { cluster, rng } = stage;
  const resets = async (): Promise<void> => {
    for (let count = 0; count < 8; count++) {
      await stage.sleep(20, 300);
      cluster.network.resetStreams(0.2 + rng.next() * 0.8);
    }
  };
  await Promise.all([resets(), rng.next() < 0.6 ? pause(stage) : undefined]);
}

/** One view follows another, some before everybody has installed the one before. */
async function runChurn(stage: Stage): Promise<void> {
  const { cluster, rng } = stage;
  const maxGapMs = rng.next() < 0.5 ? 100 : 800;
  const pauses = rng.next() < 0.3 ? pause(stage) : undefined;
  let vacated: string | undefined;
  for (let count = 3 + below(rng, 4); count > 0; count--) {
    await stage.sleep(0, maxGapMs);
    const { running } = cluster;
    const draw = rng.next();
    if (running.length <= 2 || (draw < 0.5 && running.length < 8)) {
      for (let joiners = rng.next() < 0.2 ? 2 : 1; joiners > 0; joiners--) {
        // the others' late datagrams for the one that was there before meet the one that is there now
        await stage.join(oneOf(rng, running).options.kind, rng.next() < 0.5 ? vacated : undefined);
        vacated = undefined;
      }
      await stage.sleep(0, 200); // started, and in nobody's view
      cluster.changeView(cluster.running);
    } else {
      const victim = oneOf(rng, running);
      vacated = victim.options.host;
      if (draw < 0.8) await cluster.leave(victim);
      else await crashAndDetect(stage, victim);
    }
    if (rng.next() < 0.2) stage.changeFaults();
  }
  await pauses;
}

/** A member comes back on its address as another one, while the others still take it for who was there before. */
async function runRestart(stage: Stage): Promise<void> {
  const { cluster, rng } = stage;
  for (let count = 1 + below(rng, 3); count > 0; count--) {
    await stage.sleep(100, 800);
    const victim = oneOf(rng, cluster.running);
    if (rng.next() < 0.3) await cluster.stop(victim);
    else cluster.crash(victim, rng.next() < 0.5 ? 'reset' : 'silent');
    await stage.sleep(0, 300);
    await stage.join(victim.options.kind, victim.options.host);
    await stage.sleep(0, 700);
    cluster.changeView(cluster.running);
  }
}

async function pause(stage: Stage): Promise<void> {
  const { cluster, rng } = stage;
  const member = oneOf(rng, cluster.running);
  cluster.trace(`${member.options.name} stands still`);
  member.environment.pause();
  await stage.sleep(50, 1_500);
  member.environment.resume();
  cluster.trace(`${member.options.name} goes on`);
}

async function crashAndDetect(stage: Stage, victim: SimulatedMember): Promise<void> {
  stage.cluster.crash(victim, stage.rng.next() < 0.5 ? 'reset' : 'silent');
  await stage.sleep(100, 1_500);
  stage.cluster.changeView(stage.cluster.running);
}

function oneOf<T>(rng: Rng, values: readonly T[]): T {
  return values[below(rng, values.length)]!;
}
