import type { Address, GeodeAddress } from '../../../codecs/jgroups/message.ts';
import type { Endpoint } from '../../../codecs/pcap/index.ts';
import { labelledPayload, fingerprint } from './fingerprint.ts';
import type { MemberPlan } from './replayed-member.ts';
import type { CaptureScan, SeenMember } from './scan.ts';
import type { Truth, TruthMember, TruthPeer, TruthSend, TruthView } from './truth.ts';

/** A killed or leaving process does not tell of the last it got. */
const TWILIGHT_MS = 200;

/** All that a replay needs to know before it reads the capture again. */
export interface ReplayPlan {
  readonly members: readonly MemberPlan[];
  readonly nameOf: (uuid: string) => string;
  readonly views: readonly TruthView[];
  /** Sorted by time; null: sends are read off the wire. */
  readonly sends: readonly TruthSend[] | null;
  /** Nobody tells of views, or not from the beginning: all members are in one, from when they are first seen. */
  readonly growsView: boolean;
  /** Uuids of those who have no view until they are let in. */
  readonly joiners: ReadonlySet<string>;
  readonly selfChecked: boolean;
  readonly addressOf: (uuid: string) => Address | undefined;
  /** Uuids of who is at an end of a TCP connection. */
  readonly membersAt: (endpoint: Endpoint) => ReadonlySet<string>;
  /** Whether the first group message of a member is in the capture. */
  readonly hasFirstOf: (uuid: string) => boolean;
  /** Of the last message of an application, on any clock of the capture; Infinity: it is not known. */
  readonly storyEndMs: number;
}

export function planReplay(scan: CaptureScan, truth: Truth | null): ReplayPlan {
  const selfChecked = truth?.tellsDeliveries !== true;
  const names = new Map<string, string>();
  for (const peer of truth?.peers ?? []) names.set(peer.uuid, peer.name);
  const nameOf = (uuid: string): string => names.get(uuid) ?? placeOf(scan.members.get(uuid)) ?? uuid;
  const peers = new Map(truth?.peers.map((peer) => [peer.uuid, peer]));
  const uuids = new Set([...peers.keys(), ...scan.members.keys()]);
  const sends = sendsOf(truth);
  const members: MemberPlan[] = [];
  for (const uuid of uuids) {
    const seen = scan.members.get(uuid);
    const peer = peers.get(uuid);
    // in a capture with truth, those who did not log are no members of the scenario
    if (truth !== null && peer === undefined) continue;
    const address = addressFor(uuid, scan, peer);
    if (address === null) continue;
    const endMs = peer?.endMs ?? Infinity;
    const config = scan.knowledge.configOf(seen?.version ?? null);
    const sinceMs = Math.min(seen?.firstMs ?? Infinity, peer?.upMs ?? Infinity);
    members.push({
      name: nameOf(uuid),
      address,
      config,
      startMs: inStep(sinceMs, scan.tickOf(uuid), config.xmitIntervalMs),
      endMs,
      twilightMs: endMs - TWILIGHT_MS,
      selfChecked,
      forgiving: truth?.unknownDrops.has(uuid) === true,
      firstSeqno: sends === null ? (scan.firstSeqnos.get(uuid) ?? 1) : 1,
    });
  }
  return {
    members,
    nameOf,
    views: truth?.views ?? [],
    sends,
    growsView: (truth?.views.length ?? 0) === 0,
    joiners: scan.joiners,
    selfChecked,
    membersAt: (endpoint) => scan.places.at(endpoint),
    hasFirstOf: (uuid) => (scan.firstSeqnos.get(uuid) ?? Infinity) <= 1,
    storyEndMs: sends?.at(-1)?.timeMs ?? scan.lastMessageMs,
    addressOf: (uuid) => addressFor(uuid, scan, peers.get(uuid)) ?? undefined,
  };
}

/** A start at or a little before `sinceMs` from which the ticks fall together with the real member's. */
function inStep(sinceMs: number, tickMs: number | undefined, intervalMs: number): number {
  if (tickMs === undefined) return sinceMs;
  // a datagram is captured a little after the tick that sent it
  const phase = (tickMs - 1 - sinceMs) % intervalMs;
  return sinceMs + (phase > 0 ? phase - intervalMs : phase);
}

/** Who crashed or left while others still talked; the others quit because the recording was over. */
export function leaversOf(scan: CaptureScan, truth: Truth | null, storyEndMs: number): Set<string> {
  if (truth === null) {
    return new Set([...scan.leftMs].filter(([, leftMs]) => leftMs <= storyEndMs).map(([uuid]) => uuid));
  }
  const leavers = new Set<string>();
  for (const { uuid, killed, endMs } of truth.peers) {
    const wasPutOut = truth.views.some(
      ({ peer, members, timeMs }) =>
        peer !== uuid && timeMs >= endMs - TWILIGHT_MS && !members.some((member) => member.uuid === uuid),
    );
    if (endMs <= storyEndMs && (killed || wasPutOut)) leavers.add(uuid);
  }
  return leavers;
}

function placeOf(seen: SeenMember | undefined): string | undefined {
  return seen?.address.kind === 'geode' ? `${seen.address.host}:${seen.address.port}` : undefined;
}

/** With the place that the member has: a plain UUID tells none. */
function addressFor(uuid: string, scan: CaptureScan, peer: TruthPeer | undefined): GeodeAddress | null {
  const seen = scan.members.get(uuid);
  if (seen?.address.kind === 'geode') return seen.address;
  const place = peer ?? scan.places.endpointOf(uuid);
  if (place === undefined || place.port === 0) return null;
  return geodeAddress({ uuid, host: place.host, port: place.port, viewId: -1 });
}

export function geodeAddress({ uuid, host, port, viewId }: TruthMember): GeodeAddress {
  return { kind: 'geode', uuid, host, scopeId: 0, port, viewId };
}

/** Null if what was sent cannot be made from what was logged. */
function sendsOf(truth: Truth | null): readonly TruthSend[] | null {
  if (truth === null || truth.sends.length === 0) return null;
  const isKnown = (send: TruthSend): boolean =>
    send.label === null || fingerprint(payloadOf(send)) === (send.length === 0 ? '' : send.sha.slice(0, 16));
  return truth.sends.every(isKnown) ? truth.sends : null;
}

export function payloadOf({ label, length }: TruthSend): Buffer {
  return label === null ? Buffer.from('ping') : labelledPayload(label, length);
}
