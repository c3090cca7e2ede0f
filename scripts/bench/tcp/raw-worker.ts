/**
 * node:net, or node:tls, and nothing else: what a stack on it could reach at best. Frames are a length and the
 * payload; those of a turn leave in one gathered write (cork). Nothing is acknowledged or kept.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls, createServer as createTlsServer, type TlsOptions } from 'node:tls';

import { CrowdEngine } from '../harness/crowd.ts';
import { type Engine, runWorker, type SendJob, workerArguments } from '../harness/worker.ts';
import { FrameReader, LENGTH_BYTES } from './frame-reader.ts';
import { messagesATurn } from './turn.ts';

class RawEngine implements Engine {
  onMessage: Engine['onMessage'] = () => undefined;
  readonly #uuid: string;
  readonly #tls: TlsOptions | null;
  readonly #server: Server;
  readonly #ports = new Map<string, number>();
  readonly #sockets = new Map<string, Socket>();
  #accepted = 0;

  constructor(uuid: string, tls: TlsOptions | null) {
    this.#uuid = uuid;
    this.#tls = tls;
    const handle = (socket: Socket): void => this.#own(`accepted ${++this.#accepted}`, socket);
    this.#server = tls === null ? createServer({ noDelay: true }, handle) : createTlsServer(tls, handle);
  }

  async start(): Promise<{ uuid: string; port: number }> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return { uuid: this.#uuid, port: (this.#server.address() as AddressInfo).port };
  }

  /** Who comes later in the view is connected to. */
  async installView(_id: number, members: readonly string[]): Promise<void> {
    for (const text of members) {
      const [, port, , uuid = ''] = text.split(':');
      this.#ports.set(uuid, Number(port));
    }
    const isFirst = members[0]?.endsWith(`:${this.#uuid}`) === true;
    if (!isFirst) return;
    for (const uuid of this.#ports.keys()) if (uuid !== this.#uuid) await this.#connect(uuid);
  }

  async send({ count, payloads, to }: SendJob): Promise<void> {
    const sockets = to.map((uuid) => this.#find(uuid));
    const aTurn = messagesATurn(payloads[0]?.length ?? 1);
    for (let sent = 0; sent < count;) {
      const end = Math.min(count, sent + aTurn);
      for (const socket of sockets) {
        socket.cork();
        for (let i = sent; i < end; i++) writeFrame(socket, payloads[i % payloads.length] as Buffer);
        socket.uncork();
      }
      sent = end;
      let waited = false;
      for (const socket of sockets) {
        if (!socket.writableNeedDrain) continue;
        waited = true;
        await once(socket, 'drain');
      }
      if (!waited) await setImmediate();
    }
  }

  sendOne(payload: Buffer, to: string): void {
    const socket = this.#find(to);
    socket.cork();
    writeFrame(socket, payload);
    socket.uncork();
  }

  drain(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async #connect(uuid: string): Promise<void> {
    const [host, port] = ['127.0.0.1', this.#ports.get(uuid) ?? 0];
    if (this.#tls === null) {
      const socket = connect({ host, port, noDelay: true });
      await once(socket, 'connect');
      this.#own(uuid, socket);
      return;
    }
    const { cert, key, ca } = this.#tls;
    // certificates of a benchmark name no host
    const socket = connectTls({ host, port, cert, key, ca, checkServerIdentity: () => undefined });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    this.#own(uuid, socket);
  }

  #own(name: string, socket: Socket): void {
    const reader = new FrameReader((payload) => this.onMessage(payload, name));
    this.#sockets.set(name, socket);
    socket.on('data', (bytes: Buffer) => reader.push(bytes));
    socket.on('error', () => this.#sockets.delete(name)); // the other side was killed: its end of the benchmark
  }

  #find(name: string): Socket {
    const socket = this.#sockets.get(name);
    if (socket === undefined) throw new Error(`no connection to ${name}`);
    return socket;
  }
}

function writeFrame(socket: Socket, payload: Buffer): void {
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32BE(payload.length, 0);
  socket.write(length);
  socket.write(payload);
}

function tlsOptions(text: string): TlsOptions {
  const files = JSON.parse(text) as { key: string; cert: string; ca: string };
  return {
    key: readFileSync(files.key),
    cert: readFileSync(files.cert),
    ca: readFileSync(files.ca),
    requestCert: true,
    minVersion: 'TLSv1.3',
  };
}

const args = workerArguments();
const tls = args.get('tls');
const firstUuid = BigInt(`0x${args.get('uuid') ?? '1'}`);
const engines = Array.from({ length: Number(args.get('members') ?? 1) }, (_, i) => {
  const uuid = (firstUuid + BigInt(i)).toString(16).padStart(32, '0');
  return new RawEngine(uuid, tls === undefined ? null : tlsOptions(tls));
});
await runWorker(engines.length === 1 ? (engines[0] as RawEngine) : new CrowdEngine(engines));
