/**
 * Recorded traffic of real peers: every datagram decodes with no byte left over, re-encodes to the same bytes, and
 * says what an independent decoder found in it. Beside compat-fixtures, the folders named by ROLLGATE_CAPTURES
 * (separated by colons) are read, as far as their scenarios need no header that the codec does not have yet.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { flagNames } from '../../../codecs/jgroups/message.ts';
import type { Address, Datagram, Header, Message } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { decodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { CaptureReader } from '../../../codecs/pcap/index.ts';
import type { UdpItem } from '../../../codecs/pcap/index.ts';

const FIXTURES = fileURLToPath(new URL('../../../compat-fixtures/', import.meta.url));
const SHARED_SCENARIOS = /^geode-stack-(unicast|fragment|loss|viewchange)$/;

/** A line of decoded.jsonl. */
interface Line {
  readonly t: number;
  readonly src: string;
  readonly dst: string;
  readonly len: number;
  readonly hex: string;
  readonly whole: boolean;
  readonly sha1: string;
  readonly decoded: {
    readonly ver: string;
    readonly flags: number;
    readonly dest?: string | null;
    readonly src?: string | null;
    readonly cluster?: string | null;
    readonly msgs: readonly LineMessage[];
  };
}

interface LineMessage {
  readonly lead: number;
  readonly flags: readonly string[];
  readonly dest: string | null;
  readonly src: string | null;
  /** Protocol id, class magic, protocol, and the fields in wire order. */
  readonly hdrs: readonly (readonly (number | string)[])[];
  readonly len: number | null;
  readonly body: readonly unknown[] | null;
}

function scenarioFolders(): string[] {
  const folders: string[] = [];
  for (const version of readdirSync(FIXTURES, { withFileTypes: true })) {
    // Recordings without a second opinion: test/recording. That on Geode's traffic is of another form: test/unit/geode.
    if (!version.isDirectory() || !version.name.endsWith('-decoded')) continue;
    const inside = join(FIXTURES, version.name);
    folders.push(...readdirSync(inside).map((scenario) => join(inside, scenario)));
  }
  for (const folder of (process.env['ROLLGATE_CAPTURES'] ?? '').split(':').filter((name) => name !== '')) {
    const scenarios = readdirSync(folder).filter((name) => SHARED_SCENARIOS.test(name));
    folders.push(...scenarios.map((scenario) => join(folder, scenario)));
  }
  return folders.filter((folder) => existsSync(join(folder, 'capture.pcap')));
}

function datagramsOf(folder: string): UdpItem[] {
  const reader = new CaptureReader();
  const items = [...reader.push(readFileSync(join(folder, 'capture.pcap'))), ...reader.end()];
  const errors = items.filter((item) => item.kind === 'error');
  if (errors[0] !== undefined) throw errors[0].error;
  return items.filter((item) => item.kind === 'udp');
}

function linesOf(folder: string): Line[] {
  const text = readFileSync(join(folder, 'decoded.jsonl'), 'utf8').trim();
  return text.split('\n').map((line) => JSON.parse(line) as Line);
}

function addressText(address: Address | null): string | null {
  if (address === null) return null;
  if (address.kind === 'geode') {
    return `jg:${address.host}:${address.port}/v${address.viewId}/${address.uuid}`;
  }
  return address.kind === 'uuid' ? address.uuid : `${address.host}:${address.port}`;
}

function headerLine(header: Header): (number | string | null)[] {
  switch (header.protocol) {
    case 'TP':
      return [75, 56, 'TP', header.cluster];
    case 'FRAG2':
      return [5, 7, 'FRAG2', 'frag', header.id, header.fragNo, header.numFrags];
    case 'UFC':
      return [45, 54, 'FC', header.type];
    case 'MFC':
      return [44, 54, 'FC', header.type];
    case 'FC':
      return [20, 54, 'FC', header.type];
    case 'UNICAST3':
      switch (header.type) {
        case 'DATA':
          return [64, 107, 'UNICAST3', 'DATA', header.seqno, header.connId, header.first ? 1 : 0];
        case 'ACK':
          return [64, 107, 'UNICAST3', 'ACK', header.seqno, header.connId, header.timestamp];
        case 'SEND_FIRST_SEQNO':
          return [64, 107, 'UNICAST3', 'SEND_FIRST_SEQNO', header.timestamp];
        case 'XMIT_REQ':
          return [64, 107, 'UNICAST3', 'XMIT_REQ'];
        case 'CLOSE':
          return [64, 107, 'UNICAST3', 'CLOSE', header.connId];
      }
    // falls through: every type of UNICAST3 has returned
    default:
      throw new Error(`a header that this test knows nothing of: ${header.protocol}`);
  }
}

