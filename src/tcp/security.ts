import { RejectCode } from '../../codecs/tcp/v1/frame-types.ts';
import { formatMember, type MemberId } from '../protocol/member-id.ts';
import type { CertificateSummary, StreamSecurity, TlsPolicy } from '../protocol/security.ts';
import type { Refusal } from './handshake.ts';

/**
 * Whether a member may come by such a connection; null: it may. Asked for every HELLO before anything else, and for
 * every WELCOME.
 * @param member as it names itself
 * @param security null: plaintext
 * @param policy null: none, all is plaintext
 */
export function judgeSecurity(
  member: MemberId,
  security: StreamSecurity | null,
  policy: TlsPolicy | null,
): Refusal | null {
  if (policy === null) return null;
  if (security === null) {
    if (policy.mode !== 'required') return null;
    return { code: RejectCode.TLS_REQUIRED, reason: 'this member takes nothing but TLS' };
  }
  const { unauthorized, peerCertificate } = security;
  if (unauthorized !== null) return { code: RejectCode.CERTIFICATE, reason: unauthorized };
  if (policy.binding === null) return null;
  if (peerCertificate === null) return { code: RejectCode.CERTIFICATE, reason: 'no certificate was shown' };
  return judgeName(member, peerCertificate, policy.binding);
}

function judgeName(
  member: MemberId,
  certificate: CertificateSummary,
  binding: NonNullable<TlsPolicy['binding']>,
): Refusal | null {
  const refuse = (why: string): Refusal => ({ code: RejectCode.CERTIFICATE_NAME, reason: why });
  const names = certificate.names.join(', ');
  const what = `the certificate ${certificate.subject} (${names})`;
  try {
    if (binding(certificate, member)) return null;
    return refuse(`${what} is not that of ${formatMember(member)}`);
  } catch (error) {
    // the application's own code: who cannot be judged stays outside
    return refuse(`${what} could not be judged: ${error instanceof Error ? error.message : 'error'}`);
  }
}
