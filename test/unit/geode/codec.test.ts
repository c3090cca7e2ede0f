/** Geode's payloads and messages held against the wire reference (GEODE-WIRE sections 1-4, 7, 9). */
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { CodecError } from '../../../codecs/bytes/errors.ts';
import type { CodecErrorCode } from '../../../codecs/bytes/errors.ts';
import { MAX_ADDRESSES, MAX_MEMBER_GROUPS, MAX_PROPERTIES } from '../../../codecs/bytes/limits.ts';
import { ByteReader } from '../../../codecs/bytes/reader.ts';
import {
  carriesPayload,
  decodeObject,
  decodePayload,
  describePayload,
  encodeObject,
  encodePayload,
  looksLikePayload,
  objectSize,
  payloadSize,
  releaseOf,
} from '../../../codecs/geode/index.ts';
import type { GeodeMemberId, GeodeObject, GeodePayload } from '../../../codecs/geode/index.ts';
import { readString } from '../../../codecs/geode/strings.ts';
import type { Header, Message } from '../../../codecs/jgroups/message.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import * as wire from './geode-builder.ts';
import { LOCATOR, M1, MESSAGES, ODD, OLD, SENDER } from './values.ts';

const { hex, join, comparable } = wire;

const SEED = 20_260_102;
const MUTATIONS = 6000;

function rejects(
  t: ExecutionContext,
  decode: (bytes: Buffer) => unknown,
  bytes: Buffer,
  code?: CodecErrorCode,
): void {
  const error = t.throws(() => decode(bytes), { instanceOf: CodecError }, bytes.toString('hex').slice(0, 80));
  if (code !== undefined) t.is(error.code, code, error.message);
  t.true(error.offset >= 0 && error.offset <= bytes.length, `offset ${error.offset} of ${bytes.length}`);
  t.not(error.field, '');
}

/** What is opaque has no length of its own, so that a byte more or less of it is no error. */
function hasEnd(object: GeodeObject): boolean {
  if (object.type === 'opaque') return false;
  return !('credentials' in object) || object.credentials?.kind !== 'opaque';
}

function decodesOrRefuses(bytes: Buffer): boolean {
  try {
    return encodeObject(decodeObject(bytes)).equals(bytes);
  } catch (error) {
    return error instanceof CodecError;
  }
}

for (const [i, value] of MESSAGES.entries()) {
  const name = `message ${i}, ${value.type}`;
  const bytes = wire.message(value);

  test(`${name}: bytes to value, value to bytes`, (t) => {
    t.deepEqual(comparable(decodeObject(bytes)), comparable(value));
    t.is(encodeObject(value).toString('hex'), bytes.toString('hex'));
    t.is(objectSize(value), bytes.length);
  });

  test(`${name}: truncated anywhere it is an error, and so is a byte too many`, (t) => {
    // the larger ones hold the same bytes over and over
    const step = bytes.length > 4000 ? 37 : 1;
    for (let length = 0; length < bytes.length; length += step) {
      const cut = bytes.subarray(0, length);
      if (hasEnd(value)) rejects(t, decodeObject, cut);
      else t.true(decodesOrRefuses(cut));
    }
    if (hasEnd(value)) rejects(t, decodeObject, join(bytes, hex('00')), 'ERR_TRAILING_BYTES');
  });
}

test('the member id of GEODE-WIRE section 2.3', (t) => {
  const body = hex(`04 7F000001  0000A08C  57 0009 3132372e302e302e31  09  FFFFFFFF  00004267  0A  00
    57 0002 6d31  57 0002 2d31  57 0000  0000012C  FF0096
    9ffd66ffb3b2a4b1 9ffe74e756ff03c2  00`);
  t.is(wire.member(M1).toString('hex'), join(hex('01 5C'), body).toString('hex'));
  const library: GeodeMemberId = { ...M1, dsfid: 2184 };
  t.is(wire.member(library).toString('hex'), join(hex('02 08 88'), body).toString('hex'));
  for (const member of [M1, library, OLD]) {
    const bytes = join(hex('02 FF62'), wire.member(member));
    t.deepEqual(decodeObject(bytes), { type: 'FinalCheckPassed', suspect: member });
    t.deepEqual(encodeObject({ type: 'FinalCheckPassed', suspect: member }), bytes);
  }
});

