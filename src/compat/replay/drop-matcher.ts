import type { CapturedDatagram } from './captured-datagrams.ts';
import { fingerprint } from './fingerprint.ts';
import { isMulticast } from './places.ts';
import type { TruthDrop, TruthPeer } from './truth.ts';

/** A drop is logged when the receiver gets to it, at times before the capture's clock says so: ms against ns. */
const CLOCK_SLACK_MS = 5;

interface Candidate {
  readonly index: number;
  readonly timeMs: number;
}

/**
 * Finds the datagrams that receivers threw away although the capture shows them. Resends of a message are the same
 * bytes, so that the fingerprint alone does not tell which of them it was: the last before the drop was logged.
 */
export class DropMatcher {
  readonly #drops: readonly TruthDrop[];
  /** Those who dropped anything, by `host:port`. */
  readonly #peers = new Map<string, TruthPeer[]>();
  readonly #wanted = new Set<string>();
  readonly #candidates = new Map<string, Candidate[]>();

  constructor(peers: readonly TruthPeer[], drops: readonly TruthDrop[]) {
    this.#drops = drops;
    const droppers = new Set(drops.map(({ peer }) => peer));
    for (const { peer, sha } of drops) this.#wanted.add(key(peer, sha));
    for (const peer of peers) {
      if (!droppers.has(peer.uuid)) continue;
      const place = `${peer.host}:${peer.port}`;
      this.#peers.set(place, [...(this.#peers.get(place) ?? []), peer]);
    }
  }

  take({ to, bytes, index, timeMs }: CapturedDatagram): void {
    if (this.#drops.length === 0) return;
    // a group's datagram is one in the capture, and each member has its own copy
    const peers = isMulticast(to.host)
      ? [...this.#peers.values()].flat()
      : this.#peers.get(`${to.host}:${to.port}`);
    if (peers === undefined) return;
    const sha = fingerprint(bytes);
    for (const { uuid } of peers) {
      const which = key(uuid, sha);
      if (!this.#wanted.has(which)) continue;
      const list = this.#candidates.get(which);
      if (list === undefined) this.#candidates.set(which, [{ index, timeMs }]);
      else list.push({ index, timeMs });
    }
  }

  /** `index` of the datagrams that each peer (by uuid) threw away; and how many drops no datagram was found for. */
  match(): { dropped: Map<string, Set<number>>; unmatched: number } {
    const dropped = new Map<string, Set<number>>();
    let unmatched = 0;
    for (const { peer, sha, timeMs } of this.#drops) {
      const candidates = this.#candidates.get(key(peer, sha)) ?? [];
      const before = candidates.filter((candidate) => candidate.timeMs <= timeMs + CLOCK_SLACK_MS);
      const found = before.at(-1) ?? candidates[0];
      if (found === undefined) {
        unmatched++;
        continue;
      }
      candidates.splice(candidates.indexOf(found), 1);
      const indexes = dropped.get(peer);
      if (indexes === undefined) dropped.set(peer, new Set([found.index]));
      else indexes.add(found.index);
    }
    return { dropped, unmatched };
  }
}

function key(peer: string, sha: string): string {
  return `${peer} ${sha.slice(0, 16)}`;
}
