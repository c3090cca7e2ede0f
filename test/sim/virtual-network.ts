import { crc32 } from 'node:zlib';

import type { BindOptions, PortPair } from '../../src/protocol/environment.ts';
import { TransportError } from '../../src/protocol/errors.ts';
import { below, seededRng, type Rng } from '../../src/protocol/rng.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { VirtualDatagramSocket } from './virtual-datagram.ts';
import type { Death, VirtualEnvironment } from './virtual-environment.ts';
import { VirtualStreamListener } from './virtual-stream.ts';

/** What goes wrong, now; may be replaced at any time. Probabilities are 0..1. */
export interface NetworkFaults {
  /** Of a datagram. */
  readonly loss: number;
  readonly duplicate: number;
  /** Held back for up to `reorderDelayMs` more, so that later ones pass it. */
  readonly reorder: number;
  readonly reorderDelayMs: number;
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  /** Of each chunk of a stream that arrives: the connection is reset, or stands still for up to `stallMs`. */
  readonly reset: number;
  readonly stall: number;
  readonly stallMs: number;
  /** Of an attempt to connect. */
  readonly refuse: number;
  /** Of each direction of a new connection: after some bytes, drawn beforehand, it ends in one of the ways of `Fate`. */
  readonly cut: number;
  /** Of a new connection: it is accepted, and then nothing gets through it, either way. */
  readonly mute: number;
}

/**
 * What becomes of a direction that is cut: the whole connection is `reset`; its reader is told of an orderly `end`
 * in the middle of what was written; it `hang`s for good; or its writer is reset, and its reader hears nothing of it.
 */
export type Fate = 'reset' | 'end' | 'hang' | 'half-open';

const FATES: readonly Fate[] = ['reset', 'end', 'hang', 'half-open'];

/** Before the first byte, within the preamble and the first length, the handshake, the first frames, and later. */
const CUT_CLASSES: readonly (readonly [number, number])[] = [
  [0, 1],
  [1, 10],
  [10, 400],
  [400, 4_096],
  [4_096, 200_000],
];

export const PERFECT: NetworkFaults = {
  loss: 0,
  duplicate: 0,
  reorder: 0,
  reorderDelayMs: 0,
  minLatencyMs: 0.1,
  maxLatencyMs: 1,
  reset: 0,
  stall: 0,
  stallMs: 0,
  refuse: 0,
  cut: 0,
  mute: 0,
};

/** 65535 - 20 (IP) - 8 (UDP): a longer datagram is refused by the kernel (EMSGSIZE). */
const MAX_DATAGRAM_BYTES = 65_507;

/** What the kernel holds for a process that does not read: net.core.rmem_default of Linux. */
const RECEIVE_QUEUE_BYTES = 212_992;

const FIRST_ANY_PORT = 32_768;

/** Who gets a datagram: whoever has the key in `sockets` when it arrives. */
interface Destination {
  readonly host: string;
  readonly key: string;
  /** For the trace. */
  readonly name: string;
  readonly sockets: ReadonlyMap<string, VirtualDatagramSocket>;
}

export interface NetworkOptions {
  readonly seed: number;
  readonly faults?: NetworkFaults;
  /** Checks that buffers are not changed after they were given away. Default true. */
  readonly verifyBuffers?: boolean;
  /** Of each socket; default that of Linux. */
  readonly receiveQueueBytes?: number;
  /** How long a process takes for each datagram; default 0. */
  readonly serviceMs?: number;
  readonly trace?: (line: string) => void;
}

