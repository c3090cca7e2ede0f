import type { Faults } from './faulty-world.ts';
import type { ReplyComparison } from './compare-replies.ts';

/** How far a capture went. */
export type ReplayKind =
  /** Through the stack, held against what the real members delivered. */
  | 'full'
  /** Through the stack, held against the rules of the wire: nobody logged what was delivered. */
  | 'self-checked'
  /** Decoded and encoded again. */
  | 'decode-only';

export interface FaultResult {
  readonly faults: Faults;
  readonly ok: boolean;
  /** Datagrams. */
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Messages. */
  readonly delivered: number;
  readonly expected: number;
  readonly missing: number;
  readonly extra: number;
  readonly outOfOrder: number;
  readonly repaired: number;
  readonly slowestRepairMs: number;
  readonly unreliableLost: number;
  /** What it means, in a sentence. */
  readonly verdict: string;
}

/** What a replay found out about one capture, field for field what `--json` prints. */
export interface CaptureResult {
  readonly name: string;
  /** JGroups datagrams, frames of its TCP transport, and Geode's raw probes. */
  readonly datagrams: number;
  readonly messages: number;
  readonly undecodable: number;
  /** Datagrams that decode and encode again to the same bytes. */
  readonly reencodedIdentical: number;
  /** Application messages, of all members together. */
  readonly delivered: number;
  readonly expected: number;
  readonly missing: number;
  readonly extra: number;
  readonly outOfOrder: number;
  readonly ok: boolean;
  readonly replay: ReplayKind;
  /** Why it is not a full one. */
  readonly reason?: string;
  readonly replies?: ReplyComparison;
  readonly faults?: FaultResult;
  /** What is wrong, in words. */
  readonly problems: readonly string[];
  /** What is worth knowing and not wrong. */
  readonly notes: readonly string[];
}

export interface UnreadableCapture {
  readonly name: string;
  readonly error: string;
}

export interface ReplayReport {
  /** All held, and all could be read. */
  readonly ok: boolean;
  readonly captures: readonly CaptureResult[];
  /** Of all captures together, if faults were asked for. */
  readonly faults?: FaultResult;
  readonly unreadable: readonly UnreadableCapture[];
}
