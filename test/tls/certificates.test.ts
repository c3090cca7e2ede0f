import { connect } from 'node:tls';

import test from 'ava';

import { encodeHello } from '../../codecs/tcp/v1/handshake.ts';
import { PREAMBLE } from '../../codecs/tcp/v1/limits.ts';
import { type CertificateBinding, createMemberId, LocalProtocolError } from '../../src/index.ts';
import type { TlsOptions } from '../../src/security/options.ts';
import { createHello } from '../../src/tcp/handshake.ts';
import { Authority, type Identity, selfSigned } from './certificates.ts';
import { logged, send, sendingBy, startMember, startPair, type TestMember, until } from './members.ts';

const authority = new Authority();
const a = authority.issue({ name: 'a' });
const b = authority.issue({ name: 'b' });

function required(identity: Identity, more: Partial<TlsOptions> = {}): TlsOptions {
  return { mode: 'required', ...identity, ca: authority.cert, ...more };
}

/** The first bytes of one who connects: what a member named `x` would say to the member of this uuid. */
function helloOf(uuid: string): Buffer {
  const sender = createMemberId({
    host: '127.0.0.1',
    port: 1,
    uuid: 'f'.repeat(32),
    name: 'x',
    version: 200,
  });
  const recipient = createMemberId({ host: '127.0.0.1', port: 1, uuid });
  const parts = { self: sender, recipient, cluster: 'tls', session: '0'.repeat(16), connId: 1, nextSeqno: 1 };
  return Buffer.concat([Buffer.from(PREAMBLE), encodeHello(createHello(parts))]);
}

/** Sends from one to the other, and waits for it to be said why that does not work. */
async function refusal(from: TestMember, to: TestMember, words: string): Promise<boolean> {
  send(from, to, 'secret');
  const said = await until(() => logged(from, words));
  return said && to.received.length === 0 && sendingBy(from, to) === null;
}

test('a certificate of another authority is refused, in words, by whoever connects', async (t) => {
  const other = new Authority('Other authority');
  const [one, two] = await startPair(t, required(a), required(other.issue({ name: 'b' })));
  t.true(await refusal(one, two, 'its authority is not in the trust store'), one.log.join('\n'));
});

test('and by whoever is connected to', async (t) => {
  const other = new Authority('Other authority');
  // it trusts everybody's
  const stranger = required(other.issue({ name: 'a' }), { ca: [authority.cert, other.cert] });
  const [one, two] = await startPair(t, stranger, required(b));
  const words =
    'rejected, CERTIFICATE: the certificate CN=a is not accepted: its authority is not in the trust store';
  t.true(await refusal(one, two, words), one.log.join('\n'));
  t.true(logged(two, 'refused a connection of a('), two.log.join('\n'));
});

test('an expired certificate is refused on both sides, and complained of at the start', async (t) => {
  const expired = authority.issueExpired('b');
  const [one, two] = await startPair(t, required(a), required(expired));
  t.true(await refusal(one, two, 'it has expired'), one.log.join('\n'));
  t.true(await refusal(two, one, 'CN=b is not accepted: it has expired'), two.log.join('\n'));
  t.true(logged(two, 'the own certificate, CN=b, expired on'), two.log.join('\n'));
  t.is(two.messenger.stats().tls?.daysLeft, -1); // a day ago and some milliseconds
});

test('mutual by default: without a certificate of its own nobody gets in', async (t) => {
  const [one] = await startPair(t, required(a), required(b));
  const socket = connect({
    host: one.id.host,
    port: one.id.port,
    ca: authority.cert,
    checkServerIdentity: () => undefined,
  });
  t.teardown(() => socket.destroy());
  const answer: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => answer.push(bytes));
  socket.on('error', () => undefined);
  socket.write(helloOf(one.id.uuid));
  t.true(await until(() => Buffer.concat(answer).includes('no certificate was shown')), one.log.join('\n'));
});

test('without requireAuthentication the certificate of who connects is not asked for', async (t) => {
  const other = new Authority('Other authority');
  const open = required(b, { requireAuthentication: false });
  const stranger = required(other.issue({ name: 'a' }));
  const [one, two] = await startPair(t, stranger, open);
  send(one, two, 'hello');
  t.true(await one.messenger.flush(15_000), one.log.join('\n'));
  t.is(two.messenger.stats().peers[0]?.tls?.receiving?.certificate, null);
});

test('accept-both: a certificate that is not trusted never makes it plaintext', async (t) => {
  const other = new Authority('Other authority');
  const mode = { mode: 'accept-both' } as const;
  const [one, two] = await startPair(t, required(a, mode), required(other.issue({ name: 'b' }), mode));
  t.true(await refusal(one, two, 'its authority is not in the trust store'));
  t.true(await refusal(two, one, 'its authority is not in the trust store'));
  t.is(one.messenger.stats().tls?.plaintextConnections, 0);
  t.is(two.messenger.stats().tls?.plaintextConnections, 0);
});

test('endpoint identification: the certificate must name the address', async (t) => {
  const check = { endpointIdentification: true };
  const local = authority.issue({ name: 'x', addresses: ['127.0.0.1'] });
  const elsewhere = authority.issue({ name: '127.0.0.1', addresses: ['10.1.2.3'], dnsNames: ['127.0.0.1'] });
  const [one, two] = await startPair(t, required(elsewhere, check), required(local, check));
  send(one, two, 'named');
  t.true(await one.messenger.flush(15_000), one.log.join('\n'));
  t.true(await refusal(two, one, "IP: 127.0.0.1 is not in the cert's list"), two.log.join('\n'));
});

