/** The TCP connections of a Geode member: locator and failure detection (GEODE-WIRE sections 5 and 5b). */
import test from 'ava';
import { CodecError } from '../../../codecs/bytes/errors.ts';
import { MAX_LOCATOR_BYTES } from '../../../codecs/bytes/limits.ts';
import {
  decodeFailureDetectionRequest,
  decodeFailureDetectionResponse,
  decodeLocatorRequest,
  decodeLocatorResponse,
  describeStreamMessage,
  encodeFailureDetectionRequest,
  encodeFailureDetectionResponse,
  encodeLocatorRequest,
  encodeLocatorResponse,
  GeodeStream,
} from '../../../codecs/geode/index.ts';
import type { LocatorObject, StreamMessage } from '../../../codecs/geode/index.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import * as wire from './geode-builder.ts';
import { M1, MESSAGES, OLD } from './values.ts';

const { hex, join, comparable } = wire;

const PACKAGE = 'com.gemstone.org.jgroups.stack.tcpserver.';
const PREAMBLE = hex('000003ea 0096');
const named = (name: string): Buffer => join(hex('2d 2b'), wire.string(PACKAGE + name));

const REQUESTS: readonly [Buffer, StreamMessage & { type: 'locator-request' }][] = [
  [
    join(hex('000003ea 0023'), named('VersionRequest')),
    { type: 'locator-request', gossipVersion: 1002, ordinal: 35, object: { type: 'VersionRequest' } },
  ],
  [
    join(hex('000003e9'), named('VersionRequest')),
    { type: 'locator-request', gossipVersion: 1001, ordinal: 35, object: { type: 'VersionRequest' } },
  ],
  ...MESSAGES.filter(({ type }) => ['FindCoordinatorRequest', 'GetViewRequest'].includes(type)).map(
    (object): [Buffer, StreamMessage & { type: 'locator-request' }] => [
      join(PREAMBLE, wire.message(object)),
      { type: 'locator-request', gossipVersion: 1002, ordinal: 150, object },
    ],
  ),
];

const RESPONSES: readonly [Buffer, LocatorObject][] = [
  [join(named('VersionResponse'), hex('0096')), { type: 'VersionResponse', ordinal: 150 }],
  [named('ShutdownResponse'), { type: 'ShutdownResponse' }],
  [
    join(named('InfoResponse'), hex('02'), wire.string('one'), wire.string(null)),
    { type: 'InfoResponse', info: ['one', null] },
  ],
  ...MESSAGES.filter(({ type }) => ['FindCoordinatorResponse', 'GetViewResponse'].includes(type)).map(
    (object): [Buffer, LocatorObject] => [wire.message(object), object],
  ),
];

const FD_REQUEST = hex('0096 00000002 fcb4860b520e361e 6f066cd14e9c9abb');
const FD_VALUE = { ordinal: 150, vmViewId: 2, uuid: '6f066cd14e9c9abbfcb4860b520e361e' };

/** Feeds a stream in pieces; the message, or null. */
function feed(stream: GeodeStream, bytes: Uint8Array, piece: number): StreamMessage | null {
  let message: StreamMessage | null = null;
  for (let at = 0; at < bytes.length; at += piece) {
    message = stream.push(bytes.subarray(at, at + piece)) ?? message;
  }
  return message;
}

test('locator requests and responses: bytes to value, value to bytes', (t) => {
  t.is((REQUESTS[0] as [Buffer, unknown])[0].length, 66);
  t.is((RESPONSES[0] as [Buffer, unknown])[0].length, 63);
  for (const [bytes, { gossipVersion, ordinal, object }] of REQUESTS) {
    const request = { gossipVersion, ordinal, object };
    t.deepEqual(comparable(decodeLocatorRequest(bytes)), comparable(request));
    t.true(encodeLocatorRequest(request).equals(bytes));
  }
  for (const [bytes, response] of RESPONSES) {
    t.deepEqual(comparable(decodeLocatorResponse(bytes)), comparable(response));
    t.true(encodeLocatorResponse(response).equals(bytes));
    for (let n = 0; n < bytes.length; n += bytes.length > 4000 ? 37 : 1) {
      const error = t.throws(() => decodeLocatorResponse(bytes.subarray(0, n)), { instanceOf: CodecError });
      t.is(error.code, 'ERR_TRUNCATED');
    }
    t.throws(() => decodeLocatorResponse(join(bytes, hex('00'))), { instanceOf: CodecError });
  }
  t.is(
    t.throws(() => decodeLocatorRequest(hex('000003eb 0096')), { instanceOf: CodecError }).code,
    'ERR_VERSION',
  );
  // to a locator before 1.0.0-incubating member ids go without uuids
  const answer = { type: 'FindCoordinatorResponse', view: null, registrants: [M1] } as const;
  const rest = { coordinator: null, sender: null, coordinatorPublicKey: null, rejection: null } as const;
  const flags = { shortForm: false, fromView: false, npdEnabled: false, preferLocators: false };
  const short = encodeLocatorResponse({ ...rest, ...flags, ...answer }, 35);
  const old = { ...M1, uuid: null, version: 150 };
  t.deepEqual(decodeLocatorResponse(short, 35), { ...rest, ...flags, ...answer, registrants: [old] });
  t.is(short.length, wire.message({ ...rest, ...flags, ...answer, registrants: [OLD] }).length + 2);
});

