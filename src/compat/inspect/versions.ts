/** What mixed versions mean. */
import { releaseOf } from '../../../codecs/geode/versions.ts';
import type { Finding } from './anomalies.ts';
import type { MemberReport } from './report.ts';
import { listed } from './words.ts';

/** @param ts of the end of the capture */
export function ofVersions(members: readonly MemberReport[], ts: number): Finding[] {
  const found: Finding[] = [];
  const base = { ts, n: 0, kind: 'versions' } as const;
  const versions = [...new Set(members.flatMap((member) => Object.keys(member.versions)))].filter((version) =>
    /^\d/.test(version),
  );
  const wires = new Set(versions.map((version) => version.split('.').slice(0, 2).join('.')));
  if (wires.size > 1) {
    found.push({
      ...base,
      severity: 'warning',
      text: `Members speak JGroups ${listed(versions)}.`,
      meaning:
        'Members of different major or minor versions drop each other’s datagrams: these are separate groups.',
    });
  } else if (versions.length > 1) {
    found.push({
      ...base,
      severity: 'note',
      text: `Members speak JGroups ${listed(versions)}.`,
      meaning: 'These work together: the last number does not change the wire.',
    });
  }
  const ordinals = [...new Set(members.map((member) => member.geodeOrdinal))].filter(
    (ordinal) => ordinal !== null,
  );
  if (ordinals.length > 1) {
    const names = ordinals
      .sort((a, b) => a - b)
      .map((ordinal) => `${ordinal} (${releaseOf(ordinal) ?? 'unknown'})`);
    found.push({
      ...base,
      severity: 'note',
      text: `Members are of Geode versions ${listed(names)}.`,
      meaning:
        'A rolling upgrade is under way: once a newer member is coordinator, older ones can stay but not join.',
    });
  }
  return found;
}
