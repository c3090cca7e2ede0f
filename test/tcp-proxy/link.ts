import { CuttingProxy } from './cutting-proxy.ts';
import type { CutPlan } from './plans.ts';

/** Hands out plans and hears what became of them. */
export interface PlanSource {
  next(): CutPlan | null;
  done(plan: CutPlan): void;
  unused(plan: CutPlan): void;
}

/** The way of one member's messages to the other, with a proxy on it. */
export class Link {
  readonly proxy: CuttingProxy;
  connections = 0;
  /** What is going to happen to its latest connection. */
  plan: CutPlan | null = null;
  /** Milliseconds from a reset to the first message that came by the connection after it. */
  readonly recoveryMs: number[] = [];
  #resetAtMs: number | null = null;
  #isReconnected = false;

  private constructor(proxy: CuttingProxy) {
    this.proxy = proxy;
  }

  static async open(plans: PlanSource): Promise<Link> {
    let link: Link | null = null;
    const proxy = await CuttingProxy.listen({
      nextPlan: () => {
        const plan = plans.next();
        if (link !== null) link.plan = plan;
        return plan;
      },
      handleCut: (plan) => {
        link?.handleCut(plan);
        plans.done(plan);
      },
      handleUnused: (plan) => plans.unused(plan),
      handleConnection: () => link?.handleConnection(),
    });
    link = new Link(proxy);
    return link;
  }

  handleCut(plan: CutPlan): void {
    // other kinds are found out about later than they happen
    this.#resetAtMs = plan.kind === 'reset' ? performance.now() : null;
    this.#isReconnected = false;
  }

  handleConnection(): void {
    this.connections++;
    this.#isReconnected = true;
  }

  handleDelivery(): void {
    if (this.#resetAtMs === null || !this.#isReconnected) return;
    this.recoveryMs.push(performance.now() - this.#resetAtMs);
    this.#resetAtMs = null;
  }
}
