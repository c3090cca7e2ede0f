import { JGroupsMessenger } from '../../src/jgroups/jgroups-messenger.ts';
import { DelegatingMessenger } from '../../src/upgrade/delegating-messenger.ts';
import { ReferenceMessenger, type Defect } from './reference-messenger.ts';
import type { Subject } from './scenario.ts';
import { ALL_KINDS } from './scripts.ts';

/** Ordinals (GEODE-WIRE section 1.2): Geode 1.15 is 150; new ones are whatever is above all that speak UDP only. */
const VERSIONS = { old: 150, new: 200 };

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

/** The product: old members are the legacy stack alone, new ones have both. */
const rollgate: Subject = {
  name: 'rollgate',
  create: (environment, { host, ports, name, version, kind }) => {
    const options = { environment, cluster: 'AG', host, ports, member: { name, version } };
    return kind === 'old' ? new JGroupsMessenger(options) : new DelegatingMessenger(options);
  },
  kinds: ALL_KINDS,
  mix: 'mixed',
  versions: VERSIONS,
  isRetired: (stats) => stats.stacks.udp?.state === 'dormant',
};

/** What `run.ts` and `sim.test.ts` try. */
export const SUBJECTS: readonly Subject[] = [rollgate];
