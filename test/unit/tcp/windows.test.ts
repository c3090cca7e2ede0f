import test from 'ava';
import { DataFlag } from '../../../codecs/tcp/v1/data.ts';
import { RemoteProtocolError } from '../../../src/protocol/errors.ts';
import { below, seededRng } from '../../../src/protocol/rng.ts';
import { createCounters } from '../../../src/tcp/context.ts';
import { Fifo } from '../../../src/protocol/fifo.ts';
import {
  ACK_EVERY_BYTES,
  ACK_EVERY_FRAMES,
  UNRELIABLE_MAX_AGE_MS,
  UNRELIABLE_QUEUE_BYTES,
} from '../../../src/tcp/limits.ts';
import { AckSchedule, ReceiveWindow } from '../../../src/tcp/receive-window.ts';
import { Reconnect } from '../../../src/tcp/reconnect.ts';
import { type OutgoingFrame, SendWindow } from '../../../src/tcp/send-window.ts';
import { UnreliableQueue } from '../../../src/tcp/unreliable-queue.ts';

const bytes = (length: number, fill = 0): Uint8Array => new Uint8Array(length).fill(fill);

const frame = (seqno: number, flags: number, payload: Uint8Array) => ({
  type: 'DATA' as const,
  seqno,
  flags,
  payload,
});
const data = (frame: OutgoingFrame) => ({ type: 'DATA' as const, ...frame });
const drain = (window: SendWindow, fragmentBytes = 10): OutgoingFrame[] => {
  const frames: OutgoingFrame[] = [];
  for (let frame = window.pollFrame(fragmentBytes); frame !== null; frame = window.pollFrame(fragmentBytes))
    frames.push(frame);
  return frames;
};

test('fifo: a model of pushes, shifts and looks', (t) => {
  const rng = seededRng(3);
  const fifo = new Fifo<number>();
  const model: number[] = [];
  for (let i = 0; i < 50_000; i++) {
    if (rng.next() < 0.52) {
      fifo.push(i);
      model.push(i);
    } else t.is(fifo.shift(), model.shift());
    if (i % 1000 !== 0) continue;
    const index = below(rng, model.length + 1);
    t.is(fifo.at(index), model[index]);
    t.is(fifo.length, model.length);
  }
});

test('send window: seqnos from 1, fragments, cumulative acks complete messages', (t) => {
  const window = new SendWindow('p:1', createCounters());
  window.push(bytes(3), false, false);
  window.push(bytes(25), false, false);
  window.push(bytes(0), true, false);
  t.deepEqual(
    drain(window).map(({ seqno, flags, payload, completes }) => [seqno, flags, payload.length, completes]),
    [
      [1, 0, 3, 3],
      [2, DataFlag.MORE, 10, null],
      [3, DataFlag.MORE, 10, null],
      [4, 0, 5, 25],
      [5, DataFlag.UNORDERED, 0, 0],
    ],
  );
  t.deepEqual(window.handleAck(3), { messages: 1, bytes: 3 });
  t.deepEqual(window.handleAck(2), { messages: 0, bytes: 0 });
  t.is(window.nextSeqno, 4);
  t.deepEqual(window.handleAck(5), { messages: 2, bytes: 25 });
  t.true(window.isEmpty);
  t.throws(() => window.handleAck(6), { instanceOf: RemoteProtocolError, code: 'ERR_ACK' });
});

test('send window: resume sends again what is above the last seqno, in order, then goes on', (t) => {
  const counters = createCounters();
  const window = new SendWindow('p:1', counters);
  for (let i = 0; i < 4; i++) window.push(bytes(1, i), false, false);
  for (let i = 0; i < 3; i++) window.pollFrame(10);
  t.deepEqual(window.handleResume(1), { messages: 1, bytes: 1 });
  t.deepEqual(
    drain(window).map(({ seqno, payload }) => [seqno, payload[0]]),
    [
      [2, 1],
      [3, 2],
      [4, 3],
    ],
  );
  t.is(counters.retransmissions, 2);
  window.handleAck(3);
  t.throws(() => window.handleResume(2), { code: 'ERR_ACK' });
  t.throws(() => window.handleResume(5), { code: 'ERR_ACK' });
});

test('send window: an ack while frames are sent again leaves none out', (t) => {
  const window = new SendWindow('p:1', createCounters());
  for (let i = 0; i < 6; i++) window.push(bytes(1), false, false);
  drain(window);
  window.handleResume(0);
  t.is(window.pollFrame(10)?.seqno, 1);
  t.is(window.pollFrame(10)?.seqno, 2);
  window.handleAck(4);
  t.deepEqual(
    drain(window).map(({ seqno }) => seqno),
    [5, 6],
  );
});

test('windows together: high priority passes, also between the fragments of a large ordered message', (t) => {
  const send = new SendWindow('p:1', createCounters());
  const receive = new ReceiveWindow('s', 1, 0, 'p:1');
  const got: number[] = [];
  const exchange = (): void => {
    const frame = send.pollFrame(10);
    if (frame === null) return;
    const message = receive.handleData(data(frame));
    if (message !== null) got.push(message.length);
  };
  send.push(bytes(35), false, false);
  send.push(bytes(1), false, false);
  exchange();
  send.push(bytes(22), false, true);
  for (let i = 0; i < 10; i++) exchange();
  t.deepEqual(got, [22, 35, 1]);
  send.push(bytes(33), true, false);
  exchange();
  send.push(bytes(2), false, true);
  for (let i = 0; i < 10; i++) exchange();
  t.deepEqual(got, [22, 35, 1, 33, 2]); // not into the midst of another unordered one
});