test('a certificate is bound to the member that it names, both ways', async (t) => {
  const bound = { bindCertificateToName: true };
  const [one, two] = await startPair(t, required(a, bound), required(b, bound));
  send(one, two, 'a to b');
  send(two, one, 'b to a');
  t.true((await one.messenger.flush(15_000)) && (await two.messenger.flush(15_000)), one.log.join('\n'));
  t.deepEqual([one.received, two.received], [['b to a'], ['a to b']]);
});

test('by a DNS name as well', async (t) => {
  const named = authority.issue({ name: 'host.example', dnsNames: ['other', 'a'] });
  const [one, two] = await startPair(t, required(named), required(b, { bindCertificateToName: true }));
  send(one, two, 'x');
  t.true(await one.messenger.flush(15_000), one.log.join('\n'));
});

test('another member cannot go by its name', async (t) => {
  const bound = { bindCertificateToName: true };
  // is started as 'a'
  const [impostor, two] = await startPair(t, required(authority.issue({ name: 'c' })), required(b, bound));
  t.true(
    await refusal(impostor, two, 'rejected, CERTIFICATE_NAME: the certificate CN=c (c) is not that of a('),
  );
  t.true(logged(two, 'CERTIFICATE_NAME'), two.log.join('\n'));
  // nor be sent what is meant for the other
  t.true(await refusal(two, impostor, 'the certificate CN=c (c) is not that of a('), two.log.join('\n'));
  t.true(await until(() => logged(impostor, 'CERTIFICATE_NAME')));
});

test('a function decides instead; one that throws lets nobody in', async (t) => {
  const asked: string[] = [];
  const byHost: CertificateBinding = (certificate, member) => {
    asked.push(`${certificate.names.join()} ${member.name}`);
    return certificate.names.includes(member.host);
  };
  const here = authority.issue({ name: 'x', addresses: ['127.0.0.1'] });
  const [one, two] = await startPair(t, required(here), required(b, { bindCertificateToName: byHost }));
  send(one, two, 'x');
  t.true(await one.messenger.flush(15_000), one.log.join('\n'));
  t.deepEqual(asked, ['x,127.0.0.1 a']);

  const broken: CertificateBinding = () => {
    throw new Error('no such table');
  };
  const [three, four] = await startPair(t, required(a), required(b, { bindCertificateToName: broken }));
  t.true(await refusal(three, four, 'could not be judged: no such table'), three.log.join('\n'));
});

test('self-signed certificates in the trust stores of each other', async (t) => {
  const [ofOne, ofTwo] = [selfSigned('a'), selfSigned('b')];
  const [one, two] = await startPair(
    t,
    required(ofOne, { ca: ofTwo.cert }),
    required(ofTwo, { ca: ofOne.cert }),
  );
  send(one, two, 'x');
  t.true(await one.messenger.flush(15_000), one.log.join('\n'));
});

test('stats: the own certificate, and that of each peer', async (t) => {
  const [one, two] = await startPair(t, required(a), required(b));
  send(one, two, 'x');
  t.true(await one.messenger.flush(15_000));
  const { tls, peers } = one.messenger.stats();
  t.is(tls?.mode, 'required');
  t.is(tls?.certificate?.subject, 'CN=a');
  t.is(tls?.certificate?.issuer, 'CN=Test authority');
  t.is(tls?.daysLeft, 30);
  t.deepEqual([tls?.handshakes, tls?.handshakeFailures, tls?.plaintextConnections], [1, 0, 0]);
  const peer = peers.find(({ member }) => member.uuid === two.id.uuid);
  t.is(peer?.tls?.sending?.certificate?.subject, 'CN=b');
  t.regex(peer?.tls?.sending?.certificate?.notAfter ?? '', /^\d{4}-\d\d-\d\dT/);
  t.is(peer?.tls?.sending?.cipher, 'TLS_AES_256_GCM_SHA384');
  t.is(peer?.tls?.receiving, null);
});

test('options that cannot be are refused at once', async (t) => {
  const bad: readonly [Partial<TlsOptions>, RegExp][] = [
    [{ mode: 'on' as 'off' }, /tls.mode is off, accept-both or required/],
    [{ key: b.key }, /private key is not that of the certificate/],
    [{ cert: '/nowhere/cert.pem' }, /cannot read \/nowhere\/cert.pem/],
    [{ ca: a.key }, /tls.ca holds no certificate/],
    [{ ca: [] }, /nobody would be trusted/],
    [{ keystore: { file: 'x', password: '' } }, /not both/],
    [{ ciphers: ['TLS_RSA_WITH_RC4_128_MD5'] }, /cannot be had: TLS_RSA_WITH_RC4_128_MD5/],
    [{ protocols: ['TLSv1.1' as 'TLSv1.2'] }, /not 'TLSv1.1'/],
    [{ requireAuthentication: false, bindCertificateToName: true }, /needs certificates of both sides/],
    [{ reload: { pollIntervalMs: -1 } }, /pollIntervalMs/],
  ];
  for (const [more, message] of bad) {
    const options = required(a, more);
    const error = await t.throwsAsync(startMember(t, 'x', options), {
      instanceOf: LocalProtocolError,
      message,
    });
    t.is(error.code, 'ERR_TLS');
  }
  const { key } = a;
  await t.throwsAsync(startMember(t, 'x', { mode: 'required', key }), { message: /belong together/ });
  await t.throwsAsync(startMember(t, 'x', { mode: 'required' }), { message: /own certificate is missing/ });
  await t.throwsAsync(startMember(t, 'x', { mode: 'required', ...a, requireAuthentication: true }), {
    message: /whose certificates are trusted/,
  });
});
