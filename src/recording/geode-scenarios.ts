/** Scenarios of Geode's stacks. */
import { JGROUPS_3_6, MCAST_PORT_AT, type PeerLines, type Scenario, scenario } from './scenario.ts';
import type { PeerVersion } from './script.ts';

/** More than Geode's default, which a burst of fragments overflows: what the kernel drops no peer can tell of. */
const BUFFER = 'UDP_RECV_BUFFER_SIZE=1048576';

/** GeodePeers with these arguments, each of the version that stands for it. */
function geode(count: number, args = '', versions: readonly PeerVersion[] = []): PeerLines {
  return (version, port) =>
    Array.from({ length: count }, (_, i) =>
      `GeodePeer idx=${i} version=${versions[i] ?? version} base=${port} ${BUFFER} ${args}`
        .replace(/ MCAST$/, ` MCAST_PORT=${port + MCAST_PORT_AT}`)
        .trim(),
    );
}

const GROUP = 'mcast=unicast gossip=1000 MCAST';
const IP_GROUP = 'mcast=ip gossip=1000 MCAST';

export const GEODE_SCENARIOS: readonly Scenario[] = [
  scenario(
    'unicast',
    'small messages both ways: bundled or not, out of band, unreliable, empty, and a quorum ping',
    JGROUPS_3_6,
    geode(2),
    `*: view 1 0:0,1:1
     await commands
     p0: send 1 100 3
     p1: send 0 10 2 O
     await delivered
     sleep 1.2
     p0: send 1 0 1
     p0: send 1 1000 12
     p1: send 0 1 3
     await delivered
     sleep 1.2
     p0: send 1 300 10 B
     p1: send 0 200 2 OFK
     await delivered
     p0: send 1 50 1 R
     p0: ping 1`,
  ),
  scenario(
    'fragments',
    'messages below, at and above the fragment size of 60,000 bytes, and several at a time',
    JGROUPS_3_6,
    geode(2),
    `*: view 1 0:0,1:1
     await commands
     p0: send 1 59999 1
     p0: send 1 60000 1
     p0: send 1 60001 1
     await delivered
     sleep 0.6
     p1: send 0 180000 1
     p1: send 0 65000 1 O
     p0: send 1 100 2`,
  ),
  scenario(
    'loss',
    'the receiver loses datagrams: gap requests, resends of the last message, lost fragments, acks and requests',
    JGROUPS_3_6,
    geode(2),
    `*: view 1 0:0,1:1
     await commands
     p0: send 1 100 2
     await delivered
     p1: drop 3 4
     p0: send 1 200 12 - 5
     await delivered
     sleep 1.2
     p1: drop 1 1
     p0: send 1 300 1
     await delivered
     p1: drop 2 1
     p0: send 1 150000 1
     await delivered
     p0: drop 1 2
     p1: drop 4 2
     p0: send 1 80 10 - 20
     p1: send 0 90 10 - 20
     await delivered
     sleep 0.6`,
  ),
  scenario(
    'first-message-loss',
    'the first message of a connection is lost: alone, before others, and both ways',
    JGROUPS_3_6,
    geode(3),
    `*: view 1 0:0,1:1,2:2
     await commands
     p1: drop 1 1
     p0: send 1 100 1
     await delivered
     p2: drop 1 1
     p0: send 2 110 5 - 5
     await delivered
     sleep 0.6
     p1: drop 1 3
     p2: drop 1 2
     p1: send 2 120 4
     p2: send 1 130 4
     await delivered
     sleep 2.2`,
  ),
  scenario(
    'flow-control',
    'credits of 20,000 bytes run out and are given anew; high priority messages cost none',
    JGROUPS_3_6,
    geode(2, 'FC_MAX_CREDITS=20000'),
    `*: view 1 0:0,1:1
     await commands
     p0: send 1 1000 60
     await delivered
     sleep 0.6
     p0: send 1 15000 6
     p1: send 0 9000 5
     p0: send 1 700 5 OFK
     await delivered
     sleep 0.6
     p1: drop 5 6
     p0: send 1 1500 40
     await delivered
     sleep 0.6`,
  ),
  scenario(
    'credit-request',
    "the recipient's application hangs for 7 s: its sender runs out of credits and asks for more after 5",
    JGROUPS_3_6,
    geode(2, 'FC_MAX_CREDITS=20000'),
    `*: view 1 0:0,1:1
     await commands
     p0: send 1 1000 3
     await delivered
     p1: stall 7000
     await commands
     p0: send 1 1000 30
     await delivered
     sleep 0.6
     p1: send 0 500 3`,
  ),
  scenario(
    'view-change',
    'a third member joins, is killed, and the view drops it',
    JGROUPS_3_6,
    geode(3),
    `p0: view 1 0:0,1:1
     p1: view 1 0:0,1:1
     await commands
     p0: send 1 64 2
     await delivered
     sleep 0.8
     *: view 2 0:0,1:1,2:2
     await commands
     p0: send 2 64 2
     p1: send 2 65 2
     p2: send 0 66 2
     await delivered
     sleep 0.6
     kill 2
     p0: send 2 70 2
     sleep 1.2
     p0: view 3 0:0,1:1
     p1: view 3 0:0,1:1
     await commands
     p0: send 1 71 2
     p0: send 2 72 1
     await delivered
     sleep 1.5`,
  ),
  scenario(
    'mixed',
    'JGroups 3.6.14 and 3.6.20 in one view: small, large and lost messages',
    ['3.6.14'],
    geode(3, '', ['3.6.14', '3.6.20', '3.6.14']),
    `*: view 1 0:0,1:1,2:2
     await commands
     p0: send 1 100 3
     p1: send 0 110 3
     p1: send 2 120 3 O
     p2: send 1 130 3 B
     await delivered
     p0: send 1 61000 1
     p1: send 0 61000 1
     await delivered
     p0: drop 3 3
     p1: drop 3 3
     p0: send 1 200 8 - 10
     p1: send 0 210 8 - 10
     await delivered
     sleep 0.6`,
  ),
  scenario(
    'mcast',
    'group messages without IP multicast, a copy to each member: acks, stability, fragments, a bundle',
    JGROUPS_3_6,
    geode(3, GROUP),
    `*: view 2 0:0,1:1,2:2
     await commands
     p0: send all 100 3
     p1: send all 200 2
     await delivered
     p2: send all 300 5 B
     p0: send 1 40 2
     await delivered
     p0: send all 150000 1
     await delivered
     sleep 2.5`,
  ),
  scenario(
    'ipmcast',
    'group messages by IP multicast',
    JGROUPS_3_6,
    geode(3, IP_GROUP),
    `*: view 2 0:0,1:1,2:2
     await commands
     p0: send all 100 3
     p1: send all 200 2
     p2: send 0 50 1
     await delivered
     p2: send all 300 5 B
     p0: send all 70000 1
     await delivered
     sleep 2.5`,
  ),
  scenario(
    'mcast-loss',
    'group messages by IP multicast, of which members lose some: gap requests, the last one, lost answers',
    JGROUPS_3_6,
    geode(3, IP_GROUP),
    `*: view 2 0:0,1:1,2:2
     await commands
     p0: send all 100 2
     await delivered
     sleep 0.6
     p1: drop 3 4
     p2: drop 4 3
     p0: send all 200 12 - 20
     await delivered
     sleep 0.6
     p1: drop 1 1
     p2: drop 1 1
     p0: send all 300 1
     await delivered
     p0: drop 2 3
     p1: send all 310 8 - 20
     await delivered
     sleep 1.2`,
  ),
  scenario(
    'mixed-mcast',
    'group messages without IP multicast between JGroups 3.6.14 and 3.6.20, and some loss',
    ['3.6.14'],
    geode(3, GROUP, ['3.6.14', '3.6.20', '3.6.20']),
    `*: view 2 0:0,1:1,2:2
     await commands
     p0: send all 100 3
     p1: send all 200 3
     await delivered
     p0: drop 3 2
     p2: drop 3 2
     p1: send all 210 6 - 20
     p0: send 2 61000 1
     await delivered
     sleep 1.2`,
  ),
  scenario(
    'mcast-credits',
    'group messages without IP multicast whose credits of 20,000 bytes run out and are given anew, with some loss',
    JGROUPS_3_6,
    geode(3, `FC_MAX_CREDITS=20000 ${GROUP}`),
    `*: view 2 0:0,1:1,2:2
     await commands
     p0: send all 1000 30
     p1: send all 700 20 - 2
     p2: send all 9000 3
     await delivered
     p1: drop 4 3
     p2: drop 3 4
     p0: send all 1500 16 - 3
     p1: send all 200 4 O
     p0: send all 100 2 R
     await delivered
     sleep 1.5`,
  ),
];
