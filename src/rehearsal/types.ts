/** What a rehearsal is told, shows while it runs, and reports in the end. */

/** `auto`: real JVMs where they can be had, else embedded members, with a line that says why. */
export type OldPeers = 'jvm' | 'embedded' | 'auto';

export type OldVersion = '3.6.14' | '3.6.20';

export interface RehearsalOptions {
  /** Members of the cluster, 2..20. */
  readonly members: number;
  /** Messages a second that each member sends, in turn to all others. */
  readonly rate: number;
  /** Payload bytes of a message. */
  readonly size: number;
  /** Probabilities 0..1 of faults at our UDP sockets, each datagram, both directions. */
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  /** Old members die (SIGKILL) instead of leaving. */
  readonly kill: boolean;
  readonly old: OldPeers;
  readonly oldVersion: OldVersion;
  /** Of the injected faults and the order in which members are upgraded. */
  readonly seed: number;
}

export type MemberState = 'starting' | 'up' | 'leaving' | 'left' | 'killed';

/** A line of the live table. */
export interface MemberRow {
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
  /** `JGroups 3.6.14`, `embedded 3.6.14` or `rollgate`. */
  readonly version: string;
  /** What it speaks now: `UDP`, `UDP+TCP` or `TCP`. */
  readonly stack: string;
  readonly state: MemberState;
  /** By all members that had this name so far, the old one and the new: never less than before. */
  readonly sent: number;
  readonly received: number;
  /** Sent by it, not yet delivered to their recipients. */
  readonly inFlight: number;
}

export interface RehearsalProgress {
  /** What is going on, for people: `starting 4 members`, `upgrading m2 (2 of 4)`, ... */
  readonly phase: string;
  /** 0..1. */
  readonly fraction: number;
  readonly elapsedMs: number;
  readonly upgraded: number;
  readonly members: number;
  readonly bytesUdp: number;
  readonly bytesTcp: number;
  readonly rows: readonly MemberRow[];
}

/** `sent = delivered + lost + memberLeft`. */
export interface RehearsalReport {
  readonly oldPeers: 'jvm' | 'embedded';
  readonly oldVersion: OldVersion;
  readonly members: number;
  readonly sent: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Wrong checksum, length or sender. */
  readonly corrupt: number;
  /** Not delivered because the recipient, or the killed sender, was gone from the view before they were acknowledged. */
  readonly memberLeft: number;
  readonly udpRetired: boolean;
  /** Since the start of traffic; null if UDP was not retired. */
  readonly udpRetiredAtMs: number | null;
  /** Datagrams sent and received at our own sockets; what two JVMs say to each other is not seen. */
  readonly bytesUdp: number;
  readonly bytesTcp: number;
  /** From the start of traffic to its end. */
  readonly durationMs: number;
  /** The contract held: nothing lost, duplicated, reordered or corrupt, and UDP retired. */
  readonly ok: boolean;
  /** What went wrong, in words; empty if `ok`. */
  readonly problems: readonly string[];
}

export interface RehearsalEvents {
  /** A few times a second. */
  progress(progress: RehearsalProgress): void;
  /** A line for the reader: why embedded members are used, who left, when UDP was retired. */
  note(text: string): void;
}