/** UDP and TCP between any number of virtual hosts; all its decisions come from one seed. */
export class VirtualNetwork {
  readonly clock: VirtualClock;
  readonly rng: Rng;
  readonly verifyBuffers: boolean;
  readonly receiveQueueBytes: number;
  readonly serviceMs: number;
  readonly trace: ((line: string) => void) | undefined;
  faults: NetworkFaults;
  readonly counters = {
    datagrams: 0,
    datagramBytes: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    tooLong: 0,
    overflowed: 0,
    unreachable: 0,
    connections: 0,
    refused: 0,
    resets: 0,
    stalls: 0,
    cuts: 0,
    streamBytes: 0,
  };
  readonly listeners = new Map<string, VirtualStreamListener>();
  readonly #sockets = new Map<string, VirtualDatagramSocket>();
  /** By multicast address and port: who hears them, by its own address and port. */
  readonly #groups = new Map<string, Map<string, VirtualDatagramSocket>>();
  readonly #blocked = new Set<string>();
  readonly #deadHosts = new Set<string>();
  /** When the last datagram of a link arrives: what is not reordered on purpose stays in order. */
  readonly #lastArrivalMs = new Map<string, number>();
  #nextAnyPort = FIRST_ANY_PORT;

  constructor(clock: VirtualClock, options: NetworkOptions) {
    this.clock = clock;
    this.rng = seededRng(options.seed);
    this.faults = options.faults ?? PERFECT;
    this.verifyBuffers = options.verifyBuffers ?? true;
    this.receiveQueueBytes = options.receiveQueueBytes ?? RECEIVE_QUEUE_BYTES;
    this.serviceMs = options.serviceMs ?? 0;
    this.trace = options.trace;
  }

  /** Nothing gets from one host to another; the way back is another link. */
  block(fromHost: string, toHost: string): void {
    this.#blocked.add(`${fromHost}>${toHost}`);
  }

  unblock(fromHost: string, toHost: string): void {
    this.#blocked.delete(`${fromHost}>${toHost}`);
  }

