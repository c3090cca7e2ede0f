import { CodecError } from '../../../codecs/bytes/errors.ts';
import type { Message } from '../../../codecs/jgroups/message.ts';
import { decodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { creditsOf } from './scan.ts';

/** What one member told one other beside its own messages. */
export interface Replies {
  /** Connection id of the other to the highest seqno acknowledged on it. */
  readonly acks: Map<number, number>;
  /** Seqnos that it asked to be sent again. */
  readonly asked: Set<number>;
  /** Bytes. */
  replenished: number;
  creditsAsked: number;
  firstSeqnoAsked: number;
  /** By connection id. */
  readonly data: Map<number, SentData>;
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

/** What one member answered, to whom. */
export class ReplyLog {
  readonly to = new Map<string, Replies>();
  pongs = 0;

  note(dest: string, message: Message): void {
    const header = headerOf(message, 'UNICAST3');
    if (header === undefined) return;
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

  of(dest: string): Replies {
    let replies = this.to.get(dest);
    if (replies === undefined) {
      replies = {
        acks: new Map(),
        asked: new Set(),
        replenished: 0,
        creditsAsked: 0,
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

function noteCredits(message: Message, replies: Replies): void {
  const header = headerOf(message, 'UFC');
  if (header?.type === 'REPLENISH') replies.replenished += creditsOf(message);
  else if (header?.type === 'CREDIT_REQUEST') replies.creditsAsked++;
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
