import test from 'ava';

import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import { createView } from '../../../src/protocol/view.ts';
import { ReferenceMessenger } from '../../sim/reference-messenger.ts';

const MESSAGES = 60;

for (const [kind, version] of [
  ['old', 150],
  ['new', 200],
] as const) {
  test(`what runs in the simulator runs on real sockets: ${kind} members`, async (t) => {
    const faults = { loss: 0.1, duplicate: 0.1, reorder: 0.1, seed: 4 };
    const [a, b] = (['a', 'b'] as const).map((name) => {
      const options = { host: '127.0.0.1', ports: [0, 0] as const, name, kind, version, newVersion: 200 };
      return new ReferenceMessenger(createNodeEnvironment({ faults }), options);
    }) as [ReferenceMessenger, ReferenceMessenger];
    t.teardown(() => Promise.all([a.stop(), b.stop()]));
    const received: string[] = [];
    b.setDefaultHandler(({ payload }) => received.push(Buffer.from(payload).toString()));
    const view = createView(1, [await a.start(), await b.start()]);
    for (const messenger of [a, b]) messenger.installView(view);
    for (let index = 0; index < MESSAGES; index++) {
      a.send({ recipients: 'all', payload: Buffer.from(`${index}`) });
    }
    t.true(await a.flush(20_000));
    t.deepEqual(
      received,
      Array.from({ length: MESSAGES }, (_, index) => `${index}`),
    );
  });
}
