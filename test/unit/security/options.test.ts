import test, { type ExecutionContext } from 'ava';

import { createMessenger, tlsFromGemfireProperties } from '../../../src/index.ts';
import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import { LocalProtocolError } from '../../../src/protocol/errors.ts';
import type { CertificateSummary } from '../../../src/protocol/security.ts';
import { daysLeft } from '../../../src/security/certificate.ts';
import { loadCredentials } from '../../../src/security/credentials.ts';
import { checkTlsOptions, type TlsOptions } from '../../../src/security/options.ts';

const GOOD = { mode: 'required', key: 'key.pem', cert: 'cert.pem', ca: 'ca.pem' } as const;
const STORE = { file: 'x.p12', password: '' };

function refused(t: ExecutionContext, options: object, message: RegExp): void {
  const error = t.throws(() => checkTlsOptions(options as TlsOptions), {
    instanceOf: LocalProtocolError,
    message,
  });
  t.is(error.code, 'ERR_TLS');
}

test('options that are misspelt are refused, with the one that may be meant', (t) => {
  const own = { mode: 'required', keystore: STORE };
  refused(t, { ...own, trustore: STORE }, /^unknown option tls\.trustore: did you mean truststore\?$/);
  refused(t, { ...GOOD, CA: 'x' }, /tls\.CA: did you mean ca\?/);
  refused(t, { ...GOOD, requireAuthentification: true }, /did you mean requireAuthentication\?/);
  refused(
    t,
    { ...GOOD, rejectUnauthorized: false },
    /unknown option tls\.rejectUnauthorized; there are mode, key,/,
  );
  refused(
    t,
    { ...own, truststore: { ...STORE, pasword: 'x' } },
    /tls\.truststore\.pasword: did you mean password/,
  );
  refused(t, { ...GOOD, reload: { onSigHup: false } }, /tls\.reload\.onSigHup: did you mean onSighup/);
  refused(t, { mode: 'off', trustStore: STORE }, /did you mean truststore/);
});

test('stores without a file or a password, and what are no options at all', (t) => {
  refused(t, { mode: 'required', keystore: { password: '' }, ca: 'x' }, /tls\.keystore\.file is missing/);
  refused(
    t,
    { mode: 'required', keystore: STORE, truststore: { file: 'x' } },
    /tls\.truststore\.password is missing/,
  );
  refused(t, { mode: 'required', keystore: 'x.p12' }, /tls\.keystore is not an object/);
  t.throws(() => checkTlsOptions('required' as unknown as TlsOptions), { message: /tls is not an object/ });
});

test('a value of the wrong type is refused, lest a check be silently not made', (t) => {
  refused(
    t,
    { ...GOOD, endpointIdentification: 'true' },
    /^tls\.endpointIdentification is true or false, not 'true'$/,
  );
  refused(
    t,
    { ...GOOD, requireAuthentication: 0 },
    /^tls\.requireAuthentication is true or false, not a number$/,
  );
  refused(
    t,
    { ...GOOD, bindCertificateToName: 'yes' },
    /^tls\.bindCertificateToName is .* or a function, not 'yes'$/,
  );
  refused(
    t,
    { ...GOOD, protocols: 'TLSv1.3' },
    /^tls\.protocols is a list of protocols, such as .*, not 'TLSv1\.3'$/,
  );
  refused(t, { ...GOOD, ciphers: 'A:B' }, /^tls\.ciphers is a list of names, not 'A:B'$/);
  refused(
    t,
    { ...GOOD, cert: Buffer.from('x') },
    /^tls\.cert is PEM, as text or the path of a file, not a Buffer$/,
  );
  refused(t, { ...GOOD, ca: [Buffer.from('x')] }, /^tls\.ca is PEM, .*, or a list of such, not a list$/);
  refused(t, { ...GOOD, passphrase: null }, /^tls\.passphrase is a string, not null$/);
  refused(t, { ...GOOD, reload: { onSighup: 'no' } }, /^tls\.reload\.onSighup is true or false, not 'no'$/);
  refused(t, { ...GOOD, reload: { pollIntervalMs: '5' } }, /^tls\.reload\.pollIntervalMs: 5 is no number/);
  refused(
    t,
    { mode: 'required', ca: 'x', keystore: { ...STORE, alias: 1 } },
    /^tls\.keystore\.alias is a string/,
  );
  refused(t, { mode: 'off', protocols: 'TLSv1.3' }, /tls\.protocols/);
  const all = {
    requireAuthentication: true,
    endpointIdentification: false,
    protocols: ['TLSv1.3'],
    passphrase: 'x',
  };
  t.notThrows(() =>
    checkTlsOptions({ ...GOOD, ...all, ca: ['a', 'b'], reload: { onSighup: false } } as TlsOptions),
  );
});

