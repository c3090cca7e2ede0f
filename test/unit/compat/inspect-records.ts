/** Hand-made records of a conversation, as a capture would show it. */
import type { ProtocolPayload } from '../../../codecs/jgroups/payload.ts';
import { type Inspection, Inspector } from '../../../src/compat/inspect/inspector.ts';
import type { Anomaly, AnomalyKind, PairReport } from '../../../src/compat/inspect/report.ts';
import type {
  CaptureRecord,
  MessageRecord,
  RecordAddress,
  RecordHeader,
} from '../../../src/compat/record.ts';

export const START = 1_700_000_000;

export type Peer = 'A' | 'B' | 'C';

const PORT: Readonly<Record<Peer, number>> = { A: 41000, B: 41001, C: 41002 };

export const label = (peer: Peer): string => `10.0.0.1:${PORT[peer]}`;

export function address(peer: Peer, uuid = peer.toLowerCase().repeat(32)): RecordAddress {
  return { uuid, host: '10.0.0.1', port: PORT[peer], viewId: 1 };
}

interface Extra {
  readonly payload?: ProtocolPayload;
  readonly length?: number | null;
  readonly version?: string;
  readonly cluster?: string;
  readonly src?: RecordAddress;
  readonly geode?: Readonly<Record<string, unknown>>;
}

/** Writes a story line by line; times are seconds from its start. */
export class Story {
  readonly records: CaptureRecord[] = [];

  message(
    at: number,
    from: Peer,
    to: Peer | null,
    headers: readonly RecordHeader[],
    extra: Extra = {},
  ): this {
    const { payload, length, version, cluster, src, geode } = extra;
    const record: MessageRecord = {
      kind: 'message',
      n: this.records.length + 1,
      ts: START + at,
      transport: 'udp',
      from: label(from),
      to: to === null ? '228.6.7.8:45588' : label(to),
      version: version ?? '3.6.14',
      cluster: cluster ?? 'AG',
      dest: to === null ? null : address(to),
      src: src ?? address(from),
      flags: [],
      headers,
      length: length === undefined ? 100 : length,
      sha256: null,
      payload: payload ?? null,
      ...(geode === undefined ? {} : { geode }),
    };
    this.records.push(record);
    return this;
  }

  data(at: number, from: Peer, to: Peer, seqno: number, more: DataOptions = {}): this {
    const { connId = 0, first = seqno === 1, above = [], ...extra } = more;
    const header = { protocol: 'UNICAST3', type: 'DATA', seqno, connId, first };
    return this.message(at, from, to, [...above, header], extra);
  }

  ack(at: number, from: Peer, to: Peer, seqno: number, connId = 0): this {
    const header = { protocol: 'UNICAST3', type: 'ACK', seqno, connId, timestamp: 1 };
    return this.message(at, from, to, [header], { length: null });
  }

  ask(at: number, from: Peer, to: Peer, ...seqnos: number[]): this {
    const header = { protocol: 'UNICAST3', type: 'XMIT_REQ' };
    return this.message(at, from, to, [header], { payload: { kind: 'seqnos', seqnos } });
  }

  credits(at: number, from: Peer, to: Peer, seqno: number, type: 'CREDIT_REQUEST' | 'REPLENISH'): this {
    const above = [{ protocol: 'UFC', type }];
    return this.data(at, from, to, seqno, { above, length: 8, payload: { kind: 'credits', credits: 1000 } });
  }

  fragment(
    at: number,
    from: Peer,
    to: Peer,
    seqno: number,
    id: number,
    fragNo: number,
    numFrags: number,
  ): this {
    return this.data(at, from, to, seqno, { above: [{ protocol: 'FRAG2', id, fragNo, numFrags }] });
  }

  group(at: number, from: Peer, to: Peer | null, seqno: number): this {
    this.message(at, from, null, [{ protocol: 'NAKACK2', type: 'MSG', seqno }]);
    // without IP multicast each member gets a datagram of its own
    if (to !== null) this.#last({ to: label(to) });
    return this;
  }

  groupAsk(at: number, from: Peer, of: Peer, ...seqnos: number[]): this {
    const header = { protocol: 'NAKACK2', type: 'XMIT_REQ', sender: address(of) };
    return this.message(at, from, of, [header], { payload: { kind: 'seqnos', seqnos } });
  }

  groupAnswer(at: number, from: Peer, to: Peer, seqno: number): this {
    return this.message(at, from, to, [{ protocol: 'NAKACK2', type: 'XMIT_RSP', seqno }]);
  }

  /** Time goes on: something harmless is said, so that nothing is cut off by the end. */
  until(at: number): this {
    return this.message(at, 'A', 'B', [{ protocol: 'TP', cluster: 'AG' }]);
  }

  inspect(): Told {
    const inspector = new Inspector();
    for (const record of this.records) inspector.add(record);
    return new Told(inspector.finish('story.pcap', new Map()));
  }

  #last(change: Partial<MessageRecord>): void {
    const last = this.records.pop() as MessageRecord;
    this.records.push({ ...last, ...change });
  }
}

interface DataOptions extends Extra {
  readonly connId?: number;
  readonly first?: boolean;
  readonly above?: readonly RecordHeader[];
}

export class Told {
  readonly inspection: Inspection;

  constructor(inspection: Inspection) {
    this.inspection = inspection;
  }

  get report(): Inspection['report'] {
    return this.inspection.report;
  }

  pair(from: Peer, to: string, kind: PairReport['kind'] = 'unicast'): PairReport {
    const wanted = to.length === 1 ? label(to as Peer) : to;
    const found = this.report.pairs.find(
      (pair) => pair.from === label(from) && pair.to === wanted && pair.kind === kind,
    );
    if (found === undefined) throw new Error(`no pair ${from} > ${to}`);
    return found;
  }

  all(kind: AnomalyKind): readonly Anomaly[] {
    return this.report.anomalies.filter((anomaly) => anomaly.kind === kind);
  }

  one(kind: AnomalyKind): Anomaly {
    const [found, ...others] = this.all(kind);
    if (found === undefined || others.length > 0) {
      throw new Error(`${others.length + (found === undefined ? 0 : 1)} of ${kind}`);
    }
    return found;
  }
}
