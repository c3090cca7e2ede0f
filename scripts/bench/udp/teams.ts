import type { BenchProcess } from '../harness/bench-process.ts';
import { Team } from '../harness/team.ts';
import { SETTLED_NODE_FLAGS } from '../own/memory-cases.ts';
import { startNode } from '../harness/node.ts';
import { type Kind, type Programs, startProcess } from './processes.ts';

interface TeamSpec {
  readonly sender: Kind;
  readonly receivers: readonly Kind[];
  /** Of the receivers. Default: large. */
  readonly receiveBufferBytes?: number;
  /** Share of the datagrams to the receiver that is lost on the way. */
  readonly loss?: number;
  /** What it does waits for JGroups' half-second ticks: how warm it is makes no difference, and warming up takes long. */
  readonly waitsForTicks?: boolean;
  /** More of them. */
  readonly nodeFlags?: readonly string[];
  /** Node begins with a heap as small as it does by itself: memory is measured. */
  readonly isHeapDefault?: boolean;
}

/**
 * What flow control lets a sender have on its way, a mebibyte, takes several times that as small datagrams in a
 * socket's buffer: large enough that nothing is dropped, and the same for all.
 */
const LARGE_BUFFER_BYTES = 4_194_304;
/** Geode's default (PEERS section 2). */
const SMALL_BUFFER_BYTES = 65_535;
const LOSS = 0.05;
const LOSS_SEED = 36_14;

const SPECS: Readonly<Record<string, TeamSpec>> = {
  ours: { sender: 'own', receivers: ['own'] },
  'ours small heap': {
    sender: 'own',
    receivers: ['own'],
    isHeapDefault: true,
    nodeFlags: SETTLED_NODE_FLAGS,
  },
  jvm: { sender: 'jvm', receivers: ['jvm'] },
  raw: { sender: 'raw', receivers: ['raw'] },
  'ours to jvm': { sender: 'own', receivers: ['jvm'] },
  'jvm to ours': { sender: 'jvm', receivers: ['own'] },
  'ours small': { sender: 'own', receivers: ['jvm'], receiveBufferBytes: SMALL_BUFFER_BYTES },
  'jvm small': {
    sender: 'jvm',
    receivers: ['jvm'],
    receiveBufferBytes: SMALL_BUFFER_BYTES,
    waitsForTicks: true,
  },
  'ours lossy': { sender: 'own', receivers: ['own'], loss: LOSS, waitsForTicks: true },
  'jvm lossy': { sender: 'jvm', receivers: ['jvm'], loss: LOSS, waitsForTicks: true },
  'ours three': { sender: 'own', receivers: ['own', 'own', 'own'] },
  'jvm three': { sender: 'jvm', receivers: ['jvm', 'jvm', 'jvm'] },
};

/** @param warmUpSeconds at most */
export async function createTeam(name: string, programs: Programs, warmUpSeconds: number): Promise<Team> {
  const team = await startTeam(name, programs);
  if (SPECS[name]?.waitsForTicks === true) return team;
  try {
    await team.warmUp(warmUpSeconds);
  } catch (error) {
    await team.stop();
    throw error;
  }
  return team;
}

async function startTeam(name: string, { nodeFlags, ...others }: Programs): Promise<Team> {
  const spec = SPECS[name];
  if (spec === undefined) throw new Error(`no team is called ${name}`);
  const programs: Programs = { ...others, nodeFlags: [...nodeFlags, ...(spec.nodeFlags ?? [])] };
  const started: BenchProcess[] = [];
  const start = async (process: Promise<BenchProcess>): Promise<BenchProcess> => {
    const one = await process;
    started.push(one);
    return one;
  };
  try {
    const { isHeapDefault = false } = spec;
    const options = { receiveBufferBytes: LARGE_BUFFER_BYTES, isHeapDefault };
    const sender = await start(startProcess(spec.sender, options, programs));
    const receiveBufferBytes = spec.receiveBufferBytes ?? LARGE_BUFFER_BYTES;
    const receivers = await Promise.all(
      spec.receivers.map((kind) => start(startProcess(kind, { ...options, receiveBufferBytes }, programs))),
    );
    const [receiver] = receivers;
    if (spec.loss === undefined || receiver === undefined) {
      const team = new Team(sender, receivers);
      await team.installView();
      return team;
    }
    const { host, port, uuid } = receiver.memberId;
    const relayArgs = [
      `uuid=${uuid}`,
      `host=${host}`,
      `port=${port}`,
      `loss=${spec.loss}`,
      `seed=${LOSS_SEED}`,
    ];
    const relay = await start(startNode('relay', 'udp/relay', relayArgs));
    const team = new Team(sender, receivers, [relay]);
    await team.installView(relay.memberId.port);
    return team;
  } catch (error) {
    await Promise.all(started.map((one) => one.kill()));
    throw error;
  }
}
