/** A messenger that records its own traffic, on real sockets: what the file holds is what went through them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { CaptureReader, type CaptureItem } from '../../../codecs/pcap/index.ts';
import { createMessenger, createView, LocalProtocolError, type RecordOptions } from '../../../src/index.ts';
import { createNodeEnvironment, type NodeEnvironment } from '../../../src/io/node-environment.ts';
import type { RecorderOptions } from '../../../src/io/recorder.ts';
import type { DatagramSocket, PortPair, Stream, StreamListener } from '../../../src/protocol/environment.ts';
import type { Logger } from '../../../src/protocol/logger.ts';
import type { Messenger } from '../../../src/protocol/messenger.ts';
import { DelegatingMessenger } from '../../../src/upgrade/delegating-messenger.ts';

const HOST = '127.0.0.1';
const MIN_BYTES = 128 * 1024;

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'rollgate-record-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function quietLogger(): Logger & { warnings: string[] } {
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  return { warnings, debug: ignore, info: ignore, warn: (line) => warnings.push(line), error: ignore };
}

function readCapture(file: string): CaptureItem[] {
  const reader = new CaptureReader();
  return [...reader.push(readFileSync(file)), ...reader.end()];
}

/** Bytes, short enough to be read where they differ. */
function brief(bytes: Uint8Array): string {
  return `${bytes.length}:${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

/** The recorded datagrams and streams by `from>to`, and whatever else there is. */
function contents(file: string): { udp: string[]; tcp: Map<string, Buffer>; strange: CaptureItem[] } {
  const udp: string[] = [];
  const tcp = new Map<string, Buffer>();
  const strange: CaptureItem[] = [];
  for (const item of readCapture(file)) {
    if (item.kind === 'udp') {
      udp.push(`${item.from.text}>${item.to.text} ${brief(item.payload)}`);
    } else if (item.kind === 'tcp') {
      const key = `${item.stream.from.text}>${item.stream.to.text}`;
      tcp.set(key, Buffer.concat([tcp.get(key) ?? Buffer.alloc(0), item.payload]));
      if (!item.stream.fromStart) strange.push(item);
    } else if (item.kind !== 'tcp-end' || item.reason !== 'closed') {
      strange.push(item);
    }
  }
  return { udp, tcp, strange };
}

/** What a member's sockets sent and received, noted where the messenger meets them. */
interface Truth {
  udp: string[];
  tcp: Map<string, Buffer[]>;
}

/** An environment that records into a file, and notes the truth beside. */
function observed(
  recorder: RecorderOptions | undefined,
  logger: Logger,
): { environment: NodeEnvironment; truth: Truth } {
  const inner = createNodeEnvironment({ logger, ...(recorder === undefined ? {} : { recorder }) });
  const truth: Truth = { udp: [], tcp: new Map() };
  const environment: NodeEnvironment = {
    nowMs: () => inner.nowMs(),
    createTimer: (callback) => inner.createTimer(callback),
    rng: inner.rng,
    logger,
    get recording() {
      return inner.recording;
    },
    async bind(options): Promise<PortPair> {
      const pair = await inner.bind(options);
      const local = `${pair.host}:${pair.port}`;
      return {
        ...pair,
        udp: pair.udp === null ? null : watchDatagrams(pair.udp, local, truth),
        tcp: pair.tcp === null ? null : watchStreams(pair.tcp, truth),
      };
    },
  };
  return { environment, truth };
}

function watchDatagrams(inner: DatagramSocket, local: string, truth: Truth): DatagramSocket {
  const note = (from: string, to: string, bytes: Uint8Array): void =>
    void truth.udp.push(`${from}>${to} ${brief(bytes)}`);
  const outer: DatagramSocket = {
    onDatagram: () => undefined,
    send(bytes, host, port) {
      note(local, `${host}:${port}`, bytes);
      inner.send(bytes, host, port);
    },
    close: () => inner.close(),
  };
  inner.onDatagram = (bytes, host, port) => {
    note(`${host}:${port}`, local, bytes);
    outer.onDatagram(bytes, host, port);
  };
  return outer;
}

/** Notes the bytes of each stream by its number and direction. */
function watchStreams(inner: StreamListener, truth: Truth): StreamListener {
  let streams = 0;
  const watch = (stream: Stream): Stream => {
    const id = ++streams;
    const note = (direction: string, bytes: Uint8Array): void => {
      const key = `${id} ${direction}`;
      truth.tcp.set(key, [...(truth.tcp.get(key) ?? []), Buffer.from(bytes)]);
    };
    const write = stream.write.bind(stream);
    stream.write = (bytes) => {
      note('out', bytes);
      return write(bytes);
    };
    return new Proxy(stream, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' && name !== 'write' ? (value.bind(target) as unknown) : value;
      },
      set: (target, name, value: unknown) => {
        if (name !== 'onData') return Reflect.set(target, name, value, target);
        target.onData = (bytes) => {
          note('in', bytes);
          (value as Stream['onData'])(bytes);
        };
        return true;
      },
    });
  };
  const outer: StreamListener = {
    admits: () => true,
    onConnection: () => undefined,
    connect: (host, port) => watch(inner.connect(host, port)),
    close: () => inner.close(),
  };
  inner.onConnection = (stream) => outer.onConnection(watch(stream));
  return outer;
}

/** Both send each other messages of many sizes, and stop. */
async function talk(a: Messenger, b: Messenger, sizes: readonly number[], text = 'payload'): Promise<number> {
  let received = 0;
  for (const messenger of [a, b]) messenger.setDefaultHandler(() => received++);
  const view = createView(1, [await a.start(), await b.start()]);
  for (const messenger of [a, b]) messenger.installView(view);
  for (const size of sizes) {
    for (const messenger of [a, b])
      messenger.send({ recipients: 'all', payload: Buffer.alloc(size, `${text} of ${size} bytes. `) });
  }
  await Promise.all([a.flush(20_000), b.flush(20_000)]);
  await Promise.all([a.stop(), b.stop()]);
  return received;
}

const SIZES = [1, 100, 1_400, 20_000, 66_000, 300_000, 7];

for (const [stack, version] of [
  ['udp', 150],
  ['tcp', 200],
] as const) {
  test(`two members that talk by ${stack}: each file holds every byte that its member sent and received`, async (t) => {
    const folder = directory(t);
    const logger = quietLogger();
    const members = ['a', 'b'].map((name) => {
      const file = join(folder, `${name}.pcapng`);
      const { environment, truth } = observed({ file }, logger);
      const messenger = new DelegatingMessenger({
        environment,
        cluster: 'demo',
        host: HOST,
        ports: [0, 0],
        member: { name, version },
      });
      return { file, truth, messenger, environment };
    });
    const [a, b] = members as [(typeof members)[0], (typeof members)[0]];
    const startedMs = Date.now();
    t.is(await talk(a.messenger, b.messenger, SIZES), 2 * SIZES.length);
    t.deepEqual(
      logger.warnings.filter((line) => !line.includes('rmem_max')),
      [],
    );
    for (const { file, truth, environment } of members) {
      const { udp, tcp, strange } = contents(file);
      t.deepEqual(strange, []);
      t.deepEqual(udp, truth.udp, 'datagrams, in order');
      t.deepEqual(
        [...tcp.values()].map((bytes) => brief(bytes)).sort(),
        [...truth.tcp.values()].map((pieces) => brief(Buffer.concat(pieces))).sort(),
        'streams',
      );
      t.true(stack === 'udp' ? udp.length > 2 * SIZES.length : tcp.size === 4);
      t.like(environment.recording, { state: 'closed', dropped: 0, unrecordable: 0 });
      t.is(statSync(file).mode & 0o077, 0);
      for (const { sec } of readCapture(file)) t.true(Math.abs(sec * 1000 - startedMs) < 60_000);
    }
    // what one has received the other has sent, under the same addresses
    for (const [to, from] of [
      [a, b],
      [b, a],
    ] as const) {
      const sent = new Set(contents(from.file).udp);
      const { port } = to.messenger.memberId;
      const received = contents(to.file).udp.filter((line) => line.includes(`>${HOST}:${port} `));
      t.true(stack === 'tcp' || received.length >= SIZES.length);
      for (const line of received) t.true(sent.has(line), line);
    }
    t.deepEqual(contents(a.file).tcp.size, contents(b.file).tcp.size);
    for (const [key, bytes] of contents(a.file).tcp)
      t.true(contents(b.file).tcp.get(key)?.equals(bytes), key);
  });
}

function recordingPair(
  record: RecordOptions,
  versions: readonly [number, number],
  logger = quietLogger(),
): [Messenger, Messenger] {
  const common = { host: HOST, ports: [0, 0] as const, cluster: 'demo', logger };
  return [
    createMessenger({ ...common, member: { name: 'ann', version: versions[0] }, record }),
    createMessenger({ ...common, member: { name: 'bob', version: versions[1] } }),
  ];
}

for (const version of [150, 200]) {
  test(`redacted, members of version ${version}: names stay, payloads do not`, async (t) => {
    const file = join(directory(t), 'redacted.pcapng');
    const [a, b] = recordingPair({ file, redact: 'payloads' }, [version, version]);
    t.is(await talk(a, b, SIZES, 'secret'), 2 * SIZES.length);
    const bytes = readFileSync(file);
    t.false(bytes.includes('secr') || bytes.includes('bytes.'));
    t.true(bytes.includes('demo'));
    t.true(bytes.includes('payloads of messages are zeros'));
    t.deepEqual(contents(file).strange, []);
    t.true(bytes.length > 2 * SIZES.reduce((sum, size) => sum + size), 'lengths are as they were');
  });
}

test('it is recorded what the network was given: what faults have eaten before is not in the file', async (t) => {
  const file = join(directory(t), 'faults.pcapng');
  const environment = createNodeEnvironment({
    faults: { loss: 1 },
    recorder: { file },
    logger: quietLogger(),
  });
  const other = await createNodeEnvironment({ logger: quietLogger() }).bind(bindOptions());
  const pair = await environment.bind(bindOptions());
  const arrived = new Promise<void>((resolve) => {
    const poll = setInterval(() => {
      if (environment.recording!.packets > 0) {
        clearInterval(poll);
        resolve();
      }
    }, 1);
  });
  pair.udp!.send(Buffer.from('eaten'), HOST, other.port);
  other.udp!.send(Buffer.from('came in'), HOST, pair.port);
  await arrived;
  await Promise.all([pair, other].flatMap(({ udp, tcp }) => [udp!.close(), tcp!.close()]));
  t.deepEqual(contents(file).udp, [
    `${HOST}:${other.port}>${HOST}:${pair.port} ${brief(Buffer.from('came in'))}`,
  ]);
});

function bindOptions(host = HOST): Parameters<NodeEnvironment['bind']>[0] {
  const buffers = { udpReceiveBufferBytes: 200_000, udpSendBufferBytes: 200_000 };
  return { host, ports: [0, 0], udp: true, tcp: true, ...buffers };
}

test('maxBytes: the file stays below it, says how much is missing, and the messenger goes on', async (t) => {
  const file = join(directory(t), 'full.pcapng');
  const logger = quietLogger();
  const [a, b] = recordingPair({ file, maxBytes: MIN_BYTES }, [150, 150], logger);
  t.is(await talk(a, b, SIZES), 2 * SIZES.length);
  t.true(statSync(file).size <= MIN_BYTES);
  t.true(statSync(file).size > MIN_BYTES / 4);
  t.deepEqual(contents(file).strange, []);
  t.is(logger.warnings.filter((line) => line.includes(`${file} has reached its limit`)).length, 1);
});

test('maxBytes: with rotation two files hold the last of it', async (t) => {
  const file = join(directory(t), 'rotated.pcapng');
  const logger = quietLogger();
  const environment = createNodeEnvironment({
    recorder: { file, maxBytes: MIN_BYTES, whenFull: 'rotate' },
    logger,
  });
  const pair = await environment.bind(bindOptions());
  const sent: string[] = [];
  for (let i = 0; i < 300; i++) {
    const payload = Buffer.alloc(2_000, `${i} `);
    sent.push(brief(payload));
    pair.udp!.send(payload, HOST, 9);
  }
  await Promise.all([pair.udp!.close(), pair.tcp!.close()]);
  const found = [`${file}.1`, file].flatMap((part) => {
    t.true(statSync(part).size <= MIN_BYTES);
    const { udp, strange } = contents(part);
    t.deepEqual(strange, []);
    return udp.map((line) => line.slice(line.indexOf(' ') + 1));
  });
  t.true(found.length > 60);
  t.deepEqual(found, sent.slice(-found.length));
  t.like(environment.recording, { packets: 300, dropped: 0, state: 'closed' });
  t.deepEqual(logger.warnings, []);
});

test('a file that cannot be written costs one warning', async (t) => {
  const folder = directory(t);
  for (const [file, why] of [
    [join(folder, 'no', 'such', 'folder.pcapng'), /ENOENT/],
    [folder, /EISDIR/],
  ] as const) {
    const logger = quietLogger();
    const [a, b] = recordingPair({ file }, [150, 200], logger);
    t.is(await talk(a, b, SIZES), 2 * SIZES.length);
    const warnings = logger.warnings.filter((line) => line.includes('nothing more is recorded'));
    t.is(warnings.length, 1);
    t.regex(warnings[0]!, why);
  }
});

test('a disk that is full leaves a file that can be read, or none, and harms nobody', async (t) => {
  if (!existsSync('/dev/full')) {
    t.pass('there is no /dev/full here');
    return;
  }
  const logger = quietLogger();
  const [a, b] = recordingPair({ file: '/dev/full' }, [200, 200], logger);
  t.is(await talk(a, b, SIZES), 2 * SIZES.length);
  t.is(logger.warnings.filter((line) => line.includes('ENOSPC')).length, 1);
});

test('a disk that is slower than the traffic: packets are dropped and counted, memory is bounded', async (t) => {
  const file = join(directory(t), 'slow.pcapng');
  const logger = quietLogger();
  const environment = createNodeEnvironment({ recorder: { file }, logger });
  const pair = await environment.bind(bindOptions());
  // all in one turn of the event loop, in which nothing can be written
  for (let i = 0; i < 400; i++) pair.udp!.send(Buffer.alloc(60_000), HOST, 9);
  const { packets, dropped } = environment.recording!;
  t.true(packets > 100 && dropped > 0, `${packets} recorded, ${dropped} dropped`);
  await Promise.all([pair.udp!.close(), pair.tcp!.close()]);
  t.is(contents(file).udp.length, environment.recording!.packets);
  t.is(logger.warnings.filter((line) => line.includes('too slow')).length, 1);
});

test('an environment that is used again goes on in the same file', async (t) => {
  const file = join(directory(t), 'twice.pcapng');
  const environment = createNodeEnvironment({ recorder: { file }, logger: quietLogger() });
  for (const text of ['first', 'second']) {
    const { udp, tcp } = await environment.bind(bindOptions());
    udp!.send(Buffer.from(text), HOST, 9);
    await Promise.all([udp!.close(), tcp!.close(), udp!.close()]);
  }
  const { udp, strange } = contents(file);
  t.deepEqual(strange, []);
  t.deepEqual(
    udp.map((line) => line.split(' ')[1]),
    ['first', 'second'].map((text) => brief(Buffer.from(text))),
  );
});

test('streams: early writes, late ends and breaks are in the file as they were; IPv6 too', async (t) => {
  const folder = directory(t);
  for (const [host, literal] of [
    [HOST, HOST],
    ['::1', '[::1]'],
  ] as const) {
    const file = join(folder, `streams-${host.length}.pcapng`);
    const environment = createNodeEnvironment({ recorder: { file }, logger: quietLogger() });
    const near = await environment.bind(bindOptions(host)).catch(() => null);
    if (near === null) {
      t.log(`no ${host} here`);
      continue;
    }
    const far = await createNodeEnvironment({ logger: quietLogger() }).bind(bindOptions(host));
    const accepted = new Promise<Stream>((resolve) => (far.tcp!.onConnection = resolve));
    const stream = near.tcp!.connect(host, far.port);
    t.is(`${stream.remoteHost} ${stream.remotePort}`, `${host} ${far.port}`);
    stream.write(Buffer.from('before it is open, '));
    await new Promise<void>((resolve) => (stream.onOpen = resolve));
    stream.write(Buffer.from('and after'));
    const other = await accepted;
    const heard = new Promise<void>((resolve) => (stream.onData = () => resolve()));
    other.write(Buffer.from('heard'));
    await heard;
    stream.end();
    t.false(stream.write(Buffer.from('too late')));
    await new Promise<void>((resolve) => (stream.onClose = () => resolve()));
    const refused = near.tcp!.connect(host, 1);
    await new Promise<void>((resolve) => (refused.onClose = () => resolve()));
    near.udp!.send(Buffer.from('six or four'), host, far.port);
    await Promise.all([near, far].flatMap(({ udp, tcp }) => [udp!.close(), tcp!.close()]));
    const { udp, tcp, strange } = contents(file);
    t.deepEqual(strange, []);
    t.deepEqual([...tcp.values()].map(String).sort(), ['before it is open, and after', 'heard']);
    t.true([...tcp.keys()].every((key) => key.includes(`${literal}:${far.port}`)));
    t.is(udp[0]?.split(' ')[0], `${literal}:${near.port}>${literal}:${far.port}`);
  }
});

test('options that cannot be are refused before anything is written', (t) => {
  const folder = directory(t);
  mkdirSync(join(folder, 'x'));
  const file = join(folder, 'x', 'never.pcapng');
  for (const record of [
    { file: '' },
    { file, maxBytes: 0 },
    { file, maxBytes: MIN_BYTES - 1 },
    { file, maxBytes: 1e9 + 0.5 },
    { file, maxBytes: NaN },
    { file, whenFull: 'explode' },
    { file, redact: 'keys' },
    { file, redact: true },
    {},
  ]) {
    t.throws(() => recordingPair(record as RecordOptions, [200, 200]), {
      instanceOf: LocalProtocolError,
      code: 'ERR_OPTIONS',
    });
  }
  t.false(existsSync(file));
});
