/** A messenger of ours as a member of a benchmark. */

import { setImmediate } from 'node:timers/promises';

import { createMemberId, type MemberId } from '../../../src/protocol/member-id.ts';
import type { Messenger, OutgoingMessage } from '../../../src/protocol/messenger.ts';
import { createView } from '../../../src/protocol/view.ts';
import type { Engine, SendJob } from '../harness/worker.ts';
import { settledMemoryBytes, type Talkers } from './idle-peers.ts';

export interface MessengerEngineOptions {
  /** That members advertise. */
  readonly version: number;
  /** Messages sent before the event loop goes on, so that the sender also hears. */
  readonly messagesATurn: (sizeBytes: number) => number;
}

export class MessengerEngine implements Engine {
  onMessage: Engine['onMessage'] = () => undefined;
  protected readonly messenger: Messenger;
  readonly #options: MessengerEngineOptions;
  readonly #members = new Map<string, MemberId>();

  constructor(messenger: Messenger, options: MessengerEngineOptions) {
    this.messenger = messenger;
    this.#options = options;
    messenger.setDefaultHandler(({ sender, payload }) => this.onMessage(payload, sender.uuid));
  }

  /** What engines of both stacks are told; null: another command. */
  protected async executeShared(
    words: readonly string[],
    stack: 'udp' | 'tcp',
    talkers: Talkers,
  ): Promise<Readonly<Record<string, unknown>> | null> {
    switch (words[0]) {
      case 'counters':
        return { counters: this.messenger.stats().stacks[stack]?.counters ?? {} };
      case 'memory':
        return { bytes: await settledMemoryBytes() };
      case 'talkers': // <count> <member>
        return { members: await talkers.start(Number(words[1]), this.parseMember(words[2] ?? '')) };
      case 'flush-talkers': // <timeoutMs>
        return { ok: await talkers.flush(Number(words[1])) };
      default:
        return null;
    }
  }

  async start(): Promise<{ uuid: string; port: number }> {
    const { uuid, port } = await this.messenger.start();
    return { uuid, port };
  }

  installView(id: number, members: readonly string[]): void {
    this.#members.clear();
    for (const text of members) {
      const member = this.parseMember(text);
      this.#members.set(member.uuid, member);
    }
    this.messenger.installView(createView(id, [...this.#members.values()]));
  }

  async send({ count, payloads, bundle, to }: SendJob): Promise<void> {
    const isAll = to.length > 1 && to.length === this.#members.size - 1;
    const recipients = isAll ? 'all' : to.map((uuid) => this.find(uuid));
    const messages = payloads.map((payload): OutgoingMessage => ({
      recipients,
      payload,
      dontBundle: !bundle,
    }));
    const aTurn = this.#options.messagesATurn(payloads[0]?.length ?? 1);
    for (let sent = 0; sent < count;) {
      const end = Math.min(count, sent + aTurn);
      let writable = true;
      while (writable && sent < end) {
        const result = this.messenger.send(messages[sent % messages.length] as OutgoingMessage);
        if (result.refused.length + result.notInView.length > 0) throw new Error('a message was refused');
        sent++;
        writable = result.writable;
      }
      if (writable) await setImmediate();
      else await this.#room(to);
    }
  }

  /** Of all, as whoever sends to all has to: the first that has room again takes a message or two. */
  async #room(to: readonly string[]): Promise<void> {
    await Promise.all(to.map((uuid) => this.messenger.ready(this.find(uuid))));
  }

  sendOne(payload: Buffer, to: string): void {
    this.messenger.send({ recipients: [this.find(to)], payload });
  }

  drain(timeoutMs: number): Promise<boolean> {
    return this.messenger.flush(timeoutMs);
  }

  protected find(uuid: string): MemberId {
    const member = this.#members.get(uuid);
    if (member === undefined) throw new Error(`no member ${uuid} in the view`);
    return member;
  }

  /** @param text `<host>:<port>:<viewId>:<uuid>` */
  protected parseMember(text: string): MemberId {
    const [host = '', port, viewId, uuid = ''] = text.split(':');
    const { version } = this.#options;
    return createMemberId({ host, port: Number(port), viewId: Number(viewId), uuid, version });
  }
}
