import { resolve } from 'node:path';

import { checkOptionNames, type KnownNames } from '../protocol/check-options.ts';
import type { TlsMode } from '../protocol/security.ts';
import { tlsError } from './errors.ts';
import { checkSslKeys } from './gemfire-keys.ts';
import { parseJavaProperties } from './java-properties.ts';
import { checkTlsType, MODE } from './option-types.ts';
import { type StoreSource, type TlsOptions, type TlsProtocol } from './options.ts';

/** Geode's names (class SecurableCommunicationChannels). */
const COMPONENTS = ['all', 'cluster', 'server', 'jmx', 'web', 'gateway', 'locator', 'none'];

/** Types that Java gives to stores; which of the two a file is, its first bytes tell. */
const STORE_TYPES = ['', 'JKS', 'PKCS12', 'JCEKS'];

const PROTOCOLS: readonly TlsProtocol[] = ['TLSv1.2', 'TLSv1.3'];

/** Mean "whatever there is" to Geode and to Java. */
const ANY_PROTOCOL = ['any', 'tls', 'ssl'];

/** The text of a `.properties` file, or its keys and values. */
export type GemfireProperties = string | Readonly<Record<string, string | boolean | undefined>>;

export interface GemfirePropertiesOptions {
  /**
   * `accept-both` while encryption is rolled out, then `required`: an error if the properties do not switch TLS on for
   * the cluster. `off`: whatever they say. Default: `required` if they switch it on, else off.
   */
  readonly mode?: TlsMode;
  /** Relative file names start from here. Default: the working directory, as with Geode. */
  readonly directory?: string;
  /** Told of what is not heeded. Default: `process.emitWarning`. */
  readonly warn?: (message: string) => void;
}

const OPTIONS: KnownNames<GemfirePropertiesOptions> = { mode: true, directory: true, warn: true };

const SWITCHED_ON = 'ssl-enabled-components has cluster or all';

/**
 * The TLS options that a Geode or GemFire member has by its `gemfire.properties` and `gfsecurity.properties`, for
 * `createMessenger`: keys `ssl-*`, of which those for the component `cluster` count.
 *
 *     const texts = ['gemfire.properties', 'gfsecurity.properties'].map((file) => readFileSync(file, 'latin1'));
 *     createMessenger({ ..., tls: tlsFromGemfireProperties(texts, { mode: 'accept-both' }) });
 *
 * What properties have no key for is added: `tls: { ...tlsFromGemfireProperties(texts), bindCertificateToName: true }`.
 *
 * @param properties one or several; a key in a later one wins
 * @throws {LocalProtocolError} `ERR_TLS` for what this stack cannot do, keys `ssl-*` that Geode does not know, a `mode`
 *   that there is not, and one for properties that switch nothing on; in words
 */
export function tlsFromGemfireProperties(
  properties: GemfireProperties | readonly GemfireProperties[],
  options: GemfirePropertiesOptions = {},
): TlsOptions {
  checkOptionNames('options', options, OPTIONS, tlsError);
  const { mode, warn = warnOfProcess } = options;
  checkTlsType('options.mode', mode, MODE);
  const merged = merge(properties);
  checkSslKeys(merged, warn);
  const read: Read = (key) => merged.get(key) ?? '';
  if (mode === 'off') return { mode };
  if (!isEnabled(read)) {
    if (mode !== undefined) throw notEnabled(read, mode);
    const isSilent = read('ssl-enabled-components') === '';
    if (isSilent && read('ssl-keystore') !== '')
      warn(`TLS: off, though there is an ssl-keystore, unless ${SWITCHED_ON}`);
    return { mode: 'off' };
  }
  if (isTrue(read, 'ssl-use-default-context', false))
    throw tlsError("ssl-use-default-context: a JVM's default context cannot be had here; name the stores");
  const keystore = storeOf(read, 'ssl-keystore', options);
  if (keystore === null) throw tlsError('ssl-keystore is missing: the store with the own certificate');
  const truststore = storeOf(read, 'ssl-truststore', options);
  const alias = read('ssl-cluster-alias') || read('ssl-default-alias');
  const protocols = protocolsOf(read);
  const ciphers = list(read('ssl-ciphers'));
  const anyCipher = ciphers.length === 0 || ciphers.some((name) => name.toLowerCase() === 'any');
  return {
    mode: mode ?? 'required',
    keystore: alias === '' ? keystore : { ...keystore, alias },
    ...(truststore === null ? {} : { truststore }),
    requireAuthentication: isTrue(read, 'ssl-require-authentication', true),
    endpointIdentification: isTrue(read, 'ssl-endpoint-identification-enabled', false),
    ...(protocols === null ? {} : { protocols }),
    ...(anyCipher ? {} : { ciphers }),
  };
}

