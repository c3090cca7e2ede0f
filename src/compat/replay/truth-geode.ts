import type { Truth, TruthLine, TruthMember, TruthPeer, TruthView } from './truth.ts';
import { numberOf, textOf } from './truth.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the log of Geode members: events named by `event`, of processes named by `node`. It tells who they are and
 * which views they had, but not the bytes of their messages.
 */
export function geodeEvents(lines: readonly TruthLine[]): Truth {
  const peers: TruthPeer[] = [];
  const current = new Map<string, TruthPeer>();
  const views: TruthView[] = [];
  for (const line of lines) {
    const node = textOf(line, 'node');
    const event = textOf(line, 'event');
    if (event === 'localId') {
      const member = memberOf(line['member']);
      // one that was thrown out and came back has the port, but is another member
      const before = current.get(node);
      if (member === null || before?.uuid === member.uuid) continue;
      if (before !== undefined) before.endMs = Math.min(before.endMs, line.t);
      const { uuid, host, port } = member;
      const peer = { name: node, uuid, host, port, upMs: line.t, endMs: Infinity, killed: false };
      peers.push(peer);
      current.set(node, peer);
      continue;
    }
    const peer = current.get(node);
    if (peer === undefined) continue;
    if (event === 'left') peer.endMs = line.t;
    if (event === 'view') views.push(viewOf(line, peer.uuid));
  }
  return {
    peers,
    views,
    sends: [],
    deliveries: [],
    drops: [],
    unknownDrops: new Set(),
    counted: new Map(),
    tellsDeliveries: false,
  };
}

function viewOf(line: TruthLine, peer: string): TruthView {
  const [id, creator] = [numberOf(line, 'viewId'), memberOf(line['creator'])];
  const viewId = id === null || creator === null ? null : { creator: creator.uuid, id };
  return { timeMs: line.t, peer, viewId, members: membersOf(line['members']), byGms: false };
}

function membersOf(value: unknown): TruthMember[] {
  if (!Array.isArray(value)) return [];
  return value.map(memberOf).filter((member) => member !== null);
}

function memberOf(value: unknown): TruthMember | null {
  if (typeof value !== 'object' || value === null) return null;
  const json = value as Json;
  const uuid = textOf(json, 'uuidMsb') + textOf(json, 'uuidLsb');
  if (uuid.length !== 32) return null;
  const [port, viewId] = [numberOf(json, 'port'), numberOf(json, 'viewId')];
  return { uuid, host: textOf(json, 'host'), port: port ?? 0, viewId: viewId ?? -1 };
}
