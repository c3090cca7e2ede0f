/**
 * What is there for speed alone says the same as what it replaces: the decoder with a cache as the one without, and
 * the encoder of a member as `encodeDatagram`. Over recorded traffic, generated datagrams and damaged ones.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { CodecError } from '../../../codecs/bytes/errors.ts';
import { DecodeCache } from '../../../codecs/jgroups/decode-cache.ts';
import type { Address, Datagram, Message } from '../../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram, rawProbe } from '../../../codecs/jgroups/registry.ts';
import { MessageEncoder, type OutgoingMessage } from '../../../codecs/jgroups/v3_6/encoder.ts';
import { VERSION_2_12_2 } from '../../../codecs/jgroups/version.ts';
import { CaptureReader } from '../../../codecs/pcap/index.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { datagram } from './arbitraries.ts';

const RUNS = 1000;
const DAMAGED = 10_000;
const SEED = 20_260_101;
const FIXTURES = fileURLToPath(new URL('../../../compat-fixtures/', import.meta.url));

const recorded: readonly Buffer[] = readRecorded();

/** Every datagram of 3.6 in the fixtures. */
function readRecorded(): Buffer[] {
  const found: Buffer[] = [];
  for (const version of readdirSync(FIXTURES, { withFileTypes: true })) {
    if (!version.isDirectory()) continue;
    for (const scenario of readdirSync(join(FIXTURES, version.name))) {
      const file = join(FIXTURES, version.name, scenario, 'capture.pcap');
      if (!existsSync(file)) continue;
      const reader = new CaptureReader();
      for (const item of [...reader.push(readFileSync(file)), ...reader.end()]) {
        if (item.kind !== 'udp' || rawProbe(item.payload) !== null || item.payload.length < 2) continue;
        if (Buffer.from(item.payload).readUInt16BE(0) === VERSION_2_12_2) continue;
        found.push(Buffer.from(item.payload));
      }
    }
  }
  return found;
}

type Decoded = { readonly value: Datagram } | { readonly error: string; readonly offset: number };

function decoded(bytes: Buffer, cache?: DecodeCache): Decoded {
  try {
    return { value: decodeDatagram(bytes, cache === undefined ? {} : { cache }) };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { error: `${error.code} ${error.message}`, offset: error.offset };
  }
}

/** What the bytes say, whichever way they are decoded. `t.deepEqual` would take a millisecond for each. */
function assertSame(t: ExecutionContext, bytes: Buffer, cache: DecodeCache): Decoded {
  const [expected, actual] = [decoded(bytes), decoded(bytes, cache)];
  if (!isDeepStrictEqual(actual, expected)) t.deepEqual(actual, expected, bytes.toString('hex'));
  return expected;
}

test('recorded datagrams: decoded with a cache as without', (t) => {
  t.true(recorded.length > 1_000, `${recorded.length} datagrams`);
  const cache = new DecodeCache();
  for (const bytes of recorded) assertSame(t, bytes, cache);
});

test('generated datagrams: decoded with a cache as without', (t) => {
  const cache = new DecodeCache();
  const property = fc.property(fc.array(datagram, { minLength: 1, maxLength: 5 }), (values) => {
    const encoded = values.map((value) => encodeDatagram(value));
    // the second time the cache has them
    for (const bytes of [...encoded, ...encoded]) assertSame(t, bytes, cache);
  });
  fc.assert(property, { numRuns: RUNS, seed: SEED });
  t.pass();
});

test('damaged datagrams: the same value or the same error with a cache that knows the sound ones', (t) => {
  const rng = seededRng(SEED);
  const cache = new DecodeCache();
  let refused = 0;
  for (let i = 0; i < DAMAGED; i++) {
    const original = recorded[below(rng, recorded.length)] as Buffer;
    decoded(original, cache);
    const bytes = Buffer.from(original).subarray(0, below(rng, 4) === 0 ? below(rng, 110) : original.length);
    for (let edits = below(rng, 4); edits > 0 && bytes.length > 0; edits--) {
      bytes[below(rng, Math.min(bytes.length, 110))] = below(rng, 256);
    }
    if ('error' in assertSame(t, bytes, cache)) refused++;
  }
  t.true(refused > DAMAGED / 10 && refused < DAMAGED, `${refused} of ${DAMAGED} refused`);
});

test('a cache keeps no bytes of a datagram, and forgets what another address replaces', (t) => {
  const at = (uuid: string): Address => ({ kind: 'uuid', uuid });
  const same = [at('11'.repeat(16)), at(`${'22'.repeat(8)}${'11'.repeat(8)}`)];
  const cache = new DecodeCache();
  for (let round = 0; round < 3; round++) {
    for (const src of same) {
      const message: Message = { dest: null, src, flags: 0, headers: [], payload: null };
      const bytes = encodeDatagram({ kind: 'single', version: 0x198e, multicast: true, message });
      t.deepEqual(decodeDatagram(bytes, { cache }), decodeDatagram(bytes));
      bytes.fill(0xff);
    }
  }
});

