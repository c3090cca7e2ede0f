import test from 'ava';

import { recordClientHello } from '../../../scripts/fuzz/client-hello.ts';
import { type Opening, readOpening } from '../../../src/io/tls/client-hello.ts';

/** A record's header, and the beginning of a handshake message. */
function opening(parts: {
  record?: number[];
  length?: number;
  type?: number;
  hello?: number;
  major?: number;
}) {
  const { record = [3, 1], length = 512, type = 1, hello = 508, major = 3 } = parts;
  const u24 = [hello >>> 16, (hello >>> 8) & 0xff, hello & 0xff];
  return Uint8Array.of(0x16, ...record, length >>> 8, length & 0xff, type, ...u24, major, 3);
}

function wrongOf(found: Opening): string {
  return typeof found === 'string' ? found : found.wrong;
}

test("node's own ClientHello, whole and byte by byte", async (t) => {
  const bytes = await recordClientHello();
  t.is(readOpening(bytes), 'tls');
  for (let length = 1; length < 200; length++)
    t.is(readOpening(bytes.subarray(0, length)), length < 10 ? 'incomplete' : 'tls', `${length} bytes`);
});

test('what a ClientHello may be, at its edges', (t) => {
  for (const minor of [0, 1, 2, 3, 4]) t.is(readOpening(opening({ record: [3, minor] })), 'tls');
  for (const length of [5, 16_384]) t.is(readOpening(opening({ length })), 'tls');
  for (const hello of [41, 131_396]) t.is(readOpening(opening({ hello })), 'tls');
  // its message goes on in the next record
  for (const length of [1, 2, 3, 4]) t.is(readOpening(opening({ length }).subarray(0, 6)), 'tls');
});

test('what cannot be one is told as soon as it shows', (t) => {
  const wrong: [Uint8Array, number, string][] = [
    [opening({ record: [2, 1] }), 2, 'wrong version number'],
    [opening({ record: [3, 5] }), 3, 'wrong version number'],
    [opening({ length: 0 }), 5, 'empty record'],
    [opening({ length: 16_385 }), 5, 'packet length too long'],
    [opening({ type: 2 }), 6, 'a message of type 2 where ClientHello has 1'],
    [opening({ length: 1, type: 0 }), 6, 'a message of type 0 where ClientHello has 1'],
    [opening({ hello: 40 }), 9, 'a ClientHello of 40 bytes'],
    [opening({ hello: 131_397 }), 9, 'a ClientHello of 131397 bytes'],
    [opening({ major: 2 }), 10, 'unsupported protocol'],
  ];
  for (const [bytes, shows, reason] of wrong) {
    t.is(readOpening(bytes.subarray(0, shows - 1)), 'incomplete', reason);
    for (let length = shows; length <= bytes.length; length++)
      t.is(wrongOf(readOpening(bytes.subarray(0, length))), reason);
  }
});
