import type { ReplayedMember } from './replayed-member.ts';
import type { Replies } from './reply-log.ts';
import { FLOW_PROTOCOLS, type FlowProtocol } from './wire-model.ts';
import { list } from './words.ts';

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
    compareRequests(real.asked, ours.asked, '', words);
    compareRequests(real.groupAsked, ours.groupAsked, 'group message ', words);
    for (const protocol of FLOW_PROTOCOLS) compareCredits(member, peer, protocol, words);
    compareFirstSeqno(member, peer, real, ours, words);
    compareResends(member, peer, real, words);
    compareGroupResends(member, peer, real, words);
  }
  compareGroup(member, differ, into);
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

function compareRequests(
  real: ReadonlySet<number>,
  ours: ReadonlySet<number>,
  what: string,
  { differ, into, peer }: Words,
): void {
  const onlyReal = [...real].filter((seqno) => !ours.has(seqno));
  const onlyOurs = [...ours].filter((seqno) => !real.has(seqno));
  if (real.size > 0 && onlyReal.length === 0) into.agree++;
  if (onlyReal.length > 0) {
    differ(`the real member asked ${peer} again for ${what}${list(onlyReal)}; ours had them before its tick`);
  }
  if (onlyOurs.length > 0) {
    differ(`ours asked ${peer} again for ${what}${list(onlyOurs)}; the real member had them before its tick`);
  }
}

/** Ours may be a round ahead or behind: what matters is that the sender never runs dry. */
function compareCredits(member: ReplayedMember, key: string, protocol: FlowProtocol, words: Words): void {
  const { differ, into, peer, name } = words;
  const real = member.real.of(key).credits[protocol];
  const ours = member.ours.of(key).credits[protocol];
  const { maxCredits, minThreshold } = member.plan.config;
  // the most that may be used up before a round of credits is due
  const round = maxCredits * (1 - minThreshold);
  const difference = real.replenished - ours.replenished;
  const what = protocol === 'MFC' ? 'bytes of credit for group messages' : 'bytes of credit';
  if (real.replenished + ours.replenished > 0 && Math.abs(difference) < round) into.agree++;
  else if (difference !== 0) {
    const said = `the real member gave ${peer} ${real.replenished} ${what}, ours ${ours.replenished}`;
    const isOwed = member.model.consumed(key, protocol) - ours.replenished > round;
    if (isOwed && difference >= round) into.wrong.push(`${name}: ${said}`);
    else differ(said);
  }
  if (real.asked > 0 && ours.asked > 0) into.agree++;
  else if (real.asked !== ours.asked) {
    differ(`the real member asked ${peer} for ${what} ${times(real.asked)}, ours ${times(ours.asked)}`);
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
  const unanswered = member.replyChecks.unanswered.get(peer);
  if (unanswered === undefined) return;
  const latest = [...real.data.values()].at(-1);
  owe(
    [...unanswered.values()].filter((seqno) => latest?.resent.has(seqno) === true),
    '',
    words,
  );
}

function compareGroupResends(member: ReplayedMember, peer: string, real: Replies, words: Words): void {
  const unanswered = member.replyChecks.group.unanswered.get(peer);
  if (unanswered === undefined || member.isMisnumbered) return;
  const inReal = [...unanswered].map((seqno) => member.realGroupSeqno(seqno));
  owe(
    inReal.filter((seqno) => real.groupResent.has(seqno)),
    'group message ',
    words,
  );
}

function owe(seqnos: readonly number[], what: string, { name, peer, into }: Words): void {
  if (seqnos.length === 0) into.agree++;
  else into.wrong.push(`${name}: ${peer} asked for ${what}${list(seqnos)} again, ours did not resend`);
}

/** What is told to all. Gossip is at random times: that it comes at all is what counts, what it says is checked apart. */
function compareGroup(
  { real, ours }: ReplayedMember,
  differ: (what: string) => void,
  into: ReplyComparison,
): void {
  const both: [string, number, number][] = [
    ['told the group of its last message', real.group.told, ours.group.told],
    ['told the coordinator what it has', real.group.gossips, ours.group.gossips],
    ['told the group what is stable', real.group.stabilities, ours.group.stabilities],
  ];
  for (const [what, theirs, mine] of both) {
    if (theirs > 0 && mine > 0) into.agree++;
    else if (theirs > 0) differ(`the real member ${what}, ours did not`);
    else if (mine > 0) differ(`ours ${what}, the real member did not`);
  }
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
