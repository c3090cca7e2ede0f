import type { Environment, Stream, StreamListener, Timer } from '../../src/protocol/environment.ts';
import { createMemberId, type MemberId } from '../../src/protocol/member-id.ts';
import { seededRng } from '../../src/protocol/rng.ts';
import { createView } from '../../src/protocol/view.ts';
import { TcpMessenger } from '../../src/tcp/tcp-messenger.ts';

const nothing = (): void => undefined;

/** One end of a connection; at the other is whoever drives the target. */
export class FuzzStream implements Stream {
  onOpen: () => void = nothing;
  onData: (bytes: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onClose: (error: Error | null) => void = nothing;
  readonly remoteHost = '127.0.0.1';
  readonly remotePort: number;
  isClosing = false;
  #isClosed = false;
  writtenBytes = 0;

  constructor(remotePort: number) {
    this.remotePort = remotePort;
  }

  write(bytes: Uint8Array): boolean {
    this.writtenBytes += bytes.length;
    return true;
  }

  end(): void {
    this.isClosing = true;
  }

  destroy(): void {
    this.isClosing = true;
  }

  /** In pieces of `chunkBytes`, until the messenger hangs up. */
  feed(bytes: Uint8Array, chunkBytes: number): void {
    for (let at = 0; at < bytes.length && !this.isClosing; at += chunkBytes) {
      this.onData(bytes.subarray(at, at + chunkBytes));
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.isClosing = true;
    this.onClose(null);
  }
}

/** A member of the TCP stack in a world without sockets, which goes on only when told to. */
export class FuzzWorld {
  nowMs = 0;
  readonly messenger: TcpMessenger;
  readonly self: MemberId;
  /** Opened by the member; oldest first. */
  readonly opened: FuzzStream[] = [];
  delivered = 0;
  readonly #listener: StreamListener;
  readonly #timers: { deadlineMs: number; run: () => void }[] = [];
  readonly #errors: string[] = [];

  /** @param others are in the view with it */
  constructor(others: readonly MemberId[]) {
    this.self = fuzzMember('door', 1);
    this.#listener = {
      admits: () => true,
      onConnection: nothing,
      connect: (_host, port) => {
        const stream = new FuzzStream(port);
        this.opened.push(stream);
        return stream;
      },
      close: () => Promise.resolve(),
    };
    const { host, port } = this.self;
    const environment = this.#environment();
    const member = { name: 'door', version: 200 };
    this.messenger = new TcpMessenger({ environment, cluster: 'fuzz', host, ports: [port, port], member });
    this.messenger.setDefaultHandler(() => this.delivered++);
    const pair = { host, port, udp: null, tcp: this.#listener };
    // takes the port before it first yields
    this.messenger.start({ pair, memberId: this.self }).catch((error: unknown) => {
      this.#errors.push(String(error));
    });
    this.messenger.installView(createView(1, [this.self, ...others]));
  }

  /** Somebody connects. */
  connect(): FuzzStream {
    const stream = new FuzzStream(50_000);
    this.#listener.onConnection(stream);
    return stream;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const timer of this.#timers) {
      if (timer.deadlineMs > this.nowMs) continue;
      timer.deadlineMs = Infinity;
      timer.run();
    }
  }

  counter(name: string): number {
    return this.messenger.stats().stacks.tcp?.counters[name] ?? 0;
  }

  /** @throws {Error} if the messenger complained of itself */
  check(): void {
    const [error] = this.#errors;
    if (error !== undefined) throw new Error(error);
  }

  #environment(): Environment {
    return {
      nowMs: () => this.nowMs,
      createTimer: (callback) => this.#createTimer(callback),
      rng: seededRng(1),
      logger: {
        debug: nothing,
        info: nothing,
        warn: (message) => {
          checkLine(message);
        },
        error: (message) => void this.#errors.push(message),
      },
      bind: () => Promise.reject(new Error('the port is given')),
    };
  }

  #createTimer(run: () => void): Timer {
    const timer = { deadlineMs: Infinity, run };
    this.#timers.push(timer);
    return {
      set: (deadlineMs) => (timer.deadlineMs = deadlineMs),
      clear: () => (timer.deadlineMs = Infinity),
    };
  }
}

/** What a stranger says must not steer the terminal of whoever reads the log. */
export function checkLine(message: string): void {
  if (/\p{Cc}/u.test(message))
    throw new Error(`a log line with control characters: ${JSON.stringify(message)}`);
}

export function fuzzMember(name: string, digit: number): MemberId {
  const uuid = digit.toString(16).repeat(32);
  return createMemberId({ host: '127.0.0.1', port: 41_000 + digit, uuid, name, version: 200 });
}
