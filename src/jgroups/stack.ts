import { CodecError } from '../../codecs/bytes/errors.ts';
import {
  type Address,
  addressKey,
  type Datagram,
  Flag,
  type GeodeAddress,
  type Message,
} from '../../codecs/jgroups/message.ts';
import { decodeDatagram, encodeDatagram } from '../../codecs/jgroups/registry.ts';
import { formatVersion } from '../../codecs/jgroups/version.ts';
import type { JGroupsConfig } from './config.ts';
import { JGroupsCounters } from './counters.ts';
import { FRAG2 } from './frag2.ts';
import { headerOf, type InMessage, type OutMessage, type Protocol } from './protocol.ts';
import { UFC } from './ufc.ts';
import { UNICAST3 } from './unicast3.ts';

/** What the stack wants done. Called synchronously, also from within calls into the stack. */
export interface StackEvents {
  transmit(datagram: Buffer, host: string, port: number): void;
  deliver(src: Address, payload: Uint8Array, flags: number): void;
  acknowledged(peer: string, messages: number, bytes: number): void;
  /** Something a peer did wrong, for the log. `kind` is stable, `peer` names who: a uuid or `host:port`. */
  complain(kind: string, peer: string, what: string): void;
}

const PING = Buffer.from('ping');
const PONG = Buffer.from('pong');

/**
 * The legacy stack of one member, sans I/O: datagrams, sends, views and time go in; datagrams, deliveries and the
 * next deadline come out. From the top: FRAG2, UFC, UNICAST3, and the transport's part, which is this class
 * (WIRE-3.6 section 13). A message to send falls through `down` of each; one that arrives rises through `up`.
 */
export class JGroupsStack {
  readonly counters = new JGroupsCounters();
  readonly #config: JGroupsConfig;
  readonly #self: GeodeAddress;
  readonly #selfKey: string;
  readonly #events: StackEvents;
  readonly #unicast3: UNICAST3;
  readonly #ufc: UFC;
  /** From the top. */
  readonly #protocols: readonly Protocol[];

