/** The first bytes of a connection to a listener that takes TLS, in pieces. */

import { type AddressInfo, connect, createServer, type Server } from 'node:net';

import { PREAMBLE } from '../../codecs/tcp/v1/limits.ts';
import { TlsContext } from '../../src/io/tls/context.ts';
import { TlsDoor } from '../../src/io/tls/door.ts';
import { type Logger, RateLimitedLog } from '../../src/protocol/logger.ts';
import { mutualTls } from '../../test/tls/mutual-tls.ts';
import { recordClientHello } from './client-hello.ts';
import { checkLine } from './fuzz-world.ts';
import type { Target } from './targets.ts';

/** More would only take time. */
const MAX_PIECES = 16;

/** After so many inputs a proper ClientHello must be answered as ever. */
const INPUTS_PER_CHECK = 50;

/** With nothing to be heard; the machine may be busy. */
const ANSWER_TIMEOUT_MS = 5_000;

const HOST = '127.0.0.1';
const HANDSHAKE_RECORD = 0x16;

const nothing = (): void => undefined;
const logger: Logger = { debug: nothing, info: nothing, warn: checkLine, error: checkLine };

/**
 * Over loopback: what node makes of a socket that fails in TLS is part of the door's work. An exception in a later turn
 * of the event loop ends the process, which is a failure, too.
 */
export async function tlsDoorTarget(): Promise<Target> {
  const tls = new TlsContext(mutualTls(), logger);
  const clientHello = await recordClientHello();
  let breach: string | null = null;
  const server = await listen(tls, (bytes) => {
    if (bytes[0] === HANDSHAKE_RECORD) breach = 'TLS came through the door as if it were plaintext';
  });
  const { port } = server.address() as AddressInfo;
  server.unref();
  let inputs = 0;
  return {
    name: 'TLS door',
    corpus: corpusOf(clientHello),
    async run(bytes) {
      await converse(port, bytes);
      if (++inputs % INPUTS_PER_CHECK === 0) {
        const answer = await converse(port, clientHello, true);
        if (answer[0] !== HANDSHAKE_RECORD) throw new Error('a proper ClientHello is not answered');
        // one that hung up again
        if (tls.counts.handshakeFailures === 0) throw new Error('no handshake ever fails');
      }
      if (breach !== null) throw new Error(breach);
    },
  };
}

async function listen(tls: TlsContext, onPlaintext: (bytes: Uint8Array) => void): Promise<Server> {
  const door = new TlsDoor(tls, new RateLimitedLog(logger));
  const server = createServer((socket) => {
    socket.on('error', nothing);
    const stream = door.admit(socket, socket.remoteAddress ?? HOST, socket.remotePort ?? 0);
    stream.onData = (bytes) => {
      onPlaintext(bytes);
      stream.onData = nothing; // the first byte tells
    };
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  return server;
}

/** Says it in pieces, as its last byte wants, then hangs up; the first bytes of what came back. */
function converse(port: number, bytes: Uint8Array, awaitsAnswer = false): Promise<Uint8Array> {
  return new Promise((resolve) => {
    let answer: Uint8Array = new Uint8Array(0);
    const socket = connect({ port, host: HOST, noDelay: true });
    const piece = Math.max(1 + ((bytes.at(-1) ?? 0) & 63), Math.ceil(bytes.length / MAX_PIECES));
    let at = 0;
    const say = (): void => {
      if (at >= bytes.length) {
        if (!awaitsAnswer) socket.end();
      } else if (socket.writable) {
        socket.write(bytes.subarray(at, (at += piece)), () => setImmediate(say));
      }
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
    socket.on('connect', say);
    socket.on('data', (data) => {
      if (answer.length === 0) answer = data;
      if (awaitsAnswer) socket.end();
    });
    socket.on('error', nothing); // 'close' follows
    socket.on('close', () => resolve(answer));
  });
}

function corpusOf(clientHello: Buffer): Buffer[] {
  const record = (bytes: Uint8Array): Buffer => {
    return Buffer.concat([Buffer.of(0x16, 3, 1, bytes.length >> 8, bytes.length & 255), bytes]);
  };
  const body = clientHello.subarray(5);
  const bytewise = Buffer.concat([...body].map((byte) => record(Buffer.of(byte))));
  return [
    clientHello,
    Buffer.concat([clientHello, clientHello]),
    // the same handshake message in two records, and in as many as it has bytes
    Buffer.concat([record(body.subarray(0, 100)), record(body.subarray(100))]),
    bytewise,
    clientHello.subarray(0, 1),
    clientHello.subarray(0, 5),
    clientHello.subarray(0, clientHello.length >> 1),
    Buffer.concat([clientHello, Buffer.from('140303000101', 'hex')]),
    Buffer.from('15030300020231', 'hex'),
    Buffer.from('16030300040e000000', 'hex'),
    Buffer.concat([Buffer.from('160301ffff', 'hex'), Buffer.alloc(0xffff, 1)]),
    Buffer.from('802e0103010015', 'hex'),
    Buffer.from([...PREAMBLE, 0, 0, 0, 9, 1, 2, 3]),
  ];
}
