import { CodecError } from '../../codecs/bytes/errors.ts';
import { canonicalIp } from '../../codecs/bytes/ip.ts';
import { type Address, addressKey, type Datagram, Flag, type Message } from '../../codecs/jgroups/message.ts';
import { DecodeCache } from '../../codecs/jgroups/decode-cache.ts';
import { decodeDatagram } from '../../codecs/jgroups/registry.ts';
import { MessageEncoder } from '../../codecs/jgroups/v3_6/encoder.ts';
import { formatVersion, isReleased } from '../../codecs/jgroups/version.ts';
import { InvariantError } from '../protocol/errors.ts';
import { Bundler } from './bundler.ts';
import type { ProtocolContext } from './context.ts';
import { type Endpoint, PhysicalAddresses } from './physical-addresses.ts';
import { type GroupView, headerOf, type InMessage, type OutMessage, type Protocol } from './protocol.ts';

export interface TransportEvents {
  transmit(datagram: Buffer, host: string, port: number): void;
  /**
   * One datagram of two parts, so that a large payload need not be copied behind its headers. Absent: it is copied,
   * and given to `transmit`.
   */
  readonly transmitParts?: (head: Buffer, payload: Uint8Array, host: string, port: number) => void;
  /** To the multicast address of the group; only called where one is configured. */
  transmitToGroup(datagram: Buffer): void;
  /** `kind` is stable, `peer` names who: a uuid or `host:port`. */
  complain(kind: string, peer: string, what: string): void;
}

/** From this size on it costs less to hand the kernel two pieces than to copy the payload behind its headers. */
const MIN_GATHERED_BYTES = 4096;

const PING = Buffer.from('ping');
const PONG = Buffer.from('pong');

/** Messages that JGroups takes out of a bundle and hands up one by one, before the rest. */
const ALONE = Flag.OOB | Flag.DONT_BUNDLE;

/** The transport's part of the stack: datagrams to messages and back (WIRE-3.6 sections 3 and 13). */
export class Transport {
  readonly #context: ProtocolContext;
  readonly #events: TransportEvents;
  readonly #above: Pick<Protocol, 'up' | 'upBatch'>;
  /** As the socket spells it. */
  readonly #ownHost: string;
  readonly #encoder: MessageEncoder;
  readonly #decoding = { cache: new DecodeCache() };
  readonly #bundler: Bundler;
  /** Of the members of the view but for ourselves: where group messages go without IP multicast. */
  #others: readonly Address[] = [];
  /** Own messages that we are to receive, too: not before the call that sends them has returned. */
  #loopback: InMessage[] = [];
  #loopbackAtMs = Infinity;
  readonly #physical = new PhysicalAddresses();
  /** Where the datagram that is being handled came from. */
  #fromHost = '';
  #fromPort = 0;

  constructor(context: ProtocolContext, events: TransportEvents, above: Pick<Protocol, 'up' | 'upBatch'>) {
    this.#context = context;
    this.#events = events;
    this.#above = above;
    this.#ownHost = canonicalIp(context.self.host);
    const { config, self } = context;
    this.#encoder = new MessageEncoder(config.version, self, config.cluster);
    this.#bundler = new Bundler(config, this.#encoder, (dest, messages) => this.#send(dest, messages));
  }

  installView(view: GroupView): void {
    this.#others = view.members.filter((member) => addressKey(member) !== this.#context.selfKey);
    this.#physical.installView(view.keys);
    this.#bundler.retain(view.keys);
  }

  // --- from the wire ---------------------------------------------------------------------------------------

  /** Uuid of who sent a datagram to this member or its group; null if it is for nobody here or makes no sense. */
  senderOf(bytes: Uint8Array): string | null {
    try {
      const datagram = decodeDatagram(bytes);
      const { dest, src } = datagram.kind === 'single' ? datagram.message : datagram;
      if (src === null) return null;
      const { selfKey } = this.#context;
      const isForUs = dest === null ? this.#hasGroup : addressKey(dest) === selfKey;
      const from = addressKey(src);
      return isForUs && from !== selfKey ? from : null;
    } catch (error) {
      if (error instanceof CodecError) return null;
      throw error;
    }
  }

  handleDatagram(bytes: Uint8Array, host: string, port: number, nowMs: number): void {
    const { counters, self } = this.#context;
    counters.datagramsReceived++;
    counters.bytesReceived += bytes.length;
    if (port === self.port && host === this.#ownHost) {
      counters.ownPackets++; // JGroups drops them as well
      return;
    }
    // Geode's port-availability probe
    if (bytes.length === 4 && PING.equals(bytes)) {
      this.#events.transmit(PONG, host, port);
      return;
    }
    this.#fromHost = host;
    this.#fromPort = port;
    let datagram: Datagram;
    try {
      datagram = decodeDatagram(bytes, this.#decoding);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#handleUndecodable(error, bytes);
      return;
    }
    if (datagram.kind === 'single') this.#handleSingle(datagram.message, nowMs);
    else this.#handleBundle(datagram, nowMs);
  }

  /** Who sent the datagram that is being handled, for complaints; most datagrams need no such text. */
  get #from(): string {
    return `${this.#fromHost}:${this.#fromPort}`;
  }

