import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { decodeFrame, encodeFrame, type Frame } from '../../../codecs/tcp/v1/frame.ts';
import { FrameDecoder } from '../../../codecs/tcp/v1/frame-decoder.ts';
import { FrameType, GoodbyeCode, PeerKind, RejectCode } from '../../../codecs/tcp/v1/frame-types.ts';
import { MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, PREAMBLE } from '../../../codecs/tcp/v1/limits.ts';
import type { Environment, Stream } from '../../../src/protocol/environment.ts';
import { createMemberId, type MemberId } from '../../../src/protocol/member-id.ts';
import { createView } from '../../../src/protocol/view.ts';
import { TcpMessenger } from '../../../src/tcp/tcp-messenger.ts';
import { FakeNetwork, type FakeStream } from './fake-network.ts';

/**
 * The golden vectors of protocol version 1. They were built by hand from docs/tcp-wire.md, not by the encoder under
 * test, and no later change may edit them: what they show is out in the world. New files may be added.
 */
const FOLDER = new URL('../../../compat-fixtures/tcp-v1/', import.meta.url);

/** The digest of SHA256SUMS without the lines that were added later: it may only grow. */
const FROZEN = { lines: 18, sha256: '4c9f4868e2bf8301a53f9842bb0b5b3fb722ab492ea2b9e8c59f024cf1a011de' };

