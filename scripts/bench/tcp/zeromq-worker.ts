/** zeromq: who sends has a DEALER for each recipient, who receives a ROUTER; answers come back by the same way. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { type Engine, runWorker, type SendJob, workerArguments } from '../harness/worker.ts';

/** The part of the package that is used here. */
interface ZeromqPackage {
  Dealer: new (options: { linger: number }) => ZeromqSocket & { connect(address: string): void };
  Router: new (options: { linger: number }) => ZeromqSocket & { bind(address: string): Promise<void> };
}

interface ZeromqSocket extends AsyncIterable<Buffer[]> {
  readonly lastEndpoint: string | null;
  send(message: Buffer | readonly Buffer[]): Promise<void>;
}

class ZeromqEngine implements Engine {
  onMessage: Engine['onMessage'] = () => undefined;
  readonly #uuid: string;
  readonly #zeromq: ZeromqPackage;
  readonly #router;
  readonly #dealers = new Map<string, ZeromqSocket>();
  /** ROUTER's names of those who connected. */
  readonly #peers = new Map<string, Buffer>();

  constructor(uuid: string, zeromq: ZeromqPackage) {
    this.#uuid = uuid;
    this.#zeromq = zeromq;
    this.#router = new zeromq.Router({ linger: 0 });
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
      const dealer = new this.#zeromq.Dealer({ linger: 0 });
      dealer.connect(`tcp://${host}:${port}`);
      this.#dealers.set(uuid, dealer);
      watch(this.#receiveAtDealer(dealer, uuid));
    }
  }

  /** `send` takes one message at a time and resolves when it is queued: at once, until the high-water mark. */
  async send({ count, payloads, to }: SendJob): Promise<void> {
    const dealers = to.map((uuid) => this.#find(uuid));
    for (let i = 0; i < count; i++) {
      const payload = payloads[i % payloads.length] as Buffer;
      for (const dealer of dealers) await dealer.send(payload);
    }
  }

  sendOne(payload: Buffer, to: string): void {
    const peer = this.#peers.get(to);
    watch(peer === undefined ? this.#find(to).send(payload) : this.#router.send([peer, payload]));
  }

  drain(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async #receiveAtRouter(): Promise<void> {
    for await (const [peer, payload] of this.#router) {
      if (peer === undefined || payload === undefined) continue;
      const name = peer.toString('latin1');
      if (!this.#peers.has(name)) this.#peers.set(name, peer);
      this.onMessage(payload, name);
    }
  }

  async #receiveAtDealer(dealer: ZeromqSocket, uuid: string): Promise<void> {
    for await (const [payload] of dealer) if (payload !== undefined) this.onMessage(payload, uuid);
  }

  #find(uuid: string): ZeromqSocket {
    const dealer = this.#dealers.get(uuid);
    if (dealer === undefined) throw new Error(`no connection to ${uuid}`);
    return dealer;
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
