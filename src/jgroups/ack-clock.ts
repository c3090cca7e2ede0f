import { DATAGRAM_ROOM } from './bundler.ts';
import type { ProtocolContext } from './context.ts';
import { bundledBytes, hasNoOrder, MESSAGE_BYTES, type OutMessage, type Protocol } from './protocol.ts';
import type { Connection } from './unicast3-peer.ts';

/** To whom, and under which id. */
type Aim = Pick<Connection, 'peer' | 'connId'>;

/**
 * Makes a receiver acknowledge at once.
 *
 * It does so for a list of `ackThreshold` messages that are neither OOB nor INTERNAL, and looks at their seqnos after
 * it has counted them (WIRE-3.6 section 5). So a list that has fewer is filled up with DATA under the seqno that was
 * acknowledged last, without a payload: the receiver takes it for a late duplicate. It is safe because all that a
 * receiver has acknowledged it has, in this connection or before it lost it: a new one starts at the seqno after.
 */
export class AckClock {
  readonly #below: Pick<Protocol, 'downBatch'>;
  readonly #context: ProtocolContext;

  constructor(below: Pick<Protocol, 'downBatch'>, context: ProtocolContext) {
    this.#below = below;
    this.#context = context;
  }

  /**
   * Sends numbered messages in one datagram that is acknowledged at once; if it has no room for fillers, they follow.
   * @param acked the seqno that was acknowledged last, 0 if none was
   */
  send(to: Aim, messages: OutMessage[], acked: number, nowMs: number): void {
    const { ackThreshold, maxBundleSize } = this.#context.config;
    let missing = ackThreshold;
    let bytes = DATAGRAM_ROOM;
    for (const message of messages) {
      bytes += bundledBytes(message);
      if (!hasNoOrder(message)) missing--;
    }
    if (missing <= 0) this.#below.downBatch(messages, nowMs);
    else if (bytes + missing * MESSAGE_BYTES <= maxBundleSize) {
      this.#below.downBatch(messages.concat(this.#fillers(to, missing, acked)), nowMs);
    } else {
      this.#below.downBatch(messages, nowMs);
      this.ask(to, acked, nowMs);
    }
  }

  /** Sends nothing but fillers: an ack comes for all that was sent before. */
  ask(to: Aim, acked: number, nowMs: number): void {
    this.#below.downBatch(this.#fillers(to, this.#context.config.ackThreshold, acked), nowMs);
  }

  #fillers({ peer, connId }: Aim, count: number, seqno: number): OutMessage[] {
    this.#context.counters.acksAskedFor++;
    const filler: OutMessage = {
      dest: peer,
      flags: 0,
      headers: [{ protocol: 'UNICAST3', type: 'DATA', seqno, connId, first: false }],
      payload: null,
      completes: 0,
      pendingBytes: 0,
    };
    return new Array<OutMessage>(count).fill(filler);
  }
}
