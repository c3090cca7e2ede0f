/** Capture files from strangers: mutated as files, as datagrams and as TCP streams, down to the printed lines. */

import { readFileSync } from 'node:fs';

import { encodeLocatorRequest } from '../../codecs/geode/index.ts';
import { VERSION_3_6_14 } from '../../codecs/jgroups/version.ts';
import type { WireMember } from '../../codecs/tcp/v1/fields.ts';
import { encodeFrame } from '../../codecs/tcp/v1/frame.ts';
import { PREAMBLE } from '../../codecs/tcp/v1/limits.ts';
import { DecodeLines } from '../../src/cli/decode-line.ts';
import { PLAIN_STYLE } from '../../src/cli/style.ts';
import { CaptureRecords } from '../../src/compat/capture-records.ts';
import { RecordJson } from '../../src/compat/record-json.ts';
import * as b from '../../test/unit/pcap/builder.ts';
import { captureFiles } from './corpus.ts';
import type { Target } from './targets.ts';

/** A mutation anywhere in a file of some frames is likely to hit something that matters. */
const MAX_FILE_BYTES = 6_000;

/** Larger datagrams in a stream are no other than these, only slower. */
const MAX_STREAM_DATAGRAM_BYTES = 1_500;

const MAX_SEGMENTS = 200;

export function captureTargets(fixtures: string, datagrams: readonly Uint8Array[]): Target[] {
  const files = captureFiles(fixtures).flatMap((file) => cut(readFileSync(file)));
  const few = datagrams.slice(0, 20).map((bytes) => b.ethernet(b.ipv4(b.udp(Buffer.from(bytes)))));
  const streams = tcpStreams(datagrams);
  const segments = streams.map((stream) => b.pcap(tcpFrames(stream, 100, true)));
  return [
    { name: 'capture file', corpus: [...files, ...segments, pcapng(few)], run: decode },
    { name: 'datagram in a capture', corpus: datagrams, run: (bytes) => decode(udpCapture(bytes)) },
    { name: 'TCP stream in a capture', corpus: streams, run: (bytes) => decode(tcpCapture(bytes)) },
  ];
}

/** Throws if anything of a capture throws, or is no JSON. */
function decode(file: Uint8Array): void {
  const capture = new CaptureRecords();
  const json = new RecordJson();
  const lines = new DecodeLines(PLAIN_STYLE, false);
  const middle = file.length >> 1;
  for (const chunk of [file.subarray(0, middle), file.subarray(middle), null]) {
    for (const record of chunk === null ? capture.end() : capture.push(chunk)) {
      JSON.parse(json.line(record));
      if (/[\n\u001b]/.test(lines.line(record))) throw new Error('a line steers the terminal');
    }
  }
}

/** Pieces of a file with a file header each. */
function cut(file: Buffer): Buffer[] {
  const header = file.subarray(0, 24);
  const pieces: Buffer[] = [];
  let start = header.length;
  for (let at = start; at < file.length;) {
    at += 16 + file.readUInt32LE(at + 8);
    if (at - start < MAX_FILE_BYTES && at < file.length) continue;
    pieces.push(Buffer.concat([header, file.subarray(start, at)]));
    start = at;
  }
  return pieces;
}

function pcapng(frames: readonly Buffer[]): Buffer {
  const packets = frames.map((frame, i) => b.enhancedPacket('LE', 0, BigInt(i) * 1000n, frame));
  return b.join(b.sectionBlock('LE'), b.interfaceBlock('LE'), ...packets);
}

function udpCapture(bytes: Uint8Array): Buffer {
  return b.pcap([b.ethernet(b.ipv4(b.udp(Buffer.from(bytes))))]);
}

/** Now from the start of a connection, now from its middle, in segments of many sizes. */
function tcpCapture(bytes: Uint8Array): Buffer {
  const [last = 0] = bytes.subarray(-1);
  const size = Math.max(1 + 7 * last, Math.ceil(bytes.length / MAX_SEGMENTS));
  return b.pcap(tcpFrames(bytes, size, (last & 1) === 0));
}

function tcpFrames(bytes: Uint8Array, size: number, fromStart: boolean): Buffer[] {
  const frames = fromStart ? [b.segment({ seq: 0, flags: 'S' })] : [];
  for (let at = 0; at < bytes.length; at += size) {
    frames.push(b.segment({ seq: 1 + at, payload: Buffer.from(bytes.subarray(at, at + size)) }));
  }
  return frames;
}

function tcpStreams(all: readonly Uint8Array[]): Buffer[] {
  const datagrams = all.filter(({ length }) => length <= MAX_STREAM_DATAGRAM_BYTES);
  const hello = b.join(Buffer.from('bela'), b.u16(VERSION_3_6_14), b.u16(7), b.hex('04 7f000001 1e78'));
  const framed = datagrams.slice(0, 12).map((bytes) => b.join(b.u32(bytes.length), Buffer.from(bytes)));
  const member: WireMember = {
    host: '192.0.2.1',
    port: 41_000,
    uuid: '0123456789abcdef0123456789abcdef',
    viewId: 3,
    version: 150,
    name: 'm1',
    kind: 'normal',
    weight: 10,
    flags: 0,
  };
  const own = [
    encodeFrame({
      type: 'HELLO',
      minVersion: 1,
      maxVersion: 1,
      features: 0,
      peerKind: 1,
      cluster: 'AG',
      sender: member,
      recipientUuid: member.uuid,
      session: '0123456789abcdef',
      connId: 1,
      nextSeqno: 1,
      extensions: Buffer.alloc(0),
    }),
    ...datagrams
      .slice(0, 6)
      .map((payload, i) => encodeFrame({ type: 'DATA', seqno: i + 1, flags: i & 3, payload })),
    encodeFrame({ type: 'GOODBYE', code: 1, reason: 'stopped' }),
  ];
  const locator = { gossipVersion: 1002, ordinal: 150, object: { type: 'VersionRequest' } } as const;
  return [
    b.join(hello, ...framed),
    b.join(...framed),
    b.join(Buffer.from(PREAMBLE), ...own),
    b.join(...own.slice(1)),
    encodeLocatorRequest(locator),
    b.hex('0096 00000002 0123456789abcdef 0123456789abcdef'),
  ];
}
