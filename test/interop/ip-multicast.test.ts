/** Group messages by IP multicast with real JGroups, in Geode's stack for it, on the loopback interface. */

import type { MulticastGroup } from '../../src/jgroups/config.ts';
import { encodeNumberedPayload } from '../../src/rehearsal/numbered-payload.ts';
import { jvmTest, startPeer } from './jvm.ts';
import { installViewWith, OwnMember } from './own.ts';

const COUNT = 2_000;
const SIZE_BYTES = 1_024;
/** Three fragments. */
const LARGE_COUNT = 20;
const LARGE_BYTES = 150_000;
const FAULTS = { loss: 0.05, duplicate: 0.02, reorder: 0.05 };

const exactly = (count: number) => ({
  delivered: count,
  highest: count,
  duplicated: 0,
  reordered: 0,
  missing: 0,
  corrupt: 0,
});

/** Nobody else on this machine hears it. */
function randomGroup(): MulticastGroup {
  const byte = (): number => 1 + Math.floor(Math.random() * 250);
  return { address: `239.194.${byte()}.${byte()}`, port: 30_000 + Math.floor(Math.random() * 2_000), ttl: 0 };
}

for (const [title, faults] of [
  ['group messages', {}],
  ['group messages, some of them lost', FAULTS],
] as const) {
  jvmTest(`${title}: two JVMs and we, each to all, by IP multicast`, async (t) => {
    t.timeout(120_000);
    const group = randomGroup();
    const stack = { MCAST_ADDRESS: group.address, MCAST_PORT: group.port, MCAST_TTL: 0 };
    const options = { stackFile: 'jgroups-mcast.xml', stack, receiveBufferBytes: 1024 * 1024 };
    const own = await OwnMember.start(t, { jgroups: { multicast: group }, faults: { ...faults, seed: 11 } });
    const peers = await Promise.all([
      startPeer(t, { version: '3.6.14', ...options }),
      startPeer(t, { version: '3.6.20', ...options }),
    ]);
    await installViewWith(1, own, peers);
    const before = own.counter('datagramsSent');
    for (const [count, sizeBytes, first] of [
      [COUNT, SIZE_BYTES, 1],
      [LARGE_COUNT, LARGE_BYTES, COUNT + 1],
    ] as const) {
      const theirs = Promise.all(peers.map((peer) => peer.groupBurst({ count, sizeBytes })));
      for (let i = 0; i < count; i++) {
        const payload = encodeNumberedPayload(own.id.uuid, first + i, sizeBytes);
        t.deepEqual(own.messenger.send({ recipients: 'all', payload }).refused, []);
        if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await theirs;
    }
    const total = COUNT + LARGE_COUNT;
    t.true(await own.messenger.flush(60_000), 'all that we sent is stable');
    for (const peer of peers) t.true(await own.receives(peer, total, 30_000));
    for (const peer of peers) {
      t.like(own.received(peer), exactly(total));
      const { received } = await peer.stats();
      t.like(received[own.id.uuid], exactly(total));
      for (const other of peers) if (other !== peer) t.like(received[other.memberId.uuid], exactly(total));
    }
    t.log(`${own.counter('datagramsSent') - before} datagrams for ${total} messages to two peers`);
    if (Object.keys(faults).length === 0) t.is(own.counter('malformed') + own.counter('rejected'), 0);
    t.true(own.counter('ownPackets') > 0, 'our own come back to us, and are dropped');
  });
}
