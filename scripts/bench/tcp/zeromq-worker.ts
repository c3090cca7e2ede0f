/**
 * zeromq: who sends has a DEALER for each recipient, who receives a ROUTER; answers come back by the same way.
 *
 * A `send` that waits at the high-water mark was seen to wait forever while the socket said that it is writable (6.8.0,
 * one measurement in some fifty, on a busy machine). So `ack-window.ts` keeps below that mark, and a `receive` is begun
 * anew from time to time.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { type Engine, runWorker, type SendJob, workerArguments } from '../harness/worker.ts';
import { AckCounter, isAck, SendWindow } from './ack-window.ts';

/** The part of the package that is used here. */
interface ZeromqPackage {
  Dealer: new (options: SocketOptions) => ZeromqSocket & { connect(address: string): void };
  Router: new (options: SocketOptions) => ZeromqSocket & { bind(address: string): Promise<void> };
}

interface SocketOptions {
  readonly linger: number;
  readonly receiveTimeout: number;
}

interface ZeromqSocket {
  readonly lastEndpoint: string | null;
  send(message: Buffer | readonly Buffer[]): Promise<void>;
  /** Fails with EAGAIN when the time is up. */
  receive(): Promise<Buffer[]>;
}

/** Below the high-water mark of 1,000. */
const WINDOW_MESSAGES = 800;

const OPTIONS: SocketOptions = { linger: 0, receiveTimeout: 1_000 };

interface Lane {
  readonly dealer: ZeromqSocket;
  readonly window: SendWindow;
}

interface Peer {
  /** ROUTER's name for it. */
  readonly id: Buffer;
  readonly acks: AckCounter;
}

class ZeromqEngine implements Engine {
  onMessage: Engine['onMessage'] = () => undefined;
  readonly #uuid: string;
  readonly #zeromq: ZeromqPackage;
  readonly #router;
  readonly #lanes = new Map<string, Lane>();
  /** Those who connected. */
  readonly #peers = new Map<string, Peer>();

  constructor(uuid: string, zeromq: ZeromqPackage) {
    this.#uuid = uuid;
    this.#zeromq = zeromq;
    this.#router = new zeromq.Router(OPTIONS);
  }

  async start(): Promise<{ uuid: string; port: number }> {
    await this.#router.bind('tcp://127.0.0.1:*');
    watch(this.#receiveAtRouter());
    return { uuid: this.#uuid, port: Number(this.#router.lastEndpoint?.split(':').at(-1)) };
  }

  installView(_id: number, members: readonly string[]): void {
    const isFirst = members[0]?.endsWith(`:${this.#uuid}`) === true;
    if (!isFirst) return;
    for (const text of members.slice(1)) {
      const [host = '', port = '', , uuid = ''] = text.split(':');
      const dealer = new this.#zeromq.Dealer(OPTIONS);
      dealer.connect(`tcp://${host}:${port}`);
      const lane = { dealer, window: new SendWindow(WINDOW_MESSAGES) };
      this.#lanes.set(uuid, lane);
      watch(this.#receiveAtDealer(lane, uuid));
    }
  }

  /** `send` takes one message at a time and resolves when it is queued. */
  async send({ count, payloads, to }: SendJob): Promise<void> {
    const lanes = to.map((uuid) => this.#find(uuid));
    for (const { window } of lanes) window.begin(payloads[0]?.length ?? 1);
    for (let i = 0; i < count; i++) {
      const payload = payloads[i % payloads.length] as Buffer;
      for (const { dealer, window } of lanes) {
        if (window.isFull) await window.room();
        window.handleSent();
        await dealer.send(payload);
      }
    }
  }

  sendOne(payload: Buffer, to: string): void {
    const peer = this.#peers.get(to);
    if (peer !== undefined) {
      watch(this.#router.send([peer.id, payload]));
      return;
    }
    const { dealer, window } = this.#find(to);
    window.handleSent();
    watch(dealer.send(payload));
  }

  drain(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async #receiveAtRouter(): Promise<void> {
    for (;;) {
      const [id, payload] = await received(this.#router);
      if (id === undefined || payload === undefined) continue;
      const name = id.toString('latin1');
      let peer = this.#peers.get(name);
      if (peer === undefined) this.#peers.set(name, (peer = { id, acks: new AckCounter() }));
      const ack = peer.acks.handle(payload.length);
      if (ack !== null) await this.#router.send([id, ack]);
      this.onMessage(payload, name);
    }
  }

  async #receiveAtDealer({ dealer, window }: Lane, uuid: string): Promise<void> {
    for (;;) {
      const [payload] = await received(dealer);
      if (payload === undefined) continue;
      if (isAck(payload)) window.handleAck(payload);
      else this.onMessage(payload, uuid);
    }
  }

  #find(uuid: string): Lane {
    const lane = this.#lanes.get(uuid);
    if (lane === undefined) throw new Error(`no connection to ${uuid}`);
    return lane;
  }
}

/** Empty when the time was up. */
async function received(socket: ZeromqSocket): Promise<Buffer[]> {
  try {
    return await socket.receive();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return [];
    throw error;
  }
}

/** What fails ends the process, which its driver notices. */
function watch(work: Promise<void>): void {
  work.catch((error: unknown) => {
    throw error;
  });
}

const args = workerArguments();
const load = createRequire(join(args.get('packages') ?? '', 'package.json'));
await runWorker(new ZeromqEngine(args.get('uuid') ?? '', load('zeromq') as ZeromqPackage));
