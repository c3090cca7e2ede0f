/** Captures as messages: what is a record, what is an error, what is skipped, and what the lines of JSON say. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Flag } from '../../../codecs/jgroups/message.ts';
import type { Header } from '../../../codecs/jgroups/message.ts';
import * as wire from '../codecs/wire-builder.ts';
import * as b from '../pcap/builder.ts';
import { A, B, data, gist, message, readRecords, readUdp, single, tp, udpFrame } from './decode-bench.ts';

const FIXTURES = fileURLToPath(new URL('../../../compat-fixtures/', import.meta.url));

function captures(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return captures(path);
    return /\.pcap(ng)?$/.test(name) ? [path] : [];
  });
}

/** A line of an independent decoder's file: a datagram, or an exchange with a locator. */
interface Opinion {
  readonly src: string;
  readonly dst: string;
  readonly decoded?: { readonly msgs?: readonly { readonly flags: string[]; readonly len: number | null }[] };
  readonly reqLen?: number;
  readonly gossip?: number;
}

/** What it says of messages and requests, and how it would say what we found. */
function opinions(capture: string): readonly Opinion[] {
  const file = join(capture, '../decoded.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Opinion);
}

function messagesOf(lines: readonly Opinion[]): string[] {
  return lines.flatMap(({ src, dst, decoded }) =>
    (decoded?.msgs ?? []).map(({ flags, len }) => `${src}>${dst} ${flags.join()} ${String(len)}`),
  );
}

const field = (value: unknown, name: string): unknown =>
  (value as Record<string, unknown> | undefined)?.[name];

const isUdpMessage = (line: Record<string, unknown>): boolean =>
  line['headers'] !== undefined && line['transport'] === 'udp';

const opinionOf = ({ from, to, flags, length }: Record<string, unknown>): string =>
  `${String(from)}>${String(to)} ${(flags as string[]).join()} ${String(length)}`;

const folders = [
  FIXTURES,
  ...(process.env['ROLLGATE_CAPTURES'] ?? '').split(':').filter((name) => name !== ''),
];

for (const file of folders.flatMap(captures)) {
  const name = file.split('/').slice(-3, -1).join('/');
  test(`${name}: everything decodes, whatever the pieces in which it is read`, (t) => {
    const bytes = readFileSync(file);
    const { json, skipped } = readRecords(bytes);
    t.true(json.length > 0);
    t.deepEqual(
      json.filter(({ error }) => error !== undefined),
      [],
    );
    t.deepEqual(
      Object.keys(skipped).filter((what) => /TCP|UDP/.test(what)),
      [],
    );
    t.deepEqual(readRecords(bytes, 1013).json, json);
    const second = opinions(file);
    if (second.some(({ decoded }) => decoded?.msgs !== undefined)) {
      t.deepEqual(json.filter(isUdpMessage).map(opinionOf), messagesOf(second));
    }
    const requests = json.filter(({ raw, geode }) => raw === 'locator' && field(geode, 'type') === 'request');
    const asked = second.filter(({ gossip }) => gossip !== undefined).map(({ reqLen }) => reqLen);
    if (asked.length > 0)
      t.deepEqual(
        requests.map(({ length }) => length),
        asked,
      );
  });
}

// --- lines -------------------------------------------------------------------------------------------------

test('a message has the keys and values of the format, in their order', (t) => {
  const payload = b.pattern(1000);
  const frame = { bytes: udpFrame(single([data(1), tp('AG')], payload)), sec: 1_700_000_000, fraction: 7 };
  const { json } = readRecords(b.pcap([b.ethernet(b.hex('00'), 0x0806), frame]));
  t.is(
    JSON.stringify(json[0]),
    JSON.stringify({
      n: 2,
      ts: 1_700_000_000.000007,
      transport: 'udp',
      from: '10.0.0.1:41000',
      to: '10.0.0.2:41001',
      version: '3.6.14',
      cluster: 'AG',
      dest: { uuid: 'ffeeddccbbaa99887766554433221100', host: null, port: null, viewId: null },
      src: { uuid: '00112233445566778899aabbccddeeff', host: '192.0.2.1', port: 41_000, viewId: 0 },
      flags: ['OOB', 'NO_FC'],
      headers: [
        { protocol: 'UNICAST3', type: 'DATA', seqno: 1, connId: 0, first: true },
        { protocol: 'TP', cluster: 'AG' },
      ],
      length: 1000,
      sha256: createHash('sha256').update(payload).digest('hex'),
    }),
  );
});

test('no payload is null, an empty one has a digest', (t) => {
  const { json } = readUdp(single([tp('AG')], null), single([tp('AG')], Buffer.alloc(0)));
  t.like(json[0], { length: null, sha256: null });
  t.like(json[1], { length: 0, sha256: createHash('sha256').digest('hex') });
});

test('times have all digits of the file', (t) => {
  const bytes = udpFrame(Buffer.from('ping'));
  const nanos = b.pcap([{ bytes, sec: 5, fraction: 123_456_789 }], { nanos: true });
  t.is(readRecords(nanos).json[0]?.['ts'], 5.123456789);
  t.is(readRecords(b.pcap([{ bytes, sec: 5, fraction: 40 }])).json[0]?.['ts'], 5.00004);
  t.is(readRecords(b.pcap([{ bytes, sec: 5 }])).json[0]?.['ts'], 5);
});

test('members that change are told apart, physical addresses have no uuid', (t) => {
  const later = { ...A, viewId: 3 };
  const physical = { kind: 'ip', host: '2001:db8::7', scopeId: 0, port: 7800 } as const;
  const { json } = readUdp(
    single([tp('c')], null),
    single([tp('c')], null, { src: later }),
    single([tp('c')], null, { dest: physical, src: { ...A, host: '' } }),
    single([tp('c')], null, { dest: null }),
  );
  t.deepEqual(
    json.map(({ src }) => field(src, 'viewId')),
    [0, 3, 0, 0],
  );
  t.deepEqual(json[2]?.['dest'], { uuid: null, host: '2001:db8::7', port: 7800, viewId: null });
  t.is(field(json[2]?.['src'], 'host'), null);
  t.is(json[3]?.['dest'], null);
});

test('the messages of a bundle have its number, ends and cluster', (t) => {
  const messages = [1, 2].map((seqno) => message([data(seqno)], b.pattern(5), { dest: null, src: null }));
  const version = wire.VERSION_3_6_20;
  const bundle = {
    kind: 'bundle',
    version,
    multicast: false,
    dest: B,
    src: A,
    cluster: 'c"\n',
    messages,
  } as const;
  const { json } = readUdp(wire.datagram(bundle));
  t.is(json.length, 2);
  for (const line of json) t.like(line, { n: 1, version: '3.6.20', cluster: 'c"\n' });
  t.deepEqual(json.map(gist), ['UNICAST3 DATA 1', 'UNICAST3 DATA 2']);
  t.like(json[1], { src: { port: 41_000 }, dest: { uuid: B.uuid } });
});

test('headers show addresses as messages do', (t) => {
  const mergeId = { initiator: B, id: 7 };
  const gms: Header = {
    protocol: 'GMS',
    type: 'MERGE_REQ',
    mbr: A,
    mergeId,
    useFlush: true,
    mergeRejected: false,
  };
  const { json } = readUdp(single([gms, tp('c')], null));
  t.deepEqual((json[0]?.['headers'] as unknown[])[0], {
    ...gms,
    mbr: { uuid: A.uuid, host: '192.0.2.1', port: 41_000, viewId: 0 },
    mergeId: { initiator: { uuid: B.uuid, host: null, port: null, viewId: null }, id: 7 },
  });
});

test('what is secret does not show', (t) => {
  const token = { className: 'org.jgroups.auth.SimpleToken', value: 'hunter2' };
  const { json } = readUdp(single([{ protocol: 'AUTH', token }, tp('c')], null));
  t.false(JSON.stringify(json).includes('hunter2'));
  t.deepEqual((json[0]?.['headers'] as unknown[])[0], {
    protocol: 'AUTH',
    token: { ...token, value: '***' },
  });
});

test('an unknown header makes the rest opaque', (t) => {
  const good = single([tp('c')], Buffer.from('payload'));
  // the id of the TP header is its last two bytes before the class, the name and the payload
  const at = good.indexOf(b.hex('004b0038'));
  const bytes = Buffer.from(good);
  bytes.writeUInt16BE(999, at);
  const { json } = readUdp(bytes, good);
  t.like(json[0], { length: null, sha256: null, cluster: null });
  t.deepEqual(json[0]?.['headers'], [
    { protocol: 'UNKNOWN', protocolId: 999, magic: 56, opaque: bytes.length - at - 4 },
  ]);
  t.is(gist(json[1] ?? {}), 'TP');
});

test("what JGroups' own protocols wrote can be asked for, a damaged payload is null", (t) => {
  const credit: Header = { protocol: 'UFC', type: 'REPLENISH' };
  const { records } = readUdp(
    single([credit, tp('c')], wire.i64(5000)),
    single([credit, tp('c')], Buffer.alloc(3)),
    single([data(1), tp('c')], wire.i64(5000)),
  );
  t.deepEqual(
    records.map((record) => (record.kind === 'message' ? record.payload : undefined)),
    [{ kind: 'credits', credits: 5000 }, null, null],
  );
});

// --- Geode -------------------------------------------------------------------------------------------------

/** Version 150, clear, from 192.0.2.1:41000 (GEODE-WIRE sections 2.2 and 3.4). */
const SENDER = 'ff0096 00 ff0096 0000 04c0000201 0000a028 00000001 0011223344556677 8899aabbccddeeff 0a';

test("Geode's payloads are named, in Geode's clusters only", (t) => {
  const fixture = readFileSync(join(FIXTURES, 'geode-1.15.1/credentials/capture.pcap'));
  const { json } = readRecords(fixture);
  const classes = new Set(json.map(({ geode }) => field(geode, 'class')));
  for (const name of ['JoinRequest', 'InstallView', 'ViewAck', 'VersionRequest'])
    t.true(classes.has(name), name);
  const joining = json.find(({ geode }) => field(geode, 'class') === 'JoinRequest');
  t.regex(JSON.stringify(joining), /"credentials":\{"[^"]+":"\*\*\*"/);
});

test('an unknown class is opaque, another application is not Geode', (t) => {
  const payload = b.hex(`${SENDER} 02 7fff 010203`);
  const { json } = readUdp(
    single([data(1), tp('AG')], payload),
    single([data(2), tp('other')], payload),
    single([data(3), tp('AG')], payload.subarray(0, 20)),
    single([data(4), tp('AG')], b.pattern(100, 0x96)),
    single([data(5), tp('AG')], Buffer.from('ping')),
    single([{ protocol: 'FRAG2', id: 1, fragNo: 0, numFrags: 2 }, data(6), tp('AG')], payload),
    single([data(7), tp('AG')], b.hex('ff0096 01 01 72 00000007 02 abcd')),
  );
  t.like(json[0]?.['geode'], { class: 'DSFID 32767', length: 6, ordinal: 150, encrypted: false });
  t.like((json[0]?.['geode'] as Record<string, unknown>)['sender'], {
    host: '192.0.2.1',
    membershipPort: 41_000,
  });
  for (const i of [1, 2, 3, 5]) t.false('geode' in (json[i] ?? {}), String(i));
  t.deepEqual(json[4]?.['geode'], { probe: 'ping' });
  t.like(json[6]?.['geode'], { encrypted: true, requestId: 7, length: 2 });
});

// --- what is no message ------------------------------------------------------------------------------------

test('ping and pong of a port are raw', (t) => {
  const { json } = readUdp(
    Buffer.from('ping'),
    Buffer.from('pong'),
    Buffer.from('pang'),
    Buffer.from('pings'),
  );
  t.deepEqual(json.map(gist), ['raw ping', 'raw pong']);
  t.deepEqual(Object.keys(json[0] ?? {}), ['n', 'ts', 'transport', 'from', 'to', 'raw', 'length']);
});

test('what is none of ours is skipped and named', (t) => {
  const query = b.hex('198e 0100 0001 0000 0000 0000 07 6578616d706c65 00 0001 0001'); // an id that JGroups has too
  const { json, skipped } = readRecords(
    b.pcap([
      b.ethernet(Buffer.alloc(28), 0x0806),
      b.ethernet(b.ipv4(Buffer.alloc(8), { protocol: 1 })),
      b.ethernet(b.ipv4(Buffer.alloc(8), { protocol: 2 })),
      b.ethernet(b.ipv4(Buffer.alloc(8), { protocol: 99 })),
      udpFrame(query, 40_000, 53),
      udpFrame(query, 53, 40_000),
      udpFrame(Buffer.from('hello, world'), 5000, 5001),
      udpFrame(Buffer.from([0x19]), 5000, 5001),
      udpFrame(Buffer.alloc(0), 5000, 5001),
      udpFrame(Buffer.from('M-SEARCH * HTTP/1.1'), 5000, 1900),
      b.ethernet(b.ipv4(b.udp(b.pattern(800)).subarray(0, 400), { more: true })),
    ]),
  );
  t.deepEqual(json, []);
  t.deepEqual(skipped, {
    'ARP frames': 1,
    'ICMP packets': 1,
    'IGMP packets': 1,
    'frames of IP protocol 99': 1,
    'DNS datagrams': 2,
    'UDP datagrams that are not JGroups': 3,
    'SSDP datagrams': 1,
    'UDP datagrams of which IP fragments are missing': 1,
  });
});

// --- errors ------------------------------------------------------------------------------------------------

test('a datagram of a known version that does not decode is an error, at its byte', (t) => {
  const good = single([data(1), tp('AG')], b.pattern(100));
  const { json } = readUdp(good.subarray(0, -1), b.join(good, Buffer.of(0)), good.subarray(0, 2), good);
  t.deepEqual(json.map(gist), [
    `ERR_TRUNCATED ${good.length - 100} message.payload`,
    `ERR_TRAILING_BYTES ${good.length} datagram`,
    'ERR_TRUNCATED 2 flags',
    'UNICAST3 DATA 1, TP',
  ]);
  t.deepEqual(Object.keys(json[0] ?? {}), ['n', 'ts', 'transport', 'from', 'to', 'error']);
  t.like(json[0], { n: 1, from: '10.0.0.1:41000', to: '10.0.0.2:41001' });
});

test('a JGroups that has no codec here is an error, a version that never was is something else', (t) => {
  const of = (version: number): Buffer => b.join(b.u16(version), b.hex('00 07 0002 02'), Buffer.alloc(30));
  const { json, skipped } = readUdp(of((4 << 11) | (2 << 6) | 30), of((5 << 11) | (4 << 6) | 8), of(7 << 11));
  t.deepEqual(json.map(gist), ['ERR_VERSION 0 version', 'ERR_VERSION 0 version']);
  t.deepEqual(skipped, { 'UDP datagrams that are not JGroups': 1 });
});

test('what the capture cut off is an error that says whose it is, if it concerns us', (t) => {
  const cutTo = (bytes: Buffer, length: number): b.Packet => ({
    bytes: bytes.subarray(0, length),
    originalLength: bytes.length,
  });
  const frame = udpFrame(single([data(1), tp('AG')], b.pattern(500)));
  const { json, skipped } = readRecords(
    b.pcap([
      cutTo(frame, 100),
      cutTo(frame, 30),
      cutTo(udpFrame(b.pattern(500), 5000, 53), 100),
      cutTo(udpFrame(b.pattern(500, 9), 5000, 5001), 100),
    ]),
  );
  t.like(json[0], { n: 1, transport: 'udp', from: '10.0.0.1:41000', error: { code: 'ERR_TRUNCATED' } });
  t.deepEqual(Object.keys(json[1] ?? {}), ['n', 'ts', 'error']);
  t.is(json.length, 2);
  t.deepEqual(skipped, { 'other packets that were cut off': 2 });
});

test('a file that ends within a record, and what is no capture', (t) => {
  const file = b.pcap([udpFrame(Buffer.from('ping')), udpFrame(Buffer.from('pong'))]);
  const { json, capture } = readRecords(file.subarray(0, -1));
  t.deepEqual(
    json.map(gist).map((text) => text.split(' ')[0]),
    ['raw', 'ERR_TRUNCATED'],
  );
  t.is(capture.frames, 1);
  t.regex(capture.failure ?? '', /record/);
  const text = readRecords(Buffer.from('{"this":"is JSON"}')).capture;
  t.is(text.frames, 0);
  t.is(text.format, null);
  t.truthy(text.failure);
  t.is(readRecords(file).capture.failure, null);
});

test('a flag without a name shows as a number', (t) => {
  const { json } = readUdp(single([tp('c')], null, { flags: Flag.OOB | 0x4000 }));
  t.deepEqual(json[0]?.['flags'], ['OOB', '0x4000']);
});
