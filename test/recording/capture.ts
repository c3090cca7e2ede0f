import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { decodeAnyDatagram, encodeAnyDatagram } from '../../codecs/jgroups/registry.ts';
import { TcpFrameDecoder } from '../../codecs/jgroups/tcp-framing.ts';
import { CaptureReader } from '../../codecs/pcap/index.ts';
import { TruthLog, type TruthEvent } from '../../src/recording/truth-log.ts';

/** A recorded scenario, as a reader of its folder finds it. */
export interface Recorded {
  readonly scenario: string;
  readonly truth: readonly TruthEvent[];
  /** Datagrams of the capture: of UDP, and of JGroups' TCP transport. */
  readonly datagrams: readonly Buffer[];
  /** Those of UDP by the port that they went to. */
  readonly byPort: ReadonlyMap<number, readonly Buffer[]>;
  /** What is wrong with the capture as a file. */
  readonly faults: readonly string[];
}

export function readRecorded(folder: string): Recorded {
  const reader = new CaptureReader();
  const items = [...reader.push(readFileSync(join(folder, 'capture.pcap'))), ...reader.end()];
  const streams = new Map<number, TcpFrameDecoder>();
  const datagrams: Buffer[] = [];
  const byPort = new Map<number, Buffer[]>();
  const faults: string[] = [];
  for (const item of items) {
    if (item.kind === 'udp') {
      datagrams.push(item.payload);
      byPort.set(item.to.port, [...(byPort.get(item.to.port) ?? []), item.payload]);
    }
    if (item.kind === 'error') faults.push(`frame ${item.n}: ${item.error.message}`);
    if (item.kind === 'incomplete' || item.kind === 'tcp-gap') faults.push(`frame ${item.n}: ${item.kind}`);
    if (item.kind !== 'tcp') continue;
    const decoder = streams.get(item.stream.id) ?? new TcpFrameDecoder({ fromStart: item.stream.fromStart });
    streams.set(item.stream.id, decoder);
    // FD_SOCK's connections are foreign to it, for they carry a single byte
    for (const part of decoder.push(item.payload)) {
      if (part.kind === 'frame') datagrams.push(Buffer.from(part.bytes));
      if (part.kind === 'skipped')
        faults.push(`frame ${item.n}: ${part.length} bytes are in no JGroups frame`);
    }
  }
  const truth = readFileSync(join(folder, 'truth.jsonl'), 'utf8').trim().split('\n');
  return {
    scenario: readFileSync(join(folder, 'scenario.txt'), 'utf8'),
    truth: truth.map((line) => JSON.parse(line) as TruthEvent),
    datagrams,
    byPort,
    faults,
  };
}

/** In words, all that does not hold of it. */
export function complaints(recorded: Recorded): string[] {
  const { truth, datagrams, faults } = recorded;
  const found = [...faults];
  for (const [i, datagram] of datagrams.entries()) {
    try {
      if (!encodeAnyDatagram(decodeAnyDatagram(datagram)).equals(datagram))
        found.push(`datagram ${i}: re-encoded`);
    } catch (error) {
      found.push(`datagram ${i}: ${String(error)}`);
    }
  }
  const log = new TruthLog();
  for (const event of truth) log.add(event);
  found.push(...log.undelivered().map((text) => `not delivered: ${text}`));
  found.push(...log.unasked().map((text) => `delivered without being sent: ${text}`));
  const digests = new Set(datagrams.map(digest));
  for (const { ev, sha } of truth) {
    if (ev === 'rx-dropped' && !digests.has(String(sha)))
      found.push(`a dropped datagram ${sha ?? ''} is not there`);
  }
  const orders = new Map<string, number>();
  for (const { ev, peer, order } of truth) {
    if (ev !== 'deliver') continue;
    if (order !== (orders.get(peer) ?? 0) + 1)
      found.push(`${peer} delivers its ${order ?? ''}th at the wrong time`);
    orders.set(peer, Number(order));
  }
  return [...found, ...unequalArrivals(recorded)];
}

/** Where peers get nothing but unicasts, and live to the end: as many messages came up as the capture has for them. */
function unequalArrivals({ scenario, truth, byPort }: Recorded): string[] {
  if (!scenario.startsWith('GeodePeer') || scenario.includes('mcast=')) return [];
  const found: string[] = [];
  for (const { ev, peer, port } of truth) {
    if (ev !== 'up' || truth.some((other) => other.ev === 'killed-9' && other.peer === peer)) continue;
    const of = (name: string) => truth.filter((event) => event.ev === name && event.peer === peer);
    const dropped = of('rx-dropped').map(({ sha }) => String(sha));
    let captured = 0;
    for (const datagram of byPort.get(Number(port)) ?? []) {
      const at = dropped.indexOf(digest(datagram));
      if (at >= 0) dropped.splice(at, 1);
      else captured += messagesIn(datagram);
    }
    const up = [...of('wire-up'), ...of('wire-up-batch')].filter(({ src }) => src !== peer).length;
    if (up !== captured) found.push(`${peer}: ${up} messages came up, ${captured} are in the capture`);
  }
  return found;
}

function messagesIn(datagram: Buffer): number {
  const decoded = decodeAnyDatagram(datagram);
  return decoded.kind === 'single' ? 1 : decoded.messages.length;
}

function digest(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex').slice(0, 16);
}
