import { JGroupsMessenger } from '../../src/jgroups/jgroups-messenger.ts';
import { TcpMessenger } from '../../src/tcp/tcp-messenger.ts';
import { DelegatingMessenger } from '../../src/upgrade/delegating-messenger.ts';
import type { MessengerFactory } from './cluster.ts';
import { randomStreamFaults } from './faults.ts';
import { ReferenceMessenger, type Defect } from './reference-messenger.ts';
import type { Subject } from './scenario.ts';
import { ALL_KINDS, GROUP_KINDS, TCP_KINDS } from './scripts.ts';
import { groupTuning, tcpTuning, unicastTuning } from './tuning.ts';

/** Ordinals (GEODE-WIRE section 1.2): Geode 1.15 is 150; new ones are whatever is above all that speak UDP only. */
const VERSIONS = { old: 150, new: 200 };

/** Geode's default. */
const MULTICAST = { address: '239.192.81.1', port: 10_334 };

/** The reference messenger, whole or with a mistake. */
export function referenceSubject(defect?: Defect): Subject {
  return {
    name: defect === undefined ? 'reference' : `reference-${defect}`,
    create: (environment, options) => {
      const withDefect = defect === undefined ? {} : { defect };
      return new ReferenceMessenger(environment, { ...options, newVersion: VERSIONS.new, ...withDefect });
    },
    kinds: ALL_KINDS,
    mix: 'mixed',
    versions: VERSIONS,
    isRetired: (stats) => stats.stacks.udp?.state === 'closed',
  };
}

const create: MessengerFactory = (environment, { host, ports, name, version, kind }, { jgroups, queues }) => {
  const options = { environment, cluster: 'AG', host, ports, member: { name, version }, jgroups, ...queues };
  return kind === 'old' ? new JGroupsMessenger(options) : new DelegatingMessenger(options);
};

/** The product: old members are the legacy stack alone, new ones have both. */
const rollgate: Subject = {
  name: 'rollgate',
  create,
  tune: unicastTuning,
  kinds: ALL_KINDS,
  mix: 'mixed',
  versions: VERSIONS,
  isRetired: (stats) => stats.stacks.udp?.state === 'dormant',
};

/** The legacy stack alone, with group messages by a datagram for each member. */
export const groupUnicasts: Subject = {
  name: 'group-unicasts',
  create,
  tune: (rng) => groupTuning(rng, 'unicasts'),
  kinds: GROUP_KINDS,
  mix: 'old',
  versions: VERSIONS,
};

/** The same by IP multicast, which also reaches members that are not in the view yet. */
export const groupMulticast: Subject = {
  ...groupUnicasts,
  name: 'group-multicast',
  tune: (rng) => groupTuning(rng, MULTICAST),
};

/** Both, with group messages that change stacks while old members come and go. */
export const rollgateGroup: Subject = {
  ...rollgate,
  name: 'rollgate-group',
  tune: (rng) => groupTuning(rng, rng.next() < 0.5 ? 'unicasts' : MULTICAST),
};

/** TCP alone, on a network that is at its worst for connections. */
export const tcp: Subject = {
  name: 'tcp',
  create: (environment, { host, ports, name, version }, { tcp: timings, queues }) => {
    const options = { environment, cluster: 'AG', host, ports, member: { name, version }, ...queues };
    return new TcpMessenger({ ...options, tcp: timings });
  },
  tune: tcpTuning,
  faults: randomStreamFaults,
  kinds: TCP_KINDS,
  mix: 'new',
  versions: VERSIONS,
};

/** What `run.ts` and `sim.test.ts` try. */
export const SUBJECTS: readonly Subject[] = [rollgate, groupUnicasts, groupMulticast, rollgateGroup, tcp];
