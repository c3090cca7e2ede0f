/** TLS with what else a member may be given. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';
import forge from 'node-forge';

import { createMessenger, createView, tlsFromGemfireProperties } from '../../src/index.ts';
import { Authority, type Identity, temporaryFolder } from './certificates.ts';
import { HOST, send, sendingBy, startPair, until } from './members.ts';

const authority = new Authority();

test('members by a gemfire.properties and PKCS#12 stores', async (t) => {
  const folder = temporaryFolder(t);
  const store = (file: string, key: string | null, certs: readonly string[]): void => {
    const chain = certs.map((pem) => forge.pki.certificateFromPem(pem));
    const own = key === null ? null : forge.pki.privateKeyFromPem(key);
    const asn1 = forge.pkcs12.toPkcs12Asn1(own, chain, 'changeit', { algorithm: 'aes256' });
    writeFileSync(join(folder, file), forge.asn1.toDer(asn1).getBytes(), 'latin1');
  };
  store('trust.p12', null, [authority.cert]);
  const optionsOf = (name: string) => {
    const { key, cert }: Identity = authority.issue({ name });
    store(`${name}.p12`, key, [cert, authority.cert]);
    const text = `
      ssl-enabled-components=all
      ssl-keystore=${name}.p12
      ssl-keystore-password=changeit
      ssl-truststore=trust.p12
      ssl-truststore-password=changeit
      ssl-protocols=any
      ssl-ciphers=any`;
    return { ...tlsFromGemfireProperties(text, { directory: folder }), bindCertificateToName: true };
  };
  const [a, b] = await startPair(t, optionsOf('a'), optionsOf('b'));
  send(a, b, 'x');
  t.true(await a.messenger.flush(15_000), a.log.join('\n'));
  t.is(sendingBy(a, b), 'TLSv1.3');
});

test('a recorded member speaks TLS as well; what it recorded can be read', async (t) => {
  const file = join(temporaryFolder(t), 'own.pcapng');
  const create = (name: string, record?: { readonly file: string }) => {
    const tls = { mode: 'required', ...authority.issue({ name }), ca: authority.cert } as const;
    const member = { name, version: 200 };
    const messenger = createMessenger({
      cluster: 'tls',
      host: HOST,
      ports: [0, 0],
      member,
      tls,
      ...(record === undefined ? {} : { record }),
    });
    t.teardown(() => messenger.stop());
    return messenger;
  };
  const [a, b] = [create('a'), create('b', { file })];
  const received: string[] = [];
  b.setDefaultHandler(({ payload }) => received.push(Buffer.from(payload).toString()));
  const view = createView(1, [await a.start(), await b.start()]);
  a.installView(view);
  b.installView(view);
  a.send({ recipients: 'all', payload: Buffer.from('to be read in the capture') });
  b.send({ recipients: 'all', payload: Buffer.from('and this one') });
  t.true((await a.flush(15_000)) && (await b.flush(15_000)));
  t.true(await until(() => received.length === 1));
  await b.stop();
  const capture = readFileSync(file);
  t.true(capture.includes('to be read in the capture'));
  t.true(capture.includes('and this one'));
});
