import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

import type { Logger } from '../../protocol/logger.ts';
import type {
  CertificateBinding,
  StreamSecurity,
  TlsMode,
  TlsPolicy,
  TlsRefusal,
  TlsStats,
} from '../../protocol/security.ts';
import { daysLeft, namesMember } from '../../security/certificate.ts';
import { openSslCiphers } from '../../security/cipher-names.ts';
import { type Credentials, loadCredentials } from '../../security/credentials.ts';
import { opensslReason, tlsError } from '../../security/errors.ts';
import {
  checkTlsOptions,
  hasTrust,
  requiresAuthentication,
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
  /** Whether certificates are checked, of those we connect to as well; false: there is no trust store. */
  readonly checksCertificates: boolean;
  readonly counts = {
    handshakes: 0,
    handshakeFailures: 0,
    plaintextConnections: 0,
    plaintextRefused: 0,
    refusals: 0,
  };
  /** After a reload. */
  onReload: () => void = () => undefined;
  /** Open now, and as far as WELCOME. */
  readonly #open = { tls: 0, plaintext: 0 };
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
    this.checksCertificates = options.mode !== 'off' && hasTrust(options);
    this.#logger = logger;
    this.#current = options.mode === 'off' ? null : load(options);
    if (options.mode !== 'off' && !this.checksCertificates)
      logger.warn(
        "TLS: no certificate is checked, since there is no ca and no truststore: who is in the network's way reads along and passes for any member",
      );
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

  handleOpened(security: StreamSecurity | null): void {
    if (security === null) this.counts.plaintextConnections++;
    this.#open[kindOf(security)]++;
  }

  handleClosed(security: StreamSecurity | null): void {
    this.#open[kindOf(security)]--;
  }

  handleRefused(why: TlsRefusal): void {
    if (why === 'plaintext') this.counts.plaintextRefused++;
    else this.counts.handshakeFailures++;
  }

  /** OpenSSL's own words: of use to who knows its source. */
  debug(line: string): void {
    this.#logger.debug(line);
  }

  stats(): TlsStats {
    const own = this.#current?.credentials.own ?? null;
    const connections = { ...this.#open };
    return {
      mode: this.mode,
      certificate: own,
      daysLeft: own && daysLeft(own, Date.now()),
      connections,
      allEncrypted: connections.tls + connections.plaintext === 0 ? null : connections.plaintext === 0,
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
    const when =
      Date.parse(own.notAfter) < Date.now()
        ? `expired on ${own.notAfter}`
        : `expires in ${days} days, on ${own.notAfter}`;
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
    throw tlsError(`OpenSSL refuses key, certificates or ciphers: ${opensslReason(error as Error)}`);
  }
}

function kindOf(security: StreamSecurity | null): 'tls' | 'plaintext' {
  return security === null ? 'plaintext' : 'tls';
}

function bindingOf({ bindCertificateToName }: TlsOptions): CertificateBinding | null {
  if (typeof bindCertificateToName === 'function') return bindCertificateToName;
  return bindCertificateToName === true ? namesMember : null;
}