test('the payloads of GEODE-WIRE section 7', (t) => {
  const uuid = '9ffd66ffb3b2a4b19ffe74e756ff03c2';
  const prefix = `FF0096 00 FF0096 0001 04 7F000001 0000A08C FFFFFFFF ${uuid} 0A`;
  const clear = (object: GeodeObject): GeodePayload => ({
    kind: 'clear',
    ordinal: 150,
    sender: SENDER,
    object,
  });

  const request = join(hex(`${prefix} 02FF72`), wire.member(M1), hex('29 0000A090 00 CA759FBA'));
  t.is(request.length, 0x7b);
  const join1 = { type: 'JoinRequest', memberID: M1, credentials: null, fdPort: 41104 } as const;
  const asked = clear({ ...join1, isMulticast: false, requestId: 0xca759fba | 0 });
  t.deepEqual(decodePayload(request), asked);
  t.deepEqual(encodePayload(asked), request);
  t.is(payloadSize(asked), request.length);

  const ack = clear({ type: 'ViewAck', viewId: 1, preparing: true, alternateView: null });
  t.is(encodePayload(ack).toString('hex'), hex(`${prefix} 02FF69 00000001 01 29`).toString('hex'));
  const heartbeat = clear({ type: 'Heartbeat', requestId: -1 });
  t.is(encodePayload(heartbeat).toString('hex'), hex(`${prefix} 02FF65 FFFFFFFF`).toString('hex'));
  t.is(payloadSize(heartbeat), 0x2e);

  for (const bytes of [request, encodePayload(ack), encodePayload(heartbeat)]) {
    t.true(looksLikePayload(bytes));
    for (let n = 0; n < bytes.length; n++) rejects(t, decodePayload, bytes.subarray(0, n), 'ERR_TRUNCATED');
    rejects(t, decodePayload, join(bytes, hex('00')), 'ERR_TRAILING_BYTES');
  }
});

test('probes, and what is none', (t) => {
  for (const probe of ['ping', 'pong'] as const) {
    const payload = { kind: 'probe', probe } as const;
    t.deepEqual(decodePayload(Buffer.from(probe)), payload);
    t.is(encodePayload(payload).toString(), probe);
    t.true(looksLikePayload(Buffer.from(probe)));
  }
  rejects(t, decodePayload, Buffer.from('pinh'));
  // a numbered payload of another application in a JGroups cluster
  t.false(looksLikePayload(hex('00000001 05 06 07 08 09 0a')));
  t.false(looksLikePayload(hex('')));
});

test('only payloads of the application are Geode payloads', (t) => {
  const message = (...headers: Header[]): Message => {
    return { dest: null, src: null, flags: 0, headers, payload: hex('00') };
  };
  const tp = { protocol: 'TP', cluster: 'AG' } as const;
  const data = { protocol: 'UNICAST3', type: 'DATA', seqno: 1, connId: 0, first: true } as const;
  t.true(carriesPayload(message(tp)));
  t.true(carriesPayload(message(data, tp)));
  t.true(carriesPayload(message()));
  t.false(carriesPayload({ ...message(data, tp), payload: null }));
  t.false(carriesPayload({ ...message(data, tp), payload: hex('') }));
  t.false(carriesPayload(message({ protocol: 'UNICAST3', type: 'XMIT_REQ' }, tp)));
  t.false(carriesPayload(message({ protocol: 'UFC', type: 'REPLENISH' }, data, tp)));
  t.false(carriesPayload(message({ protocol: 'FRAG2', id: 1, fragNo: 0, numFrags: 2 }, data, tp)));
});

