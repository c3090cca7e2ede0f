import test from 'ava';
import { CodecError, TruncatedError } from '../../../codecs/bytes/errors.ts';
import { DataFlag } from '../../../codecs/tcp/v1/data.ts';
import { decodeFrame, encodeFrame } from '../../../codecs/tcp/v1/frame.ts';
import type { Frame } from '../../../codecs/tcp/v1/frame.ts';
import { FrameDecoder } from '../../../codecs/tcp/v1/frame-decoder.ts';
import { MAX_FRAME_BYTES, MAX_HANDSHAKE_FRAME_BYTES, PREAMBLE } from '../../../codecs/tcp/v1/limits.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';

/** Builds bytes from the layout in docs/tcp-wire.md; knows nothing of the encoder. */
const hex = (...parts: string[]): Buffer => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
const framed = (...parts: string[]): Buffer => {
  const body = hex(...parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};

const SENDER = {
  host: '10.0.0.1',
  port: 41000,
  uuid: '00112233445566778899aabbccddeeff',
  viewId: -1,
  version: 150,
  name: 'é1',
  kind: 'normal' as const,
  weight: 10,
  flags: 1,
};
const SENDER_HEX =
  '0008 31302e302e302e31' +
  'a028' +
  '00112233445566778899aabbccddeeff' +
  'ffffffff' +
  '00000096' +
  '0003 c3a931' +
  '0a' +
  '0000000a' +
  '00000001';

const VECTORS: { name: string; frame: Frame; bytes: Buffer }[] = [
  {
    name: 'HELLO',
    frame: {
      type: 'HELLO',
      minVersion: 1,
      maxVersion: 3,
      features: 0x80000001,
      peerKind: 1,
      cluster: 'prod',
      sender: SENDER,
      recipientUuid: 'ffeeddccbbaa99887766554433221100',
      session: '0123456789abcdef',
      connId: 7,
      nextSeqno: 0x1_0000_0002,
      extensions: Buffer.from([9, 8]),
    },
    bytes: framed(
      '01 0001 0003 80000001 01 0004 70726f64',
      SENDER_HEX,
      'ffeeddccbbaa99887766554433221100 0123456789abcdef 00000007 0000000100000002 0002 0908',
    ),
  },
  {
    name: 'WELCOME',
    frame: {
      type: 'WELCOME',
      version: 1,
      features: 0,
      acceptor: { ...SENDER, kind: 'locator', name: '', host: '::1' },
      lastSeqno: 0,
      maxFrameBytes: 0x100000,
      extensions: Buffer.alloc(0),
    },
    bytes: framed(
      '02 0001 00000000 0003 3a3a31 a028 00112233445566778899aabbccddeeff ffffffff 00000096 0000 0b',
      '0000000a 00000001 0000000000000000 00100000 0000',
    ),
  },
  {
    name: 'REJECT',
    frame: { type: 'REJECT', code: 4, reason: 'no' },
    bytes: framed('03 0004 0002 6e6f'),
  },
  {
    name: 'DATA',
    frame: { type: 'DATA', seqno: 258, flags: DataFlag.MORE, payload: Buffer.from([1, 2, 3]) },
    bytes: hex('0000000d 04 0000000000000102 02 010203'),
  },
  {
    name: 'DATA, empty and unordered, largest seqno',
    frame: { type: 'DATA', seqno: 2 ** 53 - 1, flags: DataFlag.UNORDERED, payload: Buffer.alloc(0) },
    bytes: hex('0000000a 04 001fffffffffffff 01'),
  },
  {
    name: 'UNRELIABLE',
    frame: { type: 'UNRELIABLE', payload: Buffer.from([255]) },
    bytes: hex('00000003 05 00 ff'),
  },
  { name: 'ACK', frame: { type: 'ACK', seqno: 1 }, bytes: hex('00000009 06 0000000000000001') },
  {
    name: 'PING',
    frame: { type: 'PING', token: '00000000000000ff' },
    bytes: hex('00000009 07 00000000000000ff'),
  },
  {
    name: 'PONG',
    frame: { type: 'PONG', token: 'ffffffffffffffff' },
    bytes: hex('00000009 08 ffffffffffffffff'),
  },
  {
    name: 'GOODBYE',
    frame: { type: 'GOODBYE', code: 1, reason: '' },
    bytes: hex('00000005 09 0001 0000'),
  },
];

const ALL = Buffer.concat(VECTORS.map((vector) => vector.bytes));

/** Feeds chunks of the given sizes (the last one repeats) and collects the frames. */
function feed(decoder: FrameDecoder, bytes: Uint8Array, sizes: readonly number[]): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[Math.min(i, sizes.length - 1)] ?? 1);
    decoder.push(bytes.subarray(at, at + size));
    at += size;
    for (let frame = decoder.next(); frame !== null; frame = decoder.next()) frames.push(frame);
  }
  return frames;
}