test('failure detection: 22 bytes, then one', (t) => {
  t.deepEqual(decodeFailureDetectionRequest(FD_REQUEST), FD_VALUE);
  t.deepEqual(encodeFailureDetectionRequest(FD_VALUE), FD_REQUEST);
  for (let n = 0; n < FD_REQUEST.length; n++) {
    t.throws(() => decodeFailureDetectionRequest(FD_REQUEST.subarray(0, n)), { instanceOf: CodecError });
  }
  t.throws(() => decodeFailureDetectionRequest(join(FD_REQUEST, hex('00'))), { instanceOf: CodecError });
  t.throws(() => encodeFailureDetectionRequest({ ...FD_VALUE, uuid: 'ab' }), { instanceOf: CodecError });
  for (const [byte, ok] of [
    ['7b', true],
    ['00', false],
  ] as const) {
    t.is(decodeFailureDetectionResponse(hex(byte)), ok);
    t.deepEqual(encodeFailureDetectionResponse(ok), hex(byte));
  }
  for (const bad of ['', '01', '7b7b']) {
    t.throws(() => decodeFailureDetectionResponse(hex(bad)), { instanceOf: CodecError });
  }
});

test('streams are known by their first bytes, however they are cut', (t) => {
  for (const piece of [1, 2, 5, 22, 1 << 20]) {
    for (const [bytes, request] of REQUESTS) {
      const stream = new GeodeStream();
      t.is(stream.kind, null);
      t.deepEqual(comparable(feed(stream, bytes, piece)), comparable(request));
      t.is(stream.kind, 'locator');
      t.is(stream.end(), null);
    }
    for (const [bytes, object] of RESPONSES) {
      const stream = new GeodeStream();
      // the longest is complete only at its end if it comes in too many pieces
      const message = feed(stream, bytes, piece) ?? stream.end();
      t.deepEqual(comparable(message), comparable({ type: 'locator-response', object }));
      t.is(stream.kind, 'locator');
    }
    const question = new GeodeStream();
    t.deepEqual(feed(question, FD_REQUEST, piece), { type: 'failure-detection-request', ...FD_VALUE });
    t.is(question.kind, 'failure-detection');
    const refusal = new GeodeStream();
    t.deepEqual(feed(refusal, Buffer.from('unknown protocol version'), piece), { type: 'locator-refusal' });
    t.is(refusal.kind, 'locator');
  }
});

test('an answer is known by what was asked', (t) => {
  for (const [byte, ok] of [
    ['7b', true],
    ['00', false],
  ] as const) {
    const question = new GeodeStream();
    const answer = new GeodeStream(question);
    feed(question, FD_REQUEST, 7);
    t.deepEqual(answer.push(hex(byte)), { type: 'failure-detection-response', ok });
    t.is(answer.kind, 'failure-detection');
  }
  const alone = new GeodeStream();
  t.is(alone.push(hex('7b')), null);
  t.deepEqual(alone.end(), { type: 'failure-detection-response', ok: true });

  // a locator has answers of many classes, and takes 35 for the version of who asks so
  const request = new GeodeStream();
  const response = new GeodeStream(request);
  const status = hex('02 086b 01');
  feed(request, join(hex('000003ea 0096'), status), 4);
  t.is(request.kind, 'locator');
  t.like(request.end(), { type: 'locator-request', object: { class: 'DSFID 2155' } });
  t.is(response.push(hex('02 086c')), null);
  t.is(response.push(hex('57 0001 61')), null);
  t.like(response.end(), { type: 'locator-response', object: { class: 'DSFID 2156' } });

  const silent = new GeodeStream(new GeodeStream());
  t.is(silent.end(), null);
  t.is(silent.kind, 'unknown');
  const asked = new GeodeStream();
  const unanswered = new GeodeStream(asked);
  asked.push((REQUESTS[0] as [Buffer, unknown])[0]);
  t.is(unanswered.end(), null);
  t.is(unanswered.kind, 'locator');
});

