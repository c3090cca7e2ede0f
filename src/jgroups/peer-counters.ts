/** What went otherwise than it should with one member of the view, since it became one. Bumped where it is rare. */
export class PeerCounters {
  /** Of connections before the present one. */
  sentBefore = 0;
  ackedBefore = 0;
  retransmitted = 0;
  requested = 0;
  duplicates = 0;
  malformed = 0;
  groupRetransmitted = 0;
  groupRequested = 0;
  groupDuplicates = 0;
}

/** The counters of all members. Whoever is no member has none: anybody can make up a sender. */
export class PeerTable {
  readonly #peers = new Map<string, PeerCounters>();
  /** Takes what nobody will read. */
  readonly #strangers = new PeerCounters();
  #members: ReadonlySet<string> = new Set();

  installView(members: ReadonlySet<string>): void {
    this.#members = members;
    for (const key of this.#peers.keys()) if (!members.has(key)) this.#peers.delete(key);
  }

  /** To be bumped. Made when first needed, so that an idle member has none. */
  of(key: string): PeerCounters {
    if (!this.#members.has(key)) return this.#strangers;
    let counters = this.#peers.get(key);
    if (counters === undefined) this.#peers.set(key, (counters = new PeerCounters()));
    return counters;
  }

  /** To be read. */
  find(key: string): Readonly<PeerCounters> {
    return this.#peers.get(key) ?? NONE;
  }
}

const NONE: Readonly<PeerCounters> = new PeerCounters();
