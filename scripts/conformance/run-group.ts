import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { PeerProgram } from '../../src/peers/maven.ts';
import { failAll, type Feature, type Outcome, type Result, settle } from './cells.ts';
import { fault } from './expectations.ts';
import { Group } from './group.ts';
import { createLab, createLoopback, type Lab } from './lab.ts';
import type { GroupSpec } from './specs.ts';

export interface RunOptions {
  readonly seed: number;
  readonly programs: ReadonlyMap<string, PeerProgram>;
  /** Each group keeps its logs and captures in a folder of its own below, if a cell of it fails. */
  readonly folder: string;
  /** Without namespaces, why: then ours lose datagrams themselves, and nothing can be cut off. */
  readonly noLab: string | null;
  readonly onResults: (results: readonly Result[], ms: number) => void;
}

const CLOSE_LIMIT_MS = 20_000;

/** Starts the processes of one group and runs the features through them, one after another. */
export async function runGroup(
  spec: GroupSpec,
  features: readonly Feature[],
  options: RunOptions,
): Promise<Result[]> {
  const { seed, programs, onResults } = options;
  const folder = join(options.folder, spec.name.replaceAll(/[^\w.]+/g, '-'));
  const results: Result[] = [];
  const add = (more: readonly Result[], ms: number): void => {
    results.push(...more);
    onResults(more, ms);
  };
  const pending = [...features];
  let lab: Lab | null = null;
  let group: Group | null = null;
  try {
    const hosts = spec.members.length + 1; // one for who joins
    const network =
      options.noLab === null ? await createLab(hosts, spec.network.loss) : createLoopback(hosts);
    lab = network;
    group = await startAlone(() => Group.start({ spec, lab: network, seed, programs, folder }));
    const outcomes: Outcome[] = [];
    for (let feature = pending[0]; feature !== undefined; feature = pending[0]) {
      if (feature.needsLab === true && options.noLab !== null) {
        add(failAll(spec, feature, 'skipped', `no network namespaces: ${options.noLab}`, seed), 0);
      } else {
        const start = performance.now();
        const outcome = await feature.run(group);
        outcomes.push(outcome);
        const ms = performance.now() - start;
        add(settle(group, feature, outcome, ms), ms);
      }
      pending.shift();
    }
    add(await lateFaults(group, lab, outcomes, results), 0);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' / ');
    const [first, ...rest] = pending;
    if (first !== undefined) add(failAll(spec, first, 'failed', reason, seed), 0);
    const after = `not tried after '${first?.name ?? ''}' failed`;
    for (const feature of rest) add(failAll(spec, feature, 'failed', after, seed), 0);
  } finally {
    await closeAll(group, lab);
    if (results.every(({ status }) => status !== 'failed'))
      await rm(folder, { recursive: true, force: true });
  }
  return results;
}

let starting: Promise<unknown> = Promise.resolve();

/** One group after another: virtual machines that start all at once take a minute each. */
function startAlone(start: () => Promise<Group>): Promise<Group> {
  const started = starting.then(start);
  starting = started.catch(() => undefined);
  return started;
}

/** A duplicate may come long after its message: all features are looked at once more when the group has run. */
async function lateFaults(
  group: Group,
  lab: Lab,
  outcomes: readonly Outcome[],
  results: readonly Result[],
): Promise<Result[]> {
  const late = { group: group.spec.name, feature: 'nothing came later that must not', messages: 0, ms: 0 };
  const known = new Set(results.flatMap(({ reason }) => reason.split('; ')));
  const found: Result[] = [];
  for (const { from, to, reason } of allFaults(outcomes)) {
    if (known.has(reason)) continue;
    const direction = `${from} -> ${to}` as Result['direction'];
    found.push({ ...late, direction, status: 'failed', reason, seed: group.seed });
  }
  const { loss } = group.spec.network;
  if (lab.losesDatagrams && loss > 0 && (await lab.lost()) === 0) {
    const reason = 'the network lost nothing: this group has shown less than it says';
    found.push({ ...late, direction: 'ours -> JVM', status: 'failed', reason, seed: group.seed });
  }
  return found;
}

function* allFaults(outcomes: readonly Outcome[]): Generator<{ from: string; to: string; reason: string }> {
  for (const expectation of outcomes.flatMap(({ expectations }) => expectations)) {
    const reason = fault(expectation);
    if (reason !== null) yield { from: expectation.from.kind, to: expectation.to.kind, reason };
  }
}

async function closeAll(group: Group | null, lab: Lab | null): Promise<void> {
  const limit = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_LIMIT_MS).unref());
  await Promise.race([group?.close(), limit]);
  await Promise.race([lab?.close(), limit]);
}
