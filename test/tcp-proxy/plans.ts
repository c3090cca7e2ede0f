import { below, type Rng } from '../../src/protocol/rng.ts';

/**
 * How a connection ends (or hangs) once so many bytes of one direction have passed:
 *
 *     reset        both ends at once
 *     end          a FIN to the reader; what its writer still says is swallowed, the other direction goes on
 *     truncate     bytes are swallowed for some milliseconds: written for the writer, and lost; then a reset
 *     stall        this direction stands still: nothing is read, nothing is forwarded
 *     freeze       both directions stand still
 *     half-open    the connector is reset, the acceptor hears nothing of it
 *     half-closed  the acceptor is reset, the connector hears nothing of it
 *     delay        this direction stands still for some milliseconds and goes on; some bytes later a reset
 *     drip         the last bytes before come one at a time; then a reset
 */
export const CUT_KINDS = [
  'reset',
  'end',
  'truncate',
  'stall',
  'freeze',
  'half-open',
  'half-closed',
  'delay',
  'drip',
] as const;

export type CutKind = (typeof CUT_KINDS)[number];

/** Seen from the member that opened the connection. */
export type Direction = 'forward' | 'backward';

export interface CutPlan {
  readonly kind: CutKind;
  readonly direction: Direction;
  /** Bytes of that direction that pass; 0: none does. */
  readonly offset: number;
  /** How long something is held back or swallowed. */
  readonly holdMs: number;
  /** `delay` only: bytes that pass between the pause and the reset. */
  readonly extraBytes: number;
}

/** Every offset below this is tried in both directions, if there are plans enough. */
export const DENSE_BYTES = 4_096;

/** A later cut, forward: handshake, many frames, and the middle of large messages. */
const MAX_LATER_FORWARD_BYTES = 1024 * 1024;

/** Backward come hardly more than acknowledgements of 13 bytes each: this is some hundreds of them. */
const MAX_LATER_BACKWARD_BYTES = 4 * 1024;

/** What members discover by a timeout only is tried less often, for it takes so long. */
const WEIGHTED_KINDS: readonly CutKind[] = [
  ...(['reset', 'reset', 'reset', 'reset', 'reset', 'reset'] as const),
  ...(['end', 'end', 'end', 'truncate', 'truncate', 'truncate'] as const),
  ...(['delay', 'delay', 'drip', 'drip', 'half-open', 'half-closed'] as const),
  ...(['stall', 'freeze'] as const),
];

/** Longer than members wait in these tests (`IMPATIENT` in members.ts): they have to notice by themselves. */
const HANG_MS = 1_200;

/**
 * So many plans, shuffled. From 2 * 4,096 on every offset of the first 4 KiB of each direction is among them, and the
 * rest are later ones; of fewer, four fifths are spread over the first 4 KiB.
 */
export function createPlans(count: number, rng: Rng): CutPlan[] {
  const dense = Math.min(2 * DENSE_BYTES, count >= 2 * DENSE_BYTES ? count : Math.floor(count * 0.8));
  const plans: CutPlan[] = [];
  const first = below(rng, 2 * DENSE_BYTES);
  for (let i = 0; i < dense; i++) {
    const at = (first + Math.floor((i * 2 * DENSE_BYTES) / dense)) % (2 * DENSE_BYTES);
    plans.push(createPlan(at < DENSE_BYTES ? 'forward' : 'backward', at % DENSE_BYTES, rng));
  }
  while (plans.length < count) {
    // most later offsets lie forward, where the messages are
    const direction = rng.next() < 0.8 ? 'forward' : 'backward';
    plans.push(createPlan(direction, DENSE_BYTES + below(rng, maxLater(direction)), rng));
  }
  return shuffle(plans, rng);
}

/** More than the largest message that is sent here: at least one gets through between two resets. */
const RESET_FROM_BYTES = 300 * 1024;

/** Resets only, so far apart that each can be recovered from. */
export function createResets(count: number, rng: Rng): CutPlan[] {
  return Array.from({ length: count }, () => ({
    ...createPlan('forward', RESET_FROM_BYTES + below(rng, RESET_FROM_BYTES), rng),
    kind: 'reset' as const,
  }));
}

function createPlan(direction: Direction, offset: number, rng: Rng): CutPlan {
  const kind = WEIGHTED_KINDS[below(rng, WEIGHTED_KINDS.length)] as CutKind;
  const hangs = kind !== 'delay' && kind !== 'truncate';
  return {
    kind,
    direction,
    offset,
    holdMs: hangs ? HANG_MS : 1 + below(rng, 40),
    extraBytes: below(rng, 5_000),
  };
}

function maxLater(direction: Direction): number {
  return direction === 'forward' ? MAX_LATER_FORWARD_BYTES : MAX_LATER_BACKWARD_BYTES;
}

function shuffle<T>(items: T[], rng: Rng): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = below(rng, i + 1);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}
