import type { JGroupsConfig } from './config.ts';
import type { MFC } from './mfc.ts';
import type { NAKACK2 } from './nakack2.ts';
import { LEAST_TICKS, type WaitSource } from './stall-watch.ts';
import type { STABLE } from './stable.ts';
import type { UFC } from './ufc.ts';
import type { UNICAST3 } from './unicast3.ts';

/** Gossips are not reliable, and come after twice the mean time at the latest: one may be lost. */
const GOSSIPS = 4;

/** The protocols of a stack that keep messages back, or until they are acknowledged. */
interface WaitingProtocols {
  readonly unicast3: UNICAST3;
  readonly nakack2: NAKACK2 | undefined;
  readonly stable: STABLE | undefined;
  readonly ufc: UFC | undefined;
  readonly mfc: MFC | undefined;
}

/** What messages of a stack can wait for. */
export function waitSources(
  { unicast3, nakack2, stable, ufc, mfc }: WaitingProtocols,
  { xmitIntervalMs, desiredAvgGossipMs }: JGroupsConfig,
  memberTimeoutMs: number,
): WaitSource[] {
  const timeoutMs = Math.max(memberTimeoutMs, LEAST_TICKS * xmitIntervalMs);
  const acks = { missing: 'nothing acknowledged', what: 'message', timeoutMs };
  const sources: WaitSource[] = [{ ...acks, waits: () => unicast3.waits() }];
  // On a slow way many are acknowledged between credits and credits. Acks of requests for credits are no progress: who
  // is stuck in its application goes on acknowledging those.
  if (ufc !== undefined) {
    const waits = () => ufc.waits((key) => unicast3.payloadAcks(key));
    sources.push({ missing: 'no credits', what: 'message', timeoutMs, waits });
  }
  if (mfc !== undefined) {
    const waits = () => mfc.waits(nakack2?.stableSeqno ?? 0);
    sources.push({ missing: 'no credits', what: 'group message', timeoutMs, waits });
  }
  if (stable !== undefined) {
    const gossips = { what: 'group message', timeoutMs: memberTimeoutMs + GOSSIPS * desiredAvgGossipMs };
    sources.push({ ...gossips, missing: 'no gossip', waits: () => stable.waits() });
    const waits = () => stable.waitsForCoordinator();
    sources.push({ ...gossips, missing: 'not stable', isUnsure: true, waits });
  }
  return sources;
}
