import test from 'ava';

import { createMessenger, createView, LocalProtocolError } from '../../../src/index.ts';

const options = { host: '127.0.0.1', cluster: 'misuse', ports: [0, 0] as const, member: { version: 200 } };

for (const [name, wrong] of [
  ['nothing', undefined],
  ['no host', { ...options, host: undefined }],
  ['no cluster', { ...options, cluster: undefined }],
  ['no member', { ...options, member: undefined }],
  ['no version', { ...options, member: {} }],
] as const) {
  test(`createMessenger with ${name} says what it needs`, (t) => {
    const error = t.throws(() => createMessenger(wrong as never), { instanceOf: LocalProtocolError });
    t.is(error.code, 'ERR_OPTIONS');
    t.regex(error.message, /^createMessenger needs /);
  });
}

const OPTION_ERRORS: [object, string, RegExp][] = [
  [{ hihgWaterBytes: 1 }, 'ERR_OPTIONS', /^unknown option hihgWaterBytes, did you mean highWaterBytes\?$/],
  [{ entirelyElse: 1 }, 'ERR_OPTIONS', /^unknown option entirelyElse$/],
  [
    { limits: { maxMessages: 1 } },
    'ERR_OPTIONS',
    /^unknown option limits.maxMessages, did you mean limits.\w+Messages\?/,
  ],
  [{ limits: 7 }, 'ERR_OPTIONS', /^limits must be an object with options such as .*, not number$/],
  [
    { member: { version: 200, nmae: 'a' } },
    'ERR_OPTIONS',
    /^unknown option member.nmae, did you mean member.name/,
  ],
  [{ door: { maxGreetings: 1 } }, 'ERR_OPTIONS', /did you mean door.maxGreeting\?/],
  [{ tcp: { pingIntervalMS: 1 } }, 'ERR_OPTIONS', /did you mean tcp.pingIntervalMs\?/],
  [{ jgroups: { ackTreshold: 1 } }, 'ERR_OPTIONS', /did you mean jgroups.ackThreshold\?/],
  [
    { jgroups: { multicast: { adress: '239.1.1.1' } } },
    'ERR_OPTIONS',
    /did you mean jgroups.multicast.address\?/,
  ],
  [{ record: { path: 'x' } }, 'ERR_OPTIONS', /^unknown option record.path$/],
  [{ faults: { los: 0.1 } }, 'ERR_OPTIONS', /did you mean faults.loss\?/],
  [{ routing: { tpc: 'off' } }, 'ERR_OPTIONS', /did you mean routing.tcp\?/],
  [{ host: '0.0.0.0' }, 'ERR_HOST', /stands for every interface.*name the address/],
  [{ host: '::' }, 'ERR_HOST', /stands for every interface/],
  [{ host: '0:0:0:0:0:0:0:0' }, 'ERR_HOST', /stands for every interface/],
  [{ host: '::ffff:0:0' }, 'ERR_HOST', /stands for every interface/],
  [{ host: 'localhost' }, 'ERR_HOST', /'localhost' is no IP address/],
  [{ host: 'fe80::1%eth0' }, 'ERR_HOST', /a zone cannot be told/],
  [{ ports: 41_000 }, 'ERR_PORTS', /such as \[41000, 61000\]; for one port, \[41000, 41000\]$/],
  [{ ports: [41_000] }, 'ERR_PORTS', /first and the last/],
  [{ ports: ['1', '2'] }, 'ERR_PORTS', /no range/],
  [{ ports: [2, 1] }, 'ERR_PORTS', /no range/],
];

for (const [wrong, code, words] of OPTION_ERRORS) {
  test(`createMessenger with ${JSON.stringify(wrong)} is refused at once`, (t) => {
    const all = { ...options, ...wrong };
    t.throws(() => createMessenger(all as never), { instanceOf: LocalProtocolError, code, message: words });
  });
}

test('an option that is undefined is one that was not given', (t) => {
  const all = { ...options, limits: undefined, jgroups: undefined, tcp: undefined, ports: undefined };
  t.notThrows(() => createMessenger(all as never));
});

test('what is no message is refused by name, before anything is sent', async (t) => {
  const messenger = createMessenger(options);
  const self = await messenger.start();
  messenger.installView(createView(1, [self]));
  for (const message of [
    { recipients: 'all', payload: 'text' },
    { recipients: 'all' },
    { payload: Buffer.alloc(1) },
    { recipients: [undefined], payload: Buffer.alloc(1) },
    { recipients: ['m1'], payload: Buffer.alloc(1) },
  ]) {
    t.throws(() => messenger.send(message as never), { instanceOf: LocalProtocolError, code: 'ERR_MESSAGE' });
  }
  t.is(messenger.stats().totals.accepted, 0);
  await messenger.stop();
  await t.throwsAsync(messenger.start(), { instanceOf: LocalProtocolError, code: 'ERR_CLOSED' });
});
