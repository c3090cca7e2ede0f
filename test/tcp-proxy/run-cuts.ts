import { setTimeout as sleep } from 'node:timers/promises';

import { below, type Rng } from '../../src/protocol/rng.ts';
import type { PlanSource } from './link.ts';
import type { WireOptions } from './members.ts';
import { Pair } from './pair.ts';
import { CUT_KINDS, type CutKind, type CutPlan, DENSE_BYTES } from './plans.ts';

const FLUSH_MS = 20_000;
const POLL_MS = 20;

export interface CutRunOptions extends Omit<WireOptions, 'redirect' | 'seed'> {
  readonly plans: readonly CutPlan[];
  readonly rng: Rng;
  /** Pairs of members that share the plans, at the same time. */
  readonly pairs: number;
  /** Gives up after so long. */
  readonly timeoutMs: number;
  /** Called now and then with the number of cuts so far. */
  readonly progress?: (cuts: number) => void;
}

export interface CutResult {
  readonly cuts: number;
  readonly wanted: number;
  readonly byKind: Readonly<Record<CutKind, number>>;
  /** Different offsets below 4 KiB at which a cut was made. */
  readonly denseOffsets: Readonly<Record<CutPlan['direction'], number>>;
  readonly connections: number;
  readonly messages: number;
  readonly retransmissions: number;
  readonly duplicates: number;
  readonly stalls: number;
  /** That were finished, of both ends; 0 in plaintext. */
  readonly tlsHandshakes: number;
  /** Sorted. */
  readonly recoveryMs: readonly number[];
  readonly tookMs: number;
  readonly cpuMs: number;
  /** What did not hold; empty: no message was lost, repeated or out of order. */
  readonly wrong: readonly string[];
}

/** Plans are handed out to connections as they come; one whose connection ended before goes to another. */
class SharedPlans implements PlanSource {
  readonly #left: CutPlan[];
  readonly #rng: Rng;
  readonly done: (plan: CutPlan) => void;
  cuts = 0;
  readonly byKind = Object.fromEntries(CUT_KINDS.map((kind) => [kind, 0])) as Record<CutKind, number>;
  readonly offsets = { forward: new Set<number>(), backward: new Set<number>() };

  constructor(plans: readonly CutPlan[], rng: Rng) {
    this.#left = [...plans];
    this.#rng = rng;
    this.done = (plan) => {
      this.cuts++;
      this.byKind[plan.kind]++;
      if (plan.offset < DENSE_BYTES) this.offsets[plan.direction].add(plan.offset);
    };
  }

  next(): CutPlan | null {
    return this.#left.pop() ?? null;
  }

  unused(plan: CutPlan): void {
    // not the next one at once, lest an unlucky plan meet the same fate again and again
    this.#left.splice(below(this.#rng, this.#left.length + 1), 0, plan);
  }
}

/** Cuts connections under load both ways until every plan was carried out, then lets all that is left arrive. */
export async function runCuts(options: CutRunOptions): Promise<CutResult> {
  const { plans, rng, timeoutMs, progress, ...wire } = options;
  const shared = new SharedPlans(plans, rng);
  const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
  const pairs: Pair[] = [];
  for (let i = 0; i < options.pairs; i++) pairs.push(await Pair.start(`p${i}`, shared, rng, wire));
  for (const pair of pairs) pair.run();
  while (shared.cuts < plans.length && performance.now() - startMs < timeoutMs) {
    await sleep(POLL_MS);
    progress?.(shared.cuts);
  }
  const wrong = (await Promise.all(pairs.map((pair) => pair.finish(FLUSH_MS)))).flat();
  if (shared.cuts < plans.length) wrong.push(`only ${shared.cuts} cuts within ${timeoutMs} ms`);
  const cpu = process.cpuUsage(startCpu);
  const links = pairs.flatMap(({ directions }) => directions.map(({ link }) => link));
  const sum = (of: (pair: Pair) => number): number => pairs.reduce((all, pair) => all + of(pair), 0);
  return {
    cuts: shared.cuts,
    wanted: plans.length,
    byKind: shared.byKind,
    denseOffsets: { forward: shared.offsets.forward.size, backward: shared.offsets.backward.size },
    connections: links.reduce((all, { connections }) => all + connections, 0),
    messages: sum(({ directions }) =>
      directions.flatMap((d) => d.ledgers).reduce((n, l) => n + l.delivered, 0),
    ),
    retransmissions: sum((pair) => pair.counter('retransmissions')),
    duplicates: sum((pair) => pair.counter('duplicates')),
    stalls: sum((pair) => pair.counter('stalls')),
    tlsHandshakes: sum((pair) => pair.tlsHandshakes),
    recoveryMs: links.flatMap(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b),
    tookMs: performance.now() - startMs,
    cpuMs: (cpu.user + cpu.system) / 1_000,
    wrong,
  };
}

/** @param sorted ascending */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function describe(name: string, result: CutResult): string {
  const { cuts, connections, messages, recoveryMs, tookMs, cpuMs, wrong } = result;
  const kinds = Object.entries(result.byKind).filter(([, count]) => count > 0);
  const ms = (share: number): string => percentile(recoveryMs, share).toFixed(1);
  return [
    `${name}: ${cuts} cuts (${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ')})`,
    `  at ${result.denseOffsets.forward} offsets of the first 4 KiB forward and ${result.denseOffsets.backward} backward`,
    `  ${connections} connections, ${messages} messages, ${result.retransmissions} frames sent again, ` +
      `${result.duplicates} duplicates dropped, ${result.stalls} stalls noticed`,
    ...(result.tlsHandshakes === 0 ? [] : [`  ${result.tlsHandshakes} ends of TLS handshakes finished`]),
    `  from a reset to the first message after it: median ${ms(0.5)} ms, p99 ${ms(0.99)} ms, ` +
      `longest ${ms(1)} ms (${recoveryMs.length} resets)`,
    `  ${(tookMs / 1_000).toFixed(1)} s, ${(cpuMs / 1_000).toFixed(1)} s of CPU`,
    `  ${wrong.length === 0 ? 'no message lost, repeated or out of order' : wrong.slice(0, 20).join('\n  ')}`,
  ].join('\n');
}
