import { resolve } from 'node:path';

import test from 'ava';

import { LocalProtocolError } from '../../../src/protocol/errors.ts';
import { openSslCiphers } from '../../../src/security/cipher-names.ts';
import { tlsFromGemfireProperties } from '../../../src/security/gemfire-properties.ts';
import { parseJavaProperties } from '../../../src/security/java-properties.ts';

const FILE = `
# members of the cluster
ssl-enabled-components=cluster,server
ssl-keystore = conf/server.p12
ssl-keystore-password: s\\u00e9cret\\=1
ssl-keystore-type=PKCS12
ssl-truststore=conf/trust.p12
ssl-truststore-password=other
ssl-protocols=TLSv1.3,TLSv1.2
ssl-ciphers=TLS_AES_256_GCM_SHA384 \\
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
`;

const MINIMAL = {
  'ssl-enabled-components': 'all',
  'ssl-keystore': '/k.p12',
  'ssl-keystore-password': 'p',
  'ssl-truststore': '/t.p12',
  'ssl-truststore-password': 'q',
};

test('a file with all that a member of a cluster has', (t) => {
  t.deepEqual(tlsFromGemfireProperties(FILE, { directory: '/etc/geode' }), {
    mode: 'required',
    keystore: { file: resolve('/etc/geode/conf/server.p12'), password: 'sécret=1' },
    truststore: { file: resolve('/etc/geode/conf/trust.p12'), password: 'other' },
    requireAuthentication: true,
    endpointIdentification: false,
    protocols: ['TLSv1.2', 'TLSv1.3'],
    ciphers: ['TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
  });
});

test('defaults are those of Geode, and the mode of a roll-out can be asked for', (t) => {
  const options = tlsFromGemfireProperties(MINIMAL, { mode: 'accept-both' });
  t.is(options.mode, 'accept-both');
  t.is(options.requireAuthentication, true);
  t.is(options.endpointIdentification, false);
  t.is(options.protocols, undefined);
  t.is(options.ciphers, undefined);
  const more = tlsFromGemfireProperties({
    ...MINIMAL,
    'ssl-require-authentication': false,
    'ssl-endpoint-identification-enabled': 'TRUE',
    'ssl-protocols': 'any',
    'ssl-ciphers': 'any',
    'ssl-default-alias': 'd',
    'ssl-cluster-alias': 'c',
  });
  t.is(more.requireAuthentication, false);
  t.is(more.endpointIdentification, true);
  t.is(more.keystore?.alias, 'c');
  t.is(more.protocols, undefined);
  t.is(more.ciphers, undefined);
});

test('only the components cluster and all switch it on', (t) => {
  for (const [components, mode] of [
    ['', 'off'],
    ['server locator', 'off'],
    ['none', 'off'],
    ['server, CLUSTER', 'required'],
    ['All', 'required'],
  ] as const) {
    const properties = { ...MINIMAL, 'ssl-enabled-components': components };
    t.is(tlsFromGemfireProperties(properties, { warn: () => undefined }).mode, mode);
  }
  t.deepEqual(tlsFromGemfireProperties(''), { mode: 'off' });
});

test('protocols: what there is of the list above TLS 1.1', (t) => {
  const protocols = (value: Record<string, string>) =>
    tlsFromGemfireProperties({ ...MINIMAL, ...value }).protocols;
  t.deepEqual(protocols({ 'ssl-protocols': 'SSLv3 TLSv1.1 tlsv1.2' }), ['TLSv1.2']);
  t.is(protocols({ 'ssl-protocols': 'TLS' }), undefined);
  t.deepEqual(protocols({ 'ssl-protocols': 'any', 'ssl-server-protocols': 'TLSv1.3' }), ['TLSv1.3']);
});

test('what cannot be had is refused in words', (t) => {
  const bad: readonly [Record<string, string>, RegExp][] = [
    [{ 'ssl-enabled-components': 'clutser' }, /there is no component 'clutser'/],
    [{ 'ssl-keystore': '' }, /ssl-keystore is missing/],
    [{ 'ssl-keystore-type': 'BCFKS' }, /ssl-keystore-type: 'BCFKS' cannot be read/],
    [{ 'ssl-keystore-password': 'encrypted(83f0)' }, /ssl-keystore-password: Geode no longer encrypts/],
    [{ 'ssl-use-default-context': 'true' }, /name the stores/],
    [{ 'ssl-require-authentication': 'yes' }, /is true or false, not 'yes'/],
    [{ 'ssl-protocols': 'TLSv1.1 TLSv1' }, /nothing below TLSv1.2/],
    [{ 'ssl-server-protocols': 'TLSv1.2', 'ssl-client-protocols': 'TLSv1.3' }, /differ/],
    [{ 'ssl-enabled-components': '', 'cluster-ssl-enabled': 'true' }, /cluster-ssl-\* are gone/],
  ];
  for (const [more, message] of bad)
    t.throws(() => tlsFromGemfireProperties({ ...MINIMAL, ...more }), {
      instanceOf: LocalProtocolError,
      message,
    });
});

test("cipher suites: Java's names, those of IBM's JVMs, OpenSSL's", (t) => {
  const names = [
    'TLS_AES_128_GCM_SHA256',
    'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'SSL_RSA_WITH_AES_128_CBC_SHA',
    'DHE-RSA-AES256-SHA256',
    'TLS_EMPTY_RENEGOTIATION_INFO_SCSV',
  ];
  t.is(
    openSslCiphers(names),
    'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA:DHE-RSA-AES256-SHA256',
  );
  t.throws(() => openSslCiphers(['TLS_AES_128_GCM_SHA256', 'SSL_RSA_WITH_3DES_EDE_CBC_SHA', 'x:y']), {
    message: /cannot be had: SSL_RSA_WITH_3DES_EDE_CBC_SHA, x:y/,
  });
  t.throws(() => openSslCiphers([]), { message: /empty/ });
});

test("Java's properties: comments, separators, escapes, continued lines", (t) => {
  const text = [
    '# comment = no',
    '! neither',
    '  a=1',
    'b : 2 ',
    'c\t3',
    'd',
    'e = = x',
    'f\\ g\\:h = i\\tj\\u0041\\\\',
    'long = one, \\',
    '   two, \\',
    '   three',
    'a = again',
    'even = x\\\\',
    'last = end\\',
  ].join('\r\n');
  t.deepEqual(Object.fromEntries(parseJavaProperties(text)), {
    a: 'again',
    b: '2 ',
    c: '3',
    d: '',
    e: '= x',
    'f g:h': 'i\tjA\\',
    long: 'one, two, three',
    even: 'x\\',
    last: 'end',
  });
});

test('an option of another name is refused, lest a name be thought to be bound that is not', (t) => {
  const options = { mode: 'required', bindCertificateToName: true } as const;
  const error = t.throws(() => tlsFromGemfireProperties(MINIMAL, options), {
    instanceOf: LocalProtocolError,
  });
  t.is(error.code, 'ERR_TLS');
  t.regex(error.message, /unknown option options\.bindCertificateToName/);
});
