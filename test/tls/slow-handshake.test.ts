/** TLS handshakes that take their time, or are larger than any: cut off by time and by size. */
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import test, { type ExecutionContext } from 'ava';

import type { TlsOptions } from '../../src/security/options.ts';
import { Authority } from './certificates.ts';
import { HOST, installView, logged, send, startMember, type TestMember, until } from './members.ts';

const authority = new Authority();

/** So long a handshake may take in these tests (it is 5 s by default), and then to hear why it was refused. */
const MEMBER_TIMEOUT_MS = 2_000;
const LINGER_MS = 500;

/** For a machine that is busy. */
const SLACK_MS = 4_000;

function startDoor(t: ExecutionContext, name = 'a'): Promise<TestMember> {
  const tls: TlsOptions = { mode: 'required', ...authority.issue({ name }), ca: authority.cert };
  return startMember(t, name, tls, { memberTimeoutMs: MEMBER_TIMEOUT_MS });
}

/** A real ClientHello, without the header of its record. */
async function clientHello(t: ExecutionContext): Promise<Buffer> {
  const record = await new Promise<Buffer>((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes: Buffer) => {
        socket.destroy();
        resolve(bytes);
      });
    });
    t.teardown(() => server.close());
    server.listen(0, HOST, () => {
      const address = server.address();
      if (typeof address !== 'object' || address === null) throw new Error('not listening');
      connectTls({ host: HOST, port: address.port }).on('error', () => undefined);
    });
  });
  t.is(record.readUInt16BE(3), record.length - 5, 'it came in one piece');
  return record.subarray(5);
}

/** A handshake message in records of so many bytes each. */
function inRecords(message: Buffer, size: number): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(
      Buffer.concat([Buffer.from([0x16, 0x03, 0x01, part.length >>> 8, part.length & 0xff]), part]),
    );
  }
  return records;
}

interface Visit {
  readonly socket: Socket;
  readonly answer: Buffer[];
  closedMs: number | null;
}

function visit(t: ExecutionContext, { id }: TestMember): Visit {
  const socket = connect({ host: HOST, port: id.port, noDelay: true });
  const startMs = performance.now();
  const visitor: Visit = { socket, answer: [], closedMs: null };
  t.teardown(() => socket.destroy());
  socket.on('data', (bytes: Buffer) => visitor.answer.push(bytes));
  socket.on('error', () => undefined);
  socket.on('close', () => (visitor.closedMs = performance.now() - startMs));
  return visitor;
}

/** Writes a piece every so often, until there is none or nobody to write to. */
function drip(t: ExecutionContext, { socket }: Visit, pieces: readonly Buffer[], everyMs: number): void {
  let next = 0;
  const timer = setInterval(() => {
    const piece = pieces[next++];
    if (piece !== undefined && socket.writable) socket.write(piece);
  }, everyMs);
  t.teardown(() => clearInterval(timer));
}

async function isCutInTime(t: ExecutionContext, visitor: Visit): Promise<void> {
  const limitMs = MEMBER_TIMEOUT_MS + LINGER_MS + SLACK_MS;
  t.true(await until(() => visitor.closedMs !== null, limitMs));
  const closedMs = visitor.closedMs ?? 0;
  t.true(closedMs >= MEMBER_TIMEOUT_MS - 50 && closedMs <= limitMs, `closed after ${closedMs} ms`);
}

test('a ClientHello in records of one byte is answered', async (t) => {
  const door = await startDoor(t);
  const visitor = visit(t, door);
  visitor.socket.write(Buffer.concat(inRecords(await clientHello(t), 1)));
  t.true(await until(() => visitor.answer[0]?.[0] === 0x16), door.log.join('\n'));
});

test('a slow ClientHello is cut off in time, however its bytes come, and delays nobody', async (t) => {
  const hello = await clientHello(t);
  const [door, other] = [await startDoor(t), await startDoor(t, 'b')];
  const plain = inRecords(hello, hello.length)[0] ?? Buffer.alloc(0);
  const slow: readonly [string, Buffer[], number][] = [
    ['a byte at a time', [...plain].map((byte) => Buffer.of(byte)), 100],
    ['a byte a second', [...plain].map((byte) => Buffer.of(byte)), 1_000],
    ['records of one byte', inRecords(hello, 1), 50],
    ['all records but the last', [Buffer.concat(inRecords(hello, 1).slice(0, -1))], 1],
  ];
  const visitors = slow.map(([, pieces, everyMs]) => {
    const visitor = visit(t, door);
    drip(t, visitor, pieces, everyMs);
    return visitor;
  });
  installView([door, other]);
  send(other, door, 'x');
  t.true(await other.messenger.flush(15_000), other.log.join('\n'));
  t.true(
    visitors.every(({ closedMs }) => closedMs === null),
    'a member gets on beside them',
  );
  for (const visitor of visitors) await isCutInTime(t, visitor);
  t.true(logged(door, 'TIMEOUT: no HELLO in time'), door.log.join('\n'));
  t.is(door.messenger.stats().stacks.tcp?.counters['rejections'], slow.length);
});

test('a handshake that is done is no HELLO: the same time holds', async (t) => {
  const door = await startDoor(t);
  const socket = connectTls({
    host: HOST,
    port: door.id.port,
    ...authority.issue({ name: 'x' }),
    ca: authority.cert,
    checkServerIdentity: () => undefined,
  });
  t.teardown(() => socket.destroy());
  const answer: Buffer[] = [];
  let isClosed = false;
  socket.on('data', (bytes: Buffer) => answer.push(bytes));
  socket.on('close', () => (isClosed = true));
  socket.on('error', () => undefined);
  t.true(await until(() => isClosed, MEMBER_TIMEOUT_MS + LINGER_MS + SLACK_MS));
  t.true(Buffer.concat(answer).includes('no HELLO in time'));
});

test('a handshake message larger than any is refused before it is there', async (t) => {
  const door = await startDoor(t);
  const huge = Buffer.concat([Buffer.from([0x01, 0xff, 0xff, 0xff]), Buffer.alloc(100)]);
  const empty = Buffer.concat(
    Array.from({ length: 1_000 }, () => Buffer.from([0x16, 0x03, 0x01, 0x00, 0x00])),
  );
  const visitors = [Buffer.concat(inRecords(huge, 10)), empty].map((bytes) => {
    const visitor = visit(t, door);
    visitor.socket.write(bytes);
    return visitor;
  });
  t.true(await until(() => visitors.every(({ closedMs }) => closedMs !== null)));
  t.false(logged(door, 'TIMEOUT'), 'it is its size');
  t.true(logged(door, 'TLS failed: not valid TLS'), door.log.join('\n'));
  t.is(door.messenger.stats().tls?.handshakeFailures, visitors.length);
});
