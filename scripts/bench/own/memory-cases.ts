/** The two cases of our own memory, which both stacks have. */

import type { BenchProcess } from '../harness/bench-process.ts';
import type { Teams } from '../harness/team.ts';
import type { BenchCase, ResultSpec } from '../harness/types.ts';
import { idlePeerBytes, memoryGrowth } from './memory.ts';

const IDLE_PEERS = 1_000;

/** For the documents: how it is measured. */
export const MEMORY_NOTE = `- The memory of an idle peer is heap and external memory after a full collection, with ${IDLE_PEERS.toLocaleString('en-US')} peers, less that without
  them; buffers of the system are not in it. Node runs without its optimizing compiler there: code is no peer's.
- \`memory-flat\` is resident memory of the process that grew more, after a million messages to warm up: the median of the
  last tenth of the run by that of its first tenth. Node's young generation has its full size from the start
  (\`--min-semi-space-size=16\`): V8 else doubles it some five million messages later, once, which is 20 MB.`;

export interface MemorySpec {
  /** One of them is called `ours small heap`, and runs with `SETTLED_NODE_FLAGS`. */
  readonly teams: Teams;
  readonly quick: boolean;
  /** Of `memory-flat`, however long they take; null: as many as fit into its time. */
  readonly messages: number | null;
  /** A member of ours, with these flags for node as well. */
  readonly start: (nodeFlags: readonly string[]) => Promise<BenchProcess>;
  /** Of an idle peer. */
  readonly targetBytes: number;
}

/**
 * The young generation has its final size from the start. V8 else doubles it when it has seen enough, to this size after
 * some five million messages, which is 20 MB that no long run would show.
 */
export const SETTLED_NODE_FLAGS = ['--min-semi-space-size=16'];
const TEAM = 'ours small heap';

const MESSAGES = { quick: 1_000_000, full: 10_000_000 };
const SECONDS = { quick: 10, full: 40 };

const WITHOUT_PEER = { against: null, lowerIsBetter: true };

export function memoryCases(spec: MemorySpec): BenchCase[] {
  return [idleCase(spec), flatCase(spec)];
}

function idleCase({ quick, start, targetBytes }: MemorySpec): BenchCase {
  const [name, title] = ['idle-peer-bytes', 'memory of an idle peer'];
  return {
    ...once(name, title, { metric: 'bytes', unit: 'B', target: targetBytes }),
    count: IDLE_PEERS,
    sides: { ours: (count) => idlePeerBytes(count, start) },
    effort: { runs: quick ? 1 : 3, share: 1 },
  };
}

function flatCase({ teams, quick, messages }: MemorySpec): BenchCase {
  const [name, title] = ['memory-flat', 'resident memory, last tenth by first tenth'];
  const kind = quick ? 'quick' : 'full';
  const maxSeconds = messages === null ? SECONDS[kind] : Infinity;
  return {
    ...once(name, title, { metric: 'growth', unit: 'x', target: 1.1 }),
    count: messages ?? MESSAGES[kind],
    sides: {
      ours: async (count) => {
        try {
          return await memoryGrowth(await teams.of(TEAM), count, maxSeconds);
        } finally {
          await teams.discard(TEAM);
        }
      },
    },
    effort: { runs: 1, share: 1 },
  };
}

/** What is the same for both: there is nothing to warm up or to take turns with. */
function once(name: string, title: string, result: Pick<ResultSpec, 'metric' | 'unit' | 'target'>) {
  const results: readonly ResultSpec[] = [{ name, title, ...WITHOUT_PEER, ...result }];
  return { name, title, pace: null, warmUp: false as const, results };
}
