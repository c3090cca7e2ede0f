import { Flag, type Message } from '../../../codecs/jgroups/message.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { isServiceMessage } from '../../jgroups/services.ts';
import { Fragments, type WholeMessage } from './fragments.ts';

interface Channel {
  /** Of the connection in use; a new one starts over. */
  connId: number;
  /** All up to here were seen. */
  low: number;
  readonly beyond: Set<number>;
}

/** Seqnos that are remembered behind one that did not show. */
const MAX_BEYOND = 10_000;

/** What is sent again because a member sent it. */
export interface Sent {
  /** Of its application. Null: it is of its membership, and goes as it is. */
  readonly whole: WholeMessage | null;
}

/** The destination of group messages. */
export const GROUP = 'group';

/**
 * What one member sent, as its datagrams on the wire tell: each message once, when it (or its last fragment) is first
 * seen.
 */
export class SentMessages {
  readonly #selfKey: string;
  readonly #channels = new Map<string, Channel>();
  readonly #reliable = new Map<string, Fragments>();
  readonly #unreliable = new Map<string, Fragments>();

  constructor(selfKey: string) {
    this.#selfKey = selfKey;
  }

  /**
   * @param dest `addressKey` of the recipient, or `GROUP`
   * @param src `addressKey` of who it says that it is of
   * @returns null: nothing new of the application, or of the membership, is complete with it
   */
  take(dest: string, src: string, message: Message): Sent | null {
    for (const protocol of ['UFC', 'MFC', 'STABLE'] as const)
      if (headerOf(message, protocol) !== undefined) return null;
    const confirmation = headerOf(message, 'RSVP');
    if (confirmation !== undefined && confirmation.type !== 'REQ') return null;
    const isService = isServiceMessage(message);
    const group = headerOf(message, 'NAKACK2');
    if (group !== undefined) {
      const isMessage = (group.type === 'MSG' || group.type === 'XMIT_RSP') && src === this.#selfKey;
      if (!isMessage || !this.#isNew(GROUP, { connId: 0, seqno: group.seqno })) return null;
      return isService ? SERVICE : asSent(fragmentsOf(this.#reliable, GROUP).add(message));
    }
    const header = headerOf(message, 'UNICAST3');
    if (header === undefined || (message.flags & Flag.NO_RELIABILITY) !== 0) {
      if (message.payload === null || isService) return null;
      return asSent(fragmentsOf(this.#unreliable, dest).add(message));
    }
    if (header.type !== 'DATA' || !this.#isNew(dest, header)) return null;
    return isService ? SERVICE : asSent(fragmentsOf(this.#reliable, dest).add(message));
  }

  #isNew(dest: string, { connId, seqno }: { connId: number; seqno: number }): boolean {
    let channel = this.#channels.get(dest);
    if (channel?.connId !== connId) {
      // group messages are numbered once and for all: the first that is seen need not be the first that there is
      const low = dest === GROUP ? 0 : seqno - 1;
      channel = { connId, low, beyond: new Set() };
      this.#channels.set(dest, channel);
    }
    if (seqno <= channel.low || channel.beyond.has(seqno)) return false;
    channel.beyond.add(seqno);
    // those before the capture, or lost in it, will not come any more
    if (channel.beyond.size > MAX_BEYOND) channel.low = Math.min(...channel.beyond) - 1;
    while (channel.beyond.delete(channel.low + 1)) channel.low++;
    return true;
  }
}

const SERVICE: Sent = { whole: null };

function asSent(whole: WholeMessage | null): Sent | null {
  return whole === null ? null : { whole };
}

function fragmentsOf(all: Map<string, Fragments>, dest: string): Fragments {
  let fragments = all.get(dest);
  if (fragments === undefined) {
    fragments = new Fragments();
    all.set(dest, fragments);
  }
  return fragments;
}
