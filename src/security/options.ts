import { FLAG, FLAG_OR_FUNCTION, listOf, TEXT } from '../protocol/option-types.ts';
import type { CertificateBinding, TlsMode } from '../protocol/security.ts';
import { tlsError } from './errors.ts';
import { checkKeys } from './known-keys.ts';
import { checkTlsType, MODE, PEM, PEMS } from './option-types.ts';

/** PEM: the text itself (it has a line `-----BEGIN ...`), or the path of a file with it. */
export type PemSource = string;

/** A PKCS#12 store, as `keytool` (Java 9 and newer) and `openssl pkcs12` write them. */
export interface StoreSource {
  readonly file: string;
  readonly password: string;
  /** The entry to use. Needed only if there are several private keys. */
  readonly alias?: string;
}

export type TlsProtocol = 'TLSv1.2' | 'TLSv1.3';

export interface TlsOptions {
  /**
   * `off`: TLS is refused. `accept-both`: the listener takes TLS and plaintext, and connections are opened by TLS, or
   * in plaintext to a member that refuses TLS; for the roll-out of encryption, since an attacker on the network can
   * make it plaintext. `required`: nothing but TLS.
   */
  readonly mode: TlsMode;
  /** Private key and certificate (with its chain behind it, if any); or `keystore`. */
  readonly key?: PemSource;
  readonly cert?: PemSource;
  /** Of an encrypted `key`. */
  readonly passphrase?: string;
  readonly keystore?: StoreSource;
  /**
   * Certificates of the authorities that are trusted, up to the root, and self-signed ones of members. (Java trusts what
   * is in a trust store without the root, too; OpenSSL does not.) Without `ca` and `truststore` nobody's certificate is
   * checked, neither of who connects nor of whom we connect to; that needs `requireAuthentication: false`, and warns.
   */
  readonly ca?: PemSource | readonly PemSource[];
  readonly truststore?: StoreSource;
  /** Whether those who connect have to show a certificate too. Default true. */
  readonly requireAuthentication?: boolean;
  /** Whether the certificate of whom we connect to must name the host, as an IP address. Default false. */
  readonly endpointIdentification?: boolean;
  /**
   * Whether a member's certificate must name it: by a common name, DNS name or IP address that is equal to the
   * member's name, or to its host if it has no name. A function decides otherwise. Holds for both directions.
   * Default: any trusted certificate will do.
   */
  readonly bindCertificateToName?: boolean | CertificateBinding;
  /** Default: both. */
  readonly protocols?: readonly TlsProtocol[];
  /** Suites, most wanted first; their names in the standard (which are Java's) or in OpenSSL. Default: Node's. */
  readonly ciphers?: readonly string[];
  readonly reload?: {
    /** Read all files anew on SIGHUP (which then does not end the process any more). Default true. */
    readonly onSighup?: boolean;
    /** How often the files are looked at for changes, in milliseconds; 0: never. Default 5000. */
    readonly pollIntervalMs?: number;
  };
}

export const DEFAULT_POLL_INTERVAL_MS = 5_000;

const KEYS: readonly string[] = Object.keys({
  mode: 0,
  key: 0,
  cert: 0,
  passphrase: 0,
  keystore: 0,
  ca: 0,
  truststore: 0,
  requireAuthentication: 0,
  endpointIdentification: 0,
  bindCertificateToName: 0,
  protocols: 0,
  ciphers: 0,
  reload: 0,
} satisfies Record<keyof TlsOptions, 0>);

const STORE_KEYS: readonly string[] = ['file', 'password', 'alias'];
const RELOAD_KEYS: readonly string[] = ['onSighup', 'pollIntervalMs'];

/** @throws {LocalProtocolError} `ERR_TLS` for what cannot be, in words */
export function checkTlsOptions(options: TlsOptions): void {
  checkNames(options);
  const given: unknown = options.mode;
  if (given === undefined) throw tlsError(`tls.mode is missing: ${MODE.words}`);
  checkTlsType('tls.mode', given, MODE);
  checkTypes(options);
  if (options.mode === 'off') return;
  checkSources(options);
  checkTrust(options);
  const { bindCertificateToName, protocols, reload } = options;
  const binds = bindCertificateToName !== undefined && bindCertificateToName !== false;
  if (binds && !requiresAuthentication(options))
    throw tlsError('tls.bindCertificateToName needs certificates of both sides (requireAuthentication)');
  if (protocols?.length === 0) throw tlsError('tls.protocols is empty');
  for (const protocol of protocols ?? []) {
    const name: string = protocol;
    if (name !== 'TLSv1.2' && name !== 'TLSv1.3')
      throw tlsError(`tls.protocols: TLSv1.2 and TLSv1.3 can be had, not '${name}'`);
  }
  const pollMs: unknown = reload?.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS;
  if (typeof pollMs !== 'number' || !(pollMs >= 0 && pollMs <= 0x7fff_ffff))
    throw tlsError(`tls.reload.pollIntervalMs: ${String(pollMs)} is no number of milliseconds`);
}

