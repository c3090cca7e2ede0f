/**
 * Recorded traffic of real peers: every datagram decodes with no byte left over, re-encodes to the same bytes, and
 * says what an independent decoder found in it. Beside compat-fixtures, the folders named by ROLLGATE_CAPTURES
 * (separated by colons) are read; each holds folders of scenarios.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import {
  decodeAnyDatagram,
  decodeAnyPayload,
  decodeDatagram,
  encodeAnyDatagram,
  rawProbe,
} from '../../../codecs/jgroups/registry.ts';
import { TcpFrameDecoder } from '../../../codecs/jgroups/tcp-framing.ts';
import type { TcpFrameItem } from '../../../codecs/jgroups/tcp-framing.ts';
import { encodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { VERSION_2_12_2 } from '../../../codecs/jgroups/version.ts';
import { CaptureReader } from '../../../codecs/pcap/index.ts';
import type { CaptureItem, UdpItem } from '../../../codecs/pcap/index.ts';
import { asMuchAs, decodedLine, isMemberLine } from './decoded-lines.ts';
import type { DecodedLine, MemberLine } from './decoded-lines.ts';

const FIXTURES = fileURLToPath(new URL('../../../compat-fixtures/', import.meta.url));

/** A line of decoded.jsonl; not every decoder wrote all of it. */
interface Line {
  readonly t: number;
  readonly src: string;
  readonly dst: string;
  readonly len: number;
  readonly hex?: string;
  readonly whole?: boolean;
  readonly sha1?: string;
  readonly decoded: DecodedLine;
}

function scenarioFolders(): string[] {
  const folders: string[] = [];
  for (const version of readdirSync(FIXTURES, { withFileTypes: true })) {
    if (!version.isDirectory()) continue;
    const inside = join(FIXTURES, version.name);
    folders.push(...readdirSync(inside).map((scenario) => join(inside, scenario)));
  }
  for (const folder of (process.env['ROLLGATE_CAPTURES'] ?? '').split(':').filter((name) => name !== '')) {
    folders.push(...readdirSync(folder).map((scenario) => join(folder, scenario)));
  }
  return folders.filter((folder) => existsSync(join(folder, 'capture.pcap')));
}

function itemsOf(folder: string): CaptureItem[] {
  const reader = new CaptureReader();
  const items = [...reader.push(readFileSync(join(folder, 'capture.pcap'))), ...reader.end()];
  const errors = items.filter((item) => item.kind === 'error');
  if (errors[0] !== undefined) throw errors[0].error;
  return items;
}

function isUdp(item: CaptureItem): item is UdpItem {
  return item.kind === 'udp' && rawProbe(item.payload) === null;
}

function linesOf(folder: string): unknown[] {
  const file = join(folder, 'decoded.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** The datagrams of JGroups' TCP transport, and how many streams were something else. */
function framesOf(items: readonly CaptureItem[]): { frames: Buffer[]; skipped: number; foreign: number } {
  const decoders = new Map<number, TcpFrameDecoder>();
  const out: TcpFrameItem[] = [];
  for (const item of items) {
    if (item.kind !== 'tcp' && item.kind !== 'tcp-gap' && item.kind !== 'tcp-end') continue;
    const { id, fromStart } = item.stream;
    const decoder = decoders.get(id) ?? new TcpFrameDecoder({ fromStart });
    decoders.set(id, decoder);
    if (item.kind === 'tcp') out.push(...decoder.push(item.payload));
    else out.push(...(item.kind === 'tcp-gap' ? decoder.gap(item.length) : decoder.end()));
  }
  return {
    frames: out.filter((item) => item.kind === 'frame').map(({ bytes }) => bytes),
    skipped: out.filter((item) => item.kind === 'skipped').length,
    foreign: out.filter((item) => item.kind === 'foreign').length,
  };
}

function roundTrips(t: ExecutionContext, bytes: Buffer, where: string): void {
  const datagram = decodeAnyDatagram(bytes);
  t.true(encodeAnyDatagram(datagram).equals(bytes), `${where}: ${bytes.toString('hex').slice(0, 300)}`);
  const messages = datagram.kind === 'single' ? [datagram.message] : datagram.messages;
  for (const message of messages) {
    const payload = decodeAnyPayload(datagram.version, message);
    if (payload === null || payload.kind === 'seqnos' || datagram.version === VERSION_2_12_2) continue;
    t.true(encodePayload(payload).equals(message.payload ?? new Uint8Array()), `${where}: ${payload.kind}`);
  }
}

function agrees(t: ExecutionContext, datagrams: readonly UdpItem[], lines: readonly Line[]): void {
  t.is(datagrams.length, lines.length);
  const [first] = datagrams;
  for (const [i, { n, sec, nsec, from, to, payload }] of datagrams.entries()) {
    const { t: at, src, dst, len, hex, whole, sha1, decoded } = lines[i] as Line;
    t.deepEqual([from.text, to.text, payload.length], [src, dst, len]);
    if (sha1 !== undefined) t.is(createHash('sha1').update(payload).digest('hex'), sha1);
    if (hex !== undefined) t.true(payload.toString('hex').startsWith(hex));
    if (hex !== undefined && whole === true) t.is(payload.length * 2, hex.length);
    const t0 = sec - (first?.sec ?? 0) + (nsec - (first?.nsec ?? 0)) / 1e9;
    // without the bytes, a line has its time in milliseconds
    t.true(Math.abs(t0 - at) < (hex === undefined ? 1e-3 : 1e-6), `frame ${n} at ${t0}`);
    t.deepEqual(asMuchAs(decodedLine(decodeDatagram(payload)), decoded), decoded, `frame ${n}`);
  }
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
    const items = itemsOf(folder);
    const datagrams = items.filter(isUdp);
    for (const { n, payload } of datagrams) roundTrips(t, payload, `frame ${n}`);
    const { frames, skipped } = framesOf(items);
    for (const [i, frame] of frames.entries()) roundTrips(t, frame, `TCP frame ${i}`);
    t.is(skipped, 0);
    t.true(datagrams.length + frames.length > 0);
    t.log(`${datagrams.length} datagrams, ${frames.length} frames over TCP`);
  });

  const lines = linesOf(folder);
  if (lines.length === 0) continue;

  test(`${name}: an independent decoder reads the same`, (t) => {
    const datagrams = itemsOf(folder).filter(isUdp);
    if ((lines[0] as { decoded?: unknown }).decoded !== undefined) {
      agrees(t, datagrams, lines as Line[]);
      return;
    }
    // one line a message, in the order of time, but some are out of it by what their decoder had to wait for
    const rest = (lines as MemberLine[]).filter(({ proto }) => proto === 'udp');
    t.is(datagrams.length, rest.length);
    for (const { n, payload, from, to } of datagrams) {
      const datagram = decodeDatagram(payload);
      const found = rest.findIndex(
        (line) =>
          line.sp === from.port && line.dp === to.port && isMemberLine(datagram, payload.length, line),
      );
      t.true(found >= 0, `frame ${n}: ${JSON.stringify(datagram).slice(0, 300)}`);
      rest.splice(found, 1);
    }
    t.is(rest.length, 0);
  });
}
