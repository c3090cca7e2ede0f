import { connect, createServer, isIP, type Server, type Socket } from 'node:net';

import type { Stream, StreamListener } from '../protocol/environment.ts';
import { TransportError } from '../protocol/errors.ts';
import { RateLimitedLog, type Logger } from '../protocol/logger.ts';

/** Connections that the kernel completes before we accept them: a whole cluster may reconnect at once. */
const BACKLOG = 511;

const nothing = (): void => undefined;

/** `Stream` over a node:net socket. */
export class NodeStream implements Stream {
  onOpen: () => void = nothing;
  onData: (bytes: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onClose: (error: Error | null) => void = nothing;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly #socket: Socket;
  #error: Error | null = null;

  constructor(socket: Socket, remoteHost: string, remotePort: number) {
    this.#socket = socket;
    this.remoteHost = remoteHost;
    this.remotePort = remotePort;
    socket.on('connect', () => this.onOpen());
    socket.on('data', (bytes: Buffer) => {
      // destroy() is final for the caller, whatever the socket has read already.
      if (!socket.destroyed) this.onData(bytes);
    });
    socket.on('drain', () => this.onDrain());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'EIO';
      this.#error ??= new TransportError(code, `${remoteHost}:${remotePort}: ${error.message}`, {
        cause: error,
      });
    });
    socket.once('close', () => this.onClose(this.#error));
  }

  /** Our end: '' and 0 before it is open and after it is closed. */
  get localHost(): string {
    return this.#socket.localAddress ?? '';
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** False once it is closing: what is written is not taken. */
  get writable(): boolean {
    return this.#socket.writable;
  }

  write(bytes: Uint8Array): boolean {
    // Node would make an error of it; to the caller the stream is closing and onClose says so.
    if (!this.#socket.writable) return false;
    return this.#socket.write(bytes);
  }

  writeBoth(head: Uint8Array, body: Uint8Array): boolean {
    this.#socket.cork();
    this.write(head);
    const hasRoom = this.write(body);
    this.#socket.uncork();
    return hasRoom;
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

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
  onConnection: (stream: Stream) => void = (stream) => stream.destroy();
  /** What callers get in the place of a stream: for those who listen in. */
  decorate: (stream: NodeStream, accepted: boolean) => Stream = (stream) => stream;
  readonly #server: Server;
  readonly #host: string;
  readonly #open = new Set<Socket>();
  readonly #log: RateLimitedLog;
  #closing: Promise<void> | null = null;

  private constructor(server: Server, host: string, logger: Logger) {
    this.#server = server;
    this.#host = host;
    this.#log = new RateLimitedLog(logger);
    server.on('connection', (socket) => this.#handleConnection(socket));
    server.on('error', (error) => {
      this.#log.warn('accept', performance.now(), () => `accepting a TCP connection: ${error.message}`);
    });
  }

  /** Rejects with node's error if the port cannot be bound. */
  static bind(host: string, port: number, logger: Logger): Promise<NodeStreamListener> {
    const server = createServer({ noDelay: true });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: BACKLOG, exclusive: true, ipv6Only: isIP(host) === 6 }, () => {
        server.off('error', reject);
        resolve(new NodeStreamListener(server, host, logger));
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  connect(host: string, port: number): Stream {
    const refusal = this.#refusal(host, port);
    if (refusal !== null) return new FailedStream(host, port, refusal);
    // The same source address as our datagrams have: on a host with several, peers see one member. A wildcard is
    // no address to come from.
    const wildcard = this.#host === '0.0.0.0' || this.#host === '::';
    const socket = connect({ host, port, noDelay: true, ...(wildcard ? {} : { localAddress: this.#host }) });
    this.#own(socket);
    return this.decorate(new NodeStream(socket, host, port), false);
  }

  close(): Promise<void> {
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
    this.#own(socket);
    this.onConnection(this.decorate(new NodeStream(socket, remoteAddress, remotePort), true));
  }

  #own(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }
}
