/** All that is known of one sender and one recipient: counts, and the state from which anomalies come. */
import { CreditTracker } from './credits.ts';
import { FragmentTracker } from './fragments.ts';
import type { Member } from './members.ts';
import type { PairReport } from './report.ts';
import { MAX_NAMES } from './limits.ts';
import { type Asked, type Budget, type Copy, SeqnoTracker } from './seqno-tracker.ts';
import { SpanSum } from './span.ts';

/** Unasked copies of the sender's last message, one a tick, until it is acknowledged. */
export interface Run {
  readonly seqno: number;
  /** When it was sent first. */
  readonly since: number;
  copies: number;
  last: number;
  n: number;
}

export class Pair {
  readonly id: string;
  readonly from: Member;
  /** A member, or where a multicast went. */
  readonly to: Member | string;
  readonly kind: PairReport['kind'];
  readonly transport: PairReport['transport'];
  readonly seqnos: SeqnoTracker;
  readonly credits = new CreditTracker();
  readonly fragments = new FragmentTracker();
  readonly askers = new Map<string, number>();
  readonly firstRepair = new SpanSum();
  messages = 0;
  bytes = 0;
  unnumbered = 0;
  retransmissions = 0;
  answered = 0;
  duplicates = 0;
  requests = 0;
  acks = 0;
  connections = 0;
  connId: number | null = null;
  firstSeqnoRequests = 0;
  firstAskedAt: number | null = null;
  closes = 0;
  lastSent: number | null = null;
  run: Run | null = null;
  /** What first showed that a message got lost. */
  sign: { readonly ts: number; readonly n: number } | null = null;
  /** Unasked copies that an anomaly of their own tells of. */
  told = 0;

  constructor(
    id: string,
    from: Member,
    to: Member | string,
    kind: PairReport['kind'],
    transport: PairReport['transport'],
    budget: Budget,
    onSettled: (pair: Pair, asked: Asked, repaired: boolean) => void,
  ) {
    this.id = id;
    this.from = from;
    this.to = to;
    this.kind = kind;
    this.transport = transport;
    this.seqnos = new SeqnoTracker(budget, (asked, repaired) => onSettled(this, asked, repaired));
  }

  get toLabel(): string {
    return typeof this.to === 'string' ? this.to : this.to.label;
  }

  /** An unasked copy, which for the last message goes on until it is acknowledged. */
  resent(seqno: number, since: number, ts: number, n: number): void {
    if (seqno !== this.seqnos.highest) return;
    if (this.run?.seqno === seqno) {
      this.run.copies++;
      this.run.last = ts;
    } else {
      this.run = { seqno, since, copies: 1, last: ts, n };
    }
  }

  /** A message that begins a connection; after a request to do so it is the answer. */
  begunAgain(copy: Copy, ts: number): void {
    if (this.firstAskedAt === null || copy === 'duplicate') return;
    this.firstRepair.add(ts - this.firstAskedAt);
    this.firstAskedAt = null;
  }

  noteAsker(asker: string, seqnos: number): void {
    this.requests++;
    if (!this.askers.has(asker) && this.askers.size >= MAX_NAMES) return;
    this.askers.set(asker, (this.askers.get(asker) ?? 0) + seqnos);
  }

  report(): PairReport {
    const { seqnos, credits, fragments } = this;
    return {
      id: this.id,
      from: this.from.label,
      to: this.toLabel,
      kind: this.kind,
      transport: this.transport,
      messages: this.messages,
      bytes: this.bytes,
      unnumbered: this.unnumbered,
      firstSeqno: seqnos.first,
      lastSeqno: seqnos.highest,
      gaps: seqnos.gaps,
      retransmissions: this.retransmissions,
      answered: this.answered,
      duplicates: this.duplicates,
      overtaken: seqnos.overtaken,
      notCaptured: seqnos.notCaptured,
      unrepaired: seqnos.unrepaired,
      requests: this.requests,
      askers: Object.fromEntries(this.askers),
      repair: seqnos.repair.report(),
      delay: seqnos.delay.report(),
      acks: this.acks,
      ackLatency: seqnos.ackLatency.report(),
      unacknowledged: this.kind === 'group' ? 0 : seqnos.unacknowledged,
      connections: this.connections,
      firstSeqnoRequests: this.firstSeqnoRequests,
      firstRepair: this.firstRepair.report(),
      closes: this.closes,
      stalls: { ...credits.waits.report(), open: credits.open },
      replenishes: credits.replenishes,
      fragmented: { complete: fragments.complete, incomplete: fragments.incomplete },
    };
  }
}
