/** Anomalies of one pair in words: who, what, and what it means to who runs the cluster. */
import type { Finding } from './anomalies.ts';
import type { Stall } from './credits.ts';
import { FragmentTracker, type Fragmented } from './fragments.ts';
import type { Pair, Run } from './pair.ts';
import type { Asked } from './seqno-tracker.ts';
import { count, counted, duration, listed, times } from './words.ts';

/** After this long without an answer in the capture there was none: requests go out every 0.5 s. */
export const PATIENCE_S = 1.2;

/** JGroups acknowledges within one xmit_interval, 0.5 s (WIRE-3.6 section 5). */
export const SLOW_ACK_S = 2;

/** How long before the view changes a member that leaves may have stopped to answer. */
const LEAVING_S = 20;

/** A last message that was sent so often reached nobody. */
const COPIES_OF_NOTE = 3;

/** A gap that the recipient asked for more than once, or in vain. Null: it was asked for once, and answered. */
export function ofAsked(pair: Pair, asked: Asked, repaired: boolean): Finding | null {
  const { seqno, requests, answers, answersLost, lastRequest, n } = asked;
  const who = listed([...asked.askers], 3);
  const what =
    pair.kind === 'group'
      ? `group message ${seqno} of ${pair.from.label}`
      : `message ${seqno} of ${pair.from.label}`;
  const text = `${who} asked ${times(requests)} for ${what}`;
  const base = { ts: lastRequest, n, pair: pair.id };
  if (!repaired) {
    const how = answers > 0 ? `the ${ordinals(answers)} lost, and no further one came` : 'no answer came';
    return {
      ...base,
      severity: 'error',
      kind: 'never-repaired',
      text: `${text}: ${how}.`,
      meaning: `${who} holds back everything after it: ${pair.from.label} is gone, overloaded, or unreachable from there.`,
    };
  }
  if (requests < 2) return null;
  const unanswered = requests - 1 - answersLost;
  const reasons = [
    ...(answersLost > 0 ? [`the ${ordinals(answersLost)} lost`] : []),
    ...(unanswered > 0 ? [`${counted(unanswered, 'request')} went unanswered`] : []),
  ];
  return {
    ...base,
    severity: 'warning',
    kind: 'asked-again',
    text: `${text}: ${reasons.join(', ')}. It was repaired ${duration(asked.lastAnswer - asked.since)} after the first sign.`,
    meaning: `More than one datagram in a row was lost on the way: look for a full receive buffer at ${who}, or a bad link.`,
  };
}

/** `first answer was`, `first two answers were`. */
function ordinals(answers: number): string {
  if (answers === 1) return 'first answer was';
  return `first ${['', '', 'two', 'three', 'four', 'five'][answers] ?? count(answers)} answers were`;
}

/** Losses that were repaired at the first request, of a whole pair. */
export function ofLosses(pair: Pair, ts: number): Finding | null {
  const { seqnos } = pair;
  const { gaps } = seqnos;
  const base = { ...(pair.sign ?? { ts, n: 0 }), pair: pair.id, kind: 'loss' } as const;
  const unasked = pair.retransmissions - pair.answered - pair.told;
  const more =
    unasked > 0
      ? ` ${counted(unasked, 'copy', 'copies')} more went out unasked, for want of an acknowledgement.`
      : '';
  if (gaps <= 0) return unasked > 0 && pair.acks > 0 ? ofResends(pair, unasked, base) : null;
  const repair = seqnos.repair.report();
  const delay = seqnos.delay.report();
  const took =
    repair.mean === null || repair.max === null
      ? ''
      : ` Repair took ${duration(repair.mean)} on average from the first sign, ${duration(repair.max)} at most.`;
  const late = delay.max === null ? '' : ` They came up to ${duration(delay.max)} late.`;
  const share =
    pair.messages > 0
      ? ` (${((100 * gaps) / pair.messages).toFixed(gaps * 100 < pair.messages ? 2 : 1)} %)`
      : '';
  return {
    ...base,
    severity: 'warning',
    text: `${count(gaps)} of ${counted(pair.messages, 'message')}${share} from ${pair.from.label} to ${pair.toLabel} did not arrive at first; ${unrepaired(seqnos.unrepaired)}.${took}${late}${more}`,
    meaning: 'Later messages wait for a missing one, so each loss delays the pair by about a second.',
  };
}

