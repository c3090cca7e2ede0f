import { type Address, addressKey, Flag, type Message } from '../../codecs/jgroups/message.ts';
import { encodeDatagram } from '../../codecs/jgroups/registry.ts';
import { messageSize } from '../../codecs/jgroups/v3_6/message.ts';
import type { JGroupsConfig } from './config.ts';
import type { OutMessage } from './protocol.ts';

/**
 * Room in a list for what stands before its messages: version, flags and count (7 bytes), two addresses of 44 bytes at
 * most (IPv6), the cluster's name, which is short; and for five fillers of 20 bytes. Used where the size is estimated.
 */
export const DATAGRAM_ROOM = 512;

/** Sends messages of one destination (null: the group) in one datagram. */
export type SendTogether = (dest: Address | null, messages: readonly OutMessage[]) => void;

interface Bundle {
  readonly dest: Address | null;
  messages: OutMessage[];
  /** Of the datagram. */
  bytes: number;
}

/**
 * Collects messages for each destination until the turn ends or a datagram is full, as JGroups' transfer-queue bundler
 * does until its queue is empty (WIRE-3.6 section 3c). Who flags a message DONT_BUNDLE, or INTERNAL, has it sent at
 * once; it may overtake others then, as in JGroups, for the protocols above put them in order.
 */
export class Bundler {
  readonly #config: JGroupsConfig;
  readonly #self: Address;
  readonly #send: SendTogether;
  /** By `addressKey`, '' for the group; those without messages are kept for the next ones. */
  readonly #bundles = new Map<string, Bundle>();
  #flushAtMs = Infinity;

  constructor(config: JGroupsConfig, self: Address, send: SendTogether) {
    this.#config = config;
    this.#self = self;
    this.#send = send;
  }

  accepts({ flags }: OutMessage): boolean {
    if ((flags & Flag.INTERNAL) !== 0) return false;
    return (flags & Flag.DONT_BUNDLE) === 0 || this.#config.ignoreDontBundle;
  }

  /** The end of the turn, if something waits for it. */
  get flushAtMs(): number {
    return this.#flushAtMs;
  }

  add(message: OutMessage, nowMs: number): void {
    const key = message.dest === null ? '' : addressKey(message.dest);
    let bundle = this.#bundles.get(key);
    if (bundle === undefined) {
      bundle = { dest: message.dest, messages: [], bytes: 0 };
      this.#bundles.set(key, bundle);
    }
    const bytes = sizeInList(message);
    if (bundle.messages.length > 0 && bundle.bytes + bytes > this.#config.maxBundleSize)
      this.#sendOut(bundle);
    if (bundle.messages.length === 0) bundle.bytes = listSize(this.#config, message.dest, this.#self);
    bundle.messages.push(message);
    bundle.bytes += bytes;
    this.#flushAtMs = Math.min(this.#flushAtMs, nowMs);
  }

  /** What waits for this destination leaves before something else goes there. */
  flushTo(dest: Address): void {
    if (this.#flushAtMs === Infinity) return;
    const bundle = this.#bundles.get(addressKey(dest));
    if (bundle !== undefined && bundle.messages.length > 0) this.#sendOut(bundle);
  }

  flush(): void {
    if (this.#flushAtMs === Infinity) return;
    this.#flushAtMs = Infinity;
    for (const bundle of this.#bundles.values()) if (bundle.messages.length > 0) this.#sendOut(bundle);
  }

  /** Destinations that are no members any more are forgotten, with what waits for them. */
  retain(members: ReadonlySet<string>): void {
    for (const key of this.#bundles.keys()) if (key !== '' && !members.has(key)) this.#bundles.delete(key);
  }

  #sendOut(bundle: Bundle): void {
    const { dest, messages } = bundle;
    bundle.messages = [];
    this.#send(dest, messages);
  }
}

/** One message as a single datagram, more as a list (WIRE-3.6 section 3). */
export function encodeMessages(
  config: JGroupsConfig,
  self: Address,
  messages: readonly OutMessage[],
): Buffer {
  const { version, cluster } = config;
  const [first] = messages;
  const dest = first?.dest ?? null;
  const multicast = dest === null;
  if (first !== undefined && messages.length === 1) {
    const { src, flags, headers, payload } = first;
    const message: Message = {
      dest,
      src: src ?? self,
      flags,
      headers: [...headers, { protocol: 'TP', cluster }],
      payload,
    };
    return encodeDatagram({ kind: 'single', version, multicast, message });
  }
  const listed = messages.map(inList);
  return encodeDatagram({ kind: 'bundle', version, multicast, dest, src: self, cluster, messages: listed });
}

/** A list says once who it is from and for. */
function inList({ src, flags, headers, payload }: OutMessage): Message {
  return { dest: null, src: src ?? null, flags, headers, payload };
}

function sizeInList(message: OutMessage): number {
  return messageSize(inList(message));
}

function listSize(config: JGroupsConfig, dest: Address | null, self: Address): number {
  return encodeDatagram({
    kind: 'bundle',
    version: config.version,
    multicast: dest === null,
    dest,
    src: self,
    cluster: config.cluster,
    messages: [],
  }).length;
}
