/**
 * What a scenario does, as scenario.txt has it: first one line for each peer, `---`, then the steps.
 *
 *     GeodePeer idx=0 version=3.6.14 base=21000       (or ClusterPeer ...; the rest are its arguments)
 *     ---
 *     start 2          a ClusterPeer starts here; GeodePeers are all there before the first step
 *     p0: send 1 100 3 a command for a peer; `*:` for all that live (src/recording/java)
 *     sleep 0.5        seconds
 *     await commands   until the peers have carried out what they were told
 *     await delivered  and until all that was sent to living members was delivered
 *     await view 3     until all that live have a view of so many members
 *     kill 2           as a crash
 */
import { JGROUPS_VERSIONS } from '../peers/maven.ts';

export const PEER_VERSIONS = [...JGROUPS_VERSIONS, '2.12.2'] as const;
export type PeerVersion = (typeof PEER_VERSIONS)[number];

export interface PeerLine {
  readonly program: 'GeodePeer' | 'ClusterPeer';
  readonly index: number;
  readonly version: PeerVersion;
  /** `key=value` each. */
  readonly args: readonly string[];
}

export type Step =
  | { readonly do: 'start' | 'kill'; readonly index: number }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'await'; readonly what: 'commands' | 'delivered' }
  | { readonly do: 'await-view'; readonly members: number }
  /** Index null: all. */
  | { readonly do: 'command'; readonly index: number | null; readonly command: string };

export interface Script {
  readonly peers: readonly PeerLine[];
  readonly steps: readonly Step[];
}

/** @throws {Error} that names the line */
export function parseScript(text: string): Script {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const divider = lines.indexOf('---');
  if (divider < 0) throw new Error("the script has no line '---'");
  const peers = lines.slice(0, divider).map(parsePeer);
  const steps = lines.slice(divider + 1).map((line) => parseStep(line, peers.length));
  return { peers, steps };
}

function parsePeer(line: string, index: number): PeerLine {
  const [program, ...args] = line.trim().split(/ +/);
  if (program !== 'GeodePeer' && program !== 'ClusterPeer') throw broken(line);
  const version = PEER_VERSIONS.find((candidate) => args.includes(`version=${candidate}`));
  if (version === undefined || !args.includes(`idx=${index}`)) throw broken(line);
  return { program, index, version, args };
}

function parseStep(line: string, peers: number): Step {
  const command = /^(?:p(\d+)|\*): (\w.*)$/.exec(line);
  if (command !== null) {
    const index = command[1] === undefined ? null : Number(command[1]);
    if (index !== null && index >= peers) throw broken(line);
    return { do: 'command', index, command: command[2] ?? '' };
  }
  const [verb, what, count] = line.split(' ');
  const index = Number(what);
  if ((verb === 'start' || verb === 'kill') && Number.isInteger(index) && index < peers) {
    return { do: verb, index };
  }
  if (verb === 'sleep' && index > 0) return { do: 'sleep', ms: index * 1000 };
  if (verb === 'await' && (what === 'commands' || what === 'delivered')) return { do: 'await', what };
  if (verb === 'await' && what === 'view' && Number(count) > 0) {
    return { do: 'await-view', members: Number(count) };
  }
  throw broken(line);
}

function broken(line: string): Error {
  return new Error(`the script has a line that means nothing: ${line}`);
}
