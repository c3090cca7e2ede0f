import type { Address, Header } from '../../codecs/jgroups/message.ts';

/** A message on its way down: each protocol adds its header. Once sent it is not changed any more. */
export interface OutMessage {
  readonly dest: Address;
  readonly flags: number;
  readonly headers: Header[];
  readonly payload: Uint8Array | null;
  /** 1 if with this one an application's message is complete (it, or its last fragment, was acknowledged), else 0. */
  readonly completes: 0 | 1;
  /** Payload bytes that count against the recipient's limits: 0 for the stack's own messages. */
  readonly pendingBytes: number;
}

/** A message on its way up. */
export interface InMessage {
  readonly src: Address;
  /** `addressKey(src)`. */
  readonly from: string;
  readonly flags: number;
  readonly headers: readonly Header[];
  readonly payload: Uint8Array | null;
}

/**
 * One protocol of the stack: a synchronous state machine between the one above and the one below it. Time is an
 * argument; what it wants to send or deliver it hands on at once, so a call may come back in before it returns.
 */
export abstract class Protocol {
  protected above!: Pick<Protocol, 'up'>;
  protected below!: Pick<Protocol, 'down'>;

  connect(above: Pick<Protocol, 'up'>, below: Pick<Protocol, 'down'>): void {
    this.above = above;
    this.below = below;
  }

  abstract down(message: OutMessage, nowMs: number): void;
  abstract up(message: InMessage, nowMs: number): void;

  /** Keys of the members, own one included. */
  abstract installView(members: ReadonlySet<string>, nowMs: number): void;

  /** Does what is due; for nothing it is a no-op. */
  handleTimeout(_nowMs: number): void {
    // most protocols have no timer
  }

  /** Infinity: none. */
  nextDeadlineMs(): number {
    return Infinity;
  }
}

/** The header of one protocol; undefined if the message has none. */
export function headerOf<P extends Header['protocol']>(
  message: { readonly headers: readonly Header[] },
  protocol: P,
): (Header & { protocol: P }) | undefined {
  for (const header of message.headers) {
    if (header.protocol === protocol) return header as Header & { protocol: P };
  }
  return undefined;
}
