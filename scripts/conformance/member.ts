import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

import type { JvmPeerEvent } from '../../src/peers/events.ts';
import { JvmPeer } from '../../src/peers/jvm-peer.ts';
import type { PeerProgram } from '../../src/peers/maven.ts';
import { SteeredPeer } from '../../src/peers/steered-peer.ts';
import { createMemberId, type MemberId } from '../../src/protocol/member-id.ts';
import { type DeliveryCounts, DeliveryRecord } from '../../src/rehearsal/delivery-record.ts';
import { streamOf } from '../../src/rehearsal/numbered-payload.ts';
import type { Host } from './lab.ts';
import type { GroupSpec, MemberSpec } from './specs.ts';

export interface MemberOptions {
  readonly spec: MemberSpec;
  readonly group: GroupSpec;
  readonly host: Host;
  /** 0: any. */
  readonly port: number;
  readonly uuid: string;
  /** `jvm1`, `own2`: also the name of its files. */
  readonly label: string;
  readonly seed: number;
  /** Of the group, where it goes by IP multicast: groups on one host must not hear each other. */
  readonly multicastPort: number;
  /** Whether our own members lose datagrams themselves, for want of a network that does. */
  readonly losesOwn: boolean;
  readonly programs: ReadonlyMap<string, PeerProgram>;
  /** Where its events and captures go. */
  readonly folder: string;
}

const OWN_PEER = join(import.meta.dirname, 'own-peer.ts');
/** Geode's default. */
const MULTICAST_ADDRESS = '239.192.81.1';
/** A machine may be busy with other things. */
const START_TIMEOUT_MS = 180_000;
/** Lines of events that are written together. */
const LOG_LINES = 200;
const NOTHING: Readonly<DeliveryCounts> = new DeliveryRecord('').counts;

/** One process of a group, and the books of what it says that it delivered. */
export class ConformanceMember {
  readonly label: string;
  readonly kind: MemberSpec['kind'];
  readonly options: MemberOptions;
  readonly peer: SteeredPeer;
  /** When it last delivered something, on `performance.now`'s clock. */
  lastDeliveryMs = 0;
  /** Messages that are not numbered, as text. */
  readonly raw: { readonly from: string; readonly text: string }[] = [];
  alive = true;
  readonly #records: Map<string, DeliveryRecord>;
  readonly #log: EventLog;

  private constructor(options: MemberOptions, peer: SteeredPeer, inbox: Inbox) {
    this.options = options;
    this.label = options.label;
    this.kind = options.spec.kind;
    this.peer = peer;
    this.#records = inbox.records;
    this.#log = inbox.log;
    inbox.onDelivery = () => {
      this.lastDeliveryMs = performance.now();
    };
    inbox.onRaw = (from, text) => this.raw.push({ from, text });
  }

  static async start(options: MemberOptions): Promise<ConformanceMember> {
    const inbox = new Inbox(join(options.folder, `${options.label}.jsonl`));
    const onEvent = (event: JvmPeerEvent): void => inbox.handle(event);
    const peer =
      options.spec.kind === 'JVM' ? await startJvm(options, onEvent) : await startOwn(options, onEvent);
    const member = new ConformanceMember(options, peer, inbox);
    peer.setReportDeliveries(true);
    await peer.stats(); // commands are carried out in turn: now it is on
    return member;
  }

  get id(): MemberId {
    return this.peer.memberId;
  }

  /** What it delivered of one stream of a sender. */
  received(from: string, stream: number): Readonly<DeliveryCounts> {
    return this.#records.get(`${from}/${stream}`)?.counts ?? NOTHING;
  }

  /** Missing numbers, lowest first. */
  gaps(from: string, stream: number): [number, number][] {
    return this.#records.get(`${from}/${stream}`)?.gaps() ?? [];
  }

  /** Messages of this sender whose checksum, length or name is wrong. */
  corrupt(): number {
    let sum = 0;
    for (const record of this.#records.values()) sum += record.counts.corrupt;
    return sum;
  }

  /** `sender/stream` of all that arrived. */
  streams(): IterableIterator<string> {
    return this.#records.keys();
  }

  async kill(): Promise<void> {
    this.alive = false;
    await this.peer.kill();
    this.#log.flush();
  }

  async quit(): Promise<void> {
    this.alive = false;
    await this.peer.quit();
    this.#log.flush();
  }

  flushLog(): void {
    this.#log.flush();
    this.#log.write(this.peer.stderr.map((line) => JSON.stringify({ stderr: line })));
  }
}

/** Takes a peer's events: its log is the judge of what it delivered. */
class Inbox {
  readonly records = new Map<string, DeliveryRecord>();
  readonly log: EventLog;
  onDelivery: () => void = () => undefined;
  onRaw: (from: string, text: string) => void = () => undefined;

