/** Stores made by the keytool of a real JDK, as an operator makes them, and by other hands. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test, { type ExecutionContext } from 'ava';
import forge from 'node-forge';

import { LocalProtocolError } from '../../../src/protocol/errors.ts';
import { loadCredentials } from '../../../src/security/credentials.ts';
import { Authority, selfSigned, temporaryFolder } from '../../tls/certificates.ts';

const run = promisify(execFile);
const PASSWORD = 'changeit';
const authority = new Authority();

const hasKeytool = await run('keytool', ['-help']).then(
  () => true,
  () => false,
);
const required = process.env['ROLLGATE_REQUIRE_JVM'] === '1';

/** Skipped by name without a JDK, a failure where there must be one. */
function keytoolTest(title: string, body: (t: ExecutionContext, tool: Keytool) => Promise<void>): void {
  if (hasKeytool) test.serial(title, (t) => body(t, new Keytool(temporaryFolder(t))));
  else if (required) test.serial(title, (t) => t.fail('ROLLGATE_REQUIRE_JVM=1, but there is no keytool'));
  else test.serial.skip(`${title} (skipped: there is no keytool)`, (t) => t.pass());
}

class Keytool {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  async run(...args: readonly string[]): Promise<void> {
    await run('keytool', ['-J-Xmx64m', '-J-XX:+UseSerialGC', '-storepass', PASSWORD, ...args], {
      cwd: this.folder,
    });
  }

  /** An authority, and a store with a member's key, its certificate and the way up to the authority. */
  async member(kind: readonly string[]): Promise<void> {
    await this.run(
      '-genkeypair',
      '-alias',
      'ca',
      '-dname',
      'CN=Java CA',
      '-ext',
      'bc:c',
      '-keystore',
      'ca.p12',
      ...kind,
    );
    await this.run('-exportcert', '-alias', 'ca', '-keystore', 'ca.p12', '-rfc', '-file', 'ca.pem');
    await this.run(
      '-genkeypair',
      '-alias',
      'Server-1',
      '-dname',
      'CN=server-1, O=Example',
      '-keystore',
      'm.p12',
      ...kind,
    );
    await this.run('-certreq', '-alias', 'Server-1', '-keystore', 'm.p12', '-file', 'm.csr');
    const names = 'san=dns:server-1,ip:127.0.0.1';
    await this.run(
      '-gencert', '-alias', 'ca', '-keystore', 'ca.p12', '-infile', 'm.csr', '-outfile', 'm.pem', '-ext', names, '-rfc',
    ); // prettier-ignore
    await this.run('-importcert', '-noprompt', '-alias', 'ca', '-file', 'ca.pem', '-keystore', 'm.p12');
    await this.run('-importcert', '-noprompt', '-alias', 'Server-1', '-file', 'm.pem', '-keystore', 'm.p12');
    await this.run('-importcert', '-noprompt', '-alias', 'ca', '-file', 'ca.pem', '-keystore', 'trust.p12');
  }
}

const KINDS = {
  RSA: ['-keyalg', 'RSA', '-keysize', '2048'],
  EC: ['-keyalg', 'EC', '-groupname', 'secp256r1'],
};

for (const [name, kind] of Object.entries(KINDS)) {
  keytoolTest(`keytool: key store and trust store, ${name}`, async (t, tool) => {
    await tool.member(kind);
    const keystore = { file: tool.path('m.p12'), password: PASSWORD };
    const truststore = { file: tool.path('trust.p12'), password: PASSWORD };
    const { own, key, cert, ca } = loadCredentials({ mode: 'required', keystore, truststore });
    t.is(own.subject, 'O=Example, CN=server-1');
    t.deepEqual(own.names, ['server-1', 'server-1', '127.0.0.1']);
    t.is(own.issuer, 'CN=Java CA');
    t.regex(key, /^-----BEGIN PRIVATE KEY-----/);
    t.is(cert.match(/BEGIN CERTIFICATE/g)?.length, 2, 'the authority is in its chain');
    t.is(ca?.length, 1);
    t.true(cert.includes(ca?.[0] ?? '?'), 'of the same bytes as in the trust store');

    // one store as both, as many clusters have it: marked as trusted is the authority, beside the own certificate
    const both = loadCredentials({ mode: 'required', keystore, truststore: keystore });
    t.is(both.ca?.length, 2);
    t.is(loadCredentials({ mode: 'required', keystore: { ...keystore, alias: 'SERVER-1' } }).ca, null);
    t.throws(() => loadCredentials({ mode: 'required', keystore: { ...keystore, alias: 'x' } }), {
      message: /no private key 'x', but 'server-1'/,
    });
  });
}

keytoolTest('keytool: stores of the old kind (RC2, 3DES, SHA-1)', async (t, tool) => {
  await tool.member(KINDS.RSA);
  for (const file of ['m.p12', 'trust.p12'])
    await tool.run(
      '-J-Dkeystore.pkcs12.legacy', '-importkeystore', '-srckeystore', file, '-srcstorepass', PASSWORD,
      '-destkeystore', `old-${file}`, '-deststoretype', 'PKCS12', '-deststorepass', PASSWORD,
    ); // prettier-ignore
  const { own, ca } = loadCredentials({
    mode: 'required',
    keystore: { file: tool.path('old-m.p12'), password: PASSWORD },
    truststore: { file: tool.path('old-trust.p12'), password: PASSWORD },
  });
  t.is(own.subject, 'O=Example, CN=server-1');
  t.is(ca?.length, 1);
});

