import { connect as connectPlain, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';

import type { RateLimitedLog } from '../../protocol/logger.ts';
import { NodeStream, SOCKET_BUFFER_BYTES } from '../node-stream.ts';
import type { TlsContext } from './context.ts';
import { describeSecurity, explainFailure, failInWords, isOpenssl, isTlsRefusal } from './link.ts';
import { PeerMemory, PLAINTEXT_RETRY_MS } from './peer-memory.ts';

/** An option of all sockets, of which node's types do not know (`stream.Duplex`). */
const ROOM: object = { highWaterMark: SOCKET_BUFFER_BYTES };

export interface Destination {
  /** IP literal. */
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
}

/** Opens connections: in plaintext, by TLS, or by what the other side takes. */
export class TlsDialer {
  readonly #tls: TlsContext | null;
  readonly #log: RateLimitedLog;
  readonly #memory = new PeerMemory();

  constructor(tls: TlsContext | null, log: RateLimitedLog) {
    this.#tls = tls;
    this.#log = log;
  }

  /** @param peer who is believed to be there; a member that is started anew is another one */
  connect(where: Destination, peer: string): [NodeStream, Socket] {
    const tls = this.#tls;
    if (tls === null || tls.mode === 'off') return openPlain(where);
    if (tls.mode === 'accept-both' && this.#memory.takesPlaintext(peer, performance.now()))
      return openPlain(where);
    return this.#openTls(where, peer, tls);
  }

  #openTls(where: Destination, peer: string, tls: TlsContext): [NodeStream, Socket] {
    const { host, port } = where;
    const socket = connectTls({
      ...where,
      ...ROOM,
      secureContext: tls.secureContext,
      rejectUnauthorized: tls.checksCertificates,
      // no `servername`: there is none for IP addresses, and members have no others
      checkServerIdentity: (_name, certificate) =>
        tls.options.endpointIdentification === true ? checkServerIdentity(host, certificate) : undefined,
    });
    let isDone = false;
    const stream = new NodeStream(socket, host, port, true);
    socket.once('connect', () => socket.setNoDelay(true));
    socket.once('secureConnect', () => {
      isDone = true;
      tls.counts.handshakes++;
      this.#memory.handleSecured(peer);
      socket.disableRenegotiation();
      stream.release(socket, describeSecurity(socket, tls.checksCertificates));
      stream.onOpen();
    });
    // before the stream's own listener, for the first reason is the one that is told
    socket.prependListener('error', (error: NodeJS.ErrnoException) => {
      if (isDone) failInWords(stream, error);
      if (isDone || isConnectError(socket, error)) return;
      isDone = true;
      tls.counts.handshakeFailures++;
      stream.fail(error.code ?? 'EIO', this.#explain(error, peer, tls), error);
    });
    return [stream, socket];
  }

  #explain(error: NodeJS.ErrnoException, peer: string, tls: TlsContext): string {
    const text = `TLS failed: ${explainFailure(error)}`;
    if (isOpenssl(error)) tls.debug(`connection to ${peer}: ${error.message.trim()}`);
    if (!isTlsRefusal(error)) return text;
    tls.counts.refusals++;
    if (tls.mode !== 'accept-both') return text;
    const nowMs = performance.now();
    if (this.#memory.handleRefused(peer, nowMs))
      return `${text}; tls is accept-both here, so that plaintext is next, for ${PLAINTEXT_RETRY_MS / 1000} s`;
    this.#log.warn(`downgrade ${peer}`, nowMs, () => {
      return `${peer} took TLS before and now refuses it: is somebody in between? It is not spoken to in plaintext`;
    });
    return text;
  }
}

function openPlain(where: Destination): [NodeStream, Socket] {
  const socket = connectPlain({ ...where, ...ROOM, noDelay: true });
  const stream = new NodeStream(socket, where.host, where.port);
  socket.once('connect', () => stream.onOpen());
  return [stream, socket];
}

/** Nobody was there to shake hands with. */
function isConnectError(socket: TLSSocket, error: NodeJS.ErrnoException): boolean {
  return socket.connecting || error.syscall === 'connect' || error.syscall === 'bind';
}
