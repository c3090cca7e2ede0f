/** Errors of the codecs. Each says at which byte of which field the bytes (or the value) went wrong. */

export const CODEC_ERROR_CODES = [
  'ERR_TRUNCATED', // the bytes end before the field does
  'ERR_TRAILING_BYTES', // the value ends before the bytes do
  'ERR_LIMIT', // a length or count is larger than the limit for its field
  'ERR_VALUE', // a value that the wire cannot carry or that the field may not have
  'ERR_VERSION', // no codec for this wire version
  'ERR_UNKNOWN_HEADER', // a header class that cannot be skipped, for the wire gives no length
  'ERR_UNKNOWN_ADDRESS', // an address class that cannot be skipped
] as const;

export type CodecErrorCode = (typeof CODEC_ERROR_CODES)[number];

/** Bytes that do not follow the wire format, or a value that it cannot carry. */
export class CodecError extends Error {
  readonly code: CodecErrorCode;
  /** Byte offset in the buffer that was being read or written. */
  readonly offset: number;
  /** Name of the field, as the wire documents call it. */
  readonly field: string;

  constructor(code: CodecErrorCode, offset: number, field: string, detail: string) {
    super(`${field} at byte ${offset}: ${detail}`);
    this.name = 'CodecError';
    this.code = code;
    this.offset = offset;
    this.field = field;
  }
}

/** The bytes end too early. On a stream, and only there, it means "wait for more". */
export class TruncatedError extends CodecError {
  constructor(offset: number, field: string, wanted: number, available: number) {
    super('ERR_TRUNCATED', offset, field, `needs ${wanted} bytes, ${available} are left`);
    this.name = 'TruncatedError';
  }
}
