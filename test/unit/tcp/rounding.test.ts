import test from 'ava';

import { DEFAULT_TIMINGS } from '../../../src/tcp/limits.ts';
import { FakeNetwork } from './fake-network.ts';
import { installView, startMember } from './members.ts';
import { connectRaw, hello } from './raw-peer.ts';

/** A time from which the timeout later less than the timeout has passed, as floating point has it. */
function awkwardTime(timeoutMs: number): number {
  for (let atMs = 100.1; ; atMs += 0.1) if (atMs + timeoutMs - atMs < timeoutMs) return atMs;
}

test('a peer goes silent at a time that rounding makes awkward: it is given up once, and the timer rests', async (t) => {
  const network = new FakeNetwork();
  network.plan = () => ({ latencyMs: 0 });
  const b = await startMember(network, 'b');
  installView(1, [b]);
  const peer = connectRaw(network, b);
  peer.send(hello(b));
  network.run(1);
  network.nowMs = awkwardTime(DEFAULT_TIMINGS.idleTimeoutMs);
  peer.send({ type: 'PING', token: '0'.repeat(16) });
  network.run(20_000); // throws if the clock does not get on
  t.is(peer.of('PONG').length, 1);
  t.deepEqual(
    peer.of('GOODBYE').map(({ reason }) => reason),
    ['nothing heard for 15000 ms'],
  );
});
