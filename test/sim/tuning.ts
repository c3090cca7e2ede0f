import type { JGroupsConfig } from '../../src/jgroups/config.ts';
import { below, type Rng } from '../../src/protocol/rng.ts';

/** Settings and habits of a whole cluster, drawn for each seed. */
export interface Tuning {
  readonly jgroups: Partial<JGroupsConfig>;
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
  /** Of each socket; absent: that of Linux. */
  readonly receiveQueueBytes?: number;
}

/** As Geode has it by default: no multicast, large credits. */
export function plainTuning(rng: Rng): Tuning {
  const viewDelayMs = rng.next() < 0.5 ? 5 : 300;
  return { jgroups: {}, queues: {}, groupShare: 0.1, hasGroup: false, digestShare: 0, viewDelayMs };
}

export function groupTuning(rng: Rng, multicast: NonNullable<JGroupsConfig['multicast']>): Tuning {
  const hasSmallQueues = rng.next() < 0.3;
  const highWaterBytes = 10_000 + below(rng, 100_000);
  const hasSmallSockets = rng.next() < 0.2;
  return {
    jgroups: { multicast, ...groupConfig(rng) },
    queues: hasSmallQueues ? { highWaterBytes, hardLimitBytes: 2 * highWaterBytes } : {},
    groupShare: 0.2 + rng.next() * 0.7,
    hasGroup: true,
    digestShare: oneOf(rng, [0, 0.7, 1]),
    viewDelayMs: oneOf(rng, [5, 300, 300, 2_000]),
    ...(hasSmallSockets ? { receiveQueueBytes: 70_000 } : {}),
  };
}

function groupConfig(rng: Rng): Partial<JGroupsConfig> {
  return {
    useMcastXmit: rng.next() < 0.2,
    discardDeliveredMsgs: rng.next() < 0.7,
    fragSize: oneOf(rng, [1_000, 8_000, 60_000, 60_000]),
    // also less than a fragment needs: then one is under way at a time
    maxCredits: oneOf(rng, [5_000, 50_000, 1_048_576, 1_048_576]),
    minThreshold: oneOf(rng, [0.25, 0.4]),
    maxBlockTimeMs: oneOf(rng, [200, 500, 5_000]),
    desiredAvgGossipMs: oneOf(rng, [100, 400, 400, 2_000]),
    stableMaxBytes: oneOf(rng, [0, 3_000, 100_000, 400_000]),
    resendLastSeqnoMaxTimes: oneOf(rng, [1, 1, 3]),
    becomeServerQueueSize: oneOf(rng, [0, 5, 50, 50]),
  };
}

function oneOf<T>(rng: Rng, values: readonly T[]): T {
  return values[below(rng, values.length)] as T;
}
