import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';

import type { RateLimitedLog } from '../../protocol/logger.ts';
import { NodeStream } from '../node-stream.ts';
import { type Opening, readOpening, TLS_HANDSHAKE } from './client-hello.ts';
import type { TlsContext } from './context.ts';
import {
  describeSecurity,
  explainAcceptedFailure,
  failInWords,
  isOpenssl,
  NOT_TLS,
  TLS_REFUSED_ALERT,
} from './link.ts';

/**
 * A backstop: whoever takes the streams closes them sooner if nothing comes. What a handshake may make us hold is
 * bounded by OpenSSL: 128 KiB of a ClientHello, 100 KiB of certificates.
 */
const HANDSHAKE_TIMEOUT_MS = 30_000;

/**
 * Tells TLS from plaintext by the first byte that comes in, and shakes hands with the former if what follows can be
 * a ClientHello.
 */
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
    this.#awaitOpening(stream, socket);
    return stream;
  }

  #awaitOpening(stream: NodeStream, socket: Socket): void {
    let opening: Buffer | null = null;
    const handleData = (bytes: Buffer): void => {
      if (socket.destroyed) return;
      // a few bytes at most are waited for, so that this is not done often
      opening = opening === null ? bytes : Buffer.concat([opening, bytes]);
      const isTls = opening[0] === TLS_HANDSHAKE;
      const found: Opening = isTls && this.#server !== null ? readOpening(opening) : 'tls';
      if (found === 'incomplete') return;
      socket.off('data', handleData);
      socket.pause();
      if (!isTls) this.#admitPlain(stream, socket, opening);
      else if (this.#server === null) this.#refuseTls(stream, socket);
      else if (found === 'tls') this.#shakeHands(this.#server, stream, socket, opening);
      else this.#refuseOpening(stream, socket, found.wrong);
    };
    socket.on('data', handleData);
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

  /** Without TLS's own answer, an alert: what makes such things does not read it. */
  #refuseOpening(stream: NodeStream, socket: Socket, wrong: string): void {
    const text = `TLS failed: ${NOT_TLS} (${wrong})`;
    if (this.#tls !== null) this.#tls.counts.handshakeFailures++;
    stream.fail('EPROTO', text);
    this.#log.warn(`handshake ${stream.remoteHost}`, performance.now(), () => {
      return `connection from ${stream.remoteHost}:${stream.remotePort}: ${text}`;
    });
    socket.resetAndDestroy();
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
    const text = `TLS failed: ${explainAcceptedFailure(error)}`;
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
