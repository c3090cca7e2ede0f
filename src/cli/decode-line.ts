import type { Digest } from '../../codecs/jgroups/message.ts';
import type { CaptureRecord, ErrorRecord, MessageRecord, RecordHeader } from '../compat/record.ts';
import { plainValue } from '../compat/record-values.ts';
import { brief, briefFields, briefSeqnos, harmless } from './capture-text.ts';
import { formatCount } from './format.ts';
import type { Style } from './style.ts';

/**
 * Records as lines for people:
 *
 *     0.012345  192.0.2.1:41000 > 192.0.2.2:41000  AG  OOB|NO_FC  UNICAST3 DATA #12 conn 0 first  100 B  ViewAck viewId 1
 */
export class DecodeLines {
  readonly #style: Style;
  readonly #absolute: boolean;
  #firstSec: number | null = null;
  #firstNsec = 0;
  #fromWidth = 0;
  #toWidth = 0;

  /** @param absolute times of day instead of seconds since the first record */
  constructor(style: Style, absolute: boolean) {
    this.#style = style;
    this.#absolute = absolute;
  }

  /** To be called with every record, also those that are not shown: it tells what time zero is. */
  start(record: CaptureRecord): void {
    if (this.#firstSec !== null) return;
    this.#firstSec = record.sec ?? Math.floor(record.ts);
    this.#firstNsec = record.nsec ?? 0;
  }

  /** Without the line's end. */
  line(record: CaptureRecord): string {
    this.start(record);
    const { paint } = this.#style;
    return `${paint('dim', this.#time(record))}  ${this.#ends(record)}  ${this.#text(record)}`;
  }

  #time(record: CaptureRecord): string {
    const sec = record.sec ?? Math.floor(record.ts);
    const nsec = record.nsec ?? Math.round((record.ts - sec) * 1e9);
    const nanoseconds = nsec % 1000 !== 0;
    if (this.#absolute) {
      // what a file holds may be beyond all dates
      const day = new Date(sec * 1000).toISOString().slice(0, 19);
      return `${day}.${fraction(nsec, nanoseconds)}Z`;
    }
    let seconds = sec - (this.#firstSec ?? sec);
    let rest = nsec - this.#firstNsec;
    if (rest < 0) {
      rest += 1e9;
      seconds--;
    }
    // a clock that was set back: -0.25 is a second before zero and 0.75 after it
    if (seconds < 0 && rest > 0) return `-${-seconds - 1}.${fraction(1e9 - rest, nanoseconds)}`.padStart(11);
    return `${seconds}.${fraction(rest, nanoseconds)}`.padStart(11);
  }

  #ends({ from, to }: CaptureRecord): string {
    const [left, right] = [from ?? '?', to ?? '?'];
    this.#fromWidth = Math.max(this.#fromWidth, left.length);
    this.#toWidth = Math.max(this.#toWidth, right.length);
    return `${left.padEnd(this.#fromWidth)} > ${right.padEnd(this.#toWidth)}`;
  }

  #text(record: CaptureRecord): string {
    switch (record.kind) {
      case 'message':
        return this.#message(record);
      case 'raw':
        return this.#joined(
          this.#style.paint('bold', record.raw),
          bytes(record.length),
          this.#style.paint('cyan', geodeText(record.geode)),
        );
      case 'error':
        return this.#style.paint('red', errorText(record));
    }
  }

  #message(record: MessageRecord): string {
    const { paint } = this.#style;
    const headers = record.headers.map((header) => headerText(header, record)).filter((text) => text !== '');
    return this.#joined(
      paint('green', record.cluster === null ? '-' : harmless(record.cluster)),
      paint('dim', record.flags.join('|')),
      paint('bold', headers.join(', ')),
      record.length === null ? '' : bytes(record.length),
      paint('cyan', geodeText(record.geode)),
    );
  }

  #joined(...columns: readonly string[]): string {
    return columns.filter((column) => column !== '').join('  ');
  }
}

function fraction(nsec: number, nanoseconds: boolean): string {
  const digits = String(1e9 + nsec).slice(1);
  return nanoseconds ? digits : digits.slice(0, 6);
}

