import { resolve } from 'node:path';

import type { TlsMode } from '../protocol/security.ts';
import { parseJavaProperties } from './java-properties.ts';
import { type StoreSource, tlsError, type TlsOptions, type TlsProtocol } from './options.ts';

/** Geode's names (class SecurableCommunicationChannels). */
const COMPONENTS = ['all', 'cluster', 'server', 'jmx', 'web', 'gateway', 'locator', 'none'];

/** Types that Java gives to stores; which of the two a file is, its first bytes tell. */
const STORE_TYPES = ['', 'JKS', 'PKCS12', 'JCEKS'];

const PROTOCOLS: readonly TlsProtocol[] = ['TLSv1.2', 'TLSv1.3'];

/** Mean "whatever there is" to Geode and to Java. */
const ANY_PROTOCOL = ['any', 'tls', 'ssl'];

export interface GemfirePropertiesOptions {
  /** Instead of `required`, where the properties switch TLS on: `accept-both` while encryption is rolled out. */
  readonly mode?: Exclude<TlsMode, 'off'>;
  /** Relative file names start from here. Default: the working directory, as with Geode. */
  readonly directory?: string;
}

/**
 * The TLS options that a Geode or GemFire member has by its `gemfire.properties`, for `createMessenger`: keys
 * `ssl-*`, of which those for the component `cluster` count. TLS is off unless `ssl-enabled-components` has `cluster`
 * or `all`.
 *
 *     const text = await readFile('gfsecurity.properties', 'latin1');
 *     createMessenger({ ..., tls: tlsFromGemfireProperties(text, { mode: 'accept-both' }) });
 *
 * @param properties the file's text, or its keys and values
 * @throws {LocalProtocolError} `ERR_TLS` for what this stack cannot do, in words
 */
export function tlsFromGemfireProperties(
  properties: string | Readonly<Record<string, string | boolean | undefined>>,
  options: GemfirePropertiesOptions = {},
): TlsOptions {
  const read = reader(properties);
  if (!isEnabled(read)) return { mode: 'off' };
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
    mode: options.mode ?? 'required',
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

function reader(properties: string | Readonly<Record<string, string | boolean | undefined>>): Read {
  if (typeof properties === 'string') {
    const parsed = parseJavaProperties(properties);
    return (key) => parsed.get(key)?.trim() ?? '';
  }
  return (key) => String(properties[key] ?? '').trim();
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