test('a message of an unknown class is opaque and named by its class id', (t) => {
  const sender = { kind: 'clear', ordinal: 150, sender: SENDER } as const;
  for (const [header, dsfid] of [
    ['01 62', 98],
    ['01 ac', -84],
    ['02 04d2', 1234],
    ['02 7530', 30000],
    ['03 00012345', 0x12345],
  ] as const) {
    const bytes = join(hex(header), hex('01 ff 29'));
    const object = { type: 'opaque', class: `DSFID ${dsfid}`, dsfid, bytes } as const;
    t.deepEqual(comparable(decodeObject(bytes)), comparable(object));
    const payload = encodePayload({ ...sender, object });
    const decoded = decodePayload(payload);
    t.deepEqual(encodePayload(decoded), payload);
    const described = describePayload(decoded);
    t.is(described['class'], `DSFID ${dsfid}`);
    t.is(described['length'], bytes.length);
  }
  const named = join(hex('2d 2b'), wire.string('com.example.Thing'), hex('00'));
  t.like(decodeObject(named), { type: 'opaque', class: 'com.example.Thing', dsfid: null });
  t.like(decodeObject(hex('2c aced0005')), { type: 'opaque', class: 'DSCODE 44', dsfid: null });
  t.is((decodeObject(hex('02 04d2')) as { bytes: Uint8Array }).bytes.length, 3);
  rejects(t, decodeObject, hex('29'), 'ERR_VALUE');
  rejects(t, decodeObject, hex('2d 2c'), 'ERR_VALUE');
});

test('an encrypted payload stays opaque, with its clear parts', (t) => {
  const ciphertext = hex('5a'.repeat(300));
  const heartbeat = join(hex('ff0096 01 02FF65 00000000'), wire.byteArray(ciphertext));
  const value = { kind: 'encrypted', ordinal: 150, dsfid: -155, requestId: 0, publicKey: null } as const;
  t.deepEqual(comparable(decodePayload(heartbeat)), comparable({ ...value, ciphertext }));
  const publicKey = hex('3082'.padEnd(520, '7'));
  for (const [dsfid, name] of [
    [-142, 'JoinRequest'],
    [-145, 'FindCoordinatorRequest'],
  ] as const) {
    const keys = join(wire.byteArray(publicKey), wire.byteArray(ciphertext));
    const bytes = join(hex('7d 01'), wire.dsfid(dsfid), wire.i32(77), keys);
    const request = { ...value, ordinal: 125, dsfid, requestId: 77, publicKey, ciphertext };
    t.deepEqual(comparable(decodePayload(bytes)), comparable(request));
    t.deepEqual(encodePayload(request), bytes);
    t.deepEqual(describePayload(request), {
      ...{ class: name, ordinal: 125, encrypted: true, requestId: 77, length: 300 },
      publicKey: publicKey.toString('hex'),
    });
    t.true(looksLikePayload(bytes));
    for (let n = 0; n < bytes.length; n += 5)
      rejects(t, decodePayload, bytes.subarray(0, n), 'ERR_TRUNCATED');
    rejects(t, decodePayload, join(bytes, hex('00')), 'ERR_TRAILING_BYTES');
    t.throws(() => encodePayload({ ...request, publicKey: null }), { instanceOf: CodecError });
  }
});

test('what a member id has goes by version', (t) => {
  const id = { ...SENDER, version: 50, vmKind: null };
  const old: GeodePayload = {
    ...{ kind: 'clear', ordinal: 50, sender: id },
    object: { type: 'LeaveRequest', memberID: { ...M1, version: 50 }, reason: '' },
  };
  const bytes = join(hex('32 00'), wire.essential(id), wire.message(old.object as (typeof MESSAGES)[0], 50));
  t.deepEqual(decodePayload(bytes), old);
  t.deepEqual(encodePayload(old), bytes);

  // 1.15 writes for a 1.1.0 recipient: the ordinal is its own, the rest goes down
  const down: GeodePayload = { ...old, ordinal: 150 };
  const written = join(hex('ff0096 00'), bytes.subarray(2));
  t.deepEqual(encodePayload(down, 50), written);
  t.deepEqual(decodePayload(written, 50), down);

  // without the version flag the member is taken to have the stream's version
  const flagless = { ...M1, flags: 1, version: 125 };
  const clear = { kind: 'clear', ordinal: 125, sender: SENDER } as const;
  const leave: GeodePayload = { ...clear, object: { type: 'FinalCheckPassed', suspect: flagless } };
  t.deepEqual(decodePayload(encodePayload(leave)), leave);

  for (const ordinal of [200, -2, 1000, 32767]) {
    const future: GeodePayload = {
      ...{ kind: 'clear', ordinal, sender: { ...SENDER, version: ordinal } },
      object: { type: 'NetworkPartition' },
    };
    t.deepEqual(decodePayload(encodePayload(future)), future, `ordinal ${ordinal}`);
  }
  t.is(releaseOf(150), '1.15.0');
  t.is(releaseOf(151), null);
});

