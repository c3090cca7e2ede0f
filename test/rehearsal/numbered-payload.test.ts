import test from 'ava';
import fc from 'fast-check';

import {
  decodeNumberedPayload,
  encodeNumberedPayload,
  MAX_PAYLOAD_BYTES,
  MIN_PAYLOAD_BYTES,
} from '../../src/rehearsal/numbered-payload.ts';

const SENDER = '00112233445566778899aabbccddeeff';

/** Bit by bit, as the definition of CRC-32 has it: independent of the one under test. */
function slowCrc32(...parts: Uint8Array[]): number {
  let crc = 0xffffffff;
  for (const byte of parts.flatMap((part) => [...part])) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function build(number: number, length: number): Buffer {
  const head = Buffer.from(
    `52475031${SENDER}${number.toString(16).padStart(16, '0')}${length.toString(16).padStart(8, '0')}`,
    'hex',
  );
  const filler = Uint8Array.from({ length: length - 36 }, (_, i) => ((number % 256) + 36 + i) % 256);
  const crc = Buffer.from(slowCrc32(head, filler).toString(16).padStart(8, '0'), 'hex');
  return Buffer.concat([head, crc, filler]);
}

test('the slow CRC-32 has the check value of the catalogue', (t) => {
  t.is(slowCrc32(Buffer.from('123456789')), 0xcbf43926);
});

for (const [number, length] of [
  [1, 36],
  [1, 37],
  [250, 1024],
  [2 ** 32 + 5, 300],
  [Number.MAX_SAFE_INTEGER, 64],
  [77, 65_536 * 2 + 100],
] as const) {
  test(`number ${number} in ${length} bytes: the bytes of the layout, and back`, (t) => {
    const bytes = build(number, length);
    t.true(encodeNumberedPayload(SENDER, number, length).equals(bytes));
    t.deepEqual(decodeNumberedPayload(bytes), { sender: SENDER, number });
    t.deepEqual(decodeNumberedPayload(new Uint8Array(bytes)), { sender: SENDER, number });
  });
}

test('any changed byte behind the magic is noticed, and any cut', (t) => {
  const bytes = build(9, 80);
  for (let at = 4; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ 0x10, at);
    t.is(decodeNumberedPayload(changed), 'corrupt', `byte ${at}`);
    t.is(decodeNumberedPayload(bytes.subarray(0, at)), at < 36 ? 'foreign' : 'corrupt', `cut at ${at}`);
  }
});

test('numbers outside 1..2^53-1 are corrupt even with a good checksum', (t) => {
  t.is(decodeNumberedPayload(build(0, 40)), 'corrupt');
  t.is(decodeNumberedPayload(build(2 ** 53, 40)), 'corrupt');
});

test('other bytes are foreign', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodeNumberedPayload(bytes) === 'foreign'),
  );
  t.pass();
});

test('limits of the encoder', (t) => {
  for (const length of [MIN_PAYLOAD_BYTES - 1, MAX_PAYLOAD_BYTES + 1, 40.5, NaN]) {
    t.throws(() => encodeNumberedPayload(SENDER, 1, length), { instanceOf: RangeError });
  }
  for (const number of [0, -1, 1.5, 2 ** 53]) {
    t.throws(() => encodeNumberedPayload(SENDER, number, 40), { instanceOf: RangeError });
  }
  t.throws(() => encodeNumberedPayload('12', 1, 40), { instanceOf: RangeError });
});
