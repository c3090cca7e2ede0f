/**
 * Our own stack as a process that is steered like a Java peer (src/peers/java/RollgatePeer.java): the same commands
 * on standard input, the same events on standard output, so that it can be killed, stopped and cut off like one.
 */

import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

import { ByteReader } from '../../codecs/bytes/reader.ts';
import { ByteWriter } from '../../codecs/bytes/writer.ts';
import { digestSize, readDigest, writeDigest } from '../../codecs/jgroups/v3_6/digest.ts';
import type { Digest } from '../../codecs/jgroups/message.ts';
import type { JGroupsMessenger } from '../../src/jgroups/jgroups-messenger.ts';
import { createMemberId, type MemberId } from '../../src/protocol/member-id.ts';
import type { IncomingMessage, OutgoingMessage, SendResult } from '../../src/protocol/messenger.ts';
import { createView } from '../../src/protocol/view.ts';
import {
  decodeNumberedPayload,
  encodeNumberedPayload,
  inStream,
} from '../../src/rehearsal/numbered-payload.ts';
import { createMessenger } from './own-peer-options.ts';

type Event = Readonly<Record<string, unknown>> & { readonly ev: string };

/** Messages sent before others get a turn: a burst must not keep acks and commands waiting. */
const SENT_IN_A_TURN = 50;

class OwnPeer {
  readonly #messenger: JGroupsMessenger;
  readonly #sent = new Map<string, number>();
  readonly #digests: Digest[] = [];
  #members: readonly MemberId[] = [];
  #raw = 0;
  #bursts = 0;
  #wakers: (() => void)[] = [];
  #lines = '';

