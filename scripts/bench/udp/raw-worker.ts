/**
 * node:dgram and nothing else: what a stack on it could reach at best. A receiver acknowledges every 32 datagrams, a
 * sender has 64 on their way: fewer waste its time, more overrun buffers.
 */

import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';

import { type Engine, runWorker, type SendJob, workerArguments } from '../harness/worker.ts';

const WINDOW = 64;
const ACK_EVERY = 32;
/** As the product's default and the JVM's here. */
const SEND_BUFFER_BYTES = 1_048_576;
/** Shorter than any message of a benchmark. */
const ACK_BYTES = 4;

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

class RawEngine implements Engine {
  onMessage: (payload: Uint8Array, from: string) => void = () => undefined;
  readonly #uuid: string;
  readonly #socket;
  readonly #members = new Map<string, Endpoint>();
  readonly #uuids = new Map<number, string>();
  #received = 0;
  #sent = 0;
  #acked = 0;
  #pump: () => void = () => undefined;

  constructor(uuid: string, receiveBufferBytes: number) {
    this.#uuid = uuid;
    this.#socket = createSocket({
      type: 'udp4',
      recvBufferSize: receiveBufferBytes,
      sendBufferSize: SEND_BUFFER_BYTES,
      // hosts are literals: without it each datagram waits for a look-up
      lookup: (host, _options, callback) => callback(null, host, isIPv4(host) ? 4 : 6),
    });
    this.#socket.on('message', (bytes, from) => {
      if (bytes.length === ACK_BYTES) {
        this.#acked = bytes.readUInt32BE(0);
        this.#pump();
        return;
      }
      this.onMessage(bytes, this.#uuids.get(from.port) ?? '');
      if (++this.#received % ACK_EVERY !== 0) return;
      const ack = Buffer.allocUnsafe(ACK_BYTES);
      ack.writeUInt32BE(this.#received, 0);
      this.#socket.send(ack, from.port, from.address);
    });
  }

  start(): Promise<{ uuid: string; port: number }> {
    return new Promise((resolve) =>
      this.#socket.bind(0, '127.0.0.1', () =>
        resolve({ uuid: this.#uuid, port: this.#socket.address().port }),
      ),
    );
  }

  installView(_id: number, members: readonly string[]): void {
    for (const text of members) {
      const [host = '', port, , uuid = ''] = text.split(':');
      this.#members.set(uuid, { host, port: Number(port) });
      this.#uuids.set(Number(port), uuid);
    }
  }

  send({ count, payloads, to }: SendJob): Promise<void> {
    const { host, port } = this.#find(to[0] ?? '');
    const last = this.#sent + count;
    const first = this.#sent;
    return new Promise((resolve) => {
      this.#pump = () => {
        while (this.#sent < last && this.#sent - this.#acked < WINDOW) {
          this.#socket.send(payloads[(this.#sent - first) % payloads.length] as Buffer, port, host, ignore);
          this.#sent++;
        }
        if (this.#sent === last) resolve();
      };
      this.#pump();
    });
  }

  sendOne(payload: Buffer, to: string): void {
    const { host, port } = this.#find(to);
    this.#sent++; // its recipient counts it, too
    this.#socket.send(payload, port, host, ignore);
  }

  drain(): Promise<boolean> {
    return Promise.resolve(true);
  }

  #find(uuid: string): Endpoint {
    const member = this.#members.get(uuid);
    if (member === undefined) throw new Error(`no member ${uuid} in the view`);
    return member;
  }
}

/** As the stack does: a callback takes the errors, which are none of a benchmark's business. */
function ignore(): void {
  // nothing
}

const args = workerArguments();
await runWorker(new RawEngine(args.get('uuid') ?? '', Number(args.get('receiveBufferBytes') ?? 1_048_576)));
