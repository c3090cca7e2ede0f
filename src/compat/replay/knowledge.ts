import { type Address, addressKey, Flag, type Message } from '../../../codecs/jgroups/message.ts';
import { wireVersion } from '../../../codecs/jgroups/registry.ts';
import {
  GEODE_MULTICAST_STACK,
  GEODE_STACK,
  type JGroupsConfig,
  type MulticastGroup,
  resolveConfig,
  UDP_XML_STACK,
} from '../../jgroups/config.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import type { Addressed, CapturedDatagram } from './captured-datagrams.ts';
import { creditsOf } from './credits.ts';
import { isMulticast } from './places.ts';

/** What JGroups' tcp.xml sets otherwise than its udp.xml; it has neither UFC nor RSVP. */
const TCP_XML_STACK: JGroupsConfig = {
  ...UDP_XML_STACK,
  protocols: UDP_XML_STACK.protocols.filter((name) => name !== 'UFC' && name !== 'RSVP'),
  mcastXmitIntervalMs: 1_000,
  connExpiryTimeoutMs: 120_000,
};

/** What the datagrams of a capture tell of how the stacks that sent them were set up. */
export class StackKnowledge {
  #cluster: string | null = null;
  #fragSize = 0;
  #hasGroup = false;
  #multicast: MulticastGroup | null = null;
  #hasGms = false;
  #overTcp = false;
  #leastReplenish = Infinity;
  #mostRequested = 0;
  /** `from>to` of those who asked for credits, to what they asked for and did not get yet. */
  readonly #requests = new Map<string, number>();
  #answersToOne = false;
  /** Group messages of whose sender they are, and that were asked for: `sender:seqno`. */
  readonly #asked = new Set<string>();
  #answersToAll = false;

  /** JGroups' own membership is in it, so that views are. */
  get hasGms(): boolean {
    return this.#hasGms;
  }

  take(captured: CapturedDatagram, { message, src, dest, cluster }: Addressed): void {
    if (cluster !== null) this.#cluster ??= cluster;
    if (captured.transport === 'tcp') this.#overTcp = true;
    const fragment = headerOf(message, 'FRAG2');
    if (fragment?.fragNo === 0) this.#fragSize = Math.max(this.#fragSize, message.payload?.length ?? 0);
    if (headerOf(message, 'GMS') !== undefined) this.#hasGms = true;
    this.#group(captured, message, src);
    if (src === null || dest === null) return;
    this.#credits(message, addressKey(src), addressKey(dest));
  }

  #group({ to }: CapturedDatagram, message: Message, src: Address | null): void {
    const nakack2 = headerOf(message, 'NAKACK2');
    if (nakack2 === undefined && headerOf(message, 'STABLE') === undefined) return;
    this.#hasGroup = true;
    if (isMulticast(to.host)) this.#multicast ??= { address: to.host, port: to.port };
    if (nakack2?.type === 'XMIT_RSP') this.#answersToOne = true;
    if (nakack2?.type === 'XMIT_REQ') {
      if (this.#asked.size < MAX_ASKED) this.#asked.add(addressKey(nakack2.sender));
    } else if (nakack2?.type === 'MSG' && src !== null) this.#repeated(addressKey(src), nakack2.seqno);
  }

  readonly #highest = new Map<string, number>();

  /** A copy for all of what had been sent, after somebody asked its sender. */
  #repeated(sender: string, seqno: number): void {
    const highest = this.#highest.get(sender) ?? 0;
    this.#highest.set(sender, Math.max(highest, seqno));
    if (seqno < highest && this.#multicast !== null && this.#asked.has(sender)) this.#answersToAll = true;
  }

  #credits(message: Message, from: string, to: string): void {
    const header = headerOf(message, 'UFC') ?? headerOf(message, 'MFC');
    if (header === undefined || (message.flags & Flag.NO_RELIABILITY) !== 0) return;
    const amount = creditsOf(message);
    const pair = `${header.protocol} `;
    if (header.type === 'CREDIT_REQUEST') {
      this.#requests.set(`${pair}${from}>${to}`, amount);
      this.#mostRequested = Math.max(this.#mostRequested, amount);
    } else if (this.#requests.get(`${pair}${to}>${from}`) === amount) {
      this.#requests.delete(`${pair}${to}>${from}`);
    } else this.#leastReplenish = Math.min(this.#leastReplenish, amount);
  }

  /** @param version of the member's own datagrams; null: it sent none */
  configOf(version: number | null): JGroupsConfig {
    const base = this.#base;
    const isSpoken = version !== null && wireVersion(version)?.name === '3.6';
    return resolveConfig({
      ...base,
      multicast: this.#hasGroup ? (this.#multicast ?? 'unicasts') : null,
      useMcastXmit: this.#answersToAll && !this.#answersToOne,
      fragSize: this.#fragSize > 0 && this.#fragSize <= 65_000 ? this.#fragSize : base.fragSize,
      maxCredits: this.#maxCredits(base),
      ...(this.#cluster === null ? {} : { cluster: this.#cluster }),
      ...(isSpoken ? { version } : {}),
    });
  }

  get #base(): JGroupsConfig {
    if (!this.#hasGroup) return GEODE_STACK;
    if (!this.#hasGms) return GEODE_MULTICAST_STACK;
    return this.#overTcp ? TCP_XML_STACK : UDP_XML_STACK;
  }

  /** `max_credits` as the peers had it: credits are given once a share of it is used up (WIRE-3.6 section 9). */
  #maxCredits({ maxCredits, minThreshold }: JGroupsConfig): number {
    const used = 1 - minThreshold;
    const least = this.#leastReplenish;
    const isDefault = least === Infinity || (least >= maxCredits * used && least <= maxCredits);
    const told = isDefault ? maxCredits : Math.floor(least / used);
    return Math.max(told, this.#mostRequested, 1);
  }
}

/** Senders that were asked again; past it a stack's way to answer is not found out. */
const MAX_ASKED = 1_000;