/** The recipient never missed them: they were the last ones, or their acknowledgements got lost. */
function ofResends(pair: Pair, unasked: number, base: Pick<Finding, 'ts' | 'n' | 'pair' | 'kind'>): Finding {
  const isGone = typeof pair.to !== 'string' && pair.to.goneTs !== null;
  return {
    ...base,
    severity: isGone ? 'note' : 'warning',
    text: `${pair.from.label} sent ${counted(unasked, 'message')} to ${pair.toLabel} again, unasked, for want of an acknowledgement.`,
    meaning: isGone
      ? `${pair.toLabel} left the group meanwhile.`
      : 'The last message before a pause got lost, or the acknowledgement of it.',
  };
}

function unrepaired(value: number): string {
  return value <= 0 ? 'all were sent again' : `${count(value)} were not repaired`;
}

export function ofRun(
  pair: Pair,
  { seqno, since, copies, last, n }: Run,
  acknowledged: boolean,
): Finding | null {
  const [from, to] = [pair.from.label, pair.toLabel];
  if (copies < COPIES_OF_NOTE && acknowledged) return null;
  const text = `${from} sent its last message to ${to}, number ${seqno}, ${times(copies)} more within ${duration(last - since)}`;
  const base = { ts: since, n, pair: pair.id, kind: 'unacknowledged' } as const;
  if (acknowledged) {
    return {
      ...base,
      severity: 'warning',
      text: `${text} until it was acknowledged.`,
      meaning: `${to} was slow, or acknowledgements were lost on the way back.`,
    };
  }
  const gone = typeof pair.to === 'string' ? null : pair.to.goneTs;
  if (gone !== null && gone <= last + LEAVING_S) {
    return {
      ...base,
      severity: 'note',
      text: `${text}: it was leaving the group, and did not acknowledge it.`,
      meaning:
        'JGroups tries for some seconds to reach a member that is gone. Its last messages may not have arrived.',
    };
  }
  return {
    ...base,
    severity: copies < COPIES_OF_NOTE ? 'note' : 'error',
    text: `${text}, and it was never acknowledged in this capture.`,
    meaning: `${to} was gone, hung, or unreachable from ${from}.`,
  };
}

export function ofFirstRequest(pair: Pair, ts: number, n: number): Finding {
  const [from, to] = [pair.from.label, pair.toLabel];
  return {
    ...{ ts, n, pair: pair.id },
    severity: 'warning',
    kind: 'first-message',
    text: `${to} asked ${from} to begin again: it does not know the connection that ${from} uses.`,
    meaning: `The first message was lost, or ${to} forgot the connection. ${to} drops what ${from} sends until the oldest unacknowledged message comes again.`,
  };
}

export function ofNewConnection(
  pair: Pair,
  was: number,
  now: number,
  unacknowledged: number,
  ts: number,
  n: number,
): Finding {
  const [from, to] = [pair.from.label, pair.toLabel];
  const open =
    unacknowledged > 0 ? `, with ${counted(unacknowledged, 'message')} of the old one not acknowledged` : '';
  return {
    ...{ ts, n, pair: pair.id },
    severity: unacknowledged > 0 ? 'warning' : 'note',
    kind: 'new-connection',
    text: `${from} began a new connection to ${to} (id ${was}, then ${now})${open}.`,
    meaning: `${from} had closed the old one: ${to} was out of its view, or the connection was idle for long.`,
  };
}

