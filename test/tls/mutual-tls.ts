import type { TlsOptions } from '../../src/security/options.ts';
import { Authority } from './certificates.ts';

/** TLS 1.3, a certificate each way; all members have the same one. */
export function mutualTls(): TlsOptions {
  const authority = new Authority('Members', 'ec');
  return {
    mode: 'required',
    ...authority.issue({ name: 'member' }),
    ca: authority.cert,
    protocols: ['TLSv1.3'],
    reload: { onSighup: false, pollIntervalMs: 0 },
  };
}