  isBlocked(fromHost: string, toHost: string): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(`${fromHost}>${toHost}`);
  }

  /** Ends all partitions and faults. */
  heal(): void {
    this.#blocked.clear();
    this.faults = PERFECT;
  }

  /** A host without power answers nothing, not even with a refusal. */
  isHostDead(host: string): boolean {
    return this.#deadHosts.has(host);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.rng.next() < probability;
  }

  latencyMs(): number {
    const { minLatencyMs, maxLatencyMs } = this.faults;
    return minLatencyMs + this.rng.next() * (maxLatencyMs - minLatencyMs);
  }

  /** 0 if buffers are not verified. */
  checksum(bytes: Uint8Array): number {
    return this.verifyBuffers ? crc32(bytes) : 0;
  }

  /** Resets this share of the open connections. */
  resetStreams(fraction: number): void {
    for (const listener of this.listeners.values()) listener.resetSome(fraction);
  }

  /** What is to become of a direction of a new connection, and after how many bytes; null: nothing. */
  drawCut(isMute: boolean): { readonly fate: Fate; readonly offset: number } | null {
    if (isMute) return { fate: 'hang', offset: 0 };
    if (!this.chance(this.faults.cut)) return null;
    const [from, to] = CUT_CLASSES[below(this.rng, CUT_CLASSES.length)]!;
    return { fate: FATES[below(this.rng, FATES.length)]!, offset: from + below(this.rng, to - from) };
  }

  anyPort(): number {
    return this.#nextAnyPort++;
  }

  /** Resolves in a microtask. */
  // eslint-disable-next-line @typescript-eslint/require-await -- errors are rejections
  async bind(environment: VirtualEnvironment, options: BindOptions): Promise<PortPair> {
    this.clock.wantTurn();
    const port = this.#freePort(options);
    const { host } = options;
    const key = `${host}:${port}`;
    this.#deadHosts.delete(host);
    const udp = options.udp ? new VirtualDatagramSocket(this, environment, host, port) : null;
    const tcp = options.tcp ? new VirtualStreamListener(this, environment, host, port) : null;
    if (udp !== null) {
      this.#sockets.set(key, udp);
      environment.resources.add(udp);
    }
    if (tcp !== null) {
      this.listeners.set(key, tcp);
      environment.resources.add(tcp);
    }
    this.trace?.(`bound ${key}`);
    const pair = { host, port, udp, tcp };
    if (udp === null || options.multicast === undefined) return pair;
    const { address, port: groupPort } = options.multicast;
    const group = `${address}:${groupPort}`;
    const multicast = new VirtualDatagramSocket(this, environment, host, port);
    environment.resources.add(multicast);
    const members = this.#groups.get(group) ?? new Map<string, VirtualDatagramSocket>();
    this.#groups.set(group, members.set(key, multicast));
    return { ...pair, multicast };
  }

  release(resource: VirtualDatagramSocket | VirtualStreamListener, death?: Death): void {
    const key = `${resource.host}:${resource.port}`;
    if (this.#sockets.get(key) === resource) this.#sockets.delete(key);
    if (this.listeners.get(key) === resource) this.listeners.delete(key);
    for (const group of this.#groups.values()) if (group.get(key) === resource) group.delete(key);
    if (death === 'silent') this.#deadHosts.add(resource.host);
    this.clock.wantTurn();
  }

  sendDatagram(from: VirtualDatagramSocket, bytes: Uint8Array, host: string, port: number): void {
    this.counters.datagrams++;
    this.counters.datagramBytes += bytes.length;
    if (bytes.length > MAX_DATAGRAM_BYTES) {
      this.counters.tooLong++;
      this.trace?.(`${from.host}:${from.port} > ${host}:${port} ${bytes.length} bytes: too long`);
      return;
    }
    const group = this.#groups.get(`${host}:${port}`);
    if (group === undefined) {
      const key = `${host}:${port}`;
      this.#send(from, bytes, { host, key, name: key, sockets: this.#sockets });
      return;
    }
    // as with IP_MULTICAST_LOOP, which JGroups leaves on, the sender hears it too; each copy has its own fate
    for (const [key, { host: memberHost }] of group) {
      this.#send(from, bytes, { host: memberHost, key, name: `${host}:${port} at ${key}`, sockets: group });
    }
  }

  #send(from: VirtualDatagramSocket, bytes: Uint8Array, to: Destination): void {
    if (this.isBlocked(from.host, to.host) || this.chance(this.faults.loss)) {
      this.counters.lost++;
      this.trace?.(`${from.host}:${from.port} > ${to.name} ${bytes.length} bytes: lost`);
      return;
    }
    this.#carry(from, bytes, to);
    if (this.chance(this.faults.duplicate)) {
      this.counters.duplicated++;
      this.#carry(from, bytes, to);
    }
  }

  #carry(from: VirtualDatagramSocket, bytes: Uint8Array, to: Destination): void {
    let arrivalMs = this.clock.nowMs + this.latencyMs();
    if (this.chance(this.faults.reorder)) {
      this.counters.reordered++;
      arrivalMs += this.rng.next() * this.faults.reorderDelayMs;
    } else {
      const link = `${from.host}>${to.host}`;
      arrivalMs = Math.max(arrivalMs, this.#lastArrivalMs.get(link) ?? 0);
      this.#lastArrivalMs.set(link, arrivalMs);
    }
    const checksum = this.checksum(bytes);
    this.clock.at(arrivalMs, () => {
      if (this.checksum(bytes) !== checksum) {
        throw new Error(`${from.host}:${from.port} changed a datagram after it had sent it`);
      }
      const target = to.sockets.get(to.key);
      if (target === undefined) this.counters.unreachable++;
      else target.receive(Buffer.from(bytes), from);
      this.trace?.(`${from.host}:${from.port} > ${to.name} ${bytes.length} bytes`);
    });
  }

  #freePort({ host, ports: [first, last], udp, tcp }: BindOptions): number {
    const isFree = (port: number): boolean => {
      const key = `${host}:${port}`;
      return !(udp && this.#sockets.has(key)) && !(tcp && this.listeners.has(key));
    };
    if (first === 0) {
      while (!isFree(this.#nextAnyPort)) this.#nextAnyPort++;
      return this.#nextAnyPort++;
    }
    for (let port = first; port <= last; port++) if (isFree(port)) return port;
    throw new TransportError('EADDRINUSE', `no free port on ${host}: tried ${first}-${last}`);
  }
}
