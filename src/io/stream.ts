import { createServer, isIP, type Server, type Socket } from 'node:net';

import type { Stream, StreamListener } from '../protocol/environment.ts';
import { TransportError } from '../protocol/errors.ts';
import { RateLimitedLog, type Logger } from '../protocol/logger.ts';
import type { NodeStream } from './node-stream.ts';
import type { TlsContext } from './tls/context.ts';
import { ReloadTrigger } from './tls/reload-trigger.ts';
import { TlsDialer } from './tls/dialer.ts';
import { TlsDoor } from './tls/door.ts';

/** Connections that the kernel completes before we accept them: a whole cluster may reconnect at once. */
const BACKLOG = 511;

const nothing = (): void => undefined;

/** A connection that cannot even be tried: fails in the next turn, as one that the peer refuses does. */
class FailedStream implements Stream {
  onOpen: () => void = nothing;
  onData: (bytes: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onClose: (error: Error | null) => void = nothing;
  readonly remoteHost: string;
  readonly remotePort: number;

  constructor(remoteHost: string, remotePort: number, error: Error) {
    this.remoteHost = remoteHost;
    this.remotePort = remotePort;
    setImmediate(() => this.onClose(error));
  }

  write(): boolean {
    return false;
  }

  end(): void {
    // Nothing is open.
  }

  destroy(): void {
    // Nothing is open.
  }
}

/** `StreamListener` over a node:net server; owns the streams of both directions. */
export class NodeStreamListener implements StreamListener {
  admits: (host: string) => boolean = () => true;
  onConnection: (stream: Stream) => void = (stream) => stream.destroy();
  /** What callers get in the place of a stream: for those who listen in. */
  decorate: (stream: NodeStream, accepted: boolean) => Stream = (stream) => stream;
  readonly #server: Server;
  readonly #host: string;
  readonly #open = new Set<Socket>();
  readonly #log: RateLimitedLog;
  readonly #door: TlsDoor;
  readonly #dialer: TlsDialer;
  /** Null: there are no certificates. */
  readonly #reload: ReloadTrigger | null;
  #closing: Promise<void> | null = null;

  private constructor(server: Server, host: string, logger: Logger, tls: TlsContext | null) {
    this.#server = server;
    this.#host = host;
    this.#log = new RateLimitedLog(logger);
    this.#door = new TlsDoor(tls, this.#log);
    this.#dialer = new TlsDialer(tls, this.#log);
    this.#reload = tls === null || tls.mode === 'off' ? null : new ReloadTrigger(tls, logger);
    server.on('connection', (socket) => this.#handleConnection(socket));
    server.on('error', (error) => {
      this.#log.warn('accept', performance.now(), () => `accepting a TCP connection: ${error.message}`);
    });
  }

  /**
   * Rejects with node's error if the port cannot be bound.
   * @param tls null: plaintext only
   */
  static bind(
    host: string,
    port: number,
    logger: Logger,
    tls: TlsContext | null = null,
  ): Promise<NodeStreamListener> {
    const server = createServer({ noDelay: true });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: BACKLOG, exclusive: true, ipv6Only: isIP(host) === 6 }, () => {
        server.off('error', reject);
        resolve(new NodeStreamListener(server, host, logger, tls));
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  connect(host: string, port: number, peer = `${host}:${port}`): Stream {
    const refusal = this.#refusal(host, port);
    if (refusal !== null) return new FailedStream(host, port, refusal);
    // The same source address as our datagrams have: on a host with several, peers see one member. A wildcard is
    // no address to come from.
    const wildcard = this.#host === '0.0.0.0' || this.#host === '::';
    const where = { host, port, ...(wildcard ? {} : { localAddress: this.#host }) };
    const [stream, socket] = this.#dialer.connect(where, peer);
    this.#own(socket);
    return this.decorate(stream, false);
  }

  close(): Promise<void> {
    this.#reload?.close();
    this.#closing ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#open) socket.destroy();
    });
    return this.#closing;
  }

  #refusal(host: string, port: number): Error | null {
    if (this.#closing !== null) return new TransportError('ECANCELED', 'the listener is closed');
    if (isIP(host) === 0) return new TransportError('EINVAL', `'${host}' is no IP address`);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      return new TransportError('EINVAL', `${host}: ${port} is no port to connect to`);
    }
    return null;
  }

  #handleConnection(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    // Gone between the kernel's accept and ours.
    if (remoteAddress === undefined || remotePort === undefined || this.#closing !== null) {
      socket.on('error', nothing);
      socket.destroy();
      return;
    }
    if (!this.admits(remoteAddress)) {
      socket.on('error', nothing);
      socket.resetAndDestroy();
      return;
    }
    this.#own(socket);
    this.onConnection(this.decorate(this.#door.admit(socket, remoteAddress, remotePort), true));
  }

  #own(socket: Socket): void {
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
  }
}