  constructor(messenger: JGroupsMessenger) {
    this.#messenger = messenger;
    this.#messenger.setDefaultHandler((message) => this.#handle(message));
    // told as what it is on the wire: the messenger keeps pongs from its handlers
    this.#messenger.onPong = ({ uuid }) => {
      this.#emit({ ev: 'deliver', from: uuid, len: 4, text: 'pong' });
    };
    this.#messenger.setWritableHandler(() => {
      const wakers = this.#wakers;
      this.#wakers = [];
      for (const wake of wakers) wake();
    });
  }

  async start(): Promise<void> {
    const { uuid, port } = await this.#messenger.start();
    this.#emit({ ev: 'up', uuid, port, version: 'rollgate' });
  }

  async execute(words: readonly string[]): Promise<void> {
    const word = (at: number): string => {
      const found = words[at];
      if (found === undefined) throw new Error(`too few words: ${words.join(' ')}`);
      return found;
    };
    const stream = (at: number): number => Number(words[at] ?? '0');
    switch (word(0)) {
      case 'view':
        this.#installView(Number(word(1)), words.slice(2).map(parseMember));
        return;
      case 'burst':
        await this.#burst(this.#find(word(1)), Number(word(2)), Number(word(3)), words[4] ?? '', stream(5));
        return;
      case 'group':
        await this.#burst(null, Number(word(1)), Number(word(2)), words[3] ?? '', stream(4));
        return;
      case 'raw': {
        const payload = Buffer.from(word(2), 'hex');
        this.#send([this.#find(word(1))], payload, words[3] ?? '');
        return;
      }
      case 'digest':
        this.#emit({ ev: 'digest', hex: this.#digestForJoiner() });
        return;
      case 'merge-digest':
        this.#digests.push(readDigest(new ByteReader(Buffer.from(word(1), 'hex'))));
        this.#emit({ ev: 'digest-merged' });
        return;
      case 'ping':
        this.#emit({ ev: 'pong', text: await ping(word(1), Number(word(2)), Number(word(3))) });
        return;
      case 'stats':
        this.#stats(Number(words[1] ?? '0'));
        return;
      case 'drain':
        await this.#drain(Number(word(1)));
        return;
      case 'deliveries': // always on: nothing else is asked of this peer
        return;
      default:
        throw new Error('no such command');
    }
  }

  fail(command: string, error: unknown): void {
    this.#emit({ ev: 'error', command, message: error instanceof Error ? error.message : String(error) });
  }

  async quit(): Promise<void> {
    await this.#messenger.stop();
    this.#emit({ ev: 'quit' });
    process.stdout.write(this.#lines, () => process.exit(0));
    this.#lines = '';
  }

  #installView(id: number, members: readonly MemberId[]): void {
    const digest = this.#digests.pop();
    const self = this.#messenger.memberId;
    const view = createView(
      id,
      members.map((member) => (member.uuid === self.uuid ? self : member)),
    );
    this.#messenger.installView(view, digest === undefined ? {} : { digest });
    this.#members = members;
    this.#emit({ ev: 'view', id, members: members.length });
  }

  #find(uuid: string): MemberId {
    const member = this.#members.find((candidate) => candidate.uuid === uuid);
    if (member === undefined) throw new Error(`no other member ${uuid} in the view`);
    return member;
  }

  /** @param to null for the group */
  async #burst(
    to: MemberId | null,
    count: number,
    size: number,
    flags: string,
    stream: number,
  ): Promise<void> {
    const recipient = to?.uuid ?? 'group';
    const key = stream === 0 ? recipient : `${recipient}/${stream}`;
    const { uuid } = this.#messenger.memberId;
    this.#bursts++;
    try {
      for (let i = 0; i < count; i++) {
        const number = (this.#sent.get(key) ?? 0) + 1;
        this.#sent.set(key, number);
        const payload = encodeNumberedPayload(uuid, inStream(stream, number), size);
        await this.#sendSurely(to === null ? 'all' : [to], payload, flags);
        if (i % SENT_IN_A_TURN === SENT_IN_A_TURN - 1) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      this.#bursts--;
    }
    this.#emit({ ev: 'burst-done', to: recipient, count, stream });
  }

  async #sendSurely(
    recipients: OutgoingMessage['recipients'],
    payload: Buffer,
    flags: string,
  ): Promise<void> {
    if (flags.includes('C')) {
      const { unconfirmed } = await this.#messenger.sendAndConfirm(messageOf(recipients, payload, flags));
      const names = unconfirmed.map(({ member, reason }) => `${member.uuid} (${reason})`);
      if (names.length > 0) throw new Error(`not confirmed by ${names.join(', ')}`);
      return;
    }
    for (;;) {
      const { refused, notInView, writable } = this.#send(recipients, payload, flags);
      if (notInView.length > 0) throw new Error('the recipient is not in the view');
      if (!writable) await new Promise<void>((resolve) => this.#wakers.push(resolve));
      if (refused.length === 0) return;
    }
  }

  #send(recipients: OutgoingMessage['recipients'], payload: Buffer, flags: string): SendResult {
    const message = messageOf(recipients, payload, flags);
    return flags.includes('R') ? this.#messenger.sendUnreliably(message) : this.#messenger.send(message);
  }

  #digestForJoiner(): string {
    const digest = this.#messenger.digestForJoiner();
    if (digest === null) return '';
    const writer = new ByteWriter(digestSize(digest));
    writeDigest(writer, digest);
    return Buffer.from(writer.finish()).toString('hex');
  }

  #stats(id: number): void {
    const stats = this.#messenger.stats();
    this.#emit({
      ev: 'stats',
      id,
      sent: Object.fromEntries(this.#sent),
      received: {},
      raw: this.#raw,
      returned: 0,
      dropped: 0,
      unacked: stats.totals.pending,
      creditRequests: stats.stacks.udp?.counters['creditRequestsSent'] ?? 0,
      unstableBytes: 0,
      outcomes: stats.totals,
      counters: stats.stacks.udp?.counters ?? {},
    });
  }

  async #drain(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#bursts > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const flushed = await this.#messenger.flush(Math.max(1, deadline - performance.now()));
    this.#emit({ ev: 'drained', ok: this.#bursts === 0 && flushed });
  }

  #handle({ sender, payload }: IncomingMessage): void {
    const decoded = decodeNumberedPayload(payload);
    const told = { ev: 'deliver', from: sender.uuid, len: payload.length };
    if (decoded === 'foreign') {
      this.#raw++;
      this.#emit({ ...told, text: Buffer.from(payload.subarray(0, 16)).toString('latin1') });
      return;
    }
    const sound = decoded !== 'corrupt' && decoded.sender === sender.uuid;
    this.#emit({ ...told, number: sound ? decoded.number : -1 });
  }

  /** A line an event; those of one turn are written together. */
  #emit(event: Event): void {
    if (this.#lines === '') setImmediate(() => this.#write());
    this.#lines += `${JSON.stringify(event)}\n`;
  }

  #write(): void {
    if (this.#lines !== '') process.stdout.write(this.#lines);
    this.#lines = '';
  }
}

function messageOf(
  recipients: OutgoingMessage['recipients'],
  payload: Buffer,
  flags: string,
): OutgoingMessage {
  const ordered = !flags.includes('O');
  return {
    recipients,
    payload,
    ordered,
    highPriority: flags.includes('K'),
    dontBundle: !flags.includes('B'),
  };
}

/** Resolves to the answer, or to nothing after the time. */
function ping(host: string, port: number, timeoutMs: number): Promise<string> {
  const socket = createSocket('udp4');
  return new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve(''), timeoutMs);
    socket.once('message', (answer) => {
      clearTimeout(timer);
      resolve(answer.toString('latin1'));
    });
    socket.send('ping', port, host);
  }).finally(() => socket.close());
}

/** @param text host:port:viewId:uuid */
function parseMember(text: string): MemberId {
  const [uuid = '', viewId = '', port = '', ...host] = text.split(':').reverse();
  return createMemberId({ host: host.reverse().join(':'), port: Number(port), viewId: Number(viewId), uuid });
}

const peer = new OwnPeer(createMessenger(process.argv.slice(2)));
await peer.start();
for await (const line of createInterface({ input: process.stdin })) {
  const words = line.trim().split(/ +/);
  if (words[0] === 'quit') break;
  // not awaited: a burst takes its time, and commands go on meanwhile
  peer.execute(words).catch((error: unknown) => peer.fail(words[0] ?? '', error));
}
await peer.quit();
