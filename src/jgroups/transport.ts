import { CodecError } from '../../codecs/bytes/errors.ts';
import { type Address, addressKey, type Datagram, Flag, type Message } from '../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram } from '../../codecs/jgroups/registry.ts';
import { formatVersion } from '../../codecs/jgroups/version.ts';
import type { ProtocolContext } from './context.ts';
import { type GroupView, headerOf, type InMessage, type OutMessage, type Protocol } from './protocol.ts';

export interface TransportEvents {
  transmit(datagram: Buffer, host: string, port: number): void;
  /** To the multicast address of the group; only called where one is configured. */
  transmitToGroup(datagram: Buffer): void;
  /** `kind` is stable, `peer` names who: a uuid or `host:port`. */
  complain(kind: string, peer: string, what: string): void;
}

/** Members with plain UUIDs whose places are remembered; JGroups' cache has as many (logical_addr_cache_max_size). */
const MAX_PHYSICAL = 2_000;

const PING = Buffer.from('ping');
const PONG = Buffer.from('pong');

/** The transport's part of the stack: datagrams to messages and back (WIRE-3.6 sections 3 and 13). */
export class Transport {
  readonly #context: ProtocolContext;
  readonly #events: TransportEvents;
  readonly #above: Pick<Protocol, 'up' | 'upBatch'>;
  /** Of the members of the view but for ourselves: where group messages go without IP multicast. */
  #others: readonly Address[] = [];
  /** Where messages of senders with a plain UUID came from: JGroups' cache of physical addresses. */
  readonly #physicalOf = new Map<string, { readonly host: string; readonly port: number }>();
  /** Own group messages that we are to receive, too: not before the call that sends them has returned. */
  #loopback: InMessage[] = [];
  #loopbackAtMs = Infinity;

  constructor(context: ProtocolContext, events: TransportEvents, above: Pick<Protocol, 'up' | 'upBatch'>) {
    this.#context = context;
    this.#events = events;
    this.#above = above;
  }

  installView(view: GroupView): void {
    this.#others = view.members.filter((member) => addressKey(member) !== this.#context.selfKey);
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
    if (port === self.port && host === self.host) {
      counters.ownPackets++; // JGroups drops them as well
      return;
    }
    // Geode's port-availability probe
    if (bytes.length === 4 && PING.equals(bytes)) {
      this.#events.transmit(PONG, host, port);
      return;
    }
    let datagram: Datagram;
    try {
      datagram = decodeDatagram(bytes);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#handleUndecodable(error, bytes, `${host}:${port}`);
      return;
    }
    const { src } = datagram.kind === 'single' ? datagram.message : datagram;
    if (src?.kind === 'uuid') this.#learn(src.uuid, host, port);
    if (datagram.kind === 'single') this.#handleSingle(datagram.message, `${host}:${port}`, nowMs);
    else this.#handleBundle(datagram, `${host}:${port}`, nowMs);
  }

  #learn(uuid: string, host: string, port: number): void {
    const known = this.#physicalOf.get(uuid);
    if (known?.host === host && known.port === port) return;
    this.#physicalOf.delete(uuid);
    this.#physicalOf.set(uuid, { host, port });
    if (this.#physicalOf.size <= MAX_PHYSICAL) return;
    for (const oldest of this.#physicalOf.keys()) {
      this.#physicalOf.delete(oldest);
      return;
    }
  }

