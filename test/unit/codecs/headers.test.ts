/**
 * Headers and payloads of JGroups 3.6, as JGroups' own classes write them (java/HeaderVectors36.java), with the values
 * that were put into them there.
 */
import test from 'ava';
import { decodeDatagram, encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import type { Header, Message } from '../../../codecs/jgroups/message.ts';
import type { ProtocolPayload } from '../../../codecs/jgroups/payload.ts';
import { decodePayload, encodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { javaVectors, rejects, rejectsOtherLengths, survivesDamage } from './checks.ts';
import { A, B, DIGEST, EXPECTED, pair, token, uuid, VIEW } from './java-values.ts';
import { EMPTY_MESSAGE, single } from './vectors.ts';
import * as wire from './wire-builder.ts';

const VECTORS = javaVectors('headers-3.6.14.txt');

function onlyMessage(bytes: Buffer): Message {
  const datagram = decodeDatagram(bytes);
  if (datagram.kind !== 'single') throw new Error('a bundle');
  return datagram.message;
}

test('there is a value for each of the vectors, and a vector for each of the values', (t) => {
  t.deepEqual([...VECTORS.keys()].sort(), Object.keys(EXPECTED).sort());
});

for (const [name, { header, payload = null }] of Object.entries(EXPECTED)) {
  const bytes = VECTORS.get(name) ?? Buffer.alloc(0);

  test(`${name}: the value that JGroups wrote, and back to its bytes`, (t) => {
    const message = onlyMessage(bytes);
    t.deepEqual(message.headers, [header]);
    t.deepEqual([message.src, message.dest], [A, B]);
    t.true(encodeDatagram(single(message)).equals(bytes));
    t.deepEqual(decodePayload(message), payload);
    if (payload !== null && payload.kind !== 'seqnos') {
      t.is(encodePayload(payload).toString('hex'), Buffer.from(message.payload ?? []).toString('hex'));
    }
  });

  test(`${name}: other lengths and damaged bytes`, (t) => {
    rejectsOtherLengths(t, decodeDatagram, bytes);
    survivesDamage(t, decodeDatagram, encodeDatagram, bytes);
  });

  if (payload !== null) {
    test(`${name}: other lengths and damaged bytes of the payload`, (t) => {
      const message = onlyMessage(bytes);
      const whole = Buffer.from(message.payload ?? []);
      const decode = (part: Uint8Array): unknown => decodePayload({ ...message, payload: part });
      for (let length = 0; length < whole.length; length++) {
        rejectsUnlessShorterView(t, decode, whole.subarray(0, length), payload);
      }
      survivesDamage(t, decode, encodePayload, whole);
    });
  }
}

/** Without its subviews, a MergeView of MERGE3 is a view: its payload does not say which it is. */
function rejectsUnlessShorterView(
  t: Parameters<typeof rejects>[0],
  decode: (bytes: Uint8Array) => unknown,
  bytes: Buffer,
  payload: ProtocolPayload,
): void {
  if (payload.kind === 'view' && payload.view?.kind === 'merge') {
    const { viewId, members } = payload.view;
    const view = encodePayload({ kind: 'view', view: { kind: 'view', viewId, members } });
    if (view.equals(bytes)) return;
  }
  rejects(t, decode, bytes, 'ERR_TRUNCATED');
}

const headerOnly = (digits: string): Buffer => wire.hex(`198e 00 00 0000 0001 ${digits}`);

test('the ENCRYPT of 3.6.9 and before', (t) => {
  const header: Header = { protocol: 'ENCRYPT', type: 'ENCRYPT', entireMessage: true, version: 'abcd' };
  const bytes = headerOnly('0019 0039 09 0002 abcd');
  t.deepEqual(decodeDatagram(bytes), single({ headers: [header] }));
  t.true(encodeDatagram(single({ headers: [header] })).equals(bytes));
  rejectsOtherLengths(t, decodeDatagram, bytes);
  rejects(t, decodeDatagram, headerOnly('0019 0039 08 0000'), 'ERR_VALUE');
  rejects(t, decodeDatagram, headerOnly('0019 0039 01 8000'), 'ERR_VALUE');
});

test('a token of a class that is not known cannot be skipped', (t) => {
  for (const token of ['01 0066', '01 0000', '01 fffe', '01 ffff 0003 616263']) {
    rejects(t, decodeDatagram, headerOnly(`0021 0043 ${token}`), 'ERR_UNKNOWN_HEADER');
  }
  // a class that has a number never goes by its name
  const named = Buffer.from('org.jgroups.auth.SimpleToken').toString('hex');
  rejects(t, decodeDatagram, headerOnly(`0021 0043 01 ffff 001c ${named} 00`), 'ERR_UNKNOWN_HEADER');
});

test('values that a header may not have', (t) => {
  for (const digits of [
    '0039 005d 00', // NAKACK2 types are 1 to 4
    '0039 005d 05 00',
    '0039 005d 02 01', // a null sender
    '0039 005d 01 08 ffffffffffffffff', // a negative seqno
    '0010 001b 03 00',
    '0010 001b 01 01 01 00', // a ViewId of nobody
    '000e 0018 11 0000 01',
    '000e 0018 01 0002 01', // a flag that is never set
    '0006 000d 03 00',
    '0006 000d 01 02', // no boolean
    '0006 000d 01 01 0002 c000', // no modified UTF-8
    '0006 000d 01 01 0001 80',
    '0006 000d 01 01 0001 e2',
    '0006 000d 01 01 0003 f09f98',
    '0002 0003 04 ffff 01',
    '0002 0003 02 fffe 01', // a count below -1
    '0002 0003 02 0001 01 01', // nobody among the suspects
    '0003 0006 09 01 00 00000000',
    '0003 0006 0a 01 00 ffffffff',
    '000d 0016 0003 01',
    '0036 005a 03 00 00 01',
    '0037 005b 00 0000',
    '001a 003a 05 00 00',
    '001a 003a 01 00 02',
    '001a 003a 01 08 0000000000000080 00', // -2^63
    '004c 0039 03 00 00',
    '004c 0039 01 01 ffffffff 00',
    '0011 001c 04 00',
    '0011 001c 02 01 ffff', // a digest of null
    '0022 0041 06 00 00',
  ]) {
    rejects(t, decodeDatagram, headerOnly(digits));
  }
  rejects(t, decodeDatagram, headerOnly(`0002 0003 02 7fff ${'01'.repeat(70)}`), 'ERR_LIMIT');
  rejects(t, decodeDatagram, headerOnly('0003 0006 0a 01 00 7fffffff'), 'ERR_LIMIT');
});

test('a seqno pair: both zero, one zero, large ones', (t) => {
  const digestPayload = (digits: string): Buffer => wire.hex(`01 0001 02 ${'00'.repeat(16)} ${digits}`);
  const message: Message = {
    ...EMPTY_MESSAGE,
    headers: [{ protocol: 'STABLE', type: 'STABILITY', viewId: null }],
  };
  const decode = (payload: Buffer): unknown => decodePayload({ ...message, payload });
  for (const [digits, highestDelivered, highestReceived] of [
    ['00', 0, 0],
    ['11 05 00', 5, 5],
    ['11 00 02', 0, 2],
    ['21 2c01 01', 300, 301],
    ['71 feffffffffff1f 01', 2 ** 53 - 2, 2 ** 53 - 1],
  ] as const) {
    const payload = digestPayload(digits);
    const digest = {
      members: [uuid('00'.repeat(16))],
      seqnos: [pair(highestDelivered, highestReceived)],
    };
    t.deepEqual(decode(payload), { kind: 'digest', digest });
    t.true(encodePayload({ kind: 'digest', digest }).equals(payload));
  }
  rejects(t, decode, digestPayload('71 ffffffffffff1f 01'), 'ERR_LIMIT');
  rejects(t, decode, digestPayload('91 000000000000000000 01'), 'ERR_VALUE');
});

test('what the encoder refuses', (t) => {
  const refuses = (payload: Parameters<typeof encodePayload>[0]): void => {
    t.throws(() => encodePayload(payload), { code: 'ERR_VALUE' });
  };
  refuses({ kind: 'digest', digest: { members: null, seqnos: [] } });
  refuses({ kind: 'digest', digest: { members: [A], seqnos: [] } });
  refuses({ kind: 'digest', digest: { members: [A], seqnos: [pair(2, 1)] } });
  refuses({ kind: 'digest', digest: { members: [A], seqnos: [pair(-1, 1)] } });
  refuses({ kind: 'join-rsp', rsp: { view: VIEW, digest: DIGEST, failReason: null } });
  refuses({ kind: 'credits', credits: -1 });
  const header = token('UnknownToken', 'x');
  t.throws(() => encodeDatagram(single({ headers: [header] })), { code: 'ERR_VALUE' });
  const longName: Header = { protocol: 'PING', type: 'GET_MBRS_REQ', cluster: '\u20ac'.repeat(21846) };
  t.throws(() => encodeDatagram(single({ headers: [longName] })), { code: 'ERR_VALUE' });
});

test('payloads that are not what they seem: fragments, compressed, encrypted, an application', (t) => {
  const credits: Header = { protocol: 'UFC', type: 'REPLENISH' };
  const message: Message = { ...EMPTY_MESSAGE, payload: wire.i64(7) };
  t.deepEqual(decodePayload({ ...message, headers: [credits] }), { kind: 'credits', credits: 7 });
  t.is(decodePayload(message), null);
  t.is(decodePayload({ ...message, headers: [credits], payload: null }), null);
  const hiding: Header[] = [
    { protocol: 'FRAG2', id: 1, fragNo: 0, numFrags: 2 },
    { protocol: 'COMPRESS', originalSize: 8 },
    { protocol: 'SYM_ENCRYPT', type: 'ENCRYPT', version: null, signature: null },
    { protocol: 'ENCRYPT', type: 'ENCRYPT', entireMessage: false, version: '' },
  ];
  for (const header of hiding) t.is(decodePayload({ ...message, headers: [credits, header] }), null);
});
