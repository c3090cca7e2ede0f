/** Certificates made for the test, so that none in the repository expires. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';
import forge from 'node-forge';

const DAY_MS = 86_400_000;

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

/** Keys take long to make: three go round, so that no two certificates in a row have the same. */
const keys: string[] = [];
let used = 0;

function nextKey(): string {
  const index = used++ % 3;
  const known = keys[index];
  if (known !== undefined) return known;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  keys.push(key);
  return key;
}

function create(
  { name, notBefore, notAfter }: LeafOptions,
  extensions: object[],
  issuer: { readonly name: string; readonly key: string } | null,
): Identity {
  const key = nextKey();
  const own = forge.pki.privateKeyFromPem(key);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(own.n, own.e);
  certificate.serialNumber = `01${(++serial).toString(16).padStart(6, '0')}${process.pid.toString(16).padStart(8, '0')}`;
  certificate.validity.notBefore = notBefore ?? new Date(Date.now() - DAY_MS);
  certificate.validity.notAfter = notAfter ?? new Date(Date.now() + 30.5 * DAY_MS);
  certificate.setSubject([{ name: 'commonName', value: name }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer?.name ?? name }]);
  certificate.setExtensions(extensions);
  certificate.sign(issuer === null ? own : forge.pki.privateKeyFromPem(issuer.key), forge.md.sha256.create());
  return { key, cert: forge.pki.certificateToPem(certificate) };
}

export function selfSigned(name: string): Identity {
  return create({ name }, [], null);
}

/** An authority, and what it issues. */
export class Authority {
  readonly name: string;
  readonly key: string;
  readonly cert: string;

  constructor(name = 'Test authority') {
    this.name = name;
    const basic = { name: 'basicConstraints', cA: true, critical: true };
    const usage = { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true };
    const { key, cert } = create({ name }, [basic, usage], null);
    this.key = key;
    this.cert = cert;
  }

  issue(options: LeafOptions): Identity {
    const altNames = [
      ...(options.dnsNames ?? []).map((value) => ({ type: ALT_NAME_DNS, value })),
      ...(options.addresses ?? []).map((ip) => ({ type: ALT_NAME_IP, ip })),
    ];
    const extensions = altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames }];
    return create(options, extensions, this);
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
