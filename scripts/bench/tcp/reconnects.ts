import { startNode } from '../harness/node.ts';
import type { Sample } from '../harness/types.ts';
import type { Programs } from './processes.ts';

/** Longer than any reset takes. */
const MS_A_RESET = 2_000;

/** Resets of the connection between two members under load; broken if a message is lost, doubled or out of order. */
export async function reconnects(count: number, { ownOptions, nodeFlags }: Programs): Promise<Sample> {
  const args = [`options=${JSON.stringify(ownOptions)}`];
  const one = await startNode('reconnect', 'tcp/reconnect-worker', args, { nodeFlags });
  try {
    const before = one.cpuSeconds();
    const done = await one.request(`resets ${count}`, 'resets', 10_000 + count * MS_A_RESET);
    const number = (name: string): number => Number(done[name]);
    return {
      metrics: { p50: number('p50Ms'), p99: number('p99Ms'), max: number('maxMs') },
      messages: number('messages'),
      cpuSeconds: one.cpuSeconds() - before,
      residentBytes: one.residentBytes(),
      drops: 0,
    };
  } finally {
    await one.kill();
  }
}
