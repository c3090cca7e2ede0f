import type {
  Truth,
  TruthDelivery,
  TruthDrop,
  TruthLine,
  TruthMember,
  TruthPeer,
  TruthSend,
  TruthView,
} from './truth.ts';
import { flagBits, numberOf, textOf } from './truth.ts';

const ENDS: readonly string[] = ['quit', 'killed-9', 'left'];

/** What the group is called as a destination. */
const GROUP = 'ALL';

/** Peers of the stacks that JGroups ships are A, B, ... for themselves, and p0, p1, ... for who steers them. */
const FIRST_LETTER = 'A'.charCodeAt(0);

/** Reads the log of JGroups peers: events named by `ev`. */
export function jgroupsEvents(lines: readonly TruthLine[]): Truth {
  const log = new JGroupsLog(lines);
  for (const line of lines) log.take(line);
  return log.truth();
}

class JGroupsLog {
  readonly #peers: TruthPeer[] = [];
  /** Who has the name now: one that is started again is another. */
  readonly #current = new Map<string, TruthPeer>();
  /** Who will have it, in order: a peer that joins by itself says that it is up when it has, and more before. */
  readonly #coming = new Map<string, TruthPeer[]>();
  readonly #views: TruthView[] = [];
  readonly #sends: TruthSend[] = [];
  readonly #deliveries: TruthDelivery[] = [];
  readonly #drops: TruthDrop[] = [];
  readonly #unknownDrops = new Set<string>();
  readonly #counted = new Map<string, number>();
  readonly #sentFlags = new Map<string, number>();
  #tellsDeliveries = false;

  constructor(lines: readonly TruthLine[]) {
    for (const line of lines) {
      if (textOf(line, 'ev') !== 'up') continue;
      const peer = peerOf(line);
      this.#coming.set(peer.name, [...(this.#coming.get(peer.name) ?? []), peer]);
    }
  }

  take(line: TruthLine): void {
    const ev = textOf(line, 'ev');
    if (ev === 'up') {
      this.#up(textOf(line, 'peer'), line.t);
      return;
    }
    if (ev === 'view' && textOf(line, 'view') !== '') {
      this.#gmsView(line);
      return;
    }
    const peer = this.#peer(textOf(line, 'peer'));
    if (peer === undefined) return;
    if (ENDS.includes(ev)) {
      peer.endMs = Math.min(peer.endMs, line.t);
      peer.killed = ev === 'killed-9';
      return;
    }
    this.#event(ev, line, peer.uuid);
  }

