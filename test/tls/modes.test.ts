import test from 'ava';

import type { TlsMode } from '../../src/protocol/security.ts';
import type { TlsOptions } from '../../src/security/options.ts';
import { Authority } from './certificates.ts';
import { installView, logged, send, sendingBy, startMember, startPair, until } from './members.ts';

const authority = new Authority();
const identity = { a: authority.issue({ name: 'a' }), b: authority.issue({ name: 'b' }) };

function options(who: 'a' | 'b', mode: TlsMode, more: Partial<TlsOptions> = {}): TlsOptions {
  return { mode, ...identity[who], ca: authority.cert, ...more };
}

/** What carries messages from a to b, by the modes of both; null: nothing. */
const EXPECTED: readonly [TlsMode, TlsMode, string | null][] = [
  ['off', 'off', 'none'],
  ['off', 'accept-both', 'none'],
  ['off', 'required', null],
  ['accept-both', 'off', 'none'],
  ['accept-both', 'accept-both', 'TLSv1.3'],
  ['accept-both', 'required', 'TLSv1.3'],
  ['required', 'off', null],
  ['required', 'accept-both', 'TLSv1.3'],
  ['required', 'required', 'TLSv1.3'],
];

for (const [from, to, expected] of EXPECTED) {
  test(`from ${from} to ${to}: ${expected ?? 'refused'}`, async (t) => {
    const [a, b] = await startPair(t, options('a', from), options('b', to));
    send(a, b, 'one');
    send(a, b, 'two');
    if (expected === null) {
      const words = from === 'off' ? 'TLS_REQUIRED: this member takes nothing but TLS' : 'takes no TLS';
      t.true(await until(() => logged(a, words)), a.log.join('\n'));
      t.true(logged(b, from === 'off' ? 'TLS_REQUIRED' : 'speaks TLS, which is off here'), b.log.join('\n'));
      t.deepEqual(b.received, []);
      t.is(sendingBy(a, b), null);
      return;
    }
    t.true(await a.messenger.flush(15_000), a.log.join('\n'));
    t.deepEqual(b.received, ['one', 'two']);
    t.is(sendingBy(a, b), expected);
    const receiving = b.messenger.stats().peers[0]?.tls?.receiving;
    t.is(receiving?.protocol, expected);
    t.is(receiving?.certificate?.subject ?? null, expected === 'none' ? null : 'CN=a');
  });
}

test('without TLS options TLS is refused, and who takes both goes on in plaintext', async (t) => {
  const [a, b] = await startPair(t, options('a', 'accept-both'), undefined);
  send(a, b, 'one');
  send(b, a, 'back');
  t.true(await a.messenger.flush(15_000));
  t.true(await b.messenger.flush(15_000));
  t.deepEqual([b.received, a.received], [['one'], ['back']]);
  t.is(sendingBy(a, b), 'none');
  t.true(logged(a, 'plaintext is next'));
  t.is(a.messenger.stats().tls?.refusals, 1);
  t.is(b.messenger.stats().tls, undefined);
});

test('encryption is rolled out and back under traffic: off, accept-both, required', async (t) => {
  const steps: readonly (readonly [TlsMode, TlsMode])[] = [
    ['off', 'off'],
    ['accept-both', 'off'],
    ['accept-both', 'accept-both'],
    ['required', 'accept-both'],
    ['required', 'required'],
    ['accept-both', 'required'],
    ['accept-both', 'accept-both'],
    ['off', 'accept-both'],
  ];
  for (const [of, ofOther] of steps) {
    const [a, b] = await startPair(t, options('a', of), options('b', ofOther));
    send(a, b, 'x');
    send(b, a, 'y');
    t.true((await a.messenger.flush(15_000)) && (await b.messenger.flush(15_000)), `${of} and ${ofOther}`);
    const encrypted = of !== 'off' && ofOther !== 'off';
    t.is(sendingBy(a, b), encrypted ? 'TLSv1.3' : 'none');
    t.is(sendingBy(b, a), encrypted ? 'TLSv1.3' : 'none');
    await Promise.all([a.messenger.stop(), b.messenger.stop()]);
  }
});

test('TLS 1.2 with who speaks nothing newer, and nothing without a version in common', async (t) => {
  const old = options('b', 'required', { protocols: ['TLSv1.2'] });
  const [a, b] = await startPair(t, options('a', 'required'), old);
  send(a, b, 'one');
  send(b, a, 'two');
  t.true((await a.messenger.flush(15_000)) && (await b.messenger.flush(15_000)));
  t.is(sendingBy(a, b), 'TLSv1.2');
  t.is(sendingBy(b, a), 'TLSv1.2');

  // not even accept-both makes plaintext of that
  const c = await startMember(t, 'c', options('a', 'accept-both', { protocols: ['TLSv1.3'] }));
  installView([c, b]);
  send(c, b, 'three');
  t.true(await until(() => logged(c, 'no TLS version in common')), c.log.join('\n'));
  t.is(c.messenger.stats().tls?.plaintextConnections, 0);
});

test('suites are chosen by their names in Java', async (t) => {
  const ciphers = ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'];
  const [a, b] = await startPair(
    t,
    options('a', 'required', { ciphers, protocols: ['TLSv1.2'] }),
    options('b', 'required'),
  );
  send(a, b, 'one');
  t.true(await a.messenger.flush(15_000));
  const [peer] = a.messenger.stats().peers.filter(({ member }) => member.uuid === b.id.uuid);
  t.is(peer?.tls?.sending?.cipher, ciphers[0]);
});

test('large and small messages, both ways', async (t) => {
  const [a, b] = await startPair(t, options('a', 'required'), options('b', 'required'));
  const sizes = [1, 1_000, 16_384, 65_536, 1_000_000, 5_000_000, 3];
  for (const size of sizes) {
    send(a, b, 'x'.repeat(size));
    send(b, a, 'y'.repeat(size));
  }
  t.true((await a.messenger.flush(30_000)) && (await b.messenger.flush(30_000)));
  t.deepEqual(
    b.received.map(({ length }) => length),
    sizes,
  );
  t.deepEqual(
    a.received.map(({ length }) => length),
    sizes,
  );
});
