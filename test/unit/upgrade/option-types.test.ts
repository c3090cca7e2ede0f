import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { createMessenger, LocalProtocolError } from '../../../src/index.ts';
import { GEODE_MULTICAST_STACK } from '../../../src/jgroups/config.ts';
import { DEFAULT_DOOR_LIMITS } from '../../../src/tcp/door.ts';
import { DEFAULT_TIMINGS } from '../../../src/tcp/limits.ts';

const OPTIONS = { host: '127.0.0.1', cluster: 'types', ports: [0, 0] as const, member: { version: 200 } };

const METHODS = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** As it is written in JavaScript: the option's whole name, a value that it cannot have, and what is said of it. */
const WRONG: [string, unknown, string][] = [
  ['bundle', 'yes', "is true or false, not 'yes'"],
  ['cluster', '', "is a string that is not empty, not ''"],
  ['hardLimitBytes', null, 'is a number of bytes, not null'],
  ['highWaterBytes', '4m', "is a number of bytes, not '4m'"],
  ['logger', 'debug', "is an object with the methods debug, info, warn and error, not 'debug'"],
  ['logger', {}, 'is an object with the methods debug, info, warn and error, not an object'],
  ['logger', METHODS, 'is an object with the methods debug, info, warn and error, not an object'],
  ['memberTimeoutMs', '5000', "is a number of milliseconds, not '5000'"],
  ['memberTimeoutMs', Infinity, 'is a number of milliseconds, not Infinity'],
  ['seed', 'abc', "is a number, not 'abc'"],
  ['seed', NaN, 'is a number, not NaN'],
  ['typeOf', 'x', "is a function, not 'x'"],
  ['udpReceiveBufferBytes', '1m', "is a number of bytes, not '1m'"],
  ['udpSendBufferBytes', true, 'is a number of bytes, not a boolean'],
  ['member.name', 5, 'is a string, not a number'],
  ['member.kind', 'king', "is normal, locator, admin or loner, not 'king'"],
  ['member.weight', '3', "is a number, not '3'"],
  ['member.version', NaN, 'is a number, not NaN'],
  ['member.uuid', Buffer.alloc(16), 'is a string, not a Buffer'],
  ['limits.highWaterMessages', [9], 'is a number, not a list'],
  ['limits.hardLimitMessages', '9', "is a number, not '9'"],
  ['limits.totalBytes', {}, 'is a number of bytes, not an object'],
  ['limits.totalMessages', NaN, 'is a number, not NaN'],
  ['limits.highPriorityShare', '1/8', "is a number from 0 to 1, not '1/8'"],
  ...Object.keys(DEFAULT_DOOR_LIMITS).map((name): [string, unknown, string] => [
    `door.${name}`,
    '20',
    "is a number, or Infinity for no limit, not '20'",
  ]),
  ['door.maxFailures', NaN, 'is a number, or Infinity for no limit, not NaN'],
  ...Object.keys(DEFAULT_TIMINGS).map((name): [string, unknown, string] => [
    `tcp.${name}`,
    '1',
    "is a number of milliseconds, not '1'",
  ]),
  ['routing.tcp', 'on', "is auto or off, not 'on'"],
  ['routing.tcp', false, 'is auto or off, not a boolean'],
  ...([
    ['200-299', "'200-299'"],
    [[299, 200], '[299, 200]'],
    [[200, NaN], '[200, NaN]'],
    [[200.5, 299], '[200.5, 299]'],
    [[200], 'a list'],
    [[200, 210, 220], 'a list'],
    [['200', '299'], 'a list'],
  ].map(([value, shown]) => [
    'routing.tcpVersions',
    value,
    `is [first, last], two version ordinals of which the last is not the smaller one, not ${shown as string}`,
  ]) as [string, unknown, string][]),
  ['record.file', '', "is a string that is not empty, not ''"],
  ['record.maxBytes', '1g', "is a number of bytes, not '1g'"],
  ['record.whenFull', 'explode', "is stop or rotate, not 'explode'"],
  ['record.redact', 'keys', "is payloads, not 'keys'"],
  ['record.redact', false, 'is payloads, not a boolean'],
  ['faults.loss', '0.1', "is a number from 0 to 1, not '0.1'"],
  ['faults.duplicate', null, 'is a number from 0 to 1, not null'],
  ['faults.reorder', '0', "is a number from 0 to 1, not '0'"],
  ['faults.seed', '7', "is a number, not '7'"],
  ['jgroups.cluster', 5, 'is a string, not a number'],
  ['jgroups.version', '3.6', "is a number, not '3.6'"],
  ['jgroups.answersPings', 'false', "is true or false, not 'false'"],
  ['jgroups.protocols', 'UFC', "is a list of protocols, such as ['UNICAST3', 'UFC', 'FRAG2'], not 'UFC'"],
  ['jgroups.fragSize', '60000', "is a number of bytes, not '60000'"],
  ['jgroups.minThreshold', '0.4', "is a number from 0 to 1, not '0.4'"],
  ['jgroups.multicast.address', 5, 'is a string, not a number'],
  ['jgroups.multicast.address', undefined, "is missing: that of a group, such as '239.1.1.1'"],
  ['jgroups.multicast.port', '10334', "is a number, not '10334'"],
  ['jgroups.multicast.ttl', '1', "is a number, not '1'"],
  ['jgroups.multicast.receiveBufferBytes', '1m', "is a number of bytes, not '1m'"],
  ['seed', 'x'.repeat(1_000), `is a number, not '${'x'.repeat(50)}...'`],
];

