import type { Skipped } from './record.ts';

/** Well-known neighbours on a network, so that a summary can name them. */
const ETHER_TYPES: ReadonlyMap<string, string> = new Map([
  ['EtherType 0x0806', 'ARP frames'],
  ['EtherType 0x88cc', 'LLDP frames'],
  ['EtherType 0x8809', 'LACP frames'],
  ['no EtherType', 'frames without an EtherType'],
  ['IP protocol 1', 'ICMP packets'],
  ['IP protocol 2', 'IGMP packets'],
  ['IP protocol 47', 'GRE packets'],
  ['IP protocol 50', 'IPsec packets'],
  ['IP protocol 58', 'ICMPv6 packets'],
  ['IP protocol 132', 'SCTP packets'],
]);

const SERVICES: ReadonlyMap<number, string> = new Map([
  [53, 'DNS'],
  [67, 'DHCP'],
  [68, 'DHCP'],
  [123, 'NTP'],
  [137, 'NetBIOS'],
  [138, 'NetBIOS'],
  [443, 'QUIC'],
  [514, 'syslog'],
  [546, 'DHCPv6'],
  [547, 'DHCPv6'],
  [1900, 'SSDP'],
  [3702, 'WS-Discovery'],
  [5353, 'mDNS'],
  [5355, 'LLMNR'],
]);

/** Below it are system services, which no member is bound to. */
const FIRST_USER_PORT = 1024;

/** The service that a port number is for; undefined for one that a member may have. */
export function serviceOf(port: number): string | undefined {
  return SERVICES.get(port) ?? (port < FIRST_USER_PORT ? 'other' : undefined);
}

/** Counts what is no record, in words. */
export class SkipCounter implements Skipped {
  readonly #counts = new Map<string, number>();

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  add(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  /** @param what as the capture reader says it, e.g. `EtherType 0x0806`: there are at most some 65,000 of them */
  packet(what: string): void {
    this.add(ETHER_TYPES.get(what) ?? `frames of ${what}`);
  }

  /** A datagram that is not JGroups. */
  datagram(fromPort: number, toPort: number): void {
    const service = SERVICES.get(toPort) ?? SERVICES.get(fromPort);
    this.add(service === undefined ? 'UDP datagrams that are not JGroups' : `${service} datagrams`);
  }
}
