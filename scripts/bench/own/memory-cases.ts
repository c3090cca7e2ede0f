/** The two cases of our own memory, which both stacks have. */

import type { BenchProcess } from '../harness/bench-process.ts';
import type { Teams } from '../harness/team.ts';
import type { BenchCase, ResultSpec } from '../harness/types.ts';
import { idlePeerBytes, memoryGrowth } from './memory.ts';

export interface MemorySpec {
  /** One of them is called `ours`. */
  readonly teams: Teams;
  readonly quick: boolean;
  /** Of `memory-flat`, however long they take; null: as many as fit into its time. */
  readonly messages: number | null;
  /** A member of ours, with these flags for node as well. */
  readonly start: (nodeFlags: readonly string[]) => Promise<BenchProcess>;
  /** Of an idle peer. */
  readonly targetBytes: number;
}

const IDLE_PEERS = 1_000;
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
        // a new one: what earlier cases left in its heap is not to be compared with
        await teams.discard('ours');
        try {
          return await memoryGrowth(await teams.of('ours'), count, maxSeconds);
        } finally {
          await teams.discard('ours');
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