  get #hasGroup(): boolean {
    return this.#context.config.multicast !== null;
  }

  #handleUndecodable(error: CodecError, bytes: Uint8Array): void {
    const { counters, config } = this.#context;
    if (error.code !== 'ERR_VERSION') {
      this.#handleMalformed(bytes, error.message);
      return;
    }
    const version = ((bytes[0] as number) << 8) | (bytes[1] as number);
    if (!isReleased(version)) {
      const first = version.toString(16).padStart(4, '0');
      this.#handleMalformed(
        bytes,
        `it is no JGroups datagram (it begins with 0x${first}, which is no version)`,
      );
      return;
    }
    counters.otherVersion++;
    const what = `it speaks JGroups ${formatVersion(version)}, we speak ${formatVersion(config.version)}; datagram dropped`;
    this.#events.complain('version', this.#from, what);
  }

  #handleMalformed(bytes: Uint8Array, why: string): void {
    this.#countMalformed();
    const what = `malformed datagram of ${bytes.length} bytes dropped: ${why}`;
    this.#events.complain('malformed', this.#from, what);
  }

  /** Of whoever has the address that the datagram came from: nothing in it can be believed. */
  #countMalformed(): void {
    const { counters, peers } = this.#context;
    counters.malformed++;
    const isSender = (member: Address): boolean =>
      member.kind !== 'uuid' && member.port === this.#fromPort && member.host === this.#fromHost;
    const member = this.#others.find(isSender);
    if (member !== undefined) peers.of(addressKey(member)).malformed++;
  }

  #handleSingle(message: Message, nowMs: number): void {
    const cluster = headerOf(message, 'TP')?.cluster;
    if (!this.#isForUs(message.dest, cluster)) return;
    const incoming = this.#incoming(message, message.dest, message.src);
    if (incoming !== null) this.#above.up(incoming, nowMs);
  }

  #handleBundle(bundle: Datagram & { kind: 'bundle' }, nowMs: number): void {
    if (!this.#isForUs(bundle.dest, bundle.cluster)) return;
    // as JGroups does: four batches, by OOB and INTERNAL; those that are OOB and DONT_BUNDLE go one by one
    const alone: InMessage[] = [];
    const batches = new Map<number, InMessage[]>();
    for (const message of bundle.messages) {
      const incoming = this.#incoming(message, bundle.dest, message.src ?? bundle.src);
      if (incoming === null) continue;
      if ((incoming.flags & ALONE) === ALONE) {
        alone.push(incoming);
        continue;
      }
      const kind = incoming.flags & (Flag.OOB | Flag.INTERNAL);
      const batch = batches.get(kind);
      if (batch === undefined) batches.set(kind, [incoming]);
      else batch.push(incoming);
    }
    for (const message of alone) this.#above.up(message, nowMs);
    for (const batch of batches.values()) this.#above.upBatch(batch, nowMs);
  }

  #isForUs(dest: Address | null, cluster: string | null | undefined): boolean {
    const { counters, config, selfKey } = this.#context;
    if (cluster !== config.cluster) {
      counters.otherCluster++;
      const theirs = cluster === undefined || cluster === null ? 'no cluster' : `cluster '${cluster}'`;
      this.#events.complain(
        'cluster',
        this.#from,
        `it is of ${theirs}, we are of '${config.cluster}'; dropped`,
      );
      return false;
    }
    if (dest === null ? this.#hasGroup : addressKey(dest) === selfKey) return true;
    counters.notForUs++;
    const whom = dest === null ? 'a group, and multicast is off here' : `another member, ${addressKey(dest)}`;
    this.#events.complain('dest', this.#from, `its message is for ${whom}; dropped`);
    return false;
  }

  /** Null: dropped, for nobody sent it or it is our own. */
  #incoming(message: Message, dest: Address | null, src: Address | null): InMessage | null {
    const { counters } = this.#context;
    if (src === null) {
      this.#countMalformed();
      this.#events.complain('malformed', this.#from, 'message without a sender address dropped');
      return null;
    }
    if (src.kind === 'ip') {
      counters.rejected++;
      const what = 'message from a physical address, which is no member, dropped';
      this.#events.complain('malformed', this.#from, what);
      return null;
    }
    const from = addressKey(src);
    if (from === this.#context.selfKey) {
      counters.ownPackets++;
      const what = 'it sends in our name: another process has our uuid; dropped';
      this.#events.complain('own', this.#from, what);
      return null;
    }
    this.#physical.learn(src, this.#fromHost, this.#fromPort, isOwnWord(message));
    const { flags, headers, payload } = message;
    return { src, from, toGroup: dest === null, flags, headers, payload };
  }

  // --- to the wire -----------------------------------------------------------------------------------------

  down(message: OutMessage, nowMs: number): void {
    if (message.loopback === true) this.#loop(message, nowMs);
    if (message.dest !== null && addressKey(message.dest) === this.#context.selfKey)
      this.#loop(message, nowMs);
    else if (this.#bundler.accepts(message)) this.#bundler.add(message, nowMs);
    else this.#send(message.dest, [message]);
  }

  /** To one member, in one datagram; the caller minds its size. */
  downBatch(messages: readonly OutMessage[], nowMs: number): void {
    const dest = messages[0]?.dest ?? null;
    if (dest === null) throw new InvariantError('a batch goes to one member');
    if (addressKey(dest) === this.#context.selfKey) {
      for (const message of messages) this.#loop(message, nowMs);
      return;
    }
    this.#bundler.flushTo(dest);
    this.#send(dest, messages);
  }

  /** End of the turn: what waits to be bundled leaves. */
  flush(): void {
    this.#bundler.flush();
  }

  /** One message as a single datagram, more as a list (WIRE-3.6 section 3). */
  #send(dest: Address | null, messages: readonly OutMessage[]): void {
    if (messages.length > 1) this.#context.counters.bundlesSent++;
    if (dest === null) {
      this.#sendToGroup(this.#encode(dest, messages));
      return;
    }
    const physical = this.#find(dest);
    if (physical === null) return;
    const { transmitParts } = this.#events;
    const payload = messages.length === 1 ? (messages[0] as OutMessage).payload : null;
    if (transmitParts === undefined || payload === null || payload.length < MIN_GATHERED_BYTES) {
      this.#transmit(this.#encode(dest, messages), physical);
      return;
    }
    const head = this.#encoder.encodeHead(messages[0] as OutMessage);
    this.#count(head.length + payload.length);
    transmitParts(head, payload, physical.host, physical.port);
  }

  #encode(dest: Address | null, messages: readonly OutMessage[]): Buffer {
    return messages.length === 1
      ? this.#encoder.encode(messages[0] as OutMessage)
      : this.#encoder.encodeList(dest, messages);
  }

  /** The same bytes to everybody, by IP multicast or one datagram for each (WIRE-3.6 section 13). */
  #sendToGroup(datagram: Buffer): void {
    const { multicast } = this.#context.config;
    if (multicast !== null && multicast !== 'unicasts') {
      this.#count(datagram.length);
      this.#events.transmitToGroup(datagram);
      return;
    }
    for (const member of this.#others) {
      const physical = this.#find(member);
      if (physical !== null) this.#transmit(datagram, physical);
    }
  }

  #transmit(datagram: Buffer, { host, port }: Endpoint): void {
    this.#count(datagram.length);
    this.#events.transmit(datagram, host, port);
  }

  #count(bytes: number): void {
    const { counters } = this.#context;
    counters.datagramsSent++;
    counters.bytesSent += bytes;
  }

  #find(dest: Address): Endpoint | null {
    const endpoint = this.#physical.find(dest);
    if (endpoint !== null) return endpoint;
    this.#context.counters.rejected++;
    const what = 'no host and port are known for it; message dropped';
    this.#events.complain('address', addressKey(dest), what);
    return null;
  }

  // --- to ourselves ----------------------------------------------------------------------------------------

  #loop({ dest, flags, headers, payload }: OutMessage, nowMs: number): void {
    const { self, selfKey } = this.#context;
    this.#loopback.push({ src: self, from: selfKey, toGroup: dest === null, flags, headers, payload });
    this.#loopbackAtMs = Math.min(this.#loopbackAtMs, nowMs);
  }

  /** As soon as possible, if something waits. */
  nextDeadlineMs(): number {
    return Math.min(this.#loopbackAtMs, this.#bundler.flushAtMs);
  }

  handleTimeout(nowMs: number): void {
    const looped = this.#loopback;
    if (looped.length === 0) return;
    this.#loopback = [];
    this.#loopbackAtMs = Infinity;
    for (const message of looped) this.#above.up(message, nowMs);
  }
}

/** A numbered group message may come from any member that had it; all else is sent by its sender alone. */
function isOwnWord(message: Message): boolean {
  const header = headerOf(message, 'NAKACK2');
  return header === undefined || (header.type !== 'MSG' && header.type !== 'XMIT_RSP');
}
