/** What the peers say of themselves while a scenario runs: the truth.jsonl to be, and what can be waited for. */

/** A line of truth.jsonl (compat-fixtures/README.md). */
export interface TruthEvent {
  /** Milliseconds since the epoch. */
  readonly t: number;
  readonly peer: string;
  readonly ev: string;
  readonly [field: string]: string | number;
}

/** A scenario did not run as its script says. */
export class RecordingError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RecordingError';
  }
}

interface Waiter {
  readonly holds: () => boolean;
  readonly settle: (error?: Error) => void;
}

export class TruthLog {
  readonly #events: TruthEvent[] = [];
  /** Recipient, sender, length and digest to how many are still to be delivered; below 0: too many were. */
  readonly #owed = new Map<string, number>();
  /** Members of the last view by peer. */
  readonly #views = new Map<string, readonly string[]>();
  readonly #gone = new Set<string>();
  readonly #waiters = new Set<Waiter>();
  #failure: Error | null = null;

  add(event: TruthEvent): void {
    this.#events.push(event);
    if (event.ev === 'send') this.#noteSend(event);
    if (event.ev === 'deliver') this.#owe(event.peer, String(event['src']), event, -1);
    if (event.ev === 'view') this.#views.set(event.peer, membersOf(String(event['members'])));
    if (event.ev === 'leave' || event.ev === 'killed-9') this.#gone.add(event.peer);
    this.wake();
  }

  /** @returns one JSON object a line, in the order of time */
  toText(): string {
    const sorted = [...this.#events].sort((a, b) => a.t - b.t);
    return sorted.map((event) => `${JSON.stringify(event)}\n`).join('');
  }

  count(name: string): number {
    return this.#events.filter((event) => event.ev === name).length;
  }

  /** Messages that living members were sent and have not delivered, in words. */
  undelivered(): string[] {
    return [...this.#owed]
      .filter(([key, count]) => count > 0 && !this.#gone.has(recipientOf(key)))
      .map(inWords);
  }

  /** Messages that were delivered more often than sent, in words. */
  unasked(): string[] {
    return [...this.#owed].filter(([, count]) => count < 0).map(inWords);
  }

  /** Whether each of these peers that has not left has a view of so many members. */
  haveViewOf(members: number, peers: Iterable<string>): boolean {
    return [...peers].every((peer) => this.#gone.has(peer) || this.#views.get(peer)?.length === members);
  }

  /** @throws {RecordingError} `what` did not happen in time, or what `signal` was aborted with */
  until(what: string, holds: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.#waiters.delete(waiter);
        if (error === undefined) resolve();
        else reject(error);
      };
      const waiter: Waiter = { holds, settle };
      const abort = (): void => settle(new RecordingError('interrupted', { cause: signal.reason }));
      const timer = setTimeout(
        () => settle(new RecordingError(`waited ${timeoutMs / 1000} s for ${what}`)),
        timeoutMs,
      );
      this.#waiters.add(waiter);
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
      else if (this.#failure !== null) settle(this.#failure);
      else this.wake();
    });
  }

  /** Something else changed that may be waited for. */
  wake(): void {
    for (const waiter of this.#waiters) if (waiter.holds()) waiter.settle();
  }

  /** All waits end with it, those to come as well. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const waiter of this.#waiters) waiter.settle(error);
  }

  #noteSend(event: TruthEvent): void {
    const dest = String(event['dest']);
    if (dest !== 'ALL') {
      this.#owe(dest, event.peer, event, 1);
      return;
    }
    for (const member of this.#views.get(event.peer) ?? []) {
      // Geode's own copy does not come back (DONT_LOOPBACK); other stacks' does, and nobody need wait for it.
      if (member !== event.peer) this.#owe(member, event.peer, event, 1);
    }
  }

  #owe(recipient: string, sender: string, event: TruthEvent, change: number): void {
    if (recipient === sender && event['dest'] === 'ALL') return;
    const key = [recipient, sender, event['len'], event['sha']].join(' ');
    this.#owed.set(key, (this.#owed.get(key) ?? 0) + change);
  }
}

/** `0:0,1:1` of Geode's stack, `A/uuid B/uuid` of the others. */
function membersOf(text: string): string[] {
  return text.includes('/')
    ? text.split(' ').map((member) => member.slice(0, member.indexOf('/')))
    : text.split(',').map((member) => `p${member.slice(0, member.indexOf(':'))}`);
}

function recipientOf(key: string): string {
  return key.slice(0, key.indexOf(' '));
}

function inWords([key, count]: [string, number]): string {
  const [recipient, sender, len] = key.split(' ');
  return `${Math.abs(count)} of ${len ?? ''} bytes from ${sender ?? ''} to ${recipient ?? ''}`;
}
