import { Flag, type Message } from '../../../codecs/jgroups/message.ts';
import { headerOf } from '../../jgroups/protocol.ts';
import { isServiceMessage } from '../../jgroups/services.ts';
import { Fragments } from './fragments.ts';
import { GroupModel } from './group-model.ts';

export interface WireModelEvents {
  /** The application should have got this now. */
  deliverable(src: string, payload: Uint8Array, flags: number, toGroup: boolean): void;
  /** Membership, discovery or failure detection should have got this now. */
  service(src: string, message: Message, toGroup: boolean): void;
  /** Flow control of unicasts or group messages. */
  credits(src: string, protocol: FlowProtocol, message: Message): void;
  /** A message was missing from `sinceMs`, when a later one came, to `timeMs`. */
  filled(src: string, seqno: number, sinceMs: number, timeMs: number, toGroup: boolean): void;
}

export type FlowProtocol = 'UFC' | 'MFC';

interface Connection {
  readonly connId: number;
  /** All up to here came. */
  contiguous: number;
  highest: number;
  /** Beyond `contiguous`; null: delivered already, for it has no order. */
  readonly waiting: Map<number, Message | null>;
  /** Missing seqnos, and when that could be seen. */
  readonly gaps: Map<number, number>;
}

interface Sender {
  current: Connection | null;
  /** Connection ids that were replaced or closed. */
  readonly past: Set<number>;
  readonly reliable: Fragments;
  readonly unreliable: Fragments;
  /** Of group messages. */
  readonly group: Fragments;
  /** Bytes that count against its credits. */
  readonly consumed: Record<FlowProtocol, number>;
  /** Messages of connections whose first message did not come. */
  unopened: number;
}

/** A forged seqno must not cost memory. */
const MAX_GAP = 100_000;

/**
 * What one member could have made of the datagrams that reached it, by the rules of the wire alone (WIRE-3.6
 * section 5): written apart from the stack, to be held against it.
 */
export class WireModel {
  readonly group: GroupModel;
  readonly #events: WireModelEvents;
  readonly #senders = new Map<string, Sender>();

  /** @param selfKey whose model it is */
  constructor(selfKey: string, events: WireModelEvents) {
    this.#events = events;
    this.group = new GroupModel(selfKey, {
      deliver: (src, message) => {
        const sender = this.#sender(src);
        this.#deliver(src, sender, message, sender.group, true);
      },
      filled: (src, seqno, sinceMs, timeMs) => events.filled(src, seqno, sinceMs, timeMs, true),
    });
  }

  /** @param toGroup it was sent to the group */
  receive(src: string, message: Message, toGroup: boolean, timeMs: number): void {
    const sender = this.#sender(src);
    const numbered = headerOf(message, 'NAKACK2');
    if (numbered !== undefined && (message.flags & Flag.NO_RELIABILITY) === 0) {
      this.group.receive(src, message, numbered, timeMs);
      return;
    }
    if (headerOf(message, 'STABLE') !== undefined) return;
    const header = headerOf(message, 'UNICAST3');
    if (header === undefined || (message.flags & Flag.NO_RELIABILITY) !== 0) {
      this.#deliver(src, sender, message, sender.unreliable, toGroup);
      return;
    }
    if (header.type === 'CLOSE' && sender.current?.connId === header.connId) {
      sender.past.add(header.connId);
      sender.current = null;
    }
    if (header.type !== 'DATA') return;
    const connection = connectionFor(sender, header);
    if (connection === null || !store(connection, header.seqno, message, timeMs)) return;
    const sinceMs = connection.gaps.get(header.seqno);
    if (sinceMs !== undefined) {
      connection.gaps.delete(header.seqno);
      this.#events.filled(src, header.seqno, sinceMs, timeMs, false);
    }
    if ((message.flags & Flag.OOB) !== 0) this.#deliver(src, sender, message, sender.reliable, false);
    this.#drain(src, sender, connection);
  }

