import { RejectCode } from '../../codecs/tcp/v1/frame-types.ts';
import type { TlsPolicy, TlsRefusal } from '../protocol/security.ts';

/** Of the codes of REJECT, those that are about how a connection is protected. */
const TLS_REFUSALS: ReadonlyMap<number, TlsRefusal> = new Map<number, TlsRefusal>([
  [RejectCode.TLS_REQUIRED, 'plaintext'],
  [RejectCode.CERTIFICATE, 'certificate'],
  [RejectCode.CERTIFICATE_NAME, 'certificate'],
]);

/** A REJECT was sent or received. */
export function countRefusal(code: number, policy: TlsPolicy | null | undefined): void {
  const why = TLS_REFUSALS.get(code);
  if (why !== undefined) policy?.handleRefused(why);
}
