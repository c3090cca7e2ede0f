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
