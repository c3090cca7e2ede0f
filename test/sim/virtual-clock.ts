import type { Timer } from '../../src/protocol/environment.ts';

interface Event {
  readonly timeMs: number;
  /** Ties are run in the order in which they were scheduled: a run depends on nothing but its seed. */
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time: a heap of events. Nothing happens but what is in it, so a second costs what happens in it. */
export class VirtualClock {
  nowMs = 0;
  eventsRun = 0;
  readonly #heap: Event[] = [];
  #order = 0;
  #turnWanted = false;
  #awaited = 0;

  at(timeMs: number, run: () => void): void {
    this.#push({ timeMs: Math.max(timeMs, this.nowMs), order: this.#order++, run });
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  /** @param callback run through `post`, which may defer it (a paused process) or drop it (a dead one) */
  createTimer(callback: () => void, post: (run: () => void) => void): Timer {
    return new VirtualTimer(this, callback, post);
  }

  /** Somebody's promise was settled: its continuations run before the next event. */
  wantTurn(): void {
    this.#turnWanted = true;
  }

  /** As `await promise`, for scripts: until it is settled, continuations get their turn after each event. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    this.#awaited++;
    try {
      return await promise;
    } finally {
      this.#awaited--;
      this.wantTurn();
    }
  }

  /** Resolves after `delayMs` of virtual time, which somebody else has to run. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, () => {
        this.wantTurn();
        resolve();
      });
    });
  }

  /**
   * Runs events until `endMs`, or until `done` says so.
   * @returns whether `done` did
   */
  async runUntil(endMs: number, done: () => boolean = () => false): Promise<boolean> {
    await turn();
    for (;;) {
      if (this.#turnWanted || this.#awaited > 0) {
        this.#turnWanted = false;
        await turn();
      }
      if (done()) return true;
      const next = this.#heap[0];
      if (next === undefined || next.timeMs > endMs) {
        this.nowMs = Math.max(this.nowMs, endMs);
        return false;
      }
      this.#pop();
      this.nowMs = next.timeMs;
      this.eventsRun++;
      next.run();
    }
  }

  /** Runs until `promise` is settled. @throws {Error} if that takes longer than `timeoutMs` of virtual time */
  async run<T>(promise: Promise<T>, what: string, timeoutMs = 600_000): Promise<T> {
    let settled = false;
    const waiting = this.wait(promise).finally(() => (settled = true));
    waiting.catch(() => undefined);
    if (!(await this.runUntil(this.nowMs + timeoutMs, () => settled))) {
      throw new Error(`${what} was not done after ${timeoutMs} virtual ms`);
    }
    return waiting;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
}

/** Lets all microtasks run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A later deadline only changes a number; the event that comes too early schedules the next one. */
class VirtualTimer implements Timer {
  readonly #clock: VirtualClock;
  readonly #callback: () => void;
  readonly #post: (run: () => void) => void;
  #deadlineMs = Infinity;
  #scheduledMs = Infinity;

  constructor(clock: VirtualClock, callback: () => void, post: (run: () => void) => void) {
    this.#clock = clock;
    this.#callback = callback;
    this.#post = post;
  }

  set(deadlineMs: number): void {
    if (Number.isNaN(deadlineMs)) throw new Error('a timer was set to NaN');
    this.#deadlineMs = deadlineMs;
    this.#schedule();
  }

  clear(): void {
    this.#deadlineMs = Infinity;
  }

  #schedule(): void {
    if (this.#deadlineMs >= this.#scheduledMs) return;
    const scheduledMs = Math.max(this.#deadlineMs, this.#clock.nowMs);
    this.#scheduledMs = scheduledMs;
    this.#clock.at(scheduledMs, () => {
      // An earlier deadline has taken this event's place.
      if (scheduledMs !== this.#scheduledMs) return;
      this.#scheduledMs = Infinity;
      this.#post(this.#check);
    });
  }

  readonly #check = (): void => {
    if (this.#deadlineMs > this.#clock.nowMs) {
      if (this.#deadlineMs !== Infinity) this.#schedule();
      return;
    }
    this.#deadlineMs = Infinity;
    this.#callback();
  };
}
