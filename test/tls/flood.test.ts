/** Real sockets: connections that fail again and again, and who gets in beside them. */
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

import test, { type ExecutionContext } from 'ava';

import type { TlsOptions } from '../../src/security/options.ts';
import { recordClientHello } from '../../scripts/fuzz/client-hello.ts';
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

const authority = new Authority('Members', 'ec');
const required: TlsOptions = { mode: 'required', ...authority.issue({ name: 'x' }), ca: authority.cert };

/** No member has it. */
const STRANGER = '127.0.0.9';
const MAX_FAILURES = 3;

/** Connects from an address, says it, and resolves to the error's code when it is over, '' without an error. */
function visit(t: ExecutionContext, to: TestMember, bytes: Uint8Array, from: string): Promise<string> {
  return new Promise((resolve) => {
    let code = '';
    const socket = connect({ host: to.id.host, port: to.id.port, localAddress: from });
    t.teardown(() => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''));
    socket.on('close', () => resolve(code));
    socket.on('connect', () => socket.write(bytes));
    // who is answered by a handshake goes
    socket.on('data', () => socket.destroy());
  });
}

const counters = ({ messenger }: TestMember): Readonly<Record<string, number>> =>
  messenger.stats().stacks.tcp?.counters ?? {};

for (const [what, bytes] of [
  ['garbage', Buffer.from([0x16, 0x99, 1, 2, 3])],
  ['ClientHellos that lead nowhere', await recordClientHello()],
  ['plaintext', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
] as const) {
  test(`${what} from one address is reset after a while; members and other addresses get in`, async (t) => {
    const door = { maxFailures: MAX_FAILURES };
    const [a, b] = [await startMember(t, 'a', required), await startMember(t, 'b', required, { door })];
    installView([a, b]);
    for (let i = 0; i < MAX_FAILURES; i++) {
      await visit(t, b, bytes, STRANGER);
      t.is(counters(b)['floodResets'], 0);
    }
    // what ended there may still be under way here
    const failed = (): boolean => (counters(b)['connections'] ?? 0) === 0;
    t.true(await until(failed));
    const startMs = performance.now();
    const accepted = counters(b)['connectionsAccepted'] ?? 0;
    const codes: string[] = [];
    for (let i = 0; i < 3; i++) codes.push(await visit(t, b, bytes, STRANGER));
    t.true(codes.includes('ECONNRESET'), codes.join());
    // of the three, as many may have been let in as seconds that passed
    const forgiven = Math.ceil((performance.now() - startMs) / (20_000 / MAX_FAILURES));
    t.true((counters(b)['floodResets'] ?? 0) >= 3 - forgiven);
    t.is((counters(b)['floodResets'] ?? 0) + (counters(b)['connectionsAccepted'] ?? 0), accepted + 3);
    t.true(logged(b, `warn: connections of ${STRANGER} are reset unread`), b.log.join('\n'));

    send(a, b, 'x');
    t.true(await a.messenger.flush(15_000), a.log.join('\n'));
    await visit(t, b, bytes, '127.0.0.10');
    t.is(b.log.filter((line) => line.includes('reset unread')).length, 1);
  });
}

test('a host of members has more, and each one that gets in clears it', async (t) => {
  const door = { maxFailures: 2 };
  const [a, b] = [await startMember(t, 'a', required), await startMember(t, 'b', required, { door })];
  installView([a, b]);
  const garbage = Buffer.from([0x16, 0x99]);
  for (let i = 0; i < 10; i++) await visit(t, b, garbage, HOST);
  send(a, b, 'x');
  t.true(await a.messenger.flush(15_000), a.log.join('\n'));
  for (let i = 0; i < 10; i++) await visit(t, b, garbage, HOST);
  t.is(counters(b)['floodResets'], 0, b.log.join('\n'));
});

test('without a limit nobody is reset', async (t) => {
  const [, b] = await startPair(t, required, required);
  const free = await startMember(t, 'free', required, { door: { maxFailures: Infinity } });
  for (let i = 0; i < 40; i++) {
    await visit(t, free, Buffer.from([0x16, 0x99]), STRANGER);
    await visit(t, b, Buffer.from([0x16, 0x99]), STRANGER);
  }
  t.is(counters(free)['floodResets'], 0);
  t.true((counters(b)['floodResets'] ?? 0) > 0, 'by default there is one');
});

const hasIpv6 = (networkInterfaces()['lo'] ?? []).some(({ address }) => address === '::1');

(hasIpv6 ? test : test.skip)(
  'over IPv6 as well: TLS between members, and a flood of their own address',
  async (t) => {
    const door = { maxFailures: 2 };
    const host = '::1';
    const own: TlsOptions = { ...required, ...authority.issue({ name: 'x', addresses: [host] }) };
    const [a, b] = [
      await startMember(t, 'a', { ...own, endpointIdentification: true }, { host }),
      await startMember(t, 'b', own, { host, door }),
    ];
    // b knows of no view, so that ::1 is a stranger's
    const garbage = Buffer.from([0x16, 0x99]);
    const visitAll = (): Promise<string[]> =>
      Promise.all(Array.from({ length: 5 }, () => visit(t, b, garbage, host)));
    await visitAll();
    await visitAll();
    t.true((counters(b)['floodResets'] ?? 0) > 0);
    t.true(logged(b, 'warn: connections of ::1 are reset unread'), b.log.join('\n'));
    installView([a, b]);
    send(a, b, 'x');
    t.true(await a.messenger.flush(15_000), a.log.join('\n'));
    t.is(sendingBy(a, b), 'TLSv1.3');
  },
);