test('receive window: duplicates, gaps, fragments over connections, the size limit', (t) => {
  const window = new ReceiveWindow('s', 1, 4, 'p:1');
  t.true(window.isDuplicate(frame(4, 0, bytes(1))));
  t.throws(() => window.handleData(frame(6, 0, bytes(1))), { code: 'ERR_SEQNO' });
  t.is(window.handleData(frame(5, DataFlag.MORE, bytes(2, 1))), null);
  t.is(window.handleData(frame(6, DataFlag.MORE, bytes(2, 2))), null);
  t.deepEqual([...(window.handleData(frame(7, 0, bytes(1, 3))) ?? [])], [1, 1, 2, 2, 3]);
  t.is(window.lastSeqno, 7);
  const chunk = bytes(1024 * 1024);
  for (let i = 0; i < 64; i++) window.handleData(frame(8 + i, DataFlag.MORE, chunk));
  t.throws(() => window.handleData(frame(72, 0, bytes(1))), { code: 'ERR_TOO_LARGE' });
  t.is(window.lastSeqno, 71);
});

test('receive window: fragments of all sizes are joined as they came, however they lie in memory', (t) => {
  const window = new ReceiveWindow('00', 1, 0, 'somewhere:1');
  const rng = seededRng(7);
  let seqno = 0;
  for (let message = 0; message < 40; message++) {
    const whole: number[] = [];
    const count = 2 + below(rng, 12);
    for (let i = 0; i < count; i++) {
      const size = [0, 1, 20, 5_000, 16_384, 40_000, 65_536][below(rng, 7)] as number;
      const around = bytes(size + (below(rng, 2) === 0 ? 0 : 200_000), (seqno % 255) + 1);
      const fragment = around.subarray(around.length - size);
      for (const byte of fragment) whole.push(byte);
      const isLast = i === count - 1;
      const joined = window.handleData(frame(++seqno, isLast ? 0 : DataFlag.MORE, fragment));
      if (isLast) t.true(Buffer.from(whole).equals(joined ?? Buffer.alloc(0)), `message ${message}`);
      else t.is(joined, null);
    }
  }
});

test('acks: when no more comes for the delay, or at once for many frames or bytes', (t) => {
  const acks = new AckSchedule(5);
  t.is(acks.deadlineMs, Infinity);
  acks.handleFrame(10, 100);
  t.is(acks.deadlineMs, 105);
  t.false(acks.handleTimeout(104.9), 'too early');
  t.true(acks.handleTimeout(105));
  acks.reset();
  t.is(acks.deadlineMs, Infinity);
  for (let i = 0; i < ACK_EVERY_FRAMES - 1; i++) acks.handleFrame(10, 200);
  t.false(acks.isDue);
  acks.handleFrame(10, 201);
  t.true(acks.isDue);
  t.is(acks.deadlineMs, 201);
  acks.reset();
  acks.handleFrame(ACK_EVERY_BYTES, 300);
  t.true(acks.isDue);
});

test('acks: while more keep coming they wait for four delays, and soon not at all for the first', (t) => {
  const acks = new AckSchedule(5);
  acks.handleFrame(10, 100);
  acks.handleFrame(10, 103);
  t.false(acks.handleTimeout(105));
  t.is(acks.deadlineMs, 120, 'more may come');
  acks.handleFrame(10, 119);
  t.true(acks.handleTimeout(120));
  acks.reset();

  acks.handleFrame(10, 123);
  t.is(acks.deadlineMs, 143, 'more will come');
  t.true(acks.handleTimeout(143));
  acks.reset();

  acks.handleFrame(10, 150);
  t.is(acks.deadlineMs, 155, 'none came');
});

test('acks: without a delay each turn is acknowledged', (t) => {
  const acks = new AckSchedule(0);
  acks.handleFrame(10, 100);
  t.true(acks.isDue);
  acks.reset();
  acks.handleFrame(10, 100);
  t.true(acks.isDue);
});

test('reconnect: doubles with jitter up to the limit, starts again after a success', (t) => {
  const reconnect = new Reconnect({ backoffMinMs: 10, backoffMaxMs: 2_000 });
  const rng = seededRng(5);
  for (let i = 0; i < 40; i++) {
    const ceiling = Math.min(2_000, 10 * 2 ** i);
    const delay = reconnect.nextDelayMs(rng);
    t.true(delay >= ceiling / 2 && delay <= ceiling, `attempt ${i}: ${delay}`);
  }
  reconnect.handleSuccess();
  t.true(reconnect.nextDelayMs(rng) <= 10);
});

test('unreliable queue: bounded in bytes and age, what does not fit a frame is dropped', (t) => {
  const counters = createCounters();
  const queue = new UnreliableQueue(counters);
  queue.push(bytes(UNRELIABLE_QUEUE_BYTES + 1), 0);
  queue.push(bytes(1), 0);
  t.is(counters.unreliableDropped, 1);
  t.is(queue.poll(UNRELIABLE_MAX_AGE_MS)?.length, UNRELIABLE_QUEUE_BYTES + 1);
  queue.push(bytes(1), 0);
  t.is(queue.poll(UNRELIABLE_MAX_AGE_MS + 1), null);
  queue.maxBytes = 4096;
  queue.push(bytes(4095), 0);
  queue.push(bytes(4094), 0);
  t.is(queue.poll(0)?.length, 4094);
  t.is(counters.unreliableDropped, 3);
  queue.push(bytes(1), 0);
  queue.clear();
  t.true(queue.isEmpty);
  t.is(counters.unreliableDropped, 4);
});
