/** nats: a member subscribes to its own subject; to send is to publish to another's. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { type Engine, runWorker, type SendJob, workerArguments } from '../harness/worker.ts';

/** The part of the package that is used here. */
interface NatsPackage {
  connect(options: { port: number; name: string }): Promise<NatsConnection>;
}

interface NatsConnection {
  publish(subject: string, payload: Uint8Array, options?: { reply: string }): void;
  flush(): Promise<void>;
  subscribe(
    subject: string,
    options: { callback: (error: Error | null, message: { data: Uint8Array; reply?: string }) => void },
  ): void;
}

/**
 * The client queues without a limit, and the server drops who is too slow: so much is published, then the server's
 * answer to a PING awaited, and no more than two of these are on their way.
 */
const FLUSH_BYTES = 1_048_576;
const FLUSH_MESSAGES = 2_048;

class NatsEngine implements Engine {
  onMessage: Engine['onMessage'] = () => undefined;
  readonly #uuid: string;
  readonly #port: number;
  readonly #nats: NatsPackage;
  #connection: NatsConnection | null = null;

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
        this.onMessage(data, reply ?? '');
      },
    });
    await connection.flush(); // the server has the subscription
    this.#connection = connection;
    return { uuid: this.#uuid, port: 0 };
  }

  installView(): void {
    // the server knows who is there
  }

  async send({ count, payloads, to }: SendJob): Promise<void> {
    const connection = this.#connected();
    const subjects = to.map(subjectOf);
    const bytes = (payloads[0]?.length ?? 1) * subjects.length;
    const batch = Math.max(1, Math.min(FLUSH_MESSAGES, Math.floor(FLUSH_BYTES / bytes)));
    let flushed: Promise<void> = Promise.resolve();
    for (let sent = 0; sent < count;) {
      const end = Math.min(count, sent + batch);
      for (; sent < end; sent++) {
        const payload = payloads[sent % payloads.length] as Buffer;
        for (const subject of subjects) connection.publish(subject, payload);
      }
      const before = flushed;
      flushed = connection.flush();
      await before;
    }
  }

  sendOne(payload: Buffer, to: string): void {
    const subject = to.startsWith(PREFIX) ? to : subjectOf(to);
    this.#connected().publish(subject, payload, { reply: subjectOf(this.#uuid) });
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

const args = workerArguments();
const load = createRequire(join(args.get('packages') ?? '', 'package.json'));
await runWorker(
  new NatsEngine(args.get('uuid') ?? '', Number(args.get('server')), load('nats') as NatsPackage),
);
