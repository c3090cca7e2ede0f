/**
 * The numbered messages of one sender to one recipient, as the wire shows them: what was missing, who asked, what was
 * sent again and why, what was acknowledged. Memory is bounded (limits.ts): what is forgotten is counted as it stands.
 */
import { COPY_S, MAX_ASKED, MAX_MISSING, MAX_OPEN, REORDER_S } from './limits.ts';
import { SpanSum } from './span.ts';

/** A seqno that the recipient asked for. */
export interface Asked {
  readonly seqno: number;
  /** The first sign that it was missing: a hole in the capture, or the first request. */
  readonly since: number;
  /** When its first copy went out; null: that is not in the capture. */
  readonly sent: number | null;
  readonly askers: Set<string>;
  requests: number;
  answers: number;
  /** Answers after which it was asked for again. */
  answersLost: number;
  lastRequest: number;
  lastAnswer: number;
  /** An answer went out after the last request. */
  answered: boolean;
  n: number;
}

/**
 * `new`; `filled`: it was missing here; `overtaken`: the same, but only just; `answer`: sent again as was asked;
 * `resend`: sent again unasked; `duplicate`: sent again although it was acknowledged, or copied on its way.
 */
export type Copy = 'new' | 'filled' | 'overtaken' | 'answer' | 'resend' | 'duplicate';

interface Sent {
  readonly first: number;
  last: number;
}

/** How many unacknowledged messages all trackers together may remember. */
export interface Budget {
  left: number;
}

export class SeqnoTracker {
  readonly #budget: Budget;
  readonly #onSettled: (asked: Asked, repaired: boolean) => void;
  readonly #open = new Map<number, Sent>();
  readonly #missing = new Map<number, number>();
  readonly #asked = new Map<number, Asked>();
  /** The lowest seqno of this connection in the capture. */
  #low: number | null = null;
  /** What `data` called an answer last was not in the capture before: the first copy got lost earlier. */
  answerIsFirstCopy = false;
  first: number | null = null;
  highest: number | null = null;
  acked: number | null = null;
  gaps = 0;
  overtaken = 0;
  notCaptured = 0;
  unrepaired = 0;
  readonly repair = new SpanSum();
  readonly delay = new SpanSum();
  readonly ackLatency = new SpanSum();

  constructor(budget: Budget, onSettled: (asked: Asked, repaired: boolean) => void) {
    this.#budget = budget;
    this.#onSettled = onSettled;
  }

  /** Messages sent and, as far as the capture shows, not acknowledged. */
  get unacknowledged(): number {
    return this.#open.size;
  }

  data(seqno: number, ts: number): Copy {
    const asked = this.#asked.get(seqno);
    if (this.highest === null || this.#low === null || seqno > this.highest) {
      this.#advance(seqno, ts);
      return asked === undefined ? 'new' : this.#answer(asked, ts, true);
    }
    const missingSince = this.#missing.get(seqno);
    if (missingSince !== undefined) {
      this.#missing.delete(seqno);
      this.#remember(seqno, ts);
      if (asked !== undefined) return this.#answer(asked, ts, true);
      if (ts - missingSince <= REORDER_S) {
        this.gaps--;
        this.overtaken++;
        return 'overtaken';
      }
      this.repair.add(ts - missingSince);
      return 'filled';
    }
    const sent = this.#open.get(seqno);
    const sinceLast = sent === undefined ? Infinity : ts - sent.last;
    if (sent !== undefined) sent.last = ts;
    if (asked !== undefined && !(asked.answered && sinceLast < COPY_S)) return this.#answer(asked, ts, false);
    if (sinceLast < COPY_S || (this.acked !== null && seqno <= this.acked)) return 'duplicate';
    return 'resend';
  }

  /** When a message that is not acknowledged was sent first; null if that was forgotten. */
  firstSent(seqno: number): number | null {
    return this.#open.get(seqno)?.first ?? null;
  }