for (const { name, frame, bytes } of VECTORS) {
  test(`${name}: bytes to frame and back`, (t) => {
    t.is(encodeFrame(frame).toString('hex'), bytes.toString('hex'));
    t.deepEqual(decodeFrame(bytes), frame);
  });

  test(`${name}: cut off or with trailing bytes`, (t) => {
    for (let size = 0; size < bytes.length; size++)
      t.throws(() => decodeFrame(bytes.subarray(0, size)), { instanceOf: TruncatedError });
    t.throws(() => decodeFrame(Buffer.concat([bytes, Buffer.alloc(1)])), { code: 'ERR_TRAILING_BYTES' });
    if (frame.type === 'DATA' || frame.type === 'UNRELIABLE') return; // their payload goes to the end
    const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
    longer.writeUInt32BE(longer.length - 4, 0);
    t.throws(() => decodeFrame(longer), { code: 'ERR_TRAILING_BYTES' });
    for (let size = 5; size < bytes.length; size++) {
      const shorter = Buffer.from(bytes.subarray(0, size));
      shorter.writeUInt32BE(size - 4, 0);
      t.throws(() => decodeFrame(shorter), { instanceOf: TruncatedError });
    }
  });
}

test('stream: any chunking gives the same frames', (t) => {
  const expected = VECTORS.map((vector) => vector.frame);
  for (let size = 1; size <= ALL.length; size++)
    t.deepEqual(feed(new FrameDecoder(false), ALL, [size]), expected);
  const withPreamble = Buffer.concat([Buffer.from(PREAMBLE), ALL]);
  for (let first = 1; first <= withPreamble.length; first++)
    t.deepEqual(feed(new FrameDecoder(true), withPreamble, [first, withPreamble.length]), expected);
  t.deepEqual(feed(new FrameDecoder(true), withPreamble, [1]), expected);
});

test('stream: pushing on before all frames were taken loses nothing', (t) => {
  const decoder = new FrameDecoder(false);
  decoder.push(ALL.subarray(0, 200));
  const frames = [decoder.next()];
  decoder.push(ALL.subarray(200));
  for (let frame = decoder.next(); frame !== null; frame = decoder.next()) frames.push(frame);
  t.deepEqual(
    frames,
    VECTORS.map((vector) => vector.frame),
  );
});

test('stream: a payload that lies whole in a chunk is a view of it', (t) => {
  const decoder = new FrameDecoder(false);
  const chunk = Buffer.from(hex('0000000d 04 0000000000000102 00 010203'));
  decoder.push(chunk);
  const frame = decoder.next();
  t.true(frame?.type === 'DATA' && frame.payload.buffer === chunk.buffer);
});

test('stream: limits, and nothing is allocated by what a length promises', (t) => {
  const over = (limit: number): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(limit + 1);
    return length;
  };
  const early = new FrameDecoder(false);
  early.push(over(MAX_HANDSHAKE_FRAME_BYTES));
  t.throws(() => early.next(), { code: 'ERR_LIMIT', message: /^length at byte 0/ });
  const late = new FrameDecoder(false);
  late.allowLargeFrames();
  late.push(over(MAX_FRAME_BYTES));
  t.throws(() => late.next(), { code: 'ERR_LIMIT' });
  const empty = new FrameDecoder(false);
  empty.push(Buffer.alloc(4));
  t.throws(() => empty.next(), { code: 'ERR_VALUE' });

  const before = process.memoryUsage().arrayBuffers;
  const promises = Array.from({ length: 200 }, () => {
    const decoder = new FrameDecoder(false);
    decoder.allowLargeFrames();
    decoder.push(hex('00100000 04'));
    t.is(decoder.next(), null);
    return decoder;
  });
  t.true(process.memoryUsage().arrayBuffers - before < 200 * 64 * 1024, `${promises.length} decoders`);
});

