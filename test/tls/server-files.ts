/** The files that the examples of the documents read. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import forge from 'node-forge';

import { Authority } from './certificates.ts';

/** PEM files, stores and properties of a member `server-1`. */
export function writeServerFiles(folder: string): void {
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
}