  /** By its name, or by what it is called beside it: `1` is `p1`, which may be B. */
  #peer(text: string): TruthPeer | undefined {
    const [, index] = /^p?(\d+)$/.exec(text) ?? [];
    if (index === undefined) return this.#named(text);
    const letter = String.fromCharCode(FIRST_LETTER + Number(index));
    return this.#named(text) ?? this.#named(`p${index}`) ?? this.#named(letter);
  }

  #named(name: string): TruthPeer | undefined {
    const current = this.#current.get(name);
    if (current?.endMs === Infinity) return current;
    return this.#coming.get(name)?.[0] ?? current;
  }

  #event(ev: string, line: TruthLine, peer: string): void {
    switch (ev) {
      case 'view':
        this.#view(line, peer);
        return;
      case 'send':
        this.#send(line, peer);
        return;
      case 'deliver':
        this.#deliver(line, peer);
        return;
      case 'rx-dropped':
        this.#drop(line, peer);
        return;
      case 'discard-up':
        // JGroups' DISCARD tells the share that it drops; which messages these were, only if it was made to
        if (textOf(line, 'sha') !== '') this.#drop(line, peer);
        else if (Number(line['rate']) > 0) this.#unknownDrops.add(peer);
        return;
      case 'bench-rx':
        this.#counted.set(peer, (this.#counted.get(peer) ?? 0) + (numberOf(line, 'msgs') ?? 0));
    }
  }

  #up(name: string, timeMs: number): void {
    const peer = this.#coming.get(name)?.shift();
    if (peer === undefined) return;
    const before = this.#current.get(name);
    if (before !== undefined) before.endMs = Math.min(before.endMs, timeMs);
    this.#peers.push(peer);
    this.#current.set(name, peer);
  }

  /** `0:0,1:1`: index and view id of each member. */
  #view(line: TruthLine, peer: string): void {
    const members: TruthMember[] = [];
    for (const part of textOf(line, 'members').split(',')) {
      const [, index, viewId] = /^(\w+):(-?\d+)$/.exec(part.trim()) ?? [];
      if (index === undefined || viewId === undefined) return;
      const known = this.#peer(index);
      if (known === undefined) continue;
      members.push({ uuid: known.uuid, host: known.host, port: known.port, viewId: Number(viewId) });
    }
    const [id, creator] = [numberOf(line, 'id'), members[0]?.uuid];
    const viewId = id === null || creator === undefined ? null : { creator, id };
    this.#views.push({ timeMs: line.t, peer, viewId, members, byGms: false });
  }

  /** `[A|1] (2) [A, B]` of `A/uuid B/uuid`. */
  #gmsView(line: TruthLine): void {
    const uuids = new Map<string, string>();
    for (const member of textOf(line, 'members').split(' ')) {
      const [name, uuid] = member.split('/');
      if (name !== undefined && uuid !== undefined) uuids.set(name, uuid.replaceAll('-', ''));
    }
    const peer = uuids.get(textOf(line, 'peer'));
    if (peer === undefined) return;
    const [, creatorName, id] = /\[([^|\]]+)\|(\d+)\]/.exec(textOf(line, 'view')) ?? [];
    const creator = uuids.get(creatorName ?? '') ?? this.#named(creatorName ?? '')?.uuid;
    const viewId = creator === undefined || id === undefined ? null : { creator, id: Number(id) };
    const members = [...uuids.values()].map((uuid) => ({ uuid, host: '', port: 0, viewId: -1 }));
    this.#views.push({ timeMs: line.t, peer, viewId, members, byGms: true });
  }

  #send(line: TruthLine, peer: string): void {
    const to = textOf(line, 'dest');
    const dest = to === GROUP ? null : this.#peer(to)?.uuid;
    const isPing = textOf(line, 'what') === 'gms-ping';
    const label = numberOf(line, 'label');
    if (dest === undefined || (label === null && !isPing)) return;
    const flags = flagBits(isPing ? 'OOB|DONT_BUNDLE|NO_FC|NO_RELIABILITY' : textOf(line, 'flags'));
    const length = isPing ? 4 : (numberOf(line, 'len') ?? 0);
    this.#sends.push({ timeMs: line.t, peer, dest, label, length, sha: textOf(line, 'sha'), flags });
    this.#sentFlags.set(`${peer} ${length} ${textOf(line, 'sha')}`, flags);
  }

  #deliver(line: TruthLine, peer: string): void {
    this.#tellsDeliveries = true;
    const src = this.#peer(textOf(line, 'src'))?.uuid;
    if (src === undefined || src === peer) return; // what a member sends to itself is never on the wire
    const length = numberOf(line, 'len') ?? 0;
    const sha = textOf(line, 'sha');
    const said = typeof line['flags'] === 'string' ? flagBits(line['flags']) : null;
    const flags = said ?? this.#sentFlags.get(`${src} ${length} ${sha}`) ?? null;
    const toGroup = textOf(line, 'dest') === GROUP;
    this.#deliveries.push({ peer, src, toGroup, length, sha, flags });
  }

  #drop(line: TruthLine, peer: string): void {
    this.#drops.push({ timeMs: line.t, peer, sha: textOf(line, 'sha') });
  }

  truth(): Truth {
    return {
      peers: this.#peers,
      views: this.#views,
      sends: this.#sends,
      deliveries: this.#deliveries,
      drops: this.#drops,
      unknownDrops: this.#unknownDrops,
      counted: this.#counted,
      tellsDeliveries: this.#tellsDeliveries,
    };
  }
}

function peerOf(line: TruthLine): TruthPeer {
  const [host, port] = hostAndPort(textOf(line, 'phys') || textOf(line, 'addr'));
  const [high, low] = [textOf(line, 'uuid_msb'), textOf(line, 'uuid_lsb')];
  const uuid =
    high + low !== ''
      ? high.padStart(16, '0') + low.padStart(16, '0')
      : textOf(line, 'addr').replace(/^.*\//, '').replaceAll('-', '');
  return { name: textOf(line, 'peer'), uuid, host, port, upMs: line.t, endMs: Infinity, killed: false };
}

/** `/127.0.0.1:41600` and `127.0.0.1:42000`, an IPv6 host perhaps in brackets. */
function hostAndPort(text: string): [string, number] {
  const at = text.lastIndexOf(':');
  const host = text
    .slice(0, Math.max(0, at))
    .replace(/^.*\//, '')
    .replace(/^\[|\]$/g, '');
  return [host, Number(text.slice(at + 1)) || 0];
}
