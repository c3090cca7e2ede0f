/** One of 30 recipients takes nothing: the others must not notice. */

import { BrokenRun } from '../harness/bench-process.ts';
import { ringOf } from '../harness/stamped-payload.ts';
import type { Team } from '../harness/team.ts';
import type { Sample } from '../harness/types.ts';

const SIZE_BYTES = 1024;
const TIMEOUT_MS = 120_000;

/**
 * @param team whose first receiving process is 29 members, the second the one that is stopped
 * @param count messages to each of the 29, at its own pace
 * @param paused false: the 30th is left alone and gets nothing
 */
export async function pausedPeer(team: Team, count: number, paused: boolean): Promise<Sample> {
  const [crowd, stuck] = team.receivers;
  if (crowd === undefined || stuck === undefined) throw new BrokenRun('the team is no crowd and one more');
  const members = [team.sender, crowd];
  const ring = ringOf(SIZE_BYTES);
  await drain(team);
  await stuck.request('discard', 'discarding');
  await crowd.request(`expect ${count} ${SIZE_BYTES} ${ring}`, 'expecting');
  const cpuBefore = members.map((one) => one.cpuSeconds());
  if (paused) stuck.pause();
  try {
    const uuids = crowd.memberIds.map(({ uuid }) => uuid).join(',');
    const command = `send-each ${count} ${SIZE_BYTES} ${ring} ${uuids}${paused ? ` ${stuck.memberId.uuid}` : ''}`;
    const [sent, received] = await Promise.all([
      team.sender.request(command, 'send-each', TIMEOUT_MS),
      crowd.wait('received', TIMEOUT_MS),
    ]);
    const cpuSeconds = members.reduce((sum, one, i) => sum + one.cpuSeconds() - (cpuBefore[i] ?? 0), 0);
    if (paused && Number(sent['extra']) === 0)
      throw new BrokenRun('nothing was sent to the one that is stopped');
    const seconds = (Number(received['lastNs']) - Number(sent['startNs'])) / 1e9;
    return {
      metrics: { rate: count / seconds },
      messages: count * crowd.memberIds.length,
      cpuSeconds,
      residentBytes: members.reduce((sum, one) => sum + one.residentBytes(), 0),
      drops: 0,
    };
  } finally {
    if (paused) stuck.resume();
  }
}

/** What the one that was stopped is owed gets to it, too. */
async function drain(team: Team): Promise<void> {
  const { ok } = await team.sender.request('drain 30000', 'drained', 60_000);
  if (ok !== true) throw new BrokenRun('not all is acknowledged');
}
