/** What docs/tls.md tells a reader to write is run here. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';
import forge from 'node-forge';

import { Authority, temporaryFolder } from './certificates.ts';

const markdown = readFileSync(fileURLToPath(new URL('../../docs/tls.md', import.meta.url)), 'utf8');
const library = new URL('../../src/index.ts', import.meta.url).href;

test('the examples of docs/tls.md make a messenger with TLS', async (t) => {
  const folder = temporaryFolder(t);
  const authority = new Authority();
  const { key, cert } = authority.issue({ name: 'server-1' });
  const store = (file: string, own: string | null, certs: readonly string[]): void => {
    const chain = certs.map((pem) => forge.pki.certificateFromPem(pem));
    const ownKey = own === null ? null : forge.pki.privateKeyFromPem(own);
    const asn1 = forge.pkcs12.toPkcs12Asn1(ownKey, chain, 'changeit', { algorithm: 'aes256' });
    writeFileSync(join(folder, file), forge.asn1.toDer(asn1).getBytes(), 'latin1');
  };
  store('server.p12', key, [cert]);
  store('trust.p12', null, [authority.cert]);
  const files = {
    'server-1.key': key,
    'server-1.pem': cert,
    'ca.pem': authority.cert,
    'gemfire.properties': 'ssl-enabled-components=all\nssl-keystore=server.p12\nssl-truststore=trust.p12\n',
    'gfsecurity.properties': 'ssl-keystore-password=changeit\nssl-truststore-password=changeit\n',
  };
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);

  const snippets = [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, content]) => content ?? '');
  const modes: string[] = [];
  for (const snippet of snippets) {
    const program = snippet.replace("from 'rollgate'", `from ${JSON.stringify(library)}`);
    const file = join(folder, 'example.mts');
    writeFileSync(file, `${program}\nconsole.log(messenger.stats().tls?.mode);\n`);
    const args = [`--import=${import.meta.resolve('tsx')}`, file];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      cwd: folder,
      timeout: 60_000,
    });
    t.is(stderr, '');
    modes.push(stdout.trim());
  }
  t.deepEqual(modes, ['required', 'accept-both']);
});
