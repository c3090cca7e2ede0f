import { type Direction, directionOf, type Feature, type Outcome } from '../cells.ts';
import type { Group } from '../group.ts';
import type { ConformanceMember } from '../member.ts';

/** Counters of ours that only a peer's or our own fault can raise. */
const FAULTS = ['malformed', 'otherVersion', 'otherCluster', 'rejected'] as const;

/**
 * Geode's AddressManager finds a method once, and another thread may use it before it is accessible
 * (`findPingDataMethod`). It is caught there, and has nothing to do with what is on the wire.
 */
const GEODE_RACE = /^java\.lang\.IllegalAccessException: class \S+\.AddressManager /;

const STACK_FRAME = /^\s+at /;

/** What the members have to say at the end, beside the messages: the last of each group. */
export const AUDIT: Feature = {
  name: 'nothing malformed, corrupt or unknown',
  fits: () => true,
  async run(group): Promise<Outcome> {
    const faults: { direction: Direction; reason: string }[] = [];
    for (const member of group.members) {
      const words = await complaintsOf(member, group);
      const senders = group.members.filter((other) => other !== member);
      for (const direction of new Set(senders.map((sender) => directionOf(sender, member)))) {
        faults.push(...words.map((reason) => ({ direction, reason: `${member.label}: ${reason}` })));
      }
    }
    return { expectations: [], faults };
  },
};

async function complaintsOf(member: ConformanceMember, group: Group): Promise<string[]> {
  const { dropped, counters = {} } = await member.peer.stats();
  const words = FAULTS.filter((name) => (counters[name] ?? 0) > 0).map(
    (name) => `counted ${counters[name] ?? 0} ${name}`,
  );
  if (dropped > 0) words.push(`dropped ${dropped} lines about deliveries`);
  const [scream] = member.peer.stderr.filter(
    (line) => /SEVERE|ERROR|Exception/.test(line) && !GEODE_RACE.test(line) && !STACK_FRAME.test(line),
  );
  if (scream !== undefined) words.push(`it says: ${scream.slice(0, 200)}`);
  if (member.corrupt() > 0) words.push(`${member.corrupt()} messages were corrupt`);
  const known = new Set(group.all.map(({ id }) => id.uuid));
  for (const stream of member.streams()) {
    const sender = stream.slice(0, stream.indexOf('/'));
    if (!known.has(sender)) words.push(`delivered something of ${sender}, who is nobody`);
  }
  return words;
}
