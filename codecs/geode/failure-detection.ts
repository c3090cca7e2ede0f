/**
 * "Are you the member X?" on the failure-detection port, TCP (GEODE-WIRE section 5b):
 *
 *     request    ordinal i16   vmViewId int   uuid lsb long, msb long       22 bytes
 *     response   7b yes   |   00 no                                         1 byte
 */

import { CodecError } from '../bytes/errors.ts';
import { ByteReader } from '../bytes/reader.ts';
import { ByteWriter } from '../bytes/writer.ts';

export const FAILURE_DETECTION_REQUEST_BYTES = 22;

const Answer = { YES: 0x7b, NO: 0x00 } as const;

export interface FailureDetectionRequest {
  /** Version ordinal of the member that asks. */
  readonly ordinal: number;
  readonly vmViewId: number;
  /** 32 hex digits, most significant half first (on the wire it is the other way round). */
  readonly uuid: string;
}

/** @throws {CodecError} `ERR_TRUNCATED`, or `ERR_TRAILING_BYTES` past byte 22 */
export function decodeFailureDetectionRequest(bytes: Uint8Array): FailureDetectionRequest {
  const reader = new ByteReader(bytes);
  const ordinal = reader.i16('failure-detection.ordinal');
  const vmViewId = reader.i32('failure-detection.vmViewId');
  const low = reader.hex(8, 'failure-detection.uuid');
  const high = reader.hex(8, 'failure-detection.uuid');
  reader.finish('failure-detection.request');
  return { ordinal, vmViewId, uuid: high + low };
}

/** @throws {CodecError} `ERR_VALUE` for a value that the wire cannot carry */
export function encodeFailureDetectionRequest(request: FailureDetectionRequest): Buffer {
  const { uuid } = request;
  const writer = new ByteWriter(FAILURE_DETECTION_REQUEST_BYTES);
  writer.i16(request.ordinal, 'failure-detection.ordinal');
  writer.i32(request.vmViewId, 'failure-detection.vmViewId');
  if (uuid.length !== 32) {
    throw new CodecError(
      'ERR_VALUE',
      writer.offset,
      'failure-detection.uuid',
      `'${uuid}' is no 32 hex digits`,
    );
  }
  writer.hex(uuid.slice(16), 'failure-detection.uuid');
  writer.hex(uuid.slice(0, 16), 'failure-detection.uuid');
  return writer.finish();
}

/** True: it is the member that was asked for. */
export function decodeFailureDetectionResponse(bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes);
  const answer = reader.u8('failure-detection.response');
  if (answer !== Answer.YES && answer !== Answer.NO) {
    throw new CodecError(
      'ERR_VALUE',
      0,
      'failure-detection.response',
      `0x${answer.toString(16)} is no answer`,
    );
  }
  reader.finish('failure-detection.response');
  return answer === Answer.YES;
}

export function encodeFailureDetectionResponse(ok: boolean): Buffer {
  return Buffer.of(ok ? Answer.YES : Answer.NO);
}
