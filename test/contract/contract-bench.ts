import type { ExecutionContext } from 'ava';

import { createView, type View } from '../../src/protocol/view.ts';
import type { Environment, PortPair } from '../../src/protocol/environment.ts';
import type { Logger } from '../../src/protocol/logger.ts';
import type { MemberId } from '../../src/protocol/member-id.ts';
import type {
  IncomingMessage,
  MessageType,
  Messenger,
  OutgoingMessage,
  StackName,
} from '../../src/protocol/messenger.ts';
import type { MemberOptions } from '../sim/cluster.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { VirtualEnvironment } from '../sim/virtual-environment.ts';
import { VirtualNetwork, type NetworkFaults } from '../sim/virtual-network.ts';

export interface ContractOptions extends MemberOptions {
  /** To be handed to the messenger as it is. */
  readonly typeOf: (payload: Uint8Array) => MessageType | null;
}

/** One implementation of `Messenger`. */
export interface ContractSubject {
  readonly name: string;
  readonly create: (environment: Environment, options: ContractOptions) => Messenger;
  /** What the members of the suite are, and what they advertise. */
  readonly kind: 'old' | 'new';
  readonly version: number;
  /** Which stack carries everything between two of them. */
  readonly stack: StackName;
}

export const PORT = 41_000;

/** As tough as a network gets that still deserves the name. */
export const ROUGH: NetworkFaults = {
  loss: 0.1,
  duplicate: 0.1,
  reorder: 0.2,
  reorderDelayMs: 40,
  minLatencyMs: 0.2,
  maxLatencyMs: 5,
  reset: 0.01,
  stall: 0.01,
  stallMs: 500,
  refuse: 0.1,
  cut: 0,
  mute: 0,
};

/** The payload's first letter is the message's type. */
export function typeOf(payload: Uint8Array): MessageType | null {
  return payload.length === 0 ? null : String.fromCharCode(payload[0]!);
}

export interface BenchMember {
  readonly messenger: Messenger;
  readonly environment: VirtualEnvironment;
  readonly id: MemberId;
  /** What the default handler saw; payloads are copies. */
  readonly received: IncomingMessage[];
  readonly writable: MemberId[];
  readonly log: string[];
}

/** Members of one implementation on a virtual network, each on a host of its own. */
export class ContractBench {
  readonly clock = new VirtualClock();
  readonly network = new VirtualNetwork(this.clock, { seed: 11 });
  readonly members: BenchMember[] = [];
  readonly #subject: ContractSubject;
  #viewId = 0;

  constructor(subject: ContractSubject) {
    this.#subject = subject;
  }

  /** @param host default: the next one of its own */
  create(host = `10.0.0.${this.members.length + 1}`): Omit<BenchMember, 'id'> {
    const log: string[] = [];
    const environment = new VirtualEnvironment(this.network, 100 + this.members.length, logTo(log));
    const { kind, version } = this.#subject;
    const name = `m${this.members.length + 1}`;
    const options = { host, ports: [PORT, PORT] as const, name, kind, version, typeOf };
    const messenger = this.#subject.create(environment, options);
    const received: IncomingMessage[] = [];
    const writable: MemberId[] = [];
    messenger.setDefaultHandler((message) => {
      received.push({ ...message, payload: Buffer.from(message.payload) });
    });
    messenger.setWritableHandler((recipient) => writable.push(recipient));
    return { messenger, environment, received, writable, log };
  }

  async start(host?: string): Promise<BenchMember> {
    const created = this.create(host);
    const id = await this.clock.run(created.messenger.start(), 'start()');
    const member = { ...created, id };
    this.members.push(member);
    return member;
  }

  /** So many started members, in one view. */
  async startAll(count: number): Promise<BenchMember[]> {
    for (let started = 0; started < count; started++) await this.start();
    this.installView(this.members);
    return this.members;
  }

  nextView(members: readonly BenchMember[]): View {
    return createView(
      ++this.#viewId,
      members.map(({ id }) => id),
    );
  }

  installView(members: readonly BenchMember[]): void {
    const view = this.nextView(members);
    for (const { messenger } of members) messenger.installView(view);
  }

  /** Lets virtual time pass. */
  async run(ms: number): Promise<void> {
    await this.clock.runUntil(this.clock.nowMs + ms);
  }

  /** @returns false if that did not come about within `limitMs` */
  until(done: () => boolean, limitMs = 60_000): Promise<boolean> {
    return this.clock.runUntil(this.clock.nowMs + limitMs, done);
  }

  async stop(member: BenchMember): Promise<void> {
    await this.clock.run(member.messenger.stop(), 'stop()');
  }

  /** Both halves of a port of somebody who is no member. */
  strangerOn(host: string): Promise<PortPair> {
    const stranger = new VirtualEnvironment(this.network, 7, logTo([]));
    const buffers = { udpReceiveBufferBytes: 1, udpSendBufferBytes: 1 };
    return stranger.bind({ ...buffers, host, ports: [PORT, PORT], udp: true, tcp: true });
  }

  cut(a: BenchMember, b: BenchMember): void {
    this.network.block(a.id.host, b.id.host);
    this.network.block(b.id.host, a.id.host);
  }
}

function logTo(log: string[]): Logger {
  const add = (line: string): void => void log.push(line);
  return { debug: () => undefined, info: () => undefined, warn: add, error: add };
}

export type Define = (title: string, run: (t: ExecutionContext) => void | Promise<void>) => void;

/** Some of the suite's tests. */
export type Part = (define: Define, createBench: () => ContractBench, subject: ContractSubject) => void;

export const text = (line: string): Buffer => Buffer.from(line);

export function texts({ received }: BenchMember): string[] {
  return received.map(({ payload }) => String(payload));
}

export function to(
  recipient: BenchMember,
  payload: Buffer,
  more: Partial<OutgoingMessage> = {},
): OutgoingMessage {
  return { recipients: [recipient.id], payload, ...more };
}
