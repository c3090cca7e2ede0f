import { PeerHealth } from '../protocol/peer-health.ts';

/** What waits for one member in one protocol. */
export interface Wait {
  readonly messages: number;
  /** Another one whenever the member took something. */
  readonly mark: number;
}

/** By key of a member; whom nothing waits for is not in it. */
export type Waits = ReadonlyMap<string, Wait>;

export const NOBODY_WAITED_FOR: Waits = new Map();

/** One thing that messages can wait for. */
export interface WaitSource {
  /** E.g. `no credits`. */
  readonly missing: string;
  /** E.g. `group message`. */
  readonly what: string;
  /** Without progress for so long the member is stalled. */
  readonly timeoutMs: number;
  /** The member is only the one that knows who is. */
  readonly isUnsure?: boolean;
  waits(): Waits;
}

export interface StallListener {
  /** @param reason e.g. `no credits for 5012 ms, 3 messages wait` */
  peerStalled(peer: string, reason: string): void;
  peerRecovered(peer: string): void;
  /** Somebody holds up group messages, and `peer`, the coordinator, knows who, unless it is itself. */
  groupStalled(peer: string, reason: string): void;
}

/** An ack comes a tick after its message; with it or the message lost it takes another two, and two losses three. */
export const LEAST_TICKS = 4;

/** What waits for one source. */
interface Clock {
  readonly health: PeerHealth;
  mark: number;
}

/** Of a member for which something waits. */
interface Watched {
  /** By source; undefined: nothing waits for it. */
  readonly clocks: (Clock | undefined)[];
  isTold: boolean;
}

/**
 * Finds the members that take nothing, so that no message is stuck in silence: once a tick it looks at what waits for
 * whom, and whether that is getting on. Nothing is done, or kept, for members that nothing waits for.
 */
export class StallWatch {
  readonly #sources: readonly WaitSource[];
  readonly #listener: StallListener;
  readonly #tickMs: number;
  readonly #absenceMs: number;
  readonly #watched = new Map<string, Watched>();
  #checkedMs: number;

  /** @param tickMs how often `handleTick` is to look; it may be called more often */
  constructor(sources: readonly WaitSource[], listener: StallListener, tickMs: number, nowMs: number) {
    this.#sources = sources;
    this.#listener = listener;
    this.#tickMs = tickMs;
    this.#absenceMs = Math.min(...sources.map(({ timeoutMs }) => timeoutMs));
    this.#checkedMs = nowMs;
  }

  /** Comes last wherever it is called: what is told may lead to anything. */
  handleTick(nowMs: number): void {
    if (nowMs < this.#checkedMs + this.#tickMs) return;
    const elapsedMs = nowMs - this.#checkedMs;
    this.#checkedMs = nowMs;
    const waits = this.#sources.map((source) => source.waits());
    for (const found of waits) {
      for (const key of found.keys()) {
        if (!this.#watched.has(key)) this.#watched.set(key, { clocks: [], isTold: false });
      }
    }
    if (this.#watched.size === 0) return;
    // a process that was stopped itself, for as long, has not read yet what came meanwhile
    if (elapsedMs >= this.#absenceMs) this.#handleAbsence(nowMs);
    for (const [key, watched] of [...this.#watched]) {
      if (this.#watched.get(key) !== watched) continue; // a handler installed a view without it
      this.#check(key, watched, waits, nowMs);
    }
  }

  /** Whoever is no member any more is forgotten, and not told of. */
  installView(members: ReadonlySet<string>): void {
    for (const key of this.#watched.keys()) if (!members.has(key)) this.#watched.delete(key);
  }

  /** Nobody is stalled any more. */
  forget(): void {
    const stalled = [...this.#watched].filter(([, { isTold }]) => isTold);
    this.#watched.clear();
    for (const [key] of stalled) this.#listener.peerRecovered(key);
  }

  #handleAbsence(nowMs: number): void {
    for (const { clocks } of this.#watched.values()) {
      for (const clock of clocks) clock?.health.handleAbsence(nowMs);
    }
  }

  #check(key: string, watched: Watched, waits: readonly Waits[], nowMs: number): void {
    const reasons: string[] = [];
    let isStalled = false;
    let isWaiting = false;
    for (const [i, source] of this.#sources.entries()) {
      const wait = waits[i]?.get(key);
      const clock = wait === undefined ? undefined : proceed(watched.clocks[i], wait, source, nowMs);
      watched.clocks[i] = clock;
      if (wait === undefined || clock === undefined) continue;
      isWaiting = true;
      const waitedMs = clock.health.check(nowMs);
      if (source.isUnsure === true) {
        if (waitedMs !== null) this.#listener.groupStalled(key, reasonOf(source, wait, waitedMs));
        continue;
      }
      if (waitedMs !== null) reasons.push(reasonOf(source, wait, waitedMs));
      if (clock.health.isStalled) isStalled = true;
    }
    if (!isWaiting) this.#watched.delete(key);
    if (isStalled === watched.isTold) return;
    watched.isTold = isStalled;
    if (isStalled) this.#listener.peerStalled(key, reasons.join('; '));
    else this.#listener.peerRecovered(key);
  }
}

function proceed(clock: Clock | undefined, { mark }: Wait, { timeoutMs }: WaitSource, nowMs: number): Clock {
  if (clock === undefined) {
    const health = new PeerHealth(timeoutMs);
    health.handleWait(nowMs);
    return { health, mark };
  }
  if (clock.mark !== mark) clock.health.handleProgress(nowMs, true);
  clock.mark = mark;
  return clock;
}

function reasonOf({ missing, what }: WaitSource, { messages }: Wait, waitedMs: number): string {
  return `${missing} for ${waitedMs} ms, ${messages} ${what}${messages === 1 ? ' waits' : 's wait'}`;
}
