/** Members that are cut off or stand still for a while, and what must have become of everything at the end. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { Direction, Feature, Outcome } from '../cells.ts';
import { arrival } from '../expectations.ts';
import type { Group } from '../group.ts';
import type { ConformanceMember } from '../member.ts';
import { type Kind, startBursts } from './traffic.ts';

/** Long enough that the messages have left, shorter than a tick of retransmission in most cases. */
const CUT_OFF_MS = 250;
/** A long garbage collection: several ticks, and receive buffers overflow. */
const PAUSE_MS = 3_500;
const SETTLE_MS = 60_000;
const POLL_MS = 100;

function kindsFor(group: Group, count: number): Kind[] {
  const toMembers: Kind = { count, sizeBytes: 1024, to: 'members' };
  return group.hasGroupMessages ? [toMembers, { ...toMembers, to: 'group' }] : [toMembers];
}

/** Nobody hears the last messages that anybody sends: only the sender can know, and must do something about it. */
const lastMessagesLost: Feature = {
  name: 'the last messages are lost',
  needsLab: true,
  fits: () => true,
  async run(group) {
    const hosts = group.members.map(({ options }) => options.host);
    await group.lab.setCutOff(hosts, true);
    let started: ReturnType<typeof startBursts>[];
    try {
      started = kindsFor(group, 3).map((kind) => startBursts(group, kind));
      await sleep(CUT_OFF_MS);
    } finally {
      await group.lab.setCutOff(hosts, false);
    }
    const expectations = started.flatMap((one) => one.expectations);
    await arrival(expectations);
    return { expectations };
  },
};

/** One member stands still while all send; then it goes on. */
function paused(kind: ConformanceMember['kind'], name: string): Feature {
  return {
    name,
    fits: () => true,
    async run(group) {
      const member = group.members.findLast((candidate) => candidate.kind === kind);
      if (member === undefined) throw new Error(`no ${kind} in the group`);
      // what it sends is on its way when it stops
      const before = kindsFor(group, 60).map((one) => startBursts(group, one));
      await sleep(20);
      member.peer.pause();
      const others = group.members.filter((candidate) => candidate !== member);
      const during = kindsFor(group, 120).map((one) => startBursts(group, one, others));
      await sleep(PAUSE_MS);
      member.peer.resume();
      const expectations = [...before, ...during].flatMap((one) => one.expectations);
      await arrival(expectations);
      return { expectations };
    },
  };
}

/**
 * All that was sent is acknowledged, and no JVM keeps a group message any more: so the coordinator, of whichever kind,
 * has all gossips and its word reached all. A JVM that keeps some is the fault of those who gossip with it.
 */
const settled: Feature = {
  name: 'all is acknowledged and stable',
  fits: () => true,
  async run(group): Promise<Outcome> {
    const faults = await Promise.all(
      group.members.flatMap((member) => {
        const peers = new Set(group.members.filter((other) => other !== member).map(({ kind }) => kind));
        return [...peers].map(async (kind) => ({
          direction: `${member.kind} -> ${kind}` as Direction,
          reason: await whyUnsettled(member),
        }));
      }),
    );
    return {
      expectations: [],
      faults: faults.filter(
        (fault): fault is { direction: Direction; reason: string } => fault.reason !== null,
      ),
    };
  },
};

/** Null once it is settled. */
async function whyUnsettled(member: ConformanceMember): Promise<string | null> {
  if (!(await member.peer.drain(SETTLE_MS))) {
    const { unacked } = await member.peer.stats();
    return `${member.label}: ${unacked} messages are not acknowledged after ${SETTLE_MS / 1000} s`;
  }
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const { unstableBytes } = await member.peer.stats();
    if (unstableBytes === 0) return null;
    if (performance.now() > deadline) {
      return `${member.label}: ${unstableBytes} bytes of group messages are not stable after ${SETTLE_MS / 1000} s`;
    }
    await sleep(POLL_MS);
  }
}

export const FAULT_FEATURES: readonly Feature[] = [
  lastMessagesLost,
  paused('JVM', 'a JVM stands still for 3.5 s'),
  paused('ours', 'one of ours stands still for 3.5 s'),
  settled,
];

export const SETTLED = settled;
