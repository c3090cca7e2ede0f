/** What comes in through the door, one byte at a time, and what should not come in at all. */
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import test, { type ExecutionContext } from 'ava';

import { PREAMBLE } from '../../codecs/tcp/v1/limits.ts';
import type { TlsOptions } from '../../src/security/options.ts';
import { Authority } from './certificates.ts';
import {
  HOST,
  installView,
  logged,
  send,
  sendingBy,
  startMember,
  startPair,
  type TestMember,
  until,
} from './members.ts';

const authority = new Authority();
const accept: TlsOptions = { mode: 'accept-both', ...authority.issue({ name: 'a' }), ca: authority.cert };
const required: TlsOptions = { ...accept, mode: 'required' };

/**
 * Passes connections on, what the connector says in single bytes for the first `slowBytes` of them. The member that
 * is spoken to stands in the view with the address of this one.
 */
async function dripper(t: ExecutionContext, member: TestMember, slowBytes: number): Promise<TestMember> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: HOST, port: member.id.port, noDelay: true });
    const queue: Buffer[] = [];
    let left = slowBytes;
    let busy = false;
    const next = (): void => {
      const head = queue[0];
      if (head === undefined || busy) return;
      const count = left > 0 ? 1 : head.length;
      left -= count;
      far.write(head.subarray(0, count));
      if (count === head.length) queue.shift();
      else queue[0] = head.subarray(count);
      busy = true;
      setImmediate(() => {
        busy = false;
        next();
      });
    };
    near.on('data', (bytes: Buffer) => {
      queue.push(bytes);
      next();
    });
    far.pipe(near);
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      t.teardown(() => socket.destroy());
    }
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  t.teardown(() => server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return { ...member, id: { ...member.id, port: address.port } };
}

for (const [from, expected] of [
  [required, 'TLSv1.3'],
  [{ mode: 'off' } as TlsOptions, 'none'],
] as const) {
  test(`one byte at a time, by ${from.mode}: ${expected}`, async (t) => {
    const a = await startMember(t, 'a', from);
    const b = await startMember(t, 'b', { ...accept, bindCertificateToName: false });
    const slow = await dripper(t, b, 3_000);
    installView([a, b]);
    // only a knows b by the other port
    const members = [a.id, slow.id];
    const { createView } = await import('../../src/index.ts');
    a.messenger.installView(createView(1_000_000, members));
    send(a, slow, 'x'.repeat(100));
    t.true(await a.messenger.flush(15_000), a.log.join('\n'));
    t.is(sendingBy(a, slow), expected);
    t.is(b.received.length, 1);
  });
}

/** Opens a connection, writes, and collects what comes back until the end. */
function speak(t: ExecutionContext, to: TestMember, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve) => {
    const answer: Buffer[] = [];
    const socket = connect({ host: HOST, port: to.id.port });
    t.teardown(() => socket.destroy());
    socket.on('data', (chunk: Buffer) => answer.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(answer)));
    if (bytes.length > 0) socket.write(bytes);
  });
}

test('rubbish is refused with words, whatever the mode, and disturbs nobody', async (t) => {
  const rubbish = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 1, 2, 3, 4, 5]),
    Buffer.from([0x16]),
    Buffer.alloc(100_000, 0x16),
    Buffer.from([...PREAMBLE, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0x80, 0x2e, 0x01, 0x03, 0x01]), // SSL 2
  ];
  for (const mode of [accept, required, { mode: 'off' } as TlsOptions]) {
    const [a, b] = await startPair(t, mode, mode);
    const { port } = b.id;
    const plain = await speak(t, b, rubbish[0]!);
    t.true(plain.includes('is not how a rollgate peer starts'), mode.mode);
    const open: Socket[] = rubbish.map((bytes) => {
      const socket = connect({ host: HOST, port });
      t.teardown(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.write(bytes);
      return socket;
    });
    send(a, b, 'x');
    t.true(await a.messenger.flush(15_000), a.log.join('\n'));
    for (const socket of open) socket.destroy();
  }
});

test('with TLS off a handshake is answered by an alert that names the reason', async (t) => {
  const [, b] = await startPair(t, undefined, undefined);
  const code = await new Promise((resolve) => {
    const socket = connectTls({ host: HOST, port: b.id.port, rejectUnauthorized: false });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  t.is(code, 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED');
  t.true(logged(b, 'it speaks TLS, which is off here'));
});

test('handshakes that never end delay nobody, and are ended', async (t) => {
  const [a, b] = await startPair(t, required, required);
  const half = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]);
  const closed: boolean[] = [];
  for (let index = 0; index < 200; index++) {
    const socket = connect({ host: HOST, port: b.id.port });
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => closed.push(true));
    if (index % 2 === 0) socket.write(half); // the others say nothing at all
  }
  t.true(await until(() => b.messenger.stats().stacks.tcp?.counters['connectionsAccepted'] === 200));
  const startMs = performance.now();
  send(a, b, 'x');
  t.true(await a.messenger.flush(15_000));
  t.true(performance.now() - startMs < 3_000, 'under the time in which the others are given up');
  t.true(await until(() => closed.length === 200, 20_000), `${closed.length} closed`);
});

test('a member that took TLS is never spoken to in plaintext, whoever answers for it', async (t) => {
  const a = await startMember(t, 'a', accept);
  const b = await startMember(t, 'b', accept);
  installView([a, b]);
  send(a, b, 'one');
  t.true(await a.messenger.flush(15_000));
  t.is(sendingBy(a, b), 'TLSv1.3');
  const { port } = b.id;
  await b.messenger.stop();

  // somebody else takes its port, and answers as a member without TLS would
  const heard: Buffer[] = [];
  const impostor = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      heard.push(bytes);
      socket.end(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x31]));
    });
  });
  await new Promise<void>((resolve) => impostor.listen(port, HOST, resolve));
  t.teardown(() => impostor.close());
  send(a, b, 'secret');
  t.true(await until(() => heard.length >= 4), a.log.join('\n'));
  t.true(heard.every((bytes) => bytes[0] === 0x16));
  t.true(logged(a, 'took TLS before and now refuses it'), a.log.join('\n'));
});
