/** Scenarios of the stacks that JGroups ships. */
import { JGROUPS_3_6, MCAST_PORT_AT, type PeerLines, type Scenario, scenario } from './scenario.ts';

/** Behind the members' ports, two each: FD_SOCK takes the one, its client the other. */
const FD_PORTS_AT = 20;
/** ClusterPeers with a stack that JGroups ships. */
function cluster(
  count: number,
  conf: 'udp.xml' | 'tcp.xml',
  more: (index: number, firstPort: number) => string = () => '',
): PeerLines {
  return (version, port) =>
    Array.from({ length: count }, (_, i) => {
      const transport = conf === 'udp.xml' ? 'UDP' : 'TCP';
      const args = [
        `ClusterPeer idx=${i} version=${version} conf=${conf}`,
        `${transport}.bind_port=${port + i} ${transport}.enable_diagnostics=false`,
        `FD_SOCK.start_port=${port + FD_PORTS_AT + 2 * i}`,
        conf === 'udp.xml'
          ? `UDP.mcast_addr=239.192.81.2 UDP.mcast_port=${port + MCAST_PORT_AT} UDP.ip_ttl=0`
          : `TCPPING.initial_hosts=${members(count, port)} TCPPING.port_range=0`,
        more(i, port),
      ];
      return args.filter((arg) => arg !== '').join(' ');
    });
}

function members(count: number, port: number): string {
  return Array.from({ length: count }, (_, i) => `127.0.0.1[${port + i}]`).join(',');
}

export const JGROUPS_SCENARIOS: readonly Scenario[] = [
  scenario(
    'udp-default-join-leave',
    "JGroups' own udp.xml: three members join, talk, one leaves, then the coordinator",
    JGROUPS_3_6,
    cluster(3, 'udp.xml'),
    `start 0
     start 1
     await view 2
     start 2
     await view 3
     p0: send all 100 3
     p1: send all 120 2
     p2: send 0 140 3
     p0: send 1 150 2
     await delivered
     p1: send all 70000 1
     p0: send 2 130000 1
     await delivered
     sleep 2
     p1: leave
     await commands
     await view 2
     p2: send all 160 1
     await delivered
     p0: leave
     await commands
     await view 1
     sleep 0.5`,
  ),
  scenario(
    'udp-default-crash',
    'udp.xml: a member is killed, then the coordinator; the survivors find out and go on',
    JGROUPS_3_6,
    cluster(3, 'udp.xml'),
    `start 0
     start 1
     await view 2
     start 2
     await view 3
     p0: send all 100 2
     p2: send all 100 2
     await delivered
     kill 2
     await view 2
     p0: send all 64 2
     await delivered
     sleep 0.6
     kill 0
     await view 1
     p1: send all 32 1
     sleep 1`,
  ),
  scenario(
    'udp-default-merge',
    'udp.xml: two clusters that do not hear each other at first merge into one',
    JGROUPS_3_6,
    cluster(3, 'udp.xml', (i, port) => {
      const quick = 'MERGE3.min_interval=1000 MERGE3.max_interval=3000';
      return `${quick} cut=${i === 2 ? `${port},${port + 1}` : port + 2}`;
    }),
    `start 0
     start 1
     await view 2
     start 2
     p0: send all 100 2
     p2: send all 110 2
     await delivered
     *: heal
     await view 3
     p0: send all 120 2
     p2: send all 130 2
     p1: send 2 140 2
     await delivered
     sleep 1`,
  ),
  scenario(
    'tcp-default-join-leave',
    "JGroups' own tcp.xml: three members join, talk, one leaves",
    JGROUPS_3_6,
    cluster(3, 'tcp.xml'),
    `start 0
     start 1
     await view 2
     start 2
     await view 3
     p0: send all 100 3
     p1: send all 120 2
     p2: send 0 140 3
     p0: send 1 150 2
     await delivered
     p1: send all 70000 1
     p0: send 2 130000 1
     await delivered
     sleep 1
     p1: leave
     await commands
     await view 2
     sleep 1`,
  ),
  scenario(
    'unicast',
    '2.12: messages both ways, empty and fragmented ones, some lost: UNICAST sends again; one member leaves',
    ['2.12.2'],
    cluster(2, 'udp.xml'),
    `start 0
     start 1
     await view 2
     p0: send 1 100 3
     p1: send 0 120 2 O
     await delivered
     p0: send 1 130000 1
     p0: send 1 0 1
     await delivered
     p1: drop 3 6
     p0: send 1 90 20 D 10
     await delivered
     sleep 1
     p1: leave
     await commands
     await view 1`,
  ),
  scenario(
    'nakack-loss',
    '2.12: group messages, of which members lose some: NAKACK asks for ranges',
    ['2.12.2'],
    cluster(3, 'udp.xml'),
    `start 0
     start 1
     await view 2
     start 2
     await view 3
     p0: send all 100 3
     p1: send all 120 2
     await delivered
     p1: drop 3 5
     p2: drop 4 3
     p0: send all 90 20 D 10
     await delivered
     p0: drop 2 2
     p1: send all 95 6 D 10
     p0: send all 70000 1
     await delivered
     sleep 1`,
  ),
  scenario(
    'udp-default-loss',
    'udp.xml: four members join one after the other and lose some of what the others say',
    JGROUPS_3_6,
    cluster(4, 'udp.xml'),
    `start 0
     start 1
     await view 2
     p0: send all 100 3
     await delivered
     start 2
     await view 3
     p2: drop 4 5
     p1: drop 3 4
     p0: send all 100 12 - 5
     p1: send all 900 8 - 5
     p2: send 0 500 5
     await delivered
     start 3
     await view 4
     p3: send all 120 3
     p0: drop 3 3
     p1: send all 130 6 O
     p2: send all 70000 1
     await delivered
     sleep 1
     p1: leave
     await commands
     await view 3
     p0: send all 77 2
     p3: send 2 64 2
     await delivered
     sleep 1`,
  ),
  scenario(
    'tcp-default-crash',
    'tcp.xml: a member is killed, then the coordinator; the survivors find out and go on',
    JGROUPS_3_6,
    cluster(4, 'tcp.xml'),
    `start 0
     start 1
     await view 2
     start 2
     start 3
     await view 4
     p0: send all 100 10
     p1: send all 120 6 - 3
     p2: send 0 140 5
     p3: send all 65000 1
     await delivered
     kill 2
     await view 3
     p0: send all 64 3
     p3: send 1 80000 1
     await delivered
     kill 0
     await view 2
     p1: send all 32 2
     await delivered
     sleep 1`,
  ),
];
