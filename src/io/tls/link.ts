import type { TLSSocket } from 'node:tls';

import type { CertificateSummary, StreamSecurity } from '../../protocol/security.ts';
import { summarize } from '../../security/certificate.ts';
import { opensslReason } from '../../security/errors.ts';
import type { NodeStream } from '../node-stream.ts';

/** How a TLS connection is protected, once its handshake is done. @param asked whether a certificate is required */
export function describeSecurity(socket: TLSSocket, asked: boolean): StreamSecurity {
  const certificate = socket.getPeerX509Certificate();
  const summary: CertificateSummary | null = certificate === undefined ? null : summarize(certificate);
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    peerCertificate: summary,
    unauthorized: asked && !socket.authorized ? reasonOf(socket, summary) : null,
  };
}

function reasonOf({ authorizationError }: TLSSocket, certificate: CertificateSummary | null): string {
  if (certificate === null) return 'no certificate was shown';
  // OpenSSL's code, though node's types say that it is an Error
  const code: unknown = authorizationError;
  const error = code instanceof Error ? code.message : String(code);
  return `the certificate ${certificate.subject} is not accepted: ${REASONS[error] ?? error}`;
}

/** The codes that operators meet, in words. */
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed and not in the trust store',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not in the trust store',
  UNABLE_TO_GET_ISSUER_CERT: 'the trust store has an authority between, but not the root above it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not in the trust store',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not in the trust store',
  CERT_SIGNATURE_FAILURE: 'its signature is wrong',
  INVALID_PURPOSE: 'it may not be used for this',
};

/** What a TLS connection that failed tells: whose fault it is, in words. */
export function explainFailure(error: NodeJS.ErrnoException): string {
  const code = error.code ?? '';
  const known = REASONS[code];
  if (known !== undefined) return `the other side's certificate is not accepted: ${known}`;
  if (TLS_REFUSED.has(code)) return 'the other side takes no TLS';
  const failure = FAILURES[code];
  if (failure !== undefined) return failure;
  return isOpenssl(error) ? `${NOT_TLS} (${opensslReason(error)})` : error.message.trim();
}

/** The same of a connection that was accepted: whoever opened it by TLS does not refuse TLS. */
export function explainAcceptedFailure(error: NodeJS.ErrnoException): string {
  return isTlsRefusal(error) ? `${NOT_TLS} (${opensslReason(error)})` : explainFailure(error);
}

export const NOT_TLS = 'not valid TLS';

/** On a connection that was open something came that is no TLS. The stream's own reason would be OpenSSL's words. */
export function failInWords(stream: NodeStream, error: NodeJS.ErrnoException): void {
  if (isOpenssl(error)) stream.fail(error.code ?? 'EIO', `TLS failed: ${explainFailure(error)}`, error);
}

/** Its message is OpenSSL's: for who debugs, not for the log. */
export function isOpenssl({ code = '' }: NodeJS.ErrnoException): boolean {
  return code.startsWith('ERR_SSL_');
}

const FAILURES: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'no TLS version in common',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'no TLS version in common',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'no cipher suite in common, or the other side wants a certificate',
  ERR_SSL_NO_SHARED_CIPHER: 'no cipher suite in common',
  ERR_SSL_HTTP_REQUEST: 'HTTP came, and not TLS',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the other side does not accept our certificate: unknown authority',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the other side wants a certificate of ours',
};

/**
 * The answer of a listener whose TLS is off: a TLS alert, access_denied (49), fatal. OpenSSL never sends that one by
 * itself, so that whoever tries TLS knows what is meant and does not take another failure for it.
 */
export const TLS_REFUSED_ALERT = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x31);

/**
 * What node makes of that alert, and of the plaintext REJECT by which versions before TLS answer. Nothing else lets
 * `accept-both` speak plaintext: no reset, no silence, and least of all a certificate that is not trusted.
 */
const TLS_REFUSED = new Set(['ERR_SSL_TLSV1_ALERT_ACCESS_DENIED', 'ERR_SSL_WRONG_VERSION_NUMBER']);

export function isTlsRefusal(error: NodeJS.ErrnoException): boolean {
  return TLS_REFUSED.has(error.code ?? '');
}
