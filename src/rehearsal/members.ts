import type { Environment } from '../protocol/environment.ts';
import type { MemberId } from '../protocol/member-id.ts';
import type { Messenger } from '../protocol/messenger.ts';
import type { View } from '../protocol/view.ts';
import { JvmPeer, type JvmPeerOptions } from '../peers/jvm-peer.ts';
import type { JvmPeerStats } from '../peers/events.ts';
import type { Tally } from './accounts.ts';
import { DeliveryRecord } from './delivery-record.ts';
import { decodeNumberedPayload } from './numbered-payload.ts';
import { Traffic } from './traffic.ts';

/** A member of the rehearsed cluster, whoever runs it. */
export interface RehearsalMember {
  readonly id: MemberId;
  /** For the table: `rollgate`, `JGroups 3.6.14`, ... */
  readonly version: string;
  readonly messenger: Messenger | null;
  installView(view: View): Promise<void>;
  startTraffic(messagesPerSecond: number, size: number): void;
  stopTraffic(): Promise<void>;
  /** True once all that it sent to members of the view is acknowledged. */
  drain(timeoutMs: number): Promise<boolean>;
  /** What it knows now; of a dead one, what it said last. */
  tally(): Promise<Tally>;
  leave(): Promise<void>;
  kill(): Promise<void>;
}

/** A member that runs in this process. */
export class OwnMember implements RehearsalMember {
  readonly id: MemberId;
  readonly version: string;
  readonly messenger: Messenger;
  readonly #traffic: Traffic;
  readonly #received = new Map<string, DeliveryRecord>();
  /** Acknowledged messages of members that left since. */
  readonly #acknowledged = new Map<string, number>();

  private constructor(environment: Environment, messenger: Messenger, version: string) {
    this.messenger = messenger;
    this.version = version;
    this.id = messenger.memberId;
    this.#traffic = new Traffic(environment, messenger);
    messenger.setDefaultHandler(({ sender, payload }) => this.#handle(sender.uuid, payload));
  }

  static async start(environment: Environment, messenger: Messenger, version: string): Promise<OwnMember> {
    await messenger.start();
    return new OwnMember(environment, messenger, version);
  }

  #handle(from: string, payload: Uint8Array): void {
    const decoded = decodeNumberedPayload(payload);
    let record = this.#received.get(from);
    if (record === undefined) this.#received.set(from, (record = new DeliveryRecord(from)));
    record.handle(decoded === 'foreign' ? 'corrupt' : decoded, payload.length);
  }

  installView(view: View): Promise<void> {
    this.#rememberAcknowledged();
    this.messenger.installView(view);
    this.#traffic.setRecipients(view.members.filter(({ uuid }) => uuid !== this.id.uuid));
    return Promise.resolve();
  }

  #rememberAcknowledged(): void {
    for (const { member, sent } of this.messenger.stats().peers)
      this.#acknowledged.set(member.uuid, sent.delivered);
  }

  startTraffic(messagesPerSecond: number, size: number): void {
    this.#traffic.start(messagesPerSecond, size);
  }

  stopTraffic(): Promise<void> {
    this.#traffic.stop();
    return Promise.resolve();
  }

  drain(timeoutMs: number): Promise<boolean> {
    return this.messenger.flush(timeoutMs);
  }

  tally(): Promise<Tally> {
    this.#rememberAcknowledged();
    const received = new Map([...this.#received].map(([from, record]) => [from, { ...record.counts }]));
    return Promise.resolve({
      sent: new Map(this.#traffic.sent),
      received,
      acknowledged: new Map(this.#acknowledged),
    });
  }

  async leave(): Promise<void> {
    this.#traffic.stop();
    await this.messenger.stop();
  }

  /** In one process nobody dies alone: it stops without draining. */
  kill(): Promise<void> {
    return this.leave();
  }
}

/** A real JGroups member in a JVM. */
export class JvmMember implements RehearsalMember {
  readonly messenger = null;
  readonly version: string;
  readonly #peer: JvmPeer;
  #last: Tally = { sent: new Map(), received: new Map() };

  private constructor(peer: JvmPeer) {
    this.#peer = peer;
    this.version = `JGroups ${peer.version}`;
  }

  static async start(options: JvmPeerOptions): Promise<JvmMember> {
    let member: JvmMember | null = null;
    const onEvent: JvmPeerOptions['onEvent'] = (event) => {
      if (event.ev === 'stats') member?.remember(event);
    };
    member = new JvmMember(await JvmPeer.start({ ...options, onEvent }));
    member.#peer.reportStatsEvery(STATS_PERIOD_MS);
    return member;
  }

  get id(): MemberId {
    return this.#peer.memberId;
  }

  remember(stats: JvmPeerStats): void {
    this.#last = {
      sent: new Map(Object.entries(stats.sent)),
      received: new Map(Object.entries(stats.received)),
    };
  }

  installView(view: View): Promise<void> {
    return this.#peer.installView(view);
  }

  startTraffic(messagesPerSecond: number, size: number): void {
    this.#peer.startTraffic(messagesPerSecond, size);
  }

  stopTraffic(): Promise<void> {
    return this.#peer.stopTraffic();
  }

  drain(timeoutMs: number): Promise<boolean> {
    return this.#peer.drain(timeoutMs);
  }

  tally(): Promise<Tally> {
    return Promise.resolve(this.#last);
  }

  async leave(): Promise<void> {
    this.remember(await this.#peer.stats());
    await this.#peer.quit();
  }

  kill(): Promise<void> {
    return this.#peer.kill();
  }
}

const STATS_PERIOD_MS = 200;
