import type { ReplayedMember } from './replayed-member.ts';
import { list } from './replayed-member.ts';
import type { Replies } from './reply-log.ts';

/** What the stack would have sent back, held against what the real members did. */
export interface ReplyComparison {
  /** Answers that mean the same: acks, gap requests, credits, ... */
  agree: number;
  /** Differences in timing, which no peer would mind, in words. */
  readonly differ: string[];
  /** Differences that would break a conversation. */
  readonly wrong: string[];
}

const MAX_WORDS = 50;

export function compareReplies(
  member: ReplayedMember,
  nameOf: (key: string) => string,
  into: ReplyComparison,
): void {
  const { name } = member.plan;
  const differ = (what: string): void => {
    if (into.differ.length < MAX_WORDS) into.differ.push(`${name}: ${what}`);
  };
  for (const what of member.wrong) if (into.wrong.length < MAX_WORDS) into.wrong.push(what);
  for (const peer of new Set([...member.real.to.keys(), ...member.ours.to.keys()])) {
    const words: Words = { name, peer: nameOf(peer), differ, into };
    const [real, ours] = [member.real.of(peer), member.ours.of(peer)];
    compareAcks(member, peer, real, ours, words);
    compareRequests(real, ours, words);
    compareCredits(member, peer, real, ours, words);
    compareFirstSeqno(member, peer, real, ours, words);
    compareResends(member, peer, real, words);
  }
  comparePongs(member, differ, into);
}

interface Words {
  readonly name: string;
  readonly peer: string;
  readonly differ: (what: string) => void;
  readonly into: ReplyComparison;
}

function compareAcks(member: ReplayedMember, peer: string, real: Replies, ours: Replies, words: Words): void {
  for (const [connId, seqno] of real.acks) {
    const mine = ours.acks.get(connId) ?? 0;
    if (mine >= seqno) {
      words.into.agree++;
      continue;
    }
    const most = member.model.contiguous(peer, connId);
    const what = `of ${words.peer} the real member acknowledged ${seqno}, ours ${mine}`;
    if (most === null || most < seqno) words.differ(`${what}: the capture does not show all that came`);
    else words.into.wrong.push(`${words.name}: ${what}`);
  }
}

function compareRequests(real: Replies, ours: Replies, { differ, into, peer }: Words): void {
  const onlyReal = [...real.asked].filter((seqno) => !ours.asked.has(seqno));
  const onlyOurs = [...ours.asked].filter((seqno) => !real.asked.has(seqno));
  if (real.asked.size > 0 && onlyReal.length === 0) into.agree++;
  if (onlyReal.length > 0) {
    differ(`the real member asked ${peer} again for ${list(onlyReal)}; ours had them before its tick`);
  }
  if (onlyOurs.length > 0) {
    differ(`ours asked ${peer} again for ${list(onlyOurs)}; the real member had them before its tick`);
  }
}

/** Ours may be a round ahead or behind: what matters is that the sender never runs dry. */
function compareCredits(
  member: ReplayedMember,
  key: string,
  real: Replies,
  ours: Replies,
  words: Words,
): void {
  const { differ, into, peer, name } = words;
  const { maxCredits, minThreshold } = member.plan.config;
  // the most that may be used up before a round of credits is due
  const round = maxCredits * (1 - minThreshold);
  const difference = real.replenished - ours.replenished;
  if (real.replenished + ours.replenished > 0 && Math.abs(difference) < round) into.agree++;
  else if (difference !== 0) {
    const what = `the real member gave ${peer} ${real.replenished} bytes of credit, ours ${ours.replenished}`;
    const isOwed = member.model.consumed(key) - ours.replenished > round;
    if (isOwed && difference > maxCredits) into.wrong.push(`${name}: ${what}`);
    else differ(what);
  }
  if (real.creditsAsked > 0 && ours.creditsAsked > 0) into.agree++;
  else if (real.creditsAsked !== ours.creditsAsked) {
    differ(
      `the real member asked ${peer} for credits ${times(real.creditsAsked)}, ours ${times(ours.creditsAsked)}`,
    );
  }
}

function compareFirstSeqno(
  { model }: ReplayedMember,
  key: string,
  real: Replies,
  ours: Replies,
  { differ, into, peer, name }: Words,
): void {
  const [theirs, mine] = [real.firstSeqnoAsked, ours.firstSeqnoAsked];
  if (mine === 0 && model.unopened(key) > 0) {
    into.wrong.push(`${name}: ours did not ask ${peer} for its first message, which had not come`);
  } else if (theirs > 0 && mine > 0) into.agree++;
  else if (theirs !== mine) {
    differ(`the real member asked ${peer} for its first message ${times(theirs)}, ours ${times(mine)}`);
  }
}

/** Messages that the real member sent again when asked, and ours did not. */
function compareResends(member: ReplayedMember, peer: string, real: Replies, words: Words): void {
  const unanswered = member.unanswered.get(peer);
  if (unanswered === undefined) return;
  const latest = [...real.data.values()].at(-1);
  const owed = [...unanswered].filter((seqno) => latest?.resent.has(seqno) === true);
  if (owed.length === 0) words.into.agree++;
  else
    words.into.wrong.push(`${words.name}: ${words.peer} asked for ${list(owed)} again, ours did not resend`);
}

function comparePongs(
  { real, ours }: ReplayedMember,
  differ: (what: string) => void,
  into: ReplyComparison,
): void {
  if (real.pongs > 0 && ours.pongs >= real.pongs) into.agree++;
  else if (real.pongs !== ours.pongs) {
    differ(`the real member answered a port probe ${times(real.pongs)}, ours ${times(ours.pongs)}`);
  }
}

function times(count: number): string {
  return count === 0 ? 'not at all' : count === 1 ? 'once' : `${count} times`;
}
