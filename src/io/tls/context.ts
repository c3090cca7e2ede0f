import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

import type { Logger } from '../../protocol/logger.ts';
import type { CertificateBinding, TlsMode, TlsPolicy, TlsStats } from '../../protocol/security.ts';
import { daysLeft, namesMember } from '../../security/certificate.ts';
import { openSslCiphers } from '../../security/cipher-names.ts';
import { type Credentials, loadCredentials } from '../../security/credentials.ts';
import {
  checkTlsOptions,
  requiresAuthentication,
  tlsError,
  type TlsOptions,
} from '../../security/options.ts';

/** From this many days before it expires the certificate is complained of at each start and reload. */
const EXPIRY_WARNING_DAYS = 14;

/** What the listener and the connections of one messenger share: options, certificates and counts. */
export class TlsContext implements TlsPolicy {
  readonly mode: TlsMode;
  readonly binding: CertificateBinding | null;
  readonly options: TlsOptions;
  /** Whether those who connect have to show a certificate. */
  readonly requiresCertificate: boolean;
  readonly counts = { handshakes: 0, handshakeFailures: 0, plaintextConnections: 0, refusals: 0 };
  /** After a reload. */
  onReload: () => void = () => undefined;
  readonly #logger: Logger;
  /** Null with mode `off`. */
  #current: Loaded | null;
  #reloads = 0;
  #reloadFailures = 0;
  #reloadError: string | null = null;

  /** @throws {LocalProtocolError} `ERR_TLS` */
  constructor(options: TlsOptions, logger: Logger) {
    checkTlsOptions(options);
    this.options = options;
    this.mode = options.mode;
    this.binding = bindingOf(options);
    this.requiresCertificate = options.mode !== 'off' && requiresAuthentication(options);
    this.#logger = logger;
    this.#current = options.mode === 'off' ? null : load(options);
    this.#warnOfExpiry();
  }

  /** For connections that we open. @throws {LocalProtocolError} `ERR_TLS` with mode `off` */
  get secureContext(): SecureContext {
    return this.#loaded().context;
  }

  /** For the listener. */
  get serverOptions(): SecureContextOptions {
    return this.#loaded().contextOptions;
  }

  /** Reads the files anew. If they are of no use the old certificates stay; says which it was. */
  reload(why: string): boolean {
    try {
      this.#current = load(this.options);
    } catch (error) {
      this.#reloadFailures++;
      this.#reloadError = (error as Error).message;
      this.#logger.error(
        `TLS: certificates were read anew (${why}), but are of no use: ${this.#reloadError}; the old ones stay`,
      );
      return false;
    }
    this.#reloads++;
    this.#reloadError = null;
    const { own } = this.#current.credentials;
    this.#logger.info(
      `TLS: certificates were read anew (${why}): ${own.subject}, valid until ${own.notAfter}`,
    );
    this.#warnOfExpiry();
    this.onReload();
    return true;
  }

  stats(): TlsStats {
    const own = this.#current?.credentials.own ?? null;
    return {
      mode: this.mode,
      certificate: own,
      daysLeft: own && daysLeft(own, Date.now()),
      ...this.counts,
      reloads: this.#reloads,
      reloadFailures: this.#reloadFailures,
      loadedAt: this.#current?.loadedAt ?? null,
      reloadError: this.#reloadError,
    };
  }

  #loaded(): Loaded {
    if (this.#current === null) throw tlsError('TLS is off');
    return this.#current;
  }

  #warnOfExpiry(): void {
    if (this.#current === null) return;
    const { own } = this.#current.credentials;
    const days = daysLeft(own, Date.now());
    if (days >= EXPIRY_WARNING_DAYS) return;
    const when = days < 0 ? `expired on ${own.notAfter}` : `expires in ${days} days, on ${own.notAfter}`;
    this.#logger.warn(`TLS: the own certificate, ${own.subject}, ${when}`);
  }
}

interface Loaded {
  readonly credentials: Credentials;
  readonly contextOptions: SecureContextOptions;
  readonly context: SecureContext;
  readonly loadedAt: string;
}

function load(options: TlsOptions): Loaded {
  const credentials = loadCredentials(options);
  const { protocols, ciphers } = options;
  const only = protocols?.length === 1 ? protocols[0] : undefined;
  const contextOptions: SecureContextOptions = {
    key: credentials.key,
    cert: credentials.cert,
    ...(credentials.ca === null ? {} : { ca: [...credentials.ca] }),
    minVersion: only ?? 'TLSv1.2',
    maxVersion: only ?? 'TLSv1.3',
    honorCipherOrder: true,
    ...(ciphers === undefined ? {} : { ciphers: openSslCiphers(ciphers) }),
  };
  try {
    const context = createSecureContext(contextOptions);
    return { credentials, contextOptions, context, loadedAt: new Date().toISOString() };
  } catch (error) {
    throw tlsError(`OpenSSL refuses key, certificates or ciphers: ${(error as Error).message}`);
  }
}

function bindingOf({ bindCertificateToName }: TlsOptions): CertificateBinding | null {
  if (typeof bindCertificateToName === 'function') return bindCertificateToName;
  return bindCertificateToName === true ? namesMember : null;
}
