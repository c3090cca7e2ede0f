import test from 'ava';

import { createMemberId } from '../../src/protocol/member-id.ts';
import type { Tally } from '../../src/rehearsal/accounts.ts';
import { Cluster } from '../../src/rehearsal/cluster.ts';
import type { DeliveryCounts } from '../../src/rehearsal/delivery-record.ts';
import type { RehearsalMember } from '../../src/rehearsal/members.ts';

/** A member that has sent and got as much as it is told to say. */
function member(port: number) {
  const sent = new Map<string, number>();
  const received = new Map<string, DeliveryCounts>();
  const nothing = () => Promise.resolve();
  return {
    id: createMemberId({ host: '127.0.0.1', port, uuid: `${port}`.padStart(32, '0') }),
    version: 'JGroups 3.6.14',
    messenger: null,
    installView: nothing,
    startTraffic: () => undefined,
    stopTraffic: nothing,
    drain: () => Promise.resolve(true),
    tally: (): Promise<Tally> => Promise.resolve({ sent: new Map(sent), received: new Map(received) }),
    leave: nothing,
    kill: nothing,
    says(other: RehearsalMember, toIt: number, fromIt: number): void {
      const none = { duplicated: 0, reordered: 0, missing: 0, corrupt: 0, bytes: 0 };
      sent.set(other.id.uuid, toIt);
      received.set(other.id.uuid, { ...none, delivered: fromIt, highest: fromIt });
    },
  };
}

test('what is shown as sent and received never goes down when a member leaves and another comes', async (t) => {
  const cluster = new Cluster(2);
  const [first, second] = cluster.slots;
  if (first === undefined || second === undefined) return t.fail();
  const [ann, bob, fresh] = [member(1), member(2), member(3)];
  first.member = ann;
  second.member = bob;
  await cluster.join([ann, bob]);
  ann.says(bob, 10, 7);
  bob.says(ann, 8, 9);
  await cluster.refresh();
  const figures = () => cluster.rows().map(({ sent, received, inFlight }) => [sent, received, inFlight]);
  t.deepEqual(figures(), [
    [10, 7, 1],
    [8, 9, 1],
  ]);

  ann.says(bob, 10, 8);
  await cluster.close(first, 'left');
  t.deepEqual(figures()[0], [10, 8, 0], 'its last word counts, and none of it is still on its way');

  first.member = fresh;
  await cluster.join([fresh]);
  fresh.says(bob, 3, 2);
  await cluster.refresh();
  t.deepEqual(figures(), [
    [13, 10, 3],
    [8, 9, 0],
  ]);
  t.is(cluster.closed.size, 1);
});