/** Encoders by who sends, and the message that each would be given; null: the encoder does not write such a one. */
class Encoders {
  readonly #bySender = new Map<string, MessageEncoder>();

  of(version: number, src: Address, cluster: string): MessageEncoder {
    const key = JSON.stringify([version, src, cluster]);
    let encoder = this.#bySender.get(key);
    if (encoder === undefined) this.#bySender.set(key, (encoder = new MessageEncoder(version, src, cluster)));
    return encoder;
  }

  /** The datagram's bytes, each way in which the encoder writes them. */
  encode(value: Datagram): Buffer[] | null {
    return value.kind === 'single' ? this.#encodeSingle(value) : this.#encodeList(value);
  }

  #encodeSingle({ version, multicast, message }: Datagram & { kind: 'single' }): Buffer[] | null {
    const { dest, src, headers, payload } = message;
    const tp = headers.at(-1);
    if (src === null || tp?.protocol !== 'TP' || tp.cluster === null) return null;
    if (multicast !== (dest === null) || hasUnknown(headers)) return null;
    const own = { dest, flags: message.flags, headers: headers.slice(0, -1), payload };
    const encoder = this.of(version, src, tp.cluster);
    const foreign = this.of(version, { kind: 'uuid', uuid: '00'.repeat(16) }, tp.cluster);
    const parts = [encoder.encodeHead(own), payload ?? Buffer.alloc(0)];
    return [encoder.encode(own), Buffer.concat(parts), foreign.encode({ ...own, src })];
  }

  #encodeList({ version, multicast, dest, src, cluster, messages, unparsed }: Datagram & { kind: 'bundle' }) {
    if (src === null || cluster === null || unparsed !== undefined || multicast !== (dest === null))
      return null;
    if (messages.some((message) => message.dest !== null || hasUnknown(message.headers))) return null;
    const listed = messages.map(({ src: own, ...body }): OutgoingMessage => {
      return own === null ? body : { ...body, src: own };
    });
    const encoder = this.of(version, src, cluster);
    const bytes = encoder.encodeList(dest, listed);
    const size = listed.reduce((sum, message) => sum + encoder.listedSize(message), encoder.listSize(dest));
    return size === bytes.length ? [bytes] : [];
  }
}

function hasUnknown(headers: Message['headers']): boolean {
  return headers.some(({ protocol }) => protocol === 'UNKNOWN');
}

test("recorded datagrams: a member's encoder writes the same bytes", (t) => {
  const encoders = new Encoders();
  const seen = { single: 0, bundle: 0 };
  for (const bytes of recorded) {
    const value = decodeDatagram(bytes);
    const written = encoders.encode(value);
    if (written === null) continue;
    seen[value.kind]++;
    t.true(written.length > 0);
    for (const again of written) t.is(again.toString('hex'), bytes.toString('hex'));
  }
  t.true(seen.single > 0.9 * (recorded.length - seen.bundle), JSON.stringify(seen));
  t.true(seen.bundle > 10, JSON.stringify(seen));
});

test("generated datagrams: a member's encoder writes the same bytes, or refuses as the other does", (t) => {
  const encoders = new Encoders();
  let seen = 0;
  const property = fc.property(datagram, (value) => {
    const written = encoders.encode(value);
    if (written === null) return;
    seen++;
    const bytes = encodeDatagram(value).toString('hex');
    t.true(written.length > 0);
    for (const again of written) t.is(again.toString('hex'), bytes);
  });
  fc.assert(property, { numRuns: 4 * RUNS, seed: SEED });
  t.true(seen > 20, `${seen} datagrams`);
});

test('what the wire cannot carry is refused', (t) => {
  const src: Address = { kind: 'uuid', uuid: '11'.repeat(16) };
  const refused = { instanceOf: CodecError, code: 'ERR_VALUE' };
  t.throws(() => new MessageEncoder(0x198e, src, 'a cluster \u{1F600}'), refused);
  t.throws(() => new MessageEncoder(0x198e, { ...src, uuid: 'zz'.repeat(16) }, 'AG'), refused);
  const encoder = new MessageEncoder(0x198e, src, 'AG');
  const message: OutgoingMessage = { dest: src, flags: 0, headers: [], payload: null };
  t.throws(() => encoder.encode({ ...message, flags: 0x10000 }), refused);
  t.throws(() => encoder.encode({ ...message, dest: { ...src, uuid: 'no' } }), refused);
  const data = { protocol: 'UNICAST3', type: 'DATA', seqno: -1, connId: 0, first: false } as const;
  t.throws(() => encoder.encode({ ...message, headers: [data] }), refused);
  t.throws(() => encoder.encodeList(src, [{ ...message, headers: [data] }]), refused);
  const rest = Buffer.alloc(1);
  const unknown = {
    protocol: 'UNKNOWN',
    protocolId: 1,
    magic: 1,
    remainingHeaders: 0,
    hasPayload: false,
    rest,
  } as const;
  t.throws(() => encoder.encode({ ...message, headers: [unknown] }), refused);
});
