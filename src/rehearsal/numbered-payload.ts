import { crc32 } from 'node:zlib';

/**
 * A message that proves itself: who sent it, its number among those from that sender to that recipient, a checksum.
 * The Java peers read and write the same layout (src/peers/java/NumberedPayload.java); all integers are big-endian.
 *
 *  0 magic   4 uuid of the sender   20 number (from 1)   28 total length   32 CRC-32 of all but itself
 * 36 filler: byte k is (number + k) mod 256
 *
 * The number's upper bits may name a stream (`inStream`): each stream is counted by itself.
 */
export const MIN_PAYLOAD_BYTES = 36;
/** What the Java peers take; a rehearsal sends far less. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

const MAGIC = 0x52475031;
const UUID_AT = 4;
const NUMBER_AT = 20;
const LENGTH_AT = 28;
const CRC_AT = 32;
const TWO_TO_32 = 0x1_0000_0000;

/** Numbers from 1 below 2^40 within a stream, streams from 0 below 2^13: together they stay exact. */
const STREAM_STEP = 2 ** 40;
export const MAX_STREAM = 2 ** 13 - 1;

/** Byte i is i mod 256; copied from in pieces of `STRIDE`, which keeps the phase, from any start below 256. */
const STRIDE = 65_536;
const PATTERN = Buffer.from(Uint8Array.from({ length: STRIDE + 256 }, (_, i) => i & 0xff));

export interface NumberedPayload {
  /** 32 lower-case hex digits, as in a member id. */
  readonly sender: string;
  readonly number: number;
}

/** 'foreign': in somebody else's format. 'corrupt': in ours, but length, number or checksum do not fit. */
export type DecodedPayload = NumberedPayload | 'foreign' | 'corrupt';

/**
 * @param sender uuid of 32 hex digits
 * @param number 1 for the first message from this sender to this recipient, then one more each
 * @param length bytes of the whole payload, `MIN_PAYLOAD_BYTES` to `MAX_PAYLOAD_BYTES`
 * @throws {RangeError} if length or number are outside their limits
 */
export function encodeNumberedPayload(sender: string, number: number, length: number): Buffer {
  if (!Number.isInteger(length) || length < MIN_PAYLOAD_BYTES || length > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`a payload has ${MIN_PAYLOAD_BYTES} to ${MAX_PAYLOAD_BYTES} bytes, not ${length}`);
  }
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`${number} is no message number`);
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeUInt32BE(MAGIC, 0);
  if (bytes.write(sender, UUID_AT, 16, 'hex') !== 16) throw new RangeError(`'${sender}' is no uuid`);
  bytes.writeUInt32BE(Math.floor(number / TWO_TO_32), NUMBER_AT);
  bytes.writeUInt32BE(number % TWO_TO_32, NUMBER_AT + 4);
  bytes.writeUInt32BE(length, LENGTH_AT);
  const shift = ((number % 256) + MIN_PAYLOAD_BYTES) % 256;
  for (let at = MIN_PAYLOAD_BYTES; at < length; at += STRIDE) {
    PATTERN.copy(bytes, at, shift, shift + Math.min(STRIDE, length - at));
  }
  bytes.writeUInt32BE(checksum(bytes), CRC_AT);
  return bytes;
}

/** @param number 1 for the first message of the stream */
export function inStream(stream: number, number: number): number {
  return stream * STREAM_STEP + number;
}

/** The stream of a number, and the number within it. */
export function streamOf(number: number): { readonly stream: number; readonly number: number } {
  const stream = Math.floor(number / STREAM_STEP);
  return { stream, number: number - stream * STREAM_STEP };
}

export function decodeNumberedPayload(payload: Uint8Array): DecodedPayload {
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (bytes.length < MIN_PAYLOAD_BYTES || bytes.readUInt32BE(0) !== MAGIC) return 'foreign';
  const number = bytes.readUInt32BE(NUMBER_AT) * TWO_TO_32 + bytes.readUInt32BE(NUMBER_AT + 4);
  const sound =
    bytes.readUInt32BE(LENGTH_AT) === bytes.length &&
    number >= 1 &&
    number <= Number.MAX_SAFE_INTEGER &&
    bytes.readUInt32BE(CRC_AT) === checksum(bytes);
  return sound ? { sender: bytes.toString('hex', UUID_AT, UUID_AT + 16), number } : 'corrupt';
}

function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(MIN_PAYLOAD_BYTES), crc32(bytes.subarray(0, CRC_AT)));
}
