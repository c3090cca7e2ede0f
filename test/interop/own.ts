import type { ExecutionContext } from 'ava';

import { createNodeEnvironment } from '../../src/io/node-environment.ts';
import type { FaultOptions } from '../../src/io/faulty-datagram-socket.ts';
import type { JGroupsConfig } from '../../src/jgroups/config.ts';
import { JGroupsMessenger } from '../../src/jgroups/jgroups-messenger.ts';
import type { JvmPeer } from '../../src/peers/jvm-peer.ts';
import type { MemberId } from '../../src/protocol/member-id.ts';
import type { OutgoingMessage } from '../../src/protocol/messenger.ts';
import { createView } from '../../src/protocol/view.ts';
import { type DeliveryCounts, DeliveryRecord } from '../../src/rehearsal/delivery-record.ts';
import { decodeNumberedPayload, encodeNumberedPayload } from '../../src/rehearsal/numbered-payload.ts';

export interface OwnOptions {
  readonly faults?: FaultOptions;
  readonly jgroups?: Partial<JGroupsConfig>;
  readonly hardLimitBytes?: number;
  readonly memberTimeoutMs?: number;
}

/** How a burst is sent, beside ordered. */
export type Kind = Pick<OutgoingMessage, 'ordered' | 'highPriority'>;

/** A member that runs our own legacy stack on a real socket, with the same books as the JVM peers keep. */
export class OwnMember {
  readonly messenger: JGroupsMessenger;
  readonly id: MemberId;
  readonly #records = new Map<string, DeliveryRecord>();
  readonly #lastNumbers = new Map<string, number>();
  #wake: () => void = () => undefined;

  private constructor(messenger: JGroupsMessenger, id: MemberId) {
    this.messenger = messenger;
    this.id = id;
    messenger.setDefaultHandler(({ sender, payload }) => {
      const decoded = decodeNumberedPayload(payload);
      this.record(sender).handle(decoded === 'foreign' ? 'corrupt' : decoded, payload.length);
    });
    messenger.setWritableHandler(() => this.#wake());
  }

  static async start(t: ExecutionContext, options: OwnOptions = {}): Promise<OwnMember> {
    const { faults, ...rest } = options;
    const messenger = new JGroupsMessenger({
      environment: createNodeEnvironment(faults === undefined ? {} : { faults }),
      cluster: 'AG',
      member: { name: 'own', version: 200 },
      host: '127.0.0.1',
      ports: [0, 0],
      ...rest,
    });
    t.teardown(() => messenger.stop());
    return new OwnMember(messenger, await messenger.start());
  }

  record(sender: MemberId): DeliveryRecord {
    let record = this.#records.get(sender.uuid);
    if (record === undefined) this.#records.set(sender.uuid, (record = new DeliveryRecord(sender.uuid)));
    return record;
  }

  received(from: JvmPeer): Readonly<DeliveryCounts> {
    return this.record(from.memberId).counts;
  }

  /** Another process takes over its uuid: both sides number from 1 again. */
  forget({ uuid }: MemberId): void {
    this.#records.delete(uuid);
    this.#lastNumbers.delete(uuid);
  }

  /** A view of this member alone. */
  installAlone(id: number): void {
    this.messenger.installView(createView(id, [this.id]));
  }

  /** Waits until so many messages of the peer have arrived; false after the time. */
  async receives(from: JvmPeer, count: number, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.received(from).delivered < count && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this.received(from).delivered >= count;
  }

  /** Numbered messages as fast as they are taken; resolves when the last one was. */
  async burst(to: MemberId, count: number, sizeBytes: number, kind: Kind = {}): Promise<void> {
    let number = this.#lastNumbers.get(to.uuid) ?? 0;
    const last = number + count;
    this.#lastNumbers.set(to.uuid, last);
    while (number < last) {
      const payload = encodeNumberedPayload(this.id.uuid, number + 1, sizeBytes);
      const result = this.messenger.send({ recipients: [to], payload, ...kind });
      if (result.notInView.length > 0) throw new Error(`${to.uuid} is not in the view`);
      if (result.refused.length === 0) number++;
      if (!result.writable) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (number % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  counter(name: string): number {
    return this.messenger.stats().stacks.udp?.counters[name] ?? NaN;
  }
}

/** A view of our member and these peers, installed in all of them. */
export async function installViewWith(id: number, own: OwnMember, peers: readonly JvmPeer[]): Promise<void> {
  const view = createView(id, [...peers.map((peer) => peer.memberId), own.id]);
  own.messenger.installView(view);
  await Promise.all(peers.map((peer) => peer.installView(view)));
}