test('stream: a large frame in small chunks is put together in linear time', (t) => {
  const decoder = new FrameDecoder(false);
  decoder.allowLargeFrames();
  const payload = Buffer.alloc(MAX_FRAME_BYTES - 10, 7);
  const bytes = encodeFrame({ type: 'DATA', seqno: 1, flags: 0, payload });
  const frames = feed(decoder, bytes, [61]);
  t.is(frames.length, 1);
  t.true(frames[0]?.type === 'DATA' && payload.equals(frames[0].payload));
});

test('refused: wrong preamble, unknown type, unknown flags, seqno 0 or over 2^53, bad text, bad kind', (t) => {
  for (const wrong of ['16030100', '47455420', '62656c61', 'f5524753']) {
    const decoder = new FrameDecoder(true);
    decoder.push(hex(wrong));
    t.throws(() => decoder.next(), { instanceOf: CodecError, message: /^preamble/ }, wrong);
  }
  const refused = (bytes: Buffer, offset: number, field: string): void => {
    const error = t.throws(() => decodeFrame(bytes), { instanceOf: CodecError });
    t.deepEqual([error.offset, error.field], [offset, field]);
  };
  refused(framed('00'), 4, 'type');
  refused(framed('0a'), 4, 'type');
  refused(framed('ff'), 4, 'type');
  refused(framed('04 0000000000000000 00'), 5, 'seqno');
  refused(framed('04 0020000000000000 00'), 5, 'seqno');
  refused(framed('06 8000000000000001'), 5, 'seqno');
  refused(framed('04 0000000000000001 04'), 13, 'flags');
  refused(framed('05 01'), 5, 'flags');
  refused(framed('03 0001 0002 c328'), 9, 'reason');
  refused(framed('03 0001 0401', '61'.repeat(0x401)), 9, 'reason');
  const welcome = VECTORS[1]?.bytes ?? Buffer.alloc(0);
  const unkind = Buffer.from(welcome);
  const kindAt = welcome.indexOf(hex('0b 0000000a'));
  unkind[kindAt] = 1;
  refused(unkind, kindAt, 'member.kind');
  const tiny = Buffer.from(welcome);
  tiny.writeUInt32BE(100, welcome.length - 6);
  refused(tiny, welcome.length - 6, 'maxFrameBytes');
});

test('encoding refuses texts and extensions over their limits', (t) => {
  t.throws(() => encodeFrame({ type: 'REJECT', code: 1, reason: 'x'.repeat(1025) }), { code: 'ERR_LIMIT' });
  const hello = VECTORS[0]?.frame;
  if (hello?.type !== 'HELLO') return t.fail();
  t.throws(() => encodeFrame({ ...hello, cluster: 'x'.repeat(4097) }), { code: 'ERR_LIMIT' });
  t.throws(() => encodeFrame({ ...hello, extensions: Buffer.alloc(16 * 1024 + 1) }), { code: 'ERR_LIMIT' });
});

test('random damage gives frames or a CodecError, nothing else', (t) => {
  const rng = seededRng(20_260);
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(ALL);
    for (let i = below(rng, 6); i >= 0; i--) bytes[below(rng, bytes.length)] = below(rng, 256);
    try {
      feed(new FrameDecoder(false), bytes, [1 + below(rng, 80)]);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      refused++;
    }
  }
  t.true(refused > 10_000, `${refused}`);
});

test('stream: DATA is read in place as decodeFrame reads it, whole or damaged', (t) => {
  const rng = seededRng(7);
  const outcome = (read: () => Frame | null): unknown => {
    try {
      return read();
    } catch (error) {
      if (error instanceof CodecError) return `${error.code} ${error.message}`;
      throw error;
    }
  };
  for (let i = 0; i < 3_000; i++) {
    const seqno = 1 + below(rng, 2) * 2 ** (8 * below(rng, 6)) + below(rng, 200);
    const bytes = encodeFrame({
      type: 'DATA',
      seqno,
      flags: below(rng, 4),
      payload: Buffer.alloc(below(rng, 20), 7),
    });
    // of the seqno and the flags, or none
    if (below(rng, 2) === 1) bytes[5 + below(rng, 9)] = [0, 1, 0x1f, 0x20, 0xff][below(rng, 5)] ?? 0;
    const decoder = new FrameDecoder(false);
    decoder.push(bytes);
    t.deepEqual(
      outcome(() => decoder.next()),
      outcome(() => decodeFrame(bytes)),
    );
  }
});
