import { isIpLiteral } from '../../../codecs/bytes/ip.ts';
import { type Address, addressKey } from '../../../codecs/jgroups/message.ts';
import type { Endpoint } from '../../../codecs/pcap/index.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import type { Addressed, CapturedDatagram } from './captured-datagrams.ts';

/** More are not told apart: a connection of JGroups' TCP transport has a port of its own at one end. */
const MAX_ENDPOINTS = 100_000;

/** Which members are at which ends of datagrams and connections. */
export class Places {
  /** Uuids by `host:port`: of UDP ports, and of both ends of TCP connections. */
  readonly #members = new Map<string, Set<string>>();
  readonly #endpointOf = new Map<string, Endpoint>();

  take({ transport, from, to }: CapturedDatagram, { message, src, dest }: Addressed): void {
    // what is sent again for another member, by somebody else, is in that one's name
    const isForwarded = headerOf(message, 'NAKACK2')?.type === 'XMIT_RSP';
    if (src !== null && !isForwarded) this.#note(src, from, transport === 'udp');
    if (dest !== null) this.#note(dest, to, false);
  }

  #note(member: Address, endpoint: Endpoint, isSure: boolean): void {
    if (member.kind === 'ip') return;
    const key = addressKey(member);
    if (isSure || !this.#endpointOf.has(key)) this.#endpointOf.set(key, endpoint);
    const place = `${endpoint.host}:${endpoint.port}`;
    const members = this.#members.get(place);
    if (members !== undefined) members.add(key);
    else if (this.#members.size < MAX_ENDPOINTS) this.#members.set(place, new Set([key]));
  }

  /** An end of its, one that it receives at if that shows. */
  endpointOf(member: string): Endpoint | undefined {
    return this.#endpointOf.get(member);
  }

  /** Uuids of who is, or was, there. */
  at({ host, port }: Endpoint): ReadonlySet<string> {
    return this.#members.get(`${host}:${port}`) ?? NOBODY;
  }
}

const NOBODY: ReadonlySet<string> = new Set();

/** Whether datagrams to it reach all who joined the group. */
export function isMulticast(host: string): boolean {
  if (!isIpLiteral(host)) return false;
  if (host.includes(':')) return /^ff/i.test(host);
  const first = Number(host.split('.', 1)[0]);
  return first >= 224 && first <= 239;
}
