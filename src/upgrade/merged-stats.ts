import type {
  MessengerStats,
  OutcomeCounts,
  PeerStats,
  StackName,
  StackState,
} from '../protocol/messenger.ts';

/** What both stacks of one member tell, as one. @param stackOf which one reaches a member */
export function mergeStats(
  udp: MessengerStats,
  tcp: MessengerStats,
  udpState: StackState,
  stackOf: (uuid: string) => StackName,
): MessengerStats {
  const udpStack = udp.stacks.udp;
  return {
    viewId: tcp.viewId,
    totals: addCounts(udp.totals, tcp.totals),
    received: udp.received + tcp.received,
    peers: mergePeers(udp.peers, tcp.peers, stackOf),
    stacks: {
      ...(udpStack === undefined ? {} : { udp: { ...udpStack, state: udpState } }),
      ...tcp.stacks,
    },
    ...(tcp.tls === undefined ? {} : { tls: tcp.tls }),
  };
}

/** Both stacks count all members; one line each is what a user wants. */
function mergePeers(
  udp: readonly PeerStats[],
  tcp: readonly PeerStats[],
  stackOf: (uuid: string) => StackName,
): PeerStats[] {
  const merged = new Map(tcp.map((peer) => [peer.member.uuid, peer]));
  for (const peer of udp) {
    const other = merged.get(peer.member.uuid);
    if (other === undefined) merged.set(peer.member.uuid, peer);
    else {
      merged.set(peer.member.uuid, {
        member: other.member,
        stack: stackOf(peer.member.uuid),
        sent: addCounts(peer.sent, other.sent),
        received: peer.received + other.received,
        pendingBytes: peer.pendingBytes + other.pendingBytes,
        ...(peer.udp === undefined ? {} : { udp: peer.udp }),
        ...(other.tcp === undefined ? {} : { tcp: other.tcp }),
        ...(other.tls === undefined ? {} : { tls: other.tls }),
      });
    }
  }
  return [...merged.values()];
}

function addCounts(a: Readonly<OutcomeCounts>, b: Readonly<OutcomeCounts>): OutcomeCounts {
  return {
    accepted: a.accepted + b.accepted,
    delivered: a.delivered + b.delivered,
    memberLeft: a.memberLeft + b.memberLeft,
    closed: a.closed + b.closed,
    pending: a.pending + b.pending,
  };
}
