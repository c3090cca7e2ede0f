import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';

import type { RateLimitedLog } from '../../protocol/logger.ts';
import { NodeStream } from '../node-stream.ts';
import type { TlsContext } from './context.ts';
import { describeSecurity, explainFailure, failInWords, isOpenssl, TLS_REFUSED_ALERT } from './link.ts';

/** First byte of a TLS handshake record (RFC 8446 section 5.1); our own wire starts with 0xf5. */
const TLS_HANDSHAKE = 0x16;

/**
 * A backstop: whoever takes the streams closes them sooner if nothing comes. What a handshake may make us hold is
 * bounded by OpenSSL: 128 KiB of a ClientHello, 100 KiB of certificates.
 */
const HANDSHAKE_TIMEOUT_MS = 30_000;

/** Tells TLS from plaintext by the first byte that comes in, and shakes hands with the former. */
export class TlsDoor {
  readonly #tls: TlsContext | null;
  readonly #log: RateLimitedLog;
  /** Never listens: it is handed connections. Null: TLS is off. */
  readonly #server: Server | null;
  /** Shaking hands, by the addresses of both ends. */
  readonly #shaking = new Map<string, NodeStream>();

  constructor(tls: TlsContext | null, log: RateLimitedLog) {
    this.#tls = tls;
    this.#log = log;
    this.#server = tls === null || tls.mode === 'off' ? null : this.#createServer(tls);
  }

  /** An accepted connection. Nothing of it is read before the caller's turn has ended. */
  admit(socket: Socket, remoteHost: string, remotePort: number): NodeStream {
    const stream = new NodeStream(socket, remoteHost, remotePort, true);
    // with TLS off there is nothing to wait for: whoever is refused at once is told so at once
    const isOff = this.#server === null;
    if (isOff) stream.releaseWrites();
    socket.once('data', (bytes: Buffer) => {
      socket.pause();
      if (socket.destroyed) return;
      if (bytes[0] !== TLS_HANDSHAKE) this.#admitPlain(stream, socket, bytes);
      else if (this.#server === null) this.#refuseTls(stream, socket);
      else this.#shakeHands(this.#server, stream, socket, bytes);
    });
    return stream;
  }

  #admitPlain(stream: NodeStream, socket: Socket, bytes: Buffer): void {
    stream.release(socket, null);
    stream.onData(bytes);
    socket.resume();
  }

  #refuseTls(stream: NodeStream, socket: Socket): void {
    if (this.#tls !== null) this.#tls.counts.refusals++;
    this.#log.warn(`tls off ${stream.remoteHost}`, performance.now(), () => {
      return `refused a connection from ${stream.remoteHost}:${stream.remotePort}: it speaks TLS, which is off here`;
    });
    socket.resume();
    socket.end(TLS_REFUSED_ALERT);
  }

  #shakeHands(server: Server, stream: NodeStream, socket: Socket, bytes: Buffer): void {
    const key = keyOf(socket);
    this.#shaking.set(key, stream);
    socket.once('close', () => {
      if (this.#shaking.get(key) === stream) this.#shaking.delete(key);
    });
    socket.unshift(bytes); // node's TLS takes what was read already
    server.emit('connection', socket);
  }

  #createServer(tls: TlsContext): Server {
    const server = createServer({
      ...tls.serverOptions,
      requestCert: tls.requiresCertificate,
      // who is not accepted is told so, by REJECT: node would hang up without a word
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    tls.onReload = () => server.setSecureContext(tls.serverOptions);
    server.on('secureConnection', (socket) => this.#handleSecured(socket, tls));
    server.on('tlsClientError', (error, socket) => this.#handleFailure(error, socket, tls));
    return server;
  }

  #handleSecured(socket: TLSSocket, tls: TlsContext): void {
    const stream = this.#take(socket);
    if (stream === undefined) {
      socket.destroy(); // closed meanwhile
      return;
    }
    tls.counts.handshakes++;
    socket.disableRenegotiation();
    // before the stream's own listener, which `release` adds: the first reason is the one that is told
    socket.on('error', (error: NodeJS.ErrnoException) => failInWords(stream, error));
    stream.release(socket, describeSecurity(socket, tls.requiresCertificate));
  }

  #handleFailure(error: NodeJS.ErrnoException, socket: TLSSocket, tls: TlsContext): void {
    const stream = this.#take(socket);
    if (stream === undefined) return;
    const text = `TLS failed: ${explainFailure(error)}`;
    tls.counts.handshakeFailures++;
    stream.fail(error.code ?? 'EIO', text, error);
    const nowMs = performance.now();
    this.#log.warn(`handshake ${stream.remoteHost}`, nowMs, () => {
      if (isOpenssl(error)) tls.debug(`connection from ${stream.remoteHost}: ${error.message.trim()}`);
      return `connection from ${stream.remoteHost}:${stream.remotePort}: ${text}`;
    });
  }

  #take(socket: Socket): NodeStream | undefined {
    const key = keyOf(socket);
    const stream = this.#shaking.get(key);
    this.#shaking.delete(key);
    return stream;
  }
}

/** Unique among open connections. Node names no other thing that a TLS socket and the one below have in common. */
function keyOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress ?? ''} ${localPort ?? 0} ${remoteAddress ?? ''} ${remotePort ?? 0}`;
}
