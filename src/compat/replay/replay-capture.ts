import { formatVersion } from '../../../codecs/jgroups/version.ts';
import type { CapturedDatagram } from './captured-datagrams.ts';
import { DatagramReader } from './captured-datagrams.ts';
import { compareReplies, type ReplyComparison } from './compare-replies.ts';
import { type Faults, FaultyWorld } from './faulty-world.ts';
import { faultResult } from './fault-verdict.ts';
import { messageId } from './fingerprint.ts';
import { leaversOf, planReplay, type ReplayPlan } from './plan.ts';
import { parseTruth } from './read-truth.ts';
import type { ReplayedMember } from './replayed-member.ts';
import { isOrdered } from './replayed-member.ts';
import { ReplayRun } from './replay-run.ts';
import type { CaptureResult, FaultResult } from './result.ts';
import { CaptureScan } from './scan.ts';
import type { Truth } from './truth.ts';

export interface CaptureSource {
  readonly name: string;
  /** The bytes of the capture file, from the beginning each time: it is read twice. */
  open(): AsyncIterable<Uint8Array>;
  /** What its `truth.jsonl` says; null: there is none. */
  readonly truth: string | null;
}

/** The file is no capture, or its truth is not what it should be. */
export class UnreadableCaptureError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'UnreadableCaptureError';
  }
}

/**
 * Reads a capture through the codec and the production stack.
 * @throws {UnreadableCaptureError} for what is no capture file
 * @throws {TruthError} for a truth.jsonl that cannot be read
 */
export async function replayCapture(source: CaptureSource, faults: Faults | null): Promise<CaptureResult> {
  const truth = source.truth === null ? null : parseTruth(source.truth);
  const scan = new CaptureScan(truth?.peers ?? [], truth?.drops ?? []);
  const reader = await read(source, (captured) => scan.take(captured));
  const problems = decodingProblems(scan, reader);
  const notes = notesOf(scan);
  const plan = planReplay(scan, truth);
  const reason = reasonAgainst(scan, plan);
  const base = {
    name: source.name,
    datagrams: scan.datagrams,
    messages: scan.messages,
    undecodable: scan.undecodable,
    reencodedIdentical: scan.reencodedIdentical,
  };
  if (reason !== null) {
    const ok = problems.length === 0;
    return { ...base, ...NOTHING, ok, replay: 'decode-only', reason, problems, notes };
  }
  const { dropped, unmatched } = scan.drops.match();
  if (unmatched > 0) notes.push(`${unmatched} datagrams that were thrown away are not in the capture`);
  const world =
    faults === null
      ? null
      : new FaultyWorld(
          plan.members,
          leaversOf(scan, truth, plan.storyEndMs),
          plan.storyEndMs,
          faults,
          scan.messages,
        );
  const run = new ReplayRun(plan, dropped, scan.begun, world);
  if (truth !== null) expectDeliveries(run.members, truth);
  await read(source, (captured) => run.take(captured));
  run.end();
  if (run.adopted > 0) {
    notes.push(`${run.adopted} conversations began before the capture; they were taken up where it begins`);
  }
  if (run.untold > 0) notes.push(`${run.untold} views are in the logs only, and were taken from there`);
  const sums = sumOf(run.members, plan, truth, problems);
  const replies = repliesOf(run.members, plan);
  problems.push(...replies.wrong);
  const fault = world === null ? null : faultResult(world.finish());
  if (fault?.ok === false) problems.push(fault.verdict);
  return {
    ...base,
    ...sums,
    ok: problems.length === 0,
    ...kindOf(plan, truth),
    replies,
    ...faultPart(fault),
    problems,
    notes,
  };
}

const NOTHING = { delivered: 0, expected: 0, missing: 0, extra: 0, outOfOrder: 0 };

async function read(
  source: CaptureSource,
  take: (captured: CapturedDatagram) => void,
): Promise<DatagramReader> {
  const reader = new DatagramReader();
  for await (const chunk of source.open()) for (const captured of reader.push(chunk)) take(captured);
  for (const captured of reader.end()) take(captured);
  if (reader.format === null) {
    throw new UnreadableCaptureError(`${source.name}: this is no capture file (pcap or pcapng)`);
  }
  return reader;
}

