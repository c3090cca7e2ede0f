/** Pieces of a capture as a real cluster's would be: two members, 1 KiB messages over UNICAST3, an ack now and then. */

import { encodePayload } from '../../codecs/geode/index.ts';
import { encodeDatagram } from '../../codecs/jgroups/registry.ts';
import type { GeodeAddress, Header } from '../../codecs/jgroups/message.ts';
import { Flag } from '../../codecs/jgroups/message.ts';
import { VERSION_3_6_14 } from '../../codecs/jgroups/version.ts';

const CHUNK_BYTES = 256 * 1024;
const MESSAGE_BYTES = 1024;
const ACK_EVERY = 50;

/** Little-endian, microseconds, Ethernet. */
export const FILE_HEADER = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex');

const member = (index: number): GeodeAddress => ({
  kind: 'geode',
  host: `192.0.2.${index}`,
  scopeId: 0,
  port: 41_000,
  viewId: index,
  uuid: index.toString(16).padStart(32, '0'),
});

/** Whole frames, about as many bytes as decode reads at once. */
export function captureChunk(geode: boolean): Buffer {
  const frames: Buffer[] = [];
  let size = 0;
  for (let seqno = 1; size < CHUNK_BYTES - 2 * MESSAGE_BYTES; seqno++) {
    const frame = ethernet(message(seqno, geode), 1, seqno * 10);
    frames.push(frame);
    size += frame.length;
    if (seqno % ACK_EVERY === 0) frames.push(ethernet(ack(seqno), 2, seqno * 10 + 5));
  }
  return Buffer.concat(frames);
}

function message(seqno: number, geode: boolean): Buffer {
  const payload = geode ? geodePayload() : Buffer.alloc(MESSAGE_BYTES, seqno);
  if (!geode) payload.writeUInt32BE(seqno, 0);
  const data: Header = { protocol: 'UNICAST3', type: 'DATA', seqno, connId: 0, first: seqno === 1 };
  return datagram(1, 2, Flag.DONT_BUNDLE, data, payload);
}

function ack(seqno: number): Buffer {
  return datagram(
    2,
    1,
    Flag.INTERNAL,
    { protocol: 'UNICAST3', type: 'ACK', seqno, connId: 0, timestamp: seqno },
    null,
  );
}

function datagram(from: number, to: number, flags: number, header: Header, payload: Buffer | null): Buffer {
  const headers: Header[] = [header, { protocol: 'TP', cluster: 'AG' }];
  const text = { dest: member(to), src: member(from), flags, headers, payload };
  return encodeDatagram({ kind: 'single', version: VERSION_3_6_14, multicast: false, message: text });
}

/** An application's object of a class that is Geode's own business. */
function geodePayload(): Buffer {
  const { host, port: membershipPort, uuid, viewId: vmViewId } = member(1);
  const sender = { version: 150, flags: 0, host, membershipPort, vmViewId, uuid, vmKind: 10 };
  const body = Buffer.alloc(MESSAGE_BYTES - 52, 0x55);
  body.set([0x01, 0x5b]);
  const object = { type: 'opaque', class: 'DSFID 91', dsfid: 91, bytes: body } as const;
  return encodePayload({ kind: 'clear', ordinal: 150, sender, object });
}

/** A pcap record of an Ethernet frame with an IPv4 packet with a UDP datagram. */
function ethernet(payload: Buffer, from: number, micros: number): Buffer {
  const head = Buffer.alloc(16 + 14 + 20 + 8);
  const ip = 16 + 14;
  const length = 14 + 20 + 8 + payload.length;
  head.writeUInt32LE(1_700_000_000, 0);
  head.writeUInt32LE(micros, 4);
  head.writeUInt32LE(length, 8);
  head.writeUInt32LE(length, 12);
  head.writeUInt16BE(0x0800, 16 + 12);
  head.set([0x45, 0], ip);
  head.writeUInt16BE(length - 14, ip + 2);
  head.set([64, 17], ip + 8);
  head.set([192, 0, 2, from, 192, 0, 2, 3 - from], ip + 12);
  head.writeUInt16BE(41_000, ip + 20);
  head.writeUInt16BE(41_000, ip + 22);
  head.writeUInt16BE(8 + payload.length, ip + 24);
  return Buffer.concat([head, payload]);
}