function checkNames(options: TlsOptions): void {
  checkKeys(options, KEYS, 'tls');
  const { keystore, truststore, reload } = options;
  if (keystore !== undefined) checkKeys(keystore, STORE_KEYS, 'tls.keystore');
  if (truststore !== undefined) checkKeys(truststore, STORE_KEYS, 'tls.truststore');
  if (reload !== undefined) checkKeys(reload, RELOAD_KEYS, 'tls.reload');
}

/** `endpointIdentification: 'true'` would be a check that is silently not made. */
function checkTypes(options: TlsOptions): void {
  const { key, cert, passphrase, ca, protocols, ciphers, keystore, truststore, reload } = options;
  checkTlsType('tls.key', key, PEM);
  checkTlsType('tls.cert', cert, PEM);
  checkTlsType('tls.passphrase', passphrase, TEXT);
  checkTlsType('tls.ca', ca, PEMS);
  checkTlsType('tls.protocols', protocols, listOf("protocols, such as ['TLSv1.3']"));
  checkTlsType('tls.ciphers', ciphers, listOf('names'));
  if (keystore !== undefined) checkStore(keystore, 'tls.keystore');
  if (truststore !== undefined) checkStore(truststore, 'tls.truststore');
  checkTlsType('tls.requireAuthentication', options.requireAuthentication, FLAG);
  checkTlsType('tls.endpointIdentification', options.endpointIdentification, FLAG);
  checkTlsType('tls.bindCertificateToName', options.bindCertificateToName, FLAG_OR_FUNCTION);
  checkTlsType('tls.reload.onSighup', reload?.onSighup, FLAG);
}

function checkStore(store: StoreSource, where: string): void {
  const { file, password, alias }: { readonly [key in keyof StoreSource]: unknown } = store;
  if (typeof file !== 'string' || file === '')
    throw tlsError(`${where}.file is missing: the path of the store`);
  if (typeof password !== 'string') throw tlsError(`${where}.password is missing: '' if the store has none`);
  checkTlsType(`${where}.alias`, alias, TEXT);
}

/** Without trust everybody gets in: never by an option that is merely not there. */
function checkTrust(options: TlsOptions): void {
  if (hasTrust(options)) return;
  const { requireAuthentication, endpointIdentification } = options;
  if (requireAuthentication !== false)
    throw tlsError(
      'it is not said whose certificates are trusted: give tls.ca or tls.truststore ' +
        '(requireAuthentication: false would let in everybody, and check nobody)',
    );
  if (endpointIdentification === true)
    throw tlsError('tls.endpointIdentification needs tls.ca or tls.truststore: nothing is checked without');
}

function checkSources({ key, cert, keystore }: TlsOptions): void {
  const isPem = key !== undefined || cert !== undefined;
  if (isPem && keystore !== undefined) throw tlsError('give tls.key and tls.cert or tls.keystore, not both');
  if (isPem && (key === undefined || cert === undefined))
    throw tlsError('tls.key and tls.cert belong together');
  if (!isPem && keystore === undefined)
    throw tlsError('the own certificate is missing: give tls.key and tls.cert, or tls.keystore');
}

/** Whether certificates are checked at all. */
export function hasTrust({ ca, truststore }: TlsOptions): boolean {
  return ca !== undefined || truststore !== undefined;
}

/** Whether those who connect have to show a certificate. */
export function requiresAuthentication(options: TlsOptions): boolean {
  return options.requireAuthentication ?? hasTrust(options);
}

export function isPemText(source: PemSource): boolean {
  return source.includes('-----BEGIN ');
}

/** The files that the options name. */
export function filesOf(options: TlsOptions): string[] {
  const { key, cert, ca, keystore, truststore } = options;
  const pem = [key, cert, ...(typeof ca === 'string' ? [ca] : (ca ?? []))];
  const files = pem.filter((source) => source !== undefined && !isPemText(source)) as string[];
  for (const store of [keystore, truststore]) if (store !== undefined) files.push(store.file);
  return [...new Set(files)];
}
