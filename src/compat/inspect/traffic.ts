/** Follows the messages between members: reliability, credits, fragments. What it finds goes to the anomalies. */
import type { Anomalies, Finding } from './anomalies.ts';
import { Conversations } from './diagram.ts';
import { fields, header, number, text } from './fields.ts';
import * as findings from './findings.ts';
import type { Member, Members } from './members.ts';
import type { Pair } from './pair.ts';
import { Pairs } from './pairs.ts';
import type { Diagram, PairReport } from './report.ts';
import type { MessageRecord, RecordHeader } from '../record.ts';
import type { Copy } from './seqno-tracker.ts';
import { askedSeqnos, sketchOf } from './sketch.ts';
import type { Timeline } from './timeline.ts';

const FLOW_CONTROL = ['UFC', 'MFC', 'FC'] as const;

export class Traffic {
  readonly #members: Members;
  readonly #anomalies: Anomalies;
  readonly #timeline: Timeline;
  readonly #conversations = new Conversations();
  readonly #pairs: Pairs;

  constructor(members: Members, anomalies: Anomalies, timeline: Timeline) {
    this.#members = members;
    this.#anomalies = anomalies;
    this.#timeline = timeline;
    this.#pairs = new Pairs(members, (pair, asked, repaired) =>
      this.#note(findings.ofAsked(pair, asked, repaired)),
    );
  }

  get pairsLeftOut(): number {
    return this.#pairs.leftOut;
  }

  /** @returns whether it is a message that was not seen before */
  add(record: MessageRecord, sender: Member, recipient: Member | null): boolean {
    const [pair, copy] =
      recipient === null ? this.#toGroup(record, sender) : this.#toMember(record, sender, recipient);
    this.#draw(record, sender, recipient ?? pair?.to ?? null, pair, copy);
    if (copy === 'duplicate' || copy === 'resend') return false;
    if (recipient !== null) this.#credits(record, sender, recipient);
    const fragment = header(record, 'FRAG2');
    if (pair !== null && fragment !== null) {
      const [id, no, total] = ['id', 'fragNo', 'numFrags'].map((name) => number(fragment, name) ?? 0);
      pair.fragments.add(id ?? 0, no ?? 0, total ?? 0, record.ts);
    }
    return true;
  }

  /** To be called once. @param end time of the last record */
  finish(end: number): void {
    for (const pair of this.#pairs) {
      this.#endRun(pair, false);
      pair.seqnos.finish(end - findings.PATIENCE_S);
      for (const [protocol, stall] of pair.credits.pending())
        this.#note(findings.ofStall(pair, protocol, stall, null));
      for (const message of pair.fragments.pending()) this.#note(findings.ofFragments(pair, message, end));
      this.#note(findings.ofLosses(pair, end));
      this.#note(findings.ofDuplicates(pair, end));
      this.#note(findings.ofUncaptured(pair, end));
    }
  }

  pairs(): PairReport[] {
    return this.#pairs.report();
  }

  diagrams(start: number): Diagram[] {
    return this.#conversations.report(start);
  }

  #note(finding: Finding | null): void {
    if (finding !== null) this.#anomalies.add(finding);
  }

  #toMember(record: MessageRecord, sender: Member, recipient: Member): [Pair | null, Copy] {
    const nak = header(record, 'NAKACK2', 'NAKACK');
    if (nak !== null) return this.#nakToMember(record, nak, sender, recipient);
    const reliable = header(record, 'UNICAST3', 'UNICAST', 'ROLLGATE');
    const out = (): Pair | null => this.#pairs.unicast(record, sender, recipient);
    const back = (): Pair | null => this.#pairs.unicast(record, recipient, sender);
    let pair: Pair | null;
    switch (reliable?.type) {
      case 'ACK':
        pair = back();
        if (pair !== null) this.#ack(pair, record, reliable);
        return [pair, 'new'];
      case 'XMIT_REQ':
        pair = back();
        if (pair !== null) this.#ask(pair, record, sender);
        return [pair, 'new'];
      case 'SEND_FIRST_SEQNO':
        pair = back();
        if (pair !== null) this.#firstAsked(pair, record);
        return [pair, 'new'];
      case 'CLOSE':
        pair = out();
        if (pair !== null) {
          pair.closes++;
          this.#note(findings.ofClose(pair, number(reliable, 'connId') ?? -1, record.ts, record.n));
        }
        return [pair, 'new'];
      default:
        pair = out();
        return [pair, pair === null ? 'new' : this.#data(pair, record, reliable)];
    }
  }

  /** NAKACK2's requests go to the original sender, or to a member that has the message; so do its answers. */
  #nakToMember(
    record: MessageRecord,
    nak: RecordHeader,
    sender: Member,
    recipient: Member,
  ): [Pair | null, Copy] {
    if (nak.type === 'XMIT_REQ') {
      const original = this.#members.byId(text(fields(nak, 'sender'), 'uuid') ?? '') ?? recipient;
      const pair = this.#pairs.groupBetween(record, original, sender);
      if (pair !== null) this.#ask(pair, record, sender);
      return [pair, 'new'];
    }
    const pair = this.#pairs.groupBetween(record, sender, recipient);
    return [pair, pair === null ? 'new' : this.#data(pair, record, nak)];
  }

  #toGroup(record: MessageRecord, sender: Member): [Pair | null, Copy] {
    const pair = this.#pairs.group(record, sender, this.#pairs.groupOf(record));
    const nak = header(record, 'NAKACK2', 'NAKACK');
    return [pair, pair === null ? 'new' : this.#data(pair, record, nak?.type === 'MSG' ? nak : null)];
  }

  #data(pair: Pair, record: MessageRecord, numbered: RecordHeader | null): Copy {
    const { ts, n } = record;
    const seqno = number(numbered, 'seqno');
    let copy: Copy = 'new';
    if (seqno === null) {
      pair.unnumbered++;
    } else {
      this.#connection(pair, numbered, ts, n);
      copy = pair.seqnos.data(seqno, ts);
      this.#countCopy(pair, copy, record);
      if (copy === 'resend') pair.resent(seqno, pair.seqnos.firstSent(seqno) ?? ts, ts, n);
      if (numbered?.['first'] === true) pair.begunAgain(copy, ts);
    }
    if (copy === 'duplicate' || copy === 'resend' || (copy === 'answer' && !pair.seqnos.answerIsFirstCopy))
      return copy;
    pair.messages++;
    pair.bytes += record.length ?? 0;
    if (header(record, ...FLOW_CONTROL) === null) pair.lastSent = ts;
    return copy;
  }

  #countCopy(pair: Pair, copy: Copy, { ts, n }: MessageRecord): void {
    if (copy === 'duplicate') pair.duplicates++;
    if (copy !== 'answer' && copy !== 'resend' && copy !== 'filled') return;
    pair.retransmissions++;
    pair.sign ??= { ts, n };
    if (copy === 'answer') pair.answered++;
    this.#timeline.add(ts, 'retransmissions');
  }

  #connection(pair: Pair, numbered: RecordHeader | null, ts: number, n: number): void {
    const connId = number(numbered, 'connId');
    const was = pair.connId;
    if (connId === null || connId === was) return;
    if (was === null) {
      pair.connId = connId;
      pair.connections = 1;
    } else if (numbered?.['first'] === true) {
      pair.connId = connId;
      pair.connections++;
      this.#endRun(pair, false);
      const unacknowledged = pair.seqnos.restart(ts);
      this.#note(findings.ofNewConnection(pair, was, connId, unacknowledged, ts, n));
    }
  }

  #endRun(pair: Pair, acknowledged: boolean): void {
    const { run } = pair;
    if (run === null) return;
    pair.run = null;
    const finding = findings.ofRun(pair, run, acknowledged);
    if (finding !== null) pair.told += run.copies;
    this.#note(finding);
  }

  #ack(pair: Pair, { ts, n }: MessageRecord, ack: RecordHeader): void {
    const [seqno, connId] = [number(ack, 'seqno'), number(ack, 'connId')];
    if (seqno === null || (connId !== null && pair.connId !== null && connId !== pair.connId)) return;
    pair.acks++;
    const latency = pair.seqnos.ack(seqno, ts);
    if (latency !== null) this.#note(findings.ofSlowAck(pair, latency, ts, n));
    if (pair.run !== null && pair.run.seqno <= seqno) this.#endRun(pair, true);
  }

  #firstAsked(pair: Pair, { ts, n }: MessageRecord): void {
    pair.firstSeqnoRequests++;
    pair.firstAskedAt ??= ts;
    this.#timeline.add(ts, 'requests');
    this.#note(findings.ofFirstRequest(pair, ts, n));
  }

  #ask(pair: Pair, record: MessageRecord, asker: Member): void {
    const seqnos = askedSeqnos(record);
    if (seqnos.length === 0) return;
    this.#timeline.add(record.ts, 'requests');
    pair.noteAsker(asker.label, seqnos.length);
    pair.sign ??= { ts: record.ts, n: record.n };
    const there = this.#conversations.of(pair.from, pair.to);
    for (const seqno of pair.seqnos.ask(seqnos, asker.label, record.ts, record.n)) {
      there?.conversation.markLost(seqno, there.forward);
    }
  }

  #credits(record: MessageRecord, sender: Member, recipient: Member): void {
    const fc = header(record, ...FLOW_CONTROL);
    if (fc === null) return;
    const { ts, n } = record;
    if (fc.type === 'CREDIT_REQUEST') {
      const pair = this.#pairs.unicast(record, sender, recipient);
      pair?.credits.request(fc.protocol, ts, n, pair.lastSent);
      return;
    }
    const pair = this.#pairs.unicast(record, recipient, sender);
    const stall = pair?.credits.replenish(fc.protocol, ts) ?? null;
    if (pair !== null && stall !== null) this.#note(findings.ofStall(pair, fc.protocol, stall, ts));
  }

  #draw(
    record: MessageRecord,
    from: Member,
    to: Member | string | null,
    pair: Pair | null,
    copy: Copy,
  ): void {
    const there = to === null ? null : this.#conversations.of(from, to);
    if (there === null) return;
    if (pair !== null) there.conversation.pairs.add(pair.id);
    if (there.conversation.isFull) there.conversation.omit();
    else there.conversation.draw(sketchOf(record, copy), there.forward);
  }
}
