import { type Address, Flag, type Header, type ViewId } from '../../codecs/jgroups/message.ts';

/** A message on its way down: each protocol adds its header. Once sent it is not changed any more. */
export interface OutMessage {
  /** Null: to the group. */
  readonly dest: Address | null;
  /** Whose message it is, where it is not our own: one that is sent again for somebody else. */
  readonly src?: Address;
  readonly flags: number;
  readonly headers: Header[];
  readonly payload: Uint8Array | null;
  /** 1 if with this one an application's message is complete (it, or its last fragment, was acknowledged), else 0. */
  readonly completes: 0 | 1;
  /** Payload bytes that count against the recipient's limits: 0 for the stack's own messages. */
  readonly pendingBytes: number;
  /** To the group: who was in it when the message was accepted. */
  readonly audience?: Audience;
  /** With RSVP: who has confirmed it is to be told. */
  readonly confirm?: Confirm;
  /** To the group: we receive it as well (JGroups without its DONT_LOOPBACK). */
  readonly loopback?: boolean;
}

/** A message whose recipients are to confirm that the application has had it. */
export interface Confirm {
  readonly timeoutMs: number;
  /** Called once. All but those named have confirmed. */
  readonly settle: (unconfirmed: Unconfirmed) => void;
}

export interface Unconfirmed {
  /** Keys of recipients that have not answered. */
  readonly missing: readonly string[];
  /** Why they are not waited for any more. */
  readonly reason: 'timeout' | 'closed';
  /** Keys of recipients that left before they answered. */
  readonly left: readonly string[];
}

/** To whom group messages go between one view and the next. */
export interface Audience {
  /** Counts views, ours, so that a member that left and came back is told from one that stayed. */
  readonly epoch: number;
  /** Keys of the members but for ourselves. */
  readonly members: readonly string[];
}

/** A message on its way up. */
export interface InMessage {
  readonly src: Address;
  /** `addressKey(src)`. */
  readonly from: string;
  /** Sent to the group, not to us alone. */
  readonly toGroup: boolean;
  readonly flags: number;
  readonly headers: readonly Header[];
  readonly payload: Uint8Array | null;
}

/** A view as protocols need it. */
export interface GroupView {
  readonly viewId: ViewId;
  /** In the view's order, own one included; the first is the coordinator. */
  readonly members: readonly Address[];
  /** `addressKey` of each member. */
  readonly keys: ReadonlySet<string>;
  readonly audience: Audience;
}

/**
 * One protocol of the stack: a synchronous state machine between the one above and the one below it. Time is an
 * argument; what it wants to send or deliver it hands on at once, so a call may come back in before it returns.
 */
export abstract class Protocol {
  protected above!: Pick<Protocol, 'up' | 'upBatch'>;
  protected below!: Pick<Protocol, 'down' | 'downBatch'>;

  connect(above: Pick<Protocol, 'up' | 'upBatch'>, below: Pick<Protocol, 'down' | 'downBatch'>): void {
    this.above = above;
    this.below = below;
  }

  abstract down(message: OutMessage, nowMs: number): void;
  abstract up(message: InMessage, nowMs: number): void;

  /** Finished messages to one member that are to go in one datagram: there is nothing to add to them. */
  downBatch(messages: readonly OutMessage[], nowMs: number): void {
    this.below.downBatch(messages, nowMs);
  }

  /** Messages of one sender that came in one datagram and share OOB and INTERNAL. */
  upBatch(messages: readonly InMessage[], nowMs: number): void {
    for (const message of messages) this.up(message, nowMs);
  }

  /** Called from the bottom of the stack to its top: what is sent because of it must not meet an old view below. */
  abstract installView(view: GroupView, nowMs: number): void;

  /** Every protocol has the view now: what waited for it can go, up or down. */
  viewInstalled(_nowMs: number): void {
    // most have nothing that waits
  }

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

/** A message of the stack itself: nobody counts it. */
export function controlMessage(
  dest: Address | null,
  flags: number,
  header: Header,
  payload: Uint8Array | null = null,
): OutMessage {
  return { dest, flags, headers: [header], payload, completes: 0, pendingBytes: 0 };
}

/**
 * What a message takes in a list beside its payload, at most: flags and counts 9 bytes, UNICAST3's header 17, FRAG2's
 * 21, and room for one more.
 */
export const MESSAGE_BYTES = 64;

/** An upper bound of what a message takes in a list. */
export function bundledBytes(message: OutMessage): number {
  return MESSAGE_BYTES + (message.payload?.length ?? 0);
}

/** OOB has none, and the stack's own messages must not wait: UFC's credits are what others wait for. */
export function hasNoOrder(message: OutMessage): boolean {
  return (message.flags & (Flag.OOB | Flag.INTERNAL)) !== 0;
}
