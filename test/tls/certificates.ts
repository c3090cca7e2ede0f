/** Certificates made for the test, so that none in the repository expires. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';
import forge from 'node-forge';

const DAY_MS = 86_400_000;

/** RSA also fits PKCS#12; handshakes with EC keys (P-256) take a fraction of the time. */
export type KeyType = 'rsa' | 'ec';

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

export interface LeafOptions {
  readonly name: string;
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const ALT_NAME_DNS = 2;
const ALT_NAME_IP = 7;

let serial = 0;

/** RSA keys take long to make: three go round, so that no two certificates in a row have the same. */
const keys: string[] = [];
let used = 0;

function nextRsaKey(): string {
  const index = used++ % 3;
  const known = keys[index];
  if (known !== undefined) return known;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  keys.push(key);
  return key;
}

function nextEcKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function create(
  { name, notBefore, notAfter }: LeafOptions,
  extensions: object[],
  keyType: KeyType,
  issuer: { readonly name: string; readonly key: string } | null,
): Identity {
  const key = keyType === 'rsa' ? nextRsaKey() : nextEcKey();
  const certificate = forge.pki.createCertificate();
  certificate.serialNumber = `01${(++serial).toString(16).padStart(6, '0')}${process.pid.toString(16).padStart(8, '0')}`;
  certificate.validity.notBefore = notBefore ?? new Date(Date.now() - DAY_MS);
  certificate.validity.notAfter = notAfter ?? new Date(Date.now() + 30.5 * DAY_MS);
  certificate.setSubject([{ name: 'commonName', value: name }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer?.name ?? name }]);
  certificate.setExtensions(extensions);
  const issuerKey = issuer?.key ?? key;
  return {
    key,
    cert: keyType === 'rsa' ? signRsa(certificate, key, issuerKey) : signEc(certificate, key, issuerKey),
  };
}

function signRsa(certificate: forge.pki.Certificate, key: string, issuerKey: string): string {
  const { n, e } = forge.pki.privateKeyFromPem(key);
  certificate.publicKey = forge.pki.setRsaPublicKey(n, e);
  certificate.sign(forge.pki.privateKeyFromPem(issuerKey), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

/** ecdsa-with-SHA256 (RFC 5758 section 3.2) as an AlgorithmIdentifier. */
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');

/** Where a TBSCertificate (RFC 5280 section 4.1) has its signature's algorithm and the subject's public key. */
const TBS_SIGNATURE = 2;
const TBS_PUBLIC_KEY = 6;

/** Documented by forge, and missing from its types. */
const { getTBSCertificate: getTbsCertificate } = forge.pki as unknown as {
  readonly getTBSCertificate: (certificate: forge.pki.Certificate) => forge.asn1.Asn1;
};

/** forge knows RSA only: what it makes of a placeholder is replaced, and signed by node. */
function signEc(certificate: forge.pki.Certificate, key: string, issuerKey: string): string {
  const { asn1 } = forge;
  const one = new forge.jsbn.BigInteger('1');
  certificate.publicKey = forge.pki.setRsaPublicKey(one, one);
  const fromDer = (der: Buffer): forge.asn1.Asn1 => asn1.fromDer(der.toString('latin1'));
  certificate.siginfo.algorithmOid = forge.pki.oids['sha256WithRSAEncryption'] as string;
  const tbs = getTbsCertificate(certificate);
  const fields = tbs.value as forge.asn1.Asn1[];
  fields[TBS_SIGNATURE] = fromDer(ECDSA_WITH_SHA256);
  fields[TBS_PUBLIC_KEY] = fromDer(
    createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', Buffer.from(asn1.toDer(tbs).getBytes(), 'latin1'), issuerKey);
  const { UNIVERSAL } = asn1.Class;
  // a BIT STRING begins with the number of bits that are not used
  const bits = asn1.create(UNIVERSAL, asn1.Type.BITSTRING, false, `\0${signature.toString('latin1')}`);
  const signed = asn1.create(UNIVERSAL, asn1.Type.SEQUENCE, true, [tbs, fromDer(ECDSA_WITH_SHA256), bits]);
  const base64 = forge.util.encode64(asn1.toDer(signed).getBytes(), 64);
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}

export function selfSigned(name: string): Identity {
  return create({ name }, [], 'rsa', null);
}

/** An authority, and what it issues. */
export class Authority {
  readonly name: string;
  readonly key: string;
  readonly cert: string;
  readonly #keyType: KeyType;

  /** @param keyType its own, and that of what it issues */
  constructor(name = 'Test authority', keyType: KeyType = 'rsa') {
    this.name = name;
    this.#keyType = keyType;
    const basic = { name: 'basicConstraints', cA: true, critical: true };
    const usage = { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true };
    const { key, cert } = create({ name }, [basic, usage], keyType, null);
    this.key = key;
    this.cert = cert;
  }

  issue(options: LeafOptions): Identity {
    const altNames = [
      ...(options.dnsNames ?? []).map((value) => ({ type: ALT_NAME_DNS, value })),
      ...(options.addresses ?? []).map((ip) => ({ type: ALT_NAME_IP, ip })),
    ];
    const extensions = altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames }];
    return create(options, extensions, this.#keyType, this);
  }

  /** A day in the past. */
  issueExpired(name: string): Identity {
    return this.issue({
      name,
      notBefore: new Date(Date.now() - 9 * DAY_MS),
      notAfter: new Date(Date.now() - DAY_MS),
    });
  }
}

/** A folder that is gone after the test. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollgate-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
