/** Measurements of our own memory; the JVM's is not comparable. */

import { type BenchProcess, BrokenRun } from '../harness/bench-process.ts';
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
/** Code is compiled and the heap has grown to its working size by then, of which short runs would see little else. */
const WARM_UP_MESSAGES = 100_000;

/**
 * Resident memory at the end by that after the first tenth, of the process that grew more.
 * @param maxSeconds ends early after this
 */
export async function memoryGrowth(team: Team, count: number, maxSeconds: number): Promise<Sample> {
  const processes = [team.sender, ...team.receivers];
  await team.oneWay({ count: Math.min(count, WARM_UP_MESSAGES), sizeBytes: 1024 });
  const deadline = performance.now() + maxSeconds * 1e3;
  let early: number[] = [];
  let messages = 0;
  let cpuSeconds = 0;
  let drops = 0;
  for (let step = 1; step <= STEPS; step++) {
    const sample = await team.oneWay({ count: Math.ceil(count / STEPS), sizeBytes: 1024 });
    messages += sample.messages;
    cpuSeconds += sample.cpuSeconds;
    drops += sample.drops;
    if (step === STEPS / 10) early = processes.map((one) => one.residentBytes());
    if (step > STEPS / 10 && performance.now() > deadline) break;
  }
  const late = processes.map((one) => one.residentBytes());
  const growth = Math.max(...late.map((bytes, i) => bytes / (early[i] ?? NaN)));
  const residentBytes = late.reduce((sum, bytes) => sum + bytes, 0);
  return { metrics: { growth }, messages, cpuSeconds, residentBytes, drops };
}
