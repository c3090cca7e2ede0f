import type { CaptureRecord, MessageRecord, RecordAddress, RecordHeader } from './record.ts';

/**
 * Records as lines of JSON. It is what `JSON.stringify` would give, several times as fast: names, addresses and
 * flags come again and again, and their text is remembered by the object.
 */
export class RecordJson {
  readonly #texts = new WeakMap<object, string>();
  #cluster: string | null = null;
  #clusterText = 'null';
  #sec = -1;
  #secText = '';

  /** Without a line's end. */
  line(record: CaptureRecord): string {
    switch (record.kind) {
      case 'message':
        return this.#message(record);
      case 'raw': {
        const { raw, length, geode } = record;
        return `${this.#start(record)},"raw":"${raw}","length":${length}${rest('geode', geode)}}`;
      }
      case 'error':
        return `${this.#start(record)},"error":${JSON.stringify(record.error)}}`;
    }
  }

  #start(record: CaptureRecord): string {
    // ports and IP literals need no escapes
    const { n, transport, from, to } = record;
    let text = `{"n":${n},"ts":${this.#time(record)}`;
    if (transport !== null) text += `,"transport":"${transport}"`;
    if (from !== null) text += `,"from":"${from}"`;
    if (to !== null) text += `,"to":"${to}"`;
    return text;
  }

  #message(record: MessageRecord): string {
    const { sha256, length } = record;
    let headers = '';
    for (const header of record.headers) headers += (headers === '' ? '' : ',') + this.#header(header);
    return (
      `${this.#start(record)},"version":"${record.version}","cluster":${this.#name(record.cluster)}` +
      `,"dest":${this.#address(record.dest)},"src":${this.#address(record.src)}` +
      `,"flags":${this.#remembered(record.flags)},"headers":[${headers}]` +
      `,"length":${String(length)},"sha256":${sha256 === null ? 'null' : `"${sha256}"`}` +
      `${this.#geode(record.geode)}}`
    );
  }

  #geode(geode: MessageRecord['geode']): string {
    if (geode === undefined) return '';
    let text = '';
    for (const name in geode) {
      const value = geode[name];
      const json = name === 'sender' ? this.#remembered(value as object) : JSON.stringify(value);
      text += `${text === '' ? '' : ','}"${name}":${json}`;
    }
    return `,"geode":{${text}}`;
  }

  #header(header: RecordHeader): string {
    switch (header.protocol) {
      case 'TP':
        if ('transport' in header) return JSON.stringify(header);
        return `{"protocol":"TP","cluster":${this.#name(header['cluster'] as string | null)}}`;
      case 'UNICAST3':
        if (header.type !== 'DATA') return JSON.stringify(header);
        return (
          `{"protocol":"UNICAST3","type":"DATA","seqno":${String(header['seqno'])}` +
          `,"connId":${String(header['connId'])},"first":${String(header['first'])}}`
        );
      default:
        return JSON.stringify(header);
    }
  }

  /** All digits that the file has: microseconds, or nanoseconds. */
  #time({ ts, sec, nsec }: CaptureRecord): string {
    if (sec === undefined || nsec === undefined) return String(ts);
    if (sec !== this.#sec) {
      this.#sec = sec;
      this.#secText = `${sec}.`;
    }
    if (nsec % 1000 !== 0) return this.#secText + String(1e9 + nsec).slice(1);
    return this.#secText + String(1e6 + nsec / 1000).slice(1);
  }

  #name(name: string | null): string {
    if (name !== this.#cluster) {
      this.#cluster = name;
      this.#clusterText = JSON.stringify(name);
    }
    return this.#clusterText;
  }

  #address(address: RecordAddress | null): string {
    return address === null ? 'null' : this.#remembered(address);
  }

  #remembered(value: object): string {
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    const text = JSON.stringify(value);
    this.#texts.set(value, text);
    return text;
  }
}

function rest(name: string, value: unknown): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`;
}
