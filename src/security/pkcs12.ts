import { createRequire } from 'node:module';

import type forge from 'node-forge';

import { tlsError } from './errors.ts';

/** Loaded on first use: it takes 50 ms, and most who start a member need it not. */
let loaded: typeof forge | null = null;

/** What `keytool` marks a certificate with that is trusted, and not merely part of a chain. */
const TRUSTED_KEY_USAGE = '2.16.840.1.113894.746875.1.1';

/** First bytes of the stores that Java had before PKCS#12. */
const JKS_MAGIC = 'feedfeed';
const JCEKS_MAGIC = 'cececece';

/** Stores have some kilobytes; with all public authorities of a JVM 200 KiB. */
const MAX_STORE_BYTES = 16 * 1024 * 1024;

interface Entry {
  /** Null if it has none. */
  readonly alias: string | null;
  /** Joins a key and its certificate; null if there is none. */
  readonly localKeyId: string | null;
}

export interface StoredKey extends Entry {
  /** PKCS#8, DER. */
  readonly key: Buffer;
}

export interface StoredCertificate extends Entry {
  /** X.509, DER. */
  readonly certificate: Buffer;
  readonly isTrusted: boolean;
}

export interface StoreContent {
  readonly keys: readonly StoredKey[];
  readonly certificates: readonly StoredCertificate[];
}

/**
 * Reads a PKCS#12 store: those of current `keytool` and `openssl` (AES, SHA-256), the ones from before 2020 (RC2,
 * 3DES, SHA-1), and stores without a private key, which OpenSSL as node has it does not read. Takes 0.1 s to 1 s:
 * the many rounds of hashing that the store's password is protected by.
 * @param file for errors
 * @throws {LocalProtocolError} `ERR_TLS` for a wrong password, a JKS store, or what is no store at all
 */
export function readPkcs12(bytes: Buffer, password: string, file: string): StoreContent {
  refuseOthers(bytes, file);
  const library = (loaded ??= loadForge());
  let store: forge.pkcs12.Pkcs12Pfx;
  try {
    const asn1 = library.asn1.fromDer(bytes.toString('latin1'));
    store = library.pkcs12.pkcs12FromAsn1(asn1, true, password);
  } catch (error) {
    throw tlsError(`${file}: ${explain(error)}`);
  }
  return collect(library, store);
}

function loadForge(): typeof forge {
  const library = createRequire(import.meta.url)('node-forge') as typeof forge;
  library.pki.oids[TRUSTED_KEY_USAGE] = 'trustedKeyUsage'; // attributes that have no name here are dropped
  return library;
}

function refuseOthers(bytes: Buffer, file: string): void {
  const magic = bytes.toString('hex', 0, 4);
  if (magic === JKS_MAGIC || magic === JCEKS_MAGIC) {
    const kind = magic === JKS_MAGIC ? 'JKS' : 'JCEKS';
    const target = file.replace(/\.(jks|jceks)$/i, '') + '.p12';
    throw tlsError(
      `${file} is a ${kind} store, which only Java reads; convert it to PKCS#12 once by: ` +
        `keytool -importkeystore -srckeystore ${file} -srcstoretype ${kind} -destkeystore ${target} -deststoretype PKCS12`,
    );
  }
  if (bytes.length > MAX_STORE_BYTES)
    throw tlsError(`${file}: ${bytes.length} bytes are over the limit of ${MAX_STORE_BYTES}`);
  if (bytes[0] !== 0x30) throw tlsError(`${file} is no PKCS#12 store`);
}

function explain(error: unknown): string {
  const { message } = error as Error;
  return /mac could not be verified|invalid password|decrypt/i.test(message)
    ? 'wrong password, or the store was changed'
    : `not a PKCS#12 store that can be read: ${message}`;
}

function collect(library: typeof forge, store: forge.pkcs12.Pkcs12Pfx): StoreContent {
  const { oids } = library.pki;
  const keys: StoredKey[] = [];
  const certificates: StoredCertificate[] = [];
  for (const { safeBags } of store.safeContents) {
    for (const bag of safeBags) {
      const entry = entryOf(bag);
      if (bag.type === oids['certBag']) {
        const certificate = certificateOf(library, bag);
        const isTrusted = 'trustedKeyUsage' in bag.attributes;
        if (certificate !== null) certificates.push({ ...entry, certificate, isTrusted });
      } else if (bag.type === oids['keyBag'] || bag.type === oids['pkcs8ShroudedKeyBag']) {
        const key = keyOf(library, bag);
        if (key !== null) keys.push({ ...entry, key });
      }
    }
  }
  return { keys, certificates };
}

function entryOf(bag: forge.pkcs12.Bag): Entry {
  const attributes = bag.attributes as Readonly<Record<string, readonly string[] | undefined>>;
  return {
    alias: attributes['friendlyName']?.[0] ?? null,
    localKeyId: attributes['localKeyId']?.[0] ?? null,
  };
}

/** The library takes RSA apart and leaves other kinds, such as elliptic curves, as they are. */
function certificateOf(library: typeof forge, bag: forge.pkcs12.Bag): Buffer | null {
  // its types say that there is one of the two; a CRL has neither
  const { cert, asn1 } = bag as Partial<forge.pkcs12.Bag>;
  if (cert !== undefined && (cert as unknown) !== null)
    return der(library, library.pki.certificateToAsn1(cert));
  return asn1 === undefined ? null : der(library, asn1);
}

function keyOf(library: typeof forge, bag: forge.pkcs12.Bag): Buffer | null {
  const { key, asn1 } = bag as Partial<forge.pkcs12.Bag>;
  if (key !== undefined && (key as unknown) !== null) {
    const info = library.pki.wrapRsaPrivateKey(library.pki.privateKeyToAsn1(key));
    return der(library, info);
  }
  return asn1 === undefined ? null : der(library, asn1);
}

function der(library: typeof forge, value: forge.asn1.Asn1): Buffer {
  return Buffer.from(library.asn1.toDer(value).getBytes(), 'latin1');
}
