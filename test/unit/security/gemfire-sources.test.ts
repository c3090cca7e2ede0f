/** Where the keys come from: several files, keys that are misspelt, keys that do not matter here. */
import test from 'ava';

import { LocalProtocolError } from '../../../src/protocol/errors.ts';
import {
  type GemfireProperties,
  type GemfirePropertiesOptions,
  tlsFromGemfireProperties,
} from '../../../src/security/gemfire-properties.ts';
import type { TlsOptions } from '../../../src/security/options.ts';

const GEMFIRE = `
  locators=10.0.0.1[10334]
  mcast-port=0
  ssl-enabled-components=cluster
  ssl-keystore=/k.p12
  ssl-truststore=/t.p12
  ssl-keystore-password=to be replaced
`;
const SECURITY = `
  security-peer-auth-init=x
  ssl-keystore-password=p
  ssl-truststore-password=q
`;

function read(
  properties: GemfireProperties | readonly GemfireProperties[],
  options: GemfirePropertiesOptions = {},
): [TlsOptions, string[]] {
  const warnings: string[] = [];
  return [
    tlsFromGemfireProperties(properties, { warn: (line) => warnings.push(line), ...options }),
    warnings,
  ];
}

test('components in one file, passwords in the other: later ones win', (t) => {
  const expected = {
    mode: 'required',
    keystore: { file: '/k.p12', password: 'p' },
    truststore: { file: '/t.p12', password: 'q' },
    requireAuthentication: true,
    endpointIdentification: false,
  };
  t.deepEqual(read([GEMFIRE, SECURITY]), [expected, []] as never);
  const more = { 'ssl-keystore': undefined, 'ssl-endpoint-identification-enabled': true };
  const [options] = read([GEMFIRE, SECURITY, more]);
  t.deepEqual(options, { ...expected, endpointIdentification: true } as never);
});

test('a mode that is asked for is not off in silence', (t) => {
  const bad: readonly [GemfireProperties | readonly GemfireProperties[], RegExp][] = [
    [
      SECURITY,
      /there is no ssl-enabled-components; it usually stands in gemfire\.properties, beside gfsecurity/,
    ],
    [[SECURITY, { 'ssl-enabled-components': 'server locator' }], /they say 'server locator'/],
    [[], /there is no ssl-enabled-components/],
  ];
  for (const mode of ['required', 'accept-both'] as const)
    for (const [properties, message] of bad)
      t.throws(() => read(properties, { mode }), { instanceOf: LocalProtocolError, message });
  t.is(read([SECURITY, GEMFIRE], { mode: 'accept-both' })[0].mode, 'accept-both');
  t.deepEqual(read(GEMFIRE, { mode: 'off' }), [{ mode: 'off' }, []]);
});

test('without a mode: off, and a warning where a keystore says that it is meant otherwise', (t) => {
  t.deepEqual(read('locators=x'), [{ mode: 'off' }, []]);
  const server = { 'ssl-keystore': '/k.p12', 'ssl-enabled-components': 'server' };
  t.deepEqual(read(server), [{ mode: 'off' }, []], 'that is meant');
  const [options, [warning]] = read({ 'ssl-keystore': '/k.p12' });
  t.deepEqual(options, { mode: 'off' });
  t.regex(
    warning ?? '',
    /off, though there is an ssl-keystore, unless ssl-enabled-components has cluster or all/,
  );
});

test('keys that are misspelt are refused, also where TLS is off', (t) => {
  const bad: readonly [string, RegExp][] = [
    ['ssl-trustore', /^unknown property ssl-trustore: did you mean ssl-truststore\?$/],
    ['ssl-enabled-component', /did you mean ssl-enabled-components\?/],
    ['SSL-keystore', /did you mean ssl-keystore\?/],
    ['ssl_keystore', /did you mean ssl-keystore\?/],
    ['sll-keystore', /unknown property sll-keystore: did you mean ssl-keystore\?/],
    ['ssl-x', /unknown property ssl-x; there are ssl-enabled-components, /],
  ];
  for (const [key, message] of bad)
    for (const properties of [{ [key]: '' }, [GEMFIRE, SECURITY, `${key}=x`]])
      t.throws(() => read(properties), { instanceOf: LocalProtocolError, message });
  const legacy = {
    'server-ssl-enabled': 'true',
    'gateway-ssl-keystore': 'x',
    'http-service-ssl-ciphers': 'any',
  };
  t.deepEqual(read([GEMFIRE, legacy])[1], []);
});

test('keys of Geode that do not matter here are named by a warning, unless they are empty', (t) => {
  const [options, warnings] = read([
    GEMFIRE,
    'ssl-web-alias=w\nssl-web-require-authentication=true\nssl-parameter-extension=a.B\nssl-jmx-alias=',
    'ssl-default-alias=d',
  ]);
  t.is(options.keystore?.alias, 'd');
  t.deepEqual(warnings, [
    "TLS: not heeded for the cluster's connections: ssl-web-alias (is of another component), " +
      'ssl-web-require-authentication (is of another component), ssl-parameter-extension (names a Java class)',
  ]);
});
