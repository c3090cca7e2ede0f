import type { Address } from '../../codecs/jgroups/message.ts';
import { InboundWindow } from './inbound-window.ts';
import type { InMessage } from './protocol.ts';

/** JGroups' states OPEN and CLOSING: a closing connection still works, and is removed after connCloseTimeoutMs. */
export abstract class Connection {
  #peer: Address;
  readonly connId: number;
  /**
   * Of the last use or change of state; expiry and closing count from it. A whole number, which needs no object of its
   * own in the heap.
   */
  touchedMs: number;
  #closing = false;

  constructor(peer: Address, connId: number, nowMs: number) {
    this.#peer = peer;
    this.connId = connId;
    this.touchedMs = Math.floor(nowMs);
  }

  get peer(): Address {
    return this.#peer;
  }

  /**
   * The view's address of the peer. If it says the same as ours it takes its place: one object for all, for thousands
   * of idle peers are to take little.
   * @returns whether it did
   */
  meet(member: Address): boolean {
    if (!saysNoMore(this.#peer, member)) return false;
    this.#peer = member;
    return true;
  }

  get closing(): boolean {
    return this.#closing;
  }

  close(nowMs: number): void {
    if (this.#closing) return;
    this.#closing = true;
    this.touchedMs = Math.floor(nowMs);
  }

  /** Used, or its peer is a member again. */
  open(nowMs: number): void {
    this.#closing = false;
    this.touchedMs = Math.floor(nowMs);
  }
}

/** Of two addresses with one uuid: nothing that the second does not say. One that has not joined tells -1 for its view. */
function saysNoMore(one: Address, other: Address): boolean {
  if (one === other || one.kind !== 'geode' || other.kind !== 'geode') return false;
  if (one.host !== other.host || one.port !== other.port || one.scopeId !== other.scopeId) return false;
  return one.viewId === other.viewId || one.viewId < 0;
}

/** What one peer sends us under one connection id. */
export class ReceiveConnection extends Connection {
  readonly window: InboundWindow;
  ackPending = false;
  /** The peer has left the view since the connection was made, and may be back. */
  hasLeft = false;
  readonly #first: number;
  readonly #firstPrint: number;

  /** @param message the one that made it, with seqno `first` */
  constructor(peer: Address, message: InMessage, connId: number, first: number, nowMs: number) {
    super(peer, connId, nowMs);
    this.window = new InboundWindow(first);
    this.#first = first;
    this.#firstPrint = fingerprint(message);
  }

  /** The peer left the view. */
  depart(nowMs: number): void {
    this.hasLeft = true;
    this.close(nowMs);
  }

  /** Whether a first message with this connection's id says something else than the one that made the connection. */
  isContradictedBy(message: InMessage, seqno: number): boolean {
    return seqno === this.#first && fingerprint(message) !== this.#firstPrint;
  }
}

/** Payload bytes that a fingerprint looks at. */
const PRINTED_BYTES = 512;

/** FNV-1a, 32 bits. Only first messages have one. */
function fingerprint({ flags, payload }: InMessage): number {
  const bytes = payload ?? new Uint8Array(0);
  let print = Math.imul(0x811c9dc5 ^ flags, 0x01000193) ^ bytes.length;
  const end = Math.min(bytes.length, PRINTED_BYTES);
  for (let i = 0; i < end; i++) print = Math.imul(print ^ (bytes[i] as number), 0x01000193);
  return print;
}
