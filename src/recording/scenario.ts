/** What a scenario is made of. */
import type { PeerVersion } from './script.ts';

export interface Scenario {
  readonly name: string;
  /** In a line, for people. */
  readonly about: string;
  /** The versions under whose folder it is recorded. */
  readonly versions: readonly PeerVersion[];
  readonly script: (version: PeerVersion, firstPort: number) => string;
}

export type PeerLines = (version: PeerVersion, firstPort: number) => string[];

export const JGROUPS_3_6: readonly PeerVersion[] = ['3.6.14', '3.6.20'];
/** Where in a scenario's ports that of IP multicast is. */
export const MCAST_PORT_AT = 35;

export function scenario(
  name: string,
  about: string,
  versions: readonly PeerVersion[],
  peers: PeerLines,
  steps: string,
): Scenario {
  const lines = steps
    .trim()
    .split('\n')
    .map((line) => line.trim());
  return {
    name,
    about,
    versions,
    script: (version, port) => `${[...peers(version, port), '---', ...lines].join('\n')}\n`,
  };
}
