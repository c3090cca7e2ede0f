import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Server } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import type { NodeDatagramSocket } from '../../../src/io/datagram-socket.ts';
import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import type { BindOptions, PortPair, Stream } from '../../../src/protocol/environment.ts';
import { LocalProtocolError, TransportError } from '../../../src/protocol/errors.ts';
import type { Logger } from '../../../src/protocol/logger.ts';

const HOST = '127.0.0.1';

function quietLogger(): Logger & { warnings: string[] } {
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  return { warnings, debug: ignore, info: ignore, warn: (line) => warnings.push(line), error: ignore };
}

async function bind(
  t: ExecutionContext,
  options: Partial<BindOptions> = {},
  logger = quietLogger(),
): Promise<PortPair> {
  const pair = await createNodeEnvironment({ logger }).bind({
    host: HOST,
    ports: [0, 0],
    udp: true,
    tcp: true,
    udpReceiveBufferBytes: 200_000,
    udpSendBufferBytes: 200_000,
    ...options,
  });
  t.teardown(async () => {
    await pair.udp?.close();
    await pair.tcp?.close();
  });
  return pair;
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, HOST, () => resolve(server));
  });
}

/** Collects what a stream reports, and resolves once it is closed. */
function watch(stream: Stream): { text: () => string; closes: (Error | null)[]; closed: Promise<void> } {
  const chunks: Uint8Array[] = [];
  const closes: (Error | null)[] = [];
  stream.onData = (bytes) => chunks.push(bytes);
  const closed = new Promise<void>((resolve) => {
    stream.onClose = (error) => {
      closes.push(error);
      resolve();
    };
  });
  return { text: () => Buffer.concat(chunks).toString(), closes, closed };
}

/** A connection from `a` to `b`: the end that connected, and the one that was accepted. */
async function connectPair(a: PortPair, b: PortPair): Promise<[Stream, Stream]> {
  const accepted = new Promise<Stream>((resolve) => {
    b.tcp!.onConnection = resolve;
  });
  const stream = a.tcp!.connect(b.host, b.port);
  await new Promise<void>((resolve, reject) => {
    stream.onOpen = resolve;
    stream.onClose = reject;
  });
  return [stream, await accepted];
}

test('any port: both halves get the same number', async (t) => {
  const pair = await bind(t);
  t.true(pair.port > 0);
  const udpOnly = createSocket('udp4');
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
    udpOnly.once('error', resolve);
    udpOnly.bind(pair.port, HOST);
  });
  udpOnly.close();
  t.is(error.code, 'EADDRINUSE');
  await t.throwsAsync(listen(pair.port), { code: 'EADDRINUSE' });
});

test('a taken half moves both halves on; a range that is used up names what was tried', async (t) => {
  // The range starts at a port whose TCP half is ours; the ports after it are free or not, as it happens.
  const server = await listen(0);
  t.teardown(() => server.close());
  const first = (server.address() as AddressInfo).port;
  const pair = await bind(t, { ports: [first, Math.min(first + 50, 65_535)] });
  t.true(pair.port > first);

  const free = createSocket('udp4');
  t.teardown(() => free.close());
  // Its UDP half was given back.
  await new Promise<void>((resolve) => free.bind(first, HOST, resolve));

  const error = await t.throwsAsync(bind(t, { ports: [first, first] }), { instanceOf: TransportError });
  t.is(error.code, 'EADDRINUSE');
  t.regex(error.message, new RegExp(`${HOST}.*port ${first} `));
});

test('an address that the machine has not ends at once, with advice', async (t) => {
  const error = await t.throwsAsync(bind(t, { host: '192.0.2.1', ports: [41_000, 41_100] }), {
    instanceOf: TransportError,
  });
  t.is(error.code, 'EADDRNOTAVAIL');
  t.regex(error.message, /192\.0\.2\.1:41000.*no network interface/);
});

test('a range or host that is none is the caller’s error', async (t) => {
  for (const ports of [
    [5, 4],
    [0, 9],
    [-1, 4],
    [70_000, 70_001],
    [1.5, 2],
  ] as const) {
    await t.throwsAsync(bind(t, { ports }), { instanceOf: LocalProtocolError, message: /range of ports/ });
  }
  await t.throwsAsync(bind(t, { host: 'localhost' }), {
    instanceOf: LocalProtocolError,
    message: /IP address/,
  });
});