  get #hasGroup(): boolean {
    return this.#context.config.multicast !== null;
  }

  #handleUndecodable(error: CodecError, bytes: Uint8Array, sender: string): void {
    const { counters, config } = this.#context;
    if (error.code === 'ERR_VERSION') {
      counters.otherVersion++;
      const theirs = formatVersion(((bytes[0] as number) << 8) | (bytes[1] as number));
      const ours = formatVersion(config.version);
      const what = `it speaks JGroups ${theirs}, we speak ${ours}; datagram dropped`;
      this.#events.complain('version', sender, what);
      return;
    }
    counters.malformed++;
    const what = `malformed datagram of ${bytes.length} bytes dropped: ${error.message}`;
    this.#events.complain('malformed', sender, what);
  }

  #handleSingle(message: Message, sender: string, nowMs: number): void {
    const cluster = headerOf(message, 'TP')?.cluster;
    if (!this.#isForUs(message.dest, cluster, sender)) return;
    const incoming = this.#incoming(message, message.dest, message.src, sender);
    if (incoming !== null) this.#above.up(incoming, nowMs);
  }

  #handleBundle(bundle: Datagram & { kind: 'bundle' }, sender: string, nowMs: number): void {
    if (!this.#isForUs(bundle.dest, bundle.cluster, sender)) return;
    // as JGroups does: four batches, by OOB and INTERNAL; those that are OOB and DONT_BUNDLE go one by one
    const batches = new Map<number, InMessage[]>();
    for (const message of bundle.messages) {
      const incoming = this.#incoming(message, bundle.dest, message.src ?? bundle.src, sender);
      if (incoming === null) continue;
      const kind = incoming.flags & (Flag.OOB | Flag.INTERNAL);
      const batch = batches.get(kind);
      if (batch === undefined) batches.set(kind, [incoming]);
      else batch.push(incoming);
    }
    for (const batch of batches.values()) this.#above.upBatch(batch, nowMs);
  }

  #isForUs(dest: Address | null, cluster: string | null | undefined, sender: string): boolean {
    const { counters, config, selfKey } = this.#context;
    if (cluster !== config.cluster) {
      counters.otherCluster++;
      const theirs = cluster === undefined || cluster === null ? 'no cluster' : `cluster '${cluster}'`;
      this.#events.complain('cluster', sender, `it is of ${theirs}, we are of '${config.cluster}'; dropped`);
      return false;
    }
    if (dest === null ? this.#hasGroup : addressKey(dest) === selfKey) return true;
    counters.notForUs++;
    const whom = dest === null ? 'a group, and multicast is off here' : `another member, ${addressKey(dest)}`;
    this.#events.complain('dest', sender, `its message is for ${whom}; dropped`);
    return false;
  }

  /** Null: dropped, for nobody sent it or it is our own. */
  #incoming(message: Message, dest: Address | null, src: Address | null, sender: string): InMessage | null {
    const { counters } = this.#context;
    if (src === null) {
      counters.malformed++;
      this.#events.complain('malformed', sender, 'message without a sender address dropped');
      return null;
    }
    if (src.kind === 'ip') {
      counters.rejected++;
      const what = 'message from a physical address, which is no member, dropped';
      this.#events.complain('malformed', sender, what);
      return null;
    }
    const from = addressKey(src);
    if (from === this.#context.selfKey) {
      counters.ownPackets++;
      const what = 'it sends in our name: another process has our uuid; dropped';
      this.#events.complain('own', sender, what);
      return null;
    }
    const { flags, headers, payload } = message;
    return { src, from, toGroup: dest === null, flags, headers, payload };
  }

  // --- to the wire -----------------------------------------------------------------------------------------

  down(message: OutMessage, nowMs: number): void {
    if (message.dest === null) this.#sendToGroup(message, nowMs);
    else this.#sendTo(message.dest, message);
  }

  #sendTo(dest: Address, message: OutMessage): void {
    const physical = this.#physical(dest);
    if (physical === null) return;
    this.#transmit(this.#encode(message), physical);
  }

  /** The same bytes to everybody, by IP multicast or one datagram for each (WIRE-3.6 section 13). */
  #sendToGroup(message: OutMessage, nowMs: number): void {
    const { config, counters, self, selfKey } = this.#context;
    if (message.loopback === true) {
      const { flags, headers, payload } = message;
      this.#loopback.push({ src: self, from: selfKey, toGroup: true, flags, headers, payload });
      this.#loopbackAtMs = Math.min(this.#loopbackAtMs, nowMs);
    }
    const datagram = this.#encode(message);
    if (config.multicast !== null && config.multicast !== 'unicasts') {
      counters.datagramsSent++;
      counters.bytesSent += datagram.length;
      this.#events.transmitToGroup(datagram);
      return;
    }
    for (const member of this.#others) {
      const physical = this.#physical(member);
      if (physical !== null) this.#transmit(datagram, physical);
    }
  }

  #encode({ dest, src, flags, headers, payload }: OutMessage): Buffer {
    const { config, self } = this.#context;
    return encodeDatagram({
      kind: 'single',
      version: config.version,
      multicast: dest === null,
      message: {
        dest,
        src: src ?? self,
        flags,
        headers: [...headers, { protocol: 'TP', cluster: config.cluster }],
        payload,
      },
    });
  }

  #transmit(datagram: Buffer, { host, port }: { host: string; port: number }): void {
    const { counters } = this.#context;
    counters.datagramsSent++;
    counters.bytesSent += datagram.length;
    this.#events.transmit(datagram, host, port);
  }

  /** A Geode address carries its own host and port (WIRE-3.6 section 2); others are known once we heard of them. */
  #physical(dest: Address): { host: string; port: number } | null {
    if (dest.kind !== 'uuid' && dest.host !== '' && dest.port !== 0) return dest;
    const known = this.#physicalOf.get(addressKey(dest));
    if (known !== undefined) return known;
    this.#context.counters.rejected++;
    const what = 'no host and port are known for it; message dropped';
    this.#events.complain('address', addressKey(dest), what);
    return null;
  }

  // --- own group messages ----------------------------------------------------------------------------------

  /** As soon as possible, if something waits. */
  nextDeadlineMs(): number {
    return this.#loopbackAtMs;
  }

  handleTimeout(nowMs: number): void {
    const looped = this.#loopback;
    if (looped.length === 0) return;
    this.#loopback = [];
    this.#loopbackAtMs = Infinity;
    for (const message of looped) this.#above.up(message, nowMs);
  }
}