  constructor(file: string) {
    this.log = new EventLog(file);
  }

  handle(event: JvmPeerEvent): void {
    this.log.add(event);
    if (event.ev !== 'deliver') return;
    if (event.number === undefined) {
      this.onRaw(event.from, event.text ?? '');
      return;
    }
    const corrupt = event.number < 0;
    const { stream, number } = corrupt ? { stream: 0, number: 0 } : streamOf(event.number);
    const key = `${event.from}/${stream}`;
    let record = this.records.get(key);
    if (record === undefined) this.records.set(key, (record = new DeliveryRecord(event.from)));
    record.handle(corrupt ? 'corrupt' : { sender: event.from, number }, event.len);
    this.onDelivery();
  }
}

/** All events of one member, a JSON object a line, with milliseconds of the clock of `performance.now`. */
class EventLog {
  readonly #file: string;
  #lines: string[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  add(event: JvmPeerEvent): void {
    this.#lines.push(JSON.stringify({ ms: Math.round(performance.now()), ...event }));
    if (this.#lines.length >= LOG_LINES) this.flush();
  }

  flush(): void {
    this.write(this.#lines);
    this.#lines = [];
  }

  write(lines: readonly string[]): void {
    if (lines.length > 0) appendFileSync(this.#file, `${lines.join('\n')}\n`);
  }
}

function startJvm(options: MemberOptions, onEvent: (event: JvmPeerEvent) => void): Promise<JvmPeer> {
  const { spec, group, host, port, uuid, label } = options;
  if (spec.kind !== 'JVM') throw new Error(`${label} is no JVM`);
  const program = options.programs.get(spec.version);
  const { carrier, maxCredits, jvmFragSize } = group;
  const [wrapper, ...more] = host.wrapper;
  return JvmPeer.start({
    version: spec.version,
    host: host.address,
    port,
    uuid,
    name: label,
    heapMegabytes: 64,
    receiveBufferBytes: group.receiveBufferBytes,
    ...(carrier === 'none' ? {} : { stackFile: 'jgroups-mcast.xml', group: carrier }),
    ...(group.rsvpTimeoutMs === undefined ? {} : { rsvpTimeoutMs: group.rsvpTimeoutMs }),
    stack: {
      // of Geode's 0: from another host nobody would hear it
      MCAST_TTL: 1,
      MCAST_ADDRESS: MULTICAST_ADDRESS,
      MCAST_PORT: options.multicastPort,
      ...(maxCredits === undefined ? {} : { FC_MAX_CREDITS: maxCredits }),
      ...(jvmFragSize === undefined ? {} : { UDP_FRAGMENT_SIZE: jvmFragSize }),
    },
    ...(wrapper === undefined ? {} : { wrapper: [wrapper, ...more] }),
    ...(program === undefined ? {} : { program }),
    startTimeoutMs: START_TIMEOUT_MS,
    onEvent,
  });
}

function startOwn(options: MemberOptions, onEvent: (event: JvmPeerEvent) => void): Promise<SteeredPeer> {
  const { group, host, port, uuid, label, seed, folder } = options;
  const { loss, duplicate, reorder } = group.network;
  const [program = '', ...args] = [
    ...host.wrapper,
    process.execPath,
    '--import=tsx',
    OWN_PEER,
    `host=${host.address}`,
    `port=${port}`,
    `uuid=${uuid}`,
    `seed=${seed}`,
    `group=${group.carrier === 'ip' ? `${MULTICAST_ADDRESS}:${options.multicastPort}` : group.carrier}`,
    `loss=${options.losesOwn ? loss : 0}`,
    `duplicate=${duplicate}`,
    `reorder=${reorder}`,
    `record=${join(folder, `${label}.pcapng`)}`,
    ...(group.maxCredits === undefined ? [] : [`maxCredits=${group.maxCredits}`]),
    ...(group.rsvpTimeoutMs === undefined ? [] : [`rsvp=${group.rsvpTimeoutMs}`]),
  ];
  const wanted = createMemberId({ host: host.address, port, uuid, viewId: 0, name: label });
  return SteeredPeer.run({
    program,
    args,
    wanted,
    version: 'rollgate',
    startTimeoutMs: START_TIMEOUT_MS,
    onEvent,
  });
}
