/** Our stack as a member of a benchmark: JGroupsMessenger over node's sockets, with the product's own defaults. */

import { setImmediate } from 'node:timers/promises';

import { createNodeEnvironment } from '../../../src/io/node-environment.ts';
import { JGroupsMessenger, type JGroupsMessengerOptions } from '../../../src/jgroups/jgroups-messenger.ts';
import { createMemberId, type MemberId } from '../../../src/protocol/member-id.ts';
import type { OutgoingMessage } from '../../../src/protocol/messenger.ts';
import { createView } from '../../../src/protocol/view.ts';
import { type Engine, runWorker, type SendJob, workerArguments } from '../harness/worker.ts';
import { flushTalkers, settledMemoryBytes, startTalkers } from './idle-peers.ts';

/** Messages sent before datagrams are looked at again. */
const MESSAGES_A_TURN = 64;

type Options = Partial<JGroupsMessengerOptions>;

export class OwnEngine implements Engine {
  onMessage: (payload: Uint8Array, from: string) => void = () => undefined;
  readonly #messenger: JGroupsMessenger;
  readonly #members = new Map<string, MemberId>();
  #wake: () => void = () => undefined;

  constructor(uuid: string | undefined, options: Options) {
    this.#messenger = new JGroupsMessenger({
      environment: createNodeEnvironment(),
      cluster: 'AG',
      member: { name: 'bench', version: 150, ...(uuid === undefined ? {} : { uuid }) },
      host: '127.0.0.1',
      ports: [0, 0],
      ...options,
    });
    this.#messenger.setDefaultHandler(({ sender, payload }) => this.onMessage(payload, sender.uuid));
    this.#messenger.setWritableHandler(() => this.#wake());
  }

  async start(): Promise<{ uuid: string; port: number }> {
    const { uuid, port } = await this.#messenger.start();
    return { uuid, port };
  }

  installView(id: number, members: readonly string[]): void {
    this.#members.clear();
    for (const text of members) {
      const member = parseMember(text);
      this.#members.set(member.uuid, member);
    }
    this.#messenger.installView(createView(id, [...this.#members.values()]));
  }

  async send({ count, payloads, bundle, to }: SendJob): Promise<void> {
    const recipients = to.map((uuid) => this.#find(uuid));
    const messages = payloads.map((payload): OutgoingMessage => ({
      recipients,
      payload,
      dontBundle: !bundle,
    }));
    for (let sent = 0; sent < count;) {
      const end = Math.min(count, sent + MESSAGES_A_TURN);
      let writable = true;
      while (writable && sent < end) {
        const result = this.#messenger.send(messages[sent % messages.length] as OutgoingMessage);
        if (result.refused.length + result.notInView.length > 0) throw new Error('a message was refused');
        sent++;
        writable = result.writable;
      }
      if (writable) await setImmediate();
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  sendOne(payload: Buffer, to: string): void {
    this.#messenger.send({ recipients: [this.#find(to)], payload });
  }

  drain(timeoutMs: number): Promise<boolean> {
    return this.#messenger.flush(timeoutMs);
  }

  async execute(words: readonly string[]): Promise<Readonly<Record<string, unknown>> | null> {
    switch (words[0]) {
      case 'counters':
        return { counters: this.#messenger.stats().stacks.udp?.counters ?? {} };
      case 'memory':
        return { bytes: await settledMemoryBytes() };
      case 'talkers': // <count> <member>
        return { members: await startTalkers(Number(words[1]), parseMember(words[2] ?? '')) };
      case 'flush-talkers': // <timeoutMs>
        return { ok: await flushTalkers(Number(words[1])) };
      default:
        return null;
    }
  }

  #find(uuid: string): MemberId {
    const member = this.#members.get(uuid);
    if (member === undefined) throw new Error(`no member ${uuid} in the view`);
    return member;
  }
}

/** @param text `<host>:<port>:<viewId>:<uuid>` */
function parseMember(text: string): MemberId {
  const [host = '', port, viewId, uuid = ''] = text.split(':');
  return createMemberId({ host, port: Number(port), viewId: Number(viewId), uuid, version: 150 });
}

const args = workerArguments();
await runWorker(new OwnEngine(args.get('uuid'), JSON.parse(args.get('options') ?? '{}') as Options));
