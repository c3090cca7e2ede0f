import { CodecError } from '../../../codecs/bytes/errors.ts';
import { addressKey, Flag, type Message, type Nakack2Header } from '../../../codecs/jgroups/message.ts';
import { decodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { creditsOf } from './credits.ts';
import { FLOW_PROTOCOLS, type FlowProtocol } from './wire-model.ts';

/** What one member told one other beside its own messages. */
export interface Replies {
  /** Connection id of the other to the highest seqno acknowledged on it. */
  readonly acks: Map<number, number>;
  /** Seqnos that it asked to be sent again. */
  readonly asked: Set<number>;
  /** The same of the other's group messages. */
  readonly groupAsked: Set<number>;
  /** Own group messages that it sent again to the other. */
  readonly groupResent: Set<number>;
  readonly credits: Readonly<Record<FlowProtocol, CreditReplies>>;
  firstSeqnoAsked: number;
  /** By connection id. */
  readonly data: Map<number, SentData>;
}

export interface CreditReplies {
  /** Bytes. */
  replenished: number;
  /** Times. */
  asked: number;
}

/** Which DATA of a connection was sent. */
export interface SentData {
  readonly first: number;
  /** All from the first up to here. */
  low: number;
  readonly beyond: Set<number>;
  /** More than once. */
  readonly resent: Set<number>;
}

/** What one member told the group beside its own messages. */
export interface GroupReplies {
  /** Highest seqno of its own that it sent, and that it told of. */
  sent: number;
  told: number;
  gossips: number;
  stabilities: number;
}

/** What one member answered, to whom. */
export class ReplyLog {
  readonly to = new Map<string, Replies>();
  readonly group: GroupReplies = { sent: 0, told: 0, gossips: 0, stabilities: 0 };
  pongs = 0;
  readonly #answersToAll: boolean;

  /** @param answersToAll group messages are sent again to all (`use_mcast_xmit`) */
  constructor(answersToAll: boolean) {
    this.#answersToAll = answersToAll;
  }

  /** @param dest `addressKey` of the recipient; null: to the group */
  note(dest: string | null, message: Message): void {
    this.#noteGroup(dest, message);
    const header = dest === null ? undefined : headerOf(message, 'UNICAST3');
    if (header === undefined || dest === null) return;
    const replies = this.of(dest);
    switch (header.type) {
      case 'ACK':
        replies.acks.set(header.connId, Math.max(header.seqno, replies.acks.get(header.connId) ?? 0));
        return;
      case 'XMIT_REQ':
        for (const seqno of seqnosOf(message)) replies.asked.add(seqno);
        return;
      case 'SEND_FIRST_SEQNO':
        replies.firstSeqnoAsked++;
        return;
      case 'DATA':
        if (isNewData(replies, header.connId, header.seqno)) noteCredits(message, replies);
        return;
      case 'CLOSE':
    }
  }

  #noteGroup(dest: string | null, message: Message): void {
    const stable = headerOf(message, 'STABLE');
    if (stable?.type === 'STABLE_GOSSIP') this.group.gossips++;
    else if (stable?.type === 'STABILITY') this.group.stabilities++;
    const header = headerOf(message, 'NAKACK2');
    if (header === undefined || (message.flags & Flag.NO_RELIABILITY) !== 0) return;
    if (header.type === 'XMIT_REQ') {
      const asked = this.of(addressKey(header.sender)).groupAsked;
      for (const seqno of seqnosOf(message)) asked.add(seqno);
    } else this.#noteNumbered(dest, header);
  }

  #noteNumbered(dest: string | null, { type, seqno }: Extract<Nakack2Header, { seqno: number }>): void {
    const { group } = this;
    if (type === 'MSG') {
      if (this.#answersToAll && seqno <= group.sent) {
        for (const { groupResent } of this.to.values()) groupResent.add(seqno);
      }
      group.sent = Math.max(group.sent, seqno);
    } else if (type === 'HIGHEST_SEQNO') group.told = Math.max(group.told, seqno);
    else if (dest !== null) this.of(dest).groupResent.add(seqno);
  }

  of(dest: string): Replies {
    let replies = this.to.get(dest);
    if (replies === undefined) {
      replies = {
        acks: new Map(),
        asked: new Set(),
        groupAsked: new Set(),
        groupResent: new Set(),
        credits: { UFC: { replenished: 0, asked: 0 }, MFC: { replenished: 0, asked: 0 } },
        firstSeqnoAsked: 0,
        data: new Map(),
      };
      this.to.set(dest, replies);
    }
    return replies;
  }
}

export function wasSent(sent: SentData, seqno: number): boolean {
  return seqno >= sent.first && (seqno <= sent.low || sent.beyond.has(seqno));
}

function isNewData({ data }: Replies, connId: number, seqno: number): boolean {
  let sent = data.get(connId);
  if (sent === undefined) {
    sent = { first: seqno, low: seqno - 1, beyond: new Set(), resent: new Set() };
    data.set(connId, sent);
  }
  if (seqno <= sent.low || sent.beyond.has(seqno)) {
    sent.resent.add(seqno);
    return false;
  }
  sent.beyond.add(seqno);
  while (sent.beyond.delete(sent.low + 1)) sent.low++;
  return true;
}

function noteCredits(message: Message, { credits }: Replies): void {
  for (const protocol of FLOW_PROTOCOLS) {
    const header = headerOf(message, protocol);
    if (header?.type === 'REPLENISH') credits[protocol].replenished += creditsOf(message);
    else if (header?.type === 'CREDIT_REQUEST') credits[protocol].asked++;
  }
}

export function seqnosOf({ payload }: Message): number[] {
  if (payload === null) return [];
  try {
    return decodeSeqnoList(payload);
  } catch (error) {
    if (error instanceof CodecError) return [];
    throw error;
  }
}
