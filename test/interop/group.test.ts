/** The conformance matrix in small, for CI: two old JVMs and one of ours, on a network that loses datagrams. */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { featuresOf } from '../../scripts/conformance/features/index.ts';
import { runGroup } from '../../scripts/conformance/run-group.ts';
import { allGroups, type GroupSpec } from '../../scripts/conformance/specs.ts';
import { preparePeer } from '../../src/peers/maven.ts';
import { jvmTest } from './jvm.ts';

const FEATURES = new Set([
  'group, ordered',
  'group, 150 kB in fragments',
  'group messages and unicasts at once',
  'quorum ping is answered',
  'all is acknowledged and stable',
  'a JVM is killed and restarted on its port',
  'one of ours leaves, another one joins',
  'nothing malformed, corrupt or unknown',
]);

jvmTest(
  'group messages with two 3.6.14 JVMs, 5 % lost, 2 % twice, 5 % late; members join with a digest',
  async (t) => {
    t.timeout(120_000);
    const spec = allGroups(['3.6.14']).find(({ name }) => name === 'group 3.6.14 5 %') as GroupSpec;
    const features = featuresOf(spec).filter(({ name }) => FEATURES.has(name));
    t.is(features.length, FEATURES.size);
    const results = await runGroup(spec, features, {
      seed: 1,
      programs: new Map([['3.6.14', await preparePeer('3.6.14')]]),
      folder: await mkdtemp(join(tmpdir(), 'rollgate-conformance-')),
      noLab: 'all on one host: ours loses them itself',
      onResults: () => undefined,
    });
    t.is(results.length, 3 * features.length);
    for (const { status, feature, direction, reason } of results) {
      t.is(status, 'ok', `${feature}, ${direction}: ${reason}`);
    }
  },
);
