/** What a redacted capture may still hold. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import test from 'ava';

import { CaptureReader } from '../../../codecs/pcap/index.ts';
import { Flag, type Datagram, type Header, type Message } from '../../../codecs/jgroups/message.ts';
import { decodeAnyDatagram, decodeDatagram, encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { encodeFrame, type Frame } from '../../../codecs/tcp/v1/frame.ts';
import { PREAMBLE } from '../../../codecs/tcp/v1/limits.ts';
import { PAYLOAD_REDACTOR, redactDatagram } from '../../../src/upgrade/redaction.ts';

const FIXTURES = join(import.meta.dirname, '../../../compat-fixtures');
const SECRET = Buffer.from('a secret that nobody is to see');

function single(headers: readonly Header[], payload: Buffer | null = SECRET): Datagram {
  const message: Message = {
    dest: { kind: 'uuid', uuid: '1'.repeat(32) },
    src: { kind: 'uuid', uuid: '2'.repeat(32) },
    flags: Flag.OOB,
    headers,
    payload,
  };
  return { kind: 'single', version: 0x198e, multicast: false, message };
}

const TP: Header = { protocol: 'TP', cluster: 'AG' };
const DATA: Header = { protocol: 'UNICAST3', type: 'DATA', seqno: 7, connId: 1, first: false };

function redacted(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  redactDatagram(copy);
  return copy;
}

test('a payload becomes as many zeros; all else stays', (t) => {
  const datagram = single([DATA, TP]);
  const bytes = redacted(encodeDatagram(datagram));
  t.deepEqual(bytes, encodeDatagram(single([DATA, TP], Buffer.alloc(SECRET.length))));
  const none = encodeDatagram(single([DATA, TP], null));
  t.deepEqual(redacted(none), none);
});

test('every message of a bundle is redacted', (t) => {
  const [a, b] = [single([DATA, TP]), single([DATA], Buffer.from('another secret'))];
  if (a.kind !== 'single' || b.kind !== 'single') throw new Error('no single');
  const bundle = (messages: Message[]): Buffer =>
    encodeDatagram({
      kind: 'bundle',
      version: 0x198e,
      multicast: false,
      dest: null,
      src: null,
      cluster: 'AG',
      messages,
    });
  const zeroed = [a, b].map(({ message }) => ({
    ...message,
    payload: Buffer.alloc(message.payload!.length),
  }));
  t.deepEqual(redacted(bundle([a.message, b.message])), bundle(zeroed));
});

test('requested seqnos and credits are kept, for they say nothing of the application', (t) => {
  const seqnos = Buffer.from('0102030405', 'hex');
  for (const header of [
    { protocol: 'UNICAST3', type: 'XMIT_REQ' },
    { protocol: 'UFC', type: 'REPLENISH' },
    { protocol: 'MFC', type: 'CREDIT_REQUEST' },
  ] as const) {
    const bytes = encodeDatagram(single([header, DATA, TP], seqnos));
    t.deepEqual(redacted(bytes), bytes, header.protocol);
  }
  const noCredits = encodeDatagram(single([{ protocol: 'UFC', type: 'REPLENISH' }, DATA, TP]));
  t.false(redacted(noCredits).includes(SECRET), 'credits are no longer than a long');
});

test('a token of AUTH goes, wherever it stands', (t) => {
  const token = { className: 'org.jgroups.auth.SimpleToken', value: SECRET.toString() };
  const bytes = redacted(encodeDatagram(single([{ protocol: 'AUTH', token }, TP], null)));
  t.deepEqual(bytes.subarray(0, 3), Buffer.from('198e00', 'hex'));
  t.true(bytes.subarray(3).every((byte) => byte === 0));
});

test('behind a header that is not known nothing is kept', (t) => {
  const known = encodeDatagram(single([TP]));
  const at = known.indexOf(SECRET);
  // another protocol id and class than TP's, which stand before its length, its text and the payload's length
  known.writeUInt32BE(0x7fff7fff, at - 4 - 4 - 4);
  const bytes = redacted(known);
  t.deepEqual(bytes.subarray(0, at - 8), known.subarray(0, at - 8));
  t.true(bytes.subarray(at - 8).every((byte) => byte === 0));
});

test('what is no JGroups datagram keeps its first 64 bytes', (t) => {
  const nonsense = Buffer.alloc(200, 'x');
  const bytes = redacted(nonsense);
  t.is(bytes.toString('latin1'), 'x'.repeat(64) + '\0'.repeat(136));
  t.is(redacted(Buffer.from('ping')).toString(), 'ping');
  t.is(redacted(Buffer.alloc(0)).length, 0);
});

test('any bytes: nothing throws', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (tail, jgroups) => {
      const bytes = Buffer.from(tail);
      if (jgroups && bytes.length > 2) bytes.writeUInt16BE(0x198e);
      t.is(redacted(bytes).length, bytes.length);
    }),
  );
});

test('the recorded captures: headers stay as they were, payloads go', (t) => {
  let messages = 0;
  for (const version of readdirSync(FIXTURES).filter((name) => /^[\d.]+$/.test(name))) {
    for (const scenario of readdirSync(join(FIXTURES, version))) {
      const file = join(FIXTURES, version, scenario, 'capture.pcap');
      if (!existsSync(file)) continue;
      const reader = new CaptureReader();
      for (const item of [...reader.push(readFileSync(file)), ...reader.end()]) {
        if (item.kind !== 'udp') continue;
        const before = messagesOf(item.payload);
        const after = messagesOf(redacted(item.payload));
        t.deepEqual(
          after.map(({ headers, dest, src, flags }) => ({ headers, dest, src, flags })),
          before.map(({ headers, dest, src, flags }) => ({ headers, dest, src, flags })),
        );
        t.deepEqual(
          after.map(({ payload }) => payload?.length),
          before.map(({ payload }) => payload?.length),
        );
        messages += after.length;
      }
    }
  }
  t.true(messages > 100, `${messages} messages`);
});

function messagesOf(
  bytes: Buffer,
): readonly { headers: unknown; dest: unknown; src: unknown; flags: number; payload: Uint8Array | null }[] {
  const datagram = decodeAnyDatagram(bytes);
  return datagram.kind === 'single' ? [datagram.message] : datagram.messages;
}

// --- TCP -----------------------------------------------------------------------------------------------------

const MEMBER = {
  host: '127.0.0.1',
  port: 41_000,
  uuid: 'ab'.repeat(16),
  viewId: 1,
  version: 200,
  name: 'm1',
  kind: 'normal',
  weight: 10,
  flags: 0,
} as const;

function conversation(payloads: readonly Buffer[]): Frame[] {
  return [
    {
      type: 'HELLO',
      minVersion: 1,
      maxVersion: 1,
      features: 0,
      peerKind: 1,
      cluster: 'demo',
      sender: MEMBER,
      recipientUuid: 'cd'.repeat(16),
      session: 'ef'.repeat(8),
      connId: 1,
      nextSeqno: 1,
      extensions: new Uint8Array(0),
    },
    ...payloads.flatMap((payload, index): Frame[] => [
      { type: 'DATA', seqno: index + 1, flags: 1, payload },
      { type: 'UNRELIABLE', payload },
      { type: 'ACK', seqno: index },
    ]),
    { type: 'GOODBYE', code: 1, reason: 'this member is stopping' },
  ];
}

/** Through the redactor in pieces of the given sizes, the last of which goes on. */
function throughRedactor(bytes: Buffer, fromConnector: boolean, sizes: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  const redact = PAYLOAD_REDACTOR.stream(fromConnector);
  for (let at = 0, i = 0; at < copy.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)]!;
    redact(copy.subarray(at, at + size));
    at += size;
  }
  return copy;
}

