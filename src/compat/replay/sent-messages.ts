import { type Address, Flag, type Message } from '../../../codecs/jgroups/message.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { Fragments, type WholeMessage } from './fragments.ts';

interface Channel {
  /** Of the connection in use; a new one starts over. */
  connId: number;
  /** All up to here were seen. */
  low: number;
  readonly beyond: Set<number>;
}

/**
 * What the application of one member sent, as its datagrams on the wire tell: each message once, when it (or its last
 * fragment) is first seen.
 */
export class SentMessages {
  readonly #channels = new Map<string, Channel>();
  readonly #reliable = new Map<string, Fragments>();
  readonly #unreliable = new Map<string, Fragments>();

  /** @param dest `addressKey` of the recipient. Null: nothing new of the application is complete with it. */
  take(dest: string, message: Message): WholeMessage | null {
    if (headerOf(message, 'UFC') !== undefined) return null;
    const header = headerOf(message, 'UNICAST3');
    if (header === undefined || (message.flags & Flag.NO_RELIABILITY) !== 0) {
      return message.payload === null ? null : fragmentsOf(this.#unreliable, dest).add(message);
    }
    if (header.type !== 'DATA' || !this.#isNew(dest, header)) return null;
    return fragmentsOf(this.#reliable, dest).add(message);
  }

  #isNew(dest: string, { connId, seqno }: { connId: number; seqno: number }): boolean {
    let channel = this.#channels.get(dest);
    if (channel?.connId !== connId) {
      channel = { connId, low: seqno - 1, beyond: new Set() };
      this.#channels.set(dest, channel);
    }
    if (seqno <= channel.low || channel.beyond.has(seqno)) return false;
    channel.beyond.add(seqno);
    while (channel.beyond.delete(channel.low + 1)) channel.low++;
    return true;
  }
}

/** A message to send, of one member to another. */
export interface OwnMessage extends WholeMessage {
  readonly dest: Address;
}

function fragmentsOf(all: Map<string, Fragments>, dest: string): Fragments {
  let fragments = all.get(dest);
  if (fragments === undefined) {
    fragments = new Fragments();
    all.set(dest, fragments);
  }
  return fragments;
}