test('strings of all forms', (t) => {
  const texts = [
    '',
    'plain',
    '\u007f',
    '\u0080',
    'größe',
    '\u0000',
    '\u07ff\u0800',
    '\u{1f600}',
    '\udc00\ud800',
  ];
  texts.push(
    'x'.repeat(65535),
    'x'.repeat(65536),
    'ä'.repeat(32767),
    'ä'.repeat(32768),
    '\ud83d'.repeat(30000),
  );
  for (const reason of [null, ...texts]) {
    const bytes = join(hex('02FF68'), wire.member(LOCATOR), wire.string(reason));
    const value = { type: 'LeaveRequest', memberID: LOCATOR, reason } as const;
    t.true(encodeObject(value).equals(bytes), reason?.slice(0, 10) ?? 'null');
    t.deepEqual(decodeObject(bytes), value);
  }
  const text = (bytes: string): string | null => readString(new ByteReader(hex(bytes)), 'text');
  t.is(text('57 0001 e4'), 'ä');
  t.is(text('2a 0002 c080'), '\u0000');
  for (const bad of [
    '2a 0001 80',
    '2a 0001 c3',
    '2a 0002 c341',
    '2a 0003 e28041',
    '2a 0004 f09f9880',
    '44',
  ]) {
    t.throws(() => text(bad), { instanceOf: CodecError, code: 'ERR_VALUE' } as never, bad);
  }
  for (const huge of ['58 ffffffff', '59 80000000']) t.throws(() => text(huge), { instanceOf: CodecError });
  for (const huge of ['58 7fffffff', '59 7fffffff', '57 ffff', '2a ffff']) {
    t.is(t.throws(() => text(huge), { instanceOf: CodecError }).code, 'ERR_TRUNCATED');
  }
});

test('lengths over the limit are refused before anything is read', (t) => {
  const view = (counts: string): Buffer => hex(`02FF6E 02FF6C 29 00000001 ${counts}`);
  const over = (limit: number): string => wire.arrayLength(limit + 1).toString('hex');
  rejects(t, decodeObject, view(over(MAX_ADDRESSES)), 'ERR_LIMIT');
  rejects(t, decodeObject, view('fd7fffffff'), 'ERR_LIMIT');
  rejects(t, decodeObject, view('fdffffffff'), 'ERR_VALUE');
  rejects(t, decodeObject, view('ff'), 'ERR_VALUE');
  rejects(t, decodeObject, view(`00 00 ${over(MAX_ADDRESSES)}`), 'ERR_LIMIT');
  rejects(t, decodeObject, view('00 00 00 fd7fffffff'), 'ERR_LIMIT');
  rejects(t, decodeObject, view('00 00 00 00 fd7fffffff'), 'ERR_LIMIT');
  rejects(t, decodeObject, view('00 00 00 00 feffff'), 'ERR_LIMIT');
  rejects(t, decodeObject, view('fe2710'), 'ERR_TRUNCATED');
  rejects(t, decodeObject, hex('02FF64 7fffffff'), 'ERR_LIMIT');
  rejects(t, decodeObject, hex('02FF64 ffffffff'), 'ERR_VALUE');
  rejects(t, decodeObject, join(hex('02FF6F'), wire.member(M1), hex('00010000')), 'ERR_LIMIT');
  rejects(t, decodeObject, hex('02FF71 29 29 45 fd7fffffff'), 'ERR_TRUNCATED');
  const member = hex('04 7F000001 0000A08C 57 0000 09 FFFFFFFF 00004267 0A');
  rejects(t, decodeObject, join(hex('02FF62 015c'), member, hex(over(MAX_MEMBER_GROUPS))), 'ERR_LIMIT');
  const credentials = join(hex('0b'), hex(over(MAX_PROPERTIES)), hex('00'.repeat(9)));
  rejects(t, decodeObject, join(hex('02FF72'), wire.member(M1), credentials), 'ERR_LIMIT');
});

