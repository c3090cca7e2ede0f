import type { Environment, Timer } from './environment.ts';

/**
 * Messages of a member to itself. They take a turn of their own, as those to others do: a handler that sends to
 * itself is not called from within itself, and a sender sees `pending` before `delivered`.
 */
export class SelfDelivery {
  readonly #environment: Environment;
  readonly #deliver: (payload: Uint8Array) => void;
  readonly #timer: Timer;
  #queue: Uint8Array[] = [];
  #bytes = 0;
  #stopped = false;

  constructor(environment: Environment, deliver: (payload: Uint8Array) => void) {
    this.#environment = environment;
    this.#deliver = deliver;
    this.#timer = environment.createTimer(() => this.#run());
  }

  get pendingBytes(): number {
    return this.#bytes;
  }

  send(payload: Uint8Array): void {
    if (this.#queue.length === 0) this.#timer.set(this.#environment.nowMs());
    this.#queue.push(payload);
    this.#bytes += payload.length;
  }

  /** Forgets what was not delivered yet. */
  stop(): void {
    this.#stopped = true;
    this.#timer.clear();
    this.#queue = [];
    this.#bytes = 0;
  }

  /** Only what was there at the start: a handler that answers itself for ever lets others run in between. */
  #run(): void {
    const batch = this.#queue;
    this.#queue = [];
    for (const payload of batch) {
      if (this.#stopped) return; // by a handler
      this.#bytes -= payload.length;
      this.#deliver(payload);
    }
  }
}
