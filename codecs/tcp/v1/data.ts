import { CodecError } from '../../bytes/errors.ts';
import { type ByteReader, i32At } from '../../bytes/reader.ts';
import { beginFrame } from './fields.ts';
import { FrameType } from './frame-types.ts';
import { readSeqno } from './handshake.ts';
import { FRAME_HEADER_BYTES } from './limits.ts';

/**
 * Messages and their acknowledgement.
 *
 *     DATA        u64 seqno | u8 flags | payload (to the end of the frame)
 *     UNRELIABLE  u8 flags (0) | payload
 *     ACK         u64 seqno: every DATA up to and including this one was received
 *
 * A seqno counts DATA frames, not messages: the fragments of a large message have seqnos of their own. So what is
 * resent after a break is one rule for all (everything above the last seqno), half a message is not sent again,
 * and acks show progress within one. MORE says that the message goes on in the next DATA of the same class;
 * ordered and unordered messages are put together apart, so that one may be sent between the fragments of the other.
 */
export const DataFlag = { UNORDERED: 0x01, MORE: 0x02 } as const;

const KNOWN_FLAGS = DataFlag.UNORDERED | DataFlag.MORE;

/** What a DATA frame takes beside its payload. */
export const DATA_OVERHEAD_BYTES = FRAME_HEADER_BYTES + 8 + 1;

export interface Data {
  readonly type: 'DATA';
  readonly seqno: number;
  /** Bits of `DataFlag`. */
  readonly flags: number;
  readonly payload: Uint8Array;
}

export interface Unreliable {
  readonly type: 'UNRELIABLE';
  readonly payload: Uint8Array;
}

export interface Ack {
  readonly type: 'ACK';
  readonly seqno: number;
}

/** Everything of a DATA frame but the payload, which the caller writes behind it. Returns the offset after it. */
export function writeDataHeader(
  target: Buffer,
  offset: number,
  seqno: number,
  flags: number,
  payloadBytes: number,
): number {
  target.writeUInt32BE(DATA_OVERHEAD_BYTES - 4 + payloadBytes, offset);
  target[offset + 4] = FrameType.DATA;
  target.writeUInt32BE(Math.floor(seqno / 0x1_0000_0000), offset + 5);
  target.writeUInt32BE(seqno >>> 0, offset + 9);
  target[offset + 13] = flags;
  return offset + DATA_OVERHEAD_BYTES;
}

export function encodeData(frame: Data): Buffer {
  const bytes = Buffer.allocUnsafe(DATA_OVERHEAD_BYTES + frame.payload.length);
  const offset = writeDataHeader(bytes, 0, frame.seqno, frame.flags, frame.payload.length);
  bytes.set(frame.payload, offset);
  return bytes;
}

/** The payload is a view of the input. */
export function decodeData(reader: ByteReader): Data {
  const seqno = readSeqno(reader, 'seqno');
  const flags = readFlags(reader, KNOWN_FLAGS);
  return { type: 'DATA', seqno, flags, payload: reader.bytes(reader.remaining, 'payload') };
}

/**
 * The DATA frame from `start` to `end`, or null: if it is another one, or breaks a rule, `decodeFrame` says so. Streams
 * are made of these frames, and without a reader and a view of the whole frame one costs half.
 */
export function readWholeData(bytes: Buffer, start: number, end: number): Data | null {
  if (bytes[start + 4] !== FrameType.DATA || end - start < DATA_OVERHEAD_BYTES) return null;
  const high = i32At(bytes, start + 5) >>> 0;
  const low = i32At(bytes, start + 9) >>> 0;
  const flags = bytes[start + 13] as number;
  if (high > MAX_HIGH_WORD || (high === 0 && low === 0) || (flags & ~KNOWN_FLAGS) !== 0) return null;
  const payload = bytes.subarray(start + DATA_OVERHEAD_BYTES, end);
  return { type: 'DATA', seqno: high * 0x1_0000_0000 + low, flags, payload };
}

/** Of 2^53-1. */
const MAX_HIGH_WORD = 0x1f_ffff;

export function encodeUnreliable(frame: Unreliable): Buffer {
  const writer = beginFrame(FrameType.UNRELIABLE, 1 + frame.payload.length);
  writer.u8(0);
  writer.bytes(frame.payload);
  return writer.finish();
}

export function decodeUnreliable(reader: ByteReader): Unreliable {
  readFlags(reader, 0);
  return { type: 'UNRELIABLE', payload: reader.bytes(reader.remaining, 'payload') };
}

export function encodeAck(frame: Ack): Buffer {
  const writer = beginFrame(FrameType.ACK, 8);
  writer.safeU64(frame.seqno);
  return writer.finish();
}

export function decodeAck(reader: ByteReader): Ack {
  return { type: 'ACK', seqno: readSeqno(reader, 'seqno') };
}

function readFlags(reader: ByteReader, known: number): number {
  const at = reader.offset;
  const flags = reader.u8('flags');
  if ((flags & ~known) !== 0)
    throw new CodecError('ERR_VALUE', at, 'flags', `0x${flags.toString(16)} has unknown bits`);
  return flags;
}
