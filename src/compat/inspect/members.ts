/** Who takes part: one member per uuid, with what it says of itself and the version that its datagrams bear. */
import { releaseOf } from '../../../codecs/geode/versions.ts';
import type { MessageRecord, RecordAddress } from '../record.ts';
import { since } from './anomalies.ts';
import { MAX_MEMBERS, MAX_NAMES } from './limits.ts';
import type { MemberReport, VersionReport } from './report.ts';
import { plain } from './words.ts';

/** Rank of a label that the member itself said. */
const SAID = 2;

export class Member {
  /** Of this capture; it stays when the id becomes known. */
  readonly key: number;
  id: string;
  address: MemberReport['address'];
  label: string;
  /** How sure the label is: 0 a uuid's beginning, 1 seen on packets, 2 said by the member. */
  labelRank: number;
  name: string | null = null;
  readonly versions = new Map<string, number>();
  readonly clusters = new Set<string>();
  ordinal: number | null = null;
  /** The ordinal is from its own messages, not from what others say of it. */
  ordinalIsOwn = false;
  viewId: number | null = null;
  /** When a view dropped it. */
  goneTs: number | null = null;
  sent = 0;
  received = 0;
  firstTs: number;
  lastTs: number;

  constructor(
    key: number,
    id: string,
    address: Member['address'],
    label: string,
    labelRank: number,
    ts: number,
  ) {
    this.key = key;
    this.firstTs = ts;
    this.lastTs = ts;
    this.id = id;
    this.address = address;
    this.label = label;
    this.labelRank = labelRank;
  }
}

export class Members {
  readonly #byId = new Map<string, Member>();
  /** Labels in use, to the member that had one first. */
  readonly #labels = new Map<string, Member>();
  readonly #onRestart: (before: Member, now: Member, ts: number, n: number) => void;
  leftOut = 0;

  constructor(onRestart: (before: Member, now: Member, ts: number, n: number) => void) {
    this.#onRestart = onRestart;
  }

  /**
   * The member of an address, or of an endpoint where the address says nothing; null when there are too many.
   * @param ts when it was seen, in frame `n`
   */
  of(address: RecordAddress | null, endpoint: string, ts: number, n: number): Member | null {
    if (address === null || address.uuid === null) {
      const label = hostPort(address) ?? endpoint;
      return this.#labels.get(label) ?? this.#make(label, 'endpoint', label, 1, ts, n);
    }
    const { uuid, viewId } = address;
    const known = this.#byId.get(uuid);
    if (known !== undefined && known.labelRank === SAID) {
      if (viewId !== null && viewId >= 0) known.viewId = viewId;
      return known;
    }
    const said = hostPort(address);
    if (known === undefined) {
      const label = said ?? shortUuid(uuid);
      const rank = said === null ? 0 : SAID;
      return (
        this.#adopt(uuid, said) ?? this.#make(uuid, said === null ? 'uuid' : 'geode', label, rank, ts, n)
      );
    }
    if (said !== null) {
      known.address = 'geode';
      this.relabel(known, said, SAID, ts, n);
    }
    return known;
  }

  /** @param id a uuid in 32 hex digits, or an endpoint */
  byId(id: string): Member | undefined {
    return this.#byId.get(id);
  }

  /** A member seen at, or with an address that says, `host:port`. */
  at(endpoint: string): Member | undefined {
    return this.#labels.get(endpoint);
  }

  /** Notes who sent a message, and from where. */
  sent(member: Member, record: MessageRecord): void {
    const { ts, cluster } = record;
    const version = plain(record.version);
    member.lastTs = ts;
    member.sent++;
    if (member.versions.has(version) || member.versions.size < MAX_NAMES) {
      member.versions.set(version, (member.versions.get(version) ?? 0) + 1);
    }
    if (cluster !== null && member.clusters.size < MAX_NAMES) member.clusters.add(plain(cluster));
    const ordinal = record.geode?.['ordinal'];
    if (typeof ordinal === 'number') {
      member.ordinal = ordinal;
      member.ordinalIsOwn = true;
    }
  }

  /** @param rank as `Member.labelRank` */
  relabel(member: Member, label: string, rank: number, ts: number, n: number): void {
    if (rank <= member.labelRank) return;
    if (this.#labels.get(member.label) === member) this.#labels.delete(member.label);
    member.labelRank = rank;
    this.#claim(member, label, ts, n);
  }

  report(start: number): MemberReport[] {
    return [...this.#byId.values()]
      .filter((member) => this.#isReal(member))
      .map((member) => ({
        id: member.id,
        label: member.label,
        name: member.name,
        address: member.address,
        versions: Object.fromEntries(member.versions),
        geodeOrdinal: member.ordinal,
        geodeRelease: member.ordinal === null ? null : releaseOf(member.ordinal),
        clusters: [...member.clusters],
        viewId: member.viewId,
        sent: member.sent,
        received: member.received,
        firstAt: since(member.firstTs, start),
        lastAt: since(member.lastTs, start),
      }));
  }

  versions(): VersionReport[] {
    const versions = new Map<string, { members: number; messages: number }>();
    for (const member of this.#byId.values()) {
      for (const [version, messages] of member.versions) {
        const entry = versions.get(version) ?? { members: 0, messages: 0 };
        entry.members++;
        entry.messages += messages;
        versions.set(version, entry);
      }
    }
    return [...versions].map(([version, entry]) => ({ version, ...entry }));
  }

  #make(
    id: string,
    address: Member['address'],
    label: string,
    rank: number,
    ts: number,
    n: number,
  ): Member | null {
    if (this.#byId.size >= MAX_MEMBERS) {
      this.leftOut++;
      return null;
    }
    const member = new Member(this.#byId.size, id, address, label, rank, ts);
    this.#byId.set(id, member);
    this.#claim(member, label, ts, n);
    return member;
  }

  /** An endpoint to which something was sent turns out to be this member's. */
  #adopt(uuid: string, said: string | null): Member | null {
    const member = said === null ? undefined : this.#labels.get(said);
    if (member?.address !== 'endpoint') return null;
    this.#byId.delete(member.id);
    member.id = uuid;
    member.address = 'geode';
    member.labelRank = SAID;
    this.#byId.set(uuid, member);
    return member;
  }

  /** No endpoint that stood for a member before that said who it is. */
  #isReal(member: Member): boolean {
    return member.address !== 'endpoint' || member.sent > 0 || this.#labels.get(member.label) === member;
  }

  /** A second member with the address of an earlier one is called `host:port#2`. */
  #claim(member: Member, label: string, ts: number, n: number): void {
    const before = this.#labels.get(label);
    if (before === undefined || before === member) {
      this.#labels.set(label, member);
      member.label = label;
      return;
    }
    if (before.address === 'endpoint') {
      // the same one, before it had said who it is
      this.#labels.set(label, member);
      member.label = label;
      return;
    }
    let suffix = 2;
    while (this.#labels.has(`${label}#${suffix}`)) suffix++;
    member.label = `${label}#${suffix}`;
    this.#labels.set(member.label, member);
    this.#onRestart(before, member, ts, n);
  }
}

export function hostPort(address: RecordAddress | null): string | null {
  if (address === null || address.host === null || address.port === null || address.host === '') return null;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function shortUuid(uuid: string): string {
  return `uuid ${uuid.slice(0, 8)}…`;
}
