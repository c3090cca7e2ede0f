/** Two processes on loopback: one sends, the other says after every few messages how many it has. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { FromPeer, PeerSettings, ToPeer } from './peer.ts';
import { median } from './timing.ts';

interface Sample {
  readonly rate: number;
  /** Microseconds of processor time a message. */
  readonly sender: number;
  readonly receiver: number;
}

/** So that large messages do not take longer than small ones. */
const MAX_BYTES = 2e9;

/** `modes` take turns, `runs` times over. */
export async function measurePairs(
  sizes: readonly number[],
  modes: readonly string[],
  messages: number,
  runs: number,
): Promise<Record<string, string | number>[]> {
  const rows: Record<string, string | number>[] = [];
  for (const size of sizes) {
    const samples = new Map<string, Sample[]>(modes.map((mode) => [mode, []]));
    for (let run = 0; run < runs; run++) {
      for (const mode of modes) samples.get(mode)?.push(await measurePair(mode, size, messages));
    }
    for (const [mode, taken] of samples) {
      rows.push({
        bytes: size,
        mode,
        'messages/s': Math.round(median(taken.map(({ rate }) => rate))),
        'MB/s': Math.round(median(taken.map(({ rate }) => (rate * size) / 1e6))),
        'sender us': Number(median(taken.map(({ sender }) => sender)).toFixed(2)),
        'receiver us': Number(median(taken.map(({ receiver }) => receiver)).toFixed(2)),
      });
    }
  }
  return rows;
}

async function measurePair(mode: string, size: number, most: number): Promise<Sample> {
  const messages = Math.max(200, Math.min(most, Math.floor(MAX_BYTES / size)));
  const settings = (sends: boolean): PeerSettings => ({ mode, size, messages, sends });
  const [sender, receiver] = [start(settings(true)), start(settings(false))];
  try {
    const ids = await Promise.all([sender, receiver].map((peer) => next(peer, 'bound')));
    const members = ids.map(({ member }) => member);
    for (const peer of [sender, receiver]) tell(peer, { type: 'begin', members });
    const [sent, received] = await Promise.all([next(sender, 'result'), next(receiver, 'result')]);
    return {
      rate: (received.messages * 1000) / received.ms,
      sender: sent.cpuUs / sent.messages,
      receiver: received.cpuUs / received.messages,
    };
  } finally {
    for (const peer of [sender, receiver]) if (peer.connected) peer.disconnect(); // which ends it
  }
}

function start(settings: PeerSettings): ChildProcess {
  const file = fileURLToPath(new URL('peer.ts', import.meta.url));
  return fork(file, [JSON.stringify(settings)], {
    execArgv: ['--import=tsx', ...process.execArgv.filter((argument) => argument.startsWith('--cpu-prof'))],
  });
}

function tell(peer: ChildProcess, message: ToPeer): void {
  peer.send(message);
}

async function next<T extends FromPeer['type']>(
  peer: ChildProcess,
  type: T,
): Promise<FromPeer & { readonly type: T }> {
  const gone = once(peer, 'exit').then(([code]) => {
    throw new Error(`a process of the benchmark ended with ${String(code)}`);
  });
  gone.catch(() => undefined);
  const [message] = (await Promise.race([once(peer, 'message'), gone])) as [FromPeer];
  if (message.type !== type) throw new Error(`${message.type} came where ${type} was expected`);
  return message as FromPeer & { readonly type: T };
}
