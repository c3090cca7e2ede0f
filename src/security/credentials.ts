import { createPrivateKey, type KeyObject, type PrivateKeyInput, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { CertificateSummary } from '../protocol/security.ts';
import { summarize } from './certificate.ts';
import { explainFileError, opensslReason, tlsError } from './errors.ts';
import { isPemText, type PemSource, type StoreSource, type TlsOptions } from './options.ts';
import { readPkcs12, type StoreContent, type StoredCertificate } from './pkcs12.ts';

/** Key, certificates and trust, all read. PEM texts, as node:tls takes them. */
export interface Credentials {
  readonly key: string;
  /** The own one first, then those that lead to its authority. */
  readonly cert: string;
  /** Null: nobody's certificate is checked. */
  readonly ca: readonly string[] | null;
  readonly own: CertificateSummary;
}

/** A chain longer than that is none. */
const MAX_CHAIN = 16;

const PEM_CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END [A-Z0-9 ]*CERTIFICATE-----/g;

/**
 * Reads what the options name, synchronously: at the start, and when something has changed.
 * @throws {LocalProtocolError} `ERR_TLS` naming the file and what is wrong with it
 */
export function loadCredentials(options: TlsOptions): Credentials {
  const { key, chain } = options.keystore === undefined ? fromPem(options) : fromStore(options.keystore);
  const [own] = chain;
  if (own === undefined) throw tlsError('there is no own certificate');
  if (!own.checkPrivateKey(key)) throw tlsError('the private key is not that of the certificate');
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: chain.map(String).join(''),
    ca: trustOf(options)?.map(String) ?? null,
    own: summarize(own),
  };
}

interface Identity {
  readonly key: KeyObject;
  readonly chain: readonly X509Certificate[];
}

function fromPem({ key, cert, passphrase }: TlsOptions): Identity {
  if (key === undefined || cert === undefined) throw tlsError('tls.key and tls.cert belong together');
  const pem = readPem(key, 'tls.key');
  // OpenSSL says many things if a key does not open
  const hint = pem.includes('ENCRYPTED') ? ': it is encrypted, and tls.passphrase does not open it' : '';
  const input = { key: pem, ...(passphrase === undefined ? {} : { passphrase }) };
  return {
    key: parseKey(input, label(key, 'tls.key'), hint),
    chain: certificatesOf(cert, 'tls.cert'),
  };
}

function fromStore({ file, password, alias }: StoreSource): Identity {
  const store = readPkcs12(readFile(file), password, file);
  const wanted = alias?.toLowerCase(); // as Java has it
  const keys = store.keys.filter((entry) => wanted === undefined || entry.alias?.toLowerCase() === wanted);
  const [stored] = keys;
  if (stored === undefined || keys.length > 1) {
    const aliases = store.keys.map((entry) => `'${entry.alias ?? ''}'`).join(', ');
    if (store.keys.length === 0) throw tlsError(`${file} holds no private key`);
    if (alias !== undefined) throw tlsError(`${file} holds no private key '${alias}', but ${aliases}`);
    throw tlsError(`${file} holds the private keys ${aliases}: say by 'alias' which one is meant`);
  }
  const key = parseKey({ key: stored.key, format: 'der', type: 'pkcs8' }, file);
  const own = store.certificates.find(
    ({ certificate, localKeyId, alias: name }) =>
      (localKeyId === null ? name === stored.alias : localKeyId === stored.localKeyId) &&
      parseCertificate(certificate, file).checkPrivateKey(key),
  );
  if (own === undefined) throw tlsError(`${file} holds no certificate for its private key`);
  return { key, chain: chainOf(parseCertificate(own.certificate, file), store, file) };
}

/** The certificates that lead from the own one towards its authority, as far as the store has them. */
function chainOf(own: X509Certificate, store: StoreContent, file: string): X509Certificate[] {
  const others = store.certificates.map(({ certificate }) => parseCertificate(certificate, file));
  const chain = [own];
  for (let last = own; chain.length < MAX_CHAIN && !last.checkIssued(last);) {
    const issuer = others.find((other) => last.checkIssued(other));
    if (issuer === undefined || chain.includes(issuer)) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

function trustOf({ ca, truststore }: TlsOptions): X509Certificate[] | null {
  if (ca === undefined && truststore === undefined) return null;
  const sources = typeof ca === 'string' ? [ca] : (ca ?? []);
  const trusted = sources.flatMap((source) => certificatesOf(source, 'tls.ca'));
  if (truststore !== undefined) {
    const { file, password } = truststore;
    const stored = trustedOf(readPkcs12(readFile(file), password, file));
    if (stored.length === 0) throw tlsError(`${file} holds no certificate that is to be trusted`);
    trusted.push(...stored.map(({ certificate }) => parseCertificate(certificate, file)));
  }
  if (trusted.length === 0) throw tlsError('tls.ca is empty: nobody would be trusted');
  return trusted;
}

/**
 * As Java has it: entries that are marked as trusted, and the own certificate beside each key, but not the rest of
 * its chain. Stores of others (`openssl pkcs12 -nokeys`) have neither marks nor keys: all is meant.
 */
function trustedOf({ keys, certificates }: StoreContent): readonly StoredCertificate[] {
  if (keys.length === 0) return certificates;
  const own = new Set(keys.map(({ localKeyId }) => localKeyId));
  return certificates.filter((entry) => {
    return entry.isTrusted || (entry.localKeyId !== null && own.has(entry.localKeyId));
  });
}

function certificatesOf(source: PemSource, option: string): X509Certificate[] {
  const where = label(source, option);
  const found = readPem(source, option).match(PEM_CERTIFICATE) ?? [];
  if (found.length === 0) throw tlsError(`${where} holds no certificate in PEM`);
  return found.map((pem) => parseCertificate(pem, where));
}

function readPem(source: PemSource, option: string): string {
  if (isPemText(source)) return source;
  const text = readFile(source).toString('latin1');
  if (isPemText(text)) return text;
  throw tlsError(`${option}: ${source} is not PEM; PKCS#12 stores are given as keystore and truststore`);
}

function label(source: PemSource, option: string): string {
  return isPemText(source) ? option : source;
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw tlsError(`cannot read ${file}: ${explainFileError(error as NodeJS.ErrnoException)}`);
  }
}

function parseKey(input: PrivateKeyInput, where: string, hint = ''): KeyObject {
  try {
    return createPrivateKey(input);
  } catch (error) {
    const why = hint === '' ? `: ${opensslReason(error as Error)}` : hint;
    throw tlsError(`${where}: not a private key that can be read${why}`);
  }
}

function parseCertificate(certificate: Buffer | string, where: string): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (error) {
    throw tlsError(`${where}: not a certificate that can be read: ${opensslReason(error as Error)}`);
  }
}
