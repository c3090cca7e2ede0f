import type { Feature } from '../cells.ts';
import type { GroupSpec } from '../specs.ts';
import { AUDIT } from './audit.ts';
import { FAULT_FEATURES, SETTLED } from './faults.ts';
import { PING_FEATURES } from './pings.ts';
import { MEMBERSHIP_FEATURES } from './membership.ts';
import { CONFIRMED_FEATURES, CREDIT_FEATURES, GROUP_FEATURES, UNICAST_FEATURES } from './traffic.ts';

/** In the order in which they run in a group. */
export function featuresOf(spec: GroupSpec): readonly Feature[] {
  const features =
    spec.kind === 'credits'
      ? [...CREDIT_FEATURES, SETTLED]
      : spec.kind === 'confirmed'
        ? [...CONFIRMED_FEATURES, SETTLED]
        : spec.kind === 'pair'
          ? [...UNICAST_FEATURES, ...PING_FEATURES, ...FAULT_FEATURES, ...MEMBERSHIP_FEATURES]
          : [
              ...UNICAST_FEATURES,
              ...GROUP_FEATURES,
              ...PING_FEATURES,
              ...FAULT_FEATURES,
              ...MEMBERSHIP_FEATURES,
            ];
  return [...features, AUDIT].filter((feature) => feature.fits(spec));
}
