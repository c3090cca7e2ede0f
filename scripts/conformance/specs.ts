/** What is tried: networks, members, groups of them. */

import type { JGroupsVersion } from '../../src/peers/maven.ts';

/** Shares of all datagrams, 0..1. Duplicates and late ones are made at our own members' sockets. */
export interface NetworkSpec {
  readonly name: string;
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
}

const UNTIDY = { duplicate: 0.02, reorder: 0.05 };

export const NETWORKS = [
  { name: 'clean', loss: 0, duplicate: 0, reorder: 0 },
  { name: '0 %', loss: 0, ...UNTIDY },
  { name: '1 %', loss: 0.01, ...UNTIDY },
  { name: '5 %', loss: 0.05, ...UNTIDY },
  { name: '20 %', loss: 0.2, ...UNTIDY },
] as const satisfies readonly NetworkSpec[];

export type MemberSpec =
  { readonly kind: 'JVM'; readonly version: JGroupsVersion } | { readonly kind: 'ours' };

/** How group messages go: not at all (Geode's stack without multicast), a datagram for each member, IP multicast. */
export type Carrier = 'none' | 'unicasts' | 'ip';

/** Processes that are started together; all features run through them one after another. */
export interface GroupSpec {
  /** Unique; part of each cell's name. */
  readonly name: string;
  readonly kind: 'pair' | 'group' | 'multicast' | 'credits' | 'confirmed';
  readonly versions: string;
  readonly carrier: Carrier;
  readonly members: readonly MemberSpec[];
  readonly network: NetworkSpec;
  readonly receiveBufferBytes: number;
  /** Of flow control, on both sides. Default: Geode's 1 MiB. */
  readonly maxCredits?: number;
  /** RSVP as the highest protocol, on both sides: how long it waits. Default: none, as in Geode. */
  readonly rsvpTimeoutMs?: number;
  /**
   * Of the JVMs. Over a quarter of the credits (the threshold) their MFC can hang for ever: it asks only members below
   * the threshold for more (JGroups' MFC.handleDownMessage). Default: Geode's 60,000.
   */
  readonly jvmFragSize?: number;
}

/** Geode's default, and one in which the bursts of a whole group fit. */
const SMALL_BUFFER = 65_535;
const LARGE_BUFFER = 1024 * 1024;

const OURS: MemberSpec = { kind: 'ours' };
const jvm = (version: JGroupsVersion): MemberSpec => ({ kind: 'JVM', version });

/** Old and new JVMs beside ours, in groups of 2 to 6. */
const MIXED: readonly (readonly MemberSpec[])[] = [
  [jvm('3.6.14'), OURS, jvm('3.6.20'), OURS, jvm('3.6.14'), OURS],
  [OURS, jvm('3.6.14'), jvm('3.6.20')],
  [jvm('3.6.20'), OURS, jvm('3.6.14'), OURS],
  [jvm('3.6.14'), OURS, jvm('3.6.20'), OURS, jvm('3.6.20'), OURS],
  [OURS, jvm('3.6.20'), OURS, jvm('3.6.14'), jvm('3.6.14')],
];

/** @param versions of JGroups that are tried by themselves; mixed groups have both */
export function allGroups(versions: readonly JGroupsVersion[]): GroupSpec[] {
  return NETWORKS.flatMap((network, i) => [
    ...versions.flatMap((version) => groupsOf(version, network)),
    {
      name: `group mixed ${network.name}`,
      kind: 'group' as const,
      versions: 'mixed',
      carrier: 'unicasts' as const,
      members: MIXED[i] ?? [],
      network,
      receiveBufferBytes: LARGE_BUFFER,
    },
  ]);
}

function groupsOf(version: JGroupsVersion, network: NetworkSpec): GroupSpec[] {
  const common = { versions: version, network, receiveBufferBytes: LARGE_BUFFER };
  const three = [jvm(version), OURS, jvm(version)];
  const name = `${version} ${network.name}`;
  return [
    {
      ...common,
      name: `pair ${name}`,
      kind: 'pair',
      carrier: 'none',
      members: [jvm(version), OURS],
      receiveBufferBytes: SMALL_BUFFER,
    },
    { ...common, name: `group ${name}`, kind: 'group', carrier: 'unicasts', members: three },
    {
      ...common,
      name: `confirmed ${name}`,
      kind: 'confirmed',
      carrier: 'unicasts',
      members: three,
      rsvpTimeoutMs: 30_000,
    },
    { ...common, name: `multicast ${name}`, kind: 'multicast', carrier: 'ip', members: three },
    {
      ...common,
      name: `credits ${name}`,
      kind: 'credits',
      carrier: 'unicasts',
      members: three,
      maxCredits: 20_000,
      jvmFragSize: 4_000,
    },
  ];
}