function decodingProblems(scan: CaptureScan, reader: DatagramReader): string[] {
  const problems: string[] = [];
  if (scan.datagrams === 0) problems.push('there is nothing in it to check');
  const different = scan.datagrams - scan.undecodable - scan.reencodedIdentical;
  if (scan.undecodable > 0) problems.push(`${scan.undecodable} datagrams do not decode`);
  if (different > 0) problems.push(`${different} datagrams encode to other bytes than they had`);
  problems.push(...scan.errors);
  if (reader.broken > 0) {
    problems.push(`the capture file is damaged, or was cut off, in ${reader.broken} places`);
    problems.push(...reader.complaints);
  }
  return problems;
}

function notesOf(scan: CaptureScan): string[] {
  const notes: string[] = [];
  if (scan.unknownHeaders > 0)
    notes.push(`${scan.unknownHeaders} messages have a header of an unknown class`);
  const versions = new Set([...scan.members.values()].map(({ version }) => version));
  versions.delete(null);
  const names = [...versions].map((version) => formatVersion(version as number)).sort();
  if (names.length > 0) notes.push(`senders speak JGroups ${names.join(' and ')}`);
  return notes;
}

/** Null: it can go through the stack. */
function reasonAgainst(scan: CaptureScan, plan: ReplayPlan): string | null {
  if (scan.datagrams === 0) return 'there are no JGroups datagrams in it';
  const [obstacle] = [...scan.obstacles].sort((a, b) => rank(a) - rank(b));
  if (obstacle !== undefined) return obstacle;
  if (plan.members.length === 0) return 'its members have addresses without host and port';
  return null;
}

/** What says most first. */
function rank(obstacle: string): number {
  return obstacle.includes('spoken') ? 0 : 1;
}

function expectDeliveries(members: readonly ReplayedMember[], truth: Truth): void {
  const byKey = new Map(members.map((member) => [member.key, member]));
  for (const { peer, src, toGroup, length, sha, flags } of truth.deliveries) {
    const bits = flags ?? 0;
    byKey.get(peer)?.check(src, toGroup).expect(messageId(length, sha), isOrdered(bits), false);
  }
}

function sumOf(
  members: readonly ReplayedMember[],
  { nameOf }: ReplayPlan,
  truth: Truth | null,
  problems: string[],
): typeof NOTHING {
  const sum = { ...NOTHING };
  for (const member of members) {
    for (const { src, check } of member.checks.values()) {
      const { missing, extra, outOfOrder, delivered, expected } = check.difference();
      sum.delivered += delivered;
      sum.expected += expected;
      sum.missing += missing;
      sum.extra += extra;
      sum.outOfOrder += outOfOrder;
      if (missing + extra + outOfOrder === 0) continue;
      problems.push(
        `${member.plan.name} from ${nameOf(src)}: ${missing} missing, ${extra} extra, ${outOfOrder} out of order`,
      );
    }
    const counted = truth?.counted.get(member.key) ?? 0;
    if (member.deliveredCount < counted) {
      sum.missing += counted - member.deliveredCount;
      sum.expected += counted - member.deliveredCount;
      problems.push(`${member.plan.name} counted ${counted} messages, ours ${member.deliveredCount}`);
    }
  }
  return sum;
}

function repliesOf(members: readonly ReplayedMember[], { nameOf }: ReplayPlan): ReplyComparison {
  const comparison: ReplyComparison = { agree: 0, differ: [], wrong: [] };
  for (const member of members) compareReplies(member, nameOf, comparison);
  return comparison;
}

function kindOf(plan: ReplayPlan, truth: Truth | null): Pick<CaptureResult, 'replay' | 'reason'> {
  if (!plan.selfChecked) return { replay: 'full' };
  const why = truth === null ? 'there is no truth.jsonl' : 'its truth.jsonl tells no deliveries';
  return { replay: 'self-checked', reason: `${why}; held against the rules of the wire instead` };
}

function faultPart(faults: FaultResult | null): { faults?: FaultResult } {
  return faults === null ? {} : { faults };
}
