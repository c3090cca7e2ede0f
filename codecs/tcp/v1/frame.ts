import { CodecError, TruncatedError } from '../../bytes/errors.ts';
import { ByteReader } from '../../bytes/reader.ts';
import { decodeAck, decodeData, decodeUnreliable, encodeAck, encodeData, encodeUnreliable } from './data.ts';
import type { Ack, Data, Unreliable } from './data.ts';
import { FrameType } from './frame-types.ts';
import type { FrameName } from './frame-types.ts';
import {
  decodeHello,
  decodeReject,
  decodeWelcome,
  encodeHello,
  encodeReject,
  encodeWelcome,
} from './handshake.ts';
import type { Hello, Reject, Welcome } from './handshake.ts';
import { FRAME_HEADER_BYTES } from './limits.ts';
import { decodeGoodbye, decodePing, decodePong, encodeGoodbye, encodePing } from './liveness.ts';
import type { Goodbye, Ping, Pong } from './liveness.ts';

/**
 * Any frame.
 *
 *     frame  u32 length (of what follows) | u8 type | body
 */
export type Frame = Hello | Welcome | Reject | Data | Unreliable | Ack | Ping | Pong | Goodbye;

const DECODERS: Readonly<Record<FrameName, (reader: ByteReader) => Frame>> = {
  HELLO: decodeHello,
  WELCOME: decodeWelcome,
  REJECT: decodeReject,
  DATA: decodeData,
  UNRELIABLE: decodeUnreliable,
  ACK: decodeAck,
  PING: decodePing,
  PONG: decodePong,
  GOODBYE: decodeGoodbye,
};

/** By type number. */
const DECODER_OF: ((reader: ByteReader) => Frame)[] = [];
for (const [name, code] of Object.entries(FrameType)) DECODER_OF[code] = DECODERS[name as FrameName];

/** @throws {CodecError} `ERR_LIMIT` for a text or extension that is too long */
export function encodeFrame(frame: Frame): Buffer {
  switch (frame.type) {
    case 'HELLO':
      return encodeHello(frame);
    case 'WELCOME':
      return encodeWelcome(frame);
    case 'REJECT':
      return encodeReject(frame);
    case 'DATA':
      return encodeData(frame);
    case 'UNRELIABLE':
      return encodeUnreliable(frame);
    case 'ACK':
      return encodeAck(frame);
    case 'PING':
    case 'PONG':
      return encodePing(frame);
    case 'GOODBYE':
      return encodeGoodbye(frame);
  }
}

/**
 * One whole frame, its length field included; payloads and extensions are views of it.
 * @throws {CodecError} with the offset counted from the length field's first byte
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const reader = new ByteReader(bytes);
  const length = reader.u32('length');
  if (length > reader.remaining) throw new TruncatedError(4, 'frame', length, reader.remaining);
  if (length < reader.remaining) {
    const detail = `${reader.remaining - length} bytes are left over`;
    throw new CodecError('ERR_TRAILING_BYTES', 4 + length, 'frame', detail);
  }
  const decode = DECODER_OF[reader.u8('type')];
  if (decode === undefined) {
    throw new CodecError('ERR_VALUE', FRAME_HEADER_BYTES - 1, 'type', `${bytes[4] ?? 0} is no frame type`);
  }
  const frame = decode(reader);
  reader.finish(frame.type);
  return frame;
}
