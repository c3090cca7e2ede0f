/** Measurements of our own memory; the JVM's is not comparable. */

import { type BenchProcess, BrokenRun } from '../harness/bench-process.ts';
import { spreadOf } from '../harness/statistics.ts';
import type { Team } from '../harness/team.ts';
import type { Sample } from '../harness/types.ts';

const IDLE_TIMEOUT_MS = 60_000;
/**
 * What V8 compiles meanwhile is the process's and no peer's, and for a thousand peers comes to several hundred bytes
 * each, others each time. Objects look the same without it.
 */
const IDLE_NODE_FLAGS = ['--expose-gc', '--no-opt', '--no-sparkplug'];

/**
 * Heap and external memory for each of `count` peers that have exchanged one message each way and are silent now.
 * @param start one of our members, with these flags for node
 */
export async function idlePeerBytes(
  count: number,
  start: (nodeFlags: readonly string[]) => Promise<BenchProcess>,
): Promise<Sample> {
  const measured = await start(IDLE_NODE_FLAGS);
  const talking = await start([]);
  try {
    const { host, port, uuid, viewId } = measured.memberId;
    const self = `${host}:${port}:${viewId}:${uuid}`;
    await measured.request('discard', 'discarding');
    await measured.request(`view 1 ${self}`, 'view');
    const before = Number((await measured.request('memory', 'memory'))['bytes']);
    const { members } = await talking.request(`talkers ${count} ${self}`, 'talkers', IDLE_TIMEOUT_MS);
    const talkers = members as readonly string[];
    await measured.request(`view 2 ${self} ${talkers.join(' ')}`, 'view');
    const uuids = talkers.map((member) => member.split(':').at(-1)).join(',');
    await measured.request(`send 1 100 1 dont-bundle ${uuids}`, 'sent', IDLE_TIMEOUT_MS);
    const drained = await Promise.all([
      measured.request(`drain ${IDLE_TIMEOUT_MS}`, 'drained', 2 * IDLE_TIMEOUT_MS),
      talking.request(`flush-talkers ${IDLE_TIMEOUT_MS}`, 'flush-talkers', 2 * IDLE_TIMEOUT_MS),
    ]);
    if (drained.some(({ ok }) => ok !== true)) throw new BrokenRun('not all is acknowledged');
    const after = Number((await measured.request('memory', 'memory'))['bytes']);
    return {
      metrics: { bytes: (after - before) / count },
      messages: count,
      cpuSeconds: NaN,
      residentBytes: measured.residentBytes(),
      drops: measured.droppedDatagrams(),
    };
  } finally {
    await Promise.all([measured.kill(), talking.kill()]);
  }
}

const STEPS = 50;
/** Of all steps, for the base and for the end: the median of these is compared, for one value jumps by several percent. */
const WINDOW_SHARE = 0.1;
/**
 * The heap has grown to its working size by then and code is compiled; what follows is measured from its first tenth to
 * its last.
 */
const WARM_UP_MESSAGES = 1_000_000;
/** Of the time that there is. */
const WARM_UP_SHARE = 0.25;
const WARM_UP_STEPS = 20;

/**
 * Resident memory over `count` messages, of the process that grew more: the median of the last tenth by that of the
 * first tenth.
 * @param maxSeconds ends early after this
 */
export async function memoryGrowth(team: Team, count: number, maxSeconds: number): Promise<Sample> {
  const processes = [team.sender, ...team.receivers];
  const startMs = performance.now();
  const isPast = (share: number): boolean => performance.now() - startMs > maxSeconds * share * 1e3;
  const warmUp = Math.min(count, WARM_UP_MESSAGES);
  for (let step = 0; step < WARM_UP_STEPS && !isPast(WARM_UP_SHARE); step++) {
    await team.oneWay({ count: Math.ceil(warmUp / WARM_UP_STEPS), sizeBytes: 1024 });
  }
  const sizes: number[][] = processes.map(() => []);
  let [messages, cpuSeconds, drops] = [0, 0, 0];
  for (let step = 0; step < STEPS && (step < LEAST_STEPS || !isPast(1)); step++) {
    const sample = await team.oneWay({ count: Math.ceil(count / STEPS), sizeBytes: 1024 });
    messages += sample.messages;
    cpuSeconds += sample.cpuSeconds;
    drops += sample.drops;
    processes.forEach((one, i) => sizes[i]?.push(one.residentBytes()));
  }
  const residentBytes = sizes.reduce((sum, of) => sum + (of.at(-1) ?? NaN), 0);
  return {
    metrics: { growth: Math.max(...sizes.map(growthOf)) },
    messages,
    cpuSeconds,
    residentBytes,
    drops,
  };
}

/** So that there is something to compare. */
const LEAST_STEPS = 10;

/** @param sizes after each step */
export function growthOf(sizes: readonly number[]): number {
  const window = Math.ceil(sizes.length * WINDOW_SHARE);
  return spreadOf(sizes.slice(-window)).median / spreadOf(sizes.slice(0, window)).median;
}
