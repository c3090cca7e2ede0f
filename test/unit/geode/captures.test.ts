/**
 * Recorded traffic of real Geode members: every payload and every locator or failure-detection connection decodes with
 * no byte left over, re-encodes to the same bytes, says what an independent decoder found in it, and agrees with what
 * the members logged. Beside compat-fixtures/geode-*, the `geode-member-*` and `geode-full-*` scenarios in the folders
 * named by ROLLGATE_CAPTURES (separated by colons) are read.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { CodecError } from '../../../codecs/bytes/errors.ts';
import {
  carriesPayload,
  decodePayload,
  describePayload,
  describeStreamMessage,
  encodeFailureDetectionRequest,
  encodeFailureDetectionResponse,
  encodeLocatorRequest,
  encodeLocatorResponse,
  encodePayload,
  GeodeStream,
  looksLikePayload,
  ORDINAL_1_15,
} from '../../../codecs/geode/index.ts';
import type { GeodePayload, StreamMessage } from '../../../codecs/geode/index.ts';
import type { Message } from '../../../codecs/jgroups/message.ts';
import { addressKey } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { CaptureReader } from '../../../codecs/pcap/index.ts';
import type { CaptureItem } from '../../../codecs/pcap/index.ts';
import { secondOpinion, sightings } from './second-opinion.ts';
import type { Line, TruthLine } from './second-opinion.ts';

const FIXTURES = fileURLToPath(new URL('../../../compat-fixtures/', import.meta.url));
const SHARED_SCENARIOS = /^geode-(member|full)-/;

function scenarioFolders(): string[] {
  const folders: string[] = [];
  for (const version of readdirSync(FIXTURES).filter((name) => name.startsWith('geode-'))) {
    folders.push(...readdirSync(join(FIXTURES, version)).map((name) => join(FIXTURES, version, name)));
  }
  for (const folder of (process.env['ROLLGATE_CAPTURES'] ?? '').split(':').filter((name) => name !== '')) {
    const scenarios = readdirSync(folder).filter((name) => SHARED_SCENARIOS.test(name));
    folders.push(...scenarios.map((scenario) => join(folder, scenario)));
  }
  return folders.filter((folder) => existsSync(join(folder, 'capture.pcap')));
}

function itemsOf(folder: string): CaptureItem[] {
  const reader = new CaptureReader();
  const items = [...reader.push(readFileSync(join(folder, 'capture.pcap'))), ...reader.end()];
  for (const item of items) if (item.kind === 'error') throw item.error;
  return items;
}

function linesOf<T>(folder: string, file: string): T[] {
  const text = readFileSync(join(folder, file), 'utf8').trim();
  return text.split('\n').map((line) => JSON.parse(line) as T);
}

/** Puts the fragments of one message together; a real receiver does no more in a capture without loss. */
class Fragments {
  readonly #parts = new Map<string, (Uint8Array | undefined)[]>();

  /** The whole payload with its last fragment, null before, and at once if it is in one piece. */
  payload(message: Message): Uint8Array | null {
    const frag = message.headers.find((header) => header.protocol === 'FRAG2');
    if (frag?.protocol !== 'FRAG2') return carriesPayload(message) ? message.payload : null;
    const key = `${message.src === null ? '' : addressKey(message.src)} ${frag.id}`;
    const parts = this.#parts.get(key) ?? Array.from({ length: frag.numFrags }, () => undefined);
    parts[frag.fragNo] = message.payload ?? undefined;
    this.#parts.set(key, parts);
    const whole = parts.filter((part) => part !== undefined);
    if (whole.length < frag.numFrags) return null;
    this.#parts.delete(key);
    return Buffer.concat(whole);
  }
}

interface SeenDatagram {
  readonly n: number;
  /** Null: a header that the codec does not know. */
  readonly payloads: readonly Uint8Array[] | null;
}

function datagramsOf(folder: string): SeenDatagram[] {
  const fragments = new Fragments();
  const seen: SeenDatagram[] = [];
  for (const item of itemsOf(folder)) {
    if (item.kind !== 'udp') continue;
    try {
      const datagram = decodeDatagram(item.payload);
      const messages = datagram.kind === 'single' ? [datagram.message] : datagram.messages;
      const payloads = messages.map((message) => fragments.payload(message)).filter((p) => p !== null);
      seen.push({ n: item.n, payloads });
    } catch (error) {
      if (!(error instanceof CodecError) || error.code !== 'ERR_UNKNOWN_HEADER') throw error;
      seen.push({ n: item.n, payloads: null });
    }
  }
  return seen;
}

interface SeenStream {
  readonly from: number;
  readonly to: number;
  readonly stream: GeodeStream;
  readonly bytes: Buffer[];
  message: StreamMessage | null;
}

/** Both directions of every TCP connection. */
function streamsOf(folder: string): SeenStream[] {
  const byId = new Map<number, SeenStream>();
  const open = new Map<string, GeodeStream>();
  for (const item of itemsOf(folder)) {
    if (item.kind !== 'tcp' && item.kind !== 'tcp-end') continue;
    const { id, from, to } = item.stream;
    let seen = byId.get(id);
    if (seen === undefined) {
      const stream = new GeodeStream(open.get(`${to.text} ${from.text}`) ?? null);
      open.set(`${from.text} ${to.text}`, stream);
      seen = { from: from.port, to: to.port, stream, bytes: [], message: null };
      byId.set(id, seen);
    }
    if (item.kind === 'tcp') seen.bytes.push(Buffer.from(item.payload));
    seen.message = (item.kind === 'tcp' ? seen.stream.push(item.payload) : seen.stream.end()) ?? seen.message;
  }
  return [...byId.values()];
}

