import { tlsError } from './errors.ts';
import { nearest } from '../protocol/check-options.ts';
import { suggest } from './known-keys.ts';

/** Keys that count for a member's connections to other members (Geode's ConfigurationProperties). */
const READ: readonly string[] = [
  'ssl-enabled-components',
  'ssl-keystore',
  'ssl-keystore-password',
  'ssl-keystore-type',
  'ssl-truststore',
  'ssl-truststore-password',
  'ssl-truststore-type',
  'ssl-cluster-alias',
  'ssl-default-alias',
  'ssl-protocols',
  'ssl-server-protocols',
  'ssl-client-protocols',
  'ssl-ciphers',
  'ssl-require-authentication',
  'ssl-endpoint-identification-enabled',
  'ssl-use-default-context',
];

/** Those that Geode knows besides, and why they are not heeded. */
const OTHERS: Readonly<Record<string, string>> = {
  'ssl-gateway-alias': 'is of another component',
  'ssl-jmx-alias': 'is of another component',
  'ssl-locator-alias': 'is of another component',
  'ssl-server-alias': 'is of another component',
  'ssl-web-alias': 'is of another component',
  'ssl-web-require-authentication': 'is of another component',
  'ssl-parameter-extension': 'names a Java class',
};

const KNOWN: readonly string[] = [...READ, ...Object.keys(OTHERS)];

/** `sll-keystore`. Of the other keys that Geode has none is so near to one of these. */
const MISTAKES = 2;

/** @throws {LocalProtocolError} `ERR_TLS` for a key that looks like one of Geode's `ssl-*` and is none */
export function checkSslKeys(properties: ReadonlyMap<string, string>, warn: (message: string) => void): void {
  const ignored: string[] = [];
  for (const [key, value] of properties) {
    if (READ.includes(key)) continue;
    const reason = OTHERS[key];
    if (reason !== undefined) {
      if (value !== '') ignored.push(`${key} (${reason})`);
    } else if (/^ssl([-_.]|$)/i.test(key) || nearest(key, KNOWN, MISTAKES) !== null)
      throw tlsError(`unknown property ${key}${suggest(key, KNOWN)}`);
  }
  if (ignored.length > 0) warn(`TLS: not heeded for the cluster's connections: ${ignored.join(', ')}`);
}
