/**
 * nats: a member subscribes to its own subject; to send is to publish to another's. The client queues without a limit,
 * and the server drops a subscriber that is far behind, with all that it held for it: so `ack-window.ts` bounds that.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { type Engine, runWorker, type SendJob, workerArguments } from '../harness/worker.ts';
import { AckCounter, SendWindow } from './ack-window.ts';
import { messagesATurn } from './turn.ts';

interface NatsMessage {
  readonly data: Uint8Array;
  readonly subject: string;
  readonly reply?: string;
}

/** The part of the package that is used here. */
interface NatsPackage {
  connect(options: { port: number; name: string }): Promise<NatsConnection>;
}

interface NatsConnection {
  publish(subject: string, payload: Uint8Array, options?: { reply: string }): void;
  flush(): Promise<void>;
  subscribe(
    subject: string,
    options: { callback: (error: Error | null, message: NatsMessage) => void },
  ): void;
}

const WINDOW_MESSAGES = 16_384;

class NatsEngine implements Engine {
  onMessage: Engine['onMessage'] = () => undefined;
  readonly #uuid: string;
  readonly #port: number;
  readonly #nats: NatsPackage;
  #connection: NatsConnection | null = null;
  /** Null: nobody waits for it. */
  #acknowledge: ((sizeBytes: number) => void) | null = null;
  readonly #windows = new Map<string, SendWindow>();

  constructor(uuid: string, port: number, nats: NatsPackage) {
    this.#uuid = uuid;
    this.#port = port;
    this.#nats = nats;
  }

  async start(): Promise<{ uuid: string; port: number }> {
    const connection = await this.#nats.connect({ port: this.#port, name: this.#uuid });
    connection.subscribe(subjectOf(this.#uuid), {
      callback: (error, { data, reply }) => {
        if (error !== null) throw error;
        this.#acknowledge?.(data.length);
        this.onMessage(data, reply ?? '');
      },
    });
    connection.subscribe(ackSubjectOf(this.#uuid, '*'), {
      callback: (error, { data, subject }) => {
        if (error !== null) throw error;
        this.#windows.get(subject.split('.').at(-1) ?? '')?.handleAck(Buffer.from(data));
      },
    });
    await connection.flush(); // the server has the subscription
    this.#connection = connection;
    return { uuid: this.#uuid, port: 0 };
  }

  /** The first is the one that sends in bulk. */
  installView(_id: number, members: readonly string[]): void {
    const [first = '', ...others] = members.map((text) => text.split(':').at(-1) ?? '');
    if (first === this.#uuid) {
      for (const uuid of others) this.#windows.set(uuid, new SendWindow(WINDOW_MESSAGES));
      return;
    }
    const subject = ackSubjectOf(first, this.#uuid);
    const acks = new AckCounter();
    this.#acknowledge = (sizeBytes) => {
      const ack = acks.handle(sizeBytes);
      if (ack !== null) this.#connected().publish(subject, ack);
    };
  }

  async send({ count, payloads, to }: SendJob): Promise<void> {
    const connection = this.#connected();
    const sizeBytes = payloads[0]?.length ?? 1;
    const lanes = to.map((uuid) => ({ subject: subjectOf(uuid), window: this.#find(uuid) }));
    for (const { window } of lanes) window.begin(sizeBytes);
    const aTurn = messagesATurn(sizeBytes);
    for (let sent = 0; sent < count; sent++) {
      const payload = payloads[sent % payloads.length] as Buffer;
      for (const { subject, window } of lanes) {
        if (window.isFull) await window.room();
        window.handleSent();
        connection.publish(subject, payload);
      }
      if (sent % aTurn === 0) await setImmediate();
    }
  }

  sendOne(payload: Buffer, to: string): void {
    const connection = this.#connected();
    if (to.startsWith(PREFIX)) {
      connection.publish(to, payload); // an answer
      return;
    }
    this.#find(to).handleSent();
    connection.publish(subjectOf(to), payload, { reply: subjectOf(this.#uuid) });
  }

  #find(uuid: string): SendWindow {
    const window = this.#windows.get(uuid);
    if (window === undefined) throw new Error(`no member ${uuid} in the view`);
    return window;
  }

  drain(): Promise<boolean> {
    return Promise.resolve(true);
  }

  #connected(): NatsConnection {
    if (this.#connection === null) throw new Error('not connected');
    return this.#connection;
  }
}

const PREFIX = 'bench.';

function subjectOf(uuid: string): string {
  return PREFIX + uuid;
}

function ackSubjectOf(sender: string, recipient: string): string {
  return `acks.${sender}.${recipient}`;
}

const args = workerArguments();
const load = createRequire(join(args.get('packages') ?? '', 'package.json'));
await runWorker(
  new NatsEngine(args.get('uuid') ?? '', Number(args.get('server')), load('nats') as NatsPackage),
);