test('a mode that there is not is refused by whatever takes it, with the same words', (t) => {
  for (const [mode, words] of [
    ['requird', "is off, accept-both or required, not 'requird'"],
    [true, 'is off, accept-both or required, not a boolean'],
    [null, 'is off, accept-both or required, not null'],
  ] as const) {
    const tls = { ...GOOD, mode } as unknown as TlsOptions;
    const refusal = { instanceOf: LocalProtocolError, code: 'ERR_TLS', message: `tls.mode ${words}` };
    t.throws(() => checkTlsOptions(tls), refusal);
    t.throws(() => createNodeEnvironment({ tls }), refusal);
    const member = { version: 200 };
    t.throws(() => createMessenger({ host: '127.0.0.1', cluster: 'AG', member, tls }), refusal);
    // also where the properties switch nothing on, and would be blamed for it
    for (const properties of [{}, { 'ssl-enabled-components': 'cluster', 'ssl-keystore': 'x.p12' }])
      t.throws(() => tlsFromGemfireProperties(properties, { mode: mode as never }), {
        ...refusal,
        message: `options.mode ${words}`,
      });
  }
  refused(t, { key: 'x' }, /^tls\.mode is missing: off, accept-both or required$/);
});

test('whom to trust must be said, or that nobody is checked', (t) => {
  const { ca, ...untrusting } = GOOD;
  for (const mode of ['required', 'accept-both']) {
    refused(t, { ...untrusting, mode }, /whose certificates are trusted: give tls\.ca or tls\.truststore/);
    refused(t, { ...untrusting, mode, requireAuthentication: true }, /whose certificates are trusted/);
    refused(t, { ...untrusting, mode, requireAuthentication: undefined }, /whose certificates are trusted/);
  }
  const open: TlsOptions = { ...untrusting, requireAuthentication: false };
  refused(t, { ...open, endpointIdentification: true }, /nothing is checked without/);
  refused(t, { ...open, bindCertificateToName: true }, /certificates of both sides/);
  for (const options of [
    open,
    { ...open, ca },
    { ...untrusting, truststore: STORE },
    { mode: 'off' },
  ] as const)
    t.notThrows(() => checkTlsOptions(options));
});

test('days left are rounded towards zero', (t) => {
  const notAfter = '2026-06-15T12:00:00.000Z';
  const left = (now: string): number => daysLeft({ notAfter } as CertificateSummary, Date.parse(now));
  t.is(left('2026-06-13T12:00:00Z'), 2);
  t.is(left('2026-06-13T12:00:01Z'), 1);
  t.is(left('2026-06-15T11:00:00Z'), 0);
  t.is(left('2026-06-15T13:00:00Z'), 0);
  t.is(left('2026-06-16T12:00:00Z'), -1);
  t.is(left('2026-06-17T11:59:59Z'), -1);
});

test('files that cannot be read are told in words', (t) => {
  t.throws(() => loadCredentials({ ...GOOD, key: '/nowhere/key.pem' }), {
    message: 'cannot read /nowhere/key.pem: no such file',
  });
  t.throws(() => loadCredentials({ ...GOOD, key: '/' }), { message: 'cannot read /: it is a directory' });
  const rubbish = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
  const error = t.throws(() => loadCredentials({ ...GOOD, key: rubbish }));
  t.regex(error.message, /^tls\.key: not a private key that can be read: [a-z ]+$/i);
});
