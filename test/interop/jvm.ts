import test, { type ExecutionContext } from 'ava';

import { JvmPeer, type JvmPeerOptions } from '../../src/peers/jvm-peer.ts';
import { JGROUPS_VERSIONS, type JGroupsVersion, type JavaProbe, probeJava } from '../../src/peers/maven.ts';
import { createView, type View } from '../../src/protocol/view.ts';

/** A first resolve downloads some megabytes; tests may wait longer for it than a user would. */
const probes = new Map<JGroupsVersion, JavaProbe>();
for (const version of JGROUPS_VERSIONS) probes.set(version, await probeJava(version, { timeoutMs: 240_000 }));

const [missing] = [...probes.values()].flatMap((probe) => (probe.ok ? [] : [probe.reason]));
const required = process.env['ROLLGATE_REQUIRE_JVM'] === '1';

/** A test with real JGroups JVMs: skipped by name where they cannot be had, a failure where they must. */
export function jvmTest(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (missing === undefined) {
    test.serial(title, body);
  } else if (required) {
    test.serial(title, (t) => t.fail(`ROLLGATE_REQUIRE_JVM=1, but ${missing}`));
  } else {
    test.serial.skip(`${title} (skipped: ${missing})`, body);
  }
}

/** A peer that ends with the test. */
export async function startPeer(t: ExecutionContext, options: JvmPeerOptions): Promise<JvmPeer> {
  const probe = probes.get(options.version);
  const peer = await JvmPeer.start({ ...(probe?.ok === true ? { program: probe.program } : {}), ...options });
  t.teardown(() => peer.kill());
  return peer;
}

/** A view of these peers, installed in all of them. */
export async function installViewOf(id: number, peers: readonly JvmPeer[]): Promise<View> {
  const view = createView(
    id,
    peers.map((peer) => peer.memberId),
  );
  await Promise.all(peers.map((peer) => peer.installView(view)));
  return view;
}