test('datagrams arrive with their sender; sends that fail are counted and harmless', async (t) => {
  const logger = quietLogger();
  const [a, b] = [await bind(t, {}, logger), await bind(t)];
  const arrived = new Promise<[string, string, number]>((resolve) => {
    b.udp!.onDatagram = (bytes, host, port) => resolve([Buffer.from(bytes).toString(), host, port]);
  });
  a.udp!.send(Buffer.alloc(70_000), b.host, b.port); // EMSGSIZE
  a.udp!.send(Buffer.from('x'), b.host, 0); // no port
  a.udp!.send(Buffer.from('x'), HOST, 1); // nobody there: ICMP port unreachable
  a.udp!.send(Buffer.from('hello'), b.host, b.port);
  t.deepEqual(await arrived, ['hello', HOST, a.port]);
  const { counters } = a.udp as unknown as { counters: Record<string, number> };
  t.like(counters, { datagramsSent: 2, sendErrors: 2 });
  t.is(logger.warnings.length, 1);
  await a.udp!.close();
  await a.udp!.close();
  t.notThrows(() => a.udp!.send(Buffer.from('late'), b.host, b.port));
});

test('a datagram in two parts arrives as one; one that is too long is counted and harmless', async (t) => {
  const [a, b] = [await bind(t), await bind(t)];
  const arrived = new Promise<string>((resolve) => {
    b.udp!.onDatagram = (bytes) => resolve(Buffer.from(bytes).toString());
  });
  a.udp!.sendParts!(Buffer.alloc(10), Buffer.alloc(65_507), HOST, b.port);
  a.udp!.sendParts!(Buffer.from('head '), Buffer.from('and body'), HOST, b.port);
  t.is(await arrived, 'head and body');
  const { counters } = a.udp as NodeDatagramSocket;
  t.is(counters.sendErrors, 1);
  t.is(counters.bytesSent, 13);
});

test('a receive buffer that is not granted is said with the setting to change', async (t) => {
  const logger = quietLogger();
  await bind(t, { udpReceiveBufferBytes: 2_000_000_000 }, logger);
  await bind(t, { udpReceiveBufferBytes: 2_000_000_000 }, logger);
  t.is(logger.warnings.length, 1);
  t.regex(logger.warnings[0]!, /net\.core\.rmem_max=2000000000/);
});

test('IPv6', async (t) => {
  const pair = await bind(t, { host: '::1' }).catch((error: unknown) => error as TransportError);
  if (pair instanceof Error) {
    t.log('no IPv6 here');
    t.regex(pair.code, /EADDRNOTAVAIL|EAFNOSUPPORT/);
    return;
  }
  const other = await bind(t, { host: '::1' });
  const arrived = new Promise<string>((resolve) => (other.udp!.onDatagram = (_bytes, host) => resolve(host)));
  pair.udp!.send(Buffer.from('six'), '::1', other.port);
  t.is(await arrived, '::1');
  await connectPair(pair, other);
});

test('streams: data both ways, an orderly end writes out everything and closes both with null', async (t) => {
  const [near, far] = await connectPair(await bind(t), await bind(t));
  const [nearSeen, farSeen] = [watch(near), watch(far)];
  far.write(Buffer.from('welcome'));
  const big = Buffer.alloc(1_000_000, 'x');
  let written = big.length;
  // The kernel takes a few of them.
  while (near.write(big) && written < 1e9) written += big.length;
  await new Promise<void>((resolve) => (near.onDrain = resolve));
  near.write(Buffer.from('last'));
  near.end();
  await Promise.all([nearSeen.closed, farSeen.closed]);
  t.is(farSeen.text().length, written + 4);
  t.is(nearSeen.text(), 'welcome');
  t.deepEqual([nearSeen.closes, farSeen.closes], [[null], [null]]);
  t.false(near.write(Buffer.from('too late')));
  near.destroy();
});

test('streams: a refused, impossible or destroyed connection closes exactly once', async (t) => {
  const pair = await bind(t);
  const gone = await bind(t);
  await gone.tcp!.close();
  const refused = watch(pair.tcp!.connect(gone.host, gone.port));
  const nonsense = watch(pair.tcp!.connect('no.such.host', 70_000));
  const target = await bind(t);
  const destroyed = pair.tcp!.connect(target.host, target.port);
  const destroyedSeen = watch(destroyed);
  destroyed.destroy();
  destroyed.destroy();
  await Promise.all([refused.closed, nonsense.closed, destroyedSeen.closed]);
  t.is((refused.closes[0] as TransportError).code, 'ECONNREFUSED');
  // whoever is told names the peer
  t.is((refused.closes[0] as TransportError).message, 'connect ECONNREFUSED');
  t.is((nonsense.closes[0] as TransportError).code, 'EINVAL');
  t.deepEqual([refused.closes.length, nonsense.closes.length, destroyedSeen.closes], [1, 1, [null]]);
});

test('closing the listener destroys what is open and frees the port', async (t) => {
  const [a, b] = [await bind(t), await bind(t)];
  const [near, far] = await connectPair(a, b);
  const [nearSeen, farSeen] = [watch(near), watch(far)];
  await b.tcp!.close();
  await b.tcp!.close();
  await b.udp!.close();
  await Promise.all([nearSeen.closed, farSeen.closed]);
  t.is((await bind(t, { ports: [b.port, b.port] })).port, b.port);
});
