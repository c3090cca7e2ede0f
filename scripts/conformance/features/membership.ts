/** Members that are killed, restarted, leave and join while all others send. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { Feature, Outcome } from '../cells.ts';
import { arrival } from '../expectations.ts';
import type { Group } from '../group.ts';
import type { ConformanceMember } from '../member.ts';
import { Trickle } from './trickle.ts';

/** Between two events: some ticks of retransmission, so that the dead one is written to. */
const BETWEEN_MS = 700;

function first(group: Group, kind: ConformanceMember['kind']): ConformanceMember {
  const member = group.members.find((candidate) => candidate.kind === kind);
  if (member === undefined) throw new Error(`no ${kind} in the group`);
  return member;
}

/** As Geode's JoinResponse does it: the coordinator's digest first, then the view at all. */
async function join(group: Group, joiner: ConformanceMember, trickle: Trickle): Promise<void> {
  const digest = await group.coordinator.peer.digestForJoiner();
  if (digest !== null) await joiner.peer.mergeDigest(digest);
  await group.installView([...group.members, joiner]);
  trickle.joined(joiner);
}

async function end(trickle: Trickle): Promise<Outcome> {
  const expectations = await trickle.stop();
  await arrival(expectations);
  return { expectations };
}

/**
 * SIGKILL; a new process on its port hears what the others still send to the dead one, and joins. The oldest of its
 * kind is killed: in a group it is the coordinator, or will be.
 */
function killedAndRestarted(kind: ConformanceMember['kind'], name: string): Feature {
  return {
    name,
    fits: () => true,
    async run(group) {
      const victim = first(group, kind);
      const trickle = new Trickle(group);
      await sleep(BETWEEN_MS);
      trickle.dies(victim);
      await victim.kill();
      const successor = await group.startMember(victim.options.spec, victim);
      await sleep(BETWEEN_MS);
      await group.installView(group.members);
      await sleep(BETWEEN_MS);
      await join(group, successor, trickle);
      await sleep(BETWEEN_MS);
      return end(trickle);
    },
  };
}

/** All that it sent is delivered before it leaves; later one of its kind joins. */
function leavesAndJoins(kind: ConformanceMember['kind'], name: string): Feature {
  return {
    name,
    fits: () => true,
    async run(group) {
      const leaver = first(group, kind);
      const before = new Trickle(group);
      await sleep(BETWEEN_MS);
      const sentBefore = await before.stop();
      await arrival(sentBefore);
      await group.installView(group.members.filter((member) => member !== leaver));
      const trickle = new Trickle(group);
      await leaver.quit();
      await sleep(BETWEEN_MS);
      group.release(leaver);
      const joiner = await group.startMember(leaver.options.spec);
      await join(group, joiner, trickle);
      await sleep(BETWEEN_MS);
      const { expectations } = await end(trickle);
      return { expectations: [...sentBefore, ...expectations] };
    },
  };
}

export const MEMBERSHIP_FEATURES: readonly Feature[] = [
  killedAndRestarted('JVM', 'a JVM is killed and restarted on its port'),
  killedAndRestarted('ours', 'one of ours is killed and restarted on its port'),
  leavesAndJoins('JVM', 'a JVM leaves, another one joins'),
  leavesAndJoins('ours', 'one of ours leaves, another one joins'),
];
