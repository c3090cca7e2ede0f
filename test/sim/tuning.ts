import type { JGroupsConfig } from '../../src/jgroups/config.ts';
import type { TcpTimings } from '../../src/tcp/limits.ts';
import { below, type Rng } from '../../src/protocol/rng.ts';
import type { NetworkOptions } from './virtual-network.ts';

/** Settings and habits of a whole cluster, drawn for each seed. */
export interface Tuning {
  readonly jgroups: Partial<JGroupsConfig>;
  /** Times of the TCP stack that are not its defaults. */
  readonly tcp: Partial<TcpTimings>;
  /** Marks of the messengers' queues; absent: the default, which the simulator's traffic hardly reaches. */
  readonly queues: { readonly highWaterBytes?: number; readonly hardLimitBytes?: number };
  /** Of the messages: those to all. */
  readonly groupShare: number;
  /** 'all' is a group message, in order with other such messages only, as in JGroups. */
  readonly hasGroup: boolean;
  /** Of the joiners: those that get a digest. */
  readonly digestShare: number;
  /** Each member installs a view after up to this. */
  readonly viewDelayMs: number;
  /** How much a socket holds, and how long its process takes for a datagram. */
  readonly network: Pick<NetworkOptions, 'receiveQueueBytes' | 'serviceMs'>;
}

/** Geode's settings, and what a messenger of the reference knows of them: nothing. */
export function plainTuning(rng: Rng): Tuning {
  return { ...quiet(rng), jgroups: {} };
}

/** TCP alone. */
export function tcpTuning(rng: Rng): Tuning {
  return { ...quiet(rng), tcp: oneOf(rng, TCP_TIMINGS), queues: randomQueues(rng) };
}

/** As they are, as impatient as one may be, and slow to acknowledge. */
const TCP_TIMINGS: readonly Partial<TcpTimings>[] = [
  {},
  { handshakeTimeoutMs: 500, pingIntervalMs: 100, stallTimeoutMs: 500, idleTimeoutMs: 1_500, ackDelayMs: 0 },
  { stallTimeoutMs: 2_000, idleTimeoutMs: 6_000, ackDelayMs: 50, backoffMaxMs: 200 },
];

/** No multicast. */
export function unicastTuning(rng: Rng): Tuning {
  return {
    ...quiet(rng),
    jgroups: unicastConfig(rng),
    queues: randomQueues(rng),
    network: randomSockets(rng),
  };
}

function quiet(rng: Rng): Tuning {
  const viewDelayMs = rng.next() < 0.5 ? 5 : 300;
  const settings = { jgroups: {}, tcp: {}, queues: {}, network: {} };
  return { ...settings, groupShare: 0.1, hasGroup: false, digestShare: 0, viewDelayMs };
}

export function groupTuning(rng: Rng, multicast: NonNullable<JGroupsConfig['multicast']>): Tuning {
  return {
    tcp: {},
    jgroups: { multicast, ...unicastConfig(rng), ...groupConfig(rng) },
    queues: randomQueues(rng),
    network: randomSockets(rng),
    groupShare: 0.2 + rng.next() * 0.7,
    hasGroup: true,
    digestShare: oneOf(rng, [0, 0.7, 1]),
    viewDelayMs: oneOf(rng, [5, 300, 300, 2_000]),
  };
}

function randomQueues(rng: Rng): Tuning['queues'] {
  const highWaterBytes = 10_000 + below(rng, 100_000);
  return rng.next() < 0.3 ? { highWaterBytes, hardLimitBytes: 2 * highWaterBytes } : {};
}

/** Half the time a process is as fast as it likes, else some overrun what the socket holds. */
function randomSockets(rng: Rng): Tuning['network'] {
  if (rng.next() < 0.5) return {};
  const receiveQueueBytes = oneOf(rng, [16_000, 65_536, 65_536, 65_536]);
  return { receiveQueueBytes, serviceMs: 0.02 + rng.next() * 0.2 };
}

function unicastConfig(rng: Rng): Partial<JGroupsConfig> {
  const maxBundleSize = oneOf(rng, [1_500, 8_000, 64_000]);
  return {
    ignoreDontBundle: rng.next() < 0.5,
    maxBundleSize,
    ...oneOf(rng, WINDOWS),
    fragSize: oneOf(rng, [1_000, 8_000, 60_000, 60_000]),
    // also less than a fragment needs: then one is under way at a time
    maxCredits: oneOf(rng, [5_000, 50_000, 1_048_576, 1_048_576]),
    minThreshold: oneOf(rng, [0.25, 0.4]),
    maxBlockTimeMs: oneOf(rng, [200, 500, 5_000]),
  };
}

/** Paced as by default, with hardly anything under way, and not at all, as JGroups. */
const WINDOWS: readonly Partial<JGroupsConfig>[] = [
  {},
  { initialWindowBytes: 2_000, maxWindowBytes: 10_000 },
  { initialWindowBytes: 0 },
];

function groupConfig(rng: Rng): Partial<JGroupsConfig> {
  return {
    useMcastXmit: rng.next() < 0.2,
    discardDeliveredMsgs: rng.next() < 0.7,
    desiredAvgGossipMs: oneOf(rng, [100, 400, 400, 2_000]),
    stableMaxBytes: oneOf(rng, [0, 3_000, 100_000, 400_000]),
    resendLastSeqnoMaxTimes: oneOf(rng, [1, 1, 3]),
    becomeServerQueueSize: oneOf(rng, [0, 5, 50, 50]),
  };
}

function oneOf<T>(rng: Rng, values: readonly T[]): T {
  return values[below(rng, values.length)] as T;
}