export function ofClose(pair: Pair, connId: number, ts: number, n: number): Finding {
  return {
    ...{ ts, n, pair: pair.id },
    severity: 'note',
    kind: 'closed-connection',
    text: `${pair.from.label} closed its connection ${connId} to ${pair.toLabel}.`,
    meaning: 'It was idle, or its recipient left the view; the next message begins a new one.',
  };
}

export function ofStall(pair: Pair, protocol: string, stall: Stall, end: number | null): Finding {
  const [from, to] = [pair.from.label, pair.toLabel];
  const before = stall.lastSent === null ? null : stall.since - stall.lastSent;
  const blocked = before === null ? '' : ` It had sent nothing there for ${duration(before)} before.`;
  const asked = `${from} ran out of ${protocol} credits for ${to} and asked ${times(stall.requests)} for more`;
  const base = { ts: stall.since, n: stall.n, pair: pair.id, kind: 'credit-stall' } as const;
  if (end === null) {
    return {
      ...base,
      severity: 'error',
      text: `${asked}: none came in this capture.${blocked}`,
      meaning: `Every thread of ${from} that sends to ${to} is blocked: ${to} does not process its messages, or is gone.`,
    };
  }
  return {
    ...base,
    severity: 'warning',
    text: `${asked}; they came ${duration(end - stall.since)} later.${blocked}`,
    meaning: `Senders in ${from} were blocked: ${to} is slower than its senders, or credits on their way were lost.`,
  };
}

export function ofFragments(pair: Pair, message: Fragmented, ts: number): Finding | null {
  if (!FragmentTracker.isTraceable(message)) return null;
  const { id, total, seen, since, last } = message;
  const missing: number[] = [];
  for (let i = 0; i < total && missing.length < 8; i++) if (!seen.has(i)) missing.push(i + 1);
  const recent = ts - last < PATIENCE_S;
  return {
    ...{ ts: since, n: 0, pair: pair.id },
    severity: recent ? 'note' : 'error',
    kind: 'fragments',
    text:
      `Fragmented message ${id} from ${pair.from.label} to ${pair.toLabel} never became whole: ` +
      `${seen.size} of ${total} fragments (missing ${listed(missing)}).`,
    meaning: recent
      ? 'The capture ends while it is being sent.'
      : `${pair.toLabel} keeps the fragments that it has in memory, and its application never sees the message.`,
  };
}

export function ofDuplicates(pair: Pair, ts: number): Finding | null {
  if (pair.duplicates === 0) return null;
  return {
    ...{ ts, n: 0, pair: pair.id },
    severity: 'note',
    kind: 'duplicates',
    text: `${counted(pair.duplicates, 'message')} from ${pair.from.label} to ${pair.toLabel} came again although ${pair.duplicates === 1 ? 'it was' : 'they were'} not missing.`,
    meaning:
      'Acknowledgements come late or get lost, the network copies datagrams, or the capture saw them on two interfaces. Receivers drop them.',
  };
}

export function ofSlowAck(pair: Pair, latency: number, ts: number, n: number): Finding | null {
  if (latency < SLOW_ACK_S) return null;
  return {
    ...{ ts, n, pair: pair.id },
    severity: 'warning',
    kind: 'slow-ack',
    text: `${pair.toLabel} took ${duration(latency)} to acknowledge a message of ${pair.from.label}.`,
    meaning: `Usual is up to half a second. Look for long pauses (garbage collection, a suspended machine) at ${pair.toLabel}.`,
  };
}

export function ofUncaptured(pair: Pair, ts: number): Finding | null {
  const { notCaptured } = pair.seqnos;
  if (notCaptured === 0) return null;
  return {
    ...{ ts, n: 0, pair: pair.id },
    severity: 'note',
    kind: 'capture',
    text: `${counted(notCaptured, 'message')} from ${pair.from.label} to ${pair.toLabel} ${notCaptured === 1 ? 'is' : 'are'} not in the capture, but nobody missed ${notCaptured === 1 ? 'it' : 'them'}.`,
    meaning: 'The capture is incomplete (dropped by the capturing program), not the traffic.',
  };
}