test('TCP: the payloads of DATA and UNRELIABLE become zeros, however the stream is cut', (t) => {
  const payloads = [SECRET, Buffer.alloc(0), Buffer.alloc(70_000, 's'), Buffer.from('x')];
  const zeros = payloads.map(({ length }) => Buffer.alloc(length));
  for (const fromConnector of [true, false]) {
    const preamble = fromConnector ? Buffer.from(PREAMBLE) : Buffer.alloc(0);
    const bytes = Buffer.concat([preamble, ...conversation(payloads).map(encodeFrame)]);
    const expected = Buffer.concat([preamble, ...conversation(zeros).map(encodeFrame)]);
    t.true(throughRedactor(bytes, fromConnector, [bytes.length]).equals(expected));
    t.true(throughRedactor(bytes, fromConnector, [1]).equals(expected), 'byte by byte');
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }), (sizes) =>
        throughRedactor(bytes, fromConnector, sizes).equals(expected),
      ),
    );
  }
});

test('TCP: a stream that is not ours keeps nothing from the first wrong byte on', (t) => {
  const http = Buffer.from('GET /secret HTTP/1.1\r\n');
  const cases: readonly (readonly [bytes: Buffer, fromConnector: boolean, kept: number])[] = [
    [http, true, 0],
    [Buffer.concat([Buffer.from(PREAMBLE.slice(0, 3)), http]), true, 3],
    [http, false, 3], // a length that cannot be
    [Buffer.concat([encodeFrame({ type: 'ACK', seqno: 1 }), Buffer.alloc(4), http]), false, 16],
  ];
  for (const [bytes, fromConnector, kept] of cases) {
    for (const size of [1, 1000]) {
      const redactedBytes = throughRedactor(bytes, fromConnector, [size]);
      const expected = Buffer.concat([bytes.subarray(0, kept), Buffer.alloc(bytes.length - kept)]);
      t.deepEqual(redactedBytes, expected, `${kept}`);
    }
  }
});

test('TCP: a frame of a type that is not known keeps only its type', (t) => {
  const unknown = Buffer.concat([Buffer.from('0000000b63', 'hex'), Buffer.from('secretnews')]);
  const ack = encodeFrame({ type: 'ACK', seqno: 9 });
  const bytes = throughRedactor(Buffer.concat([unknown, ack]), false, [3]);
  t.deepEqual(bytes, Buffer.concat([unknown.subarray(0, 5), Buffer.alloc(10), ack]));
});

test('a redacted datagram decodes as before', (t) => {
  t.notThrows(() => decodeDatagram(redacted(encodeDatagram(single([DATA, TP])))));
});
