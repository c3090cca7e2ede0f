import type { X509Certificate } from 'node:crypto';

import type { CertificateSummary } from '../protocol/security.ts';
import type { MemberId } from '../protocol/member-id.ts';

const DAY_MS = 86_400_000;

export function summarize(certificate: X509Certificate): CertificateSummary {
  return {
    subject: oneLine(certificate.subject),
    names: [...commonNames(certificate), ...alternativeNames(certificate.subjectAltName ?? '')],
    issuer: oneLine(certificate.issuer),
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256,
    notAfter: new Date(certificate.validTo).toISOString(),
  };
}

/** Whole days; 0 on the last day, and also on the first after it. */
export function daysLeft({ notAfter }: CertificateSummary, now: number): number {
  return Math.trunc((Date.parse(notAfter) - now) / DAY_MS) + 0; // there is a -0
}

/** The member's name, or its host if it has none, is among the certificate's names. */
export function namesMember({ names }: CertificateSummary, { name, host }: MemberId): boolean {
  return names.includes(name === '' ? host : name);
}

/** Node puts each attribute on a line of its own. */
function oneLine(name: string): string {
  return name.split('\n').join(', ');
}

function commonNames(certificate: X509Certificate): readonly string[] {
  // there may be several; node's types know of one
  const { CN } = certificate.toLegacyObject().subject as { readonly CN?: string | readonly string[] };
  return typeof CN === 'string' ? [CN] : (CN ?? []);
}

/**
 * DNS names and IP addresses of the list that node makes of the extension. A name with special characters in it is
 * quoted there, so that none can pass for two.
 */
function alternativeNames(list: string): string[] {
  const names: string[] = [];
  for (const [, kind, value] of list.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    if ((kind !== 'DNS' && kind !== 'IP Address') || value === undefined || value.startsWith('"')) continue;
    names.push(kind === 'DNS' ? value : value.toLowerCase());
  }
  return names;
}
