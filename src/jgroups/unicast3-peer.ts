import type { Address } from '../../codecs/jgroups/message.ts';
import { InboundWindow } from './inbound-window.ts';

/** JGroups' states OPEN and CLOSING: a closing connection still works, and is removed after connCloseTimeoutMs. */
export abstract class Connection {
  readonly peer: Address;
  readonly connId: number;
  /** Of the last use or change of state; expiry and closing count from it. */
  touchedMs: number;
  #closing = false;

  constructor(peer: Address, connId: number, nowMs: number) {
    this.peer = peer;
    this.connId = connId;
    this.touchedMs = nowMs;
  }

  get closing(): boolean {
    return this.#closing;
  }

  close(nowMs: number): void {
    if (this.#closing) return;
    this.#closing = true;
    this.touchedMs = nowMs;
  }

  /** Used, or its peer is a member again. */
  open(nowMs: number): void {
    this.#closing = false;
    this.touchedMs = nowMs;
  }
}

/** What one peer sends us under one connection id. */
export class ReceiveConnection extends Connection {
  readonly window: InboundWindow;
  ackPending = false;

  constructor(peer: Address, connId: number, first: number, nowMs: number) {
    super(peer, connId, nowMs);
    this.window = new InboundWindow(first);
  }
}