/** `{ a: { b: value } }` for `a.b`. */
function withOption(name: string, value: unknown): object {
  const [first = '', ...rest] = name.split('.');
  const inner = rest.length === 0 ? value : withOption(rest.join('.'), value);
  if (first === 'member') return { member: { version: 200, ...(inner as object) } };
  if (first === 'multicast')
    return { multicast: { address: '239.1.1.1', port: 10_334, ...(inner as object) } };
  if (first === 'record') return { record: { file: '/nowhere/x.pcapng', ...(inner as object) } };
  return { [first]: inner };
}

test('a value of another type is refused at once, by the name of its option', (t) => {
  for (const [name, value, words] of WRONG) {
    const options = { ...OPTIONS, ...withOption(name, value) };
    t.throws(
      () => createMessenger(options as never),
      { instanceOf: LocalProtocolError, code: 'ERR_OPTIONS', message: `${name} ${words}` },
      name,
    );
  }
});

test('one that is undefined is one that was not given, also among others', (t) => {
  const nothing = (names: object): object =>
    Object.fromEntries(Object.keys(names).map((name) => [name, undefined]));
  t.notThrows(() =>
    createMessenger({
      ...OPTIONS,
      member: { version: 200, ...nothing({ name: 0, kind: 0, weight: 0, uuid: 0 }) },
      routing: nothing({ tcp: 0, tcpVersions: 0 }),
      door: nothing(DEFAULT_DOOR_LIMITS),
      tcp: nothing(DEFAULT_TIMINGS),
      jgroups: nothing(GEODE_MULTICAST_STACK),
    }),
  );
});

test('of a secret that is no string nothing is shown', (t) => {
  for (const passphrase of [123_456, { text: 'hunter2' }, ['hunter2'], Buffer.from('hunter2')]) {
    const options = { ...OPTIONS, tls: { mode: 'required', passphrase } };
    const error = t.throws(() => createMessenger(options as never), { code: 'ERR_TLS' });
    t.notRegex(error.message, /123456|hunter2/);
  }
});

test('every option is taken, with a value of its type', (t) => {
  class Winstons {
    debug(): void {}
    info(): void {}
    warn(): void {}
    error(): void {}
  }
  t.notThrows(() =>
    createMessenger({
      host: '127.0.0.1',
      ports: [0, 0],
      cluster: 'types',
      member: { name: '', kind: 'locator', weight: 0, version: 200, uuid: 'ab'.repeat(16) },
      typeOf: () => null,
      routing: { tcp: 'auto', tcpVersions: [200, 200] },
      memberTimeoutMs: 5_000,
      highWaterBytes: 1,
      hardLimitBytes: 1,
      limits: {
        highWaterMessages: 1,
        hardLimitMessages: 1,
        totalBytes: 1,
        totalMessages: 1,
        highPriorityShare: 0,
      },
      door: { ...DEFAULT_DOOR_LIMITS, maxFailures: Infinity },
      tcp: DEFAULT_TIMINGS,
      tls: { mode: 'off' },
      jgroups: {
        ...GEODE_MULTICAST_STACK,
        multicast: { address: '239.1.1.1', port: 10_334, ttl: 0, receiveBufferBytes: 1 },
      },
      bundle: false,
      udpReceiveBufferBytes: 65_536,
      udpSendBufferBytes: 65_536,
      record: {
        file: join(tmpdir(), 'never-started.pcapng'),
        maxBytes: 131_072,
        whenFull: 'rotate',
        redact: 'payloads',
      },
      logger: new Winstons(),
      seed: 0,
      faults: { loss: 0, duplicate: 0, reorder: 1, seed: 0 },
    }),
  );
  t.notThrows(() => createMessenger({ ...OPTIONS, jgroups: { multicast: 'unicasts' } }));
  t.notThrows(() => createMessenger({ ...OPTIONS, jgroups: { multicast: null }, logger: console }));
});
