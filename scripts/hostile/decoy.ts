/**
 * Somebody else to attack, who serves nothing: what the pair is slowed by meanwhile is the clients' own work and the
 * kernel's, on this machine, and not the victim's.
 */
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

import type { TlsOptions } from '../../src/security/options.ts';
import { answer } from './processes.ts';

const HOST = '127.0.0.1';

/** It hangs up when somebody speaks, as a victim that refuses everything would, or after the time of a handshake. */
const TIMEOUT_MS = 5_000;

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, HOST, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

let plain: Server | null = null;
let secure: Server | null = null;

answer({
  /** @returns its ports: for clients without TLS, and for those that shake hands */
  start(tls: TlsOptions | null): Promise<[number, number]> {
    plain = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.destroy());
      socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    });
    const { key, cert } = tls ?? {};
    secure = createTlsServer(key === undefined || cert === undefined ? {} : { key, cert }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.destroy());
    });
    return Promise.all([listen(plain), listen(secure)]);
  },
  stop() {
    plain?.close();
    secure?.close();
  },
});
