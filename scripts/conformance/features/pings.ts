/** Geode's two probes (WIRE-3.6 section 13). Nothing about them is reliable: they are repeated until one comes back. */

import { setTimeout as sleep } from 'node:timers/promises';

import { directionOf, type Direction, type Feature } from '../cells.ts';
import type { Group } from '../group.ts';
import type { ConformanceMember } from '../member.ts';

/** On a network that loses every fifth datagram 36 % of the round trips fail: all of them once in 10^8. */
const ATTEMPTS = 18;
const ANSWER_MS = 400;

const PING = Buffer.from('ping');
/** As Geode's quorum check flags it: OOB, NO_FC, NO_RELIABILITY. */
const PING_FLAGS = 'OFR';

type Probe = (from: ConformanceMember, to: ConformanceMember) => Promise<boolean>;

/** Four raw bytes and no header, from another socket than the member's. */
const rawPing: Probe = async (from, to) =>
  (await from.peer.ping(to.id.host, to.id.port, ANSWER_MS)) === 'pong';

/** A message that says `ping`; answered by one that says `pong`. */
const quorumPing: Probe = async (from, to) => {
  const before = pongsOf(from, to);
  from.peer.sendRaw(to.id, PING, PING_FLAGS);
  for (let waited = 0; waited < ANSWER_MS; waited += 20) {
    await sleep(20);
    if (pongsOf(from, to) > before) return true;
  }
  return false;
};

function pongsOf(member: ConformanceMember, from: ConformanceMember): number {
  return member.raw.filter((one) => one.from === from.id.uuid && one.text === 'pong').length;
}

async function probeAll(group: Group, probe: Probe): Promise<{ direction: Direction; reason: string }[]> {
  const faults: { direction: Direction; reason: string }[] = [];
  const asked = group.members.map(async (from) => {
    // one after another: whose answer it is must be plain
    for (const to of group.members) {
      if (to === from) continue;
      let answered = false;
      for (let attempt = 0; attempt < ATTEMPTS && !answered; attempt++) answered = await probe(from, to);
      const reason = `${from.label} asked ${to.label} ${ATTEMPTS} times and had no answer`;
      if (!answered) faults.push({ direction: directionOf(from, to), reason });
    }
  });
  await Promise.all(asked);
  return faults;
}

function feature(name: string, probe: Probe): Feature {
  return {
    name,
    fits: () => true,
    run: async (group) => ({ expectations: [], faults: await probeAll(group, probe) }),
  };
}

export const PING_FEATURES: readonly Feature[] = [
  feature('raw ping is answered', rawPing),
  feature('quorum ping is answered', quorumPing),
];
