import type { EventOf, JvmPeerEvent } from './events.ts';
import { parseEvent } from './events.ts';
import type { ExitInfo, JvmProcess } from './jvm-process.ts';

/** What failed at a Java peer, with the last lines that it wrote on standard error. */
export class JvmPeerError extends Error {
  constructor(message: string, stderr: readonly string[] = []) {
    super(stderr.length === 0 ? message : `${message}\n  ${stderr.slice(-10).join('\n  ')}`);
    this.name = 'JvmPeerError';
  }
}

interface Waiter {
  readonly command: string;
  readonly accepts: (event: JvmPeerEvent) => boolean;
  readonly resolve: (event: JvmPeerEvent) => void;
  readonly reject: (error: Error) => void;
}

/** Matches what is asked with what is answered. */
export class Conversation {
  readonly #process: JvmProcess;
  readonly #waiters = new Set<Waiter>();
  #exit: ExitInfo | null = null;

  constructor(jvm: JvmProcess, onEvent: ((event: JvmPeerEvent) => void) | undefined) {
    this.#process = jvm;
    jvm.onLine = (line) => {
      const event = parseEvent(line);
      if (event === null) return;
      this.#settle(event);
      onEvent?.(event);
    };
    void jvm.exited.then((exit) => {
      this.#exit = exit;
      for (const waiter of this.#waiters) waiter.reject(gone(waiter.command, exit));
      this.#waiters.clear();
    });
  }

  /** @param timeoutMs null: for as long as the JVM lives */
  expect<Name extends JvmPeerEvent['ev']>(
    name: Name,
    command: string,
    accepts: (event: EventOf<Name>) => boolean,
    timeoutMs: number | null,
  ): Promise<EventOf<Name>> {
    if (this.#exit !== null) return Promise.reject(gone(command, this.#exit));
    const named = (event: JvmPeerEvent): event is EventOf<Name> => event.ev === name;
    return new Promise((resolve, reject) => {
      const expire = (): void => {
        this.#waiters.delete(waiter);
        reject(
          new JvmPeerError(`'${command}' had no answer for ${String(timeoutMs)} ms`, this.#process.stderr),
        );
      };
      const timer = timeoutMs === null ? undefined : setTimeout(expire, timeoutMs);
      const waiter: Waiter = {
        command,
        accepts: (event) => named(event) && accepts(event),
        resolve: (event) => {
          clearTimeout(timer);
          if (named(event)) resolve(event);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** Answers come in the order of the commands: the first that fits is meant. */
  #settle(event: JvmPeerEvent): void {
    for (const waiter of this.#waiters) {
      if (waiter.accepts(event)) {
        this.#waiters.delete(waiter);
        waiter.resolve(event);
        return;
      }
      if (event.ev === 'error' && event.command === waiter.command) {
        this.#waiters.delete(waiter);
        waiter.reject(new JvmPeerError(`'${event.command}' failed: ${event.message}`));
        return;
      }
    }
  }
}

function gone(command: string, exit: ExitInfo): JvmPeerError {
  return new JvmPeerError(`'${command}' has no answer: the peer ${describeExit(exit)}`, exit.stderr);
}

export function describeExit(exit: ExitInfo): string {
  if (exit.signal !== null) return `was ended by ${exit.signal}`;
  return exit.code === null ? 'could not be started' : `ended with code ${exit.code}`;
}