/** '' for a key that is not there. */
type Read = (key: string) => string;

function merge(properties: GemfireProperties | readonly GemfireProperties[]): Map<string, string> {
  const merged = new Map<string, string>();
  for (const source of isList(properties) ? properties : [properties]) {
    const entries = typeof source === 'string' ? parseJavaProperties(source) : Object.entries(source);
    for (const [key, value] of entries) if (value !== undefined) merged.set(key, String(value).trim());
  }
  return merged;
}

/** `Array.isArray` does not tell TypeScript of arrays that are readonly. */
function isList(
  properties: GemfireProperties | readonly GemfireProperties[],
): properties is readonly GemfireProperties[] {
  return Array.isArray(properties);
}

function warnOfProcess(message: string): void {
  process.emitWarning(message);
}

function notEnabled(read: Read, mode: TlsMode): Error {
  const components = read('ssl-enabled-components');
  const is = components === '' ? 'there is no ssl-enabled-components' : `they say '${components}'`;
  return tlsError(
    `mode '${mode}' wants properties in which ${SWITCHED_ON}, and ${is}; it usually stands in gemfire.properties, ` +
      'beside gfsecurity.properties with the passwords: give the texts of both, [gemfire, gfsecurity]',
  );
}

function isEnabled(read: Read): boolean {
  const components = list(read('ssl-enabled-components')).map((name) => name.toLowerCase());
  for (const name of components)
    if (!COMPONENTS.includes(name)) throw tlsError(`ssl-enabled-components: there is no component '${name}'`);
  if (components.length === 0 && isTrue(read, 'cluster-ssl-enabled', false))
    throw tlsError('cluster-ssl-* are gone since Geode 1.0: use ssl-enabled-components=cluster and ssl-*');
  return components.includes('cluster') || components.includes('all');
}

function storeOf(read: Read, key: string, { directory }: GemfirePropertiesOptions): StoreSource | null {
  const file = read(key);
  if (file === '') return null;
  const type = read(`${key}-type`);
  if (!STORE_TYPES.includes(type.toUpperCase()))
    throw tlsError(`${key}-type: '${type}' cannot be read; convert the store to PKCS12 by keytool`);
  const password = read(`${key}-password`);
  if (/^encrypted\(.*\)$/.test(password))
    throw tlsError(`${key}-password: Geode no longer encrypts passwords either; write it as it is`);
  return { file: resolve(directory ?? '.', file), password };
}

/** Null: any. */
function protocolsOf(read: Read): readonly TlsProtocol[] | null {
  const given = list(read('ssl-protocols'));
  const server = list(read('ssl-server-protocols'));
  const client = list(read('ssl-client-protocols'));
  if (server.join() !== client.join() && server.length > 0 && client.length > 0)
    throw tlsError(
      'ssl-server-protocols and ssl-client-protocols differ: a member is both, give them one list',
    );
  const first = [server, client, given].find((names) => names.length > 0) ?? [];
  if (first.length === 0 || first.some((name) => ANY_PROTOCOL.includes(name.toLowerCase()))) return null;
  const protocols = PROTOCOLS.filter((name) =>
    first.some((other) => other.toLowerCase() === name.toLowerCase()),
  );
  if (protocols.length === 0)
    throw tlsError(
      `ssl-protocols: nothing below TLSv1.2 is spoken, and '${first.join(' ')}' has nothing above`,
    );
  return protocols;
}

/** Geode separates by blanks or commas. */
function list(value: string): string[] {
  return value.split(/[\s,]+/).filter((name) => name !== '');
}

function isTrue(read: Read, key: string, otherwise: boolean): boolean {
  const value = read(key).toLowerCase();
  if (value !== '' && value !== 'true' && value !== 'false')
    throw tlsError(`${key} is true or false, not '${value}'`);
  return value === '' ? otherwise : value === 'true';
}
