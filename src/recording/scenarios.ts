/** All scenarios of compat-fixtures, and which of them a recording is to have. */
import { GEODE_SCENARIOS } from './geode-scenarios.ts';
import { JGROUPS_SCENARIOS } from './jgroups-scenarios.ts';
import { PORTS_OF_SCENARIO } from './recorder.ts';
import type { Scenario } from './scenario.ts';
import { PEER_VERSIONS, type PeerVersion } from './script.ts';

/** Below the range that kernels take ports for outgoing connections from. */
const GEODE_PORT = 21_000;
const JGROUPS_PORT = 22_000;

/** Append only: a scenario's ports go by its place, and are in its script. */
const WITH_PORTS = [
  withPorts(GEODE_SCENARIOS, GEODE_PORT),
  withPorts(JGROUPS_SCENARIOS, JGROUPS_PORT),
].flat();

export const SCENARIOS: readonly Scenario[] = WITH_PORTS.map(({ scenario }) => scenario);

export interface PlannedRecording {
  readonly version: PeerVersion;
  readonly scenario: Scenario;
  readonly firstPort: number;
}

/** All of these scenarios of these peers. Each has ports of its own, the same whenever it is recorded. */
export function plan(
  versions: readonly PeerVersion[] = PEER_VERSIONS,
  names: readonly string[] = SCENARIOS.map(({ name }) => name),
): PlannedRecording[] {
  return versions.flatMap((version) =>
    WITH_PORTS.filter(
      ({ scenario }) => scenario.versions.includes(version) && names.includes(scenario.name),
    ).map(({ scenario, firstPort }) => ({ version, scenario, firstPort })),
  );
}

function withPorts(scenarios: readonly Scenario[], base: number): Omit<PlannedRecording, 'version'>[] {
  return scenarios.map((scenario, i) => ({ scenario, firstPort: base + i * PORTS_OF_SCENARIO }));
}

/** The versions whose peers a planned recording starts. */
export function versionsOf({ scenario, version, firstPort }: PlannedRecording): PeerVersion[] {
  const script = scenario.script(version, firstPort);
  return PEER_VERSIONS.filter((candidate) => script.includes(` version=${candidate} `));
}
