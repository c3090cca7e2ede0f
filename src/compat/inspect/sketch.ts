/** What stands on an arrow of a sequence diagram. */
import type { MessageRecord } from '../record.ts';
import type { Sketch } from './diagram.ts';
import { header, number, text } from './fields.ts';
import type { ArrowTone } from './report.ts';
import type { Copy } from './seqno-tracker.ts';
import { bytes, count, listed, plain } from './words.ts';

const RELIABILITY: readonly string[] = ['UNICAST3', 'UNICAST', 'NAKACK2', 'NAKACK', 'ROLLGATE'];
const PLUMBING: readonly string[] = [...RELIABILITY, 'TP', 'FRAG2'];
const CREDITS: readonly string[] = ['UFC', 'MFC', 'FC'];

/** A list of seqnos, or the names of a header. */
const MAX_LABEL_CHARS = 80;

export function sketchOf(record: MessageRecord, copy: Copy): Sketch {
  const repeated = copy !== 'new' && copy !== 'overtaken';
  const said = toneOf(record);
  const tone = repeated ? 'repeat' : said;
  const numbered = tone === 'data' || tone === 'repeat' || said === 'credit';
  const again = copy === 'duplicate' ? ' again' : repeated ? ' sent again' : '';
  const isView = header(record, 'GMS') !== null;
  return {
    ts: record.ts,
    n: record.n,
    tone,
    label: plain(labelOf(record), MAX_LABEL_CHARS) + again,
    seqno: numbered ? number(header(record, ...RELIABILITY), 'seqno') : null,
    notable: tone === 'repeat' || tone === 'request' || tone === 'credit' || isView,
  };
}

function labelOf(record: MessageRecord): string {
  const reliable = header(record, ...RELIABILITY);
  const seqno = number(reliable, 'seqno');
  switch (reliable?.type) {
    case 'ACK':
      return seqno === null ? 'ACK' : `ACK up to ${seqno}`;
    case 'XMIT_REQ':
      return `asks for ${listed(askedSeqnos(record), 8)}`;
    case 'SEND_FIRST_SEQNO':
      return 'asks to begin again';
    case 'CLOSE':
      return `CLOSE ${number(reliable, 'connId') ?? ''}`;
    case 'HIGHEST_SEQNO':
      return `highest is ${seqno ?? '?'}`;
    default:
      return [seqno === null ? null : `#${seqno}`, content(record)].filter((part) => part !== null).join(' ');
  }
}

function content(record: MessageRecord): string {
  const { length } = record;
  const fragment = header(record, 'FRAG2');
  const part =
    fragment === null
      ? ''
      : ` fragment ${(number(fragment, 'fragNo') ?? 0) + 1}/${number(fragment, 'numFrags') ?? '?'}`;
  const inside = record.headers.find(({ protocol }) => !PLUMBING.includes(protocol));
  const payload = inside !== undefined && CREDITS.includes(inside.protocol) ? record.payload : null;
  const credits = payload?.kind === 'credits' ? ` ${count(payload.credits)}` : '';
  if (inside !== undefined) return `${inside.protocol} ${inside.type ?? ''}${credits}${part}`.trim();
  const geode = record.geode;
  const probe = text(geode ?? null, 'probe') ?? text(geode ?? null, 'class');
  const size = length === null ? 'empty' : bytes(length);
  return `${probe ?? size}${part}`;
}

function toneOf(record: MessageRecord): ArrowTone {
  const reliable = header(record, ...RELIABILITY);
  switch (reliable?.type) {
    case 'ACK':
      return 'ack';
    case 'XMIT_REQ':
    case 'SEND_FIRST_SEQNO':
      return 'request';
    case 'XMIT_RSP':
      return 'repeat';
    case 'CLOSE':
    case 'HIGHEST_SEQNO':
      return 'control';
    default:
      if (header(record, ...CREDITS) !== null) return 'credit';
      return record.length === null ? 'control' : 'data';
  }
}

/** The seqnos that an XMIT_REQ asks for: a list in the payload, or in 2.12 a range in the header. */
export function askedSeqnos(record: MessageRecord): readonly number[] {
  const { payload } = record;
  if (payload?.kind === 'seqnos') return payload.seqnos;
  const range = header(record, 'NAKACK');
  const [low, high] = [number(range, 'low'), number(range, 'high')];
  if (low === null || high === null || high < low) return [];
  return Array.from({ length: Math.min(high - low + 1, 1024) }, (_, i) => low + i);
}
