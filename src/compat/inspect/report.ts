/** What `rollgate inspect` finds. It is also what `--json` prints: keys are append-only. Times are in seconds. */

/** `error`: something was lost or is wrong; `warning`: it was repaired, at a price; `note`: good to know. */
export type Severity = 'error' | 'warning' | 'note';

export type AnomalyKind =
  | 'capture'
  | 'undecodable'
  | 'unknown-header'
  | 'asked-again'
  | 'never-repaired'
  | 'loss'
  | 'first-message'
  | 'unacknowledged'
  | 'slow-ack'
  | 'duplicates'
  | 'new-connection'
  | 'closed-connection'
  | 'credit-stall'
  | 'fragments'
  | 'versions'
  | 'restarted'
  | 'suspicion'
  | 'member-gone'
  | 'join-refused'
  | 'partition';

export interface Anomaly {
  /** Since the epoch. */
  readonly ts: number;
  /** Since the first frame. */
  readonly at: number;
  /** The frame that shows it; 0 where none does. */
  readonly n: number;
  readonly severity: Severity;
  readonly kind: AnomalyKind;
  /** The pair, by its `id`; null: none, or more than one. */
  readonly pair: string | null;
  /** What was seen. */
  readonly text: string;
  /** What it means to who runs the cluster. */
  readonly meaning: string;
}

export interface Span {
  readonly count: number;
  readonly mean: number | null;
  readonly max: number | null;
}

export interface MemberReport {
  /** Its uuid, or `ip:port` where it has none. */
  readonly id: string;
  /** `host:port`, or the beginning of the uuid. */
  readonly label: string;
  readonly name: string | null;
  /** `geode`: an address with host, port and view; `uuid`: a plain one; `endpoint`: none but that of its packets. */
  readonly address: 'geode' | 'uuid' | 'endpoint';
  /** JGroups versions of its datagrams, to their messages. */
  readonly versions: Readonly<Record<string, number>>;
  readonly geodeOrdinal: number | null;
  readonly geodeRelease: string | null;
  readonly clusters: readonly string[];
  readonly viewId: number | null;
  readonly sent: number;
  readonly received: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface VersionReport {
  readonly version: string;
  readonly members: number;
  readonly messages: number;
}

export interface ViewReport {
  readonly at: number;
  readonly n: number;
  /** `GMS VIEW`, `Geode InstallView`, ... */
  readonly source: string;
  readonly id: number;
  readonly creator: string;
  readonly members: readonly string[];
  /** All members, of which `members` may be the first ones only. */
  readonly size: number;
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

export interface PairReport {
  readonly id: string;
  /** Labels; `to` of a multicast is where it went. */
  readonly from: string;
  readonly to: string;
  readonly kind: 'unicast' | 'group';
  readonly transport: 'udp' | 'tcp';
  /** First copies of what was sent, protocols' own messages included. */
  readonly messages: number;
  readonly bytes: number;
  /** Of these: without a seqno. */
  readonly unnumbered: number;
  readonly firstSeqno: number | null;
  readonly lastSeqno: number | null;
  /** Seqnos that did not arrive at first: asked for, or missing here and sent later. */
  readonly gaps: number;
  readonly retransmissions: number;
  /** Of these: because the recipient asked. */
  readonly answered: number;
  readonly duplicates: number;
  readonly overtaken: number;
  /** Acknowledged, but not in the capture. */
  readonly notCaptured: number;
  readonly unrepaired: number;
  /** Requests for messages of this pair. */
  readonly requests: number;
  /** Who asked, to the seqnos that it asked for, repetitions included. */
  readonly askers: Readonly<Record<string, number>>;
  /** From the first sign of a gap to the copy that closed it. */
  readonly repair: Span;
  /** From the first copy of a lost message to the copy that arrived, where the capture has both. */
  readonly delay: Span;
  readonly acks: number;
  /** From a message to the acknowledgement that names it. */
  readonly ackLatency: Span;
  readonly unacknowledged: number;
  readonly connections: number;
  /** SEND_FIRST_SEQNO from the recipient. */
  readonly firstSeqnoRequests: number;
  /** From such a request to the message that begins again. */
  readonly firstRepair: Span;
  readonly closes: number;
  readonly stalls: Span & { readonly open: number };
  readonly replenishes: number;
  readonly fragmented: { readonly complete: number; readonly incomplete: number };
}

export interface IntervalReport {
  readonly messages: number;
  readonly bytes: number;
  readonly retransmissions: number;
  readonly requests: number;
  readonly errors: number;
}

export interface TimelineReport {
  readonly interval: number;
  readonly intervals: readonly IntervalReport[];
}

/**
 * `clean`: nothing to tell; `repaired`: losses, all made good; `warnings`: something else to look at; `trouble`: what
 * nothing made good; `empty`: no message at all.
 */
export type VerdictLevel = 'clean' | 'repaired' | 'warnings' | 'trouble' | 'empty';

export interface InspectReport {
  readonly file: string;
  readonly ok: boolean;
  readonly verdict: { readonly level: VerdictLevel; readonly text: string };
  /** Of the first message, or of what goes beside them, since the epoch. */
  readonly start: number | null;
  readonly duration: number;
  readonly messages: number;
  readonly bytes: number;
  readonly undecodable: number;
  /** What goes beside JGroups' messages, by name: `ping`, `locator`, ... */
  readonly beside: Readonly<Record<string, number>>;
  /** What is none of these, in words. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly versions: readonly VersionReport[];
  readonly members: readonly MemberReport[];
  readonly views: readonly ViewReport[];
  readonly pairs: readonly PairReport[];
  readonly timeline: TimelineReport;
  readonly anomalies: readonly Anomaly[];
  /** Found, but beyond what is kept. */
  readonly leftOut: {
    readonly anomalies: number;
    readonly pairs: number;
    readonly members: number;
    readonly views: number;
  };
}

export type ArrowTone = 'data' | 'repeat' | 'request' | 'ack' | 'control' | 'credit';

export interface Arrow {
  readonly at: number;
  readonly n: number;
  /** From the first party to the second. */
  readonly forward: boolean;
  readonly tone: ArrowTone;
  readonly label: string;
  /** It turned out later that it did not arrive. */
  readonly lost: boolean;
}

/** What was left out between two arrows. */
export interface Omission {
  readonly omitted: number;
}

export interface Diagram {
  /** Both pairs of it, by id. */
  readonly pairs: readonly string[];
  readonly parties: readonly [string, string];
  readonly steps: readonly (Arrow | Omission)[];
}