  /** @returns the seqnos that were not asked for before */
  ask(seqnos: readonly number[], asker: string, ts: number, n: number): number[] {
    const fresh: number[] = [];
    for (const seqno of seqnos.slice(0, MAX_ASKED)) {
      const known = this.#asked.get(seqno);
      if (known !== undefined) {
        if (known.answered) known.answersLost++;
        known.answered = false;
        known.requests++;
        known.lastRequest = ts;
        known.n = n;
        known.askers.add(asker);
        continue;
      }
      if (this.acked !== null && seqno <= this.acked) continue;
      const missingSince = this.#missing.get(seqno);
      if (missingSince === undefined) this.gaps++;
      fresh.push(seqno);
      if (this.#asked.size >= MAX_ASKED) this.#settleOldest();
      this.#asked.set(seqno, {
        seqno,
        since: missingSince ?? ts,
        sent: this.firstSent(seqno),
        askers: new Set([asker]),
        requests: 1,
        answers: 0,
        answersLost: 0,
        lastRequest: ts,
        lastAnswer: ts,
        answered: false,
        n,
      });
    }
    return fresh;
  }

  /** @returns seconds since that message was sent, if it was sent once; else null */
  ack(seqno: number, ts: number): number | null {
    if (this.acked !== null && seqno <= this.acked) return null;
    this.acked = seqno;
    const sent = this.#open.get(seqno);
    const latency = sent !== undefined && sent.first === sent.last ? ts - sent.first : null;
    if (latency !== null) this.ackLatency.add(latency);
    for (const open of this.#open.keys()) if (open <= seqno) this.#forget(open);
    for (const [missing] of this.#missing) {
      if (missing > seqno) continue;
      this.#missing.delete(missing);
      if (this.#asked.has(missing)) continue;
      this.gaps--;
      this.notCaptured++;
    }
    for (const asked of this.#asked.values()) if (asked.seqno <= seqno) this.#settle(asked, true);
    return latency;
  }

  /** The sender begins anew: all of the old connection is over. */
  restart(ts: number): number {
    const unacknowledged = this.#open.size;
    this.finish(ts);
    for (const seqno of this.#open.keys()) this.#forget(seqno);
    this.#low = null;
    this.highest = null;
    this.acked = null;
    return unacknowledged;
  }

  /** At the end. @param patience requests until this time would have been answered in the capture */
  finish(patience: number): void {
    for (const asked of this.#asked.values()) {
      if (asked.answered || asked.lastRequest <= patience) this.#settle(asked, asked.answered);
      else this.#asked.delete(asked.seqno);
    }
    // nobody asked for these: the recipient has them, and only the capture has not
    this.gaps -= this.#missing.size;
    this.notCaptured += this.#missing.size;
    this.#missing.clear();
  }

  #advance(seqno: number, ts: number): void {
    this.#low ??= seqno;
    this.first ??= seqno;
    if (this.highest !== null) {
      const from = this.highest + 1;
      this.gaps += seqno - from;
      const tracked = Math.min(seqno - from, Math.max(0, MAX_MISSING - this.#missing.size));
      for (let i = 0; i < tracked; i++) {
        const missing = seqno - tracked + i;
        // asked for before: it has been counted
        if (this.#asked.has(missing)) this.gaps--;
        this.#missing.set(missing, ts);
      }
    }
    this.highest = seqno;
    this.#remember(seqno, ts);
  }

  #answer(asked: Asked, ts: number, firstCopy: boolean): Copy {
    this.answerIsFirstCopy = firstCopy;
    asked.answers++;
    asked.answered = true;
    asked.lastAnswer = ts;
    return 'answer';
  }

  #settleOldest(): void {
    for (const asked of this.#asked.values()) {
      this.#settle(asked, asked.answered);
      return;
    }
  }

  #settle(asked: Asked, repaired: boolean): void {
    this.#asked.delete(asked.seqno);
    this.#missing.delete(asked.seqno);
    if (!repaired) this.unrepaired++;
    else if (asked.answers > 0) {
      this.repair.add(asked.lastAnswer - asked.since);
      if (asked.sent !== null) this.delay.add(asked.lastAnswer - asked.sent);
    }
    this.#onSettled(asked, repaired);
  }

  #remember(seqno: number, ts: number): void {
    if (this.#open.size >= MAX_OPEN || this.#budget.left <= 0) {
      const { value, done } = this.#open.keys().next();
      if (done === true) return;
      this.#forget(value);
    }
    this.#budget.left--;
    this.#open.set(seqno, { first: ts, last: ts });
  }

  #forget(seqno: number): void {
    if (this.#open.delete(seqno)) this.#budget.left++;
  }
}
