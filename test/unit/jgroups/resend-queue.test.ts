/** What is asked for again goes out in slices: a Geode member's receive buffer holds no more. */

import test from 'ava';

import { Flag } from '../../../codecs/jgroups/message.ts';
import { encodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import type { JGroupsConfig } from '../../../src/jgroups/config.ts';
import { type Member, type Puppet, World } from './world.ts';

/** What is paced is resent as acks come in (`SendConnection`). */
const UNPACED = { initialWindowBytes: 0 };

function pair(config: Partial<JGroupsConfig> = {}): { world: World; a: Member; p: Puppet } {
  const world = new World();
  const a = world.member(config);
  const p = world.puppet();
  a.view(p);
  return { world, a, p };
}

test('a request for thousands is answered in slices of 32 KiB, 5 ms apart, each message once', (t) => {
  const { a, p, world } = pair({ ...UNPACED, xmitIntervalMs: 10_000, maxCredits: 100_000_000 });
  const count = 5_000;
  for (let i = 1; i <= count; i++) a.send(p, Buffer.alloc(1_024));
  a.take();
  const seqnos = Array.from({ length: count }, (_, i) => i + 1);
  const request = (list: number[]): void =>
    p.say(
      a,
      [{ protocol: 'UNICAST3', type: 'XMIT_REQ' }],
      encodeSeqnoList(list, count + 1),
      Flag.OOB | Flag.INTERNAL,
    );
  request(seqnos);
  t.is(a.take().length, 22);
  request(seqnos.slice(22)); // again, within the pause
  t.is(a.take().length, 0);
  world.run(5);
  t.is(a.take().length, 22);
  world.run(45);
  t.is(a.take().length, 9 * 22);
  world.run(2_000);
  t.is(a.take().length, count - 11 * 22);
  t.is(a.stack.counters.retransmitted, count);
});

test('what is acknowledged meanwhile is not sent again, nor to one that is gone', (t) => {
  const { a, p, world } = pair({ ...UNPACED, maxCredits: 100_000_000 });
  for (let i = 1; i <= 100; i++) a.send(p, Buffer.alloc(1_024));
  const seqnos = Array.from({ length: 100 }, (_, i) => i + 1);
  p.say(
    a,
    [{ protocol: 'UNICAST3', type: 'XMIT_REQ' }],
    encodeSeqnoList(seqnos, 101),
    Flag.OOB | Flag.INTERNAL,
  );
  a.take();
  p.say(a, [{ protocol: 'UNICAST3', type: 'ACK', seqno: 98, connId: 0, timestamp: 1 }]);
  world.run(100);
  t.deepEqual(a.take(), ['DATA 99 conn 0', 'DATA 100 conn 0']);
});

test('a request for group messages is answered in slices as well', (t) => {
  const world = new World();
  const [a, b] = world.members(2, {
    multicast: 'unicasts',
    protocols: ['NAKACK2', 'UNICAST3', 'STABLE'],
    desiredAvgGossipMs: 1_000_000,
    stableMaxBytes: 0,
  }) as [Member, Member];
  world.lose = () => true;
  for (let i = 1; i <= 1_000; i++) a.sendToGroup(Buffer.alloc(1_024));
  world.settle();
  world.lose = () => false;
  a.sendToGroup('last');
  a.take();
  world.run(999);
  t.deepEqual(b.delivered, []);
  world.run(1);
  t.is(a.take().filter((text) => text.startsWith('XMIT_RSP')).length, 22);
  world.run(500);
  t.is(b.delivered.length, 1_001);
  t.is(a.stack.counters.retransmitted, 1_000);
});