  /** The highest seqno that may be acknowledged on this connection; null: the connection is not known. */
  contiguous(src: string, connId: number): number | null {
    const current = this.#senders.get(src)?.current;
    return current?.connId === connId ? current.contiguous : null;
  }

  isMissing(src: string, seqno: number): boolean {
    const current = this.#senders.get(src)?.current;
    if (current === null || current === undefined) return false;
    return seqno > current.contiguous && seqno < current.highest && !current.waiting.has(seqno);
  }

  /** What is missing still, and since when. */
  *open(): Generator<{ src: string; seqno: number; sinceMs: number }> {
    for (const [src, { current }] of this.#senders) {
      if (current === null) continue;
      for (const [seqno, sinceMs] of current.gaps) yield { src, seqno, sinceMs };
    }
  }

  #sender(src: string): Sender {
    let sender = this.#senders.get(src);
    if (sender === undefined) {
      sender = {
        current: null,
        past: new Set(),
        reliable: new Fragments(),
        unreliable: new Fragments(),
        group: new Fragments(),
        consumed: { UFC: 0, MFC: 0 },
        unopened: 0,
      };
      this.#senders.set(src, sender);
    }
    return sender;
  }

  #drain(src: string, sender: Sender, connection: Connection): void {
    for (;;) {
      const next = connection.waiting.get(connection.contiguous + 1);
      if (next === undefined) return;
      connection.contiguous++;
      connection.waiting.delete(connection.contiguous);
      if (next !== null) this.#deliver(src, sender, next, sender.reliable, false);
    }
  }

  /** Messages of a sender that can only be taken once it was asked for its first one. */
  unopened(src: string): number {
    return this.#senders.get(src)?.unopened ?? 0;
  }

  /** Bytes of a sender that were consumed, and so used up its credits (WIRE-3.6 section 9). */
  consumed(src: string, protocol: FlowProtocol): number {
    return this.#senders.get(src)?.consumed[protocol] ?? 0;
  }

  #deliver(src: string, sender: Sender, message: Message, fragments: Fragments, toGroup: boolean): void {
    if (isServiceMessage(message)) {
      this.#events.service(src, message, toGroup);
      return;
    }
    for (const protocol of FLOW_PROTOCOLS) {
      if (headerOf(message, protocol) === undefined) continue;
      this.#events.credits(src, protocol, message);
      return;
    }
    if ((message.flags & Flag.NO_FC) === 0) {
      sender.consumed[toGroup ? 'MFC' : 'UFC'] += message.payload?.length ?? 0;
    }
    // RSVP's own: the answer to a message, and the reminder of one
    const confirmation = headerOf(message, 'RSVP');
    if (confirmation !== undefined && confirmation.type !== 'REQ') return;
    const whole = fragments.add(message);
    if (whole !== null) this.#events.deliverable(src, whole.payload, whole.flags, toGroup);
  }
}

export const FLOW_PROTOCOLS: readonly FlowProtocol[] = ['UFC', 'MFC'];

function connectionFor(
  sender: Sender,
  { seqno, connId, first }: { seqno: number; connId: number; first: boolean },
): Connection | null {
  const { current } = sender;
  if (current?.connId === connId) return current;
  if (!first) sender.unopened++;
  if (!first || sender.past.has(connId)) return null;
  if (current !== null) sender.past.add(current.connId);
  sender.current = { connId, contiguous: seqno - 1, highest: seqno - 1, waiting: new Map(), gaps: new Map() };
  return sender.current;
}

/** False for one that was there already. */
function store(connection: Connection, seqno: number, message: Message, timeMs: number): boolean {
  const { waiting, gaps } = connection;
  if (seqno <= connection.contiguous || waiting.has(seqno)) return false;
  if (seqno - connection.contiguous > MAX_GAP) return false;
  waiting.set(seqno, (message.flags & Flag.OOB) !== 0 ? null : message);
  for (let missing = connection.highest + 1; missing < seqno; missing++) gaps.set(missing, timeMs);
  connection.highest = Math.max(connection.highest, seqno);
  return true;
}