  constructor(config: JGroupsConfig, self: GeodeAddress, events: StackEvents, nowMs: number) {
    this.#config = config;
    this.#self = self;
    this.#selfKey = addressKey(self);
    this.#events = events;
    const complain = (peer: string, what: string): void => events.complain('protocol', peer, what);
    this.#unicast3 = new UNICAST3(
      config,
      this.counters,
      { acknowledged: (...args) => events.acknowledged(...args), complain },
      nowMs,
    );
    this.#ufc = new UFC(config, this.counters, complain);
    this.#protocols = [new FRAG2(config.fragSize, this.counters, complain), this.#ufc, this.#unicast3];
    this.#connect();
  }

  #connect(): void {
    const top = { up: (message: InMessage) => this.#deliver(message) };
    const bottom = { down: (message: OutMessage) => this.#transmit(message) };
    this.#protocols.forEach((protocol, i) =>
      protocol.connect(this.#protocols[i - 1] ?? top, this.#protocols[i + 1] ?? bottom),
    );
  }

  // --- inputs ----------------------------------------------------------------------------------------------

  /** @param flags bits of `Flag`; with NO_RELIABILITY the message is not counted as pending */
  send(dest: Address, payload: Uint8Array, flags: number, nowMs: number): void {
    const reliable = (flags & Flag.NO_RELIABILITY) === 0;
    const message: OutMessage = {
      dest,
      flags,
      headers: [],
      payload,
      completes: reliable ? 1 : 0,
      pendingBytes: reliable ? payload.length : 0,
    };
    (this.#protocols[0] as Protocol).down(message, nowMs);
  }

  /** Uuid of who sent a datagram to this member; null if it is for nobody here or makes no sense. Changes nothing. */
  senderOf(bytes: Uint8Array): string | null {
    try {
      const datagram = decodeDatagram(bytes);
      const { dest, src } = datagram.kind === 'single' ? datagram.message : datagram;
      return dest !== null && src !== null && addressKey(dest) === this.#selfKey ? addressKey(src) : null;
    } catch (error) {
      if (error instanceof CodecError) return null;
      throw error;
    }
  }

  handleDatagram(bytes: Uint8Array, host: string, port: number, nowMs: number): void {
    this.counters.datagramsReceived++;
    this.counters.bytesReceived += bytes.length;
    if (port === this.#self.port && host === this.#self.host) {
      this.counters.ownPackets++; // JGroups drops them as well
      return;
    }
    // Geode's port-availability probe (WIRE-3.6 section 13)
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
    if (datagram.kind === 'single') this.#handleSingle(datagram.message, `${host}:${port}`, nowMs);
    else this.#handleBundle(datagram, `${host}:${port}`, nowMs);
  }

  installView(members: readonly Address[], nowMs: number): void {
    const keys = new Set(members.map(addressKey));
    for (const protocol of this.#protocols) protocol.installView(keys, nowMs);
  }

  handleTimeout(nowMs: number): void {
    for (const protocol of this.#protocols) protocol.handleTimeout(nowMs);
  }

  nextDeadlineMs(): number {
    let next = Infinity;
    for (const protocol of this.#protocols) next = Math.min(next, protocol.nextDeadlineMs());
    return next;
  }

  /** Last words before the socket closes: peers need not resend what was delivered here. */
  stop(nowMs: number): void {
    this.#unicast3.sendPendingAcks(nowMs);
  }

  // --- from the wire ---------------------------------------------------------------------------------------

  #handleUndecodable(error: CodecError, bytes: Uint8Array, sender: string): void {
    if (error.code === 'ERR_VERSION') {
      this.counters.otherVersion++;
      const theirs = formatVersion(((bytes[0] as number) << 8) | (bytes[1] as number));
      const ours = formatVersion(this.#config.version);
      this.#events.complain(
        'version',
        sender,
        `it speaks JGroups ${theirs}, we speak ${ours}; datagram dropped`,
      );
      return;
    }
    this.counters.malformed++;
    this.#events.complain(
      'malformed',
      sender,
      `malformed datagram of ${bytes.length} bytes dropped: ${error.message}`,
    );
  }

  #handleSingle(message: Message, sender: string, nowMs: number): void {
    const cluster = headerOf(message, 'TP')?.cluster;
    if (!this.#isForUs(message.dest, cluster, sender)) return;
    const incoming = this.#incoming(message, message.src, sender);
    if (incoming !== null) this.#up(incoming, nowMs);
  }

  #handleBundle(bundle: Datagram & { kind: 'bundle' }, sender: string, nowMs: number): void {
    if (!this.#isForUs(bundle.dest, bundle.cluster, sender)) return;
    // as JGroups does: four batches, by OOB and INTERNAL; those that are OOB and DONT_BUNDLE go one by one
    const batches = new Map<number, InMessage[]>();
    for (const message of bundle.messages) {
      const incoming = this.#incoming(message, message.src ?? bundle.src, sender);
      if (incoming === null) continue;
      const kind = incoming.flags & (Flag.OOB | Flag.INTERNAL);
      const batch = batches.get(kind);
      if (batch === undefined) batches.set(kind, [incoming]);
      else batch.push(incoming);
    }
    for (const batch of batches.values()) this.#unicast3.upBatch(batch, nowMs);
  }

  #isForUs(dest: Address | null, cluster: string | null | undefined, sender: string): boolean {
    if (cluster !== this.#config.cluster) {
      this.counters.otherCluster++;
      const theirs = cluster === undefined || cluster === null ? 'no cluster' : `cluster '${cluster}'`;
      this.#events.complain(
        'cluster',
        sender,
        `it is of ${theirs}, we are of '${this.#config.cluster}'; dropped`,
      );
      return false;
    }
    if (dest !== null && addressKey(dest) === this.#selfKey) return true;
    this.counters.notForUs++;
    const whom = dest === null ? 'a group' : `another member, ${addressKey(dest)}`;
    this.#events.complain('dest', sender, `its message is for ${whom}; dropped`);
    return false;
  }

  /** Null: dropped, for nobody sent it or it is our own. */
  #incoming(message: Message, src: Address | null, sender: string): InMessage | null {
    if (src === null) {
      this.counters.malformed++;
      this.#events.complain('malformed', sender, 'message without a sender address dropped');
      return null;
    }
    if (src.kind === 'ip') {
      this.counters.rejected++;
      this.#events.complain(
        'malformed',
        sender,
        'message from a physical address, which is no member, dropped',
      );
      return null;
    }
    const from = addressKey(src);
    if (from === this.#selfKey) {
      this.counters.ownPackets++;
      this.#events.complain('own', sender, 'it sends in our name: another process has our uuid; dropped');
      return null;
    }
    return { src, from, flags: message.flags, headers: message.headers, payload: message.payload };
  }

  #up(message: InMessage, nowMs: number): void {
    this.#unicast3.up(message, nowMs);
  }

  #deliver(message: InMessage): void {
    this.#events.deliver(message.src, message.payload ?? EMPTY, message.flags);
  }

  // --- to the wire -----------------------------------------------------------------------------------------

  #transmit(message: OutMessage): void {
    const { dest, flags, payload } = message;
    const physical = this.#physical(dest);
    if (physical === null) return;
    const headers = [...message.headers, { protocol: 'TP', cluster: this.#config.cluster } as const];
    const datagram = encodeDatagram({
      kind: 'single',
      version: this.#config.version,
      multicast: false,
      message: { dest, src: this.#self, flags, headers, payload },
    });
    this.counters.datagramsSent++;
    this.counters.bytesSent += datagram.length;
    this.#events.transmit(datagram, physical.host, physical.port);
  }

  /** A Geode address carries its own host and port (WIRE-3.6 section 2). */
  #physical(dest: Address): { host: string; port: number } | null {
    if (dest.kind !== 'uuid' && dest.host !== '' && dest.port !== 0) return dest;
    this.counters.rejected++;
    this.#events.complain('address', addressKey(dest), 'no host and port are known for it; message dropped');
    return null;
  }
}

const EMPTY = new Uint8Array(0);