function encodeAgain(message: StreamMessage, ordinal: number): Buffer | null {
  switch (message.type) {
    case 'locator-request':
      return encodeLocatorRequest(message);
    case 'locator-response':
      return encodeLocatorResponse(message.object, ordinal);
    case 'failure-detection-request':
      return encodeFailureDetectionRequest(message);
    case 'failure-detection-response':
      return encodeFailureDetectionResponse(message.ok);
    case 'locator-refusal':
      return null;
  }
}

const folders = scenarioFolders();

test('there are recordings of a Geode cluster', (t) => {
  for (const name of ['credentials', 'rejected']) {
    t.true(folders.some((folder) => folder.endsWith(join('geode-1.15.1', name))));
  }
});

for (const folder of folders) {
  const name = folder.startsWith(FIXTURES) ? folder.slice(FIXTURES.length) : basename(folder);
  const member = existsSync(join(folder, 'truth.jsonl'));

  test(`${name}: every payload decodes and re-encodes to the same bytes`, (t) => {
    let unknown = 0;
    const classes = new Map<string, number>();
    for (const { n, payloads } of datagramsOf(folder)) {
      if (payloads === null) unknown++;
      for (const payload of payloads ?? []) {
        const decoded = decodePayload(payload);
        t.true(encodePayload(decoded).equals(payload), `frame ${n}: ${Buffer.from(payload).toString('hex')}`);
        t.true(looksLikePayload(payload));
        const described = describePayload(decoded);
        const key = JSON.stringify(described['class'] ?? described['probe']).slice(1, -1);
        classes.set(key, (classes.get(key) ?? 0) + 1);
      }
    }
    t.log(`${unknown} datagrams with unknown headers; ${JSON.stringify(Object.fromEntries(classes))}`);
    for (const wanted of member && !name.includes('rejected')
      ? ['JoinRequest', 'ViewAck', 'Heartbeat']
      : []) {
      t.true(classes.has(wanted), wanted);
    }
  });

  test(`${name}: every locator and failure-detection connection decodes and re-encodes`, (t) => {
    const kinds = new Map<string, number>();
    for (const { stream, bytes, message } of streamsOf(folder)) {
      const kind = stream.kind ?? 'empty';
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (message === null) continue;
      const again = encodeAgain(message, ORDINAL_1_15);
      t.is(again?.toString('hex'), Buffer.concat(bytes).toString('hex'));
      t.truthy(JSON.stringify(describeStreamMessage(message)));
    }
    t.log(JSON.stringify(Object.fromEntries(kinds)));
    if (member) t.true((kinds.get('locator') ?? 0) > 0);
  });

  if (!member) continue;

  test(`${name}: an independent decoder reads the same`, (t) => {
    const lines = linesOf<Line>(folder, 'decoded.jsonl');
    const udp = lines.filter((line) => line.proto === 'udp');
    const datagrams = datagramsOf(folder);
    t.is(datagrams.length, udp.length);
    for (const [i, { n, payloads }] of datagrams.entries()) {
      const expected = (udp[i] as Line).payload;
      if (payloads === null || typeof expected === 'string') continue;
      // fragments are put together here and not there
      if (payloads.length === 0 || payloads.some((payload) => payload.length > 60_000)) continue;
      const opinions = payloads.map((payload) => secondOpinion.payload(decodePayload(payload)));
      t.deepEqual(opinions, [secondOpinion.comparable(expected)], `frame ${n}`);
    }
    const streams = streamsOf(folder);
    for (const line of lines.filter(({ proto }) => proto === 'tcp')) {
      const asked = streams.find(({ from, to }) => from === line.sp && to === line.dp);
      const answered = streams.find(({ from, to }) => from === line.dp && to === line.sp);
      t.deepEqual(
        secondOpinion.connection(asked?.message ?? null, answered?.message ?? null),
        secondOpinion.comparableConnection(line),
        `TCP from ${line.sp}`,
      );
    }
  });

  test(`${name}: members and views are those that the members logged`, (t) => {
    const truth = linesOf<TruthLine>(folder, 'truth.jsonl');
    const payloads = datagramsOf(folder).flatMap((datagram) => datagram.payloads ?? []);
    const values: (GeodePayload | StreamMessage | null)[] = payloads.map((payload) => decodePayload(payload));
    const seen = sightings([...values, ...streamsOf(folder).map(({ message }) => message)]);
    let members = 0;
    for (const { event, member: logged } of truth) {
      if (logged === undefined || (event !== 'localId' && event !== 'joinCompleted')) continue;
      const ids = seen.members.get(`${logged.uuidMsb}${logged.uuidLsb}`) ?? [];
      if (ids.length === 0) continue;
      members++;
      t.deepEqual(
        ids.filter((id) => id['viewId'] === logged.viewId),
        ids.some((id) => id['viewId'] === logged.viewId) ? [secondOpinion.truthMember(logged)] : [],
      );
    }
    let views = 0;
    for (const { event, viewId, creator, members: list, crashed } of truth) {
      if (event !== 'view' || creator === undefined || list === undefined || crashed === undefined) continue;
      const found = seen.views.get(`${viewId ?? ''} ${creator.uuidMsb}${creator.uuidLsb}`);
      if (found === undefined) continue;
      views++;
      t.deepEqual(found.members, list.map(secondOpinion.truthMember));
      t.deepEqual(found.crashed, crashed.map(secondOpinion.truthMember));
    }
    t.log(`${members} members and ${views} views compared`);
    t.true(members >= 2);
    t.true(views >= 1);
  });
}
