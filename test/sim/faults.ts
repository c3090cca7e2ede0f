import type { Rng } from '../../src/protocol/rng.ts';
import type { NetworkFaults } from './virtual-network.ts';

/** Half of all draws are zero: faults are met one by one as well as together. */
function upTo(rng: Rng, limit: number): number {
  return rng.next() < 0.5 ? 0 : rng.next() * limit;
}

/** From a quiet network to one that hardly works. */
export function randomFaults(rng: Rng): NetworkFaults {
  const minLatencyMs = 0.05 + upTo(rng, 10);
  return {
    loss: upTo(rng, 0.3),
    duplicate: upTo(rng, 0.2),
    reorder: upTo(rng, 0.3),
    reorderDelayMs: upTo(rng, 100) + 1,
    minLatencyMs,
    maxLatencyMs: minLatencyMs + 0.05 + upTo(rng, 20),
    reset: upTo(rng, 0.02),
    stall: upTo(rng, 0.02),
    stallMs: upTo(rng, 3_000),
    refuse: upTo(rng, 0.4),
    cut: 0,
    mute: 0,
  };
}

/** The same for TCP alone: connections are cut at all sorts of bytes, and some are only half there. */
export function randomStreamFaults(rng: Rng): NetworkFaults {
  return { ...randomFaults(rng), cut: upTo(rng, 0.6), mute: upTo(rng, 0.3) };
}