keytoolTest(
  'keytool: a JKS store is refused with the command that converts it, which works',
  async (t, tool) => {
    await tool.run('-genkeypair', '-alias', 'a', '-dname', 'CN=a', ...KINDS.RSA, '-keypass', PASSWORD, '-keystore', 'm.jks', '-storetype', 'JKS'); // prettier-ignore
    const file = tool.path('m.jks');
    const error = t.throws(
      () => loadCredentials({ mode: 'required', keystore: { file, password: PASSWORD } }),
      {
        instanceOf: LocalProtocolError,
        message: /is a JKS store, which only Java reads/,
      },
    );
    const command = /: keytool (.*)$/.exec(error.message)?.[1] ?? '';
    t.is(command, `-importkeystore -srckeystore ${file} -srcstoretype JKS -destkeystore ${tool.path('m.p12')} -deststoretype PKCS12`); // prettier-ignore
    // the passwords, for which it asks
    await run('keytool', [...command.split(' '), '-srcstorepass', PASSWORD, '-deststorepass', PASSWORD]);
    const keystore = { file: tool.path('m.p12'), password: PASSWORD };
    t.is(loadCredentials({ mode: 'required', keystore }).own.subject, 'CN=a');
  },
);

keytoolTest('keytool: of several keys one must be named', async (t, tool) => {
  for (const name of ['one', 'two'])
    await tool.run('-genkeypair', '-alias', name, '-dname', `CN=${name}`, ...KINDS.RSA, '-keystore', 'm.p12');
  const keystore = { file: tool.path('m.p12'), password: PASSWORD };
  t.throws(() => loadCredentials({ mode: 'required', keystore }), {
    message: /'one', 'two': say by 'alias'/,
  });
  t.is(loadCredentials({ mode: 'required', keystore: { ...keystore, alias: 'two' } }).own.subject, 'CN=two');
});

test('stores of other makers: no marks, no names', (t) => {
  const folder = temporaryFolder(t);
  const member = authority.issue({ name: 'm' });
  const key = forge.pki.privateKeyFromPem(member.key);
  const write = (file: string, forgeKey: typeof key | null, certs: readonly string[]): string => {
    const chain = certs.map((pem) => forge.pki.certificateFromPem(pem));
    const options = { algorithm: 'aes256', generateLocalKeyId: forgeKey !== null } as const;
    const asn1 = forge.pkcs12.toPkcs12Asn1(forgeKey, chain, PASSWORD, options);
    writeFileSync(join(folder, file), forge.asn1.toDer(asn1).getBytes(), 'latin1');
    return join(folder, file);
  };
  const keystore = { file: write('m.p12', key, [member.cert, authority.cert]), password: PASSWORD };
  const truststore = { file: write('t.p12', null, [authority.cert]), password: PASSWORD };
  const { own, ca, cert } = loadCredentials({ mode: 'required', keystore, truststore });
  t.is(own.subject, 'CN=m');
  t.is(ca?.length, 1);
  t.is(cert.match(/BEGIN/g)?.length, 2);
});

test('a wrong password, rubbish, cut stores and missing files are said', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 's.p12');
  const { key, cert } = selfSigned('a');
  const asn1 = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(key),
    [forge.pki.certificateFromPem(cert)],
    PASSWORD,
    { algorithm: 'aes256' },
  );
  const bytes = Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
  const load = (content: Buffer, password = PASSWORD) => {
    writeFileSync(file, content);
    return loadCredentials({ mode: 'required', keystore: { file, password } });
  };
  t.is(load(bytes).own.subject, 'CN=a');
  const refused = (content: Buffer, message: RegExp, password = PASSWORD): void => {
    const error = t.throws(() => load(content, password), { instanceOf: LocalProtocolError, message });
    t.is(error.code, 'ERR_TLS');
    t.true(error.message.includes(file));
  };
  refused(bytes, /wrong password, or the store was changed/, 'no');
  refused(Buffer.alloc(0), /is no PKCS#12 store/);
  refused(Buffer.from('hello'), /is no PKCS#12 store/);
  refused(Buffer.from('cececece00', 'hex'), /is a JCEKS store/);
  const changed = Buffer.from(bytes);
  changed[200]! ^= 1;
  refused(changed, /./);
  for (let length = 1; length < bytes.length; length += 97) refused(bytes.subarray(0, length), /./);
  t.throws(() => loadCredentials({ mode: 'required', keystore: { file: `${file}x`, password: '' } }), {
    message: /cannot read/,
  });
});

test('PEM: files and texts, an encrypted key, a chain, several authorities', (t) => {
  const folder = temporaryFolder(t);
  const { key, cert } = authority.issue({ name: 'm' });
  const path = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const locked = forge.pki.encryptRsaPrivateKey(forge.pki.privateKeyFromPem(key), 'secret', {
    algorithm: 'aes256',
  });
  const options = { mode: 'required', key: path('key.pem', locked), cert: path('cert.pem', `${cert}\n${authority.cert}`) } as const; // prettier-ignore
  const other = new Authority('Other');
  const {
    own,
    ca,
    cert: chain,
  } = loadCredentials({
    ...options,
    passphrase: 'secret',
    ca: [path('ca.pem', `two of them\n${authority.cert}${other.cert}`), selfSigned('x').cert],
  });
  t.is(own.subject, 'CN=m');
  t.is(chain.match(/BEGIN/g)?.length, 2);
  t.is(ca?.length, 3);
  t.throws(() => loadCredentials(options), { message: /key.pem: .* it is encrypted, and tls.passphrase does not open it/ }); // prettier-ignore
  t.throws(() => loadCredentials({ ...options, passphrase: 'wrong' }), {
    message: /passphrase does not open it/,
  });
  t.throws(() => loadCredentials({ ...options, key: path('bad.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n') }), { message: /bad.pem: not a private key/ }); // prettier-ignore
  t.throws(() => loadCredentials({ ...options, passphrase: 'secret', cert: path('c.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----') }), { message: /c.pem: not a certificate/ }); // prettier-ignore
});
