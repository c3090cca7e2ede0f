import { type Address, addressKey, Flag } from '../../codecs/jgroups/message.ts';
import type { MessageEncoder } from '../../codecs/jgroups/v3_6/encoder.ts';
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
  readonly #encoder: MessageEncoder;
  readonly #send: SendTogether;
  /** By `addressKey`, '' for the group; those without messages are kept for the next ones. */
  readonly #bundles = new Map<string, Bundle>();
  #flushAtMs = Infinity;

  /** @param encoder of the member, for the size of what is collected */
  constructor(config: JGroupsConfig, encoder: MessageEncoder, send: SendTogether) {
    this.#config = config;
    this.#encoder = encoder;
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
    const bytes = this.#encoder.listedSize(message);
    if (bundle.messages.length > 0 && bundle.bytes + bytes > this.#config.maxBundleSize)
      this.#sendOut(bundle);
    if (bundle.messages.length === 0) bundle.bytes = this.#encoder.listSize(message.dest);
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
