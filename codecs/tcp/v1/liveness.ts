import type { ByteReader } from '../../bytes/reader.ts';
import { beginFrame, readText, sizeText, writeText } from './fields.ts';
import { FrameType } from './frame-types.ts';
import { MAX_REASON_BYTES } from './limits.ts';

/**
 * Signs of life and of an orderly end.
 *
 *     PING, PONG  8 bytes token, which the PONG repeats
 *     GOODBYE     u16 code | text reason
 */

export interface Ping {
  readonly type: 'PING';
  /** 16 hex digits; means something to its author only. */
  readonly token: string;
}

export interface Pong {
  readonly type: 'PONG';
  readonly token: string;
}

export interface Goodbye {
  readonly type: 'GOODBYE';
  readonly code: number;
  readonly reason: string;
}

export function encodePing(frame: Ping | Pong): Buffer {
  const writer = beginFrame(FrameType[frame.type], 8);
  writer.hex(frame.token);
  return writer.finish();
}

export function decodePing(reader: ByteReader): Ping {
  return { type: 'PING', token: reader.hex(8, 'token') };
}

export function decodePong(reader: ByteReader): Pong {
  return { type: 'PONG', token: reader.hex(8, 'token') };
}

export function encodeGoodbye(frame: Goodbye): Buffer {
  const writer = beginFrame(FrameType.GOODBYE, 2 + sizeText(frame.reason));
  writer.u16(frame.code);
  writeText(writer, frame.reason, MAX_REASON_BYTES, 'reason');
  return writer.finish();
}

export function decodeGoodbye(reader: ByteReader): Goodbye {
  return { type: 'GOODBYE', code: reader.u16('code'), reason: readText(reader, MAX_REASON_BYTES, 'reason') };
}
