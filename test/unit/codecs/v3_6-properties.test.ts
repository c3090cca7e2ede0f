/** Generated datagrams, and real ones that were damaged at random. */
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { CodecError } from '../../../codecs/bytes/errors.ts';
import type { Datagram } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { decodePayload, encodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { decodeSeqnoList, encodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import type { Rng } from '../../../src/protocol/rng.ts';
import { datagram, payload } from './arbitraries.ts';
import { javaVectors } from './checks.ts';
import { VECTORS } from './vectors.ts';
import * as wire from './wire-builder.ts';

const RUNS = 1000;
const MUTATIONS = 6000;
/** Any run of these tests draws the same values; raise the seed to look further. */
const SEED = 20_260_101;

test('generated datagrams: the encoder writes what the builder writes, the decoder reads it back', (t) => {
  fc.assert(
    fc.property(datagram, (value) => {
      const bytes = wire.datagram(value);
      t.is(encodeDatagram(value).toString('hex'), bytes.toString('hex'));
      t.deepEqual(wire.comparable(decodeDatagram(bytes)), wire.comparable(value));
    }),
    { numRuns: RUNS, seed: SEED },
  );
  t.pass();
});

test('generated payloads: what was written is what is read', (t) => {
  fc.assert(
    fc.property(payload, ({ header, payload: value }) => {
      const bytes = encodePayload(value);
      const message = { dest: null, src: null, flags: 0, headers: [header], payload: bytes };
      t.deepEqual(decodePayload(message), value);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  t.pass();
});

test('generated SeqnoLists: what was asked for is what is read', (t) => {
  const gaps = fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 50 }), gaps, fc.nat({ max: 70 }), (low, offsets, spare) => {
      const seqnos = offsets.map((offset) => low + offset).sort((a, b) => a - b);
      const end = (seqnos.at(-1) ?? low) + 1 + spare;
      t.deepEqual(decodeSeqnoList(encodeSeqnoList(seqnos, end)), seqnos);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  t.pass();
});

function recordedDatagrams(): Buffer[] {
  const fixtures = new URL('../../../compat-fixtures/3.6.14-decoded/', import.meta.url);
  const found: Buffer[] = [];
  for (const scenario of readdirSync(fixtures)) {
    const lines = readFileSync(new URL(`${scenario}/decoded.jsonl`, fixtures), 'utf8')
      .trim()
      .split('\n');
    for (const line of lines) {
      const { hex, whole } = JSON.parse(line) as { hex: string; whole: boolean };
      if (whole) found.push(wire.hex(hex));
    }
  }
  return found;
}

function damaged(original: Buffer, rng: Rng): Buffer {
  const bytes = Buffer.from(original);
  // The interesting bytes are those before the payload.
  const reach = Math.min(bytes.length, 110);
  for (let edits = 1 + below(rng, 4); edits > 0; edits--) {
    const at = below(rng, reach);
    const kind = below(rng, 4);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(rng, 8));
    else if (kind === 1) bytes[at] = below(rng, 256);
    else if (kind === 2) bytes[at] = [0x00, 0x01, 0x7f, 0x80, 0xff][below(rng, 5)] ?? 0;
    else bytes.copy(bytes, at, below(rng, reach));
  }
  return below(rng, 4) === 0 ? bytes.subarray(0, below(rng, bytes.length + 1)) : bytes;
}

test('damaged datagrams: a CodecError or a value that can be written and read again, nothing else', (t) => {
  const rng = seededRng(SEED);
  const originals = [
    ...recordedDatagrams(),
    ...VECTORS.map(({ bytes }) => bytes),
    ...javaVectors('headers-3.6.14.txt').values(),
  ];
  t.true(originals.length > 100);
  let refused = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = damaged(originals[i % originals.length] as Buffer, rng);
    let value: Datagram;
    try {
      value = decodeDatagram(bytes);
    } catch (error) {
      refused++;
      if (error instanceof CodecError) continue;
      t.fail(`mutation ${i} of seed ${SEED}, ${bytes.toString('hex')}: ${String(error)}`);
      return;
    }
    const again = decodeDatagram(encodeDatagram(value));
    t.deepEqual(wire.comparable(again), wire.comparable(value), `mutation ${i} of seed ${SEED}`);
  }
  t.true(refused > MUTATIONS / 10 && refused < MUTATIONS, `${refused} of ${MUTATIONS} refused`);
});
