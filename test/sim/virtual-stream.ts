import type { Stream, StreamListener } from '../../src/protocol/environment.ts';
import { TransportError } from '../../src/protocol/errors.ts';
import type { Death, Resource, VirtualEnvironment } from './virtual-environment.ts';
import type { VirtualNetwork } from './virtual-network.ts';
import { Pipe } from './virtual-pipe.ts';

/** SYNs are repeated so often, and for so long, before the system gives up. */
const CONNECT_RETRY_MS = 200;
const CONNECT_TIMEOUT_MS = 20_000;

/** The end that is not the reset's cause may learn of it later: it is half-open until then. */
const MAX_RESET_SKEW_MS = 300;

const nothing = (): void => undefined;

/** One end of a connection. */
export class VirtualStream implements Stream {
  onOpen: () => void = nothing;
  onData: (bytes: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onClose: (error: Error | null) => void = nothing;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly localHost: string;
  readonly environment: VirtualEnvironment;
  readonly out: Pipe;
  /** The other end; null until the connection reached it. */
  peer: VirtualStream | null = null;
  isOpen = false;
  /** No callback but `onClose` from here on. */
  isClosed = false;
  readonly #network: VirtualNetwork;
  readonly #listener: VirtualStreamListener;
  #ended = false;

  constructor(
    network: VirtualNetwork,
    listener: VirtualStreamListener,
    localHost: string,
    remote: { host: string; port: number },
  ) {
    this.#network = network;
    this.#listener = listener;
    this.environment = listener.environment;
    this.localHost = localHost;
    this.remoteHost = remote.host;
    this.remotePort = remote.port;
    this.out = new Pipe(network, this);
    listener.streams.add(this);
  }

  write(bytes: Uint8Array): boolean {
    if (this.isClosed || this.#ended) return false;
    return this.out.push(bytes);
  }

  end(): void {
    if (this.isClosed || this.#ended) return;
    this.#ended = true;
    this.out.finish(null);
  }

  /** What was written may arrive in part; the other end sees an end or a reset in the middle of it. */
  destroy(): void {
    if (this.isClosed) return;
    this.#forget();
    this.out.truncate();
    this.out.finish(this.#network.chance(0.5) ? resetError(this) : null);
    this.peer?.out.cut();
    this.#network.clock.after(0, () => this.environment.post(() => this.onClose(null)));
  }

  /** The three-way handshake is through. */
  open(): void {
    this.isOpen = true;
    this.out.start();
  }

  /** The other end has sent all it had, and then an end, or a reset. */
  handleEnd(error: Error | null): void {
    if (this.isClosed) return;
    if (error === null) {
      // allowHalfOpen is off: what we still have to say is said, and our end follows (environment.ts).
      if (!this.#ended) this.out.finish(null);
    } else {
      this.out.cut();
    }
    this.fail(error);
  }

  /** Closes this end, in its process' own turn. */
  fail(error: Error | null): void {
    if (this.isClosed) return;
    this.#forget();
    this.environment.post(() => this.onClose(error));
  }

  /** Somebody between the ends, or one end's system, resets the connection: what is under way is lost. */
  reset(): void {
    if (this.isClosed && this.peer?.isClosed !== false) return;
    this.#network.counters.resets++;
    for (const end of [this, this.peer]) {
      if (end === null) continue;
      end.out.cut();
      const skewMs = this.#network.chance(0.3) ? this.#network.rng.next() * MAX_RESET_SKEW_MS : 0;
      this.#network.clock.after(this.#network.latencyMs() + skewMs, () => {
        end.environment.post(() => end.fail(resetError(end)));
      });
    }
  }

  /** This end is reset, and the other one not. */
  loseConnection(): void {
    this.environment.post(() => this.fail(resetError(this)));
  }

  /** Its process died. */
  die(death: Death): void {
    if (this.isClosed) return;
    this.#forget();
    if (death === 'silent') {
      this.out.cut();
    } else {
      this.out.truncate();
      this.out.finish(resetError(this));
    }
    // The other end's bytes go nowhere; after a silent death its system repeats them until somebody answers.
    this.peer?.out.losePeer(death);
  }

  #forget(): void {
    this.isClosed = true;
    this.#listener.streams.delete(this);
  }
}

function resetError(stream: VirtualStream): TransportError {
  return new TransportError(
    'ECONNRESET',
    `${stream.remoteHost}:${stream.remotePort}: reset by the simulator`,
  );
}

/** The TCP half of a port. */
export class VirtualStreamListener implements StreamListener, Resource {
  admits: (host: string) => boolean = () => true;
  onConnection: (stream: Stream) => void = (stream) => stream.destroy();
  readonly host: string;
  readonly port: number;
  readonly environment: VirtualEnvironment;
  /** Open ones of both directions. */
  readonly streams = new Set<VirtualStream>();
  readonly #network: VirtualNetwork;
  #closed = false;

  constructor(network: VirtualNetwork, environment: VirtualEnvironment, host: string, port: number) {
    this.#network = network;
    this.environment = environment;
    this.host = host;
    this.port = port;
  }

  connect(host: string, port: number): Stream {
    const stream = new VirtualStream(this.#network, this, this.host, { host, port });
    const startedMs = this.#network.clock.nowMs;
    if (this.#closed) this.#network.clock.after(0, () => stream.fail(failure('ECANCELED', host, port)));
    else this.#network.clock.after(this.#network.latencyMs(), () => this.#tryConnect(stream, startedMs));
    return stream;
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.environment.resources.delete(this);
      for (const stream of [...this.streams]) stream.destroy();
      this.#network.release(this);
    }
    return Promise.resolve();
  }

  die(death: Death): void {
    this.#closed = true;
    this.#network.release(this, death);
    for (const stream of [...this.streams]) stream.die(death);
  }

  resetSome(fraction: number): void {
    for (const stream of [...this.streams]) if (this.#network.chance(fraction)) stream.reset();
  }

  #tryConnect(stream: VirtualStream, startedMs: number): void {
    if (stream.isClosed) return;
    const network = this.#network;
    const { remoteHost: host, remotePort: port } = stream;
    const blocked = network.isBlocked(this.host, host) || network.isBlocked(host, this.host);
    if (blocked || network.isHostDead(host)) {
      if (network.clock.nowMs - startedMs > CONNECT_TIMEOUT_MS) {
        stream.fail(failure('ETIMEDOUT', host, port));
      } else {
        network.clock.after(CONNECT_RETRY_MS, () => this.#tryConnect(stream, startedMs));
      }
      return;
    }
    const listener = network.listeners.get(`${host}:${port}`);
    if (listener === undefined || network.chance(network.faults.refuse)) {
      network.counters.refused++;
      network.clock.after(network.latencyMs(), () => stream.fail(failure('ECONNREFUSED', host, port)));
      return;
    }
    network.counters.connections++;
    listener.accept(stream);
  }

  /** @param client the other end, which learns of it one latency later */
  accept(client: VirtualStream): void {
    const network = this.#network;
    const remote = { host: client.localHost, port: network.anyPort() };
    const server = new VirtualStream(network, this, this.host, remote);
    server.peer = client;
    client.peer = server;
    const isMute = network.chance(network.faults.mute);
    client.out.plan(network.drawCut(isMute));
    server.out.plan(network.drawCut(isMute));
    this.environment.post(() => {
      if (this.#closed || server.isClosed) return;
      if (this.admits(remote.host)) this.onConnection(server);
      else server.reset();
    });
    server.open();
    network.clock.after(network.latencyMs(), () => {
      if (client.isClosed) return;
      client.open();
      client.environment.post(() => {
        if (!client.isClosed) client.onOpen();
      });
    });
  }
}

function failure(code: string, host: string, port: number): TransportError {
  return new TransportError(code, `${host}:${port}: ${code} by the simulator`);
}