function bytes(length: number): string {
  return `${formatCount(length)} B`;
}

function errorText({ error }: ErrorRecord): string {
  return `does not decode: ${error.code} at byte ${error.offset} (${error.field})`;
}

/** '' for a header that says no more than the cluster. */
function headerText(header: RecordHeader, record: MessageRecord): string {
  const { protocol, type } = header;
  const name = type === undefined ? protocol : `${protocol} ${type}`;
  switch (protocol) {
    case 'TP':
      return '';
    case 'FRAG2':
      return `FRAG2 ${brief(header['id'])} part ${Number(header['fragNo']) + 1}/${brief(header['numFrags'])}`;
    case 'UNKNOWN':
      return (
        `header of protocol ${brief(header['protocolId'])}, class ${brief(header['magic'])} is unknown: ` +
        `${bytes(Number(header['opaque']))} opaque`
      );
    case 'UNICAST3':
    case 'UNICAST':
      return joined(name, seqnoText(header), connectionText(header), payloadText(header, record));
    default:
      return joined(
        name,
        seqnoText(header),
        briefFields(header, ['protocol', 'type', 'seqno']),
        payloadText(header, record),
      );
  }
}

function joined(...words: readonly string[]): string {
  return words.filter((word) => word !== '').join(' ');
}

function seqnoText({ seqno }: RecordHeader): string {
  return typeof seqno === 'number' ? `#${seqno}` : '';
}

function connectionText({ connId, first, timestamp }: RecordHeader): string {
  return joined(
    connId === undefined ? '' : `conn ${brief(connId)}`,
    first === true ? 'first' : '',
    timestamp === undefined ? '' : `ts ${brief(timestamp)}`,
  );
}

/** What the header's own protocol wrote into the payload. */
function payloadText(header: RecordHeader, record: MessageRecord): string {
  if (record.length === null || !mayOwnPayload(header)) return '';
  const payload = plainValue(record.payload ?? null) as MessageRecord['payload'] | null;
  switch (payload?.kind) {
    case undefined:
      return '';
    case 'credits':
      return `${formatCount(payload.credits)} credits`;
    case 'seqnos':
      return `of ${briefSeqnos(payload.seqnos)}`;
    case 'digest':
      return digestText(payload.digest);
    case 'ping-data':
      return payload.data === null ? '' : briefFields(payload.data);
    case 'join-rsp': {
      const { view = null, failReason = null } = payload.rsp ?? {};
      return briefFields({ view, refused: failReason });
    }
    case 'view-and-digest':
      return joined(briefFields({ view: payload.view }), digestText(payload.digest));
    case 'members':
    case 'view-id':
    case 'view':
    case 'sock-cache':
      return briefFields(payload, ['kind']);
  }
}

/** How far each member got: delivered, and received if that is more. */
function digestText(digest: Digest | null): string {
  if (digest === null) return '';
  const pairs = digest.seqnos.map(({ highestDelivered, highestReceived }) =>
    highestReceived > highestDelivered ? `${highestDelivered}/${highestReceived}` : String(highestDelivered),
  );
  return `delivered ${brief(pairs)}`;
}

/** Data of the application goes under these as well, and with them another protocol's own. */
function mayOwnPayload({ protocol, type }: RecordHeader): boolean {
  switch (protocol) {
    case 'UNICAST3':
    case 'NAKACK2':
      return type === 'XMIT_REQ';
    case 'UNICAST':
    case 'NAKACK':
    case 'FRAG2':
    case 'ROLLGATE':
      return false;
    default:
      return true;
  }
}

function geodeText(geode: MessageRecord['geode']): string {
  if (geode === undefined) return '';
  const { class: name, type, probe, fields, encrypted, length, ok } = geode;
  if (probe !== undefined) return brief(probe);
  const words = [type, name].filter((word) => word !== undefined).map(brief);
  if (encrypted === true) return joined(...words, 'encrypted', bytes(Number(length)));
  if (typeof ok === 'boolean') words.push(ok ? 'yes' : 'no');
  if (typeof fields === 'object' && fields !== null) words.push(briefFields(fields));
  else if (name === undefined) words.push(briefFields(geode, ['type', 'ok']));
  return joined(...words);
}
