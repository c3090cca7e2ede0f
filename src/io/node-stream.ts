import type { Socket } from 'node:net';

import type { Stream } from '../protocol/environment.ts';
import { TransportError } from '../protocol/errors.ts';
import type { StreamSecurity } from '../protocol/security.ts';

const nothing = (): void => undefined;

/**
 * Bytes that a socket of ours takes before it says that it is full. A turn's batches leave in one system call, which
 * costs as much as copying half of this; more would only lie there.
 */
export const SOCKET_BUFFER_BYTES = 256 * 1024;

/** `Stream` over a socket of node:net or node:tls. */
export class NodeStream implements Stream {
  onOpen: () => void = nothing;
  onData: (bytes: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onClose: (error: Error | null) => void = nothing;
  /** Of an opened TLS connection, once its handshake is done. */
  security: StreamSecurity | null = null;
  readonly remoteHost: string;
  readonly remotePort: number;
  #socket: Socket;
  #error: Error | null = null;
  /** What was written before it is known whether it goes out by TLS; null: it is known. */
  #held: Uint8Array[] | null = null;
  #endHeld = false;
  #isDestroyed = false;

  /** @param holds until `release`, nothing is read or written */
  constructor(socket: Socket, remoteHost: string, remotePort: number, holds = false) {
    this.#socket = socket;
    this.remoteHost = remoteHost;
    this.remotePort = remotePort;
    if (holds) this.#held = [];
    else this.#read(socket);
    this.#watch(socket);
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

  /** What is written goes out at once, in plaintext; what comes in still waits for `release`. */
  releaseWrites(): void {
    this.#held = null;
  }

  /** @param socket the same, or TLS over it */
  release(socket: Socket, security: StreamSecurity | null): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.security = security;
    if (socket !== this.#socket) {
      this.#socket = socket;
      this.#watch(socket);
    }
    this.#read(socket);
    for (const bytes of held) socket.write(bytes);
    if (this.#endHeld) socket.end();
  }

  /** The first reason is the one that is told. It goes without the address: who is told knows whose stream it is. */
  fail(code: string, message: string, cause?: Error): void {
    this.#error ??= new TransportError(code, message, cause === undefined ? undefined : { cause });
  }

  write(bytes: Uint8Array): boolean {
    // Node would make an error of it; to the caller the stream is closing and onClose says so.
    if (!this.#socket.writable) return false;
    if (this.#held === null) return this.#socket.write(bytes);
    this.#held.push(bytes);
    return true;
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  end(): void {
    if (this.#held === null) this.#socket.end();
    else this.#endHeld = true;
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#socket.destroy();
  }

  #read(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => {
      // destroy() is final for the caller, whatever the socket has read already. Node's own flag takes long to ask for.
      if (!this.#isDestroyed) this.onData(bytes);
    });
  }

  #watch(socket: Socket): void {
    socket.on('drain', () => {
      if (socket === this.#socket) this.onDrain();
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.fail(error.code ?? 'EIO', textOf(error), error),
    );
    // it comes once: `once` would keep 150 bytes to make sure of that
    socket.on('close', () => {
      // with TLS there are two, of which the one that is spoken through counts
      if (socket === this.#socket) this.onClose(this.#error);
    });
  }
}

/** Node's own text of a refused connection has the address in it. */
function textOf({ syscall, code, message }: NodeJS.ErrnoException): string {
  return syscall === undefined || code === undefined ? message : `${syscall} ${code}`;
}
