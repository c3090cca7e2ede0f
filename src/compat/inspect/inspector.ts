import type { CaptureRecord, ErrorRecord, MessageRecord } from '../record.ts';
import { Anomalies, since } from './anomalies.ts';
import { header, number } from './fields.ts';
import { learnSender, learnView } from './learn.ts';
import { MAX_NAMES } from './limits.ts';
import { type Member, Members } from './members.ts';
import * as membership from './membership.ts';
import type { Diagram, InspectReport } from './report.ts';
import { Timeline } from './timeline.ts';
import { Traffic } from './traffic.ts';
import { verdictOf } from './verdict.ts';
import { ofVersions } from './versions.ts';
import { Views } from './views.ts';
import { plain } from './words.ts';

export interface Inspection {
  readonly report: InspectReport;
  readonly diagrams: readonly Diagram[];
}

/**
 * The story of a capture, from its records in order. Memory is bounded whatever the capture holds (limits.ts).
 *
 *     const inspector = new Inspector();
 *     for (const record of records) inspector.add(record);
 *     const { report } = inspector.finish('capture.pcap', new Map());
 */
export class Inspector {
  readonly #anomalies = new Anomalies();
  readonly #members = new Members((before, now, ts, n) =>
    this.#anomalies.add(membership.ofRestart(before, now, ts, n)),
  );
  readonly #views = new Views(this.#members);
  readonly #timeline = new Timeline();
  readonly #traffic = new Traffic(this.#members, this.#anomalies, this.#timeline);
  readonly #beside = new Map<string, number>();
  readonly #unknown = new Set<string>();
  #start: number | null = null;
  #end = 0;
  #messages = 0;
  #bytes = 0;
  #undecodable = 0;

  add(record: CaptureRecord): void {
    if (this.#start === null) {
      this.#start = record.ts;
      this.#timeline.begin(record.ts);
    }
    if (record.ts > this.#end) this.#end = record.ts;
    switch (record.kind) {
      case 'message':
        this.#message(record);
        return;
      case 'raw':
        this.#beside.set(record.raw, (this.#beside.get(record.raw) ?? 0) + 1);
        return;
      case 'error':
        this.#error(record);
    }
  }

  /** To be called once. @param skipped what was none of these, in words, and how often */
  finish(file: string, skipped: ReadonlyMap<string, number>): Inspection {
    const start = this.#start ?? 0;
    this.#traffic.finish(this.#end);
    const members = this.#members.report(start);
    for (const finding of ofVersions(members, this.#end)) this.#anomalies.add(finding);
    const pairs = this.#traffic.pairs();
    const verdict = verdictOf(this.#messages, this.#anomalies.found, pairs);
    const report: InspectReport = {
      file,
      ok: verdict.level !== 'trouble' && verdict.level !== 'empty',
      verdict,
      start: this.#start,
      duration: since(Math.max(this.#end, start), start),
      messages: this.#messages,
      bytes: this.#bytes,
      undecodable: this.#undecodable,
      beside: Object.fromEntries(this.#beside),
      skipped: Object.fromEntries(skipped),
      versions: this.#members.versions(),
      members,
      views: this.#views.report(start),
      pairs,
      timeline: this.#timeline.report(),
      anomalies: this.#anomalies.list(start),
      leftOut: {
        anomalies: this.#anomalies.leftOut,
        pairs: this.#traffic.pairsLeftOut,
        members: this.#members.leftOut,
        views: this.#views.leftOut,
      },
    };
    return { report, diagrams: this.#traffic.diagrams(start) };
  }

  #message(record: MessageRecord): void {
    const { ts, n } = record;
    this.#messages++;
    this.#bytes += record.length ?? 0;
    this.#timeline.add(ts, 'messages');
    this.#timeline.add(ts, 'bytes', record.length ?? 0);
    const sender = this.#members.of(record.src, record.from, ts, n);
    if (sender === null) return;
    learnSender(sender, record, this.#members);
    this.#unknownHeader(record, sender);
    const recipient = this.#recipient(record);
    if (recipient === undefined) return;
    if (recipient !== null) recipient.received++;
    if (this.#traffic.add(record, sender, recipient)) this.#content(record, sender);
  }

  /** Null: the group. Undefined: one member too many. Our own wire has one recipient, which its frames do not name. */
  #recipient(record: MessageRecord): Member | null | undefined {
    if (record.dest === null && header(record, 'ROLLGATE') === null) return null;
    return this.#members.of(record.dest, record.to, record.ts, record.n) ?? undefined;
  }

  /** What a message says about the group. */
  #content(record: MessageRecord, sender: Member): void {
    const view = this.#views.add(record);
    if (view !== null) {
      learnView(record, this.#members);
      const gone = membership.ofView(view, record.ts, record.n);
      if (gone !== null) this.#anomalies.add(gone);
      for (const { uuid } of [...view.left, ...view.crashed]) {
        const member = uuid === null ? undefined : this.#members.byId(uuid);
        if (member !== undefined) member.goneTs = record.ts;
      }
    }
    const finding = membership.ofMessage(record, sender, this.#members);
    if (finding !== null) this.#anomalies.add(finding);
  }

  #unknownHeader(record: MessageRecord, sender: Member): void {
    const unknown = header(record, 'UNKNOWN');
    if (unknown === null) return;
    const what = `protocol ${number(unknown, 'protocolId') ?? '?'}, class ${number(unknown, 'magic') ?? '?'}`;
    if (this.#unknown.has(what) || this.#unknown.size >= MAX_NAMES) return;
    this.#unknown.add(what);
    this.#anomalies.add({
      ...{ ts: record.ts, n: record.n, severity: 'note', kind: 'unknown-header' },
      text: `${sender.label} uses a header that is not known here (${what}).`,
      meaning: 'What follows it in such messages cannot be read, and is not in these figures.',
    });
  }

  #error({ ts, n, from, to, error }: ErrorRecord): void {
    this.#undecodable++;
    this.#timeline.add(ts, 'errors');
    this.#anomalies.add({
      ...{ ts, n, severity: 'error', kind: 'undecodable' },
      text: `Frame ${n}${from === null || to === null ? '' : ` from ${from} to ${to}`} does not decode: ${error.code} in ${plain(error.field)}, byte ${error.offset}.`,
      meaning: 'It was cut or damaged, or its sender speaks something that is not known here.',
    });
  }
}
