/** Datagrams, put into a capture and read out of it as records. */
import { Flag } from '../../../codecs/jgroups/message.ts';
import type { GeodeAddress, Header, Message, UuidAddress } from '../../../codecs/jgroups/message.ts';
import { CaptureRecords } from '../../../src/compat/capture-records.ts';
import { RecordJson } from '../../../src/compat/record-json.ts';
import type { CaptureRecord } from '../../../src/compat/record.ts';
import * as wire from '../codecs/wire-builder.ts';
import * as b from '../pcap/builder.ts';

export const A: GeodeAddress = {
  kind: 'geode',
  uuid: '00112233445566778899aabbccddeeff',
  host: '192.0.2.1',
  scopeId: 0,
  port: 41_000,
  viewId: 0,
};

export const B: UuidAddress = { kind: 'uuid', uuid: 'ffeeddccbbaa99887766554433221100' };

export const tp = (cluster: string): Header => ({ protocol: 'TP', cluster });

export function data(seqno: number): Header {
  return { protocol: 'UNICAST3', type: 'DATA', seqno, connId: 0, first: seqno === 1 };
}

/** From A to B unless told otherwise. */
export function message(
  headers: readonly Header[],
  payload: Uint8Array | null,
  changes: Partial<Message> = {},
): Message {
  return { dest: B, src: A, flags: Flag.OOB | Flag.NO_FC, headers, payload, ...changes };
}

/** A datagram of JGroups 3.6.14 with one message. */
export function single(
  headers: readonly Header[],
  payload: Uint8Array | null,
  changes: Partial<Message> = {},
): Buffer {
  const value = message(headers, payload, changes);
  const { VERSION_3_6_14: version } = wire;
  return wire.datagram({ kind: 'single', version, multicast: value.dest === null, message: value });
}

/** From 10.0.0.1 to 10.0.0.2. */
export function udpFrame(payload: Buffer, srcPort = 41_000, dstPort = 41_001): Buffer {
  return b.ethernet(b.ipv4(b.udp(payload, srcPort, dstPort)));
}

export type Line = Record<string, unknown>;

export interface ReadRecords {
  readonly capture: CaptureRecords;
  readonly records: readonly CaptureRecord[];
  /** As `rollgate decode --json` prints them. */
  readonly json: readonly Line[];
  readonly skipped: Readonly<Record<string, number>>;
}

/** @param chunk bytes that are read at a time */
export function readRecords(file: Buffer, chunk = file.length): ReadRecords {
  const capture = new CaptureRecords();
  const records: CaptureRecord[] = [];
  for (let at = 0; at < file.length; at += chunk)
    records.push(...capture.push(file.subarray(at, at + chunk)));
  records.push(...capture.end());
  const writer = new RecordJson();
  const json = records.map((record) => JSON.parse(writer.line(record)) as Line);
  return { capture, records, json, skipped: Object.fromEntries(capture.skipped.counts) };
}

export function readUdp(...datagrams: readonly Buffer[]): ReadRecords {
  return readRecords(b.pcap(datagrams.map((bytes) => udpFrame(bytes))));
}

/** What a line is about: its headers, its probe, or what is wrong with it and where. */
export function gist({ headers, raw, error }: Line): string {
  if (error !== undefined) {
    const { code, offset, field } = error as { code: string; offset: number; field: string };
    return `${code} ${offset} ${field}`;
  }
  if (headers === undefined) return `raw ${String(raw)}`;
  return (headers as { protocol: string; type?: string; seqno?: number }[])
    .map(({ protocol, type, seqno }) =>
      [protocol, type, seqno].filter((part) => part !== undefined).join(' '),
    )
    .join(', ');
}
