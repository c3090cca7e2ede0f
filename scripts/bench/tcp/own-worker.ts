/** Our TCP stack as a member of a benchmark: TcpMessenger over node's sockets, with the product's own defaults. */

import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import type { Environment } from '../../../src/protocol/environment.ts';
import type { MemberId } from '../../../src/protocol/member-id.ts';
import type { Messenger, OutgoingMessage } from '../../../src/protocol/messenger.ts';
import { TcpMessenger, type TcpMessengerOptions } from '../../../src/tcp/tcp-messenger.ts';
import { CrowdEngine } from '../harness/crowd.ts';
import { stampedPayloads } from '../harness/stamped-payload.ts';
import { nowNs, runWorker, workerArguments } from '../harness/worker.ts';
import { Talkers } from '../own/idle-peers.ts';
import { MessengerEngine } from '../own/messenger-engine.ts';
import type { CertificateFiles } from './certificates.ts';
import { messagesATurn } from './turn.ts';

/** Messages to one recipient before the next one's turn. */
const MESSAGES_A_LANE = 64;
const VERSION = 200;

type Options = Partial<TcpMessengerOptions>;

class TcpEngine extends MessengerEngine {
  readonly #talkers: Talkers;

  constructor(environment: Environment, uuid: string, options: Options) {
    const shared = { environment, cluster: 'AG', host: '127.0.0.1', ports: [0, 0] as const };
    super(new TcpMessenger({ ...shared, member: { name: 'bench', version: VERSION, uuid }, ...options }), {
      version: VERSION,
      messagesATurn,
    });
    this.#talkers = new Talkers(() => new TcpMessenger({ ...shared, member: { version: VERSION } }));
  }

  async execute(words: readonly string[]): Promise<Readonly<Record<string, unknown>> | null> {
    switch (words[0]) {
      case 'send-each': // <count> <sizeBytes> <ring> <uuid>,... <uuid of who may take nothing>?
        return this.#sendEach(
          Number(words[1]),
          stampedPayloads(Number(words[2]), Number(words[3])),
          (words[4] ?? '').split(','),
          words[5],
        );
      default:
        return this.executeShared(words, 'tcp', this.#talkers);
    }
  }

  /** As many messages to each recipient as fast as that one takes them. Nobody waits for `stuck`. */
  async #sendEach(
    count: number,
    payloads: readonly Buffer[],
    uuids: readonly string[],
    stuck: string | undefined,
  ): Promise<Readonly<Record<string, unknown>>> {
    const lanes = uuids.map((uuid) => new Lane(this.find(uuid), count, payloads));
    const byUuid = new Map(lanes.map((lane) => [lane.recipient.uuid, lane]));
    const extra = stuck === undefined ? null : new Lane(this.find(stuck), Infinity, payloads);
    if (extra !== null) byUuid.set(extra.recipient.uuid, extra);
    let [wake, isAwake]: [() => void, boolean] = [() => undefined, false];
    this.messenger.setWritableHandler(({ uuid }) => {
      const lane = byUuid.get(uuid);
      if (lane !== undefined) lane.writable = true;
      isAwake = true;
      wake();
    });
    const startNs = nowNs();
    while (lanes.some((lane) => lane.left > 0)) {
      isAwake = false;
      let progress = false;
      for (const lane of byUuid.values()) {
        if (lane.writable && lane.left > 0) progress = lane.send(this.messenger, MESSAGES_A_LANE) || progress;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (progress || isAwake) setImmediate(resolve);
      });
    }
    return { startNs, extra: extra?.sent ?? 0 };
  }
}

/** What `send-each` has for one recipient. */
class Lane {
  readonly recipient: MemberId;
  left: number;
  sent = 0;
  writable = true;
  readonly #messages: readonly OutgoingMessage[];

  constructor(recipient: MemberId, count: number, payloads: readonly Buffer[]) {
    this.recipient = recipient;
    this.left = count;
    this.#messages = payloads.map((payload) => ({ recipients: [recipient], payload }));
  }

  /** @returns false if nothing was sent */
  send(messenger: Messenger, most: number): boolean {
    const before = this.sent;
    while (this.writable && this.left > 0 && this.sent - before < most) {
      const message = this.#messages[this.sent % this.#messages.length] as OutgoingMessage;
      const { refused, writable } = messenger.send(message);
      this.writable = writable;
      if (refused.length > 0) break;
      this.sent++;
      this.left--;
    }
    return this.sent > before;
  }
}

const args = workerArguments();
const options = JSON.parse(args.get('options') ?? '{}') as Options;
const tls = args.get('tls');
const environment = createNodeEnvironment(
  tls === undefined ? {} : { tls: { mode: 'required', ...(JSON.parse(tls) as CertificateFiles) } },
);
const size = Number(args.get('members') ?? 1);
const firstUuid = BigInt(`0x${args.get('uuid') ?? '1'}`);
const engines = Array.from({ length: size }, (_, i) => {
  return new TcpEngine(environment, (firstUuid + BigInt(i)).toString(16).padStart(32, '0'), options);
});
await runWorker(engines.length === 1 ? (engines[0] as TcpEngine) : new CrowdEngine(engines));