test('values that a field may not have', (t) => {
  const suspect = (bytes: Buffer): Buffer => join(hex('02FF62'), bytes);
  rejects(t, decodeObject, suspect(hex('29')), 'ERR_VALUE');
  rejects(t, decodeObject, suspect(hex('01 5d')), 'ERR_VALUE');
  rejects(t, decodeObject, suspect(hex('01 5c 00')), 'ERR_VALUE');
  rejects(t, decodeObject, suspect(hex('01 5c 05 0102030405')), 'ERR_VALUE');
  rejects(t, decodeObject, suspect(hex(`01 5c ${'10'.repeat(3)}`)), 'ERR_TRUNCATED');
  const text = wire.string('-1').toString('hex');
  for (const [viewId, ok] of [
    ['12x', false],
    ['', false],
    ['2147483648', false],
    ['-2147483648', true],
  ] as const) {
    const changed = wire.member(M1).toString('hex').replace(text, wire.string(viewId).toString('hex'));
    if (ok) t.notThrows(() => decodeObject(suspect(hex(changed))));
    else rejects(t, decodeObject, suspect(hex(changed)), 'ERR_VALUE');
  }
  rejects(t, decodeObject, join(hex('02FF6A 00000000 00000003')), 'ERR_VALUE');
  rejects(t, decodeObject, hex('02FF69 00000001 02 29'), 'ERR_VALUE');
  for (const broken of [
    { ...M1, uuid: null },
    { ...M1, uuid: 'abc' },
    { ...M1, uuid: 'g'.repeat(32) },
    { ...M1, host: 'localhost' },
    { ...M1, membershipPort: 2 ** 31 },
    { ...M1, memberWeight: -1 },
  ]) {
    t.throws(() => encodeObject({ type: 'FinalCheckPassed', suspect: broken }), { instanceOf: CodecError });
  }
});

test('a description is plain JSON with the names of the reference, and keeps secrets', (t) => {
  const credentials = { kind: 'properties', entries: [['security-password', 'hunter2']] } as const;
  const rest = { fdPort: 1, isMulticast: false, requestId: 2 };
  const object: GeodeObject = { type: 'JoinRequest', memberID: ODD, credentials, ...rest };
  const payload: GeodePayload = { kind: 'clear', ordinal: 150, sender: SENDER, object };
  t.deepEqual(describePayload(payload), {
    ...{ class: 'JoinRequest', ordinal: 150, encrypted: false, sender: { ...SENDER } },
    fields: { memberID: { ...ODD }, credentials: { 'security-password': '***' }, ...rest },
  });
  t.regex(JSON.stringify(describePayload(payload, { secrets: true })), /hunter2/);
  t.deepEqual(describePayload({ kind: 'probe', probe: 'ping' }), { probe: 'ping' });
  for (const message of MESSAGES) {
    const described = describePayload({ ...payload, object: message });
    t.deepEqual(JSON.parse(JSON.stringify(described)), described);
    t.is(described['class'], message.type);
  }
});

test('damaged payloads: a CodecError or a value that can be written and read again, nothing else', (t) => {
  const rng = seededRng(SEED);
  const sender = { kind: 'clear', ordinal: 150, sender: SENDER } as const;
  const originals = MESSAGES.map((object) => encodePayload({ ...sender, object }));
  let refused = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = Buffer.from(originals[i % originals.length] as Buffer);
    for (let edits = 1 + below(rng, 3); edits > 0; edits--) {
      const at = below(rng, Math.min(bytes.length, 400));
      const kind = below(rng, 4);
      if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(rng, 8));
      else if (kind === 1) bytes[at] = below(rng, 256);
      else if (kind === 2) bytes[at] = [0x00, 0x29, 0x45, 0xfd, 0xfe, 0xff][below(rng, 6)] ?? 0;
      else bytes.copy(bytes, at, below(rng, bytes.length));
    }
    const cut = below(rng, 4) === 0 ? bytes.subarray(0, below(rng, bytes.length + 1)) : bytes;
    let value: GeodePayload;
    try {
      looksLikePayload(cut);
      value = decodePayload(cut);
    } catch (error) {
      refused++;
      if (error instanceof CodecError) continue;
      t.fail(`mutation ${i} of seed ${SEED}, ${cut.toString('hex')}: ${String(error)}`);
      return;
    }
    JSON.stringify(describePayload(value));
    const again = decodePayload(encodePayload(value));
    t.deepEqual(comparable(again), comparable(value), `mutation ${i} of seed ${SEED}`);
  }
  t.true(refused > MUTATIONS / 10 && refused < MUTATIONS, `${refused} of ${MUTATIONS} refused`);
});
