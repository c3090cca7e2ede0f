/** What `stats().tls` counts, and what an operator who rolls out encryption reads of it. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import test from 'ava';

import { createView } from '../../src/index.ts';
import type { TlsMode, TlsStats } from '../../src/protocol/security.ts';
import type { TlsOptions } from '../../src/security/options.ts';
import { Authority } from './certificates.ts';
import {
  HOST,
  installView,
  logged,
  send,
  startMember,
  startPair,
  type TestMember,
  until,
} from './members.ts';

const authority = new Authority();

function options(name: string, mode: TlsMode): TlsOptions {
  return { mode, ...authority.issue({ name }), ca: authority.cert };
}

function tlsOf({ messenger }: TestMember): TlsStats {
  const { tls } = messenger.stats();
  if (tls === undefined) throw new Error('no TLS options were given');
  return tls;
}

async function talk(members: readonly TestMember[]): Promise<void> {
  for (const from of members) for (const to of members) if (from !== to) send(from, to, 'x');
  for (const { messenger } of members) await messenger.flush(15_000);
}

test('a roll-out as the members show it: nothing, then mixed, then all encrypted', async (t) => {
  const a = await startMember(t, 'a', options('a', 'accept-both'));
  const b = await startMember(t, 'b', options('b', 'accept-both'));
  const old = await startMember(t, 'old', { mode: 'off' });
  t.is(tlsOf(a).allEncrypted, null);
  t.deepEqual(tlsOf(a).connections, { tls: 0, plaintext: 0 });

  installView([a, b, old]);
  await talk([a, b, old]);
  for (const { allEncrypted, connections } of [tlsOf(a), tlsOf(b)]) {
    t.is(allEncrypted, false);
    t.deepEqual(connections, { tls: 2, plaintext: 2 });
  }
  t.deepEqual(tlsOf(old).connections, { tls: 0, plaintext: 4 });
  t.is(tlsOf(a).plaintextConnections, 2);

  // the last one is started anew
  await old.messenger.stop();
  const c = await startMember(t, 'c', options('c', 'required'));
  installView([a, b, c]);
  await talk([a, b, c]);
  t.true(await until(() => tlsOf(a).allEncrypted === true && tlsOf(b).allEncrypted === true));
  for (const member of [a, b, c]) t.deepEqual(tlsOf(member).connections, { tls: 4, plaintext: 0 });

  await Promise.all([b.messenger.stop(), c.messenger.stop()]);
  t.true(await until(() => tlsOf(a).connections.tls === 0), JSON.stringify(tlsOf(a)));
  t.is(tlsOf(a).allEncrypted, null);
});

test('attempts that never connect, and visitors who say no HELLO, are no plaintext connections', async (t) => {
  const [a, b] = await startPair(t, options('a', 'accept-both'), { mode: 'off' });
  send(a, b, 'x');
  t.true(await a.messenger.flush(15_000));
  t.is(tlsOf(a).plaintextConnections, 1);
  await b.messenger.stop(); // a takes it for one that speaks plaintext
  send(a, b, 'y');
  const lost = () => a.messenger.stats().stacks.tcp?.counters['connectionsLost'] ?? 0;
  t.true(await until(() => lost() >= 4), `${lost()} attempts failed`);
  const visitor = connect({ host: HOST, port: a.id.port });
  t.teardown(() => visitor.destroy());
  visitor.end('GET / HTTP/1.1\r\n\r\n');
  t.true(await until(() => logged(a, 'broke the rules of the wire')));
  t.is(tlsOf(a).plaintextConnections, 1);
  t.deepEqual(tlsOf(a).connections, { tls: 0, plaintext: 0 });
});

test('plaintext that is refused has a count of its own, on both sides', async (t) => {
  const [a, b] = await startPair(t, { mode: 'off' }, options('b', 'required'));
  send(a, b, 'x');
  t.true(await until(() => tlsOf(a).plaintextRefused > 0 && tlsOf(b).plaintextRefused > 0), a.log.join('\n'));
  for (const member of [a, b]) {
    t.is(tlsOf(member).plaintextConnections, 0);
    t.deepEqual(tlsOf(member).connections, { tls: 0, plaintext: 0 });
  }
});

test('a certificate that is refused at HELLO is a failure, on both sides', async (t) => {
  const bound: TlsOptions = { ...options('b', 'required'), bindCertificateToName: true };
  const [impostor, b] = await startPair(t, options('c', 'required'), bound);
  send(impostor, b, 'x');
  t.true(await until(() => tlsOf(b).handshakeFailures > 0 && tlsOf(impostor).handshakeFailures > 0));
  t.deepEqual(tlsOf(b).connections, { tls: 0, plaintext: 0 });

  const strangers = new Authority('Other authority');
  const own = { mode: 'required', ...strangers.issue({ name: 'x' }), ca: authority.cert } as const;
  const [stranger, other] = await startPair(t, own, options('d', 'required'));
  send(stranger, other, 'x');
  t.true(await until(() => tlsOf(other).handshakeFailures > 0 && tlsOf(stranger).handshakeFailures > 0));
  t.true(logged(other, 'CERTIFICATE: the certificate CN=x is not accepted'), other.log.join('\n'));
});

test("what is no TLS is told in words, OpenSSL's own only at debug", async (t) => {
  const say = (to: TestMember, bytes: Buffer): void => {
    const socket = connect({ host: HOST, port: to.id.port });
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write(bytes);
  };
  const [a, b] = await startPair(t, options('a', 'required'), options('b', 'required'));
  // found by ourselves
  say(a, Buffer.from([0x16, 0x03, 0x01, 0xff, 0xff, 1, 2, 3]));
  t.true(await until(() => logged(a, /^warn: .*TLS failed: not valid TLS \(packet length too long\)$/)));
  t.is(tlsOf(a).handshakeFailures, 1);
  t.false(logged(a, /SSL routines/));
  // and by OpenSSL: a ClientHello of the right size, of zeros
  const zeros = Buffer.alloc(5 + 100);
  zeros.set([0x16, 0x03, 0x01, 0, 100, 1, 0, 0, 96, 3, 3]);
  say(b, zeros);
  t.true(await until(() => logged(b, /^warn: .*TLS failed: not valid TLS \([^)]+\)$/)), b.log.join('\n'));
  t.is(tlsOf(b).handshakeFailures, 1);
  t.false(logged(b, /^(?!debug).*SSL routines/));
  t.true(logged(b, /^debug: .*SSL routines/));
});

test('without a trust store nobody is checked, which is said at the start', async (t) => {
  const unknown = new Authority('Other authority');
  const open = (name: string): TlsOptions => ({
    mode: 'required',
    ...unknown.issue({ name }),
    requireAuthentication: false,
  });
  const [a, b] = await startPair(t, open('a'), open('b'));
  t.true(logged(a, /^warn: TLS: no certificate is checked/), a.log.join('\n'));
  await talk([a, b]);
  t.is(tlsOf(a).allEncrypted, true);
  t.deepEqual(tlsOf(a).connections, { tls: 2, plaintext: 0 });
  const socket = connectTls({ host: HOST, port: b.id.port, rejectUnauthorized: false });
  t.teardown(() => socket.destroy());
  await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
  t.pass();
});

test('what is no TLS on a connection that was open is told in words as well', async (t) => {
  const [a, b] = [
    await startMember(t, 'a', options('a', 'required')),
    await startMember(t, 'b', options('b', 'required')),
  ];
  const passed: Socket[] = [];
  const proxy = createServer((near) => {
    const far = connect({ host: HOST, port: b.id.port });
    passed.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => proxy.listen(0, HOST, resolve));
  t.teardown(() => {
    proxy.close();
    for (const socket of passed) socket.destroy();
  });
  const { port } = proxy.address() as AddressInfo;
  a.messenger.installView(createView(1, [a.id, { ...b.id, port }]));
  b.messenger.installView(createView(1, [a.id, b.id]));
  send(a, { ...b, id: { ...b.id, port } }, 'x');
  t.true(await a.messenger.flush(15_000), a.log.join('\n'));
  const [near] = passed;
  near?.write(Buffer.from('rubbish, and no record of TLS'));
  send(a, { ...b, id: { ...b.id, port } }, 'y');
  t.true(await a.messenger.flush(15_000), a.log.join('\n'));
  t.true(logged(a, /no connection to .*TLS failed: /), a.log.join('\n'));
  t.false(logged(a, /SSL routines/), a.log.join('\n'));
});