interface FrameVector {
  readonly name: string;
  readonly hex: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Step {
  readonly from: 'connector' | 'acceptor';
  readonly hex: string;
  readonly frames: readonly Readonly<Record<string, unknown>>[];
}

interface Conversation {
  readonly acceptor: MemberId;
  readonly connections: readonly (readonly Step[])[];
}

const read = (file: string): Buffer => readFileSync(new URL(file, FOLDER));
const parse = (file: string): unknown => JSON.parse(read(file).toString());
const files = readdirSync(FOLDER);
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Bytes are hex in the files. */
function plain(frame: Frame): Record<string, unknown> {
  const fields = Object.entries(frame) as [string, unknown][];
  return Object.fromEntries(
    fields.map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  );
}

function revive(value: Readonly<Record<string, unknown>>): Frame {
  const fields = Object.entries(value).map(([name, field]) => {
    const isBytes = name === 'payload' || name === 'extensions';
    return [name, isBytes ? Buffer.from(String(field), 'hex') : field];
  });
  const frame: unknown = Object.fromEntries(fields);
  return frame as Frame;
}

test('the vectors are those that were frozen', (t) => {
  const lines = read('SHA256SUMS').toString().trimEnd().split('\n');
  t.is(sha256(lines.slice(0, FROZEN.lines).join('\n')), FROZEN.sha256);
  const listed = lines.map((line) => line.split('  ') as [string, string]);
  for (const [sum, file] of listed) t.is(sha256(read(file)), sum, file);
  t.deepEqual(listed.map(([, file]) => file).sort(), files.filter((file) => file.endsWith('.json')).sort());
});

test('each frame, both ways, whole and byte by byte', (t) => {
  const seen = new Set<string>();
  for (const file of files.filter((name) => name.startsWith('frame-'))) {
    const { hex, value, name } = parse(file) as FrameVector;
    const bytes = Buffer.from(hex, 'hex');
    const frame = decodeFrame(bytes);
    seen.add(frame.type);
    t.deepEqual(plain(frame), value, name);
    t.is(encodeFrame(revive(value)).toString('hex'), hex, name);
    const decoder = new FrameDecoder(false);
    for (const [at, byte] of bytes.entries()) {
      decoder.push(Uint8Array.of(byte));
      const next = decoder.next();
      t.is(next === null, at < bytes.length - 1);
      if (next !== null) t.deepEqual(plain(next), value, name);
    }
  }
  t.deepEqual([...seen].sort(), Object.keys(FrameType).sort(), 'there is a vector for every type of frame');
});

test('numbers that are frozen', (t) => {
  t.is(Buffer.from(PREAMBLE).toString('hex'), 'f5524754');
  t.deepEqual([MAX_FRAME_BYTES, MAX_MESSAGE_BYTES], [1_048_576, 67_108_864]);
  t.deepEqual(Object.values(FrameType), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.deepEqual(PeerKind, { member: 1, gateway: 2 });
  t.like(RejectCode, {
    MALFORMED: 1,
    VERSION: 2,
    CLUSTER: 3,
    RECIPIENT: 4,
    DEPARTED: 5,
    STALE: 6,
    PEER_KIND: 7,
    SEQNO: 8,
    TIMEOUT: 9,
    BUSY: 10,
    STOPPING: 11,
    IDENTITY: 12,
    ADDRESS_BUSY: 13,
    CROWDED: 14,
    GREEDY: 15,
  });
  t.like(GoodbyeCode, { STOPPED: 1, DEPARTED: 2, MALFORMED: 3, REPLACED: 4, SILENT: 5, STALLED: 6 });
});

/** A messenger that is the vectors' member: every random number is the same, so that session and tokens are known. */
async function startAs(network: FakeNetwork, member: MemberId, cluster: string): Promise<TcpMessenger> {
  const environment: Environment = { ...network.environment(), rng: { next: () => 0.5 } };
  const { host, port, uuid, name, version, weight } = member;
  const identity = { uuid, name, version, weight };
  const messenger = new TcpMessenger({ environment, cluster, host, ports: [port, port], member: identity });
  await messenger.start();
  return messenger;
}

/** All that was written to a stream. */
function recordWrites(stream: Stream): () => string {
  let hex = '';
  stream.onData = (bytes) => (hex += Buffer.from(bytes).toString('hex'));
  return () => {
    const said = hex;
    hex = '';
    return said;
  };
}

const conversations = files.filter((name) => name.startsWith('conversation-'));

for (const file of conversations) {
  const { acceptor, connections } = parse(file) as Conversation;
  const senderOf = (): MemberId => createMemberId(connections[0]?.[0]?.frames[0]?.['sender'] as MemberId);

  test(`${file}: the frames are what the bytes say`, (t) => {
    for (const step of connections.flat()) {
      const decoder = new FrameDecoder(step.hex.startsWith('f5524754'));
      decoder.push(Buffer.from(step.hex, 'hex'));
      for (const value of step.frames) t.deepEqual(plain(decoder.next() as Frame), value);
      t.is(decoder.next(), null);
    }
  });

  test(`${file}: our acceptor's side of it`, async (t) => {
    const network = new FakeNetwork();
    const messenger = await startAs(network, acceptor, 'prod');
    messenger.installView(createView(1, [messenger.memberId, senderOf()]));
    for (const steps of connections) {
      const { tcp } = network.listen('10.0.0.9', 0);
      const stream = tcp?.connect(acceptor.host, acceptor.port) as FakeStream;
      const said = recordWrites(stream);
      network.run(3);
      for (const { from, hex } of steps) {
        if (from === 'connector') stream.write(Buffer.from(hex, 'hex'));
        else {
          network.run(10);
          t.is(said(), hex);
        }
      }
      network.run(3);
      stream.destroy();
      network.run(1);
    }
  });

  test(`${file}: our connector's side of it`, async (t) => {
    const network = new FakeNetwork();
    const cluster = String(connections[0]?.[0]?.frames[0]?.['cluster']);
    const messenger = await startAs(network, senderOf(), cluster);
    const streams: Stream[] = [];
    const heard: (() => string)[] = [];
    const { tcp } = network.listen(acceptor.host, acceptor.port);
    if (tcp === null) return t.fail();
    tcp.onConnection = (stream) => {
      streams.push(stream);
      heard.push(recordWrites(stream));
    };
    messenger.installView(createView(1, [messenger.memberId, acceptor]));
    for (const [index, steps] of connections.entries()) {
      // messages that were sent on an earlier connection come again by themselves
      const before = messenger.stats().totals.accepted;
      let seqno = 0;
      for (const { frames } of steps.filter(({ from }) => from === 'connector')) {
        for (const frame of frames) {
          const payload = Buffer.from((frame['payload'] ?? '') as string, 'hex');
          const message = { recipients: [acceptor], payload };
          if (frame['type'] === 'UNRELIABLE') messenger.sendUnreliably(message);
          if (frame['type'] !== 'DATA') continue;
          seqno = Number(frame['seqno']);
          if (seqno > before) messenger.send({ ...message, ordered: frame['flags'] !== 1 });
        }
      }
      if (steps.every(({ frames }) => frames.every(({ type }) => type !== 'DATA')))
        messenger.send({ recipients: [acceptor], payload: Buffer.from('x') });
      network.run(40);
      for (const { from, hex, frames } of steps) {
        if (from === 'acceptor') {
          streams[index]?.write(Buffer.from(hex, 'hex'));
          network.run(3);
          continue;
        }
        if (frames[0]?.['type'] === 'PING') network.run(1_100);
        if (frames[0]?.['type'] === 'GOODBYE') void messenger.stop();
        network.run(3);
        t.is(heard[index]?.(), hex);
      }
      streams[index]?.destroy();
    }
  });
}
