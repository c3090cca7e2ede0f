import type { Stream } from '../../src/protocol/environment.ts';
import type { MemberId } from '../../src/protocol/member-id.ts';
import type { OutcomeCounts } from '../../src/protocol/messenger.ts';

const FRAGMENT_BYTES = 8_000;
const FRAME_HEADER_BYTES = 4;
const HEADER_BYTES = 38;

export const LAST = 1;
export const UNRELIABLE = 2;

export interface Packet {
  /** With a length in front, for streams. */
  readonly frame: Buffer;
  readonly seqno: number;
  readonly last: boolean;
}

export interface ParsedPacket {
  readonly kind: 'data' | 'ack';
  readonly from: string;
  readonly to: string;
  readonly seqno: number;
  readonly flags: number;
  readonly body: Buffer;
}

export function encodePacket(fields: Omit<ParsedPacket, 'body'> & { body?: Uint8Array }): Buffer {
  const body = fields.body ?? Buffer.alloc(0);
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + HEADER_BYTES + body.length);
  frame.writeUInt32BE(HEADER_BYTES + body.length, 0);
  frame.writeUInt8(fields.kind === 'data' ? 0 : 1, 4);
  frame.write(fields.from, 5, 'hex');
  frame.write(fields.to, 21, 'hex');
  frame.writeUInt32BE(fields.seqno, 37);
  frame.writeUInt8(fields.flags, 41);
  frame.set(body, FRAME_HEADER_BYTES + HEADER_BYTES);
  return frame;
}

/** @param bytes without the length; null if they are no packet */
export function parsePacket(bytes: Buffer): ParsedPacket | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt8(0) > 1) return null;
  return {
    kind: bytes.readUInt8(0) === 0 ? 'data' : 'ack',
    from: bytes.toString('hex', 1, 17),
    to: bytes.toString('hex', 17, 33),
    seqno: bytes.readUInt32BE(33),
    flags: bytes.readUInt8(37),
    body: bytes.subarray(HEADER_BYTES),
  };
}

/** Cuts a stream into packets. */
export class PacketReader {
  #rest = Buffer.alloc(0);

  read(bytes: Uint8Array, handle: (packet: Buffer) => void): void {
    let rest = Buffer.concat([this.#rest, bytes]);
    while (rest.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + rest.readUInt32BE(0);
      if (rest.length < end) break;
      handle(rest.subarray(FRAME_HEADER_BYTES, end));
      rest = rest.subarray(end);
    }
    this.#rest = rest;
  }
}

/** Go-back-N in both directions with one other member; the seqnos do not care which stack carries a packet. */
export class ReferencePeer {
  readonly member: MemberId;
  readonly counts: OutcomeCounts = { accepted: 0, delivered: 0, memberLeft: 0, closed: 0, pending: 0 };
  readonly unacked: Packet[] = [];
  received = 0;
  pendingBytes = 0;
  /** `send` said that it is not writable. */
  blocked = false;
  expected = 0;
  parts: Buffer[] = [];
  stream: Stream | null = null;
  sentMs = 0;
  progressMs = 0;
  /** Of the unacked ones, so many have been sent at least once. */
  inFlight = 0;
  #nextSeqno = 0;

  constructor(member: MemberId) {
    this.member = member;
  }

  enqueue(self: string, payload: Uint8Array): void {
    this.counts.accepted++;
    this.counts.pending++;
    for (let start = 0; start === 0 || start < payload.length; start += FRAGMENT_BYTES) {
      const body = payload.subarray(start, start + FRAGMENT_BYTES);
      const last = start + FRAGMENT_BYTES >= payload.length;
      const seqno = this.#nextSeqno++;
      const to = this.member.uuid;
      const frame = encodePacket({ kind: 'data', from: self, to, seqno, flags: last ? LAST : 0, body });
      this.unacked.push({ frame, seqno, last });
      this.pendingBytes += frame.length;
    }
  }

  /** @param seqno the lowest that the other side still wants */
  acknowledge(seqno: number): boolean {
    let progress = false;
    for (let first = this.unacked[0]; first !== undefined && first.seqno < seqno; first = this.unacked[0]) {
      this.unacked.shift();
      this.inFlight = Math.max(0, this.inFlight - 1);
      this.pendingBytes -= first.frame.length;
      if (first.last) {
        this.counts.pending--;
        this.counts.delivered++;
      }
      progress = true;
    }
    return progress;
  }

  /** What has no outcome yet gets this one. */
  finish(outcome: 'memberLeft' | 'closed'): void {
    this.counts[outcome] += this.counts.pending;
    this.counts.pending = 0;
    this.unacked.length = 0;
    this.inFlight = 0;
    this.pendingBytes = 0;
    this.stream?.destroy();
    this.stream = null;
  }
}
