import type { Socket } from 'node:net';

import { Flow } from './flow.ts';
import type { CutPlan } from './plans.ts';

/** Bytes before the cut that a `drip` forwards one by one. */
const DRIP_BYTES = 40;

interface Events {
  handleCut(): void;
  handleClosed(): void;
}

/** The two sockets that the proxy holds for one connection, and what becomes of them. */
export class ProxiedConnection {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #plan: CutPlan | null;
  readonly #events: Events;
  /** The one that the plan is about, and the other. */
  readonly #flow: Flow;
  readonly #back: Flow;
  #timer: NodeJS.Timeout | undefined;
  #openEnds = 2;
  /** An end may be gone without the other hearing of it. */
  #isHalfOpen = false;

  /**
   * @param near towards the member that connected
   * @param far towards the member that accepts
   */
  constructor(near: Socket, far: Socket, plan: CutPlan | null, events: Events) {
    this.#near = near;
    this.#far = far;
    this.#plan = plan;
    this.#events = events;
    const isForward = plan?.direction !== 'backward';
    this.#flow = isForward ? new Flow(near, far) : new Flow(far, near);
    this.#back = isForward ? new Flow(far, near) : new Flow(near, far);
    for (const socket of [near, far]) {
      socket.on('error', () => undefined); // 'close' follows
      socket.on('close', (hadError) => this.#handleClose(socket === near ? far : near, hadError));
    }
  }

  start(): void {
    const plan = this.#plan;
    this.#back.start(Infinity, 0, () => undefined);
    this.#flow.start(plan?.offset ?? Infinity, plan?.kind === 'drip' ? DRIP_BYTES : 0, () => this.#cut());
  }

  reset(): void {
    clearTimeout(this.#timer);
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  #cut(): void {
    const plan = this.#plan;
    if (plan === null) return;
    switch (plan.kind) {
      case 'reset':
      case 'drip':
        this.reset();
        break;
      case 'end':
        this.#flow.swallow();
        this.#flow.to.end();
        break;
      case 'truncate':
        this.#flow.swallow();
        this.#resetAfter(plan.holdMs);
        break;
      case 'stall':
        this.#flow.hold();
        this.#resetAfter(plan.holdMs);
        break;
      case 'freeze':
        this.#flow.hold();
        this.#back.hold();
        this.#resetAfter(plan.holdMs);
        break;
      case 'half-open':
        this.#resetOne(this.#near, plan.holdMs);
        break;
      case 'half-closed':
        this.#resetOne(this.#far, plan.holdMs);
        break;
      case 'delay':
        this.#delay(plan);
        return; // the cut is yet to come
    }
    this.#events.handleCut();
  }

  #delay({ holdMs, extraBytes }: CutPlan): void {
    this.#flow.hold();
    this.#timer = setTimeout(() => {
      this.#flow.goOn(extraBytes, () => {
        this.reset();
        this.#events.handleCut();
      });
    }, holdMs);
  }

  #resetOne(socket: Socket, otherAfterMs: number): void {
    this.#isHalfOpen = true;
    this.#flow.hold();
    this.#back.hold();
    socket.resetAndDestroy();
    this.#resetAfter(otherAfterMs);
  }

  #resetAfter(holdMs: number): void {
    this.#timer = setTimeout(() => this.reset(), holdMs);
  }

  #handleClose(other: Socket, hadError: boolean): void {
    this.#openEnds--;
    if (this.#openEnds === 0) {
      clearTimeout(this.#timer);
      this.#events.handleClosed();
    } else if (!this.#isHalfOpen) {
      if (hadError) other.resetAndDestroy();
      else other.destroySoon();
    }
  }
}
