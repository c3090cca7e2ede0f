import type { BenchProcess } from '../harness/bench-process.ts';
import { Team } from '../harness/team.ts';
import { SETTLED_NODE_FLAGS } from '../own/memory-cases.ts';
import { certificateFiles } from './certificates.ts';
import { type Kind, type ProcessOptions, type Programs, startProcess } from './processes.ts';

interface TeamSpec {
  readonly kind: Exclude<Kind, 'nats-server'>;
  /** Members of each receiving process. */
  readonly receivers: readonly number[];
  readonly tls?: true;
  readonly carrier?: Kind;
  /** More of them. */
  readonly nodeFlags?: readonly string[];
  /** Node begins with a heap as small as it does by itself: memory is measured. */
  readonly isHeapDefault?: true;
}

const ONE = [1];
const THREE = [1, 1, 1];
/** All in one process: what is measured is the sender, and 30 processes would fight for two cores. */
const THIRTY = [30];

const SPECS: Readonly<Record<string, TeamSpec>> = {
  ours: { kind: 'own', receivers: ONE },
  'ours small heap': { kind: 'own', receivers: ONE, isHeapDefault: true, nodeFlags: SETTLED_NODE_FLAGS },
  jvm: { kind: 'jvm', receivers: ONE },
  raw: { kind: 'raw', receivers: ONE },
  zeromq: { kind: 'zeromq', receivers: ONE },
  nats: { kind: 'nats', receivers: ONE, carrier: 'nats-server' },
  'ours tls': { kind: 'own', receivers: ONE, tls: true },
  'raw tls': { kind: 'raw', receivers: ONE, tls: true },
  'ours three': { kind: 'own', receivers: THREE },
  'jvm three': { kind: 'jvm', receivers: THREE },
  'raw three': { kind: 'raw', receivers: THREE },
  'zeromq three': { kind: 'zeromq', receivers: THREE },
  'nats three': { kind: 'nats', receivers: THREE, carrier: 'nats-server' },
  'ours 3 in one': { kind: 'own', receivers: [3] },
  'ours thirty': { kind: 'own', receivers: THIRTY },
  'raw thirty': { kind: 'raw', receivers: THIRTY },
  'ours 300 in one': { kind: 'own', receivers: [300] },
  'ours 29 and one': { kind: 'own', receivers: [29, 1] },
};

/** @param warmUpSeconds at most */
export async function createTeam(name: string, programs: Programs, warmUpSeconds: number): Promise<Team> {
  const spec = SPECS[name];
  if (spec === undefined) throw new Error(`no team is called ${name}`);
  const team = await startTeam(spec, programs);
  try {
    await team.warmUp(warmUpSeconds, [true]);
  } catch (error) {
    await team.stop();
    throw error;
  }
  return team;
}

async function startTeam(spec: TeamSpec, programs: Programs): Promise<Team> {
  const started: BenchProcess[] = [];
  const start = async (kind: Kind, options: ProcessOptions): Promise<BenchProcess> => {
    const nodeFlags = [...programs.nodeFlags, ...(spec.nodeFlags ?? [])];
    const one = await startProcess(kind, options, { ...programs, nodeFlags });
    started.push(one);
    return one;
  };
  try {
    const carriers = spec.carrier === undefined ? [] : [await start(spec.carrier, {})];
    const options: ProcessOptions = {
      isHeapDefault: spec.isHeapDefault ?? false,
      ...(spec.tls === undefined ? {} : { tls: await certificateFiles() }),
      ...(carriers[0] === undefined ? {} : { carrierPort: carriers[0].memberId.port }),
    };
    const sender = await start(spec.kind, options);
    const receivers: BenchProcess[] = [];
    for (const members of spec.receivers) receivers.push(await start(spec.kind, { ...options, members }));
    const team = new Team(sender, receivers, [], carriers);
    await team.installView();
    return team;
  } catch (error) {
    await Promise.all(started.map((one) => one.kill()));
    throw error;
  }
}