test('what is none of these is unknown, and costs nothing', (t) => {
  const others = [
    hex('16 0301 0200 0100'), // TLS
    hex('07000057 4C FFFF 00 07'), // the direct channel
    Buffer.from('GET / HTTP/1.1\r\n'),
    hex('00000000'),
    hex('0010 00000000'),
    hex('7b7b'),
    join(FD_REQUEST, hex('00')),
    Buffer.from('unknown protocols'),
  ];
  for (const bytes of others) {
    const stream = new GeodeStream();
    t.is(stream.push(bytes), null);
    t.is(stream.kind, 'unknown', bytes.toString('hex'));
    t.is(stream.push(Buffer.alloc(1 << 20)), null);
    t.is(stream.end(), null);
  }
});

test('errors are told once, and a stream has its limit', (t) => {
  const cut = new GeodeStream();
  t.is(cut.push(FD_REQUEST.subarray(0, 12)), null);
  t.is(t.throws(() => cut.end(), { instanceOf: CodecError }).code, 'ERR_TRUNCATED');
  t.is(cut.end(), null);

  const long = new GeodeStream();
  long.push(FD_REQUEST);
  t.is(t.throws(() => long.push(hex('00')), { instanceOf: CodecError }).code, 'ERR_TRAILING_BYTES');
  t.is(long.push(hex('00')), null);

  const bad = new GeodeStream();
  t.is(t.throws(() => bad.push(join(PREAMBLE, hex('29'))), { instanceOf: CodecError }).code, 'ERR_VALUE');
  t.is(bad.push(hex('29')), null);

  const endless = new GeodeStream();
  endless.push(join(PREAMBLE, hex('02 086b')));
  const chunk = Buffer.alloc(1 << 16);
  const flood = (): void => {
    for (let sent = 0; sent <= MAX_LOCATOR_BYTES; sent += chunk.length) endless.push(chunk);
  };
  t.is(t.throws(flood, { instanceOf: CodecError }).code, 'ERR_LIMIT');
});

test('descriptions of streams', (t) => {
  const describe = (message: StreamMessage) => describeStreamMessage(message);
  const version: StreamMessage = (REQUESTS[0] as [Buffer, StreamMessage])[1];
  t.deepEqual(describe(version), {
    ...{ kind: 'locator', type: 'request', gossipVersion: 1002, ordinal: 35 },
    ...{ class: 'VersionRequest', fields: {} },
  });
  t.deepEqual(describe({ type: 'locator-response', object: { type: 'VersionResponse', ordinal: 150 } }), {
    ...{ kind: 'locator', type: 'response', class: 'VersionResponse', fields: { ordinal: 150 } },
  });
  t.deepEqual(describe({ type: 'locator-refusal' }), { kind: 'locator', type: 'refusal' });
  const fd = { kind: 'failure-detection' };
  t.deepEqual(describe({ type: 'failure-detection-request', ...FD_VALUE }), {
    ...fd,
    type: 'request',
    ...FD_VALUE,
  });
  t.deepEqual(describe({ type: 'failure-detection-response', ok: true }), {
    ...fd,
    type: 'response',
    ok: true,
  });
});

test('damaged streams: a CodecError or a message, nothing else', (t) => {
  const rng = seededRng(20_260_103);
  const originals = [...REQUESTS, ...RESPONSES].map(([bytes]) => bytes);
  originals.push(FD_REQUEST);
  let messages = 0;
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.from(originals[i % originals.length] as Buffer);
    for (let edits = below(rng, 3); edits >= 0; edits--) {
      bytes[below(rng, Math.min(bytes.length, 200))] = below(rng, 256);
    }
    const stream = new GeodeStream();
    try {
      if ((feed(stream, bytes, 1 + below(rng, 600)) ?? stream.end()) !== null) messages++;
    } catch (error) {
      if (!(error instanceof CodecError)) t.fail(`${bytes.toString('hex')}: ${String(error)}`);
    }
  }
  t.true(messages > 50 && messages < 2000, `${messages} messages`);
});
