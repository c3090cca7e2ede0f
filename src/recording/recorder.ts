import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { RecordingProgram } from './programs.ts';
import { RecordedPeer } from './recorded-peer.ts';
import { parseScript, type PeerVersion, type Script, type Step } from './script.ts';
import { Tcpdump, CaptureError } from './tcpdump.ts';
import { RecordingError, TruthLog } from './truth-log.ts';

/** What one scenario came to. */
export interface Recording {
  readonly packets: number;
  readonly sent: number;
  readonly delivered: number;
  /** Datagrams that peers threw away on purpose. */
  readonly dropped: number;
}

/** Joining a busy machine's cluster, or mending the last gap. */
const AWAIT_TIMEOUT_MS = 40_000;
/** So that the tail of an exchange (an ack, at most two ticks of 500 ms) is in the capture as well. */
const TAIL_MS = 1_200;
/** Ports of a scenario: of members, of FD_SOCK, of multicast. */
export const PORTS_OF_SCENARIO = 40;

/**
 * Runs the script and writes capture.pcap, truth.jsonl and scenario.txt into the folder, which is made; files of
 * these names are replaced when all went well, and else left alone.
 * @param firstPort the scenario's ports begin here
 * @throws {CaptureError} {RecordingError} {JvmPeerError}
 */
export async function recordScenario(
  text: string,
  firstPort: number,
  programs: ReadonlyMap<PeerVersion, RecordingProgram>,
  folder: string,
  signal: AbortSignal,
): Promise<Recording> {
  const script = parseScript(text);
  await makeFolder(resolve(folder));
  const draft = join(folder, '.capture.pcap');
  const tcpdump = await Tcpdump.start(draft, `portrange ${firstPort}-${firstPort + PORTS_OF_SCENARIO - 1}`);
  const run = new Run(script, programs, signal);
  try {
    await run.play();
    const packets = await tcpdump.stop();
    await writeFile(join(folder, 'truth.jsonl'), run.truth.toText());
    await writeFile(join(folder, 'scenario.txt'), text);
    await rename(draft, join(folder, 'capture.pcap'));
    const { truth } = run;
    return {
      packets,
      sent: truth.count('send'),
      delivered: truth.count('deliver'),
      dropped: truth.count('rx-dropped'),
    };
  } finally {
    await Promise.all([run.end(), tcpdump.kill()]);
    await rm(draft, { force: true });
  }
}

/** Folder by folder: node's own recursive way never ends where a parent refuses with ENOENT, as /proc does. */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeFolder(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    if (existsSync(path)) return;
    throw new CaptureError(`cannot make the folder ${path}: ${String(error)}`);
  }
}

class Run {
  readonly truth = new TruthLog();
  readonly #script: Script;
  readonly #programs: ReadonlyMap<PeerVersion, RecordingProgram>;
  readonly #signal: AbortSignal;
  readonly #peers = new Map<number, RecordedPeer>();

  constructor(script: Script, programs: ReadonlyMap<PeerVersion, RecordingProgram>, signal: AbortSignal) {
    this.#script = script;
    this.#programs = programs;
    this.#signal = signal;
  }

  async play(): Promise<void> {
    const geode = this.#script.peers.filter((peer) => peer.program === 'GeodePeer');
    await Promise.all(geode.map((peer) => this.#start(peer.index)));
    for (const step of this.#script.steps) await this.#take(step);
    await this.#await('delivered');
    await this.#sleep(TAIL_MS);
    // One by one, the youngest first: nobody waits for a coordinator that is leaving too.
    for (const peer of this.#living().reverse()) await peer.quit();
    const unasked = this.truth.unasked();
    if (unasked.length > 0) throw new RecordingError(`delivered, but not sent: ${unasked.join(', ')}`);
  }

  /** Nothing lives after it. */
  async end(): Promise<void> {
    await Promise.all([...this.#peers.values()].map((peer) => peer.kill()));
  }

  #living(): RecordedPeer[] {
    return [...this.#peers.values()].filter((peer) => !peer.isKilled);
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'start':
        return this.#start(step.index);
      case 'kill':
        return this.#peer(step.index).crash();
      case 'sleep':
        return this.#sleep(step.ms);
      case 'await':
        return this.#await(step.what);
      case 'await-view': {
        const names = this.#living().map((peer) => peer.name);
        return this.#until(`a view of ${step.members}`, () => this.truth.haveViewOf(step.members, names));
      }
      case 'command': {
        const peers = step.index === null ? this.#living() : [this.#peer(step.index)];
        for (const peer of peers) peer.tell(step.command);
      }
    }
  }

  #peer(index: number): RecordedPeer {
    const peer = this.#peers.get(index);
    if (peer === undefined) throw new RecordingError(`peer ${index} was not started`);
    return peer;
  }

  async #start(index: number): Promise<void> {
    const line = this.#script.peers[index];
    const program = line === undefined ? undefined : this.#programs.get(line.version);
    if (line === undefined || program === undefined) throw new RecordingError(`there is no peer ${index}`);
    const peer = new RecordedPeer(line, program, this.truth);
    this.#peers.set(index, peer);
    await this.#until(`${peer.name} to start`, () => peer.isUp);
  }

  async #await(what: 'commands' | 'delivered'): Promise<void> {
    await this.#until('commands to be carried out', () => this.#living().every((peer) => !peer.isBusy));
    if (what === 'commands') return;
    try {
      await this.#until('deliveries', () => this.truth.undelivered().length === 0);
    } catch (error) {
      const missing = this.truth.undelivered();
      if (missing.length === 0) throw error;
      throw new RecordingError(`not delivered: ${missing.join(', ')}`, { cause: error });
    }
  }

  #until(what: string, holds: () => boolean): Promise<void> {
    return this.truth.until(what, holds, AWAIT_TIMEOUT_MS, this.#signal);
  }

  /** Also ends early, by failing, when a peer fails. */
  async #sleep(ms: number): Promise<void> {
    const end = performance.now() + ms;
    const timer = setTimeout(() => this.truth.wake(), ms);
    try {
      await this.truth.until('', () => performance.now() >= end - 1, ms + AWAIT_TIMEOUT_MS, this.#signal);
    } finally {
      clearTimeout(timer);
    }
  }
}