/** What is said of the payload, for those that JGroups itself writes. */
function bodyOf(message: Message): unknown[] | null {
  const { payload } = message;
  if (payload === null) return null;
  for (const header of message.headers) {
    if (header.protocol === 'UNICAST3' && header.type === 'XMIT_REQ') {
      return ['seqnos', decodeSeqnoList(payload), Buffer.from(payload).readInt32BE(1)];
    }
    if (header.protocol === 'UFC') return ['credits', Number(Buffer.from(payload).readBigInt64BE(0))];
  }
  return null;
}

function messageLine(message: Message): LineMessage {
  const { dest, src, flags, headers, payload } = message;
  return {
    lead: (dest === null ? 0 : 1) | (src === null ? 0 : 2) | (payload === null ? 0 : 4),
    flags: flagNames(flags),
    dest: addressText(dest),
    src: addressText(src),
    hdrs: headers.map(headerLine) as LineMessage['hdrs'],
    len: payload === null ? null : payload.length,
    body: bodyOf(message),
  };
}

function decodedLine(datagram: Datagram): Line['decoded'] {
  const { version } = datagram;
  const ver = `${version >> 11}.${(version >> 6) & 31}.${version & 63}`;
  const multicast = datagram.multicast ? 2 : 0;
  if (datagram.kind === 'single') return { ver, flags: multicast, msgs: [messageLine(datagram.message)] };
  const { dest, src, cluster, messages } = datagram;
  return {
    ver,
    flags: multicast | 1,
    dest: addressText(dest),
    src: addressText(src),
    cluster,
    msgs: messages.map(messageLine),
  };
}

const folders = scenarioFolders();

test('there are recordings of the scenarios of the stack without multicast', (t) => {
  t.deepEqual(
    ['fragment', 'loss', 'unicast', 'viewchange'].filter(
      (name) => !folders.some((folder) => folder.endsWith(`3.6.14-decoded/${name}`)),
    ),
    [],
  );
});

for (const folder of folders) {
  const name = folder.startsWith(FIXTURES) ? folder.slice(FIXTURES.length) : basename(folder);

  test(`${name}: every datagram decodes and re-encodes to the same bytes`, (t) => {
    const datagrams = datagramsOf(folder);
    t.true(datagrams.length > 0);
    for (const { n, payload } of datagrams) {
      const again = encodeDatagram(decodeDatagram(payload));
      t.true(again.equals(payload), `frame ${n}: ${payload.toString('hex').slice(0, 300)}`);
    }
  });

  test(`${name}: an independent decoder reads the same`, (t) => {
    const datagrams = datagramsOf(folder);
    const lines = linesOf(folder);
    t.is(datagrams.length, lines.length);
    const [first] = datagrams;
    for (const [i, { n, sec, nsec, from, to, payload }] of datagrams.entries()) {
      const line = lines[i] as Line;
      t.is(from.text, line.src);
      t.is(to.text, line.dst);
      t.is(payload.length, line.len);
      t.is(createHash('sha1').update(payload).digest('hex'), line.sha1);
      t.true(
        payload.toString('hex').startsWith(line.hex) &&
          (!line.whole || payload.length * 2 === line.hex.length),
      );
      const t0 = sec - (first?.sec ?? 0) + (nsec - (first?.nsec ?? 0)) / 1e9;
      t.true(Math.abs(t0 - line.t) < 1e-6, `frame ${n} at ${t0}`);
      t.deepEqual(decodedLine(decodeDatagram(payload)), line.decoded, `frame ${n}`);
    }
  });
}
