import type { BindOptions, Environment, PortPair, Timer } from '../../src/protocol/environment.ts';
import type { Logger } from '../../src/protocol/logger.ts';
import { seededRng, type Rng } from '../../src/protocol/rng.ts';
import type { VirtualNetwork } from './virtual-network.ts';

/** `reset`: the process dies, its system closes the sockets. `silent`: the host loses power. */
export type Death = 'reset' | 'silent';

/** What a process has open; the network keeps it. */
export interface Resource {
  /** The process died. */
  die(death: Death): void;
}

/** One process on the virtual network: it can be paused and killed. */
export class VirtualEnvironment implements Environment {
  readonly rng: Rng;
  readonly logger: Logger;
  readonly network: VirtualNetwork;
  readonly resources = new Set<Resource>();
  #state: 'running' | 'paused' | 'dead' = 'running';
  #deferred: (() => void)[] = [];

  constructor(network: VirtualNetwork, seed: number, logger: Logger) {
    this.network = network;
    this.rng = seededRng(seed);
    this.logger = logger;
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  nowMs(): number {
    return this.network.clock.nowMs;
  }

  createTimer(callback: () => void): Timer {
    return this.network.clock.createTimer(callback, (run) => this.post(run));
  }

  bind(options: BindOptions): Promise<PortPair> {
    return this.network.bind(this, options);
  }

  /** Runs `run` in this process: now, when it goes on, or never. */
  post(run: () => void): void {
    if (this.#state === 'running') run();
    else if (this.#state === 'paused') this.#deferred.push(run);
  }

  /** As SIGSTOP: datagrams queue up (and overflow), streams stand still, timers are late. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const run of deferred) this.post(run);
  }

  kill(death: Death): void {
    this.#state = 'dead';
    this.#deferred = [];
    for (const resource of [...this.resources]) resource.die(death);
    this.resources.clear();
  }
}
