/** Large payloads are not copied behind their headers where the socket can send two pieces as one datagram. */

import test from 'ava';

import { Flag, type GeodeAddress } from '../../../codecs/jgroups/message.ts';
import { resolveConfig } from '../../../src/jgroups/config.ts';
import { JGroupsStack, type StackEvents } from '../../../src/jgroups/stack.ts';
import { seededRng } from '../../../src/protocol/rng.ts';

function address(index: number): GeodeAddress {
  const uuid = index.toString(16).repeat(32);
  return { kind: 'geode', host: '127.0.0.1', scopeId: 0, port: 41_000 + index, uuid, viewId: 1 };
}

const A = address(1);
const B = address(2);

interface Sent {
  readonly bytes: Buffer;
  /** What was handed out beside the headers. */
  readonly body: Uint8Array | null;
}

/** What one sends, and what becomes of it at the other. */
function carry(
  payload: Buffer,
  parts: boolean,
): { sent: Sent[]; delivered: Uint8Array[]; bytesSent: number } {
  const sent: Sent[] = [];
  const delivered: Uint8Array[] = [];
  const events: StackEvents = {
    transmit: (bytes) => sent.push({ bytes, body: null }),
    transmitToGroup: () => undefined,
    deliver: (_src, bytes) => delivered.push(bytes),
    acknowledged: () => undefined,
    complain: (_kind, peer, what) => {
      throw new Error(`${peer}: ${what}`);
    },
  };
  const transmitParts = (head: Buffer, body: Uint8Array): void => {
    sent.push({ bytes: Buffer.concat([head, body]), body });
  };
  const sender = parts ? { ...events, transmitParts } : events;
  const [a, b] = [sender, events].map((of, i) => {
    const stack = new JGroupsStack(
      resolveConfig({ initialWindowBytes: 0 }),
      i === 0 ? A : B,
      of,
      seededRng(i),
      0,
    );
    stack.installView({ members: [A, B] }, 0);
    return stack;
  }) as [JGroupsStack, JGroupsStack];
  a.send(B, payload, Flag.DONT_BUNDLE, 0);
  const { bytesSent } = a.counters;
  const own = [...sent]; // b acknowledges, which is sent as well
  for (const { bytes } of own) b.handleDatagram(bytes, A.host, A.port, 0);
  return { sent: own, delivered, bytesSent };
}

test('the same bytes leave in two parts as in one, and the payload is the caller’s own', (t) => {
  for (const length of [0, 100, 4_095, 4_096, 60_000, 60_001, 150_000]) {
    const payload = Buffer.alloc(length, 'some bytes');
    const whole = carry(payload, false);
    const parts = carry(payload, true);
    t.deepEqual(
      parts.sent.map(({ bytes }) => bytes),
      whole.sent.map(({ bytes }) => bytes),
    );
    t.is(
      parts.bytesSent,
      parts.sent.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
    t.is(parts.bytesSent, whole.bytesSent);
    for (const { delivered } of [whole, parts])
      t.true(payload.equals(delivered[0] ?? Buffer.from('nothing')));
    for (const { body } of parts.sent) t.true(body === null || body.buffer === payload.buffer);
    t.is(parts.sent[0]?.body === null, length < 4_096);
  }
});
