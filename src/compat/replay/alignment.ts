import { CodecError } from '../../../codecs/bytes/errors.ts';
import { addressKey, type Datagram, type Digest, type Message } from '../../../codecs/jgroups/message.ts';
import { encodeDatagram } from '../../../codecs/jgroups/registry.ts';
import { decodePayload, encodePayload } from '../../../codecs/jgroups/v3_6/payload.ts';
import { encodeSeqnoList } from '../../../codecs/jgroups/v3_6/seqno-list.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { messagesOf } from './captured-datagrams.ts';
import { seqnosOf } from './reply-log.ts';

interface Numbering {
  readonly connId: number;
  readonly firstSeqno: number;
}

/** Connections of one member to another, oldest first: as the real member numbered them, and as the stack does. */
interface Pair {
  readonly real: Numbering[];
  readonly ours: Numbering[];
}

/**
 * Translates what was said to a real member about its own messages. The stack numbers its connections from 0 and its
 * messages from 1; the real member may have been at other numbers, when the capture began in mid-conversation or
 * because something that is not on the wire used one up (WIRE-3.6 section 9).
 */
export class Alignment {
  readonly #selfKey: string;
  /** Of group messages: the real member's seqno less the stack's. */
  readonly #groupOffset: number;
  readonly #pairs = new Map<string, Pair>();

  /** @param firstGroupSeqno of the real member's group message that the stack sends as its first */
  constructor(selfKey: string, firstGroupSeqno: number) {
    this.#selfKey = selfKey;
    this.#groupOffset = firstGroupSeqno - 1;
  }

  /** A message that the real member, or the stack, sent to `dest`. */
  note(who: 'real' | 'ours', dest: string, message: Message): void {
    const header = headerOf(message, 'UNICAST3');
    if (header?.type !== 'DATA') return;
    let pair = this.#pairs.get(dest);
    if (pair === undefined) {
      pair = { real: [], ours: [] };
      this.#pairs.set(dest, pair);
    }
    const { connId, seqno } = header;
    if (!pair[who].some((numbering) => numbering.connId === connId)) {
      pair[who].push({ connId, firstSeqno: seqno });
    }
  }

  /** The datagram as the stack's own numbers would have it; the same one where they do not differ. */
  translate(datagram: Datagram, bytes: Buffer): [Datagram, Buffer] {
    const originals = messagesOf(datagram);
    const messages = originals.map(({ message, src }) => {
      const pair = src === null ? undefined : this.#pairs.get(addressKey(src));
      const unicast = pair === undefined ? message : translateUnicast(message, pair);
      return unicast === message && this.#groupOffset > 0 ? this.#translateGroup(message) : unicast;
    });
    if (originals.every(({ message }, i) => message === messages[i])) return [datagram, bytes];
    const translated = withMessages(datagram, messages);
    const translatedBytes = encoded(translated);
    return translatedBytes === null ? [datagram, bytes] : [translated, translatedBytes];
  }

  #translateGroup(message: Message): Message {
    const header = headerOf(message, 'NAKACK2');
    if (header?.type === 'XMIT_REQ') {
      return addressKey(header.sender) === this.#selfKey ? shiftSeqnos(message, -this.#groupOffset) : message;
    }
    if (headerOf(message, 'STABLE') === undefined) return message;
    try {
      const content = decodePayload(message);
      if (content?.kind !== 'digest' || content.digest === null) return message;
      return {
        ...message,
        payload: encodePayload({ kind: 'digest', digest: this.#shiftOwn(content.digest) }),
      };
    } catch (error) {
      if (error instanceof CodecError) return message;
      throw error;
    }
  }

  #shiftOwn({ members, seqnos }: Digest): Digest {
    const shifted = seqnos.map((pair, i) => {
      const member = members?.[i];
      if (member === undefined || addressKey(member) !== this.#selfKey) return pair;
      return {
        highestDelivered: Math.max(0, pair.highestDelivered - this.#groupOffset),
        highestReceived: Math.max(0, pair.highestReceived - this.#groupOffset),
      };
    });
    return { members, seqnos: shifted };
  }

  /** A seqno of the real member's latest connection as the stack numbers it. */
  seqno(dest: string, seqno: number): number {
    const pair = this.#pairs.get(dest);
    const [real, ours] = [pair?.real.at(-1), pair?.ours.at(-1)];
    return real === undefined || ours === undefined ? seqno : seqno - real.firstSeqno + ours.firstSeqno;
  }

  /** A seqno of the stack's group messages as the real member numbered it. */
  realGroupSeqno(seqno: number): number {
    return seqno + this.#groupOffset;
  }
}

function translateUnicast(message: Message, pair: Pair): Message {
  const header = headerOf(message, 'UNICAST3');
  if (header?.type === 'ACK') {
    const at = pair.real.findIndex(({ connId }) => connId === header.connId);
    const [real, ours] = [pair.real[at], pair.ours[at]];
    if (real === undefined || ours === undefined || isSame(real, ours)) return message;
    const seqno = Math.max(0, header.seqno - real.firstSeqno + ours.firstSeqno);
    const headers = message.headers.map((other) =>
      other === header ? { ...header, connId: ours.connId, seqno } : other,
    );
    return { ...message, headers };
  }
  if (header?.type !== 'XMIT_REQ') return message;
  const [real, ours] = [pair.real.at(-1), pair.ours.at(-1)];
  if (real === undefined || ours === undefined || real.firstSeqno === ours.firstSeqno) return message;
  return shiftSeqnos(message, ours.firstSeqno - real.firstSeqno);
}

/** The same message if none of them would be left. */
function shiftSeqnos(message: Message, by: number): Message {
  const seqnos = seqnosOf(message)
    .map((seqno) => seqno + by)
    .filter((seqno) => seqno > 0);
  const last = seqnos.at(-1);
  return last === undefined ? message : { ...message, payload: encodeSeqnoList(seqnos, last + 1) };
}

function isSame(a: Numbering, b: Numbering): boolean {
  return a.connId === b.connId && a.firstSeqno === b.firstSeqno;
}

/** The same datagram with other messages, as many as it had. */
export function withMessages(datagram: Datagram, messages: readonly Message[]): Datagram {
  const [single] = messages;
  if (datagram.kind === 'bundle') return { ...datagram, messages };
  return single === undefined ? datagram : { ...datagram, message: single };
}

/** Null: it does not encode. */
export function encoded(datagram: Datagram): Buffer | null {
  try {
    return encodeDatagram(datagram);
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}
