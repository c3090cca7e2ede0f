import test from 'ava';

import type { Hello } from '../../codecs/tcp/v1/handshake.ts';
import { ReceiveWindow } from '../../src/tcp/receive-window.ts';
import { Receiver } from '../../src/tcp/receiver.ts';
import { SendWindow } from '../../src/tcp/send-window.ts';
import { Violation } from './checker.ts';
import { patch } from './patch.ts';
import { runSeed, type Subject } from './scenario.ts';
import { tcp } from './subjects.ts';
import { tcpTuning } from './tuning.ts';

/** Mistakes in the TCP stack that a failing network has to bring to light. */
const DEFECTS: Readonly<Record<string, () => () => void>> = {
  'sends nothing again': () => {
    return patch(SendWindow.prototype, 'handleResume', () => {
      return function (lastSeqno) {
        return (this as SendWindow).handleAck(lastSeqno as number);
      };
    });
  },
  'forgets what it received when a connection breaks': () => {
    let sessions = 0;
    return patch(Receiver.prototype, 'attach', (original) => {
      return function (connection, hello) {
        return original.call(this, connection, { ...(hello as Hello), session: `${sessions++}` });
      };
    });
  },
  'loses a message that it acknowledges': () => {
    let messages = 0;
    return patch(ReceiveWindow.prototype, 'handleData', (original) => {
      return function (frame) {
        const message = original.call(this, frame);
        return message !== null && ++messages % 500 === 0 ? null : message;
      };
    });
  },
};

const MAX_SEEDS = 200;

async function firstFailure(subject: Subject): Promise<{ seed: number; failure: Error } | null> {
  for (let seed = 1; seed <= MAX_SEEDS; seed++) {
    const { failure } = await runSeed(subject, seed);
    if (failure !== null) return { seed, failure };
  }
  return null;
}

for (const [name, make] of Object.entries(DEFECTS)) {
  test.serial(`a stack that ${name} is caught`, async (t) => {
    const takeBack = make();
    t.teardown(takeBack);
    const found = await firstFailure(tcp);
    t.log(`seed ${found?.seed}: ${found?.failure.message}`);
    t.true(found?.failure instanceof Violation, found?.failure.stack ?? `${MAX_SEEDS} seeds passed`);
  });
}

test.serial('a stack that never gives up a silent connection is caught', async (t) => {
  const patient: Subject = {
    ...tcp,
    tune: (rng) => ({ ...tcpTuning(rng), tcp: { stallTimeoutMs: 1e9, handshakeTimeoutMs: 1e9 } }),
  };
  const found = await firstFailure(patient);
  t.log(`seed ${found?.seed}: ${found?.failure.message}`);
  t.is((found?.failure as Violation | undefined)?.property, 'liveness');
});
